#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{
    agreement::AnswerKind,
    digest::Digest,
    entry::{Entry, Outcome, ReasonCode, Reception},
    id::{self, MAX_DRIFT},
    jws,
    policy::ConsentKnowledge,
    random::SeededRandom,
    refusal::Reason,
    rulebook::Rulebook,
    signature::Signer as _,
    testing::{
        ARREARS, PURPOSE, agreement, answer, content, corporation, data, draft, draft_of, in_force,
        municipality, now, oin, party, purpose, purpose_with, rulebook, rulebook_on, signed, signer,
        with_consent,
    },
    tlog::Leaf,
    trace::TraceContext,
};

const NANO: SignedDuration = SignedDuration::from_nanos(1);

/// What the receiver makes of `compact`, from the corporation, at `now`.
fn receive_at(compact: &str, now: Timestamp) -> Result<AdmittedMessage, RefusedMessage> {
    let rulebook = rulebook();
    let verified = ReceivedMessage::new(compact, corporation()).verify(municipality(), &rulebook, now)?;
    verified.admit(&rulebook, ConsentKnowledge::NothingElse, now)
}

fn receive(compact: &str) -> Result<AdmittedMessage, RefusedMessage> {
    receive_at(compact, now())
}

/// The payload of a good message.
fn payload() -> Value {
    let compact = signed(draft()).compact().to_owned();
    let jws = jws::Unverified::parse(jws::MESSAGE, &compact).unwrap();
    serde_json::from_slice(jws.unverified_payload()).unwrap()
}

/// Any payload, signed by the corporation as if it were a message.
fn forge(payload: &Value) -> String {
    jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(1))
}

fn with(attribute: &str, value: impl Into<Value>) -> String {
    let mut payload = payload();
    payload[attribute] = value.into();
    forge(&payload)
}

/// The reason, and whether the refusal binds the identifier.
fn refused(outcome: Result<AdmittedMessage, RefusedMessage>) -> (Reason, bool) {
    let refused = outcome.expect_err("refused");
    (refused.refusal().reason, refused.id().is_some())
}

