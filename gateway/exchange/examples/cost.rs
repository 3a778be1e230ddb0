//! What a message costs in this crate, step by step, in microseconds of one core:
//!
//! ```text
//! cargo run --release -p exchange --example cost
//! ```
//!
//! The message is that of the test vectors, made 2 KiB long by the articles of law it names. When deciding costs more than
//! [`MOST_TO_DECIDE`], it says so and fails.
#![allow(clippy::print_stdout, reason = "the output is what it is for")]
#![allow(clippy::expect_used, reason = "the vectors are part of the repository")]
#![allow(clippy::disallowed_methods, reason = "time is what is measured")]

use std::{hint::black_box, process::ExitCode, time::Instant};

use ed25519_dalek::SigningKey;
use exchange::{
    agreement::Agreement,
    consent::{ConsentRecord, Extract, Salts},
    delivery::check_receipt,
    digest::Digest,
    entry::Entry,
    envelope::Envelope,
    jws,
    message::{Draft, ReceivedMessage},
    oin::Oin,
    organisation::OrganisationKind,
    person::{Identity, LookupKeys},
    policy::{self, Allowance, ConsentKnowledge, Question},
    purpose::{OnExcess, Purpose},
    random::SeededRandom,
    receipt::{Receipt, ReceiptLeaf},
    rulebook::Rulebook,
    signature::{Ed25519Signer, Signer as _},
    tlog::{Checkpoint, CompactRange, LogSigner},
};
use schemas::{Category, Document, SchemaName};
use serde_json::{Value, json};

/// The purpose of the vectors that knows no other basis.
const ON_CONSENT: &str = "zorgsignaal-voorbeeld";
/// Messages in one delivery.
const BATCH: usize = 128;
/// The best of so many rounds counts: the machine does other things too.
const ROUNDS: usize = 15;

fn vector(text: &str) -> Value {
    serde_json::from_str(text).expect("a vector")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The most that a decision about a message may cost, in microseconds.
const MOST_TO_DECIDE: f64 = 5.0;

/// Microseconds for one call of `step`, and what it does per message.
fn measure<T>(name: &str, messages: usize, mut step: impl FnMut() -> T) -> f64 {
    let calls = 2_000 / messages;
    let round = |_| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(step());
        }
        start.elapsed()
    };
    let best = (0..ROUNDS).map(round).min().unwrap_or_default();
    let micros = best.as_secs_f64() * 1e6 / f64::from(u32::try_from(calls * messages).unwrap_or(1));
    println!("{name:<58}{micros:>8.2}");
    micros
}

/// Fails when a decision costs too much, and says which.
fn judge(decisions: &[(&str, f64)]) -> ExitCode {
    let too_much = || decisions.iter().filter(|(_, micros)| *micros > MOST_TO_DECIDE);
    for (name, micros) in too_much() {
        println!("TOO SLOW: {name} takes {micros:.2} µs, more than {MOST_TO_DECIDE} µs");
    }
    if too_much().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What it costs to decide about the data of the largest document there is, and to leave out what is too much.
fn measure_data(question: &Question<'_>) {
    let text = include_str!("../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");
    let handover = Document::parse(SchemaName::HandoverOffered, text.as_bytes()).expect("a document");
    let text = include_str!("../../../config/doelen/overdracht-werk-en-inkomen.toml");
    let purpose = Purpose::from_toml(text).expect("a purpose");
    let rule = purpose.rule("nl.sociaaldomein.overdrachten.aangeboden.v1").expect("a rule");
    let (from, to) = (OrganisationKind::Municipality, OrganisationKind::Uwv);
    let allowance = Allowance::new(rule, from, to);
    measure("decide about data: a whole handover", 1, || allowance.obstacles(handover.uses()).is_empty());
    let mut strict = rule.clone();
    strict.te_veel = OnExcess::Weglaten;
    strict.gegevens.remove(&Category::Household);
    let strict = Allowance::new(&strict, from, to);
    measure("leave out of a handover what is too much", 1, || {
        strict.trim(&handover).expect("valid").left_out
    });
    measure("see a signal field by field", 1, || question.document.fields());
}

/// A signal of care that rests on a consent of the resident in it, with the extract, which the sender holds.
fn on_consent(from: Oin, to: Oin, signer: &Ed25519Signer) -> Document {
    let text = include_str!("../../../schemas/fixtures/valid/signaal-zorgsignaal/kou-in-huis.json");
    let mut data = vector(text);
    data["inhoud"].as_object_mut().expect("content").remove("wens_inwoner");
    data["inhoud"]["zorgen"].as_object_mut().expect("worries").remove("lichamelijke-gezondheid");
    let mut consent = vector(include_str!("../../../config/toestemming.voorbeeld.json"));
    consent["betrokkene"] = data["betrokkene"].clone();
    consent["betrokkene"].as_object_mut().expect("a person").remove("contact");
    consent["inhoud"]["verleend_aan"] = json!([to]);
    consent["inhoud"]["doelen"] = json!([ON_CONSENT]);
    let id = "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().expect("a UUID");
    let salts = Salts::new(&SeededRandom::new(1));
    let record = ConsentRecord::fill_in(consent.to_string().as_bytes(), id, salts).expect("a consent");
    data["grondslag"] = json!({
        "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": id },
    });
    let document = Document::parse(SchemaName::CareConcern, data.to_string().as_bytes()).expect("a document");
    record.attach_to(&document, None, (from, signer)).expect("attached")
}

