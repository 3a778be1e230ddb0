//! Events, and who was told of them.

use jiff::Timestamp;

use super::{MAX_BATCH, MAX_ROWS_READ, Store, check_text, limited};
use crate::{
    error::StoreError,
    events::{DeadLetter, DeadLetters, Event, EventKind, Telling, Webhook},
    sqlite::{change::Change, events, events::EventChange},
};

impl Store {
    /// Keeps events from now on, or not any more.
    pub async fn keep_events(&self, kept: bool) -> Result<(), StoreError> {
        self.of_events(EventChange::Keep(kept)).await.map(drop)
    }

    /// The number of the last event; 0 before the first.
    pub async fn last_event(&self) -> Result<u64, StoreError> {
        events::last(&mut *self.0.readers.acquire().await?).await
    }

    /// Events of these kinds after a number, in their order, at most [`MAX_ROWS_READ`].
    pub async fn events(
        &self,
        after: u64,
        kinds: &[EventKind],
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = limit.clamp(1, MAX_ROWS_READ);
        events::after(&mut *self.0.readers.acquire().await?, (after, kinds), limit).await
    }

    /// The systems that are or were told of events, by name.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        events::webhooks(&mut *self.0.readers.acquire().await?).await
    }

    /// A system is told of what happens from now on, unless it was told before: then it goes on where it was.
    pub async fn begin_webhook(&self, name: &str) -> Result<(), StoreError> {
        let name = check_text(name)?.to_owned();
        self.of_events(EventChange::Begin(name)).await.map(drop)
    }

    /// How telling a system ended of what comes at `from`. Says whether it was this far: what somebody else noted stays.
    pub async fn note_telling(
        &self,
        hook: &str,
        (from, event): (u64, u64),
        telling: Telling,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let hook = check_text(hook)?.to_owned();
        Ok(self.of_events(EventChange::Note { hook, from, event, telling, now }).await? > 0)
    }

    /// A system that was stopped is told of events again, from where it was; says whether it was stopped.
    pub async fn resume_webhook(&self, name: &str) -> Result<bool, StoreError> {
        let name = check_text(name)?.to_owned();
        Ok(self.of_events(EventChange::Resume(name)).await? > 0)
    }

    /// Events that were not taken.
    pub async fn dead_letters(&self, which: DeadLetters) -> Result<Vec<DeadLetter>, StoreError> {
        let which = DeadLetters { limit: which.limit.clamp(1, MAX_ROWS_READ), ..which };
        events::dead_letters(&mut *self.0.readers.acquire().await?, &which).await
    }

    /// Wants these tried once more; gives how many of them there are.
    pub async fn retry_dead_letters(&self, numbers: Vec<u64>, now: Timestamp) -> Result<u64, StoreError> {
        limited("dead letters", numbers.len(), MAX_BATCH)?;
        self.of_events(EventChange::Retry { numbers, now }).await
    }

    /// These are told, or are given up; gives how many of them there were.
    pub async fn remove_dead_letters(&self, numbers: Vec<u64>) -> Result<u64, StoreError> {
        limited("dead letters", numbers.len(), MAX_BATCH)?;
        self.of_events(EventChange::Remove(numbers)).await
    }

    /// One was tried once more, in vain.
    pub async fn note_dead_letter(
        &self,
        number: u64,
        failure: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.of_events(EventChange::StillDead { number, failure, now }).await.map(drop)
    }

    /// Forgets events from before `before` that every one of these systems passed, at most [`MAX_BATCH`]; gives how many.
    pub async fn forget_events(&self, before: Timestamp, hooks: Vec<String>) -> Result<u64, StoreError> {
        self.of_events(EventChange::Forget { before, hooks }).await
    }

    async fn of_events(&self, change: EventChange) -> Result<u64, StoreError> {
        self.change(Change::Events(change)).await
    }
}