fn reception(leaf: &Leaf) -> Reception {
    match Entry::of_leaf(leaf).unwrap() {
        Entry::Ontvangst(reception) => reception,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_goes_all_the_way() {
    let draft = draft();
    let message = signed(draft.clone());
    assert_eq!(message.draft().id, draft.id);
    assert_eq!(message.digest(), Digest::of(message.compact().as_bytes()));
    let sent = Entry::of_leaf(&message.leaf()).unwrap();
    let rules = Digest::of(format!("{}\n{}\n", draft.agreement, purpose().digest()).as_bytes());
    assert_eq!(
        sent,
        Entry::Verzending {
            bericht: message.digest(),
            id: draft.id,
            naar: municipality(),
            regels: rules,
            tijd: now(),
            toestemming: None,
        }
    );

    let admitted = receive(message.compact()).unwrap();
    assert_eq!((admitted.id(), admitted.case(), admitted.from()), (draft.id, draft.case, corporation()));
    assert_eq!((admitted.agreement(), admitted.purpose()), (draft.agreement, PURPOSE));
    assert_eq!((admitted.message_type(), admitted.desk()), (ARREARS, Some("schuldhulp")));
    assert_eq!((admitted.created(), admitted.expires()), (draft.time, draft.expires));
    assert_eq!((admitted.compact(), admitted.digest()), (message.compact(), message.digest()));
    assert_eq!(admitted.document().json(), draft.document.json());
    assert_eq!(admitted.retention_days(), 183);
    let expected = Reception {
        bericht: message.digest(),
        id: Some(draft.id),
        reden: None,
        regels: Some(rules),
        tijd: now(),
        toestemming: None,
        uitkomst: Outcome::Toegelaten,
        van: corporation(),
    };
    assert_eq!(reception(&admitted.leaf(now())), expected);
    let conflict = Reception {
        reden: Some(ReasonCode(Reason::DuplicateWithOtherContent)),
        regels: None,
        uitkomst: Outcome::Geweigerd,
        ..expected
    };
    assert_eq!(reception(&admitted.conflict_leaf(now())), conflict);
}

#[test]
fn what_is_sent_is_the_envelope_of_the_protocol() {
    let draft = draft();
    let expected = json!({
        "specversion": "1.0",
        "id": draft.id,
        "source": "urn:nld:oin:00000099000000001000:systeem:schakel",
        "type": ARREARS,
        "time": "2026-11-21T09:30:00.123Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:schakel:schema:signaal-betalingsachterstand:1",
        "ontvanger": "00000099000000002000",
        "verlooptop": "2026-12-21T09:30:00.123Z",
        "convenant": draft.agreement,
        "doel": PURPOSE,
        "dossier": "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "loket": "schuldhulp",
        "traceparent": TraceContext::of_message(corporation(), draft.id).to_string(),
        "data": data(),
    });
    assert_eq!(payload(), expected);
    schemas::validate(schemas::SchemaName::Message, &payload()).unwrap();
    let without_desk = signed(Draft { desk: None, ..draft });
    let jws = jws::Unverified::parse(jws::MESSAGE, without_desk.compact()).unwrap();
    assert!(!String::from_utf8_lossy(jws.unverified_payload()).contains("loket"));
}

#[test]
fn a_draft_that_the_rules_refuse_is_not_permitted() {
    let mut unmet = data();
    unmet["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(false);
    let held_back = draft_of(&unmet).permit(&rulebook(), ConsentKnowledge::NothingElse).unwrap_err();
    assert_eq!(held_back.refusal().reason, Reason::ConditionNotMet);
    let sentence = format!("{} (persoonlijk-contact)", Reason::ConditionNotMet.sentence());
    assert_eq!((held_back.refusal().to_string(), held_back.to_string()), (sentence.clone(), sentence));
    let entry = Entry::Tegengehouden {
        doel: Some(PURPOSE.into()),
        naar: municipality(),
        reden: ReasonCode(Reason::ConditionNotMet),
        tijd: now(),
    };
    assert_eq!(Entry::of_leaf(&held_back.leaf()).unwrap(), entry);
}

/// A purpose that no rule knows is only what somebody typed, and the log keeps what it gets.
#[test]
fn the_log_takes_no_purpose_that_the_rules_do_not_know() {
    let typed = Draft { purpose: "Jan de Vries, 999990342".into(), ..draft() };
    // Nor when no agreement can be looked up that would know it.
    for rules in [rulebook(), Rulebook::default()] {
        let held_back = typed.clone().permit(&rules, ConsentKnowledge::NothingElse).unwrap_err();
        assert_eq!(held_back.refusal().reason, Reason::PurposeNotAllowed);
        let leaf = String::from_utf8(held_back.leaf().into_bytes()).unwrap();
        assert!(!leaf.contains("Vries") && !leaf.contains("doel\":"), "{leaf}");
    }
}

#[test]
fn what_every_receiver_would_refuse_is_not_signed() {
    let sign = |draft: Draft, number: u8| {
        let permitted = draft.permit(&rulebook(), ConsentKnowledge::NothingElse).unwrap();
        permitted.sign(&signer(number)).map(drop).map_err(|held_back| held_back.refusal().reason)
    };
    assert_eq!(sign(draft(), 1), Ok(()));
    assert_eq!(sign(draft(), 2), Err(Reason::SignatureInvalid), "the receiver's key");
    assert_eq!(sign(draft(), 3), Err(Reason::SignatureInvalid), "a key of nobody in the agreement");
    for (what, draft, reason) in [
        ("it lives too long", Draft { expires: now() + MAX_LIFETIME + NANO, ..draft() }, Reason::WrongTime),
        ("it expires before it is made", Draft { expires: now() - NANO, ..draft() }, Reason::WrongTime),
        (
            "its id is of another time",
            Draft { id: Uuid::from_u128(7 << 76 | 2 << 62), ..draft() },
            Reason::WrongTime,
        ),
        ("its id has no time", Draft { id: Uuid::nil(), ..draft() }, Reason::WrongTime),
        (
            "its desk is no name",
            Draft { desk: Some("Loket Schuldhulp".into()), ..draft() },
            Reason::SchemaInvalid,
        ),
        ("its case is no UUID of RFC 9562", Draft { case: Uuid::nil(), ..draft() }, Reason::SchemaInvalid),
    ] {
        assert_eq!(sign(draft, 1), Err(reason), "{what}");
    }
    assert_eq!(sign(Draft { expires: now() + MAX_LIFETIME, ..draft() }, 1), Ok(()));
    assert_eq!(sign(Draft { expires: now(), ..draft() }, 1), Ok(()));
}

#[test]
fn a_message_larger_than_the_limit_is_not_signed() {
    let long = "x".repeat(64 * 1024 - 400);
    let mut large: Value = serde_json::from_str(include_str!(
        "../../../../schemas/fixtures/valid/consultatie-gevraagd/kort.json"
    ))
    .unwrap();
    large["inhoud"]["vraag"] = json!(long);
    // No schema lets a text be so long, so no document gets there; the limit holds for a later schema all the same.
    let parsed =
        schemas::Document::parse(schemas::SchemaName::ConsultationAsked, large.to_string().as_bytes());
    assert!(parsed.is_err());
    let mut payload = payload();
    payload["data"]["inhoud"]["x"] = json!("x".repeat(64 * 1024));
    assert_eq!(refused(receive(&forge(&payload))), (Reason::SchemaInvalid, false));
}

mod receiving;
