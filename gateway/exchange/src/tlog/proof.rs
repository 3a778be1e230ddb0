//! Inclusion and consistency proofs (RFC 6962 §2.1.1 and §2.1.2, RFC 9162 §2.1.3 and §2.1.4).
//!
//! Making one is sans-IO: a plan names the perfect subtrees it needs, whoever stores them fetches their hashes,
//! and [`ProofPlan::fold`] makes the proof of them.

use super::{
    hash::{Hash, empty_root, node_hash},
    range::{self, MAX_SIZE, NodeId},
};

/// The longest proof: in a tree of [`MAX_SIZE`] leaves a leaf has 63 siblings on its way up, and a consistency
/// proof begins with one node more.
pub const MAX_PROOF_HASHES: usize = 64;

/// Why a proof cannot be made or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree does not have that leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoSuchLeaf {
        /// The leaf asked for, counting from 0.
        index: u64,
        /// The number of leaves.
        size: u64,
    },
    /// The size is over [`MAX_SIZE`].
    #[error("a tree of {0} leaves is larger than the largest possible")]
    TooLarge(u64),
    /// A log only grows.
    #[error("a tree of {to} leaves cannot follow one of {from}")]
    Shrunk {
        /// The size it would start from.
        from: u64,
        /// The size it would grow to.
        to: u64,
    },
    /// The hashes are not those of the plan's nodes.
    #[error("the plan needs {expected} hashes, not {found}")]
    NodeCount {
        /// The number of nodes of the plan.
        expected: usize,
        /// The number of hashes given.
        found: usize,
    },
    /// The proof is too short or too long for these sizes.
    #[error("the proof does not have the length that belongs to these sizes")]
    WrongLength,
    /// The proof leads to another root than the one given.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// Which nodes a proof is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProofPlan {
    nodes: Vec<NodeId>,
    /// How many consecutive nodes fold into each hash of the proof. More than one only at the right edge of
    /// the tree, where the subtree is not perfect and so is not stored as one node.
    parts: Vec<usize>,
}

impl ProofPlan {
    /// The nodes whose hashes [`fold`](Self::fold) needs, in that order. Fewer than 128.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The proof, from the hashes of [`nodes`](Self::nodes).
    pub fn fold(&self, hashes: &[Hash]) -> Result<Vec<Hash>, ProofError> {
        if hashes.len() != self.nodes.len() {
            return Err(ProofError::NodeCount { expected: self.nodes.len(), found: hashes.len() });
        }
        let mut rest = hashes;
        let folded = self.parts.iter().filter_map(|&count| {
            let (part, after) = rest.split_at_checked(count)?;
            rest = after;
            range::fold(part)
        });
        Ok(folded.collect())
    }

    /// The plan whose hashes are the roots of these subtrees. Planning walks down the tree and a proof up.
    fn of(top_down: &[Subtree]) -> Self {
        let mut plan = Self::default();
        for subtree in top_down.iter().rev() {
            let before = plan.nodes.len();
            plan.nodes.extend(subtree.perfect_parts());
            plan.parts.push(plan.nodes.len() - before);
        }
        plan
    }
}

/// The `size` leaves from `start`. The start is a multiple of a power of two that is at least the size, as it is
/// for every subtree of RFC 6962.
#[derive(Debug, Clone, Copy)]
struct Subtree {
    start: u64,
    size: u64,
}

impl Subtree {
    /// The two subtrees under this one; nothing for a single leaf.
    fn children(self) -> Option<(Self, Self)> {
        if self.size < 2 {
            return None;
        }
        // The largest power of two smaller than the size (RFC 6962 §2.1).
        let left = 1 << (self.size - 1).ilog2();
        Some((
            Self { start: self.start, size: left },
            Self { start: self.start + left, size: self.size - left },
        ))
    }

    /// The perfect subtrees this one consists of, largest first.
    fn perfect_parts(self) -> impl Iterator<Item = NodeId> {
        (0..63_u8).rev().filter(move |level| self.size >> level & 1 == 1).map(move |level| {
            // Left of this part stand the larger ones: the size without this bit and those below it.
            let larger = (self.size >> level) - 1;
            NodeId { level, index: (self.start >> level) + larger }
        })
    }
}

