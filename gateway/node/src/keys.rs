//! The node's own keys: for messages, for its log and for its storage. Each is a file of 32 random bytes in
//! hexadecimal, readable by the node's user only.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use ed25519_dalek::SigningKey;
use exchange::{oin::Oin, random::Random, signature::Ed25519Signer, tlog::LogSigner};
use store::StorageKey;
use zeroize::Zeroizing;

const MESSAGES: &str = "berichten.key";
const LOG: &str = "logboek.key";
const STORAGE: &str = "opslag.key";

/// The file with what is left of the keys of what is stored. The store makes and changes it.
pub const ENTRIES: &str = "inhoud.sleutels";

/// The keys of a node.
pub struct Keys {
    /// Signs messages, answers to agreements and the descriptor.
    pub messages: Ed25519Signer,
    /// Signs the log's checkpoints.
    pub log: Arc<LogSigner>,
    /// From which the keys of the store follow.
    pub storage: StorageKey,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written.
    #[error("de sleutel {} is niet te lezen of te schrijven: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not hold 64 hexadecimal digits.
    #[error("{} bevat geen sleutel van 64 hexadecimale tekens. Zet de reservekopie van deze sleutel terug.", .0.display())]
    Content(PathBuf),
    /// Others may read it.
    #[error("{} is voor anderen leesbaar. Maak er `chmod 600` van en start opnieuw.", .0.display())]
    Permissions(PathBuf),
}

/// Makes the three keys in `folder`. Existing keys are never overwritten: what they signed or sealed depends on them.
pub fn create(folder: &Path, random: &dyn Random) -> Result<(), KeyError> {
    let mut private = fs::DirBuilder::new();
    let made = private.recursive(true).mode(0o700).create(folder);
    made.map_err(|source| KeyError::File { path: folder.to_owned(), source })?;
    for name in [MESSAGES, LOG, STORAGE] {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut());
        let digits: Zeroizing<String> =
            Zeroizing::new(key.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect());
        write_private(&folder.join(name), &digits)?;
    }
    Ok(())
}

fn digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or_default()
}

/// Writes a new file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> Result<(), KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

/// Reads the keys of the node `oin` from `folder`.
pub fn load(folder: &Path, oin: Oin) -> Result<Keys, KeyError> {
    Ok(Keys {
        messages: Ed25519Signer::from_seed(&*read(&folder.join(MESSAGES))?),
        log: Arc::new(log_signer(folder, oin)?),
        storage: StorageKey::from_bytes(*read(&folder.join(STORAGE))?),
    })
}

fn log_signer(folder: &Path, oin: Oin) -> Result<LogSigner, KeyError> {
    let path = folder.join(LOG);
    let seed = read(&path)?;
    LogSigner::new(oin.log_origin(), SigningKey::from_bytes(&seed)).map_err(|_| KeyError::Content(path))
}

/// Refuses a key file that others may read.
pub fn check_private(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions(path.to_owned()));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    check_private(path)?;
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    let digits = text.trim();
    let mut key = Zeroizing::new([0; 32]);
    let valid = digits.len() == 64 && digits.is_ascii();
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).map_err(|_| KeyError::Content(path.to_owned()))?;
    }
    if valid { Ok(key) } else { Err(KeyError::Content(path.to_owned())) }
}

#[cfg(test)]
mod tests;
