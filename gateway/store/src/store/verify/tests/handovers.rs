//! What is stored of handovers and is not what the messages do is found out as well.

use exchange::{
    digest::Digest,
    entry::{Outcome, Reception},
    handover::{Notice, Taken},
    jws,
    message::{Attributes, StoredMessage, step_of},
    oin::Oin,
    policy::rules_of,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    given::{agreement, key},
    *,
};
use crate::{
    Looked, TermTold,
    model::{Arrival, Outgoing, Verdict as Decided},
};

const OFFER: &str =
    include_str!("../../../../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");
const ACCEPTANCE: &str =
    include_str!("../../../../../../schemas/fixtures/valid/overdracht-geaccepteerd/zonder-naam.json");
const CASE: u128 = 0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7;

/// The identifier of a message: of this instant, with this number at its end.
fn id(number: u64) -> Uuid {
    exchange::id::new(now(), &SeededRandom::new(number))
}

fn rules() -> Digest {
    let (agreement, purpose) = agreement(1);
    rules_of(agreement.digest(), purpose.digest())
}

fn case() -> Uuid {
    Uuid::from_u128(CASE)
}

/// A message as it would travel.
fn message(number: u64, (from, to): (Oin, Oin), what: &str, data: &Value) -> String {
    let payload = json!({
        "specversion": "1.0", "id": id(number), "source": from.source_urn(), "type": format!("nl.sociaaldomein.overdrachten.{what}.v1"),
        "time": now(), "datacontenttype": "application/json", "dataschema": format!("urn:schakel:schema:overdracht-{what}:1"), "ontvanger": to,
        "verlooptop": now() + SignedDuration::from_hours(1), "convenant": agreement(1).0.digest(),
        "doel": agreement(1).1.content().doel, "dossier": case().urn().to_string(), "data": data,
    });
    jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &key(from))
}

fn offered() -> Outgoing {
    let data = serde_json::from_str(OFFER).unwrap();
    let jws = message(1, (us(), partner()), "aangeboden", &data);
    let (digest, regels) = (Digest::of(jws.as_bytes()), rules());
    let step = step_of(&jws, (us(), partner())).unwrap();
    let leaf = Entry::Verzending {
        bericht: digest,
        id: id(1),
        naar: partner(),
        regels,
        tijd: now(),
        toestemming: None,
    };
    let (id, case, step) = (id(1), case(), Some(Taken { step, after: 0, owes: false, due: None }));
    let message_type = "nl.sociaaldomein.overdrachten.aangeboden.v1";
    let subject = StoredMessage::read(&jws).unwrap().subject;
    Outgoing { id, case, digest, leaf: leaf.leaf(), jws, step, subject, message_type, ..outgoing(1) }
}

fn accepted() -> Arrival {
    let mut data: Value = serde_json::from_str(ACCEPTANCE).unwrap();
    data["inhoud"]["aanbod_id"] = json!(id(1));
    let compact = message(2, (partner(), us()), "geaccepteerd", &data);
    let step = step_of(&compact, (partner(), us())).unwrap();
    let digest = Digest::of(compact.as_bytes());
    let arrival = arrival(2);
    let Decided::Admitted(attributes) = arrival.verdict else { panic!("it is admitted") };
    let leaf = Entry::Ontvangst(Reception {
        bericht: digest,
        id: Some(id(2)),
        reden: None,
        regels: Some(rules()),
        tijd: now(),
        toestemming: None,
        uitkomst: Outcome::Toegelaten,
        van: partner(),
    });
    let message_type = "nl.sociaaldomein.overdrachten.geaccepteerd.v1".to_owned();
    let subject = StoredMessage::read(&compact).unwrap().subject;
    let attributes = Attributes { case: case(), compact, message_type, desk: None, ..attributes };
    let verdict = Decided::Admitted(attributes);
    let step = Some((Taken { step, after: 1, owes: false, due: None }, case()));
    Arrival { id: Some(id(2)), digest, leaf: leaf.leaf(), verdict, step, subject, ..arrival }
}

impl Place {
    /// A case that was offered and accepted, another message, and what was told of its terms.
    async fn handed_over() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let store = Store::create(place.options()).await.unwrap();
        agree(&store, 1).await;
        let rules = store.rules_version().await.unwrap();
        store.enqueue(rules, vec![offered(), outgoing(7)], Vec::new()).await.unwrap(); // 0, 1
        store.file(rules, vec![accepted()]).await.unwrap(); // 2
        let seen = store.handover_case(case()).await.unwrap().unwrap();
        let late = now() + SignedDuration::from_hours(24 * 400);
        let told = |number, notice| TermTold { set_by: id(number), notice, at: late };
        let told = vec![told(1, Notice::Reminder), told(2, Notice::Reminder), told(2, Notice::Escalation)];
        assert!(store.handover_looked_at(Looked { seen, told, due: None }).await.unwrap());
        store.close().await;
        place
    }
}

