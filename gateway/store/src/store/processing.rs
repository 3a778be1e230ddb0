//! The records of processings: whom they are about, and how far they were exported.

use exchange::person::Identity;
use jiff::Timestamp;

use super::{Store, check_text};
use crate::{
    data_subject::{self, DataSubject},
    error::StoreError,
    model::Exported,
    sqlite::{change::Change, processing},
};

impl Store {
    /// By what records of processings name this person: by BSN, by name, date of birth and address, or by each of them.
    /// The same for the same person, and readable with the storage key only.
    pub fn data_subjects(&self, person: &Identity) -> Result<Vec<DataSubject>, StoreError> {
        data_subject::name(&self.0.vault.keys.data_subject, person)
    }

    /// What [`Store::data_subjects`] sealed: the key of [`Identity`] that it is made of. Personal data.
    pub fn open_data_subject(&self, subject: &DataSubject) -> Result<Vec<u8>, StoreError> {
        data_subject::open(&self.0.vault.keys.data_subject, subject)
    }

    /// How far the records of processings were exported.
    pub async fn exported(&self) -> Result<Exported, StoreError> {
        processing::state(&mut *self.0.readers.acquire().await?).await
    }

    /// The collector has everything of the entries from `from` up to `next`: so many records, of which it says that it
    /// did not take `rejected`. Says whether it was this far: when another process moved on, nothing changes.
    pub async fn note_exported(
        &self,
        (from, next): (u64, u64),
        (records, rejected): (u64, u64),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.change(Change::Exported { from, next, records, rejected, now }).await? > 0)
    }

    /// The collector did not take the records, for this reason.
    pub async fn note_export_failure(&self, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let reason = check_text(reason)?.to_owned();
        self.change(Change::ExportFailed { reason, now }).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
