//! Receipts: what a receiver answers to a batch, and by which the sender can prove that it was received.
//!
//! One signature proves a whole batch. The receipt holds the compact range of the receiver's log before the
//! batch and the entries after it; folded together they give the root that the checkpoint signs.

mod wire;

use serde::{Deserialize, Serialize};

use crate::tlog::{
    Checkpoint, CompactRange, Hash, Leaf, LogVerifier, NodeId, NoteError, ProofError, ProofFile, RangeError,
    plan_inclusion, verify_inclusion,
};

/// The most entries of a receipt: one for each message of the largest batch.
pub const MAX_LEAVES: usize = 256;

/// The longest entry. What is logged of a message are digests and names, a tenth of this.
pub const MAX_LEAF_BYTES: usize = 4 * 1024;

/// The most roots of a compact range: one for each bit of its size.
pub const MAX_ROOTS: usize = 64;

/// A receiver's answer to a batch: one entry for each message, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The signed checkpoint of the receiver's log.
    #[serde(deserialize_with = "wire::note")]
    pub checkpoint: String,
    /// The number of entries of the log before this batch.
    #[serde(rename = "grootte_voor")]
    pub size_before: u64,
    /// The roots of the perfect subtrees of those entries, largest first.
    #[serde(rename = "voor", deserialize_with = "wire::hashes")]
    pub range_before: Vec<Hash>,
    /// What was logged for each message of the batch, in its order.
    #[serde(rename = "bladeren", deserialize_with = "wire::leaves")]
    pub leaves: Vec<ReceiptLeaf>,
}

