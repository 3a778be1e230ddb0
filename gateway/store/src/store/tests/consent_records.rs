//! The record of a consent is erased as everything else is, once its term passed or on request.

use exchange::{
    consent::{ConsentKey, ConsentRecord, HowGiven},
    entry::{Entry, ErasureCause},
};

use super::{
    access::consent_of,
    person::{access, found, resident, search},
    *,
};
use crate::access::Deed;

const CONSENT: u128 = 0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7;
const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn record(store: &Store, record: &ConsentRecord, keep_days: u32) -> u64 {
    let leaf = Leaf::new(b"verleend".to_vec());
    store.record_consent((record.key(us()), record), "uittreksel".into(), keep_days, leaf).await.unwrap()
}

/// Withdraws it now, and leaves what must be done about that to do.
async fn withdraw(store: &Store, key: ConsentKey) {
    let leaf = Leaf::new(b"ingetrokken".to_vec());
    assert!(store.withdraw_consent(key, ("verklaring".into(), now()), leaf, now()).await.unwrap());
}

async fn finish(store: &Store, key: ConsentKey) {
    let ended = store.consent(key).await.unwrap().unwrap();
    let version = store.rules_version().await.unwrap();
    store.finish_consent(version, &ended, Vec::new(), None).await.unwrap();
}

/// Two versions, of which the first is to be kept longest.
async fn recorded(store: &Store, number: u128) -> (ConsentKey, [u64; 2]) {
    let first = consent_of(&resident("Brouwer", "E."), number);
    let how = HowGiven {
        wijze: "mondeling".into(),
        bewijs_soort: "gespreksverslag".into(),
        bewijs_kenmerk: "GV-1".into(),
    };
    let second = first.extended(first.valid_until() + DAY, &how, now()).unwrap();
    (first.key(us()), [record(store, &first, 30).await, record(store, &second, 10).await])
}

#[tokio::test]
async fn a_record_goes_when_the_longest_term_after_its_end_passed() {
    let place = Place::new();
    let store = place.create().await;
    let (key, versions) = recorded(&store, CONSENT).await;
    let (other, _) = recorded(&store, CONSENT + 1).await;
    let after = |time| store.erase_expired_consent_records(now() + time);
    assert_eq!(after(DAY * 4000).await.unwrap(), 0, "it has not ended");
    withdraw(&store, key).await;
    assert_eq!(after(DAY * 4000).await.unwrap(), 0, "not everybody was told yet");
    finish(&store, key).await;
    assert_eq!(after(DAY * 30 - SignedDuration::from_secs(1)).await.unwrap(), 0);
    assert_eq!(after(DAY * 30).await.unwrap(), 2);
    assert_eq!(after(DAY * 4000).await.unwrap(), 0, "once");
    assert!(store.consent_records(key).await.unwrap().is_empty());
    assert_eq!(store.consent_records(other).await.unwrap().len(), 2);

    let evidence = store.log_size().await.unwrap() - 1;
    let leaf = store.leaves(evidence, 1).await.unwrap().remove(0);
    let said = Entry::of_leaf(&leaf).unwrap();
    let (gewist, reden) = (versions.to_vec(), ErasureCause::Retention);
    assert_eq!(said, Entry::Wissing { gewist, reden, tijd: now() + DAY * 30 });
}

/// Also when it was looked for just before: retention holds it against how the consent is then.
#[tokio::test]
async fn the_record_of_a_consent_that_holds_again_stays() {
    let place = Place::new();
    let store = place.create().await;
    let (key, versions) = recorded(&store, CONSENT).await;
    let erased = store.erase(versions.to_vec(), ErasureCause::Retention, now()).await.unwrap();
    assert_eq!((erased.messages, erased.evidence), (0, vec![]));
    assert_eq!(store.consent_records(key).await.unwrap().len(), 2);
}

/// A copy of the database from before, with the keys as they are now, does not show it; nor does an earlier term lengthen.
#[tokio::test]
async fn an_older_copy_shows_no_record_that_was_erased() {
    let place = Place::new();
    let store = place.create().await;
    let (key, versions) = recorded(&store, CONSENT).await;
    store.close().await;
    let older = Place::new();
    for name in ["knooppunt.db", "knooppunt.db-sleutels"] {
        fs::copy(place.file(name), older.file(name)).unwrap();
    }
    let store = place.open().await.unwrap();
    assert_eq!(store.erase(versions.to_vec(), ErasureCause::Request, now()).await.unwrap().messages, 2);
    store.close().await;

    let store = older.open().await.unwrap();
    assert_eq!(store.consent_records(key).await.unwrap().len(), 2, "that is why old keys must not be kept");
    store.close().await;
    fs::copy(place.file("knooppunt.db-sleutels"), older.file("knooppunt.db-sleutels")).unwrap();
    let store = older.open().await.unwrap();
    assert!(store.consent_records(key).await.unwrap().is_empty());
    assert!(search(&store, &resident("Brouwer", "E.")).await.consents.is_empty());
}

/// An erased person who is asked for again is not there: no message, no consent, and no token of either.
#[tokio::test]
async fn an_erased_person_asked_for_again_is_not_there() {
    let place = Place::new();
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    let message = person::about(0, 1, Some(&brouwer));
    store.queue(vec![message]).await.unwrap();
    let (key, versions) = recorded(&store, CONSENT).await;
    withdraw(&store, key).await;
    let before = search(&store, &brouwer).await;
    assert_eq!((found(&before).0, before.consents.as_slice()), (vec![0], &[key][..]));
    let all = [vec![0], versions.to_vec()].concat();
    assert_eq!(store.erase(all.clone(), ErasureCause::Request, now()).await.unwrap().messages, 3);

    let again = search(&store, &brouwer).await;
    assert!(again.complete && again.messages.is_empty() && again.perhaps.is_empty());
    assert!(again.consents.is_empty() && again.consents_perhaps.is_empty());
    assert_eq!(
        store.view(access(Deed::Inzien), &[0]).await.unwrap()[0].content,
        Err(crate::access::Withheld::Erased)
    );
    assert_eq!(store.erase(all, ErasureCause::Request, now()).await.unwrap().messages, 0, "there is nothing");
    store.close().await;
    let mut bare = place.bare().await;
    for left in ["consent_subject", "consent_record", "payload", "erasing"] {
        let count = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {left}")));
        assert_eq!(count.fetch_one(&mut bare).await.unwrap().get::<i64, _>(0), 0, "{left}");
    }
}
