//! Making, opening and recognising a database.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read as _},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use exchange::oin::Oin;
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{error::StoreError, key::Keys};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Recognises our own files: 'SCHK'.
const APPLICATION_ID: u32 = 0x5343_484B;

/// The header of a SQLite file, up to and including the application id.
const HEADER_BYTES: usize = 72;

/// Only the node may read what it remembers.
const FILE_MODE: u32 = 0o600;

/// Rows are about 2.5 KiB with their payload. At the default of 4 KiB a third of every page would stay empty, and each
/// page costs three writes: measured, 14 µs of kernel time for each message, against 7 at 16 KiB.
pub(super) const PAGE_BYTES: usize = 16 * 1024;

/// What the writer keeps of the database in memory, in KiB.
const WRITER_CACHE_KIB: u32 = 8 * 1024;

/// What each reader keeps.
const READER_CACHE_KIB: u32 = 1024;

/// Readers at the same time. Reading is short: nothing reads more than a few hundred rows at once.
const READERS: u32 = 3;

/// After this an idle reader is closed, to give its memory back.
const READER_IDLE: Duration = Duration::from_secs(30);

/// The write-ahead log shrinks to this when it starts anew, in bytes. Writing over a file is quicker than making it
/// longer, so it may keep its usual length.
const WAL_KEPT_BYTES: u64 = 128 * 1024 * 1024;

/// Rows that SQLite's thread hands over without waiting for us: a whole batch, so that the two do not take turns.
const ROW_BUFFER: usize = 512;

/// How a connection is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// How long to wait for another process.
    pub(crate) patience: Duration,
    /// Not more than this many pages.
    pub(crate) max_pages: Option<u32>,
}

impl Target {
    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.patience)
            .foreign_keys(true)
            .pragma("temp_store", "MEMORY")
            .row_buffer_size(ROW_BUFFER)
            // A statement that waits for another process is not slow SQL, and says so by failing.
            .disable_statement_logging()
    }

    fn writer_options(&self) -> SqliteConnectOptions {
        let options = self
            .options()
            .pragma("page_size", PAGE_BYTES.to_string())
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", WAL_KEPT_BYTES.to_string());
        match self.max_pages {
            Some(pages) => options.pragma("max_page_count", pages.to_string()),
            None => options,
        }
    }

    /// A connection for writing.
    pub(crate) async fn writer(&self) -> Result<SqliteConnection, StoreError> {
        Ok(self.writer_options().connect().await?)
    }

    /// A connection that only does checkpoints of the write-ahead log. It does not wait for anybody.
    pub(crate) async fn checkpointer(&self) -> Result<SqliteConnection, StoreError> {
        let options = self
            .options()
            .busy_timeout(Duration::ZERO)
            .pragma("cache_size", "0")
            .synchronous(SqliteSynchronous::Full);
        Ok(options.connect().await?)
    }

    /// The connections for reading, made when they are needed.
    pub(crate) fn readers(&self) -> SqlitePool {
        let options = self.options().read_only(true).pragma("cache_size", format!("-{READER_CACHE_KIB}"));
        SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .acquire_timeout(self.patience)
            .idle_timeout(READER_IDLE)
            // The database is a file: a connection to it does not go stale.
            .test_before_acquire(false)
            .connect_lazy_with(options)
    }

    /// A file beside the database.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }
}

/// Makes the database of `oin`. It appears under its name complete, or not at all.
pub(crate) async fn create(target: &Target, oin: Oin, keys: &Keys) -> Result<(), StoreError> {
    if target.path.exists() {
        return Err(StoreError::AlreadyExists(target.path.clone()));
    }
    let draft = Target { path: target.beside(".nieuw"), ..target.clone() };
    // What a crash during an earlier attempt left behind was never anybody's log.
    remove_all(&draft)?;
    new_file(&draft.path)?;
    let made = fill(&draft, oin, keys).await;
    let placed = made.and_then(|()| place(&draft.path, &target.path));
    remove_all(&draft)?;
    placed
}

