//! Finding residents: what stands on disk for it, and when.

use exchange::{entry::ErasureCause, jws, person::Identity, signature::Ed25519Signer};
use serde_json::{Value, json};

use super::*;
use crate::{
    access::{Access, Actor, Deed, Found, Reason, Why},
    sqlite::{change::Change, subject::RUN},
};

pub(super) const BSN: &str = "999990342";

pub(super) fn resident(surname: &str, initials: &str) -> Value {
    json!({
        "naam": { "achternaam": surname, "voorletters": initials },
        "geboortedatum": "1974-01-20",
        "adres": { "straat": "Lindelaan", "huisnummer": 19, "postcode": "4906AN", "woonplaats": "Rivierstad" },
    })
}

/// A message about this resident, or about nobody, in this case.
pub(super) fn about(number: u128, case: u128, resident: Option<&Value>) -> Outgoing {
    let mut data = json!({ "inhoud": SECRET });
    if let Some(resident) = resident {
        data["betrokkene"] = resident.clone();
    }
    let payload = json!({ "nr": number.to_string(), "data": data }).to_string();
    let jws = jws::sign(jws::MESSAGE, payload.as_bytes(), &Ed25519Signer::from_seed(&[3; 32]));
    let digest = Digest::of(jws.as_bytes());
    let identity = resident.and_then(Identity::read);
    let subject = identity.map_or_else(LookupKeys::default, |identity| LookupKeys {
        bsn: identity.bsn_key(),
        place: identity.place_key(),
    });
    Outgoing { jws, digest, subject, case: Uuid::from_u128(case), ..outgoing(number, 0) }
}

pub(super) fn access(what: Deed) -> Access {
    let who = Actor::person("jdevries", Some("Johanna-de-Vries")).unwrap();
    Access { who, what, why: Why::new(Reason::Inzageverzoek, Some("Z-1"), None).unwrap(), when: now() }
}

pub(super) async fn search(store: &Store, resident: &Value) -> Found {
    store.search(access(Deed::Zoeken), &Identity::read(resident).unwrap()).await.unwrap()
}

pub(super) fn found(found: &Found) -> (Vec<u64>, Vec<u64>) {
    (
        found.messages.iter().map(|message| message.row.index).collect(),
        found.perhaps.iter().map(|row| row.index).collect(),
    )
}

async fn keep(store: &Store) -> u64 {
    let mut steps = 0;
    while store.keep_subjects().await.unwrap().more {
        steps += 1;
    }
    steps
}

/// How many tokens stand in runs.
async fn in_runs(place: &Place) -> i64 {
    let mut bare = place.bare().await;
    sqlx::query("SELECT count(*) FROM subject").fetch_one(&mut bare).await.unwrap().get(0)
}

#[tokio::test]
async fn finds_a_person_and_nobody_else() {
    let place = Place::new();
    let store = place.create().await;
    let (number, brouwer) = (json!({ "bsn": BSN }), resident("van den Brouwer", "E.J."));
    let mut both = brouwer.clone();
    both["bsn"] = BSN.into();
    let twin = resident("Brouwer", "A.");
    let maybe = resident("Brouwer-Jansen", "E.");
    let all = [&brouwer, &number, &twin, &both, &maybe];
    let messages = all.iter().zip(0..).map(|(resident, nr)| about(nr, 50 + nr, Some(resident))).collect();
    store.queue(messages).await.unwrap();

    // A message with both says how else the person is written. What is found by that, a person decides about.
    assert_eq!(found(&search(&store, &resident("BROUWER", "e")).await), (vec![0, 3], vec![1, 4]));
    assert_eq!(found(&search(&store, &number).await), (vec![1, 3], vec![0, 4]));
    assert_eq!(found(&search(&store, &both).await), (vec![0, 1, 3], vec![4]));
    assert_eq!(found(&search(&store, &twin).await), (vec![2], vec![]));
    assert_eq!(found(&search(&store, &json!({ "bsn": "123456782" })).await), (vec![], vec![]));
    let shown = search(&store, &number).await;
    assert!(shown.complete);
    assert_eq!(shown.messages[0].content.as_deref(), Ok(about(1, 51, Some(&number)).jws.as_str()));
}

/// Feedback names nobody, and is about the resident of its case all the same; unless there are two.
#[tokio::test]
async fn finds_what_names_nobody_by_its_case() {
    let place = Place::new();
    let store = place.create().await;
    let (one, other) = (resident("Brouwer", "E."), resident("Jansen", "K."));
    let messages = vec![
        about(0, 1, Some(&one)),
        about(1, 1, None),
        about(2, 2, None),
        about(3, 3, Some(&one)),
        about(4, 3, Some(&other)),
        about(5, 3, None),
    ];
    store.queue(messages).await.unwrap();
    assert_eq!(found(&search(&store, &one).await), (vec![0, 1, 3], vec![5]));
    assert_eq!(found(&search(&store, &other).await), (vec![4], vec![5]));
}

