//! What parties must still be told, and agreements that are forgotten.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use exchange::{random::SeededRandom, tlog::LogSigner};
use tempfile::TempDir;

use super::*;
use crate::{Options, StorageKey};

fn oin(number: u8) -> Oin {
    format!("0000009900000000{number}000").parse().unwrap()
}

async fn store() -> (TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let log = LogSigner::new(oin(1).log_origin(), SigningKey::from_bytes(&[7; 32])).unwrap();
    let (key, random) = (StorageKey::from_bytes([5; 32]), Arc::new(SeededRandom::new(1)));
    let options = Options::new(place.path().join("knooppunt.db"), oin(1), key, Arc::new(log), random);
    let store = Store::create(options).await.unwrap();
    (place, store)
}

impl Store {
    async fn agreed(&self, name: &str) -> Digest {
        let digest = Digest::of(name.as_bytes());
        let purpose = (Digest::of(b"p"), "p".to_owned());
        self.put_agreement(digest, name.into(), vec![purpose], Timestamp::UNIX_EPOCH).await.unwrap();
        digest
    }

    async fn answered(&self, agreement: Digest, from: u8, jws: &str, notify: &[u8]) {
        let notify = notify.iter().map(|number| oin(*number)).collect();
        self.put_answer(agreement, oin(from), (jws.into(), Leaf::new(jws.into())), notify).await.unwrap();
    }

    async fn who_is_owed(&self) -> Vec<(Oin, Digest)> {
        self.owed().await.unwrap().into_iter().map(|owed| (owed.to, owed.agreement)).collect()
    }
}

#[tokio::test]
async fn what_was_told_is_not_owed_and_what_came_later_is() {
    let (_place, store) = store().await;
    let (one, other) = (store.agreed("one").await, store.agreed("other").await);
    store.answered(one, 1, "yes", &[2, 3]).await;
    store.answered(other, 1, "yes, too", &[3]).await;
    store.answered(one, 3, "and I", &[2]).await;
    assert_eq!(store.who_is_owed().await, [(oin(2), one), (oin(3), one), (oin(3), other)]);

    let before = store.owed().await.unwrap();
    store.answered(one, 4, "me as well", &[2]).await;
    let version = store.rules_version().await.unwrap();
    for owed in before.into_iter().filter(|owed| owed.agreement == one) {
        store.told(owed).await.unwrap();
        store.told(owed).await.unwrap();
    }
    assert_eq!(store.who_is_owed().await, [(oin(3), other), (oin(2), one)], "the last answer came later");
    assert_eq!(store.rules_version().await.unwrap(), version);
    for owed in store.owed().await.unwrap() {
        store.told(owed).await.unwrap();
    }
    assert_eq!(store.who_is_owed().await, []);
}

#[tokio::test]
async fn a_forgotten_agreement_leaves_nothing_and_may_come_back() {
    let (_place, store) = store().await;
    let (one, other) = (store.agreed("one").await, store.agreed("other").await);
    for agreement in [one, other] {
        store.answered(agreement, 2, &agreement.to_string(), &[3]).await;
    }
    let version = store.rules_version().await.unwrap();
    assert!(store.forget_agreement(one).await.unwrap());
    assert_ne!(store.rules_version().await.unwrap(), version);
    assert!(!store.forget_agreement(one).await.unwrap());
    assert_eq!(store.who_is_owed().await, [(oin(3), other)]);
    let left = store.agreements().await.unwrap();
    assert_eq!(left.iter().map(|one| one.digest).collect::<Vec<_>>(), [other]);
    assert_eq!((left[0].answers.len(), left[0].purposes.len()), (1, 1));
    assert_eq!(store.agreed("one").await, one);
    assert_eq!(store.agreements().await.unwrap()[1].answers, []);
}
