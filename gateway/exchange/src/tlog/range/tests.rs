use proptest::prelude::*;

use super::*;
use crate::tlog::testing::{Grown, REFERENCE_ROOTS, hash, leaf, naive_root, reference_leaves};

#[test]
fn roots_are_those_of_the_reference_tree() {
    let grown = Grown::of(reference_leaves());
    for (size, root) in (0..).zip(REFERENCE_ROOTS) {
        assert_eq!(grown.root(size), hash(root), "size {size}");
    }
}

#[test]
fn roots_are_those_of_the_definition() {
    let leaves: Vec<Hash> = (0..=130).map(|index| leaf(index).hash()).collect();
    let mut range = CompactRange::default();
    for (size, next) in leaves.iter().enumerate() {
        assert_eq!(range.root(), naive_root(&leaves[..size]), "size {size}");
        range.append(*next);
    }
}

#[test]
fn every_completed_node_is_the_root_of_its_leaves() {
    let leaves: Vec<Hash> = (0..130).map(|index| leaf(index).hash()).collect();
    let mut range = CompactRange::default();
    for (index, next) in leaves.iter().enumerate() {
        let mut level = 0;
        range.append_visiting(*next, |node, hash| {
            assert_eq!(node.level, level, "lowest first");
            level += 1;
            let width = 1 << node.level;
            let start = usize::try_from(node.index).unwrap_or(usize::MAX) * width;
            assert_eq!(start + width, index + 1, "the leaf is the last of the node");
            assert_eq!(hash, naive_root(&leaves[start..start + width]));
        });
        assert_eq!(u32::from(level), (index + 1).trailing_zeros() + 1);
    }
}

#[test]
fn its_own_roots_are_found_and_nothing_else() {
    let grown = Grown::of((0..40).map(leaf));
    for size in 0..=40 {
        let range = grown.range(size);
        let mut found = 0;
        for level in (0..=u8::MAX).rev() {
            for index in 0..=41 {
                let node = NodeId { level, index };
                if let Some(hash) = range.root_at(node) {
                    assert_eq!(Some(hash), grown.node(node));
                    assert_eq!(hash, range.roots()[found], "largest first");
                    found += 1;
                }
            }
        }
        assert_eq!(found, range.roots().len(), "size {size}");
    }
}

#[test]
fn a_range_of_the_wrong_shape_is_refused() {
    let root = leaf(0).hash();
    assert_eq!(
        CompactRange::from_parts(5, vec![root]),
        Err(RangeError::RootCount { size: 5, expected: 2, found: 1 })
    );
    assert_eq!(
        CompactRange::from_parts(0, vec![root]),
        Err(RangeError::RootCount { size: 0, expected: 0, found: 1 })
    );
    assert_eq!(CompactRange::from_parts(MAX_SIZE + 1, vec![root]), Err(RangeError::TooLarge(MAX_SIZE + 1)));
    assert!(CompactRange::from_parts(MAX_SIZE, vec![root; 63]).is_ok());
}

proptest! {
    #[test]
    fn a_range_can_be_put_away_and_grown_on(before in 0_u64..300, more in 0_u64..100) {
        let grown = Grown::of((0..before + more).map(leaf));
        let kept = grown.range(before);
        let mut range = CompactRange::from_parts(kept.size(), kept.roots().to_vec())?;
        prop_assert_eq!(&range, kept);
        (before..before + more).for_each(|index| range.append(leaf(index).hash()));
        prop_assert_eq!(&range, grown.range(before + more));
    }

    #[test]
    fn no_size_makes_it_panic(size: u64, level: u8, index: u64) {
        let roots = vec![leaf(0).hash(); ones(size)];
        if let Ok(mut range) = CompactRange::from_parts(size, roots) {
            range.root_at(NodeId { level, index });
            range.root();
            range.append(leaf(1).hash());
            prop_assert_eq!(range.roots().len(), ones(range.size()));
        }
    }
}