async fn fill(draft: &Target, oin: Oin, keys: &Keys) -> Result<(), StoreError> {
    let mut connection = draft.writer().await?;
    MIGRATIONS.run(&mut connection).await.map_err(of_migration)?;
    // Whose database this is.
    sqlx::query("INSERT INTO node (one, oin, key_mark) VALUES (1, ?1, ?2)")
        .bind(oin.as_str())
        .bind(keys.mark(oin))
        .execute(&mut connection)
        .await?;
    // The last connection that closes leaves one file, without a write-ahead log.
    connection.close().await?;
    Ok(())
}

/// Gives the finished file its name. A link, unlike a rename, never replaces what is there.
fn place(draft: &Path, path: &Path) -> Result<(), StoreError> {
    File::open(draft).and_then(|file| file.sync_all()).map_err(|error| io_error(&error))?;
    fs::hard_link(draft, path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::AlreadyExists(path.to_owned()),
        _ => io_error(&error),
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io_error(&error))
}

fn new_file(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
        .map(drop)
        .map_err(|error| io_error(&error))
}

fn remove_all(draft: &Target) -> Result<(), StoreError> {
    for path in [draft.path.clone(), draft.beside("-wal"), draft.beside("-shm")] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&error)),
            _ => {}
        }
    }
    Ok(())
}

/// Opens the database of `oin` for writing, brings its tables up to date and refuses what is not ours.
pub(crate) async fn open(target: &Target, oin: Oin, keys: &Keys) -> Result<SqliteConnection, StoreError> {
    let metadata = fs::metadata(&target.path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => StoreError::NoDatabase(target.path.clone()),
        _ => io_error(&error),
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!("others could read the database; its permissions are tightened");
        fs::set_permissions(&target.path, Permissions::from_mode(FILE_MODE))
            .map_err(|error| io_error(&error))?;
    }
    recognise(&target.path)?;
    let mut connection = target.writer().await?;
    MIGRATIONS.run(&mut connection).await.map_err(of_migration)?;
    check_owner(&mut connection, oin, keys).await?;
    Ok(connection)
}

/// Refuses a file that is not ours before anything is written to it. Reads the file itself
/// (<https://www.sqlite.org/fileformat.html#the_database_header>): a connection would first have to work through what
/// a crash left in the write-ahead log.
fn recognise(path: &Path) -> Result<(), StoreError> {
    let mut header = [0; HEADER_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(io_error(&error)),
        Ok(())
            if header.starts_with(b"SQLite format 3\0")
                && header.ends_with(&APPLICATION_ID.to_be_bytes()) => {}
        _ => return Err(StoreError::Corrupt("the file was not made by schakel".into())),
    }
    Ok(())
}

async fn check_owner(connection: &mut SqliteConnection, oin: Oin, keys: &Keys) -> Result<(), StoreError> {
    // Whose database is this, and under which key.
    let row = sqlx::query("SELECT oin, key_mark FROM node")
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::Corrupt("the database does not say whose it is".into()))?;
    let found: Oin = row.try_get::<&str, _>(0)?.parse().map_err(|_| super::column::damaged("the owner"))?;
    if found != oin {
        return Err(StoreError::OtherOrganisation { found, expected: oin });
    }
    if keys.made(oin, row.try_get(1)?) { Ok(()) } else { Err(StoreError::WrongKey) }
}

/// Makes this process the one that delivers, until the file is closed. The operating system gives the claim back
/// when the process dies.
pub(crate) fn claim_delivery(target: &Target) -> Result<File, StoreError> {
    let path = target.beside("-bezorging");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
        .map_err(|error| io_error(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(StoreError::Locked("another process delivers from this database".into()))
        }
        Err(fs::TryLockError::Error(error)) => Err(io_error(&error)),
    }
}

pub(super) fn io_error(error: &io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io(error.to_string()),
    }
}

fn of_migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => StoreError::NewerSchema,
        other => StoreError::Corrupt(other.to_string()),
    }
}
