#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::tlog::testing::{REFERENCE_ROOTS, hash, reference_leaves};

#[test]
fn leaf_node_and_empty_hashes_are_those_of_rfc_6962() {
    let leaves = reference_leaves();
    assert_eq!(empty_root(), hash(REFERENCE_ROOTS[0]));
    assert_eq!(leaves[0].hash(), hash(REFERENCE_ROOTS[1]));
    assert_eq!(node_hash(&leaves[0].hash(), &leaves[1].hash()), hash(REFERENCE_ROOTS[2]));
}

#[test]
fn a_leaf_cannot_pass_for_a_node() {
    let (left, right) = (Leaf::new(vec![1]).hash(), Leaf::new(vec![2]).hash());
    let both = [*left.as_bytes(), *right.as_bytes()].concat();
    assert_ne!(Leaf::new(both).hash(), node_hash(&left, &right));
}

#[test]
fn one_hash_has_one_spelling() {
    let good = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
    assert_eq!(good.parse(), Ok(hash(REFERENCE_ROOTS[8])));
    for bad in [
        "",
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg",
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz-Nw7_RgQyg=",
        // The same bytes with bits set that do not count.
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh=",
        " XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQy==",
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg9",
    ] {
        assert_eq!(bad.parse::<Hash>(), Err(NotAHash), "{bad}");
    }
}

#[test]
fn a_leaf_shows_its_size_only() {
    assert_eq!(format!("{:?}", Leaf::new(b"geheim".to_vec())), "Leaf(6 bytes)");
}

proptest! {
    #[test]
    fn a_hash_survives_text_and_json(bytes: [u8; 32]) {
        let hash = Hash::from_bytes(bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        let json = serde_json::to_string(&hash).unwrap();
        prop_assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    }

    #[test]
    fn no_text_makes_reading_a_hash_panic(text in ".{0,60}") {
        if let Ok(hash) = text.parse::<Hash>() {
            prop_assert_eq!(hash.to_string(), text);
        }
    }
}
