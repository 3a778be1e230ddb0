//! A node that can die and start again.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use exchange::{
    clock::{Clock, ManualClock},
    oin::Oin,
    random::SeededRandom,
    tlog::{Checkpoint, LogVerifier, verify_consistency},
};
use jiff::{SignedDuration, Timestamp};
use node::core::Core;
use store::{Filter, MAX_ROWS_READ, MessageRow, Options, State, Store};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::parties::Keys;

/// No step takes this long, on whatever machine.
const PATIENCE: Duration = Duration::from_mins(1);
const ENDLESS: &str = "the step does not end";

/// A clock that is wrong by a fixed time.
struct SkewedClock {
    shared: Arc<ManualClock>,
    ahead: SignedDuration,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.shared.now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }
}

/// The process: what is gone when it dies.
struct Process<U> {
    runtime: Runtime,
    core: Arc<Core>,
    under_way: BTreeMap<u64, U>,
}

/// What is known of a log from outside.
#[derive(Debug, Clone)]
struct Seen {
    checkpoint: Checkpoint,
    rows: Vec<MessageRow>,
}

/// Where a node has its database, and what makes it the node it is.
pub(crate) struct Place {
    pub(crate) oin: Oin,
    pub(crate) keys: Keys,
    pub(crate) database: PathBuf,
    /// Of its randomness. Not the seed of the keys.
    pub(crate) seed: u64,
}

/// A node with its database. `U` is a batch of which the answer is still to come.
pub(crate) struct SimNode<U> {
    pub(crate) oin: Oin,
    /// By how much its clock is ahead.
    pub(crate) skew: SignedDuration,
    /// Whether a batch was refused as a whole, so that each message is tried by itself.
    pub(crate) one_by_one: bool,
    /// How many entries its log must have by now. Not known when a step was cut off.
    pub(crate) log_size: Option<u64>,
    clock: Arc<SkewedClock>,
    random: Arc<SeededRandom>,
    database: PathBuf,
    keys: Keys,
    process: Option<Process<U>>,
    /// It was started again and not looked at since.
    restarted: bool,
    /// After how many turns the next step is cut off.
    cut_after: Option<u16>,
    seen: Option<Seen>,
}

/// What came of a step.
pub(crate) enum Ran<T> {
    /// It was taken to its end.
    Done(T),
    /// It was taken to its end, and then the process died.
    DoneThenDied(T),
    /// The process died during it.
    Cut,
}

impl<T> Ran<T> {
    /// Whether the process died.
    pub(crate) const fn died(&self) -> bool {
        !matches!(self, Self::Done(_))
    }
}

impl<U> SimNode<U> {
    /// A node as it is at the beginning of a run.
    pub(crate) fn start(place: Place, shared: &Arc<ManualClock>, ahead: i64) -> anyhow::Result<Self> {
        let skew = SignedDuration::from_secs(ahead);
        let mut node = Self {
            oin: place.oin,
            skew,
            one_by_one: false,
            log_size: None,
            clock: Arc::new(SkewedClock { shared: shared.clone(), ahead: skew }),
            random: Arc::new(SeededRandom::new(place.seed)),
            database: place.database,
            keys: place.keys,
            process: None,
            restarted: false,
            cut_after: None,
            seen: None,
        };
        node.open()?;
        Ok(node)
    }

    fn open(&mut self) -> anyhow::Result<()> {
        let options = Options::new(
            self.database.clone(),
            self.oin,
            self.keys.storage.clone(),
            self.keys.log.clone(),
            self.random.clone(),
        );
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let core = runtime.block_on(async {
            let store = Store::open(options).await?;
            let signer = self.keys.signer.clone();
            anyhow::Ok(Core::new(self.oin, store, signer, self.clock.clone(), self.random.clone()).await?)
        })?;
        self.process = Some(Process { runtime, core: Arc::new(core), under_way: BTreeMap::new() });
        Ok(())
    }

    /// Kills the process where it is and starts it again.
    pub(crate) fn crash(&mut self) -> anyhow::Result<()> {
        self.cut_after = None;
        if let Some(Process { runtime, core, under_way }) = self.process.take() {
            // The tasks go first, wherever they are: nobody gets to finish anything.
            drop(runtime);
            drop((core, under_way));
        }
        self.one_by_one = false;
        self.open().context("starting again")?;
        self.restarted = true;
        Ok(())
    }

    /// After a start, checks that nothing that was confirmed is gone.
    pub(crate) fn check_restart(&mut self) -> anyhow::Result<()> {
        if !std::mem::take(&mut self.restarted) {
            return Ok(());
        }
        self.observe().context("after a crash")
    }

    /// Notes that so many entries are confirmed to be in the log.
    pub(crate) fn grow(&mut self, entries: usize) -> anyhow::Result<()> {
        let entries = u64::try_from(entries)?;
        self.log_size = self.log_size.map(|size| size + entries);
        Ok(())
    }

    /// Has the next step cut off.
    pub(crate) fn arm(&mut self, turns: u16) {
        self.cut_after = Some(turns);
    }

