//! Terms of signals.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{MAX_BATCH, MAX_ROWS_READ, Store, limited};
use crate::{
    error::StoreError,
    model::MessageRow,
    signal_terms::{MAX_NEWS, NotedSignals, SignalLooked, SignalNews, SignalTerm, SignalTerms},
    sqlite::{
        change::Change,
        signal_term::{self, SignalTermChange},
    },
};

/// Entries of the log that one piece looks through.
const SCANNED_ENTRIES: u64 = 4096;

impl Store {
    /// The next signals and feedback at which nobody looked for terms, at most [`MAX_NEWS`].
    pub async fn signal_news(&self) -> Result<SignalNews, StoreError> {
        signal_term::news(&mut *self.0.readers.acquire().await?, SCANNED_ENTRIES, MAX_NEWS).await
    }

    /// Keeps what was found in some news; says whether this was the first to look at them.
    pub async fn note_signals(&self, noted: NotedSignals) -> Result<bool, StoreError> {
        limited("signals and feedback in one piece", noted.signals.len() + noted.feedback.len(), MAX_BATCH)?;
        Ok(self.change(Change::SignalTerms(SignalTermChange::Note(noted))).await? > 0)
    }

    /// The term of the signal at this place; nothing when it is none, or nobody looked yet.
    pub async fn signal_term(&self, index: u64, now: Timestamp) -> Result<Option<SignalTerm>, StoreError> {
        signal_term::one(&mut *self.0.readers.acquire().await?, index, now).await
    }

    /// The terms of the signals at these places, without those that are none.
    pub async fn signal_terms_of(
        &self,
        indexes: &[u64],
        now: Timestamp,
    ) -> Result<HashMap<u64, SignalTerm>, StoreError> {
        limited("signals in one reading", indexes.len(), MAX_BATCH)?;
        let mut reader = self.0.readers.acquire().await?;
        let mut found = HashMap::new();
        for index in indexes {
            found.extend(signal_term::one(&mut reader, *index, now).await?.map(|term| (*index, term)));
        }
        Ok(found)
    }

    /// The signals at which this node has not looked since something changed, after this one; at most `limit`.
    pub async fn signal_terms_to_do(
        &self,
        after: Option<u64>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SignalTerm>, StoreError> {
        let limit = limit.min(MAX_ROWS_READ);
        signal_term::to_do(&mut *self.0.readers.acquire().await?, (after, now), limit).await
    }

    /// The signals of which the term came to its reminder or its end by now, the longest ago first, after this one; at most
    /// `limit`. Not what was erased or rests on a consent that ended.
    pub async fn signal_terms_due(
        &self,
        after: Option<SignalTerm>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SignalTerm>, StoreError> {
        let limit = limit.min(MAX_ROWS_READ);
        signal_term::due(&mut *self.0.readers.acquire().await?, (after, now), limit).await
    }

    /// When feedback met the term of the signal at this place: the first that its sender did not refuse.
    pub async fn signal_met(&self, index: u64) -> Result<Option<Timestamp>, StoreError> {
        signal_term::met(&mut *self.0.readers.acquire().await?, index).await
    }

    /// This node looked at terms. Of a signal where something changed since, and of one that is to be told of but is gone by
    /// now, nothing is kept; says of how many it was. A deadline stays what it was first, and each is told once.
    pub async fn signal_terms_looked_at(
        &self,
        looked: Vec<SignalLooked>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        limited("terms that are looked at at once", looked.len(), MAX_BATCH)?;
        self.change(Change::SignalTerms(SignalTermChange::Looked { looked, now })).await
    }

    /// The signals of which a term runs, what ends first first.
    pub async fn signal_terms(
        &self,
        wanted: SignalTerms,
        now: Timestamp,
    ) -> Result<Vec<(MessageRow, SignalTerm)>, StoreError> {
        let wanted = SignalTerms { limit: wanted.limit.clamp(1, MAX_ROWS_READ), ..wanted };
        signal_term::list(&mut *self.0.readers.acquire().await?, (&wanted, now)).await
    }
}
