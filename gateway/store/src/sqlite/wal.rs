//! Keeping the write-ahead log short, off the path of commits.
//!
//! Copying its pages into the database is done on a connection of its own, next to the committer. Under a load that
//! never pauses that alone cannot let the log start anew; past a bound the committer does so between two groups.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use sqlx::{Row as _, SqliteConnection};
use tokio::{sync::Notify, task::JoinHandle};

use super::{committer::Writer, connect::Target};
use crate::error::StoreError;

/// Pages written since the last copying after which there is a new one. A page is 4 or 8 KiB.
const COPY_EVERY_PAGES: i64 = 2000;

/// The log may have this many pages: 64 MiB, a second or so of reading after a crash.
const MAX_PAGES: i64 = 8000;

/// A log in which nothing more is written is copied after this long.
const COPY_AFTER: Duration = Duration::from_secs(1);

/// How long the log is, as far as is known.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Pages in the log.
    pages: AtomicI64,
    /// Of those, not yet copied.
    waiting: AtomicI64,
    wake: Notify,
}

impl Gauge {
    /// A commit wrote about this many pages.
    pub(super) fn wrote(&self, pages: i64) {
        self.0.pages.fetch_add(pages, Ordering::Relaxed);
        let before = self.0.waiting.fetch_add(pages, Ordering::Relaxed);
        if before == 0 || (before < COPY_EVERY_PAGES && before + pages >= COPY_EVERY_PAGES) {
            self.0.wake.notify_one();
        }
    }

    fn measured(&self, pages: i64, copied: i64) {
        self.0.pages.store(pages, Ordering::Relaxed);
        self.0.waiting.store(pages - copied, Ordering::Relaxed);
    }
}

/// Starts the copying on a connection of its own.
pub(crate) fn start(target: Target, gauge: Gauge) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut connection = None;
        loop {
            gauge.0.wake.notified().await;
            if gauge.0.waiting.load(Ordering::Relaxed) < COPY_EVERY_PAGES {
                // Little was written: wait for more, but not for ever.
                let _ = tokio::time::timeout(COPY_AFTER, gauge.0.wake.notified()).await;
            }
            match copy(&target, connection.take(), &gauge).await {
                Ok(used) => connection = Some(used),
                Err(error) => tracing::warn!(%error, "the write-ahead log could not be copied"),
            }
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
    checkpoint(&mut connection, "PRAGMA wal_checkpoint(PASSIVE)", gauge).await?;
    Ok(connection)
}

/// Lets the log start anew when it has become too long.
pub(super) async fn bound(writer: &Writer, connection: &mut SqliteConnection) {
    if writer.wal.0.pages.load(Ordering::Relaxed) < MAX_PAGES {
        return;
    }
    if let Err(error) = checkpoint(connection, "PRAGMA wal_checkpoint(RESTART)", &writer.wal).await {
        tracing::warn!(%error, "the write-ahead log could not start anew");
    }
}

async fn checkpoint(
    connection: &mut SqliteConnection,
    statement: &'static str,
    gauge: &Gauge,
) -> Result<(), StoreError> {
    let row = sqlx::query(statement).fetch_one(connection).await?;
    let (busy, pages, copied): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    // After a restart the next commit begins at the start of the log.
    let anew = busy == 0 && pages == copied;
    gauge.measured(if anew { 0 } else { pages }, if anew { 0 } else { copied });
    Ok(())
}
