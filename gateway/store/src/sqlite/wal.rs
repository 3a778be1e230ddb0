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
use tokio::{
    sync::{Mutex, MutexGuard, Notify},
    task::JoinHandle,
};

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

/// At this length everybody waits until the committer has copied whatever is left. After a crash all of it is read.
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
    /// One copies at a time; SQLite would only say that somebody else is.
    copying: Mutex<()>,
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

    /// Copies what is in the log at this moment; gives how long it is and how much is left, both without what is
    /// written meanwhile. None if another process is copying.
    async fn copy(
        &self,
        connection: &mut SqliteConnection,
        _turn: MutexGuard<'_, ()>,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let row = sqlx::query(COPY).fetch_one(connection).await?;
        let (busy, length): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if busy != 0 || length < 0 {
            return Ok(None);
        }
        let page = u64::try_from(PAGE_BYTES).unwrap_or(u64::MAX);
        let (length, copied) = (from_sql(length)?, from_sql(row.try_get(2)?)?);
        Ok(Some((length * page, length.saturating_sub(copied) * page)))
    }

    /// Copies next to the committer, which may go on writing. Says whether that made a difference: not when somebody
    /// reads what is to be overwritten.
    async fn copy_meanwhile(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        let turn = self.0.copying.lock().await;
        let (length_before, not_copied_before) = (self.length(), self.not_copied());
        let Some((length, left)) = self.copy(connection, turn).await? else { return Ok(false) };
        // What was written since stands on top of what was found.
        adjust(&self.0.length, length_before, length);
        adjust(&self.0.not_copied, not_copied_before, left);
        Ok(left < not_copied_before)
    }

    /// Copies while nobody in this process writes.
    async fn copy_alone(
        &self,
        connection: &mut SqliteConnection,
        turn: MutexGuard<'_, ()>,
    ) -> Result<(), StoreError> {
        if let Some((length, left)) = self.copy(connection, turn).await? {
            // When nothing is left the next commit begins at the start.
            self.0.length.store(if left == 0 { 0 } else { length }, Ordering::Relaxed);
            self.0.not_copied.store(left, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Replaces the part of a gauge that was there before by what it turned out to be.
fn adjust(gauge: &AtomicU64, before: u64, found: u64) {
    let _ = gauge.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
        Some(now.saturating_sub(before).saturating_add(found))
    });
}

/// Starts the copying on a connection of its own.
pub(crate) fn start(target: Target, gauge: Gauge) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut connection = None;
        let mut useful = true;
        while !gauge.is_closing() {
            if gauge.not_copied() == 0 {
                gauge.0.wake.notified().await;
            }
            if (gauge.not_copied() < COPY_EVERY || !useful) && !gauge.is_closing() {
                // Little was written: wait for more, but not for ever.
                let _ = tokio::time::timeout(COPY_AFTER, gauge.0.wake.notified()).await;
            }
            useful = copy(&target, &mut connection, &gauge).await.unwrap_or_else(|error| {
                // Another connection copies or closes just now. What is left is copied next time or by who closes last;
                // if it grows too long meanwhile the committer says so.
                if matches!(error, StoreError::Locked(_)) {
                    tracing::debug!(%error, "the write-ahead log is not copied now");
                } else {
                    tracing::warn!(%error, "the write-ahead log could not be copied");
                }
                connection = None;
                false
            });
        }
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the copying of the write-ahead log did not end neatly");
        }
    })
}

/// Says whether it made a difference.
async fn copy(
    target: &Target,
    connection: &mut Option<SqliteConnection>,
    gauge: &Gauge,
) -> Result<bool, StoreError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(target.checkpointer().await?),
    };
    let mut useful = gauge.copy_meanwhile(connection).await?;
    // A long log must come near its end before the committer can let it start anew.
    while useful
        && gauge.length() >= RESTART_FROM
        && gauge.not_copied() >= RESTART_WITH
        && !gauge.is_closing()
    {
        useful = gauge.copy_meanwhile(connection).await?;
    }
    Ok(useful)
}

/// Lets the log start anew when it has become too long.
pub(super) async fn bound(writer: &Writer, connection: &mut SqliteConnection) {
    let gauge = &writer.wal;
    let turn = if gauge.length() >= LONGEST {
        gauge.0.copying.lock().await
    } else if gauge.length() >= RESTART_FROM && gauge.not_copied() < RESTART_WITH {
        let Ok(turn) = gauge.0.copying.try_lock() else { return };
        turn
    } else {
        return;
    };
    if let Err(error) = gauge.copy_alone(connection, turn).await {
        tracing::warn!(%error, "the write-ahead log could not start anew");
    }
}