/// What it costs to decide on a consent. The signature of the extract is verified before that, once at each end, as the
/// signature of the message is: neither is part of deciding.
fn measure_consent(rulebook: &Rulebook, draft: &Draft, signer: &Ed25519Signer) -> f64 {
    let (from, to, now, none) = (draft.from, draft.to, draft.time, ConsentKnowledge::NothingElse);
    let document = on_consent(from, to, signer);
    let agreement = rulebook.agreement(draft.agreement).expect("known");
    let read = || Extract::of(&document, agreement);
    let extract = read().expect("an extract");
    let question = Question {
        from,
        to,
        agreement: draft.agreement,
        purpose: ON_CONSENT,
        message_type: document.schema().message_type().expect("a message"),
        document: &document,
        extract: Some(&extract),
        consent: none,
        resident: None,
        now,
    };
    println!("-- on a consent");
    policy::decide(rulebook, &question).expect("permitted");
    measure("read the extract, of which its signature is most", 1, read);
    let decided =
        measure("decide, by an extract that was read", 1, || policy::decide(rulebook, &question).is_ok());
    measure("  of which: who the resident is, normalised", 1, || Identity::of(&document));
    measure("  of which: is it about this resident", 1, || extract.is_about(&document, None));
    let draft = Draft { purpose: ON_CONSENT.into(), document: document.clone(), ..draft.clone() };
    let permit = || draft.clone().permit(rulebook, none).expect("permitted");
    measure("permit (read the extract, decide)", 1, permit);
    let compact = permit().sign(signer).expect("signed").compact().to_owned();
    let verify = || ReceivedMessage::new(&compact, from).verify(to, rulebook, now).expect("verified");
    measure("verify", 1, verify);
    measure("verify, admit (read the extract, decide)", 1, || {
        verify().admit(rulebook, none, now).expect("admitted")
    });
    decided
}

fn rulebook() -> Rulebook {
    let purposes = vector(include_str!("../../vectors/purposes.json"));
    let purposes = purposes.as_array().expect("a list");
    let purposes: Vec<Purpose> =
        purposes.iter().map(|one| Purpose::from_json(text(&one["jcs"])).expect("a purpose")).collect();
    let file = vector(include_str!("../../vectors/agreement.json"));
    let mut agreement = Agreement::parse(text(&file["jcs"])).expect("an agreement");
    for answer in file["answers"].as_array().expect("a list") {
        agreement.add_answer(text(&answer["jws"])).expect("an answer");
    }
    Rulebook::new([agreement], purposes)
}

/// The data of the vector's message, with as many articles as make the message 2 KiB long.
fn data(payload: &Value) -> String {
    let mut data = payload["data"].clone();
    let articles = data["grondslag"]["artikelen"].as_array_mut().expect("a list");
    for number in 1..10 {
        let law = "Besluit gemeentelijke schuldhulpverlening zoals dat luidt op de dag van dit bericht";
        articles.push(format!("{law} art. {number} lid 1 onder a").into());
    }
    data.to_string()
}

