//! Erasing, over the files: copies of the database, crashes, key files, databases of earlier versions.

use exchange::entry::ErasureCause;
use sqlx::SqlitePool;

use super::*;
use crate::{
    model::{Direction, Filter, Swept},
    seal::CaseKey,
    sqlite::erase::Erasure,
};

const DATABASE: &str = "knooppunt.db";
const KEY_FILE: &str = "knooppunt.db-sleutels";

impl Place {
    /// Another place with these files as they are now.
    fn copy(&self, names: &[&str]) -> Self {
        let copy = Self::new();
        for name in names {
            fs::copy(self.file(name), copy.file(name)).unwrap();
        }
        copy
    }

    fn take_key_file_of(&self, other: &Self) {
        fs::copy(other.file(KEY_FILE), self.file(KEY_FILE)).unwrap();
    }
}

impl Store {
    async fn erase_on_request(&self, indexes: &[u64]) -> Result<u64, StoreError> {
        Ok(self.erase(indexes.to_vec(), ErasureCause::Request, now()).await?.messages)
    }

    /// Everything of an erasure but the last thing: its keys are still there.
    async fn erase_up_to_a_crash(&self, indexes: &[u64]) {
        let (cause, now) = (ErasureCause::Request, now());
        let erasure = Erasure::new(indexes.to_vec(), None, (cause, now));
        self.0.committer.submit(erasure, 0, Operation::Erase).await.unwrap();
    }

    fn has_key(&self, index: u64) -> bool {
        self.0.vault.entries.for_opening(0, index).unwrap().is_some()
    }
}

/// What was erased does not come back with an older copy of the database; everything else does, and the node goes on.
#[tokio::test]
async fn an_older_copy_shows_only_what_was_not_erased() {
    let place = Place::new();
    let store = place.create().await;
    store.take_in((0..6).map(arrival).collect()).await.unwrap();
    store.close().await;
    let older = place.copy(&[DATABASE, KEY_FILE]);

    let store = place.open().await.unwrap();
    store.take_in(vec![arrival(6)]).await.unwrap();
    assert_eq!(store.erase_on_request(&[1, 4, 6]).await.unwrap(), 3);
    store.close().await;

    // With the keys of before it would: that is why those must not be kept.
    let store = older.open().await.unwrap();
    store.payload_for_machine_check(4).await.unwrap();
    store.close().await;
    older.take_key_file_of(&place);
    let store = older.open().await.unwrap();
    for index in 0..6 {
        let read = store.payload_for_machine_check(index).await;
        if [1, 4].contains(&index) {
            assert_eq!(read, Err(StoreError::Erased), "{index}");
        } else {
            assert_eq!(read.unwrap(), outgoing(index.into(), 10).jws);
        }
    }
    // The log comes to the entries once more whose keys were destroyed.
    store.take_in((10..16).map(arrival).collect()).await.unwrap();
    for index in 6..12 {
        store.payload_for_machine_check(index).await.unwrap();
    }
    assert_eq!(store.erase_on_request(&[1, 6]).await.unwrap(), 2);
    store.close().await;
    let store = older.open().await.unwrap();
    assert_eq!(store.payload_for_machine_check(6).await, Err(StoreError::Erased));
    store.payload_for_machine_check(7).await.unwrap();
}

/// In an older copy it may still wait. It is given up, and holds up nobody.
#[tokio::test]
async fn what_was_erased_is_not_sent_from_an_older_copy() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..3)).await.unwrap();
    store.close().await;
    let older = place.copy(&[DATABASE]);
    let store = place.open().await.unwrap();
    store.erase_on_request(&[1]).await.unwrap();
    older.take_key_file_of(&place);
    let store = older.open().await.unwrap();
    let lease = store.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    assert_eq!(lease.messages().iter().map(|message| message.index).collect::<Vec<_>>(), [0, 2]);
}

/// A crash after it was recorded and before its keys are gone: they go at the next start.
#[tokio::test]
async fn finishes_what_a_crash_cut_short() {
    let place = Place::new();
    let store = place.create().await;
    store.take_in((0..4).map(arrival).collect()).await.unwrap();
    store.erase_up_to_a_crash(&[1, 2]).await;
    assert_eq!(store.payload_for_machine_check(1).await, Err(StoreError::Erased));
    assert!(store.has_key(1), "the test is about this moment");
    let evidence = async |store: &Store| {
        let rows = store.messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
        rows.into_iter().map(|row| row.erased).collect::<Vec<_>>()
    };
    assert_eq!(evidence(&store).await, [None; 4], "nobody says that it is erased yet");
    drop(store);
    let store = place.open().await.unwrap();
    assert_eq!(evidence(&store).await, [None, Some(4), Some(4), None]);
    // With those of the evidence.
    assert_eq!([0, 1, 2, 3, 4, 5].map(|index| store.has_key(index)), [true, false, false, true, false, true]);
    store.close().await;
    let mut bare = place.bare().await;
    let left = sqlx::query("SELECT count(*) FROM erasing").fetch_one(&mut bare).await.unwrap();
    assert_eq!(left.get::<i64, _>(0), 0);
}

