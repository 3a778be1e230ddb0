//! Holds the signals that come in against each other, off the path of a message, while the node runs.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use store::{MAX_MATCHED, MatchUpkeep, StoreError};

use crate::core::Core;

/// How far apart two signals may be received to be about the same trouble: the retention of most signals is shorter.
pub const PERIOD: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How often to look whether there is something to do.
const INTERVAL: Duration = Duration::from_secs(1);
/// After a failure: the disk may be full, and this can wait.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// Between two pieces of work, so that messages go first.
const BREATH: Duration = Duration::from_millis(5);
/// When the log grows by this much between two pieces of work, the rest can wait.
const BUSY: u64 = 20;
/// Signals of one piece while the node is busy.
const WHILE_BUSY: usize = 16;

/// Does one piece of at most `most` signals.
pub async fn step(core: &Core, most: usize) -> Result<MatchUpkeep, StoreError> {
    core.store.match_signals((PERIOD, core.now()), most).await
}

/// Runs until cancelled.
pub async fn run(core: Arc<Core>) {
    let (mut size, mut busy) = (0, false);
    loop {
        let most = if busy { WHILE_BUSY } else { MAX_MATCHED };
        let pause = match step(&core, most).await {
            Ok(done) => {
                let grown = done.log_size.saturating_sub(std::mem::replace(&mut size, done.log_size));
                busy = grown >= BUSY;
                if done.more && !busy { BREATH } else { INTERVAL }
            }
            Err(error) => {
                tracing::error!(%error, "cannot hold signals against each other; trying again");
                AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}
