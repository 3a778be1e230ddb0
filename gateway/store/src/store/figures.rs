//! Counting.

use super::Store;
use crate::{
    error::StoreError,
    figures::{MAX_COUNTED, Moved},
    sqlite::figures,
};

impl Store {
    /// What moved, in the order of the log, at most [`MAX_COUNTED`] from this place on; and where to go on, until there is no
    /// more.
    pub async fn moved(&self, from: u64) -> Result<(Vec<Moved>, Option<u64>), StoreError> {
        figures::moved(&mut *self.0.readers.acquire().await?, from, MAX_COUNTED).await
    }
}
