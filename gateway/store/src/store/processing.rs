//! The records of processings: whom they are about, and how far they were exported.

use std::collections::{BTreeSet, HashMap};

use exchange::{
    consent::ConsentRecord,
    digest::Digest,
    person::{Identity, Match},
};
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Store, check_text};
use crate::{
    data_subject::{self, DataSubject},
    error::StoreError,
    model::{Exported, MessageRow},
    sqlite::{change::Change, processing, read, read_consents, subject},
};

/// The most messages of a case that are looked at to find out whom one of them is about.
const MAX_IN_CASE: usize = 64;

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

    /// Under which agreements, and for which purposes, something is kept here. Looks through all messages.
    pub async fn held_under(&self) -> Result<BTreeSet<(Digest, String)>, StoreError> {
        processing::held_under(&mut *self.0.readers.acquire().await?).await
    }

    /// Whom an erased entry was about, until the collector has the records about it; nothing without a collector.
    pub async fn erased_subject(&self, index: u64) -> Result<Option<DataSubject>, StoreError> {
        processing::erased_subject(&mut *self.0.readers.acquire().await?, index).await
    }

    /// There is no collector (any more): forgets whom erased entries were about.
    pub async fn forget_erased_subjects(&self) -> Result<(), StoreError> {
        self.change(Change::ForgetErasedSubjects).await.map(drop)
    }

    /// Whom a message is about. What names nobody, such as feedback, is about the person of its case, by what came before it
    /// there, unless that is about more than one. Opens messages, and shows them to nobody.
    pub async fn person_concerned(&self, row: &MessageRow) -> Result<Option<Identity>, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        let Some(own) = person_of(&mut reader, self, row.index).await? else { return Ok(None) };
        let (None, Some(case)) = (&own, row.case) else { return Ok(own) };
        let of_case = subject::find_case(&mut reader, case, MAX_IN_CASE + 1).await?;
        if of_case.len() > MAX_IN_CASE {
            return Ok(None);
        }
        let mut found: Option<Identity> = None;
        for index in of_case.into_iter().filter(|index| *index < row.index) {
            let Some(Some(person)) = person_of(&mut reader, self, index).await? else { continue };
            match &found {
                Some(known) if known.compare(&person) != Match::Same => return Ok(None),
                Some(_) => {}
                None => found = Some(person),
            }
        }
        Ok(found)
    }

    /// Whom these entries are about, sealed, before they are erased; nothing without a collector.
    pub(super) async fn subjects_of(&self, indexes: &[u64]) -> Result<HashMap<u64, DataSubject>, StoreError> {
        let mut subjects = HashMap::new();
        if !self.0.exports {
            return Ok(subjects);
        }
        for index in indexes {
            let row = read::message_at(&mut *self.0.readers.acquire().await?, *index).await?;
            let person = if let Some(row) = row {
                self.person_concerned(&row).await?
            } else {
                let mut reader = self.0.readers.acquire().await?;
                read_consents::recorded_at(&mut reader, &self.0.vault, *index)
                    .await?
                    .and_then(|text| Identity::of(ConsentRecord::from_stored(&text).ok()?.document()))
            };
            if let Some(subject) = self.sealed(person.as_ref())? {
                subjects.insert(*index, subject);
            }
        }
        Ok(subjects)
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

/// Whom a message names; nothing when it cannot be read (any more).
async fn person_of(
    reader: &mut SqliteConnection,
    store: &Store,
    index: u64,
) -> Result<Option<Option<Identity>>, StoreError> {
    match read::payload(reader, &store.0.vault, index).await {
        Ok(message) => Ok(Some(Identity::of_message(&message))),
        Err(StoreError::Erased | StoreError::NotFound(_) | StoreError::Corrupt(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
