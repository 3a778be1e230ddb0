//! The SQLite store does what every store must do.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use exchange::{oin::Oin, random::SeededRandom, tlog::LogSigner};
use store::{Options, StorageKey, Store, StoreError};
use tests::conformance::{Database, given};

/// One database file in a folder of its own.
struct Sqlite {
    folder: tempfile::TempDir,
    us: Oin,
    log: Arc<LogSigner>,
    opened: AtomicU64,
}

impl Sqlite {
    fn fresh() -> anyhow::Result<Self> {
        let (us, log) = (given::us()?, Arc::new(given::log_signer()?));
        Ok(Self { folder: tempfile::tempdir()?, us, log, opened: AtomicU64::new(0) })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("knooppunt.db")
    }

    fn options(&self) -> Options {
        let key = StorageKey::from_bytes(given::STORAGE_KEY);
        // Chance never repeats itself: a case that was erased must not get its old key again after reopening.
        let random = SeededRandom::new(self.opened.fetch_add(1, Ordering::Relaxed));
        Options::new(self.path(), self.us, key, Arc::clone(&self.log), Arc::new(random))
    }
}

impl Database for Sqlite {
    async fn create(&self) -> Result<Store, StoreError> {
        Store::create(self.options()).await
    }

    async fn open(&self) -> Result<Store, StoreError> {
        Store::open(self.options()).await
    }

    async fn open_as_another(&self) -> Result<Store, StoreError> {
        let oin = given::partner(1).map_err(|error| StoreError::Io(error.to_string()))?;
        Store::open(Options { oin, ..self.options() }).await
    }

    async fn open_with_another_key(&self) -> Result<Store, StoreError> {
        Store::open(Options { storage_key: StorageKey::from_bytes([0; 32]), ..self.options() }).await
    }
}

tests::store_conformance!(Sqlite::fresh);
