//! Watching logs: which checkpoints were verified and cosigned, and which logs contradict themselves.

use exchange::{oin::Oin, tlog::Leaf};

use super::{MAX_DOCUMENT_BYTES, MAX_LEAF_BYTES, Store, check_text, limited};
use crate::{
    error::StoreError,
    model::{CosignedCheckpoint, RaisedAlarm},
    sqlite::{change::Change, committer::Operation, witness},
};

impl Store {
    /// Keeps a checkpoint that a witness cosigned. Of one witness and log the latest stays, and of those before it so
    /// many that a change of the log can be placed between two of them.
    pub async fn put_cosigned(&self, checkpoint: CosignedCheckpoint) -> Result<(), StoreError> {
        limited("bytes of a checkpoint", checkpoint.note.len(), MAX_DOCUMENT_BYTES)?;
        limited("bytes of a key", checkpoint.key.len(), MAX_DOCUMENT_BYTES)?;
        self.change(Change::PutCosigned(checkpoint)).await.map(drop)
    }

    /// The checkpoints of a log that were cosigned, by all witnesses or by one, the smallest first.
    pub async fn cosigned(
        &self,
        log: Oin,
        witness: Option<Oin>,
    ) -> Result<Vec<CosignedCheckpoint>, StoreError> {
        witness::cosigned(&mut *self.0.readers.acquire().await?, log, witness).await
    }

    /// The latest checkpoint of a log under a key that this witness cosigned.
    pub async fn last_cosigned(
        &self,
        log: Oin,
        witness: Oin,
        key: &str,
    ) -> Result<Option<CosignedCheckpoint>, StoreError> {
        let mut kept = self.cosigned(log, Some(witness)).await?;
        kept.retain(|one| one.key == key);
        Ok(kept.pop())
    }

    /// Keeps an alarm for good, and says so in the log. Says whether it is new: a log that contradicts one checkpoint
    /// does so however often it is asked. Of one log no more are kept than anybody needs to see.
    pub async fn raise_alarm(&self, alarm: RaisedAlarm, leaf: Leaf) -> Result<bool, StoreError> {
        check_text(&alarm.kind)?;
        limited("bytes of an alarm", alarm.evidence.len(), MAX_DOCUMENT_BYTES)?;
        limited("bytes of a leaf", leaf.bytes().len(), MAX_LEAF_BYTES)?;
        let bytes = alarm.evidence.len() + leaf.bytes().len();
        Ok(self.0.committer.submit((alarm, leaf), bytes, Operation::Alarm).await?.answer)
    }

    /// Every alarm, in the order in which they were raised, with its place in the log.
    pub async fn alarms(&self) -> Result<Vec<(u64, RaisedAlarm)>, StoreError> {
        witness::alarms(&mut *self.0.readers.acquire().await?).await
    }
}

#[cfg(test)]
mod tests;
