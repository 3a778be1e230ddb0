//! The use cases.

mod access;
mod consent;
mod desk;
mod erasing;
mod events;
mod figures;
mod handover;
mod inbound;
mod log;
mod matching;
mod outbound;
mod processing;
mod rules;
mod signal_term;
mod subject;
mod submission;
mod undelivered;
mod verify;
mod witness;

pub use matching::MAX_MATCHED;
pub use subject::{MAX_CANDIDATES, SubjectUpkeep};
pub use verify::{Anchor, Check, Verdict};

use std::{
    fs::File,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use exchange::{
    oin::Oin,
    random::Random,
    tlog::{Leaf, LogSigner},
};
use sqlx::{Connection as _, SqlitePool};
use tokio::{sync::OnceCell, task::JoinHandle};

use crate::{
    entry_keys,
    error::StoreError,
    hot::Hot,
    key::{IntakeKey, Keys, StorageKey},
    lease::Leases,
    seal::Vault,
    sqlite::{
        change::Change,
        committer::{Committer, Operation, Writer},
        connect::{self, Target},
        read, subject as subject_rows, wal,
    },
    subject::Tokeniser,
};

/// The longest text that says why a partner is not reached and what to do about it.
pub const MAX_FAILURE_BYTES: usize = 1024;

/// The most messages or leaves in one operation: larger ones would make others wait.
pub const MAX_BATCH: usize = 1024;

/// The longest signed message: 64 KiB of JSON in base64 with its header and signature.
pub const MAX_PAYLOAD_BYTES: usize = 96 * 1024;

/// The longest leaf; what receipts allow.
pub const MAX_LEAF_BYTES: usize = exchange::receipt::MAX_LEAF_BYTES;

/// The longest name, code or desk.
pub const MAX_TEXT_BYTES: usize = 256;

/// The most rows in one reading.
pub const MAX_ROWS_READ: usize = 500;

/// The longest document, in bytes: a descriptor, an agreement, an answer, a purpose, a receipt.
const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// How long to wait for another process that writes to the same database.
const PATIENCE: Duration = Duration::from_secs(5);

/// The reason of a message whose identifier is in use for another.
pub const CONFLICT_REASON: &str = exchange::refusal::Reason::DuplicateWithOtherContent.code();

/// The reason of a message that was not delivered in time.
pub const EXPIRED_REASON: &str = exchange::refusal::Reason::Expired.code();

/// The reason of a message that still waited when it was erased.
pub const ERASED_REASON: &str = "gewist";

/// The reason of a message that still waited when the consent under it ran out.
pub(crate) const CONSENT_EXPIRED_REASON: &str = exchange::refusal::Reason::ConsentExpired.code();

/// The reason of a message that still waited when the consent under it was withdrawn.
pub const WITHDRAWN_REASON: &str = exchange::refusal::Reason::ConsentWithdrawn.code();

/// The reason of a message that waited and cannot be read: its row is damaged.
pub const UNREADABLE_REASON: &str = "onleesbaar";

/// What a store needs.
#[derive(Clone)]
pub struct Options {
    /// The database file. Beside it stand its `-wal`, `-shm` and `-bezorging`.
    pub path: PathBuf,
    /// Whose store it is.
    pub oin: Oin,
    /// From which every other key of the store follows, except those of entries.
    pub storage_key: StorageKey,
    /// The file with what is left of the keys of entries. It belongs apart from the database: a copy of this file that
    /// is kept brings back what was erased since.
    pub entry_keys: PathBuf,
    /// Signs the checkpoints of the log; its origin is [`Oin::log_origin`].
    pub log: Arc<LogSigner>,
    /// Where keys and nonces come from.
    pub random: Arc<dyn Random>,
    /// How long to wait for another process; the default when `None`.
    pub patience: Option<Duration>,
    /// Open also when the head of the log does not belong to its end, to find out what is wrong with it. Nothing can be
    /// written then.
    pub unchecked: bool,
    /// Records of processings are brought to a collector: whom an erased entry was about is kept, sealed, until that has those
    /// about it.
    pub exports: bool,
    /// The database may not grow beyond this many pages of 16 KiB; no limit when `None`.
    pub max_pages: Option<u32>,
}

impl Options {
    /// The usual options; the keys of entries in a file beside the database, with `-sleutels` after its name.
    pub fn new(
        path: PathBuf,
        oin: Oin,
        storage_key: StorageKey,
        log: Arc<LogSigner>,
        random: Arc<dyn Random>,
    ) -> Self {
        let mut entry_keys = path.clone().into_os_string();
        entry_keys.push("-sleutels");
        let entry_keys = entry_keys.into();
        Self {
            path,
            oin,
            storage_key,
            entry_keys,
            log,
            random,
            patience: None,
            unchecked: false,
            exports: false,
            max_pages: None,
        }
    }

    fn target(&self) -> Target {
        Target {
            path: self.path.clone(),
            patience: self.patience.unwrap_or(PATIENCE),
            max_pages: self.max_pages,
        }
    }

    fn entry_keys(&self) -> entry_keys::Place {
        entry_keys::Place {
            path: self.entry_keys.clone(),
            oin: self.oin,
            random: Arc::clone(&self.random),
            patience: self.patience.unwrap_or(PATIENCE),
        }
    }
}

/// What a node remembers. Cheap to clone; the last clone closes the database.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    target: Target,
    vault: Arc<Vault>,
    log: Arc<LogSigner>,
    committer: Committer,
    committing: Mutex<Option<JoinHandle<()>>>,
    wal: wal::Gauge,
    copying: Mutex<Option<JoinHandle<()>>>,
    readers: SqlitePool,
    leases: Arc<Leases>,
    hot: Hot,
    tokeniser: Tokeniser,
    random: Arc<dyn Random>,
    exports: bool,
    expiry: outbound::Expiry,
    /// One reading of the queue at a time.
    reading: tokio::sync::Mutex<()>,
    /// That this process is the one that delivers.
    delivery: OnceCell<File>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wal.close();
    }
}

