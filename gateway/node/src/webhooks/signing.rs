//! The signature under what a system is told (Standard Webhooks): HMAC-SHA256 over identifier, moment and body.

use std::{fmt::Write as _, io::Read as _, path::Path};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// How a secret begins in its file.
const PREFIX: &str = "whsec_";
/// The largest file with secrets, in bytes.
const MAX_FILE: u64 = 4096;
/// Secrets that count at the same time: the new one and the one before.
const MAX_SECRETS: usize = 2;
/// How long a secret is, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets of one system.
pub struct Secrets(Vec<hmac::Key>);

/// The file with secrets cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "het bestand bij `geheim` is niet te gebruiken: zet er een of twee regels in met `whsec_` en dan 24 tot en met 64 bytes in base64, zoals `printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"` die maakt"
)]
pub struct NoSecret;

impl Secrets {
    /// Those in a file, one on each line.
    pub fn read(path: &Path) -> Result<Self, NoSecret> {
        let mut text = zeroize::Zeroizing::new(String::new());
        let file = std::fs::File::open(path).map_err(|_| NoSecret)?;
        file.take(MAX_FILE).read_to_string(&mut text).map_err(|_| NoSecret)?;
        Self::of(&text)
    }

    fn of(text: &str) -> Result<Self, NoSecret> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let key = |line: &str| {
            let bytes = zeroize::Zeroizing::new(STANDARD.decode(line.strip_prefix(PREFIX)?).ok()?);
            LENGTH.contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        let keys = lines.map(key).collect::<Option<Vec<_>>>().ok_or(NoSecret)?;
        if (1..=MAX_SECRETS).contains(&keys.len()) { Ok(Self(keys)) } else { Err(NoSecret) }
    }

    /// The signatures under a body that is told at this second: one by each secret, so that a receiver can change over.
    pub fn sign(&self, id: &str, second: i64, body: &[u8]) -> String {
        let signed = [format!("{id}.{second}.").as_bytes(), body].concat();
        let mut text = String::new();
        for key in &self.0 {
            let space = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{space}v1,{}", STANDARD.encode(hmac::sign(key, &signed)));
        }
        text
    }
}

#[cfg(test)]
mod tests;
