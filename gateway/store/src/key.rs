//! Keys: the storage key and what is derived from it.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, AES_256_GCM_SIV, LessSafeKey, UnboundKey},
    hkdf, hmac,
};
use exchange::oin::Oin;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::StoreError;

/// The length of the storage key and of every data key, in bytes.
pub const KEY_BYTES: usize = 32;

/// The node's storage key. Whoever has it, the key file and the database can read the messages.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StorageKey([u8; KEY_BYTES]);

impl StorageKey {
    /// A key that was read or made elsewhere.
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey")
    }
}

/// Names one row of a source, without saying what is in it: made by [`Store::intake_key`](crate::Store::intake_key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntakeKey(pub(crate) [u8; INTAKE_BYTES]);

/// Half of an HMAC-SHA256: no two rows will ever share it by chance, and the index stays small.
const INTAKE_BYTES: usize = 16;

/// What the storage key is used for, each under a key of its own.
pub(crate) struct Keys {
    /// Wraps the data keys of cases, under which earlier versions sealed.
    pub(crate) wrap: LessSafeKey,
    /// Hides whom a record of a processing is about.
    pub(crate) data_subject: LessSafeKey,
    file: Secret,
    intake: hmac::Key,
    check: hmac::Key,
}

impl Keys {
    pub(crate) fn derive(storage: &StorageKey) -> Result<Self, StoreError> {
        Ok(Self {
            wrap: aead_key(&derived(storage, b"schakel store 1 wrap")?)?,
            data_subject: data_subject_key(&derived(storage, b"schakel store 1 data subject")?)?,
            file: derived(storage, b"schakel store 1 entry keys")?,
            intake: hmac_key(&derived(storage, b"schakel store 1 intake")?),
            check: hmac_key(&derived(storage, b"schakel store 1 check")?),
        })
    }

    /// The key that seals the key file.
    pub(crate) fn file(&self) -> Result<LessSafeKey, StoreError> {
        aead_key(&self.file)
    }

    /// The key of one row of a source. Keyed, because the few fields of a row could be guessed from a plain hash.
    pub(crate) fn intake(&self, row: &[u8]) -> IntakeKey {
        let mut key = [0; INTAKE_BYTES];
        key.copy_from_slice(&hmac::sign(&self.intake, row).as_ref()[..INTAKE_BYTES]);
        IntakeKey(key)
    }

    /// What a database of `oin` made with this storage key carries, to recognise the key by.
    pub(crate) fn mark(&self, oin: Oin) -> Vec<u8> {
        hmac::sign(&self.check, oin.as_str().as_bytes()).as_ref().to_vec()
    }

    /// Whether a database of `oin` with this mark was made with this storage key.
    pub(crate) fn made(&self, oin: Oin, mark: &[u8]) -> bool {
        hmac::verify(&self.check, oin.as_str().as_bytes(), mark).is_ok()
    }
}

/// 32 bytes that are wiped when they go.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret(pub(crate) [u8; KEY_BYTES]);

impl Secret {
    /// Another copy, to be wiped by itself.
    pub(crate) const fn copy(&self) -> Self {
        Self(self.0)
    }
}

pub(crate) fn aead_key(secret: &Secret) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM, &secret.0).map(LessSafeKey::new).map_err(|_| StoreError::WrongKey)
}

/// A key that may seal the same twice: then it gives the same twice, and tells nothing else (RFC 8452).
fn data_subject_key(secret: &Secret) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM_SIV, &secret.0).map(LessSafeKey::new).map_err(|_| StoreError::WrongKey)
}

fn hmac_key(secret: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &secret.0)
}

/// The key for finding persons in the database with this salt.
pub(crate) fn subject_key(storage: &StorageKey, salt: &[u8]) -> Result<hmac::Key, StoreError> {
    Ok(hmac_key(&salted(storage, salt, b"schakel store 1 subject")?))
}

fn derived(storage: &StorageKey, usage: &[u8]) -> Result<Secret, StoreError> {
    salted(storage, &[], usage)
}

/// One key per use (HKDF, RFC 5869), so that no use can weaken another.
fn salted(storage: &StorageKey, salt: &[u8], usage: &[u8]) -> Result<Secret, StoreError> {
    let mut secret = Secret([0; KEY_BYTES]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(&storage.0)
        .expand(&[usage], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut secret.0))
        .map_err(|_| StoreError::WrongKey)?;
    Ok(secret)
}