/// What the receiver logged for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptLeaf {
    /// It was logged with this batch. The new entries are, in order, the last of the signed tree.
    New(Leaf),
    /// It was known already, and was logged earlier in the same log.
    Known {
        /// The number of the earlier entry, from 0.
        index: u64,
        /// The earlier entry.
        leaf: Leaf,
        /// Its inclusion proof in the signed tree (RFC 6962 §2.1.1).
        proof: Vec<Hash>,
    },
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// There are more than [`MAX_LEAVES`] entries.
    #[error("the receipt has more than {MAX_LEAVES} entries")]
    TooManyLeaves,
    /// An entry is longer than [`MAX_LEAF_BYTES`].
    #[error("entry {position} of the receipt is longer than {MAX_LEAF_BYTES} bytes")]
    LeafTooLarge {
        /// The place in the batch, from 0.
        position: usize,
    },
    /// The checkpoint cannot be believed.
    #[error("the checkpoint of the receipt: {0}")]
    Checkpoint(#[from] NoteError),
    /// The compact range cannot be one of that many entries.
    #[error("the range before the batch: {0}")]
    Range(#[from] RangeError),
    /// The entries before the batch and the new ones are not as many as were signed for.
    #[error("{before} entries and {new} new ones do not make the {signed} that were signed for")]
    SizeMismatch {
        /// The number of entries before the batch.
        before: u64,
        /// The number of new ones.
        new: usize,
        /// The number the checkpoint signs.
        signed: u64,
    },
    /// The entries are not those that were signed for.
    #[error("the entries do not lead to the root that was signed")]
    WrongRoot,
    /// An earlier entry is not where the receipt says it is.
    #[error("the proof of entry {position} of the receipt: {error}")]
    Known {
        /// The place in the batch, from 0.
        position: usize,
        /// What is wrong with its proof.
        error: ProofError,
    },
}

impl Receipt {
    /// Checks the whole receipt against the key of the receiver's log. Whether each entry is about the message
    /// it answers is for the caller to check: that is what the entry says, not what the log proves.
    pub fn verify(&self, key: &LogVerifier) -> Result<VerifiedReceipt, ReceiptError> {
        self.check_limits()?;
        let checkpoint = key.open(&self.checkpoint)?;
        let before = CompactRange::from_parts(self.size_before, self.range_before.clone())?;
        let new = self.leaves.iter().filter(|leaf| matches!(leaf, ReceiptLeaf::New(_))).count();
        let size = u64::try_from(new).ok().and_then(|new| self.size_before.checked_add(new));
        if size != Some(checkpoint.size) {
            let (before, signed) = (self.size_before, checkpoint.size);
            return Err(ReceiptError::SizeMismatch { before, new, signed });
        }

        let mut range = before.clone();
        // Each leaf completes itself and, on average, one node above it.
        let mut completed = Vec::with_capacity(2 * new + MAX_ROOTS);
        let mut entries = Vec::with_capacity(self.leaves.len());
        for leaf in &self.leaves {
            entries.push(match leaf {
                ReceiptLeaf::New(leaf) => {
                    let index = range.size();
                    range.append_visiting(leaf.hash(), |node, hash| completed.push((node, hash)));
                    Entry { index, leaf: leaf.clone(), proof: None }
                }
                ReceiptLeaf::Known { index, leaf, proof } => {
                    Entry { index: *index, leaf: leaf.clone(), proof: Some(proof.clone()) }
                }
            });
        }
        if range.root() != checkpoint.root {
            return Err(ReceiptError::WrongRoot);
        }
        for (position, entry) in entries.iter().enumerate() {
            if let Some(proof) = &entry.proof {
                verify_inclusion(entry.index, checkpoint.size, &entry.leaf.hash(), proof, &checkpoint.root)
                    .map_err(|error| ReceiptError::Known { position, error })?;
            }
        }
        Ok(VerifiedReceipt { note: self.checkpoint.clone(), checkpoint, before, completed, entries })
    }

    /// A receipt that was built rather than read has not passed the limits yet.
    fn check_limits(&self) -> Result<(), ReceiptError> {
        if self.leaves.len() > MAX_LEAVES {
            return Err(ReceiptError::TooManyLeaves);
        }
        let too_large = |leaf: &ReceiptLeaf| leaf.leaf().bytes().len() > MAX_LEAF_BYTES;
        match self.leaves.iter().position(too_large) {
            Some(position) => Err(ReceiptError::LeafTooLarge { position }),
            None => Ok(()),
        }
    }
}

impl ReceiptLeaf {
    /// The entry, whenever it was logged.
    pub fn leaf(&self) -> &Leaf {
        match self {
            Self::New(leaf) | Self::Known { leaf, .. } => leaf,
        }
    }
}

/// A receipt that holds: every entry is in the log, under the signed checkpoint.
#[derive(Debug, Clone)]
pub struct VerifiedReceipt {
    note: String,
    checkpoint: Checkpoint,
    before: CompactRange,
    /// The nodes that the new leaves completed, in the order in which they did.
    completed: Vec<(NodeId, Hash)>,
    entries: Vec<Entry>,
}

/// One proven entry. A new one needs no proof of its own until somebody asks for it.
#[derive(Debug, Clone)]
struct Entry {
    index: u64,
    leaf: Leaf,
    proof: Option<Vec<Hash>>,
}

impl VerifiedReceipt {
    /// The head of the receiver's log.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The same as it was signed.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The tree that the log had before the batch: that of the checkpoint begins with it.
    pub const fn before(&self) -> &CompactRange {
        &self.before
    }

    /// For each message of the batch, in its order: the number of its entry in the log, and the entry.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u64, &Leaf)> {
        self.entries.iter().map(|entry| (entry.index, &entry.leaf))
    }

    /// Evidence for one message of the batch that stands by itself, with the entry as its extra data. Nothing
    /// if the batch has no message at that position.
    pub fn proof_file(&self, position: usize) -> Option<ProofFile> {
        let entry = self.entries.get(position)?;
        let proof = match &entry.proof {
            Some(proof) => proof.clone(),
            None => self.proof_of_new(entry.index)?,
        };
        let extra = Some(entry.leaf.bytes().to_vec());
        Some(ProofFile { extra, index: entry.index, proof, checkpoint: self.note.clone() })
    }

    /// The inclusion proof of a new entry. The receipt always suffices for it. A node that ends after the old
    /// tree was completed by a new leaf. A node that ends within the old tree has as its sibling a subtree that
    /// holds the new entry, so the node above it reaches past the old tree: it is one of the old tree's largest
    /// perfect subtrees, and those are what the receipt begins with.
    fn proof_of_new(&self, index: u64) -> Option<Vec<Hash>> {
        let plan = plan_inclusion(index, self.checkpoint.size).ok()?;
        let hashes: Option<Vec<Hash>> = plan.nodes().iter().map(|node| self.node(*node)).collect();
        plan.fold(&hashes?).ok()
    }

    fn node(&self, node: NodeId) -> Option<Hash> {
        // Nodes are completed by their last leaf, the lower ones first.
        let order = |node: NodeId| ((node.index + 1) << node.level, node.level);
        match self.completed.binary_search_by_key(&order(node), |(completed, _)| order(*completed)) {
            Ok(place) => self.completed.get(place).map(|(_, hash)| *hash),
            Err(_) => self.before.root_at(node),
        }
    }
}

#[cfg(test)]
mod tests;
