//! What one message costs in primitives: the same functions that the nodes call, each by itself on the same message,
//! in processor time.
//!
//! Their sum is what a message would cost if nothing came between the primitives: no scheduling, no waiting, no
//! reading back of what is stored. All processors together divided by that sum is the machine's own limit. It counts
//! every primitive on the path of a message once for each time the path needs it, and nothing else.

mod link;
mod rules;
mod storing;

use std::{hint::black_box, path::Path, time::Duration};

use anyhow::Context as _;
use exchange::{
    jws::{self, Unverified},
    message::SignedMessage,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    clock,
    options::Transport,
    process::{self, micros_each, own_cpu, own_cpu_since},
    tell,
    world::World,
};

/// Messages in one request and one commit: what the node sends in one go.
const BATCH: usize = 128;
/// For how long a primitive is repeated.
const LONG: Duration = Duration::from_secs(1);

/// Processor time per message, µs.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Steps {
    /// What the sender does.
    pub(super) sender: SenderSteps,
    /// What the receiver does.
    pub(super) receiver: ReceiverSteps,
    /// A request of 128 messages and an answer as long as a receipt over mutual TLS on loopback, both ends together.
    pub(super) link: f64,
    /// Reading back what was queued, which the node does and a limit need not: not in the sum.
    pub(super) lease_not_counted: f64,
}

/// What the sender does.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SenderSteps {
    /// The JSON of a source into a document, without the schema.
    pub(super) parse: f64,
    /// Holding the document to its schema.
    pub(super) schema: f64,
    /// The decision whether it may leave.
    pub(super) policy: f64,
    /// The envelope, its signature, its digest and its log entry.
    pub(super) sign: f64,
    /// Storing 128 messages with their log entries in one durable transaction.
    pub(super) enqueue: f64,
    /// Reading the receipt and checking it against the partner's key and what was sent.
    pub(super) receipt_check: f64,
    /// Storing the receipt and 128 final states in one durable transaction.
    pub(super) record_receipt: f64,
}

/// What the receiver does.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReceiverSteps {
    /// Base64, header, envelope and data, without the schema.
    pub(super) parse: f64,
    /// Holding the document to its schema.
    pub(super) schema: f64,
    /// Checking the signature strictly (RFC 8032 §5.1.7).
    pub(super) verify: f64,
    /// The decision whether it may enter.
    pub(super) policy: f64,
    /// The digest of the message and its log entry.
    pub(super) log_entry: f64,
    /// Filing 128 messages with their log entries in one durable transaction, and signing the checkpoint.
    pub(super) file: f64,
    /// Writing the receipt.
    pub(super) receipt_make: f64,
}

impl Steps {
    /// The sum that bounds what the machine can do, µs of processor time per message.
    pub(super) fn sum(&self) -> f64 {
        let SenderSteps { parse, schema, policy, sign, enqueue, receipt_check, record_receipt } =
            &self.sender;
        let sender = parse + schema + policy + sign + enqueue + receipt_check + record_receipt;
        let ReceiverSteps { parse, schema, verify, policy, log_entry, file, receipt_make } = &self.receiver;
        sender + self.link + parse + schema + verify + policy + log_entry + file + receipt_make
    }

    /// Messages per second if all processors did nothing else than these primitives.
    pub(super) fn limit(&self) -> f64 {
        f64::from(process::cores()) * 1e6 / self.sum()
    }
}

/// The messages that the primitives are measured with.
pub(super) struct Sample {
    /// The text of a document.
    pub(super) text: String,
    /// Signed messages, each of its own case.
    pub(super) messages: Vec<SignedMessage>,
    /// When they were signed.
    pub(super) now: Timestamp,
}

impl Sample {
    fn sizes(&self) -> anyhow::Result<Sizes> {
        let compact = self.messages.first().context("no messages")?.compact();
        let read = Unverified::parse(jws::MESSAGE, compact)?;
        Ok(Sizes { message: read.unverified_payload().len(), jws: compact.len() })
    }
}

/// How large the messages are, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The CloudEvent.
    pub(super) message: usize,
    /// Signed, as it travels and is kept.
    pub(super) jws: usize,
}

/// Measures every primitive. `root` is where the nodes store.
pub(super) async fn measure(
    world: &World,
    root: &Path,
    transport: Transport,
) -> anyhow::Result<(Steps, Sizes)> {
    tell("primitives: rules and signatures");
    let sample = rules::sample(world)?;
    let pure = rules::measure(world, &sample)?;
    tell("primitives: storing");
    let stored = storing::measure(world, &sample, root).await?;
    let (receipt_make, receipt_check) = stored.receipts()?;
    tell(&format!("primitives: link over {}", transport.name()));
    let link = link::measure(world, &stored, &sample, transport).await?;
    let steps = Steps {
        sender: SenderSteps {
            parse: pure.parse_document,
            schema: pure.schema,
            policy: pure.policy,
            sign: pure.sign,
            enqueue: stored.enqueue,
            receipt_check,
            record_receipt: stored.record_receipt,
        },
        receiver: ReceiverSteps {
            parse: pure.parse_message,
            schema: pure.schema,
            verify: pure.verify,
            policy: pure.policy,
            log_entry: pure.log_entry,
            file: stored.file,
            receipt_make,
        },
        link,
        lease_not_counted: stored.lease,
    };
    Ok((steps, sample.sizes()?))
}

/// Processor time of `work` per call, µs, over a second of calls. Nothing else runs in this process meanwhile.
fn each<R>(mut work: impl FnMut(usize) -> R) -> anyhow::Result<f64> {
    let (start, before) = (clock::now(), own_cpu()?);
    let mut calls = 0;
    while start.elapsed() < LONG {
        drop(black_box(work(calls)));
        calls += 1;
    }
    Ok(micros_each(own_cpu_since(before)?, u64::try_from(calls)?))
}