#[expect(clippy::too_many_lines, reason = "a list of steps, one after the other")]
fn main() -> ExitCode {
    let rulebook = rulebook();
    let message = vector(include_str!("../../vectors/message.json"));
    let payload = vector(text(&message["payload"]));
    let (from, to) =
        (text(&message["from"]).parse().expect("an OIN"), text(&message["to"]).parse().expect("an OIN"));
    let now = text(&message["now"]).parse().expect("a time");
    let json = data(&payload);
    let parse = || Document::parse(SchemaName::PaymentArrears, json.as_bytes()).expect("a document");
    let document = parse();
    let agreement: Digest = text(&payload["convenant"]).parse().expect("a digest");
    let draft = Draft {
        id: text(&payload["id"]).parse().expect("a UUID"),
        from,
        to,
        agreement,
        purpose: text(&payload["doel"]).into(),
        case: "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().expect("a UUID"),
        desk: Some("schuldhulp".into()),
        time: now,
        expires: text(&payload["verlooptop"]).parse().expect("a time"),
        document: document.clone(),
    };
    let signer = Ed25519Signer::from_seed(&[1; 32]);
    let none = ConsentKnowledge::NothingElse;
    let permit = || draft.clone().permit(&rulebook, none).expect("permitted");
    let outgoing = permit().sign(&signer).expect("signed");
    let compact = outgoing.compact();
    let unverified = jws::Unverified::parse(jws::MESSAGE, compact).expect("a JWS");
    let body = unverified.unverified_payload();
    let key = signer.public_key();
    let question = Question {
        from,
        to,
        agreement,
        purpose: text(&payload["doel"]),
        message_type: text(&payload["type"]),
        document: &document,
        extract: None,
        consent: none,
        resident: None,
        now,
    };

    println!("message {} bytes of JSON, {} as JWS; batches of {BATCH}\n", body.len(), compact.len());
    println!("{:<58}{:>8}", "step", "µs");
    println!("-- primitives");
    let (input, _) = compact.rsplit_once('.').expect("a JWS");
    let raw = signer.sign(input.as_bytes());
    measure("Ed25519 sign", 1, || signer.sign(input.as_bytes()));
    measure("Ed25519 verify, strict", 1, || key.verify(input.as_bytes(), &raw).is_ok());
    measure("SHA-256 of the JWS", 1, || Digest::of(compact.as_bytes()));
    measure("read the JWS (header, base64)", 1, || jws::Unverified::parse(jws::MESSAGE, compact).is_ok());
    measure("read the envelope", 1, || {
        serde_json::from_slice::<Envelope<'_>>(body).expect("read").is_well_formed()
    });
    measure("read the data: parse, schema, categories", 1, parse);
    let decided = measure("decide", 1, || policy::decide(&rulebook, &question).is_ok());
    measure_data(&question);
    measure("keys to find the resident by", 1, || LookupKeys::of(&document));
    measure("who the resident is, to compare", 1, || {
        Identity::of(&document).and_then(|who| who.person_key())
    });
    measure("entry to leaf", 1, || outgoing.leaf());
    let leaf = outgoing.leaf();
    measure("leaf hash", 1, || leaf.hash());

    println!("-- sender");
    measure("permit", 1, permit);
    measure("permit, sign, leaf", 1, || permit().sign(&signer).expect("signed").leaf());

    println!("-- receiver");
    let verify = || ReceivedMessage::new(compact, from).verify(to, &rulebook, now).expect("verified");
    let admit = || verify().admit(&rulebook, none, now).expect("admitted");
    measure("verify (digest, JWS, envelope, signature, data)", 1, verify);
    measure("verify, admit, leaf and conflict leaf", 1, || {
        let admitted = admit();
        (admitted.leaf(now), admitted.conflict_leaf(now))
    });

    let on_consent = measure_consent(&rulebook, &draft, &signer);

    println!("-- receipt, per message of a batch");
    let log = LogSigner::new(format!("schakel/{to}"), SigningKey::from_bytes(&[102; 32])).expect("a name");
    let mut before = CompactRange::default();
    for _ in 0..1_000_003 {
        before.append(leaf.hash());
    }
    let leaf = admit().leaf(now);
    let make = || {
        let mut range = before.clone();
        for _ in 0..BATCH {
            range.append(leaf.hash());
        }
        let checkpoint =
            Checkpoint { origin: format!("schakel/{to}"), size: range.size(), root: range.root() };
        Receipt {
            checkpoint: log.sign(&checkpoint),
            size_before: before.size(),
            range_before: before.roots().to_vec(),
            leaves: vec![ReceiptLeaf::New(leaf.clone()); BATCH],
        }
    };
    let receipt = make();
    let wire = serde_json::to_string(&receipt).expect("written");
    let sent = vec![outgoing.digest(); BATCH];
    let vkey = log.verifier();
    measure("make (hash, fold, sign)", BATCH, make);
    measure("write", BATCH, || serde_json::to_string(&receipt).expect("written"));
    measure("read", BATCH, || serde_json::from_str::<Receipt>(&wire).expect("read"));
    measure("check: fold, checkpoint, entries", BATCH, || {
        check_receipt(&receipt, &sent, from, &vkey).expect("holds")
    });
    measure("  of which: leaf to entry", 1, || Entry::of_leaf(&leaf).expect("read"));
    judge(&[("decide", decided), ("decide, by an extract that was read", on_consent)])
}
