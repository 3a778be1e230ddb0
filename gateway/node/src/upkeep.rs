//! What a running node does besides delivering: notice rules that another process changed, and spread agreements.

use std::{sync::Arc, time::Duration};

use transport::Link;

use crate::{agreements, core::Core};

const INTERVAL: Duration = Duration::from_secs(1);
/// Parties that could not be reached are tried again this often, in intervals.
const SPREAD_EVERY: u32 = 15;

/// Runs until cancelled.
pub async fn run(core: Arc<Core>, link: Link) {
    let mut version = None;
    let mut rounds: u32 = 0;
    loop {
        let current = core.store.rules_version().await.ok();
        let changed = current != version;
        if changed {
            version = current;
            if let Err(error) = core.reload_rules().await {
                tracing::error!(%error, "cannot read the rules; keeping the previous ones");
            }
        }
        if changed || rounds.is_multiple_of(SPREAD_EVERY) {
            match agreements::spread(&core, &link).await {
                Ok(results) => {
                    for result in results.iter().filter(|result| result.problem.is_some()) {
                        tracing::warn!(partner = %result.to, "an agreement could not be brought to a party yet");
                    }
                }
                Err(error) => tracing::error!(%error, "cannot spread agreements"),
            }
        }
        rounds = rounds.wrapping_add(1);
        tokio::time::sleep(INTERVAL).await;
    }
}
