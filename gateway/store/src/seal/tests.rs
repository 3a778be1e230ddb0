#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use exchange::random::SeededRandom;

use super::*;
use crate::key::{KEY_BYTES, StorageKey};

fn keys() -> Keys {
    Keys::derive(&StorageKey::from_bytes([3; 32])).unwrap()
}

fn entropy() -> Entropy {
    Entropy::new(Arc::new(SeededRandom::new(1)))
}

fn key(byte: u8) -> LessSafeKey {
    aead_key(&Secret([byte; KEY_BYTES])).unwrap()
}

fn case(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

impl CaseKey {
    /// A key of a case and its wrapped form, as earlier versions made them.
    pub(crate) fn of_earlier(keys: &Keys, case: Uuid, secret: [u8; KEY_BYTES]) -> (Self, Vec<u8>) {
        let wrapped = seal(&keys.wrap, case.as_bytes(), &secret, [1; NONCE_BYTES]).unwrap();
        (Self(aead_key(&Secret(secret)).unwrap()), wrapped)
    }

    /// A payload as earlier versions sealed it.
    pub(crate) fn seal(&self, digest: &Digest, jws: &str) -> Vec<u8> {
        seal(&self.0, digest.as_bytes(), jws.as_bytes(), [2; NONCE_BYTES]).unwrap()
    }
}

#[test]
fn opens_what_was_sealed() {
    let sealed = seal(&key(1), b"a", b"secret", [0; NONCE_BYTES]).unwrap();
    assert_eq!(open(&key(1), b"a", &sealed).unwrap(), b"secret");
    assert_eq!(sealed.len(), NONCE_LEN + 6 + TAG_BYTES);
    assert!(matches!(open(&key(1), b"b", &sealed), Err(StoreError::Corrupt(_))), "bound to something else");
    assert!(matches!(open(&key(2), b"a", &sealed), Err(StoreError::Corrupt(_))), "another key");
}

#[test]
fn opens_what_earlier_versions_sealed() {
    let keys = keys();
    let (one, wrapped) = CaseKey::of_earlier(&keys, case(1), [9; KEY_BYTES]);
    let (two, _) = CaseKey::of_earlier(&keys, case(2), [8; KEY_BYTES]);
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let sealed = one.seal(&a, "secret");
    let again = CaseKey::unwrap(&keys, case(1), &wrapped).unwrap();
    assert_eq!(again.open(&a, &sealed).unwrap(), b"secret");
    assert!(matches!(again.open(&b, &sealed), Err(StoreError::Corrupt(_))));
    assert!(matches!(two.open(&a, &sealed), Err(StoreError::Corrupt(_))));
    assert!(matches!(CaseKey::unwrap(&keys, case(2), &wrapped), Err(StoreError::Corrupt(_))));
    let other = Keys::derive(&StorageKey::from_bytes([4; 32])).unwrap();
    assert!(matches!(CaseKey::unwrap(&other, case(1), &wrapped), Err(StoreError::Corrupt(_))));
}

#[test]
fn does_not_open_when_a_bit_changed() {
    let sealed = seal(&key(1), b"a", b"secret", [0; NONCE_BYTES]).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&key(1), b"a", &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(open(&key(1), b"a", &sealed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn gives_out_each_random_byte_once() {
    let mut entropy = entropy();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..4 * ENTROPY_BYTES / NONCE_BYTES {
        assert!(seen.insert(entropy.nonce()));
    }
}

#[test]
fn knows_rows_of_sources_only_with_the_key() {
    let other = Keys::derive(&StorageKey::from_bytes([4; 32])).unwrap();
    assert_eq!(keys().intake(b"row"), keys().intake(b"row"));
    assert_ne!(keys().intake(b"row"), keys().intake(b"other row"));
    assert_ne!(keys().intake(b"row"), other.intake(b"row"));
    assert_eq!(format!("{:?}", StorageKey::from_bytes([3; 32])), "StorageKey");
}
