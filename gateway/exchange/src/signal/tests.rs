#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::{Value, json};

use super::*;
use crate::{entry::Reception, purpose::Purpose};

const FEEDBACK: &str = include_str!("../../../../schemas/fixtures/valid/terugkoppeling/resultaat.json");
const RENT: &str = include_str!("../../../../config/doelen/vroegsignalering-huur.toml");

fn feedback(content: Value) -> Document {
    let mut document: Value = serde_json::from_str(FEEDBACK).unwrap();
    let about = document["inhoud"]["bericht_id"].clone();
    document["inhoud"] = content;
    document["inhoud"]["bericht_id"] = about;
    Document::parse(SchemaName::Feedback, document.to_string().as_bytes()).unwrap()
}

fn meets(content: Value) -> bool {
    Said::of(&feedback(content)).unwrap().meets
}

#[test]
fn that_it_was_taken_up_meets_no_term() {
    assert!(!meets(json!({ "opgepakt_op": "2026-11-20" })));
    assert!(!meets(json!({ "status": "Nog niet opgepakt" })));
    let tried = |kind: &str, reached: bool| {
        let attempt = json!({ "soort": kind, "datum": "2026-11-20", "bereikt": reached });
        json!({ "opgepakt_op": "2026-11-20", "contactpogingen": [attempt] })
    };
    assert!(!meets(tried("Huisbezoek", false)));
    assert!(!meets(tried("Brief", true)), "a letter is no conversation");
    assert!(meets(tried("Huisbezoek", true)));
    assert!(meets(tried("Telefoon", true)));
}

/// Every value that DDAS has for how a signal ended meets it, in `status` as in `resultaat`.
#[test]
fn a_first_conversation_and_every_outcome_meet_it() {
    assert!(meets(json!({ "eerste_gesprek_op": "2026-11-23" })));
    let schema: Value =
        serde_json::from_str(include_str!("../../../../schemas/v1/terugkoppeling.schema.json")).unwrap();
    for field in ["status", "resultaat"] {
        let values = schema["properties"]["inhoud"]["properties"][field]["enum"].as_array().unwrap();
        assert!(values.len() > 5);
        for value in values {
            assert_eq!(meets(json!({ field: value })), value != NOT_TAKEN_UP, "{field} {value}");
        }
    }
}

#[test]
fn only_feedback_says_something_of_a_signal() {
    let offer = include_str!("../../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");
    let offer = Document::parse(SchemaName::HandoverOffered, offer.as_bytes()).unwrap();
    assert_eq!(Said::of(&offer), None);
    let rent = Purpose::from_toml(RENT).unwrap();
    let rule = rent.rule("nl.sociaaldomein.signalen.betalingsachterstand.v1").unwrap();
    let now = "2026-11-30T09:00:00Z".parse().unwrap();
    assert_eq!(deadline(&offer, rule, now), None, "an offer has terms of its own");
    let rule = rent.rule("nl.sociaaldomein.terugkoppelingen.gegeven.v1").unwrap();
    assert_eq!(deadline(&feedback(json!({ "status": "Nog niet opgepakt" })), rule, now), None);
}

/// The sender reads the same instant in the receipt as the receiver in its log.
#[test]
fn both_sides_read_when_it_was_admitted() {
    let message = Digest::of(b"signal");
    let entry = |outcome, message| {
        Entry::Ontvangst(Reception {
            bericht: message,
            id: None,
            reden: None,
            regels: None,
            tijd: "2026-11-30T09:00:00.123456789Z".parse().unwrap(),
            toestemming: None,
            uitkomst: outcome,
            van: "00000099000000003000".parse().unwrap(),
        })
        .leaf()
    };
    let admitted = entry(Outcome::Toegelaten, message);
    let at = admitted_by(&admitted, message).unwrap();
    assert_eq!(at, "2026-11-30T09:00:00.123456789Z".parse().unwrap());
    assert_eq!(admitted_by(&admitted, Digest::of(b"another")), None);
    assert_eq!(admitted_by(&entry(Outcome::Geweigerd, message), message), None);
    let leaves = [entry(Outcome::Toegelaten, Digest::of(b"another")), admitted];
    let receipt = Receipt {
        checkpoint: String::new(),
        size_before: 0,
        range_before: Vec::new(),
        leaves: leaves.into_iter().map(ReceiptLeaf::New).collect(),
    };
    let receipt = serde_json::to_string(&receipt).unwrap();
    assert_eq!(admitted_in(&receipt, message), Some(at));
    assert_eq!(admitted_in(&receipt, Digest::of(b"a third")), None);
    assert_eq!(admitted_in("no receipt", message), None);
}
