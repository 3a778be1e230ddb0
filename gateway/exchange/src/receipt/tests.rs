#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::*;
use crate::tlog::testing::{Grown, REFERENCE_NOTE, leaf, partner_signer, reference_leaves, signer};

const LARGEST: u64 = 700;
static TREE: LazyLock<Grown> = LazyLock::new(|| Grown::of((0..LARGEST).map(leaf)));

fn key() -> LogVerifier {
    signer().verifier()
}

fn known(index: u64, size: u64) -> ReceiptLeaf {
    let proof = TREE.proof(&plan_inclusion(index, size).unwrap());
    ReceiptLeaf::Known { index, leaf: leaf(index), proof }
}

/// An honest receipt: `before` entries, `new` ones, and answers to duplicates of the entries `again`, each put at
/// its own place in the batch.
fn receipt(before: u64, new: u64, again: &[(Index, Index)]) -> Receipt {
    let size = before + new;
    let mut leaves: Vec<ReceiptLeaf> = (before..size).map(|index| ReceiptLeaf::New(leaf(index))).collect();
    for (index, place) in again {
        if size > 0 {
            let index = index.index(usize::try_from(size).unwrap()) as u64;
            leaves.insert(place.index(leaves.len() + 1), known(index, size));
        }
    }
    let checkpoint = signer().sign(&TREE.checkpoint(size));
    Receipt { checkpoint, size_before: before, range_before: TREE.range(before).roots().to_vec(), leaves }
}

#[test]
fn the_wire_form_is_that_of_the_protocol() {
    let leaves = reference_leaves();
    let grown = Grown::of(leaves.clone());
    let receipt = Receipt {
        checkpoint: REFERENCE_NOTE.to_owned(),
        size_before: 6,
        range_before: grown.range(6).roots().to_vec(),
        leaves: vec![
            ReceiptLeaf::New(leaves[6].clone()),
            ReceiptLeaf::Known {
                index: 5,
                leaf: leaves[5].clone(),
                proof: grown.proof(&plan_inclusion(5, 8).unwrap()),
            },
            ReceiptLeaf::New(leaves[7].clone()),
        ],
    };
    let wire = json!({
        "checkpoint": REFERENCE_NOTE,
        "grootte_voor": 6,
        "voor": [
            "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
            "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
        ],
        "bladeren": [
            "UFFSU1RVVlc=",
            {
                "index": 5,
                "blad": "QEFCQw==",
                "bewijs": [
                    "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
                    "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
                    "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
                ],
            },
            "YGFiY2RlZmdoaWprbG1ubw==",
        ],
    });
    assert_eq!(serde_json::to_value(&receipt).unwrap(), wire);
    assert_eq!(serde_json::from_value::<Receipt>(wire).unwrap(), receipt);

    let verified = receipt.verify(&key()).unwrap();
    assert_eq!(verified.checkpoint().size, 8);
    assert_eq!(verified.note(), REFERENCE_NOTE);
    let entries: Vec<_> = verified.entries().collect();
    assert_eq!(entries, [(6, &leaves[6]), (5, &leaves[5]), (7, &leaves[7])]);
}

#[test]
fn a_receipt_of_duplicates_only_needs_no_new_entries() {
    let receipt = Receipt { leaves: vec![known(3, 20), known(3, 20), known(19, 20)], ..receipt(20, 0, &[]) };
    let verified = receipt.verify(&key()).unwrap();
    let indexes: Vec<_> = verified.entries().map(|(index, _)| index).collect();
    assert_eq!(indexes, [3, 3, 19]);
}

#[test]
fn an_empty_receipt_of_an_empty_log_holds_and_has_nothing_to_prove() {
    let verified = receipt(0, 0, &[]).verify(&key()).unwrap();
    assert_eq!(verified.entries().len(), 0);
    assert_eq!(verified.proof_file(0), None);
}