/// When the keys cannot be destroyed it says so, and the next erasure makes it good.
#[tokio::test]
async fn says_when_keys_cannot_be_destroyed() {
    let place = Place::new();
    let store = place.create().await;
    store.take_in((0..4).map(arrival).collect()).await.unwrap();
    let aside = place.file("aside");
    fs::rename(place.file(KEY_FILE), &aside).unwrap();
    let failed = store.erase_on_request(&[0]).await;
    assert_eq!(failed, Err(StoreError::NoKeyFile(place.file(KEY_FILE))));
    assert_eq!(store.payload_for_machine_check(0).await, Err(StoreError::Erased), "it is not shown any more");
    assert!(store.has_key(0));
    fs::rename(&aside, place.file(KEY_FILE)).unwrap();
    assert_eq!(store.erase_on_request(&[3]).await.unwrap(), 1);
    assert!(!store.has_key(0) && !store.has_key(3));
}

#[tokio::test]
async fn never_makes_a_key_file_anew() {
    let place = Place::new();
    place.create().await.close().await;
    fs::remove_file(place.file(KEY_FILE)).unwrap();
    assert_eq!(place.open().await.err(), Some(StoreError::NoKeyFile(place.file(KEY_FILE))));
    assert!(!place.file(KEY_FILE).exists());
    let other = Place::new();
    let random = Arc::new(SeededRandom::new(2));
    Store::create(Options { random, ..other.options() }).await.unwrap().close().await;
    place.take_key_file_of(&other);
    assert_eq!(place.open().await.err(), Some(StoreError::OtherKeyFile(place.file(KEY_FILE))));
}

/// What another process erased goes out of memory here at the next reading.
#[tokio::test]
async fn takes_note_of_keys_that_another_process_destroyed() {
    let place = Place::new();
    let (one, two) = (place.create().await, place.open().await.unwrap());
    one.take_in((0..3).map(arrival).collect()).await.unwrap();
    two.payload_for_machine_check(0).await.unwrap();
    one.erase_on_request(&[0, 1]).await.unwrap();
    assert!(two.has_key(0));
    assert_eq!(two.payload_for_machine_check(0).await, Err(StoreError::Erased));
    two.payload_for_machine_check(2).await.unwrap();
    assert!(!two.has_key(0) && !two.has_key(1));
}

/// Somebody puts an older copy of the key file back: what was erased since does not come back with it.
#[tokio::test]
async fn an_older_key_file_brings_nothing_back() {
    let place = Place::new();
    let store = place.create().await;
    store.take_in((0..200).map(arrival).collect()).await.unwrap();
    store.take_in((200..400).map(arrival).collect()).await.unwrap();
    store.take_in((400..600).map(arrival).collect()).await.unwrap();
    store.erase_on_request(&[1]).await.unwrap();
    store.close().await;
    let older = place.copy(&[DATABASE, KEY_FILE]);
    let store = place.open().await.unwrap();
    store.erase_on_request(&(2..500).collect::<Vec<_>>()).await.unwrap();
    let version = store.0.vault.entries.version();
    store.close().await;

    place.take_key_file_of(&older);
    let store = place.open().await.unwrap();
    assert!(!store.has_key(1) && !store.has_key(2) && !store.has_key(499) && store.has_key(500));
    assert!(store.0.vault.entries.version() > version, "a process with the newer one takes it");
    store.payload_for_machine_check(500).await.unwrap();
    store.close().await;
    let content = fs::read(place.file(KEY_FILE)).unwrap();
    place.open().await.unwrap().close().await;
    assert_eq!(fs::read(place.file(KEY_FILE)).unwrap(), content, "once is enough");
    older.take_key_file_of(&place);
    assert_eq!(older.open().await.unwrap().payload_for_machine_check(300).await, Err(StoreError::Erased));
}

/// Erased content is not left in the file either.
#[tokio::test]
async fn removes_what_it_erases() {
    let place = Place::new();
    let store = place.create().await;
    store.take_in((0..20).map(arrival).collect()).await.unwrap();
    store.erase_on_request(&[5]).await.unwrap();
    store.close().await;
    let mut bare = place.bare().await;
    let rows = sqlx::query("SELECT idx FROM payload WHERE idx < 7").fetch_all(&mut bare).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [0, 1, 2, 3, 4, 6]);
}

