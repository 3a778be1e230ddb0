//! The log and its proofs.

use exchange::tlog::{Hash, Leaf, LogVerifier, plan_consistency, plan_inclusion};

use super::{MAX_ROWS_READ, Store};
use crate::{
    error::StoreError,
    model::LogState,
    sqlite::{committer::Operation, read},
};

impl Store {
    /// The number of leaves.
    pub async fn log_size(&self) -> Result<u64, StoreError> {
        read::log_size(&mut *self.0.readers.acquire().await?).await
    }

    /// The size and root of the log, after checking that the last leaves' hashes lead to it.
    pub async fn log_state(&self) -> Result<LogState, StoreError> {
        let mut reader = self.0.readers.begin().await?;
        read::log_state(&mut reader).await
    }

    /// The key that verifies this log.
    pub fn log_key(&self) -> LogVerifier {
        self.0.log.verifier()
    }

    /// The signed head of the log as it is now. The last one is kept.
    pub async fn checkpoint(&self) -> Result<String, StoreError> {
        let kept = read::checkpoint(&mut *self.0.readers.acquire().await?).await?;
        match kept {
            Some(note) => Ok(note),
            None => Ok(self.0.committer.submit((), 0, Operation::Checkpoint).await?.answer),
        }
    }

    /// The proof that leaf `index` is in the log as it was with `size` leaves.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        known_size(size, read::log_size(&mut reader).await?)?;
        let plan = plan_inclusion(index, size).map_err(|_| StoreError::NotFound("leaf with this index"))?;
        read::proof(&mut reader, &plan).await
    }

    /// The proof that the log of `to` leaves begins with that of `from` leaves.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        known_size(to, read::log_size(&mut reader).await?)?;
        let plan = plan_consistency(from, to).map_err(|_| StoreError::NotFound("log of this size"))?;
        read::proof(&mut reader, &plan).await
    }

    /// Leaves from an index on, at most `max` and [`MAX_ROWS_READ`].
    pub async fn leaves(&self, from: u64, max: usize) -> Result<Vec<Leaf>, StoreError> {
        read::leaves(&mut *self.0.readers.acquire().await?, from, max.min(MAX_ROWS_READ)).await
    }
}

fn known_size(asked: u64, size: u64) -> Result<(), StoreError> {
    if asked <= size { Ok(()) } else { Err(StoreError::NotFound("log of this size")) }
}
