//! Keeps residents findable while the node runs.

use std::{sync::Arc, time::Duration};

use crate::core::Core;

/// How often to look whether there is something to do.
const INTERVAL: Duration = Duration::from_secs(1);
/// After a failure: the disk may be full, and this can wait.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// Between two pieces of work, so that messages go first.
const BREATH: Duration = Duration::from_millis(5);
/// When the log grows by this much between two pieces of work, the rest can wait: what is not sorted yet is found too,
/// only less quickly.
const BUSY: u64 = 20;
/// How many messages are made findable between two lines in the program's log.
const TELL_EVERY: u64 = 64 * 1024;

/// Runs until cancelled.
pub async fn run(core: Arc<Core>) {
    let mut told = None;
    let mut size = 0;
    loop {
        let pause = match core.store.keep_subjects().await {
            Ok(done) => {
                tell(&mut told, done.to_fill);
                let grown = done.log_size.saturating_sub(std::mem::replace(&mut size, done.log_size));
                if done.more && grown < BUSY { BREATH } else { INTERVAL }
            }
            Err(error) => {
                tracing::error!(%error, "cannot keep the messages of residents findable; trying again");
                AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Says how far the messages are that were there before the lookup was.
fn tell(told: &mut Option<u64>, left: u64) {
    match *told {
        None if left > 0 => {
            tracing::info!(left, "making earlier messages findable by resident");
            *told = Some(left);
        }
        Some(before) if left == 0 && before > 0 => {
            tracing::info!("all messages can be found by resident");
            *told = Some(0);
        }
        Some(before) if before - left.min(before) >= TELL_EVERY => {
            tracing::info!(left, "making earlier messages findable by resident");
            *told = Some(left);
        }
        _ => {}
    }
}
