//! Sealing: AES-256-GCM, under a key for each entry of the log ([`EntryKeys`]).
//!
//! What belongs to an entry is sealed with [`EntryKeys::seal_for`] under the key of its index, bound to bytes that say
//! what it is: a payload to the digest of its message. Another table does the same with other bytes. Once the key of the entry
//! is destroyed nobody opens any of it, in whatever copy of the database.
//!
//! Earlier versions sealed payloads under a key per case ([`CaseKey`]), which stands in the database itself; those are
//! still read.

use std::sync::Arc;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use exchange::{digest::Digest, random::Random};
use uuid::Uuid;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    entry_keys::{EntryKey, EntryKeys, Opening},
    error::StoreError,
    key::{Keys, Secret, aead_key},
};

/// The length of a nonce of AES-GCM.
pub(crate) const NONCE_BYTES: usize = NONCE_LEN;

/// The length of the authentication tag of AES-GCM.
const TAG_BYTES: usize = 16;

/// Sealed under the key of its case, by an earlier version.
pub(crate) const OF_CASE: i64 = 0;

/// Sealed under the key of its entry.
pub(crate) const OF_ENTRY: i64 = 1;

/// What stands before what was sealed under the key of an entry: the number of the tree.
const TREE_BYTES: usize = 2;

/// How many random bytes are fetched at once: enough for several groups of a hundred messages. Asking the system for
/// each nonce by itself would cost as much as the encryption.
const ENTROPY_BYTES: usize = 8 * 1024;

/// Random bytes for nonces, each given out once.
pub(crate) struct Entropy {
    source: Arc<dyn Random>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Entropy {
    pub(crate) fn new(source: Arc<dyn Random>) -> Self {
        Self { source, bytes: Zeroizing::new(Vec::new()) }
    }

    fn nonce(&mut self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        self.take(&mut nonce);
        nonce
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

impl EntryKeys {
    /// Seals `plain`, which belongs to the entry with this index and is what `bound_to` says: sealed things cannot
    /// change places.
    pub(crate) fn seal_for(
        &self,
        index: u64,
        bound_to: &[u8],
        plain: &[u8],
        random: &mut Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        let EntryKey { tree, key } = self.for_sealing(index)?;
        Ok([&tree.to_be_bytes(), seal(&key, bound_to, plain, random.nonce())?.as_slice()].concat())
    }

    /// Opens what was sealed so. The answer is [`StoreError::Erased`] when the key of the entry was destroyed.
    pub(crate) fn open_for(&self, index: u64, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (tree, sealed) = sealed.split_first_chunk::<TREE_BYTES>().ok_or_else(damaged)?;
        let key = self.for_opening(u16::from_be_bytes(*tree), index)?.ok_or(StoreError::Erased)?;
        open(&key, bound_to, sealed)
    }

    /// The same for who opens one entry after the other while others open others.
    fn open_along(
        &self,
        index: u64,
        (bound_to, sealed): (&[u8], &[u8]),
        opening: &mut Opening,
    ) -> Result<Vec<u8>, StoreError> {
        let (tree, sealed) = sealed.split_first_chunk::<TREE_BYTES>().ok_or_else(damaged)?;
        let key = self.for_opening_along((u16::from_be_bytes(*tree), index), opening)?;
        open(&key.ok_or(StoreError::Erased)?, bound_to, sealed)
    }
}

/// All keys of a store.
pub(crate) struct Vault {
    pub(crate) keys: Keys,
    pub(crate) entries: EntryKeys,
}

/// A payload as it is stored, with what it is bound to.
pub(crate) struct SealedPayload<'r> {
    pub(crate) index: u64,
    pub(crate) case: Uuid,
    pub(crate) digest: Digest,
    pub(crate) sealed: &'r [u8],
    /// How it is sealed.
    pub(crate) form: i64,
    /// The key of its case, if there is one.
    pub(crate) wrapped: Option<&'r [u8]>,
    /// Whether its case was erased by an earlier version.
    pub(crate) case_erased: bool,
}

impl Vault {
    /// Seals the payload of the message with this index and digest.
    pub(crate) fn seal_payload(
        &self,
        index: u64,
        digest: &Digest,
        jws: &str,
        random: &mut Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        self.entries.seal_for(index, digest.as_bytes(), jws.as_bytes(), random)
    }

    /// Opens the payload of a message.
    pub(crate) fn open_payload(&self, payload: &SealedPayload<'_>) -> Result<String, StoreError> {
        let plain = match payload.form {
            OF_ENTRY => self.entries.open_for(payload.index, payload.digest.as_bytes(), payload.sealed)?,
            _ => self.open_of_case(payload)?,
        };
        String::from_utf8(plain).map_err(|_| StoreError::Corrupt("a payload is not text".into()))
    }

    /// The same for who opens one after the other while others open others.
    pub(crate) fn open_payload_along(
        &self,
        payload: &SealedPayload<'_>,
        opening: &mut Opening,
    ) -> Result<String, StoreError> {
        if payload.form != OF_ENTRY {
            return self.open_payload(payload);
        }
        let sealed = (payload.digest.as_bytes().as_slice(), payload.sealed);
        let plain = self.entries.open_along(payload.index, sealed, opening)?;
        String::from_utf8(plain).map_err(|_| StoreError::Corrupt("a payload is not text".into()))
    }

    fn open_of_case(&self, payload: &SealedPayload<'_>) -> Result<Vec<u8>, StoreError> {
        let wrapped = payload.wrapped.ok_or(StoreError::Erased)?;
        let key = CaseKey::unwrap(&self.keys, payload.case, wrapped)?;
        let opened = key.open(&payload.digest, payload.sealed);
        // A case that lived on after it was erased had a new key, which does not open what came before.
        if payload.case_erased { opened.map_err(|_| StoreError::Erased) } else { opened }
    }
}

/// The data key of one case, under which earlier versions sealed.
pub(crate) struct CaseKey(LessSafeKey);

impl CaseKey {
    /// The data key of `case` from its wrapped form.
    pub(crate) fn unwrap(keys: &Keys, case: Uuid, wrapped: &[u8]) -> Result<Self, StoreError> {
        let mut plain = open(&keys.wrap, case.as_bytes(), wrapped)?;
        let secret = plain.as_slice().try_into().map(Secret);
        plain.zeroize();
        let secret = secret.map_err(|_| StoreError::Corrupt("a case key has the wrong length".into()))?;
        Ok(Self(aead_key(&secret)?))
    }

    /// Opens the payload of the message with this digest.
    pub(crate) fn open(&self, digest: &Digest, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        open(&self.0, digest.as_bytes(), sealed)
    }
}

/// Nonce, ciphertext and tag. Nonces are random: a key of an entry seals a few things at most, once more when a
/// transaction failed or an older copy of the database was put back; the key of the key file seals far fewer than the
/// 2^32 versions up to which random nonces are safe (NIST SP 800-38D §8.3).
pub(crate) fn seal(
    key: &LessSafeKey,
    bound_to: &[u8],
    plain: &[u8],
    nonce: [u8; NONCE_BYTES],
) -> Result<Vec<u8>, StoreError> {
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

fn damaged() -> StoreError {
    StoreError::Corrupt("something sealed does not open with its key".into())
}

pub(crate) fn open(key: &LessSafeKey, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
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
