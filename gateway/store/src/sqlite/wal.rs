//! Keeping the write-ahead log short, off the path of commits.
//!
//! Copying its pages into the database is done on a connection of its own, next to the committer. Under a load that
//! never pauses that alone cannot let the log start anew: there is always something in it that is not copied yet. Past
//! a bound the committer copies the last bit itself, between two groups; its next commit then begins at the start.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::{sync::Notify, task::JoinHandle};

use super::{
    column::from_sql,
    committer::Writer,
    connect::{PAGE_BYTES, Target},
};
use crate::error::StoreError;

/// There is a copying after every so many bytes.
const COPY_EVERY: u64 = 16 * 1024 * 1024;

/// A log in which little is written is copied after this long. Not sooner: each copying syncs the database, and a
/// commit at that moment waits for it.
const COPY_AFTER: Duration = Duration::from_secs(5);

/// From this length on the committer lets the log start anew as soon as little is left to copy.
const RESTART_FROM: u64 = 48 * 1024 * 1024;

/// Little: a few milliseconds' work.
const RESTART_WITH: u64 = 2 * 1024 * 1024;

/// At this length the committer copies whatever is left. After a crash all of it is read.
const LONGEST: u64 = 128 * 1024 * 1024;

/// Copies as much as it can without waiting for anybody.
const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// How long the log is, as far as is known, in bytes.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Shared>);

#[derive(Default)]
struct Shared {
    length: AtomicU64,
    not_copied: AtomicU64,
    wake: Notify,
    closing: AtomicBool,
}

impl Gauge {
    /// A commit wrote about so much.
    pub(super) fn wrote(&self, bytes: u64) {
        self.0.length.fetch_add(bytes, Ordering::Relaxed);
        let before = self.0.not_copied.fetch_add(bytes, Ordering::Relaxed);
        if before == 0 || (before < COPY_EVERY && before + bytes >= COPY_EVERY) {
            self.0.wake.notify_one();
        }
    }

    /// Lets the copying end.
    pub(crate) fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
        self.0.wake.notify_one();
    }

    fn length(&self) -> u64 {
        self.0.length.load(Ordering::Relaxed)
    }

    fn not_copied(&self) -> u64 {
        self.0.not_copied.load(Ordering::Relaxed)
    }

    fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    /// Copies, and takes in how long the log really is.
    async fn copy(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let row = sqlx::query(COPY).fetch_one(connection).await?;
        let (busy, length): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if busy != 0 || length < 0 {
            return Ok(());
        }
        let page = u64::try_from(PAGE_BYTES).unwrap_or(u64::MAX);
        let (length, copied) = (from_sql(length)?, from_sql(row.try_get(2)?)?);
        let left = length.saturating_sub(copied) * page;
        // When nothing is left the next commit begins at the start.
        self.0.length.store(if left == 0 { 0 } else { length * page }, Ordering::Relaxed);
        self.0.not_copied.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// Starts the copying on a connection of its own.
pub(crate) fn start(target: Target, gauge: Gauge) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut connection = None;
        while !gauge.is_closing() {
            gauge.0.wake.notified().await;
            if gauge.not_copied() < COPY_EVERY && !gauge.is_closing() {
                // Little was written: wait for more, but not for ever.
                let _ = tokio::time::timeout(COPY_AFTER, gauge.0.wake.notified()).await;
            }
            match copy(&target, connection.take(), &gauge).await {
                Ok(used) => connection = Some(used),
                Err(error) => tracing::warn!(%error, "the write-ahead log could not be copied"),
            }
        }
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the copying of the write-ahead log did not end neatly");
        }
    })
}

async fn copy(
    target: &Target,
    connection: Option<SqliteConnection>,
    gauge: &Gauge,
) -> Result<SqliteConnection, StoreError> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => target.checkpointer().await?,
    };
    gauge.copy(&mut connection).await?;
    // A long log must come near its end before the committer can let it start anew. Unless somebody reads what is to
    // be overwritten: then nothing helps but waiting.
    let mut left = u64::MAX;
    while gauge.length() >= RESTART_FROM
        && gauge.not_copied() >= RESTART_WITH
        && gauge.not_copied() < left
        && !gauge.is_closing()
    {
        left = gauge.not_copied();
        gauge.copy(&mut connection).await?;
    }
    Ok(connection)
}

/// Lets the log start anew when it has become too long.
pub(super) async fn bound(writer: &Writer, connection: &mut SqliteConnection) {
    let (length, left) = (writer.wal.length(), writer.wal.not_copied());
    if length < RESTART_FROM || (left >= RESTART_WITH && length < LONGEST) {
        return;
    }
    if let Err(error) = writer.wal.copy(connection).await {
        tracing::warn!(%error, "the write-ahead log could not start anew");
    }
}
