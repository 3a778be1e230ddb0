//! What was sent and did not arrive.

use jiff::Timestamp;

use super::{MAX_ROWS_READ, Store};
use crate::{
    error::StoreError,
    sqlite::{
        change::Change,
        undelivered::{self, Resignation},
    },
    undelivered::{GivenUp, Queue, Undelivered, UndeliveredRows},
};

impl Store {
    /// Messages that did not arrive, the oldest first, a bounded part of them at a time.
    pub async fn undelivered(&self, which: Undelivered) -> Result<UndeliveredRows, StoreError> {
        let which = Undelivered { limit: which.limit.clamp(1, MAX_ROWS_READ), ..which };
        undelivered::list(&mut *self.0.readers.acquire().await?, &which).await
    }

    /// What waits for whom, who waits longest first. At most [`MAX_ROWS_READ`] organisations.
    pub async fn queues(&self) -> Result<Vec<Queue>, StoreError> {
        undelivered::queues(&mut *self.0.readers.acquire().await?, MAX_ROWS_READ).await
    }

    /// Gives up a message that waits or cannot be delivered, for good: it is not sent any more, also not by `resend`. One
    /// that is under way may be filed by its receiver all the same; its receipt has the last word.
    pub async fn give_up(&self, index: u64, why: GivenUp, now: Timestamp) -> Result<(), StoreError> {
        let to = self.logged(index).await?.map(|row| row.partner);
        let store = self.clone();
        self.while_nothing_is_chosen(async move {
            store.change(Change::GiveUp(Resignation { index, why, now })).await?;
            Ok(((), to.map(|to| (to, index)).into_iter().collect()))
        })
        .await
    }
}