#[tokio::test]
async fn finds_in_runs_and_after_them() {
    let place = Place::new();
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    let mut wanted = Vec::new();
    for part in 0..10 {
        let messages = (0..1000_u128).map(|number| {
            let number = part * 1000 + number;
            let resident = (number % 1500 == 7).then_some(&brouwer);
            about(number, number, resident)
        });
        let messages: Vec<_> = messages.collect();
        wanted.extend((part * 1000..(part + 1) * 1000).filter(|number| number % 1500 == 7));
        store.queue(messages).await.unwrap();
    }
    let wanted: Vec<u64> = wanted.into_iter().map(|number| u64::try_from(number).unwrap()).collect();
    assert_eq!(found(&search(&store, &brouwer).await).0, wanted, "before there are runs");
    assert_eq!((keep(&store).await, keep(&store).await), (1, 0));
    // A token for every case, and for every resident.
    let residents = wanted.iter().filter(|index| **index < 2 * RUN).count();
    assert_eq!(
        usize::try_from(in_runs(&place).await).unwrap(),
        usize::try_from(2 * RUN).unwrap() + residents
    );
    assert_eq!(found(&search(&store, &brouwer).await).0, wanted, "in two runs and after them");

    // One case in a run, one after it: erased, they are found no more, and their tokens are gone.
    for case in [7, 9007] {
        let erased = store.erase_case(Uuid::from_u128(case), ErasureCause::Request, now()).await.unwrap();
        assert_eq!(erased.messages, 1);
    }
    assert_eq!(found(&search(&store, &brouwer).await).0, wanted[1..wanted.len() - 1]);
    let gone = "SELECT count(*) FROM message WHERE subject_place IS NOT NULL";
    let left: i64 = sqlx::query(gone).fetch_one(&mut place.bare().await).await.unwrap().get(0);
    assert_eq!(usize::try_from(left).unwrap(), wanted.len() - 2);
    assert_eq!(
        usize::try_from(in_runs(&place).await).unwrap(),
        usize::try_from(2 * RUN).unwrap() + residents - 1
    );
    assert_eq!(
        place.open().await.unwrap().log_size().await.unwrap(),
        10_000 + 3 + 2,
        "three searches, two erasures"
    );
}

/// What was stored before the lookup existed is made findable, in pieces, and until then a search says so.
#[tokio::test]
async fn makes_what_was_there_findable() {
    let place = Place::new();
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    let case = |number| if number == 6 { 1000 } else { number % 100 };
    let messages = (0..300).map(|number| about(number, case(number), Some(&brouwer)));
    store.queue(messages.collect()).await.unwrap();
    store.erase_case(Uuid::from_u128(5), ErasureCause::Request, now()).await.unwrap();
    store.close().await;
    place.tamper("UPDATE message SET subject_bsn = NULL, subject_place = NULL").await;
    place.tamper("UPDATE payload SET sealed = zeroblob(200) WHERE idx = 6").await;
    place.tamper("UPDATE subject_state SET fill_to = (SELECT size FROM log_state)").await;

    let store = place.open().await.unwrap();
    let before = search(&store, &brouwer).await;
    assert!(!before.complete && before.messages.is_empty());
    // What was erased while it was being read stays without.
    let person = Identity::read(&brouwer).unwrap();
    let tokens = vec![(5, store.0.tokeniser.tokens(&person)), (7, store.0.tokeniser.tokens(&person))];
    store.change(Change::FillSubjects { tokens, through: 0 }).await.unwrap();
    let with = sqlx::query("SELECT idx FROM message WHERE subject_place IS NOT NULL");
    let with: Vec<i64> =
        with.fetch_all(&mut place.bare().await).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(with, [7]);
    assert_eq!(found(&search(&store, &brouwer).await).0, [7, 107, 207], "with the rest of the case");
    let first = store.keep_subjects().await.unwrap();
    assert_eq!((first.more, first.to_fill), (true, 301 - 128));
    assert!(!search(&store, &brouwer).await.complete);
    let logged = store.log_size().await.unwrap();
    assert_eq!(keep(&store).await, 2);
    assert_eq!(store.log_size().await.unwrap(), logged, "upkeep is nobody who looks");
    let after = search(&store, &brouwer).await;
    assert!(after.complete);
    assert_eq!(after.messages.len(), 300 - 3 - 1);
}

#[tokio::test]
async fn an_earlier_database_gets_its_lookup() {
    let place = Place::new();
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    store.queue(vec![about(0, 1, Some(&brouwer))]).await.unwrap();
    store.close().await;
    for statement in [
        "DROP TABLE access_message",
        "DROP TABLE consent_subject",
        "DROP TABLE access_subject",
        "DROP TABLE access",
        "DROP TABLE subject",
        "DROP TABLE subject_state",
        "ALTER TABLE message DROP COLUMN subject_bsn",
        "ALTER TABLE message DROP COLUMN subject_place",
        "DELETE FROM _sqlx_migrations WHERE version = 6",
    ] {
        place.tamper(statement).await;
    }
    let store = place.open().await.unwrap();
    assert!(!search(&store, &brouwer).await.complete);
    keep(&store).await;
    assert_eq!(found(&search(&store, &brouwer).await).0, [0]);
}

/// No number, name or address, nor who looked for them; and the same person has other tokens in another database.
#[tokio::test]
async fn no_person_stands_on_disk() {
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let place = Place::new();
        let store = place.create().await;
        let mut person = resident("Kwakkelstein", "E.");
        person["bsn"] = BSN.into();
        store.queue(vec![about(0, 1, Some(&person))]).await.unwrap();
        assert_eq!(search(&store, &person).await.messages.len(), 1);
        store.close().await;
        let bytes = fs::read(place.path()).unwrap();
        let contains = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(contains("raadpleging"), "the test looks in the right place");
        for text in
            [BSN, "Kwakkelstein", "kwakkelstein", "1974-01-20", "4906AN", "jdevries", "Johanna", "Z-1"]
        {
            assert!(!contains(text), "{text}");
        }
        let row = sqlx::query("SELECT subject_bsn, subject_place FROM message");
        let row = row.fetch_one(&mut place.bare().await).await.unwrap();
        let both: [Vec<u8>; 2] = [row.get(0), row.get(1)];
        assert_eq!(both.each_ref().map(Vec::len), [8, 8]);
        tokens.push(both);
    }
    assert_ne!(tokens[0][0], tokens[1][0]);
    assert_ne!(tokens[0][1], tokens[1][1]);
}
