//! Who saw what: nothing is shown before that is kept, and what is kept cannot be changed unseen.

use super::{
    person::{about, access, resident, search},
    *,
};
use crate::access::{AccessFilter, Deed};

const ANY: AccessFilter = AccessFilter {
    message: None,
    case: None,
    person: None,
    by: None,
    from: None,
    until: None,
    before: None,
    limit: 500,
};

async fn with_two_messages(place: &Place) -> Store {
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    store.queue(vec![about(0, 1, Some(&brouwer)), about(1, 2, Some(&brouwer))]).await.unwrap();
    store
}

/// When it cannot be kept that somebody sees something, they do not see it.
#[tokio::test]
async fn shows_nothing_that_it_cannot_record() {
    let place = Place::new();
    let store = with_two_messages(&place).await;
    let mut other = place.bare().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let person = exchange::person::Identity::read(&resident("Brouwer", "E.")).unwrap();
    let refused = [
        store.view(access(Deed::Inzien), &[0]).await.err(),
        store.search(access(Deed::Zoeken), &person).await.err(),
        store.accesses(access(Deed::Raadplegingen), ANY).await.err(),
    ];
    assert!(refused.iter().all(|error| matches!(error, Some(StoreError::Locked(_)))), "{refused:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(store.log_size().await.unwrap(), 2);
    assert_eq!(store.view(access(Deed::Inzien), &[0]).await.unwrap().len(), 1);
    assert_eq!(store.log_size().await.unwrap(), 3);
}

/// Each way to change what was kept.
#[tokio::test]
async fn sees_that_a_record_was_changed_or_dropped() {
    for (statement, readable) in [
        ("UPDATE access SET sealed = zeroblob(100) WHERE idx = 2", false),
        ("UPDATE access SET sealed = (SELECT sealed FROM access WHERE idx = 3) WHERE idx = 2", false),
        ("UPDATE log_leaf SET leaf = (SELECT leaf FROM log_leaf WHERE idx = 3) WHERE idx = 2", false),
        ("DELETE FROM access WHERE idx = 2", true),
    ] {
        let place = Place::new();
        let store = with_two_messages(&place).await;
        store.view(access(Deed::Inzien), &[0]).await.unwrap();
        store.view(access(Deed::Inzien), &[1]).await.unwrap();
        assert!(store.check_access(2).await.unwrap() && store.check_access(3).await.unwrap());
        assert!(!store.check_access(0).await.unwrap(), "not an access");
        store.close().await;
        place.tamper("DELETE FROM access_message").await;
        place.tamper(statement).await;
        let store = place.open().await.unwrap();
        assert!(!store.check_access(2).await.unwrap(), "{statement}");
        assert!(store.check_access(3).await.unwrap(), "{statement}");
        let read = store.accesses(access(Deed::Raadplegingen), ANY).await;
        assert_eq!(read.is_ok(), readable, "{statement}");
    }
}

/// Reading on from where a page ended gives every record once.
#[tokio::test]
async fn reads_the_access_log_in_pages() {
    let place = Place::new();
    let store = with_two_messages(&place).await;
    for round in 0..25 {
        store.view(access(Deed::Inzien), &[round % 2]).await.unwrap();
    }
    let person = exchange::person::Identity::read(&resident("Brouwer", "E.")).unwrap();
    for (filter, expected) in [
        (ANY, (2..27).rev().collect::<Vec<u64>>()),
        (AccessFilter { message: Some(0), ..ANY }, (2..27).rev().step_by(2).collect()),
        (AccessFilter { person: Some(person), ..ANY }, (2..27).rev().collect()),
    ] {
        let mut before = Some(27);
        let mut found = Vec::new();
        for _ in 0..20 {
            let filter = AccessFilter { limit: 4, before, ..filter.clone() };
            let page = store.accesses(access(Deed::Raadplegingen), filter).await.unwrap();
            assert!(page.records.len() <= 4);
            found.extend(page.records.iter().map(|record| record.index));
            before = page.more_before;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
    }
}

/// A search is found again by whoever was looked for, also when there was nothing to find.
#[tokio::test]
async fn finds_who_looked_for_a_person() {
    let place = Place::new();
    let store = with_two_messages(&place).await;
    let stranger = resident("Jansen", "K.");
    let mut elsewhere = stranger.clone();
    elsewhere["adres"]["huisnummer"] = 3.into();
    search(&store, &elsewhere).await;
    search(&store, &stranger).await;
    let person = exchange::person::Identity::read(&elsewhere);
    let filter = AccessFilter { person, ..ANY };
    let read = store.accesses(access(Deed::Raadplegingen), filter.clone()).await.unwrap();
    assert_eq!(read.records.len(), 1);
    let record = &read.records[0];
    assert_eq!((record.index, record.what, record.searched_person), (2, Deed::Zoeken, true));
    // That was looking for the person as well.
    let again = store.accesses(access(Deed::Raadplegingen), filter).await.unwrap();
    let deeds: Vec<_> = again.records.iter().map(|record| (record.index, record.what)).collect();
    assert_eq!(deeds, [(4, Deed::Raadplegingen), (2, Deed::Zoeken)]);
}

/// That somebody was looked for is about that person, and not about a twin.
#[tokio::test]
async fn keeps_searches_for_twins_apart() {
    let place = Place::new();
    let store = place.create().await;
    let (one, other) = (resident("Brouwer", "E."), resident("Brouwer", "A."));
    search(&store, &one).await;
    let person = |resident: &serde_json::Value| exchange::person::Identity::read(resident);
    for (resident, expected) in [(&one, vec![0]), (&other, vec![])] {
        let filter = AccessFilter { person: person(resident), before: Some(1), ..ANY };
        let read = store.accesses(access(Deed::Raadplegingen), filter).await.unwrap();
        assert_eq!(read.records.iter().map(|record| record.index).collect::<Vec<_>>(), expected);
    }
}