#[test]
fn every_fault_has_its_error() {
    let good = receipt(37, 5, &[]);
    assert!(good.verify(&key()).is_ok());

    let stranger = partner_signer().verifier();
    assert_eq!(good.verify(&stranger).unwrap_err(), ReceiptError::Checkpoint(NoteError::NotSigned));

    let mut one_short = good.clone();
    one_short.leaves.pop();
    let mismatch = ReceiptError::SizeMismatch { before: 37, new: 4, signed: 42 };
    assert_eq!(one_short.verify(&key()).unwrap_err(), mismatch);

    let shifted = Receipt { size_before: 38, ..one_short };
    // 38 leaves have as many perfect subtrees as 37.
    assert_eq!(shifted.verify(&key()).unwrap_err(), ReceiptError::WrongRoot);

    let overflowing = Receipt { size_before: u64::MAX, ..good.clone() };
    let too_large = ReceiptError::Range(RangeError::TooLarge(u64::MAX));
    assert_eq!(overflowing.verify(&key()).unwrap_err(), too_large);

    let mut fewer_roots = good.clone();
    fewer_roots.range_before.pop();
    let count = RangeError::RootCount { size: 37, expected: 3, found: 2 };
    assert_eq!(fewer_roots.verify(&key()).unwrap_err(), ReceiptError::Range(count));

    let mut swapped = good.clone();
    swapped.leaves.swap(0, 1);
    assert_eq!(swapped.verify(&key()).unwrap_err(), ReceiptError::WrongRoot);

    let mut older_proof = good.clone();
    older_proof.leaves.push(known(3, 37));
    let wrong = older_proof.verify(&key()).unwrap_err();
    assert!(matches!(wrong, ReceiptError::Known { position: 5, .. }), "{wrong}");

    let mut posed_as_new = good;
    posed_as_new.leaves[2] = known(39, 42);
    assert!(matches!(posed_as_new.verify(&key()), Err(ReceiptError::SizeMismatch { .. })));
}

#[test]
fn a_receipt_has_its_limits() {
    let entries = u64::try_from(MAX_LEAVES).unwrap();
    let most = receipt(3, entries, &[]);
    assert_eq!(most.verify(&key()).unwrap().entries().len(), MAX_LEAVES);
    assert_eq!(read(&json!(most)).unwrap(), most);

    let more = receipt(3, entries + 1, &[]);
    assert_eq!(more.verify(&key()).unwrap_err(), ReceiptError::TooManyLeaves);
    assert!(read(&json!(more)).is_err());

    let with =
        |leaf: Vec<u8>| Receipt { leaves: vec![ReceiptLeaf::New(Leaf::new(leaf))], ..receipt(0, 1, &[]) };
    let long = with(vec![0; MAX_LEAF_BYTES]);
    assert_eq!(read(&json!(long)).unwrap(), long);
    for extra in [1, 2, 3, 4, 1000] {
        let longer = with(vec![0; MAX_LEAF_BYTES + extra]);
        assert_eq!(longer.verify(&key()).unwrap_err(), ReceiptError::LeafTooLarge { position: 0 });
        assert!(read(&json!(longer)).is_err());
    }

    let mut roots = json!(receipt(3, 1, &[]));
    roots["voor"] = json!(vec![TREE.root(1); MAX_ROOTS]);
    assert!(read(&roots).is_ok());
    roots["voor"] = json!(vec![TREE.root(1); MAX_ROOTS + 1]);
    assert!(read(&roots).is_err());

    let mut note = json!(receipt(3, 1, &[]));
    note["checkpoint"] = json!("x".repeat(crate::tlog::MAX_NOTE_BYTES + 1));
    assert!(read(&note).is_err());
}

fn read(wire: &Value) -> Result<Receipt, serde_json::Error> {
    serde_json::from_str(&wire.to_string())
}

