//! Brings the records to the collector while the node runs: from where it was, in order, at least once.

use std::{sync::Arc, time::Duration};

use store::StoreError;

use super::{Deriver, collector::Collector, otlp};
use crate::core::Core;

/// Records in one request; the messages of one entry about an erasure stay together, so there may be 255 more.
const BATCH: usize = 256;
/// How often to look whether there is something to do.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two batches, so that messages go first.
const BREATH: Duration = Duration::from_millis(5);
/// When the log grows by this much between two batches, the rest can wait.
const BUSY: u64 = 20;
/// After a first failure; each next time it is twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest between two attempts.
const LAST_RETRY: Duration = Duration::from_mins(5);
/// So many entries behind is worth a warning, and so is twice that.
const BEHIND: u64 = 10_000;

/// What one step came to.
enum Step {
    /// There is nothing (more) to bring.
    Nothing,
    /// There may be more.
    More,
    /// It did not succeed.
    Failed,
}

/// Runs until cancelled.
pub async fn run(core: Arc<Core>, collector: Collector, register: Option<String>) {
    let (mut retry, mut size, mut warn_at) = (FIRST_RETRY, 0, BEHIND);
    loop {
        let step = match step(&core, &collector, register.as_deref()).await {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(%error, "cannot read what was processed; trying again");
                Step::Failed
            }
        };
        let now = core.store.log_size().await.unwrap_or(size);
        let grown = now.saturating_sub(std::mem::replace(&mut size, now));
        warn_at = warn_when_behind(&core, now, warn_at).await;
        let pause = match step {
            Step::Failed => {
                let pause = retry;
                retry = (retry * 2).min(LAST_RETRY);
                pause
            }
            Step::More if grown < BUSY => BREATH,
            Step::More | Step::Nothing => INTERVAL,
        };
        if !matches!(step, Step::Failed) {
            retry = FIRST_RETRY;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Brings one batch.
async fn step(core: &Core, collector: &Collector, register: Option<&str>) -> Result<Step, StoreError> {
    let from = core.store.exported().await?.next;
    let found = Deriver::new(core, register).records(from, BATCH).await?;
    if found.next == from {
        return Ok(Step::Nothing);
    }
    let rejected = if found.records.is_empty() {
        0
    } else {
        match collector.send(otlp::request(core.me, &found.records)).await {
            Ok(rejected) => rejected,
            Err(error) => {
                tracing::warn!(reason = ?error, "the collector of processings did not take records; trying again");
                core.store.note_export_failure(&error.to_string(), core.now()).await?;
                return Ok(Step::Failed);
            }
        }
    };
    if rejected > 0 {
        tracing::error!(
            rejected,
            from,
            "the collector of processings rejects records; it will not get them again"
        );
    }
    let records = u64::try_from(found.records.len()).unwrap_or(u64::MAX);
    core.store.note_exported((from, found.next), (records, rejected), core.now()).await?;
    Ok(Step::More)
}

/// Says that it is far behind, when it is, and again each time that has doubled; gives when to say it next.
async fn warn_when_behind(core: &Core, size: u64, at: u64) -> u64 {
    let Ok(state) = core.store.exported().await else { return at };
    let behind = size.saturating_sub(state.next);
    if behind < BEHIND {
        return BEHIND;
    }
    if behind < at {
        return at;
    }
    tracing::warn!(behind, "records of processings wait for the collector");
    behind * 2
}
