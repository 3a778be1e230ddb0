//! Retention: what its purpose does not allow to be kept any longer is erased: messages, and the records of consents that
//! ended.

use std::{sync::Arc, time::Duration};

use store::StoreError;

use crate::{core::Core, drop_folders::Results};

/// How often to look. A retention period is counted in days.
const EVERY: Duration = Duration::from_hours(1);

/// Between two steps, so that messages go before it.
const PAUSE: Duration = Duration::from_millis(20);

/// Applies it for as long as the node runs, to what connections leave behind as well. Where it was does not have to be remembered: each time begins at the start
/// of the log, and what was erased is passed over.
pub async fn run(core: Arc<Core>, results: Results) {
    loop {
        let files = results.clear(core.now()).await;
        if files > 0 {
            tracing::info!(files, "removed results of connections that may not be kept any longer");
        }
        match apply(&core).await {
            Ok(Applied { messages: 0, consent_records: 0 }) => {}
            Ok(Applied { messages, consent_records }) => {
                tracing::info!(messages, consent_records, "erased what may not be kept any longer");
            }
            Err(error) => {
                tracing::error!(%error, "cannot erase what may not be kept any longer; trying again later");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// Messages.
    pub messages: u64,
    /// Versions of records of consents.
    pub consent_records: u64,
}

/// Erases everything that may not be kept any longer, in small steps.
pub async fn apply(core: &Core) -> Result<Applied, StoreError> {
    let (mut erased, mut from) = (0, Some(0));
    while let Some(start) = from {
        let step = core.store.erase_expired(start, core.now()).await?;
        erased += step.erased;
        from = step.next;
        tokio::time::sleep(PAUSE).await;
    }
    let mut consent_records = 0;
    loop {
        let step = core.store.erase_expired_consent_records(core.now()).await?;
        if step == 0 {
            return Ok(Applied { messages: erased, consent_records });
        }
        consent_records += step;
        tokio::time::sleep(PAUSE).await;
    }
}
