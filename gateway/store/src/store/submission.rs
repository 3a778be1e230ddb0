//! What local systems handed over: who, and what they were answered; and reading messages as they ask for them.

use jiff::Timestamp;

use super::{MAX_BATCH, MAX_ROWS_READ, Store, limited};
use crate::{
    error::StoreError,
    key::IntakeKey,
    sqlite::{change::Change, committer::Operation, submission},
    submission::{Answered, EarlierAnswer, Listed, Listing, MAX_ANSWER_BYTES, Submitter},
};

impl Store {
    /// The system of this name, as the store knows it.
    pub fn submitter(&self, name: &str) -> Submitter {
        Submitter(self.intake_key(&[b"system\0", name.as_bytes()].concat()))
    }

    /// Names a request of a system by the key that it gave.
    pub fn request_key(&self, by: Submitter, key: &str) -> IntakeKey {
        self.intake_key(&[b"request\0".as_slice(), &by.0.0, key.as_bytes()].concat())
    }

    /// What was answered to this request, if that was less than [`ANSWER_LIFETIME`](crate::ANSWER_LIFETIME) ago. Fails when
    /// it is new and so many answers are remembered that there is no room for another.
    pub async fn earlier_answer(
        &self,
        request: IntakeKey,
        now: Timestamp,
    ) -> Result<Option<EarlierAnswer>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let earlier = submission::earlier(&mut reader, request, now).await?;
        if earlier.is_none() {
            submission::check_room(&mut reader).await?;
        }
        Ok(earlier)
    }

    /// Remembers what a request was answered and which messages came of it, and forgets answers that are too old. One that
    /// is remembered already stays as it is.
    pub async fn remember_answer(&self, answered: Answered) -> Result<(), StoreError> {
        limited("bytes of an answer", answered.answer.len(), MAX_ANSWER_BYTES)?;
        limited("messages of one request", answered.messages.len(), MAX_BATCH)?;
        let bytes = answered.answer.len();
        self.0.committer.submit(Change::Answered(answered), bytes, Operation::Change).await.map(drop)
    }

    /// Whether this system handed over the message with this index.
    pub async fn is_submitted_by(&self, by: Submitter, index: u64) -> Result<bool, StoreError> {
        submission::is_by(&mut *self.0.readers.acquire().await?, by, index).await
    }

    /// The last message that was made of the source record with this key, whatever became of it.
    pub async fn offered_before(&self, record: IntakeKey) -> Result<Option<u64>, StoreError> {
        submission::offered(&mut *self.0.readers.acquire().await?, record).await
    }

    /// Messages, the newest first, a bounded part of the log at a time: what is rare does not keep a reader for long.
    pub async fn list(&self, listing: Listing) -> Result<Listed, StoreError> {
        let listing = Listing { limit: listing.limit.clamp(1, MAX_ROWS_READ), ..listing };
        submission::list(&mut *self.0.readers.acquire().await?, &listing).await
    }
}