/// Plans the proof that leaf `index` is in the tree of `size` leaves.
pub fn plan_inclusion(index: u64, size: u64) -> Result<ProofPlan, ProofError> {
    check_leaf(index, size)?;
    let mut beside = Vec::with_capacity(MAX_PROOF_HASHES);
    let mut at = Subtree { start: 0, size };
    while let Some((left, right)) = at.children() {
        let (next, sibling) = if index < right.start { (left, right) } else { (right, left) };
        beside.push(sibling);
        at = next;
    }
    Ok(ProofPlan::of(&beside))
}

/// Plans the proof that the tree of `to` leaves begins with the tree of `from` leaves. Empty when there is
/// nothing to prove: equal sizes, or from the empty tree.
pub fn plan_consistency(from: u64, to: u64) -> Result<ProofPlan, ProofError> {
    check_growth(from, to)?;
    if from == 0 || from == to {
        return Ok(ProofPlan::default());
    }
    let mut needed = Vec::with_capacity(MAX_PROOF_HASHES);
    let mut at = Subtree { start: 0, size: to };
    // Walks down to the subtree that ends where the old tree ends.
    while at.start + at.size != from
        && let Some((left, right)) = at.children()
    {
        let (next, sibling) = if from <= right.start { (left, right) } else { (right, left) };
        needed.push(sibling);
        at = next;
    }
    // Only when that subtree is the old tree itself does the verifier know its root already.
    if at.start > 0 {
        needed.push(at);
    }
    Ok(ProofPlan::of(&needed))
}

/// Checks that the leaf with hash `leaf` is number `index` of the tree of `size` leaves with this root
/// (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    check_leaf(index, size)?;
    let mut path = Path { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match path.up()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    path.at_root()?;
    if hash == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// Checks that the tree of `to` leaves with root `to_root` begins with the tree of `from` leaves with root
/// `from_root` (RFC 9162 §2.1.4.2).
pub fn verify_consistency(
    from: u64,
    to: u64,
    proof: &[Hash],
    from_root: &Hash,
    to_root: &Hash,
) -> Result<(), ProofError> {
    check_growth(from, to)?;
    if from == 0 || from == to {
        return verify_trivial(from, to, proof, from_root, to_root);
    }
    // An old tree that is perfect is itself a node of the new one, and is left out of the proof.
    let (start, rest) = if from.is_power_of_two() {
        (from_root, proof)
    } else {
        proof.split_first().ok_or(ProofError::WrongLength)?
    };
    let perfect = (from - 1).trailing_ones();
    let mut path = Path { node: (from - 1) >> perfect, last: (to - 1) >> perfect };
    let (mut old, mut new) = (*start, *start);
    for sibling in rest {
        match path.up()? {
            Side::Left => {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            }
            Side::Right => new = node_hash(&new, sibling),
        }
    }
    path.at_root()?;
    if old == *from_root && new == *to_root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

fn check_leaf(index: u64, size: u64) -> Result<(), ProofError> {
    match index < size {
        true if size > MAX_SIZE => Err(ProofError::TooLarge(size)),
        true => Ok(()),
        false => Err(ProofError::NoSuchLeaf { index, size }),
    }
}

fn check_growth(from: u64, to: u64) -> Result<(), ProofError> {
    match from <= to {
        true if to > MAX_SIZE => Err(ProofError::TooLarge(to)),
        true => Ok(()),
        false => Err(ProofError::Shrunk { from, to }),
    }
}

/// Nothing grew, or everything is new: there is nothing to prove but the roots' own consistency.
fn verify_trivial(
    from: u64,
    to: u64,
    proof: &[Hash],
    from_root: &Hash,
    to_root: &Hash,
) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::WrongLength);
    }
    let holds = (from != 0 || *from_root == empty_root()) && (from != to || from_root == to_root);
    if holds { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// The way up from a node, beside the way up from the last leaf of the tree.
struct Path {
    node: u64,
    last: u64,
}

/// On which side of the way the next hash of a proof belongs.
enum Side {
    Left,
    Right,
}

impl Path {
    /// Goes up to the next node that has a sibling, and says where that sibling is.
    fn up(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::WrongLength);
        }
        let mut side = Side::Right;
        if self.node & 1 == 1 || self.node == self.last {
            // At the right edge a node without sibling is its own parent. The node is not 0 here.
            let lone = self.node.trailing_zeros();
            self.node >>= lone;
            self.last >>= lone;
            side = Side::Left;
        }
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    /// Fails unless the whole way was walked.
    fn at_root(&self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::WrongLength) }
    }
}

#[cfg(test)]
mod tests;
