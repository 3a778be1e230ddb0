//! The keys of the issuer of tokens (JWKS, RFC 7517), from a file or over https, read again when they change.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::bail;
use arc_swap::ArcSwap;
use axum::body::Bytes;
use http_body_util::Full;
use hyper::{Request, header::ACCEPT};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use serde_json::Value;
use tokio::{sync::Mutex, time::timeout};

use super::tokens::Refused;
use crate::{
    config,
    https::{Remote, RemoteError},
};

/// The longest list, in bytes.
const MAX_BYTES: usize = 256 << 10;
/// The most keys of it that are used.
const MAX_KEYS: usize = 64;
/// The most keys that one token is tried with.
const MAX_TRIED: usize = 4;
/// How often an address is asked for its keys.
const REFRESH: SignedDuration = SignedDuration::from_mins(5);
/// How often at most, when a token names a key that is not known, or when the last time failed.
const AT_MOST: SignedDuration = SignedDuration::from_mins(1);
/// Keys that could not be fetched again for so long are not used any more.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);
/// How long a request waits for keys that are being fetched.
const WAIT: Duration = Duration::from_secs(5);

/// A key and what it may be used for.
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    verifies: Arc<DecodingKey>,
}

/// What was read last.
#[derive(Default)]
struct Known {
    keys: Vec<Key>,
    read: Option<Timestamp>,
}

/// When was read, or tried.
#[derive(Default)]
struct Tried {
    at: Option<Timestamp>,
    written: Option<SystemTime>,
}

enum Source {
    File(PathBuf),
    Remote(Remote),
}

/// The keys of an issuer.
pub(super) struct Keys {
    source: Source,
    known: ArcSwap<Known>,
    turn: Mutex<Tried>,
}

/// Keys that cannot be read.
#[derive(Debug, thiserror::Error)]
enum JwksError {
    #[error("the file cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error("the issuer does not give them: {0}")]
    Remote(#[from] RemoteError),
    #[error("the issuer answers with status {0}")]
    Status(u16),
    #[error("it is not a JWKS of at most {MAX_BYTES} bytes")]
    Unreadable,
    #[error("no key in it is for ES256, RS256, PS256 or EdDSA")]
    NoneFits,
}

impl Keys {
    /// From where the operator says. A file must be right from the start; an issuer may be away for a while.
    pub(super) fn new(folder: &Path, settings: &config::Tokens) -> anyhow::Result<Self> {
        let source = match settings.address() {
            Some(address) => {
                let anchors = settings.vertrouwensankers.as_ref().map(|path| folder.join(path));
                Source::Remote(Remote::new(address, anchors.as_deref())?)
            }
            None => Source::File(folder.join(&settings.sleutels)),
        };
        let keys = Self { source, known: ArcSwap::default(), turn: Mutex::default() };
        if let Source::File(path) = &keys.source {
            let Ok(read) = read_file(path).and_then(|text| parse(&text)) else {
                bail!(
                    "{} is er niet of is geen JWKS met een sleutel voor ES256, RS256, PS256 of EdDSA. Vraag de uitgever om zijn sleutels",
                    path.display()
                )
            };
            keys.known.store(Arc::new(Known { keys: read, read: None }));
        }
        Ok(keys)
    }

    /// Reads again when a file changed, or when it is time to ask.
    pub(super) async fn keep(&self, now: Timestamp) {
        let mut tried = self.turn.lock().await;
        let due = match &self.source {
            Source::File(path) => {
                let written = std::fs::metadata(path).and_then(|data| data.modified()).ok();
                let changed = tried.written != written;
                tried.written = written;
                changed
            }
            Source::Remote(_) => {
                let known = self.known.load();
                let pause = if known.read.is_some() && known.read == tried.at { REFRESH } else { AT_MOST };
                is_past(tried.at, now, pause)
            }
        };
        if due {
            self.read(&mut tried, now).await;
        }
    }

