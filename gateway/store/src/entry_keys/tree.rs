//! A tree of keys from which leaves can be cut (a puncturable pseudo-random function after Goldreich, Goldwasser and
//! Micali).
//!
//! The secret of a node follows from that of its parent, never the other way round. At first only the root is kept, and
//! with it every leaf. To cut a leaf, the node that covers it makes place for the nodes beside the path to that leaf:
//! all other leaves still follow from those, and that one from nothing that is left.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;

use crate::key::{KEY_BYTES, Secret};

/// The levels below the root: a log of 2^40 entries takes a thousand messages a second for 34 years.
pub(super) const DEPTH: u8 = 40;

/// One more than the last leaf.
const LEAVES: u64 = 1 << DEPTH;

/// What a child's secret is derived with.
const LEFT: &[u8] = b"schakel entry key 0";
const RIGHT: &[u8] = b"schakel entry key 1";

/// The root of a perfect subtree, as far as its leaves were not cut.
pub(super) struct Node {
    /// It covers 2^`level` leaves.
    pub(super) level: u8,
    pub(super) secret: Secret,
}

/// The nodes that are left: apart, and together covering every leaf that was not cut.
#[derive(Default)]
pub(super) struct Tree {
    /// By their first leaf.
    nodes: BTreeMap<u64, Node>,
}

impl Tree {
    /// A whole tree.
    pub(super) fn new(root: Secret) -> Self {
        Self { nodes: BTreeMap::from([(0, Node { level: DEPTH, secret: root })]) }
    }

    /// A tree of which these nodes are left, by their first leaf; nothing when they are no such nodes.
    pub(super) fn of_nodes(nodes: impl Iterator<Item = (u64, Node)>) -> Option<Self> {
        let (mut tree, mut free) = (Self::default(), 0);
        for (first, node) in nodes {
            let is_place = node.level <= DEPTH && first.is_multiple_of(1 << node.level) && first >= free;
            if !is_place || LEAVES - first.min(LEAVES) < 1 << node.level {
                return None;
            }
            free = first + (1 << node.level);
            tree.nodes.insert(first, node);
        }
        Some(tree)
    }

    /// What is left, from the first leaf to the last.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u64, &Node)> {
        self.nodes.iter().map(|(first, node)| (*first, node))
    }

    /// How many nodes are left.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The key of a leaf, unless it was cut. What was derived on the way stays in `path`, for the leaf after it.
    pub(super) fn key(&self, leaf: u64, path: &mut Path) -> Option<Secret> {
        while path.0.last().is_some_and(|step| !step.covers(leaf)) {
            path.0.pop();
        }
        if path.0.is_empty() {
            let (first, node) = self.covering(leaf)?;
            path.0.push(Step { first, level: node.level, secret: node.secret.copy() });
        }
        loop {
            let step = path.0.last()?;
            if step.level == 0 {
                return Some(step.secret.copy());
            }
            let next = step.child(leaf);
            path.0.push(next);
        }
    }

    /// Cuts a leaf off; says whether it was there. Paths of before must be forgotten.
    pub(super) fn cut(&mut self, leaf: u64) -> bool {
        let Some((first, _)) = self.covering(leaf) else { return false };
        let Some(node) = self.nodes.remove(&first) else { return false };
        let mut step = Step { first, level: node.level, secret: node.secret };
        while step.level > 0 {
            let beside = step.child(step.other_half(leaf));
            self.nodes.insert(beside.first, Node { level: beside.level, secret: beside.secret });
            step = step.child(leaf);
        }
        true
    }

    fn covering(&self, leaf: u64) -> Option<(u64, &Node)> {
        let (first, node) = self.nodes.range(..=leaf).next_back()?;
        (leaf - first < 1 << node.level).then_some((*first, node))
    }
}

/// The way from a node that is left down to a leaf. The next leaf shares most of it: from one to the next takes two
/// derivations on average.
#[derive(Default)]
pub(super) struct Path(Vec<Step>);

impl Path {
    /// Forgets it.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

struct Step {
    first: u64,
    level: u8,
    secret: Secret,
}

impl Step {
    const fn covers(&self, leaf: u64) -> bool {
        self.first <= leaf && leaf - self.first < 1 << self.level
    }

    /// A leaf in the half in which this one is not.
    const fn other_half(&self, leaf: u64) -> u64 {
        leaf ^ (1 << (self.level - 1))
    }

    /// The half of this node, which is no leaf itself, with that leaf in it.
    fn child(&self, leaf: u64) -> Self {
        let level = self.level - 1;
        let is_right = leaf & (1 << level) != 0;
        let secret = derive(&self.secret, if is_right { RIGHT } else { LEFT });
        Self { first: self.first | (u64::from(is_right) << level), level, secret }
    }
}

fn derive(parent: &Secret, label: &[u8]) -> Secret {
    let mut child = Secret([0; KEY_BYTES]);
    child.0.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &parent.0), label).as_ref());
    child
}

#[cfg(test)]
mod tests;
