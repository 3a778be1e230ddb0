//! Sealing payloads: AES-256-GCM under a data key per case, itself wrapped under the node's storage key.
//!
//! Deleting the wrapped key of a case makes everything sent and received in it unreadable, in backups made later
//! and in the pages the database has not yet overwritten.

use std::sync::Arc;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use exchange::{digest::Digest, random::Random};
use uuid::Uuid;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    error::StoreError,
    key::{KEY_BYTES, Keys, Secret, aead_key},
};

/// The length of the authentication tag of AES-GCM.
const TAG_BYTES: usize = 16;

/// How many random bytes are fetched at once: enough for a group of a hundred messages. Asking the system for each
/// key and nonce by itself would cost as much as the encryption.
const ENTROPY_BYTES: usize = 8 * 1024;

/// Random bytes for keys and nonces, each given out once.
pub(crate) struct Entropy {
    source: Arc<dyn Random>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Entropy {
    pub(crate) fn new(source: Arc<dyn Random>) -> Self {
        Self { source, bytes: Zeroizing::new(Vec::new()) }
    }

    pub(crate) fn take(&mut self, into: &mut [u8]) {
        if self.bytes.len() < into.len() {
            self.bytes.resize(ENTROPY_BYTES, 0);
            self.source.fill(&mut self.bytes);
        }
        let rest = self.bytes.len() - into.len();
        into.copy_from_slice(&self.bytes[rest..]);
        self.bytes[rest..].zeroize();
        self.bytes.truncate(rest);
    }
}

/// The data key of one case, ready for use.
pub(crate) struct CaseKey(LessSafeKey);

impl CaseKey {
    /// A new data key for `case`, and its wrapped form for the database.
    pub(crate) fn generate(
        keys: &Keys,
        case: Uuid,
        random: &mut Entropy,
    ) -> Result<(Self, Vec<u8>), StoreError> {
        let mut secret = Secret([0; KEY_BYTES]);
        random.take(&mut secret.0);
        // Bound to the case: a wrapped key moved to another row does not open.
        let wrapped = seal(&keys.wrap, case.as_bytes(), &secret.0, random)?;
        Ok((Self(aead_key(&secret)?), wrapped))
    }

    /// The data key of `case` from its wrapped form.
    pub(crate) fn unwrap(keys: &Keys, case: Uuid, wrapped: &[u8]) -> Result<Self, StoreError> {
        let mut plain = open(&keys.wrap, case.as_bytes(), wrapped)?;
        let secret = plain.as_slice().try_into().map(Secret);
        plain.zeroize();
        let secret = secret.map_err(|_| StoreError::Corrupt("a case key has the wrong length".into()))?;
        Ok(Self(aead_key(&secret)?))
    }

    /// Seals the message with this digest. Bound to the digest: sealed payloads cannot change places.
    pub(crate) fn seal(
        &self,
        digest: &Digest,
        jws: &str,
        random: &mut Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        seal(&self.0, digest.as_bytes(), jws.as_bytes(), random)
    }

    /// Opens the payload of the message with this digest.
    pub(crate) fn open(&self, digest: &Digest, sealed: &[u8]) -> Result<String, StoreError> {
        String::from_utf8(open(&self.0, digest.as_bytes(), sealed)?)
            .map_err(|_| StoreError::Corrupt("a payload is not text".into()))
    }
}

/// Nonce, ciphertext and tag. Nonces are random: one case sees few messages, one storage key far fewer than the
/// 2^32 cases up to which random nonces are safe (NIST SP 800-38D §8.3).
pub(crate) fn seal(
    key: &LessSafeKey,
    bound_to: &[u8],
    plain: &[u8],
    random: &mut Entropy,
) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    random.take(&mut nonce);
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + TAG_BYTES);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound_to),
            &mut sealed[NONCE_LEN..],
        )
        .map_err(|_| StoreError::TooLarge { what: "payload", found: plain.len(), limit: usize::MAX })?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

pub(crate) fn open(key: &LessSafeKey, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let damaged = || StoreError::Corrupt("something sealed does not open with its key".into());
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
    let mut plain = ciphertext.to_vec();
    let length = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to), &mut plain)
        .map_err(|_| damaged())?
        .len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests;
