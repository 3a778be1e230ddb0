#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use exchange::random::SeededRandom;

use super::*;
use crate::key::StorageKey;

fn keys() -> Keys {
    Keys::derive(&StorageKey::from_bytes([3; 32])).unwrap()
}

fn entropy() -> Entropy {
    Entropy::new(Arc::new(SeededRandom::new(1)))
}

fn case(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[test]
fn opens_what_was_sealed() {
    let (keys, mut entropy) = (keys(), entropy());
    let (key, wrapped) = CaseKey::generate(&keys, case(1), &mut entropy).unwrap();
    let digest = Digest::of(b"a");
    let sealed = key.seal(&digest, "secret", &mut entropy).unwrap();
    let again = CaseKey::unwrap(&keys, case(1), &wrapped).unwrap();
    assert_eq!(again.open(&digest, &sealed).unwrap(), "secret");
    assert_eq!(sealed.len(), NONCE_LEN + 6 + TAG_BYTES);
}

#[test]
fn does_not_open_in_another_place() {
    let (keys, mut entropy) = (keys(), entropy());
    let (one, wrapped) = CaseKey::generate(&keys, case(1), &mut entropy).unwrap();
    let (two, _) = CaseKey::generate(&keys, case(2), &mut entropy).unwrap();
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let sealed = one.seal(&a, "secret", &mut entropy).unwrap();
    assert!(matches!(one.open(&b, &sealed), Err(StoreError::Corrupt(_))));
    assert!(matches!(two.open(&a, &sealed), Err(StoreError::Corrupt(_))));
    assert!(matches!(CaseKey::unwrap(&keys, case(2), &wrapped), Err(StoreError::Corrupt(_))));
    let other = Keys::derive(&StorageKey::from_bytes([4; 32])).unwrap();
    assert!(matches!(CaseKey::unwrap(&other, case(1), &wrapped), Err(StoreError::Corrupt(_))));
}

#[test]
fn does_not_open_when_a_bit_changed() {
    let (keys, mut entropy) = (keys(), entropy());
    let (key, _) = CaseKey::generate(&keys, case(1), &mut entropy).unwrap();
    let digest = Digest::of(b"a");
    let sealed = key.seal(&digest, "secret", &mut entropy).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(&digest, &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(key.open(&digest, &sealed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn gives_out_each_random_byte_once() {
    let mut entropy = entropy();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..4 * ENTROPY_BYTES / 32 {
        let mut key = [0; 32];
        entropy.take(&mut key);
        assert!(seen.insert(key));
        let mut nonce = [0; NONCE_LEN];
        entropy.take(&mut nonce);
        assert_ne!(nonce, [0; NONCE_LEN]);
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
