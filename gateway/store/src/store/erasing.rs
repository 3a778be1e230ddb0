//! Erasing, for whatever cause, in one way.

use std::sync::Arc;

use exchange::entry::ErasureCause;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{MAX_BATCH, MAX_CANDIDATES, Store, limited};
use crate::{
    access::{Access, Decision},
    entry_keys::{self, EntryKeys},
    error::StoreError,
    key::Keys,
    model::{Erased, Swept},
    sqlite::{
        change::Change,
        committer::Operation,
        erase::{self, Erasure},
        read_consents,
    },
};

/// How many entries one reading looks through. There is no index on cases, nor on how long something may be kept: both
/// would cost every message, for what is asked rarely or once an hour.
const SCANNED_ENTRIES: u64 = 16 * 1024;

/// The most that one step of applying retention erases, so that others wait only shortly for it.
const MAX_SWEPT: usize = 256;

/// What an index takes while it waits for the committer.
const INDEX_BYTES: usize = 16;

impl Store {
    /// Erases what belongs to these entries of the log, messages and versions of records of consents, for good: what it holds is
    /// removed, its key destroyed, and the
    /// log says that it was erased, why and when. What is not there, or was erased before, is passed over. At most
    /// [`MAX_BATCH`] entries at a time.
    ///
    /// What waits to be sent becomes undeliverable with the reason [`ERASED_REASON`](crate::ERASED_REASON), unless the
    /// cause is retention: then it is left alone. Of what is under way the receipt still has the last word. The log and
    /// its proofs stay.
    ///
    /// When this returns the keys are gone from the disk. When it fails after all was recorded, the keys are destroyed
    /// at the next erasure or start.
    pub async fn erase(
        &self,
        indexes: Vec<u64>,
        cause: ErasureCause,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        limited("entries to erase", indexes.len(), MAX_BATCH)?;
        self.erase_these(Erasure::new(indexes, None, (cause, now))).await
    }

    /// Erases all messages of a case, as [`Store::erase`] does. What is queued or filed in the meantime is not erased.
    pub async fn erase_case(
        &self,
        case_id: Uuid,
        cause: ErasureCause,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        let (mut all, mut from, size) = (Erased::default(), 0, self.log_size().await?);
        while from < size {
            let found = self.of_case(case_id, from).await?;
            for indexes in found.chunks(MAX_BATCH) {
                let erasure = Erasure::new(indexes.to_vec(), Some(case_id), (cause, now));
                let erased = self.erase_these(erasure).await?;
                all.messages += erased.messages;
                all.evidence.extend(erased.evidence);
            }
            from += SCANNED_ENTRIES;
        }
        // What was erased before may have been so by another process that has not come to its keys yet.
        self.destroy_keys().await?;
        Ok(all)
    }

    /// Erases all messages of a case, as somebody decided: that is on record, with the messages and by whom they are about,
    /// before any of it is gone. Also what is filed in the meantime. Nothing is on record when there is nothing to erase.
    pub async fn erase_case_decided(
        &self,
        access: Access,
        case_id: Uuid,
        cause: ErasureCause,
    ) -> Result<Erased, StoreError> {
        let (mut all, now) = (Erased::default(), access.when);
        loop {
            let (mut found, mut from, size) = (Vec::new(), 0, self.log_size().await?);
            while from < size && found.len() < MAX_CANDIDATES {
                found.extend(self.of_case(case_id, from).await?);
                from += SCANNED_ENTRIES;
            }
            found.truncate(MAX_CANDIDATES);
            if found.is_empty() {
                break;
            }
            self.record_decision(access.clone(), Decision::Wissen, &found).await?;
            for indexes in found.chunks(MAX_BATCH) {
                let erasure = Erasure::new(indexes.to_vec(), Some(case_id), (cause, now));
                let erased = self.erase_these(erasure).await?;
                all.messages += erased.messages;
                all.evidence.extend(erased.evidence);
            }
        }
        // What was erased before may have been so by another process that has not come to its keys yet.
        self.destroy_keys().await?;
        Ok(all)
    }

    /// How many messages of a case can be erased.
    pub async fn count_case(&self, case: Uuid) -> Result<u64, StoreError> {
        let (mut count, mut from, size) = (0, 0, self.log_size().await?);
        while from < size {
            count += u64::try_from(self.of_case(case, from).await?.len()).unwrap_or(u64::MAX);
            from += SCANNED_ENTRIES;
        }
        Ok(count)
    }

