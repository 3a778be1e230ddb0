//! Retention: what its purpose does not allow to be kept any longer is erased.

use std::{sync::Arc, time::Duration};

use store::StoreError;

use crate::core::Core;

/// How often to look. A retention period is counted in days.
const EVERY: Duration = Duration::from_hours(1);

/// Between two steps, so that messages go before it.
const PAUSE: Duration = Duration::from_millis(20);

/// Applies it for as long as the node runs. Where it was does not have to be remembered: each time begins at the start
/// of the log, and what was erased is passed over.
pub async fn run(core: Arc<Core>) {
    loop {
        match apply(&core).await {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "erased what may not be kept any longer"),
            Err(error) => {
                tracing::error!(%error, "cannot erase what may not be kept any longer; trying again later");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Erases everything that may not be kept any longer, in small steps; gives how many messages.
pub async fn apply(core: &Core) -> Result<u64, StoreError> {
    let (mut erased, mut from) = (0, Some(0));
    while let Some(start) = from {
        let step = core.store.erase_expired(start, core.now()).await?;
        erased += step.erased;
        from = step.next;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(erased)
}
