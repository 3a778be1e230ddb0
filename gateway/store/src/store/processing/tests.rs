#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{path::Path, sync::Arc};

use ed25519_dalek::SigningKey;
use exchange::{oin::Oin, random::SeededRandom, tlog::LogSigner};

use super::*;
use crate::{Options, StorageKey};

fn options(place: &Path) -> Options {
    let us: Oin = "00000099000000001000".parse().unwrap();
    let log = LogSigner::new(us.log_origin(), SigningKey::from_bytes(&[7; 32])).unwrap();
    let (key, random) = (StorageKey::from_bytes([5; 32]), Arc::new(SeededRandom::new(1)));
    Options::new(place.join("knooppunt.db"), us, key, Arc::new(log), random)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[tokio::test]
async fn how_far_it_is_survives_and_only_goes_on_from_there() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::create(options(place.path())).await.unwrap();
    assert_eq!(store.exported().await.unwrap(), Exported::default());
    store.note_export_failure("dicht", at(1)).await.unwrap();
    store.note_export_failure("nog dicht", at(2)).await.unwrap();
    let failing = Exported {
        last_failure: Some(at(2)),
        failure: Some("nog dicht".into()),
        failures: 2,
        ..Exported::default()
    };
    assert_eq!(store.exported().await.unwrap(), failing);
    assert!(store.note_exported((0, 3), (0, 0), at(3)).await.unwrap());
    let nothing_sent = Exported { next: 3, ..failing };
    assert_eq!(
        store.exported().await.unwrap(),
        nothing_sent,
        "passing over entries says nothing of the collector"
    );
    assert!(store.note_exported((3, 9), (5, 1), at(4)).await.unwrap());
    assert!(!store.note_exported((3, 12), (9, 0), at(5)).await.unwrap(), "another process was here");
    store.close().await;
    let store = Store::open(options(place.path())).await.unwrap();
    let done = Exported {
        next: 9,
        records: 5,
        rejected: 1,
        last_success: Some(at(4)),
        last_failure: Some(at(2)),
        failure: None,
        failures: 0,
    };
    assert_eq!(store.exported().await.unwrap(), done);
}