/// Takes away what later versions added to a database of the first.
const ADDED_SINCE: &[&str] = &[
    "DROP TRIGGER signal_term_of_state",
    "DROP TABLE signal_feedback",
    "DROP TABLE signal_term",
    "DROP TABLE signal_term_state",
    "DROP TRIGGER event_of_message",
    "DROP TRIGGER event_of_ending",
    "DROP TRIGGER event_of_new_withdrawal",
    "DROP TRIGGER event_of_withdrawal",
    "DROP TABLE dead_letter",
    "DROP TABLE webhook",
    "DROP TABLE event",
    "DROP TABLE event_use",
    "ALTER TABLE partner DROP COLUMN seen",
    "DROP TABLE handover_notice",
    "DROP TABLE handover_state",
    "DROP INDEX message_step",
    "ALTER TABLE message DROP COLUMN step",
    "DROP TABLE handover",
    "DROP TABLE submission",
    "DROP TABLE submission_answer",
    "DROP TABLE erased_subject",
    "DROP TABLE signal_token",
    "DROP TABLE signal_state",
    "DROP TABLE signal_pair",
    "DROP TABLE multiple_signal",
    "DROP TABLE multiple",
    "DROP TABLE export",
    "DROP TABLE access_message",
    "DROP TABLE consent_subject",
    "DROP TABLE access_subject",
    "DROP TABLE access",
    "DROP TABLE subject",
    "DROP TABLE subject_state",
    "ALTER TABLE message DROP COLUMN subject_bsn",
    "ALTER TABLE message DROP COLUMN subject_place",
    "DROP TABLE cosigned",
    "DROP TABLE alarm",
    "DROP INDEX message_consent",
    "ALTER TABLE message DROP COLUMN released",
    "ALTER TABLE message DROP COLUMN consent",
    "DROP TABLE consent_notice",
    "DROP TABLE consent_extract",
    "DROP TABLE consent_record",
    "DROP TABLE consent",
    "ALTER TABLE message DROP COLUMN replaced",
    "ALTER TABLE message DROP COLUMN keep_until",
    "ALTER TABLE message DROP COLUMN erased",
    "ALTER TABLE payload DROP COLUMN form",
    "ALTER TABLE node DROP COLUMN key_file",
    "ALTER TABLE node DROP COLUMN key_version",
    "DROP TABLE erasing",
    "DELETE FROM _sqlx_migrations WHERE version > 1",
];

