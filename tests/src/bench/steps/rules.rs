//! The primitives without input or output: parsing, schema, policy, signatures, log entries.

use std::hint::black_box;

use anyhow::{Context as _, anyhow};
use exchange::{
    agreement::Standing,
    clock::Clock as _,
    digest::Digest,
    envelope::Envelope,
    id,
    jws::{self, Unverified},
    message::{AdmittedMessage, Draft, ReceivedMessage},
    policy::{self, ConsentKnowledge, Question},
};
use jiff::{SignedDuration, Timestamp};
use node::system::{SystemClock, SystemRandom};
use schemas::Document;

use super::{Sample, each};
use crate::bench::{message, world::World};

/// Signed messages that the primitives take in turn: two hundred batches.
const SAMPLE: usize = 200 * super::BATCH;

/// Processor time per message, µs.
pub(super) struct Pure {
    pub(super) parse_document: f64,
    pub(super) parse_message: f64,
    pub(super) schema: f64,
    pub(super) policy: f64,
    pub(super) sign: f64,
    pub(super) verify: f64,
    pub(super) log_entry: f64,
}

/// Messages as the sender signs them.
pub(super) fn sample(world: &World) -> anyhow::Result<Sample> {
    let now = SystemClock.now();
    let (schema, texts) = (message::schema()?, message::texts(now));
    let messages = (0..SAMPLE).map(|number| {
        let document = message::document(schema, &texts[number % texts.len()])?;
        let permitted = draft(world, document, now)?.permit(&world.rules, ConsentKnowledge::NothingElse);
        permitted
            .and_then(|draft| draft.sign(&*world.signer))
            .map_err(|held_back| anyhow!("{:?}", held_back.refusal()))
    });
    let messages = messages.collect::<Result<_, _>>()?;
    Ok(Sample { text: texts.into_iter().next().unwrap_or_default(), messages, now })
}

fn draft(world: &World, document: Document, now: Timestamp) -> anyhow::Result<Draft> {
    let agreement = world.rules.agreements().find(|agreement| agreement.standing(now) == Standing::InForce);
    let agreement = agreement.context("no agreement is in force")?;
    Ok(Draft {
        id: id::new(now, &SystemRandom),
        from: world.from,
        to: world.to(),
        agreement: agreement.digest(),
        purpose: message::PURPOSE.into(),
        case: id::new(now, &SystemRandom),
        desk: None,
        time: now,
        expires: now + SignedDuration::from_hours(24 * 30),
        document,
    })
}

/// Measures them.
pub(super) fn measure(world: &World, sample: &Sample) -> anyhow::Result<Pure> {
    let schema_name = message::schema()?;
    let document = message::document(schema_name, &sample.text)?;
    let draft = draft(world, document.clone(), sample.now)?;
    let question = Question {
        from: draft.from,
        to: draft.to,
        agreement: draft.agreement,
        purpose: &draft.purpose,
        message_type: schema_name.message_type().unwrap_or_default(),
        document: &document,
        extract: None,
        consent: ConsentKnowledge::NothingElse,
        resident: None,
        now: sample.now,
    };
    let schema = each(|_| schemas::validate(schema_name, document.value()))?;
    let policy = each(|_| policy::decide(&world.rules, &question))?;
    let document_whole = each(|_| Document::parse(schema_name, black_box(sample.text.as_bytes())))?;
    let permit_and_sign = each(|_| {
        let permitted = draft.clone().permit(&world.rules, ConsentKnowledge::NothingElse);
        let signed = permitted.and_then(|draft| draft.sign(&*world.signer));
        signed.map(|message| message.leaf())
    })?;
    let (verify, parse_jws) = signature(world, sample)?;
    Ok(Pure {
        parse_document: document_whole - schema,
        parse_message: parse_jws + document_whole - schema,
        schema,
        policy,
        sign: permit_and_sign - policy,
        verify,
        log_entry: log_entry(world, sample)?,
    })
}

/// Checking the signature, and what must be read before it: header, base64 and envelope.
fn signature(world: &World, sample: &Sample) -> anyhow::Result<(f64, f64)> {
    let key = world.signer.public_key();
    let compact = |number: usize| sample.messages[number % sample.messages.len()].compact();
    let read = Unverified::parse(jws::MESSAGE, compact(0))?;
    let verify = each(|_| read.verify(key).map(<[u8]>::len))?;
    let parse = each(|number| {
        if let Ok(read) = Unverified::parse(jws::MESSAGE, compact(number)) {
            let envelope: Result<Envelope<'_>, _> = serde_json::from_slice(read.unverified_payload());
            black_box(envelope.is_ok());
        }
    })?;
    Ok((verify, parse))
}

fn log_entry(world: &World, sample: &Sample) -> anyhow::Result<f64> {
    let admitted = admit(world, sample, 0)?;
    each(|number| {
        let compact = sample.messages[number % sample.messages.len()].compact();
        (Digest::of(compact.as_bytes()), admitted.leaf(sample.now))
    })
}

/// A message of the sample as the receiver admits it.
pub(super) fn admit(world: &World, sample: &Sample, number: usize) -> anyhow::Result<AdmittedMessage> {
    ReceivedMessage::new(sample.messages[number].compact(), world.from)
        .verify(world.to(), &world.rules, sample.now)
        .and_then(|verified| verified.admit(&world.rules, ConsentKnowledge::NothingElse, sample.now))
        .map_err(|refused| anyhow!("the message of the benchmark is refused: {:?}", refused.refusal()))
}
