//! The Merkle log: every node's append-only record of what it sent, received and decided.
//!
//! Hashing follows RFC 6962, proofs RFC 6962 and RFC 9162, checkpoints, cosignatures and proof files the C2SP
//! specifications `tlog-checkpoint`, `tlog-cosignature` and `tlog-proof`, so that tools we did not write can
//! check our log. Nothing here does I/O: a proof is planned, the store fetches the nodes, the plan folds them.

pub mod checkpoint;
pub mod cosignature;
pub mod hash;
mod note;
pub mod proof;
pub mod proof_file;
pub mod range;
#[cfg(test)]
pub(crate) mod testing;

pub use checkpoint::{Checkpoint, LogSigner, LogVerifier};
pub use cosignature::{Cosignature, Cosigner, CosignerVerifier};
pub use hash::{Hash, Leaf, NotAHash, empty_root, node_hash};
pub use note::{KeyError, MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError};
pub use proof::{
    MAX_PROOF_HASHES, ProofError, ProofPlan, plan_consistency, plan_inclusion, verify_consistency,
    verify_inclusion,
};
pub use proof_file::{ProofFile, ProofFileError};
pub use range::{CompactRange, MAX_SIZE, NodeId, RangeError};