/// Rolls a database back to what the first version made: payloads under the keys of their cases, which stand in it, and
/// no key file.
async fn make_earlier(place: &Place, contents: &[(u64, Uuid, String)]) {
    let keys = Keys::derive(&place.options().storage_key).unwrap();
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(place.path())).await.unwrap();
    for (index, case, jws) in contents {
        let (key, wrapped) = CaseKey::of_earlier(&keys, *case, [case.as_bytes()[15]; 32]);
        sqlx::query("INSERT INTO case_key (\"case\", wrapped) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(case.as_bytes().as_slice())
            .bind(wrapped)
            .execute(&pool)
            .await
            .unwrap();
        let sealed = key.seal(&Digest::of(jws.as_bytes()), jws);
        let index = i64::try_from(*index).unwrap();
        sqlx::query("UPDATE payload SET sealed = ?1 WHERE idx = ?2")
            .bind(sealed)
            .bind(index)
            .execute(&pool)
            .await
            .unwrap();
    }
    for statement in ADDED_SINCE {
        sqlx::query(*statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    fs::remove_file(place.file(KEY_FILE)).unwrap();
}

/// A database of the first version opens, loses nothing, goes on, and its messages can be erased.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a story")]
async fn takes_an_earlier_database_along() {
    let place = Place::new();
    let store = place.create().await;
    let case = Uuid::from_u128(200);
    let of_case = |number| Outgoing { case, ..outgoing(number, 10) };
    store.queue(outgoings(0..3)).await.unwrap();
    store.queue(vec![of_case(3), of_case(4)]).await.unwrap();
    store.take_in(vec![arrival(100)]).await.unwrap();
    let purposes = [
        r#"{"doel":"anders","bewaartermijn_dagen":1}"#,
        "{",
        r#"{"doel":"vroegsignalering","bewaartermijn_dagen":10}"#,
    ];
    let purposes = purposes.map(|text| (Digest::of(text.as_bytes()), text.to_owned())).to_vec();
    store.put_agreement(Digest::of(b"agreement"), "{}".into(), purposes, now()).await.unwrap();
    let before = store.log_state().await.unwrap();
    let mut contents = Vec::new();
    for row in store.messages(Filter { limit: 10, ..Filter::default() }).await.unwrap() {
        contents.push((
            row.index,
            row.case.unwrap(),
            store.payload_for_machine_check(row.index).await.unwrap(),
        ));
    }
    store.close().await;
    make_earlier(&place, &contents).await;

    let store = place.open().await.unwrap();
    assert_eq!(store.log_state().await.unwrap(), before);
    for (index, _, jws) in &contents {
        assert_eq!(store.payload_for_machine_check(*index).await.unwrap(), *jws);
    }
    let kept = store.messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
    let until = Some(now() + SignedDuration::from_hours(24 * 10));
    assert!(kept.iter().all(|row| row.keep_until == until), "as its purpose says: {kept:?}");
    // A case goes on under keys of its entries, beside what an earlier version sealed.
    store.queue(vec![of_case(5)]).await.unwrap();
    store.close().await;
    let store = place.open().await.unwrap();
    assert_eq!(store.payload_for_machine_check(6).await.unwrap(), outgoing(5, 10).jws);
    let lease = store.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    assert_eq!(lease.messages().len(), 6);
    store.record_undeliverable(&lease, "onbereikbaar", now()).await.unwrap();
    store.resend(1, now()).await.unwrap();

    assert_eq!(store.erase_on_request(&[2, 5]).await.unwrap(), 2);
    assert_eq!(store.erase_case(case, ErasureCause::Request, now()).await.unwrap().messages, 3);
    for (index, erased) in [false, false, true, true, true, true, true].into_iter().enumerate() {
        let read = store.payload_for_machine_check(u64::try_from(index).unwrap()).await;
        assert_eq!(read == Err(StoreError::Erased), erased, "{index}: {read:?}");
    }
    store.close().await;
    let mut bare = place.bare().await;
    let wrapped = sqlx::query("SELECT wrapped FROM case_key WHERE \"case\" = ?1")
        .bind(case.as_bytes().as_slice())
        .fetch_one(&mut bare)
        .await
        .unwrap();
    assert_eq!(wrapped.get::<Option<Vec<u8>>, _>(0), None, "the key of the case is gone");
    let sealed = CaseKey::of_earlier(
        &Keys::derive(&place.options().storage_key).unwrap(),
        contents[2].1,
        [contents[2].1.as_bytes()[15]; 32],
    )
    .0
    .seal(&Digest::of(contents[2].2.as_bytes()), &contents[2].2);
    let bytes = fs::read(place.path()).unwrap();
    assert!(!bytes.windows(sealed.len()).any(|window| window == sealed), "what it sealed is overwritten");
}

#[tokio::test]
async fn applies_retention_in_bounded_steps() {
    let place = Place::new();
    let store = place.create().await;
    for part in 0..7_u128 {
        store.take_in((part * 100..part * 100 + 100).map(arrival).collect()).await.unwrap();
    }
    store.queue(outgoings(1000..1003)).await.unwrap();
    let days = |days: i64| now() + SignedDuration::from_hours(24 * days);
    assert_eq!(store.erase_expired(0, days(29)).await.unwrap(), Swept { erased: 0, next: None });
    let (mut from, mut erased, mut steps) = (Some(0), 0, 0);
    while let Some(start) = from {
        let swept = store.erase_expired(start, days(31)).await.unwrap();
        assert!(swept.erased <= 256);
        (from, erased, steps) = (swept.next, erased + swept.erased, steps + 1);
    }
    assert_eq!((erased, steps), (700, 3));
    assert_eq!(store.payload_for_machine_check(699).await, Err(StoreError::Erased));
    // What waits is not over before it has its end.
    store.payload_for_machine_check(700).await.unwrap();
    let waiting = Filter { state: Some(State::Waiting), limit: 10, ..Filter::default() };
    assert_eq!(store.messages(waiting).await.unwrap().len(), 3);
    store.expire(days(31)).await.unwrap();
    assert_eq!(store.erase_expired(0, days(31)).await.unwrap().erased, 3);
    assert_eq!(store.erase_expired(0, days(31)).await.unwrap().erased, 0);
    let inbound = Filter { direction: Some(Direction::Inbound), limit: 500, ..Filter::default() };
    assert!(store.messages(inbound).await.unwrap().iter().all(|row| row.erased.is_some()));
    assert!(fs::metadata(place.file(KEY_FILE)).unwrap().len() < 8192);
}
