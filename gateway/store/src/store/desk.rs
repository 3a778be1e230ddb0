//! At which desk a message is.

use super::{Store, check_text};
use crate::{error::StoreError, sqlite::change::Change};

impl Store {
    /// Puts a message that came in at another desk, if it is still at the one that it was at. Not when it was erased.
    pub async fn pass_on(&self, index: u64, from: Option<String>, to: String) -> Result<(), StoreError> {
        check_text(&to)?;
        match self.change(Change::PassOn { index, from, to }).await? {
            0 => Err(StoreError::NotFound("message at that desk")),
            _ => Ok(()),
        }
    }
}