    async fn of_case(&self, case: Uuid, from: u64) -> Result<Vec<u64>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        erase::of_case(&mut reader, case, (from, from + SCANNED_ENTRIES)).await
    }

    /// One step of applying retention, from this entry on: erases what may not be kept any longer, what waits to be
    /// sent left alone. A step looks through a bounded part of the log and erases a bounded number. Begin at 0 and go on
    /// where the answer says; what a crash leaves is found again from 0.
    pub async fn erase_expired(&self, from: u64, now: Timestamp) -> Result<Swept, StoreError> {
        let to = from.saturating_add(SCANNED_ENTRIES);
        let mut reader = self.0.readers.acquire().await?;
        let size = crate::sqlite::read::log_size(&mut reader).await?;
        let indexes = erase::over_time(&mut reader, (from, to), now, MAX_SWEPT).await?;
        drop(reader);
        let next = match indexes.last() {
            Some(last) if indexes.len() == MAX_SWEPT => last + 1,
            _ => to,
        };
        let mut erased = 0;
        if !indexes.is_empty() {
            let cause = ErasureCause::Retention;
            erased = self.erase_these(Erasure::new(indexes, None, (cause, now))).await?.messages;
        }
        Ok(Swept { erased, next: (next < size).then_some(next) })
    }

    /// One step of applying retention to the records of consents: erases those that may not be kept any longer, a bounded
    /// number. Gives how many versions; call it until that is none.
    pub async fn erase_expired_consent_records(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let indexes = read_consents::records_over_time(&mut reader, now, MAX_SWEPT).await?;
        drop(reader);
        if indexes.is_empty() {
            return Ok(0);
        }
        let cause = ErasureCause::Retention;
        Ok(self.erase_these(Erasure::new(indexes, None, (cause, now))).await?.messages)
    }

    async fn erase_these(&self, mut erasure: Erasure) -> Result<Erased, StoreError> {
        erasure.subjects = self.subjects_of(&erasure.indexes).await?;
        // With its evidence.
        self.0.vault.entries.room_for(erasure.indexes.len() + 8)?;
        let store = self.clone();
        // A task of its own: once it is committed, memory forgets too and the keys go, whether or not somebody still
        // waits for it.
        let erasing = tokio::spawn(async move {
            // No reading of the queue meanwhile: what is leased was chosen before this or after it.
            let turn = store.0.reading.lock().await;
            let bytes = erasure.indexes.len() * INDEX_BYTES;
            let erased = store.0.committer.submit(erasure, bytes, Operation::Erase).await?.answer;
            store.0.hot.erase(&erased.ended);
            store.0.leases.ended(&erased.ended);
            drop(turn);
            store.destroy_keys().await?;
            let messages = u64::try_from(erased.indexes.len()).unwrap_or(u64::MAX);
            Ok(Erased { messages, evidence: erased.evidence })
        });
        erasing.await.map_err(|_| StoreError::Closed)?
    }

    /// Destroys the keys of all that was erased.
    async fn destroy_keys(&self) -> Result<(), StoreError> {
        loop {
            let mut reader = self.0.readers.acquire().await?;
            let indexes = erase::keys_to_destroy(&mut reader, MAX_BATCH).await?;
            drop(reader);
            if indexes.is_empty() {
                return Ok(());
            }
            let (vault, keys) = (Arc::clone(&self.0.vault), indexes.clone());
            let destroyed = tokio::task::spawn_blocking(move || vault.entries.destroy(&keys)).await;
            let version = destroyed.map_err(|_| StoreError::Closed)??;
            self.change(Change::Destroyed { indexes, version }).await?;
        }
    }
}

/// Opens the keys of the entries of a database, makes them if it has none yet, and destroys those of what was erased
/// just before a crash, or since the key file was copied that somebody put back.
pub(super) async fn entry_keys(
    connection: &mut SqliteConnection,
    keys: &Keys,
    place: entry_keys::Place,
) -> Result<EntryKeys, StoreError> {
    let entries = if let Some((id, version)) = erase::key_file(connection).await? {
        let entries = EntryKeys::load(place, keys, &id)?;
        if entries.version() < version {
            tracing::warn!("the key file is an older copy: the keys of what was erased are destroyed again");
            entries.destroy_after(version, &erase::all_erased(connection).await?)?;
        }
        entries
    } else {
        let made = EntryKeys::create(place, keys)?;
        // Another process may have been first.
        if erase::put_key_file(connection, &made.id()).await?.as_deref() != Some(&made.id()) {
            return Err(StoreError::OtherKeyFile(made.path().to_owned()));
        }
        made
    };
    loop {
        let indexes = erase::keys_to_destroy(connection, MAX_BATCH).await?;
        if indexes.is_empty() {
            return Ok(entries);
        }
        let version = entries.destroy(&indexes)?;
        erase::destroyed(connection, &indexes, version).await?;
    }
}
