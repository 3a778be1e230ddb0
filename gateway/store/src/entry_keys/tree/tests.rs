#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn root() -> Secret {
    Secret([7; KEY_BYTES])
}

fn key(tree: &Tree, leaf: u64) -> Option<[u8; KEY_BYTES]> {
    tree.key(leaf, &mut Path::default()).map(|secret| secret.0)
}

/// By the definition: from the root, bit by bit.
fn expected(leaf: u64) -> [u8; KEY_BYTES] {
    let mut secret = root();
    for level in (0..DEPTH).rev() {
        secret = derive(&secret, if leaf >> level & 1 == 1 { RIGHT } else { LEFT });
    }
    secret.0
}

/// Leaves that lie close together, far apart and at the ends.
fn leaf() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0_u64..80,
        1 => (0_u64..40).prop_map(|back| LEAVES - 1 - back),
        1 => (0_u64..20).prop_map(|near| (1 << 33) - 10 + near),
        1 => 0..LEAVES,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_what_was_cut_is_gone(cut in prop::collection::vec(leaf(), 0..60), asked in prop::collection::vec(leaf(), 1..40)) {
        let mut tree = Tree::new(root());
        let mut gone = BTreeSet::new();
        for leaf in &cut {
            prop_assert_eq!(tree.cut(*leaf), gone.insert(*leaf));
        }
        let mut path = Path::default();
        for leaf in asked.iter().chain(&cut).flat_map(|leaf| [leaf.saturating_sub(1), *leaf, leaf + 1]) {
            let found = tree.key(leaf, &mut path).map(|secret| secret.0);
            let there = leaf < LEAVES && !gone.contains(&leaf);
            prop_assert_eq!(found, there.then(|| expected(leaf)), "leaf {}", leaf);
        }
        prop_assert!(tree.len() <= 1 + gone.len() * (usize::from(DEPTH) - 1) + 1);
    }

    #[test]
    fn a_range_costs_nothing(first in 0_u64..5000, length in 1_u64..400, order in any::<u64>()) {
        let mut tree = Tree::new(root());
        let mut leaves: Vec<u64> = (first..first + length).collect();
        leaves.sort_unstable_by_key(|leaf| (leaf ^ order).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for leaf in leaves {
            tree.cut(leaf);
        }
        prop_assert!(tree.len() <= 2 * usize::from(DEPTH), "{} nodes", tree.len());
    }

    #[test]
    fn what_is_left_can_be_written_down(cut in prop::collection::vec(leaf(), 0..40)) {
        let mut tree = Tree::new(root());
        for leaf in &cut {
            tree.cut(*leaf);
        }
        let nodes = tree.nodes().map(|(first, node)| (first, Node { level: node.level, secret: node.secret.copy() }));
        let again = Tree::of_nodes(nodes).unwrap();
        for leaf in cut.iter().flat_map(|leaf| [leaf.saturating_sub(1), *leaf, leaf + 1]) {
            prop_assert_eq!(key(&again, leaf), key(&tree, leaf));
        }
    }
}

#[test]
fn no_two_leaves_share_a_key() {
    let (tree, mut path) = (Tree::new(root()), Path::default());
    let keys: BTreeSet<[u8; KEY_BYTES]> =
        (0..4096).map(|leaf| tree.key(leaf, &mut path).unwrap().0).collect();
    assert_eq!(keys.len(), 4096);
}

/// What is kept after a cut says nothing of the leaf: none of it is on the way to that leaf.
#[test]
fn no_ancestor_of_what_was_cut_is_left() {
    let mut tree = Tree::new(root());
    for leaf in [5, 6, 1 << 39, LEAVES - 1] {
        tree.cut(leaf);
        assert!(tree.nodes().all(|(first, node)| leaf < first || leaf - first >= 1 << node.level), "{leaf}");
    }
    assert!(tree.nodes().all(|(_, node)| node.secret.0 != root().0));
}

#[test]
fn nodes_that_are_no_tree_are_refused() {
    let node = |level| Node { level, secret: root() };
    for wrong in [
        vec![(0, node(DEPTH + 1))],
        vec![(1, node(1))],
        vec![(0, node(2)), (2, node(1))],
        vec![(4, node(2)), (0, node(2))],
        vec![(LEAVES, node(0))],
        vec![(u64::MAX, node(0))],
    ] {
        assert!(Tree::of_nodes(wrong.into_iter()).is_none());
    }
    assert!(Tree::of_nodes([(0, node(DEPTH))].into_iter()).is_some());
    assert!(Tree::of_nodes(std::iter::empty()).is_some());
}