impl Store {
    /// Makes a new database and opens it. Refuses when there is a file already.
    pub async fn create(options: Options) -> Result<Self, StoreError> {
        let keys = Keys::derive(&options.storage_key)?;
        connect::create(&options.target(), options.oin, &keys).await?;
        Self::open(options).await
    }

    /// Opens the database. Refuses when there is none, and when it belongs to another organisation, was made with
    /// another key or by a newer version, is damaged, or is locked.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let keys = Keys::derive(&options.storage_key)?;
        let target = options.target();
        let mut connection = connect::open(&target, options.oin, &keys).await?;
        // Reads the end of the log and checks that it belongs to its head; in one view of the database, since another
        // process may commit in between.
        let mut view = connection.begin().await?;
        if !options.unchecked {
            read::log_state(&mut view).await?;
        }
        let salt = subject_rows::salt(&mut view).await?;
        view.rollback().await?;
        let tokeniser = Tokeniser::new(&options.storage_key, &salt)?;
        let entries = erasing::entry_keys(&mut connection, &keys, options.entry_keys()).await?;
        let vault = Arc::new(Vault { keys, entries });
        let gauge = wal::Gauge::default();
        let copying = wal::start(target.clone(), gauge.clone());
        let wal = gauge.clone();
        let log = Arc::clone(&options.log);
        let writer = Writer::new(
            target.clone(),
            connection,
            Arc::clone(&vault),
            Arc::clone(&options.random),
            options.log,
            gauge,
        );
        let (committer, committing) = Committer::start(writer);
        let readers = target.readers();
        Ok(Self(Arc::new(Inner {
            target,
            vault,
            log,
            committer,
            committing: Mutex::new(Some(committing)),
            wal,
            copying: Mutex::new(Some(copying)),
            readers,
            leases: Arc::default(),
            hot: Hot::default(),
            tokeniser,
            random: options.random,
            exports: options.exports,
            expiry: outbound::Expiry::default(),
            reading: tokio::sync::Mutex::default(),
            delivery: OnceCell::new(),
        })))
    }

    /// The key of one row of a source, by which it is recognised when it is offered again.
    pub fn intake_key(&self, row: &[u8]) -> IntakeKey {
        self.0.vault.keys.intake(row)
    }

    /// Takes note of keys that another process destroyed.
    fn refresh_keys(&self) {
        // What cannot be read now is read later; what the database says is erased is not shown whatever the keys.
        if let Err(error) = self.0.vault.entries.refresh() {
            tracing::error!(%error, "cannot read the key file");
        }
    }

    async fn change(&self, change: Change) -> Result<u64, StoreError> {
        Ok(self.0.committer.submit(change, 0, Operation::Change).await?.answer)
    }

    /// Finishes what waits and closes the database. Other clones of this store can do nothing more.
    pub async fn close(self) {
        // The committer goes last: only who can write can leave one file behind, without a write-ahead log.
        self.0.readers.close().await;
        self.0.wal.close();
        ended(&self.0.copying).await;
        self.0.committer.close();
        ended(&self.0.committing).await;
    }
}

/// Waits until a task has ended.
async fn ended(task: &Mutex<Option<JoinHandle<()>>>) {
    let task = task.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(task) = task
        && let Err(error) = task.await
    {
        tracing::error!(%error, "a task of the store did not end well");
    }
}

fn limited(what: &'static str, found: usize, limit: usize) -> Result<(), StoreError> {
    if found <= limit { Ok(()) } else { Err(StoreError::TooLarge { what, found, limit }) }
}

fn check_text(text: &str) -> Result<&str, StoreError> {
    limited("bytes of a name", text.len(), MAX_TEXT_BYTES).map(|()| text)
}

/// The room a message takes, if it is within the limits.
fn check_message(jws: &str, leaf: &Leaf) -> Result<usize, StoreError> {
    limited("bytes of a message", jws.len(), MAX_PAYLOAD_BYTES)?;
    limited("bytes of a leaf", leaf.bytes().len(), MAX_LEAF_BYTES)?;
    Ok(jws.len() + leaf.bytes().len())
}

#[cfg(test)]
mod tests;
