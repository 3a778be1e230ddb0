//! What the database itself refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use exchange::{random::SeededRandom, tlog::LogSigner};
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::{Options, StorageKey};

/// Not even who writes to the database makes an alarm go away or say something else.
#[tokio::test]
async fn an_alarm_is_neither_removed_nor_changed() {
    let place = tempfile::tempdir().unwrap();
    let us: Oin = "00000099000000001000".parse().unwrap();
    let path = place.path().join("knooppunt.db");
    let log = LogSigner::new(us.log_origin(), SigningKey::from_bytes(&[7; 32])).unwrap();
    let (key, random) = (StorageKey::from_bytes([5; 32]), Arc::new(SeededRandom::new(1)));
    let store = Store::create(Options::new(path.clone(), us, key, Arc::new(log), random)).await.unwrap();
    let alarm = RaisedAlarm {
        log: us,
        key: "key".into(),
        kept_size: 5,
        kind: "gesplitst".into(),
        evidence: "evidence".into(),
        noticed: Timestamp::UNIX_EPOCH,
    };
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
