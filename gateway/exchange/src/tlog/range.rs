//! Compact ranges: all that is needed of a tree to append to it and to know its root.

use super::hash::{Hash, empty_root, node_hash};

/// The largest tree: as many leaves as a signed 64-bit database column can count.
pub const MAX_SIZE: u64 = u64::MAX >> 1;

/// A perfect subtree: the `index`th run of 2^`level` leaves. Level 0 are the leaf hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// The height above the leaves, at most 63.
    pub level: u8,
    /// The how manieth subtree of this height, from the left, counting from 0.
    pub index: u64,
}

/// The roots do not make up a tree of that size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// A tree of `size` leaves has exactly as many perfect subtrees as `size` has one bits.
    #[error("a tree of {size} leaves has {expected} perfect subtrees, not {found}")]
    RootCount {
        /// The number of leaves that was claimed.
        size: u64,
        /// The number of roots that belongs to it.
        expected: usize,
        /// The number of roots that came with it.
        found: usize,
    },
    /// The size is over [`MAX_SIZE`].
    #[error("a tree of {0} leaves is larger than the largest possible")]
    TooLarge(u64),
}

/// The first `size` leaves of a tree, as the roots of their perfect subtrees, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    roots: Vec<Hash>,
}

impl CompactRange {
    /// A range that was stored or received. Only its shape is checked: whether the hashes are right shows when
    /// [`root`](Self::root) is compared with a signed one.
    pub fn from_parts(size: u64, roots: Vec<Hash>) -> Result<Self, RangeError> {
        if size > MAX_SIZE {
            return Err(RangeError::TooLarge(size));
        }
        let expected = ones(size);
        if roots.len() != expected {
            return Err(RangeError::RootCount { size, expected, found: roots.len() });
        }
        Ok(Self { size, roots })
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// The hash of a node, if it is one of the roots.
    pub fn root_at(&self, node: NodeId) -> Option<Hash> {
        let level = u32::from(node.level);
        let leaves = 1_u64.checked_shl(level)?;
        // The subtrees larger than this one stand to its left.
        let larger = self.size.checked_shr(level + 1).unwrap_or(0);
        if self.size & leaves == 0 || node.index != larger << 1 {
            return None;
        }
        self.roots.get(ones(larger)).copied()
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf: Hash) {
        self.append_visiting(leaf, |_, _| {});
    }

    /// Appends a leaf by its hash, and hands over every node it completes, lowest first: the leaf itself
    /// (level 0) and each perfect subtree of which it is the last. A completed node never changes again.
    pub fn append_visiting(&mut self, leaf: Hash, mut completed: impl FnMut(NodeId, Hash)) {
        let mut node = NodeId { level: 0, index: self.size };
        let mut hash = leaf;
        completed(node, hash);
        while node.index & 1 == 1
            && let Some(left) = self.roots.pop()
        {
            hash = node_hash(&left, &hash);
            node = NodeId { level: node.level + 1, index: node.index >> 1 };
            completed(node, hash);
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root of the tree of these leaves (RFC 6962 §2.1).
    pub fn root(&self) -> Hash {
        fold(&self.roots).unwrap_or_else(empty_root)
    }
}

/// The root over adjacent perfect subtrees, largest first; nothing over none.
pub(super) fn fold(roots: &[Hash]) -> Option<Hash> {
    roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}

/// The number of one bits, as a count of roots.
fn ones(size: u64) -> usize {
    // At most 64.
    size.count_ones() as usize
}

#[cfg(test)]
mod tests;
