//! The test vectors of the protocol, `gateway/vectors`: made anew from fixed seeds, compared byte for byte with what is
//! published, and read back as another implementation would. `UPDATE_VECTORS=1 cargo test -p exchange --test vectors`
//! writes them.
//!
//! Only what the crate offers everyone is used here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a vector that cannot be made is a failed test")]

mod files;
mod parties;
mod receipt;
mod refusals;

use std::{fs, path::PathBuf};

use exchange::{
    agreement::{Agreement, Standing},
    delivery::{Delivered, check_receipt},
    digest::Digest,
    entry::Entry,
    jws,
    message::ReceivedMessage,
    policy::ConsentKnowledge,
    purpose::Purpose,
    receipt::Receipt,
    refusal::Reason,
    rulebook::Rulebook,
    signature::PublicKey,
    tlog::{Leaf, LogVerifier, ProofFile},
};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

fn published(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_default()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&published(name)).expect("a published vector")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn items(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

/// The purposes and the agreement with its answers, as published.
fn rulebook() -> Rulebook {
    let read = |one: &Value| Purpose::from_json(text(&one["jcs"])).unwrap();
    let purposes: Vec<Purpose> = items(&json("purposes.json")).iter().map(read).collect();
    let file = json("agreement.json");
    let mut agreement = Agreement::parse(text(&file["jcs"])).unwrap();
    for answer in items(&file["answers"]) {
        agreement.add_answer(text(&answer["jws"])).unwrap();
    }
    Rulebook::new([agreement], purposes)
}

#[test]
fn what_is_published_is_what_this_program_makes() {
    let update = std::env::var_os("UPDATE_VECTORS").is_some();
    for (name, content) in files::all() {
        if update {
            fs::write(folder().join(name), &content).unwrap();
        }
        assert!(
            published(name) == content,
            "{name} is another; UPDATE_VECTORS=1 writes what this program makes"
        );
    }
}

#[test]
fn keys_have_their_thumbprint_as_identifier() {
    for party in items(&json("keys.json")) {
        let key: PublicKey = serde_json::from_value(party["jwk"].clone()).unwrap();
        assert_eq!(key.kid(), text(&party["jwk"]["kid"]));
        let log: LogVerifier = text(&party["log_vkey"]).parse().unwrap();
        assert_eq!(log.origin(), format!("schakel/{}", text(&party["oin"])));
    }
}

#[test]
fn texts_have_their_digests() {
    for purpose in items(&json("purposes.json")) {
        let read = Purpose::from_json(&purpose["text"].to_string()).unwrap();
        assert_eq!(
            (read.text(), read.digest().to_string().as_str()),
            (text(&purpose["jcs"]), text(&purpose["digest"]))
        );
    }
    let file = json("agreement.json");
    let mut agreement = Agreement::parse(&file["text"].to_string()).unwrap();
    assert_eq!(agreement.text(), text(&file["jcs"]));
    assert_eq!(agreement.digest().to_string(), text(&file["digest"]));
    let now = text(&file["now"]).parse().unwrap();
    for answer in items(&file["answers"]) {
        let added = agreement.add_answer(text(&answer["jws"])).unwrap();
        assert_eq!(added.by.as_str(), text(&answer["by"]));
    }
    assert_eq!(agreement.standing(now), Standing::InForce);
}

#[test]
fn the_message_is_admitted() {
    let file = json("message.json");
    let compact = text(&file["jws"]);
    assert_eq!(Digest::of(compact.as_bytes()).to_string(), text(&file["digest"]));
    let parsed = jws::Unverified::parse(jws::MESSAGE, compact).unwrap();
    assert_eq!(parsed.unverified_payload(), text(&file["payload"]).as_bytes());
    let (rulebook, now) = (rulebook(), text(&file["now"]).parse().unwrap());
    let received = ReceivedMessage::new(compact, text(&file["from"]).parse().unwrap());
    let verified = received.verify(text(&file["to"]).parse().unwrap(), &rulebook, now).unwrap();
    let admitted = verified.admit(&rulebook, ConsentKnowledge::NothingElse, now).unwrap();
    match Entry::of_leaf(&admitted.leaf(now)).unwrap() {
        Entry::Ontvangst(reception) => {
            assert_eq!(reception.regels.unwrap().to_string(), text(&file["rules"]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn leaves_have_their_hashes() {
    for entry in items(&json("entries.json")) {
        let leaf = Leaf::new(text(&entry["leaf"]).into());
        assert_eq!(leaf.hash().to_string(), text(&entry["hash"]));
        assert_eq!(Entry::of_leaf(&leaf).unwrap().leaf(), leaf);
    }
}

#[test]
fn the_receipt_proves_its_messages() {
    let file = json("receipt.json");
    let receipt: Receipt = serde_json::from_value(file["receipt"].clone()).unwrap();
    let key: LogVerifier = text(&file["log_vkey"]).parse().unwrap();
    let sent: Vec<Digest> = items(&file["sent"]).iter().map(|digest| text(digest).parse().unwrap()).collect();
    let (verified, outcomes) =
        check_receipt(&receipt, &sent, text(&file["from"]).parse().unwrap(), &key).unwrap();
    for ((outcome, (index, _)), expected) in
        outcomes.iter().zip(verified.entries()).zip(items(&file["outcomes"]))
    {
        assert_eq!(Some(index), expected["index"].as_u64());
        match outcome {
            Delivered::Admitted => assert!(expected["reason"].is_null()),
            Delivered::Refused(reason) => assert_eq!(reason.code(), text(&expected["reason"])),
        }
    }
    let proof: ProofFile = published("receipt.tlog-proof").parse().unwrap();
    let leaf = Leaf::new(proof.extra.clone().unwrap());
    assert_eq!(proof.verify(&leaf, &key).unwrap().size, verified.checkpoint().size);
}

#[test]
fn every_refusal_is_for_its_reason() {
    let rulebook = rulebook();
    let file = json("refusals.json");
    let mut reasons = std::collections::BTreeSet::new();
    for case in items(&file) {
        let now = text(&case["now"]).parse().unwrap();
        let received = ReceivedMessage::new(text(&case["jws"]), text(&case["peer"]).parse().unwrap());
        let outcome = received
            .verify(text(&case["me"]).parse().unwrap(), &rulebook, now)
            .and_then(|verified| verified.admit(&rulebook, ConsentKnowledge::NothingElse, now));
        let refused = outcome.expect_err(text(&case["name"]));
        assert_eq!(refused.refusal().reason.code(), text(&case["reason"]), "{}", case["name"]);
        assert_eq!(refused.id().map(|id| id.to_string()).as_deref(), case["id"].as_str(), "{}", case["name"]);
        reasons.insert(refused.refusal().reason);
    }
    // What needs messages before it to come about: a withdrawal, an identifier in use, the steps of a handover. What is only
    // refused of those. And no receiver refuses for a desk.
    let apart = [
        Reason::ConsentWithdrawn,
        Reason::DuplicateWithOtherContent,
        Reason::HandoverUnknown,
        Reason::HandoverAnswered,
        Reason::HandoverOutOfTurn,
        Reason::ControlElsewhere,
        Reason::TermOutOfBounds,
        Reason::WrongDesk,
    ];
    let missing: Vec<Reason> = Reason::ALL
        .into_iter()
        .filter(|reason| !reasons.contains(reason) && !apart.contains(reason))
        .collect();
    assert_eq!(missing, Vec::<Reason>::new());
}
