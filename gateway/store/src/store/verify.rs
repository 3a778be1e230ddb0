//! What it takes to hold the whole log against what is stored. Nothing here is checked: that is for the caller.

use exchange::tlog::Hash;

use super::Store;
use crate::{
    error::StoreError,
    model::{ContentFault, LogHead, LoggedEntry},
    sqlite::verify,
};

/// The most entries in one reading of the whole log: a few megabytes.
pub const MAX_ENTRIES_READ: usize = 4096;

impl Store {
    /// How far the log says that it is, unchecked.
    pub async fn log_head(&self) -> Result<LogHead, StoreError> {
        verify::head(&mut *self.0.readers.acquire().await?).await
    }

    /// The checkpoint that was signed last, of this log as it was then.
    pub async fn last_checkpoint(&self) -> Result<Option<String>, StoreError> {
        verify::last_checkpoint(&mut *self.0.readers.acquire().await?).await
    }

    /// Entries from `from` on and below `to`, in order, with the message that is stored with each; at most
    /// [`MAX_ENTRIES_READ`]. Where one is missing there is a gap.
    pub async fn logged(&self, from: u64, to: u64) -> Result<Vec<LoggedEntry>, StoreError> {
        verify::entries(&mut *self.0.readers.acquire().await?, (from, to), MAX_ENTRIES_READ).await
    }

    /// A stored tile of the tree: up to 256 nodes of level 8 × `row`, from 256 × `index` on.
    pub async fn log_tile(&self, row: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        verify::tile(&mut *self.0.readers.acquire().await?, row, index).await
    }

    /// The first entry or message that stands beyond the end of the log.
    pub async fn stray_entry(&self) -> Result<Option<u64>, StoreError> {
        verify::stray(&mut *self.0.readers.acquire().await?).await
    }

    /// Opens every message from `from` on and below `to`, at most [`MAX_ENTRIES_READ`] apart, and says which is the
    /// first that is not the one of its digest. No content is given.
    pub async fn check_contents(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Option<(u64, ContentFault)>, StoreError> {
        let to = to.min(from.saturating_add(u64::try_from(MAX_ENTRIES_READ).unwrap_or(u64::MAX)));
        verify::contents(&mut *self.0.readers.acquire().await?, &self.0.keys, (from, to)).await
    }
}