#[test]
fn an_odd_wire_form_is_refused() {
    let good = json!(Receipt { leaves: vec![known(1, 4)], ..receipt(4, 0, &[]) });
    assert!(read(&good).is_ok());
    let changed = |at: &str, to: Value| {
        let mut wire = good.clone();
        *wire.pointer_mut(at).unwrap() = to;
        wire
    };
    for bad in [
        json!([]),
        json!({}),
        json!({ "checkpoint": "" }),
        changed("/grootte_voor", json!(-1)),
        changed("/grootte_voor", json!(1.5)),
        changed("/grootte_voor", json!("4")),
        changed("/voor/0", json!("geen hash")),
        changed("/voor", json!(null)),
        changed("/bladeren/0", json!("geen base64!")),
        changed("/bladeren/0", json!("QEFCQw")),
        changed("/bladeren/0", json!(null)),
        changed("/bladeren/0", json!(["QEFCQw=="])),
        changed("/bladeren/0", json!({ "index": 1, "blad": "QEFCQw==" })),
        changed("/bladeren/0", json!({ "index": 1, "blad": "QEFCQw==", "bewijs": [], "meer": 1 })),
        changed("/bladeren/0/index", json!(-1)),
        changed("/bladeren/0/blad", json!({})),
        changed("/bladeren/0/bewijs", json!(vec![TREE.root(1); MAX_ROOTS + 1])),
        json!({ "checkpoint": "", "grootte_voor": 0, "voor": [], "bladeren": [], "meer": 1 }),
    ] {
        assert!(read(&bad).is_err(), "{bad}");
    }
    let twice = good.to_string().replacen('{', r#"{"grootte_voor":4,"#, 1);
    assert!(serde_json::from_str::<Receipt>(&twice).is_err(), "a field is given once");
}

#[test]
fn an_error_does_not_repeat_what_was_sent() {
    let mut wire = json!(receipt(3, 1, &[]));
    wire["bladeren"][0] = json!("Jansen, Kerkstraat 1");
    assert!(!read(&wire).unwrap_err().to_string().contains("Jansen"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Also shows that the range before the batch always suffices to prove a new entry by itself.
    #[test]
    fn an_honest_receipt_holds_and_proves_each_entry(
        before in 0..400_u64,
        new in 0..=250_u64,
        again in prop::collection::vec(any::<(Index, Index)>(), 0..5),
    ) {
        let receipt = receipt(before, new, &again);
        let verified = receipt.verify(&key())?;
        prop_assert_eq!(verified.checkpoint(), &TREE.checkpoint(before + new));
        let mut next_new = before;
        for (position, ((index, entry), sent)) in verified.entries().zip(&receipt.leaves).enumerate() {
            prop_assert_eq!(entry, sent.leaf());
            prop_assert_eq!(entry, &leaf(index));
            if let ReceiptLeaf::New(_) = sent {
                prop_assert_eq!(index, next_new);
                next_new += 1;
            }
            let file = verified.proof_file(position).unwrap();
            prop_assert_eq!(file.index, index);
            prop_assert_eq!(file.extra.as_deref(), Some(entry.bytes()));
            prop_assert_eq!(&file.proof, &TREE.proof(&plan_inclusion(index, before + new)?));
        }
        prop_assert_eq!(verified.proof_file(receipt.leaves.len()), None);
    }

    #[test]
    fn a_receipt_survives_the_wire(
        before in 0..400_u64,
        new in 0..=50_u64,
        again in prop::collection::vec(any::<(Index, Index)>(), 0..5),
    ) {
        let receipt = receipt(before, new, &again);
        let wire = serde_json::to_string(&receipt).unwrap();
        prop_assert_eq!(serde_json::from_str::<Receipt>(&wire).unwrap(), receipt);
    }

    #[test]
    fn a_forged_receipt_proves_nothing(
        before in 1..300_u64, new in 1..60_u64, duplicate: (Index, Index), at: Index, byte: Index, bit in 0..8_u8,
    ) {
        let good = receipt(before, new, &[duplicate]);
        let flip = |bytes: &mut [u8]| bytes[byte.index(bytes.len())] ^= 1 << bit;
        let flip_hash = |hash: &mut Hash| {
            let mut bytes = *hash.as_bytes();
            flip(&mut bytes);
            *hash = Hash::from_bytes(bytes);
        };

        let mut forged_range = good.clone();
        let root = at.index(forged_range.range_before.len());
        flip_hash(&mut forged_range.range_before[root]);
        prop_assert!(forged_range.verify(&key()).is_err());

        let mut forged_leaf = good.clone();
        let place = at.index(good.leaves.len());
        match &mut forged_leaf.leaves[place] {
            ReceiptLeaf::New(leaf) => {
                let mut bytes = leaf.bytes().to_vec();
                flip(&mut bytes);
                *leaf = Leaf::new(bytes);
            }
            ReceiptLeaf::Known { proof, .. } => flip_hash(&mut proof[0]),
        }
        prop_assert!(forged_leaf.verify(&key()).is_err());

        let mut forged_place = good.clone();
        for leaf in &mut forged_place.leaves {
            if let ReceiptLeaf::Known { index, .. } = leaf {
                *index ^= 1 << (bit & 3);
            }
        }
        prop_assert!(forged_place.verify(&key()).is_err());

        let newer = Receipt { checkpoint: signer().sign(&TREE.checkpoint(before + new + 1)), ..good };
        prop_assert!(newer.verify(&key()).is_err());
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(?s).{0,200}", number: i64) {
        let _ = serde_json::from_str::<Receipt>(&text);
        let wire = json!({ "checkpoint": text, "grootte_voor": number, "voor": [], "bladeren": [text] });
        if let Ok(receipt) = read(&wire) {
            prop_assert!(receipt.verify(&key()).is_err());
        }
    }
}
