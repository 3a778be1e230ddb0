//! What the database itself refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ed25519_dalek::SigningKey;
use exchange::{random::SeededRandom, tlog::LogSigner};
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::*;
use crate::{Options, StorageKey};

/// Hears whether anything went wrong.
#[derive(Clone, Default)]
struct Listener(Arc<AtomicU64>);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let wrong = *event.metadata().level() <= Level::WARN;
        self.0.fetch_add(u64::from(wrong), Ordering::Relaxed);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A contradiction that is seen again is nothing that went wrong here.
#[tokio::test]
async fn an_alarm_that_is_known_makes_no_noise() {
    let listener = Listener::default();
    let _listening = tracing::subscriber::set_default(listener.clone());
    let (_place, _, store) = store().await;
    for round in 0..3 {
        assert_eq!(store.raise_alarm(alarm(), Leaf::new(b"{}".to_vec())).await.unwrap(), round == 0);
    }
    assert_eq!((listener.0.load(Ordering::Relaxed), store.log_size().await.unwrap()), (0, 1));
}

fn us() -> Oin {
    "00000099000000001000".parse().unwrap()
}

fn alarm() -> RaisedAlarm {
    let (key, kind, evidence) = ("key".into(), "gesplitst".into(), "evidence".into());
    RaisedAlarm { log: us(), key, kept_size: 5, kind, evidence, noticed: Timestamp::UNIX_EPOCH }
}

async fn store() -> (tempfile::TempDir, std::path::PathBuf, Store) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("knooppunt.db");
    let log = LogSigner::new(us().log_origin(), SigningKey::from_bytes(&[7; 32])).unwrap();
    let (key, random) = (StorageKey::from_bytes([5; 32]), Arc::new(SeededRandom::new(1)));
    let store = Store::create(Options::new(path.clone(), us(), key, Arc::new(log), random)).await.unwrap();
    (place, path, store)
}

/// Not even who writes to the database makes an alarm go away or say something else.
#[tokio::test]
async fn an_alarm_is_neither_removed_nor_changed() {
    let (_place, path, store) = store().await;
    let alarm = alarm();
    assert!(store.raise_alarm(alarm.clone(), Leaf::new(b"{}".to_vec())).await.unwrap());
    let mut bare =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    for statement in [
        "DELETE FROM alarm",
        "UPDATE alarm SET evidence = ''",
        "UPDATE alarm SET noticed = 0",
        "DELETE FROM log_leaf WHERE idx = 0",
    ] {
        assert!(sqlx::query(statement).execute(&mut bare).await.is_err(), "{statement}");
    }
    assert_eq!(store.alarms().await.unwrap(), [(0, alarm)]);
}