/// Statement, the entry that is named, a word of what is said, and whether it takes opening the messages to see it.
const TAMPERED: &[(&str, u64, &str, bool)] = &[
    ("UPDATE message SET step = NULL WHERE idx = 2", 0, "ontbreken stappen", false),
    ("UPDATE message SET step = NULL", 0, "ontbreken stappen", false),
    (
        "UPDATE message SET step = NULL WHERE idx = 2; UPDATE handover SET steps = 1",
        2,
        "anders opgeslagen of ontbreekt",
        true,
    ),
    (
        "UPDATE message SET step = NULL; DELETE FROM handover_notice; DELETE FROM handover",
        0,
        "anders opgeslagen of ontbreekt",
        true,
    ),
    ("UPDATE handover SET steps = 3", 0, "ontbreken stappen", false),
    (
        "UPDATE message SET step = (SELECT step FROM message WHERE idx = 2) WHERE idx = 1",
        1,
        "hoort niet bij het bericht",
        false,
    ),
    ("UPDATE message SET \"case\" = NULL WHERE idx = 2", 0, "ontbreken stappen", false),
    ("UPDATE message SET step = 'x' WHERE idx = 2", 2, "hoort niet bij het bericht", false),
    ("UPDATE message SET \"case\" = zeroblob(16) WHERE idx = 2", 0, "ontbreken stappen", false),
    ("DELETE FROM handover_notice; DELETE FROM handover", 0, "ontbreken stappen", false),
    (
        "UPDATE message SET step = json_set(step, '$.bericht', '01936f2a-4c1e-7b3a-9c5d-2f6e8a1b4c70') WHERE idx = 2",
        2,
        "hoort niet bij het bericht",
        false,
    ),
    (
        "UPDATE message SET step = json_set(step, '$.van', '00000099000000003000') WHERE idx = 2",
        2,
        "hoort niet bij het bericht",
        false,
    ),
    (
        "UPDATE message SET step = json_set(step, '$.stap', 'afgewezen', '$.reden', 'anders') WHERE idx = 2; DELETE FROM handover_notice",
        2,
        "anders opgeslagen",
        true,
    ),
    (
        "UPDATE message SET step = json_set(step, '$.reageren_voor', '2027-01-01T00:00:00Z') WHERE idx = 0",
        0,
        "anders opgeslagen",
        true,
    ),
    ("UPDATE handover_notice SET told = 0 WHERE kind = 1", 0, "herinnering of opschaling", false),
    ("UPDATE handover_notice SET kind = 7 WHERE kind = 1", 0, "herinnering of opschaling", false),
    (
        "UPDATE handover_notice SET set_by = zeroblob(16) WHERE kind = 1",
        0,
        "herinnering of opschaling",
        false,
    ),
    ("UPDATE handover_notice SET set_by = x'00' WHERE kind = 1", 0, "herinnering of opschaling", false),
];

#[tokio::test]
async fn a_step_that_is_not_that_of_its_message_is_named() {
    let check = async |place: &Place, closed| {
        let store = place.open().await;
        let verdict = store.verify(Check { anchors: Vec::new(), closed }, |_, _| {}).await.unwrap();
        store.close().await;
        verdict
    };
    for closed in [false, true] {
        let verdict = check(&Place::handed_over().await, closed).await;
        assert!(matches!(verdict, Verdict::Whole { size: 3, .. }), "{verdict:?}");
    }
    for (statement, index, word, takes_opening) in TAMPERED {
        let place = Place::handed_over().await;
        place.tamper(statement).await;
        let verdict = check(&place, !*takes_opening).await;
        let (at, _, what) = found(&verdict);
        assert_eq!(at, *index, "{statement}: {what}");
        assert!(what.contains(word), "{statement}: {what}");
    }
}

/// The text of a message was erased: what it does in a handover stays, and what is known of it still has to fit.
#[tokio::test]
async fn the_step_of_an_erased_message_stays() {
    let place = Place::handed_over().await;
    let store = place.open().await;
    store.erase(vec![2], ErasureCause::Request, now()).await.unwrap();
    store.close().await;
    assert!(matches!(place.verified().await, Verdict::Whole { size: 4, .. }));
    place.tamper("UPDATE message SET step = json_set(step, '$.van', 'x') WHERE idx = 2").await;
    assert_eq!(found(&place.verified().await).0, 2);
}

/// A database in which steps stood apart, as earlier versions kept them.
const APART: &str = r#"CREATE TABLE handover_step ("case" BLOB NOT NULL REFERENCES handover, idx INTEGER NOT NULL REFERENCES message,
    step TEXT NOT NULL, PRIMARY KEY ("case", idx)) STRICT, WITHOUT ROWID;
    INSERT INTO handover_step SELECT "case", idx, step FROM message WHERE step IS NOT NULL;
    DROP TRIGGER signal_term_of_state; DROP TABLE signal_feedback; DROP TABLE signal_term; DROP TABLE signal_term_state;
    DROP TRIGGER event_of_message; DROP TRIGGER event_of_ending; DROP TRIGGER event_of_new_withdrawal;
    DROP TRIGGER event_of_withdrawal; DROP TABLE dead_letter; DROP TABLE webhook; DROP TABLE event; DROP TABLE event_use;
    DROP INDEX message_step; ALTER TABLE message DROP COLUMN step;
    DELETE FROM _sqlx_migrations WHERE version >= 19"#;

#[tokio::test]
async fn the_steps_of_an_earlier_version_come_along() {
    let place = Place::handed_over().await;
    let read = async || {
        let store = place.open().await;
        let steps = store.handover_steps(&[case()].into()).await.unwrap();
        store.close().await;
        steps.into_values().flatten().map(|step| (step.index, step.step)).collect::<Vec<_>>()
    };
    let before = read().await;
    assert_eq!(before.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2]);
    place.tamper(APART).await;
    assert_eq!(read().await, before);
    assert!(matches!(place.verified().await, Verdict::Whole { size: 3, .. }));
}
