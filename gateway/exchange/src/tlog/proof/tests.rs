#![allow(clippy::expect_used, clippy::cast_possible_truncation, reason = "tests of small numbers")]

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::tlog::testing::{
    Grown, REFERENCE_ROOTS, hash, leaf, naive_consistency, naive_inclusion, reference_leaves,
};

const LARGEST: u64 = 600;
static TREE: LazyLock<Grown> = LazyLock::new(|| Grown::of((0..LARGEST).map(leaf)));

const H_A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const H_BC: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const H_EH: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const H_E: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const H_GH: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const H_EF: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

#[test]
fn inclusion_proofs_are_those_of_the_reference_tree() {
    let leaves = reference_leaves();
    let grown = Grown::of(leaves.clone());
    let cases: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (0, 8, &[H_A, H_BC, H_EH]),
        (5, 8, &[H_E, H_GH, REFERENCE_ROOTS[4]]),
        (2, 3, &[REFERENCE_ROOTS[2]]),
        (1, 5, &[REFERENCE_ROOTS[1], H_BC, H_E]),
    ];
    for (index, size, expected) in cases {
        let proof = grown.proof(&plan_inclusion(index, size).expect("it exists"));
        let expected: Vec<Hash> = expected.iter().map(|text| hash(text)).collect();
        assert_eq!(proof, expected, "leaf {index} of {size}");
        let leaf = leaves[usize::try_from(index).expect("small")].hash();
        assert_eq!(verify_inclusion(index, size, &leaf, &proof, &grown.root(size)), Ok(()));
    }
}

#[test]
fn consistency_proofs_are_those_of_the_reference_tree() {
    let grown = Grown::of(reference_leaves());
    let cases: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (1, 8, &[H_A, H_BC, H_EH]),
        (6, 8, &[H_EF, H_GH, REFERENCE_ROOTS[4]]),
        (2, 5, &[H_BC, H_E]),
    ];
    for (from, to, expected) in cases {
        let proof = grown.proof(&plan_consistency(from, to).expect("it grew"));
        let expected: Vec<Hash> = expected.iter().map(|text| hash(text)).collect();
        assert_eq!(proof, expected, "from {from} to {to}");
        assert_eq!(verify_consistency(from, to, &proof, &grown.root(from), &grown.root(to)), Ok(()));
    }
}