    /// The keys that a token can be signed with. One that names a key that is not known makes us look for it, at most so
    /// often.
    pub(super) async fn fitting(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Vec<Arc<DecodingKey>>, Refused> {
        let found = self.known_keys(id, algorithm, now);
        if !found.is_empty() || id.is_none() {
            return if found.is_empty() { Err(self.none(now)) } else { Ok(found) };
        }
        let looking = async {
            let mut tried = self.turn.lock().await;
            if is_past(tried.at, now, AT_MOST) {
                self.read(&mut tried, now).await;
            }
        };
        let _ = timeout(WAIT, looking).await;
        let found = self.known_keys(id, algorithm, now);
        if found.is_empty() { Err(self.none(now)) } else { Ok(found) }
    }

    fn none(&self, now: Timestamp) -> Refused {
        if self.usable(now).keys.is_empty() { Refused::NoKeys } else { Refused::Invalid }
    }

    fn usable(&self, now: Timestamp) -> Arc<Known> {
        let known = self.known.load_full();
        let of_file = matches!(self.source, Source::File(_));
        if of_file || !is_past(known.read, now, MAX_AGE) { known } else { Arc::default() }
    }

    fn known_keys(&self, id: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Vec<Arc<DecodingKey>> {
        let known = self.usable(now);
        let fits = known
            .keys
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm) && (id.is_none() || key.id.as_deref() == id));
        fits.take(MAX_TRIED).map(|key| key.verifies.clone()).collect()
    }

    /// Reads them. When that fails, the previous ones stay.
    async fn read(&self, tried: &mut Tried, now: Timestamp) {
        tried.at = Some(now);
        let read = match &self.source {
            Source::File(path) => read_file(path),
            Source::Remote(remote) => fetch(remote).await,
        };
        match read.and_then(|text| parse(&text)) {
            Ok(keys) => {
                tracing::debug!(count = keys.len(), "read the keys for tokens");
                self.known.store(Arc::new(Known { keys, read: Some(now) }));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read the keys for tokens; the previous ones stay for a day");
            }
        }
    }
}

/// Whether so much time passed, by a clock that may go back.
fn is_past(at: Option<Timestamp>, now: Timestamp, pause: SignedDuration) -> bool {
    at.is_none_or(|at| now.duration_since(at).abs() >= pause)
}

fn read_file(path: &Path) -> Result<Vec<u8>, JwksError> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut text)?;
    if text.len() > MAX_BYTES { Err(JwksError::Unreadable) } else { Ok(text) }
}

async fn fetch(remote: &Remote) -> Result<Vec<u8>, JwksError> {
    let request = Request::get(remote.path().unwrap_or("/")).header(ACCEPT, "application/json");
    let request = request.body(Full::new(Bytes::new())).map_err(|_| JwksError::Unreadable)?;
    match remote.ask(request, MAX_BYTES).await? {
        (200, text) => Ok(text.to_vec()),
        // Where an answer points to is not where the operator said that the keys are.
        (status, _) => Err(JwksError::Status(status)),
    }
}

/// The keys that can be used. Others in the list are of no concern.
fn parse(text: &[u8]) -> Result<Vec<Key>, JwksError> {
    let list: Value = serde_json::from_slice(text).map_err(|_| JwksError::Unreadable)?;
    let list = list["keys"].as_array().ok_or(JwksError::Unreadable)?;
    let keys: Vec<Key> = list.iter().take(MAX_KEYS).filter_map(key).collect();
    if keys.is_empty() { Err(JwksError::NoneFits) } else { Ok(keys) }
}

/// A public key for signatures; a secret (`oct`) is never one.
fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value[name].as_str();
    let of_kind = match (text("kty")?, text("crv")) {
        ("RSA", _) => vec![Algorithm::RS256, Algorithm::PS256],
        ("EC", Some("P-256")) => vec![Algorithm::ES256],
        ("OKP", Some("Ed25519")) => vec![Algorithm::EdDSA],
        _ => return None,
    };
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let algorithms = match text("alg") {
        None => of_kind,
        Some(named) => of_kind.into_iter().filter(|one| named.parse() == Ok(*one)).collect(),
    };
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let id = text("kid").map(str::to_owned);
    (!algorithms.is_empty()).then(|| Key { id, algorithms, verifies: Arc::new(key) })
}

#[cfg(test)]
pub(crate) mod tests;
