//! Who saw what: nothing is shown before that is kept, and what is kept cannot be changed unseen.

use exchange::consent::{ConsentKey, ConsentRecord, ConsentUse, Kept, Salts};
use serde_json::json;

use super::{
    person::{about, access, resident, search},
    *,
};
use crate::access::{Access, AccessFilter, Deed, Withheld};

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
        place.tamper("DELETE FROM access_subject").await;
        place.tamper(statement).await;
        let store = place.open().await.unwrap();
        assert!(!store.check_access(2).await.unwrap(), "{statement}");
        assert!(store.check_access(3).await.unwrap(), "{statement}");
        let dropped = statement.starts_with("DELETE");
        assert_eq!(
            store.missing_accesses().await.unwrap(),
            if dropped { vec![2] } else { vec![] },
            "{statement}"
        );
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

/// Once all is erased a look is found by number and by name, also when the other was not said at the time.
#[tokio::test]
async fn finds_who_looked_by_all_that_a_message_said() {
    let place = Place::new();
    let store = place.create().await;
    let (number, name) = (json!({ "bsn": "999990342" }), resident("Brouwer", "E."));
    let mut both = name.clone();
    both["bsn"] = number["bsn"].clone();
    store.queue(vec![about(0, 1, Some(&both))]).await.unwrap();
    store.view(access(Deed::Inzien), &[0]).await.unwrap();
    search(&store, &number).await;
    store.erase(vec![0], exchange::entry::ErasureCause::Request, now()).await.unwrap();
    for person in [&number, &name, &both] {
        let person = exchange::person::Identity::read(person);
        let filter = AccessFilter { person, before: Some(3), ..ANY };
        let read = store.accesses(access(Deed::Raadplegingen), filter).await.unwrap();
        let found: Vec<_> = read.records.iter().map(|one| (one.index, one.searched_person)).collect();
        assert_eq!(found, [(2, true), (1, false)]);
    }
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

/// What rests on a consent is shown while that holds, and not after: however it ended, by view and by search, before
/// anything was erased. That somebody asked is on record.
#[tokio::test]
async fn shows_nothing_of_what_rests_on_a_consent_that_ended() {
    let place = Place::new();
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    let key = |number| ConsentKey { holder: us(), id: Uuid::from_u128(number) };
    let until = now() + SignedDuration::from_hours(1);
    let on = |number, consent| {
        let used = ConsentUse { key: consent, valid_until: until, extract: "uittreksel".into() };
        Outgoing { consent: Some(used), ..about(number, number, Some(&brouwer)) }
    };
    let messages = vec![on(0, key(71)), on(1, key(72)), about(2, 2, Some(&brouwer))];
    store.queue(messages).await.unwrap();
    let at = |when| Access { when, ..access(Deed::Inzien) };
    let contents = async |when| {
        let shown = store.view(at(when), &[0, 1, 2]).await.unwrap();
        shown.into_iter().map(|one| one.content.map(drop)).collect::<Vec<_>>()
    };
    assert_eq!(contents(now()).await, [Ok(()), Ok(()), Ok(())]);
    // A second before it runs out, and then.
    assert_eq!(contents(until - SignedDuration::from_secs(1)).await, [Ok(()), Ok(()), Ok(())]);
    let expired = Err(Withheld::ConsentExpired);
    assert_eq!(contents(until).await, [expired, expired, Ok(())]);

    let leaf = Leaf::new(b"ingetrokken".to_vec());
    assert!(store.withdraw_consent(key(71), ("verklaring".into(), now()), leaf, now()).await.unwrap());
    let leaf = Leaf::new(b"verlopen".to_vec());
    assert!(store.expire_consent(key(72), leaf, until).await.unwrap());
    let withdrawn = Err(Withheld::ConsentWithdrawn);
    // Also for whoever has a clock that is behind.
    assert_eq!(contents(now()).await, [withdrawn, expired, Ok(())]);
    let found = search(&store, &brouwer).await;
    let found: Vec<_> = found.messages.into_iter().map(|one| one.content.map(drop)).collect();
    assert_eq!(found, [withdrawn, expired, Ok(())]);
    let filter = AccessFilter { message: Some(0), ..ANY };
    let read = store.accesses(access(Deed::Raadplegingen), filter).await.unwrap();
    assert_eq!(read.records.len(), 5, "also when there was nothing to show");

    // Kept on another basis since.
    let kept: Kept =
        serde_json::from_value(json!({ "soort": "publieke-taak", "artikelen": ["Wgs art. 3"] })).unwrap();
    store.release_from_consent(key(71), (vec![0], &kept), now()).await.unwrap();
    assert_eq!(contents(now()).await, [Ok(()), expired, Ok(())]);
}

/// The number of a consent: the schema takes an RFC 9562 identifier only.
const CONSENT: u128 = 0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7;

pub(super) fn consent_of(resident: &serde_json::Value, id: u128) -> ConsentRecord {
    let record = json!({
        "betrokkene": resident,
        "inhoud": {
            "verleend_aan": [partner()], "doelen": ["hulp-met-toestemming"],
            "gegevens": { "categorieen": ["identificatie"], "leefgebieden": [] },
            "verleend_op": "2026-11-02T10:00:00+01:00", "geldig_tot": "2027-05-01T00:00:00Z", "wijze": "schriftelijk",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.", "hulp_hangt_ervan_af": false, "taal": "nl", "steun_aanwezig": true,
                "uitgelegd_door": { "organisatie": "Wij", "functie": "consulent" }, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    });
    let salts = Salts::new(&SeededRandom::new(5));
    ConsentRecord::fill_in(record.to_string().as_bytes(), Uuid::from_u128(id), salts).unwrap()
}

/// The record of a consent is found by whom it is about, and so is who decided on it; a twin's is neither.
#[tokio::test]
async fn finds_the_consents_of_a_person_and_who_decided_on_them() {
    let place = Place::new();
    let store = place.create().await;
    let (one, twin) = (resident("Brouwer", "E."), resident("Brouwer", "A."));
    for (number, resident) in [(CONSENT, &one), (CONSENT + 1, &twin)] {
        let record = consent_of(resident, number);
        let person = exchange::person::Identity::of(record.document());
        let by = access(Deed::Besluit);
        store.record_consent_decision(by, Uuid::from_u128(number), person.as_ref()).await.unwrap();
        let leaf = Leaf::new(number.to_string().into_bytes());
        store.record_consent((record.key(us()), &record), "uittreksel".into(), 30, leaf).await.unwrap();
    }
    let store = {
        store.close().await;
        place.open().await.unwrap()
    };
    for (number, resident, decided) in [(CONSENT, &one, 0), (CONSENT + 1, &twin, 2)] {
        let found = search(&store, resident).await;
        let ids: Vec<Uuid> = found.consents.iter().map(|key| key.id).collect();
        assert_eq!((ids.as_slice(), found.consents_perhaps.len()), (&[Uuid::from_u128(number)][..], 0));
        let person = exchange::person::Identity::read(resident);
        let filter = AccessFilter { person, before: Some(4), ..ANY };
        let records = store.accesses(access(Deed::Raadplegingen), filter).await.unwrap().records;
        assert_eq!(records.len(), 1);
        let record = &records[0];
        assert_eq!((record.index, record.what, record.searched_person), (decided, Deed::Besluit, false));
        assert_eq!(record.consents, [Uuid::from_u128(number)]);
    }
}