#[test]
fn all_proofs_of_small_trees_are_those_of_the_definition() {
    let leaves: Vec<Hash> = (0..=130).map(|index| leaf(index).hash()).collect();
    for size in 0..=130_usize {
        let (tree, to) = (&leaves[..size], size as u64);
        let root = TREE.root(to);
        for (index, leaf) in (0..).zip(tree) {
            let proof = TREE.proof(&plan_inclusion(index, to).expect("it exists"));
            assert_eq!(proof, naive_inclusion(index as usize, tree), "leaf {index} of {size}");
            assert_eq!(verify_inclusion(index, to, leaf, &proof, &root), Ok(()));
        }
        assert_eq!(TREE.proof(&plan_consistency(0, to).expect("it grew")), []);
        for from in 1..=to {
            let proof = TREE.proof(&plan_consistency(from, to).expect("it grew"));
            assert_eq!(proof, naive_consistency(from as usize, tree, true), "from {from} to {to}");
            assert_eq!(verify_consistency(from, to, &proof, &TREE.root(from), &root), Ok(()));
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    assert_eq!(plan_inclusion(0, 0), Err(ProofError::NoSuchLeaf { index: 0, size: 0 }));
    assert_eq!(plan_inclusion(8, 8), Err(ProofError::NoSuchLeaf { index: 8, size: 8 }));
    assert_eq!(plan_consistency(9, 8), Err(ProofError::Shrunk { from: 9, to: 8 }));
    let (one, two) = (TREE.root(1), TREE.root(2));
    assert_eq!(verify_inclusion(1, 1, &one, &[], &one), Err(ProofError::NoSuchLeaf { index: 1, size: 1 }));
    assert_eq!(verify_consistency(2, 1, &[], &two, &one), Err(ProofError::Shrunk { from: 2, to: 1 }));
    let over = MAX_SIZE + 1;
    assert_eq!(plan_inclusion(0, over), Err(ProofError::TooLarge(over)));
    assert_eq!(plan_consistency(1, over), Err(ProofError::TooLarge(over)));
    assert_eq!(verify_inclusion(0, over, &one, &[], &one), Err(ProofError::TooLarge(over)));
    assert_eq!(verify_consistency(over, over, &[], &one, &one), Err(ProofError::TooLarge(over)));
    let plan = plan_inclusion(3, 8).expect("it exists");
    assert_eq!(plan.fold(&[one]), Err(ProofError::NodeCount { expected: 3, found: 1 }));
}

#[test]
fn nothing_to_prove_still_needs_the_right_roots() {
    let (none, one, two) = (empty_root(), TREE.root(1), TREE.root(2));
    assert_eq!(verify_consistency(0, 0, &[], &none, &none), Ok(()));
    assert_eq!(verify_consistency(0, 2, &[], &none, &two), Ok(()));
    assert_eq!(verify_consistency(2, 2, &[], &two, &two), Ok(()));
    assert_eq!(verify_consistency(0, 0, &[], &one, &one), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency(0, 2, &[], &one, &two), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency(2, 2, &[], &two, &one), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency(0, 2, &[one], &none, &two), Err(ProofError::WrongLength));
    assert_eq!(verify_consistency(2, 2, &[one], &two, &two), Err(ProofError::WrongLength));
    assert_eq!(verify_consistency(1, 2, &[], &one, &two), Err(ProofError::WrongLength));
    assert_eq!(verify_consistency(3, 4, &[], &one, &two), Err(ProofError::WrongLength));
}

/// What can be wrong with a list of hashes.
fn damage(proof: &[Hash], at: Index, bit: u8) -> Vec<Vec<Hash>> {
    let mut damaged = vec![[proof, &[leaf(u64::MAX).hash()]].concat()];
    if proof.is_empty() {
        return damaged;
    }
    let at = at.index(proof.len());
    let mut flipped = proof.to_vec();
    let mut bytes = *flipped[at].as_bytes();
    bytes[usize::from(bit >> 3)] ^= 1 << (bit & 7);
    flipped[at] = Hash::from_bytes(bytes);
    let mut shorter = proof.to_vec();
    shorter.remove(at);
    let mut longer = proof.to_vec();
    longer.insert(at, proof[at]);
    damaged.extend([flipped, shorter, longer]);
    if proof.len() > 1 {
        let mut turned = proof.to_vec();
        turned.rotate_left(1);
        damaged.push(turned);
    }
    damaged
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_inclusion_proof_proves_nothing(
        size in 1..=LARGEST, other_size in 1..=LARGEST, index: Index, other: Index, at: Index, bit: u8,
    ) {
        let index = index.index(size as usize) as u64;
        let other = other.index(size as usize) as u64;
        let (subject, root) = (leaf(index).hash(), TREE.root(size));
        let proof = TREE.proof(&plan_inclusion(index, size)?);
        prop_assert_eq!(verify_inclusion(index, size, &subject, &proof, &root), Ok(()));
        for damaged in damage(&proof, at, bit) {
            prop_assert!(verify_inclusion(index, size, &subject, &damaged, &root).is_err());
        }
        if other != index {
            prop_assert!(verify_inclusion(other, size, &subject, &proof, &root).is_err());
            prop_assert!(verify_inclusion(index, size, &leaf(other).hash(), &proof, &root).is_err());
        }
        if other_size != size {
            let other_root = TREE.root(other_size);
            prop_assert!(verify_inclusion(index, size, &subject, &proof, &other_root).is_err());
            prop_assert!(verify_inclusion(index, other_size, &subject, &proof, &other_root).is_err());
        }
    }

    #[test]
    fn a_damaged_consistency_proof_proves_nothing(
        to in 1..=LARGEST, from: Index, other: Index, at: Index, bit: u8,
    ) {
        let from = 1 + from.index(to as usize) as u64;
        let other = 1 + other.index(to as usize) as u64;
        let (old, new) = (TREE.root(from), TREE.root(to));
        let proof = TREE.proof(&plan_consistency(from, to)?);
        prop_assert_eq!(verify_consistency(from, to, &proof, &old, &new), Ok(()));
        for damaged in damage(&proof, at, bit) {
            prop_assert!(verify_consistency(from, to, &damaged, &old, &new).is_err());
        }
        if other != from {
            let rewritten = TREE.root(other);
            prop_assert!(verify_consistency(from, to, &proof, &rewritten, &new).is_err());
            prop_assert!(verify_consistency(other, to, &proof, &rewritten, &new).is_err());
        }
        if other != to {
            prop_assert!(verify_consistency(from, to, &proof, &old, &TREE.root(other)).is_err());
        }
    }

    /// Trees of 2^63 leaves cannot be grown, but what the plan asks for can be measured.
    #[test]
    fn an_inclusion_plan_covers_all_but_the_leaf(size in 1..=MAX_SIZE, index: u64) {
        let index = index % size;
        let plan = plan_inclusion(index, size)?;
        let mut covered: Vec<(u128, u128)> = plan.nodes().iter().map(|node| span(*node)).collect();
        covered.push((index.into(), u128::from(index) + 1));
        prop_assert_eq!(join(covered), Some((0, size.into())));
        prop_assert!(plan.nodes().len() < 128 && plan.parts.len() <= MAX_PROOF_HASHES);
    }

    #[test]
    fn a_consistency_plan_covers_all_but_a_perfect_old_tree(to in 1..=MAX_SIZE, from: u64, power in 0_u32..63) {
        for from in [1 + from % to, 1 << power] {
            let Ok(plan) = plan_consistency(from, to) else { continue };
            let covered = join(plan.nodes().iter().map(|node| span(*node)).collect());
            let start = if from.is_power_of_two() { from.into() } else { 0 };
            prop_assert_eq!(covered, if from == to { None } else { Some((start, to.into())) });
            prop_assert!(plan.nodes().len() < 128 && plan.parts.len() <= MAX_PROOF_HASHES);
        }
    }

    /// At any size, the verifier agrees with a proof folded downwards from the root.
    #[test]
    fn verification_agrees_with_the_recursive_definition(
        size in 1..=MAX_SIZE, index: u64, bytes in prop::collection::vec(any::<[u8; 32]>(), 65),
    ) {
        let hashes: Vec<Hash> = bytes.into_iter().map(Hash::from_bytes).collect();
        let index = index % size;
        let count = plan_inclusion(index, size)?.parts.len();
        let proof = &hashes[1..=count];
        let root = included_root(index, size, hashes[0], proof);
        prop_assert_eq!(verify_inclusion(index, size, &hashes[0], proof, &root), Ok(()));

        let from = index + 1;
        if from < size {
            let count = plan_consistency(from, size)?.parts.len();
            let proof = &hashes[1..=count];
            let (old, new) = consistent_roots(from, size, from.is_power_of_two().then_some(hashes[0]), proof);
            prop_assert_eq!(verify_consistency(from, size, proof, &old, &new), Ok(()));
        }
    }

    #[test]
    fn no_numbers_make_verification_panic(
        a: u64, b: u64, bytes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Hash> = bytes.into_iter().map(Hash::from_bytes).collect();
        let root = empty_root();
        prop_assert!(verify_inclusion(a, b, &root, &proof, &root).is_err() || b == 1);
        let _ = (plan_inclusion(a, b), plan_consistency(a, b));
        prop_assert!(verify_consistency(a, b, &proof, &root, &root).is_err() || a == b);
    }
}

/// The leaves of a node, from and up to.
fn span(node: NodeId) -> (u128, u128) {
    let width = 1_u128 << node.level;
    (u128::from(node.index) * width, (u128::from(node.index) + 1) * width)
}

/// The one span that these make together; nothing when there are none, or when they overlap or leave gaps.
fn join(mut spans: Vec<(u128, u128)>) -> Option<(u128, u128)> {
    spans.sort_unstable();
    let joined = spans.windows(2).all(|pair| pair[0].1 == pair[1].0);
    Some((spans.first()?.0, spans.last()?.1)).filter(|_| joined)
}

fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn included_root(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Hash {
    let Some((sibling, below)) = proof.split_last() else { return leaf };
    let left = split(size);
    if index < left {
        node_hash(&included_root(index, left, leaf, below), sibling)
    } else {
        node_hash(sibling, &included_root(index - left, size - left, leaf, below))
    }
}

/// The roots of the old and the new tree; `known` is the old root for as long as it may still be left out.
fn consistent_roots(from: u64, size: u64, known: Option<Hash>, proof: &[Hash]) -> (Hash, Hash) {
    if from == size {
        let root = known.or_else(|| proof.first().copied()).expect("the proof has that many hashes");
        return (root, root);
    }
    let (sibling, below) = proof.split_last().expect("the proof has that many hashes");
    let left = split(size);
    if from <= left {
        let (old, new) = consistent_roots(from, left, known, below);
        (old, node_hash(&new, sibling))
    } else {
        let (old, new) = consistent_roots(from - left, size - left, None, below);
        (node_hash(sibling, &old), node_hash(sibling, &new))
    }
}