    /// Lets the next step be.
    pub(crate) fn disarm(&mut self) {
        self.cut_after = None;
    }

    fn process(&self) -> anyhow::Result<&Process<U>> {
        self.process.as_ref().context("a node that runs")
    }

    /// The running node.
    pub(crate) fn core(&self) -> anyhow::Result<Arc<Core>> {
        Ok(self.process()?.core.clone())
    }

    /// What it sent and has no answer to.
    pub(crate) fn under_way(&mut self) -> anyhow::Result<&mut BTreeMap<u64, U>> {
        Ok(&mut self.process.as_mut().context("a node that runs")?.under_way)
    }

    /// The time as it sees it.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The key of its log.
    pub(crate) fn log_key(&self) -> LogVerifier {
        self.keys.log.verifier()
    }

    /// Takes a step that is not cut off.
    pub(crate) fn steady<T>(&self, step: impl AsyncFnOnce(&Core) -> T) -> anyhow::Result<T> {
        let process = self.process()?;
        process.runtime.block_on(async { timeout(PATIENCE, step(&process.core)).await }).context(ENDLESS)
    }

    /// Takes a step, unless the process is to die during it.
    pub(crate) fn run<T>(&mut self, step: impl AsyncFnOnce(&Core) -> T) -> anyhow::Result<Ran<T>> {
        let Some(turns) = self.cut_after.take() else { return Ok(Ran::Done(self.steady(step)?)) };
        let process = self.process()?;
        let outcome = process.runtime.block_on(async {
            tokio::select! {
                biased;
                outcome = timeout(PATIENCE, step(&process.core)) => Some(outcome),
                () = pass(turns) => None,
            }
        });
        let outcome = outcome.transpose().context(ENDLESS)?;
        self.log_size = self.log_size.filter(|_| outcome.is_some());
        self.crash()?;
        if outcome.is_none() {
            // Nobody knows how far it came.
            self.check_restart()?;
        }
        Ok(outcome.map_or(Ran::Cut, Ran::DoneThenDied))
    }

    /// Holds what is durable against what was durable before: the log has only grown, and no message went back.
    pub(crate) fn observe(&mut self) -> anyhow::Result<()> {
        let key = self.log_key();
        let before = self.seen.take();
        let expected = self.log_size;
        let seen = self.steady(async |core| {
            let checkpoint = key.open(&core.store.checkpoint().await?).context("our own checkpoint")?;
            if let Some(expected) = expected {
                anyhow::ensure!(
                    checkpoint.size == expected,
                    "the log has {} entries, not the {expected} that were confirmed",
                    checkpoint.size
                );
            }
            if let Some(before) = &before {
                extends(&core.store, &before.checkpoint, &checkpoint).await?;
            }
            anyhow::Ok(Seen { checkpoint, rows: rows(&core.store).await? })
        })??;
        if let Some(before) = &before {
            check_progress(&before.rows, &seen.rows)?;
        }
        self.log_size = Some(seen.checkpoint.size);
        self.seen = Some(seen);
        Ok(())
    }

    /// All its messages, as of the last time they were observed.
    pub(crate) fn rows(&self) -> &[MessageRow] {
        self.seen.as_ref().map_or(&[], |seen| &seen.rows)
    }
}

/// Lets everything else in the runtime have this many turns.
async fn pass(turns: u16) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

/// That the log of `store` with checkpoint `to` begins with what `from` signed.
pub(crate) async fn extends(store: &Store, from: &Checkpoint, to: &Checkpoint) -> anyhow::Result<()> {
    anyhow::ensure!(from.size <= to.size, "the log of {} entries shrank to {}", from.size, to.size);
    let proof = store.consistency(from.size, to.size).await?;
    verify_consistency(from.size, to.size, &proof, &from.root, &to.root).context("the log was rewritten")
}

/// Every message a store knows, in log order.
pub(crate) async fn rows(store: &Store) -> anyhow::Result<Vec<MessageRow>> {
    let mut rows: Vec<MessageRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.index);
        let page = store.messages(Filter { after, limit: MAX_ROWS_READ, ..Filter::default() }).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// No message disappears or changes, and a decision of the receiver stays. It can be erased once, and kept on another basis
/// than the consent it came under.
fn check_progress(before: &[MessageRow], after: &[MessageRow]) -> anyhow::Result<()> {
    for (old, new) in before.iter().zip(after) {
        let frozen = matches!(old.state, State::Admitted | State::Refused);
        let mut same = new.clone();
        if !frozen {
            (same.state, same.reason, same.finished) = (old.state, old.reason.clone(), old.finished);
        }
        same.erased = same.erased.filter(|_| old.erased.is_some());
        same.consent = same.consent.or(old.consent);
        anyhow::ensure!(same == *old, "message {} changed from {old:?} to {new:?}", old.index);
    }
    anyhow::ensure!(after.len() >= before.len(), "{} messages became {}", before.len(), after.len());
    Ok(())
}
