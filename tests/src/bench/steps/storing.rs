//! The primitives that store: in groups of 128, on the disk of the nodes, as durable as they do.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use exchange::{
    delivery::check_receipt,
    digest::Digest,
    message::SignedMessage,
    oin::Oin,
    receipt::Receipt,
    tlog::{LogSigner, LogVerifier},
};
use node::system::SystemRandom;
use store::{
    Arrival, BatchLimit, Lease, Options, Outgoing, PartnerCheckpoint, SentOutcome, StorageKey, Store,
};

use super::{BATCH, Sample, each, rules};
use crate::bench::{
    process::{micros_each, own_cpu, own_cpu_since},
    world::World,
};

/// Of one batch: far more than it needs.
const BATCH_BYTES: usize = 4 << 20;

/// Processor time per message, µs, and what came of it.
pub(super) struct Stored {
    pub(super) enqueue: f64,
    pub(super) lease: f64,
    pub(super) record_receipt: f64,
    pub(super) file: f64,
    /// A receipt as the receiver makes it, and what it is about.
    receipt: Receipt,
    sent: Vec<Digest>,
    sender: Oin,
    log_key: LogVerifier,
}

/// Measures them.
pub(super) async fn measure(world: &World, sample: &Sample, root: &Path) -> anyhow::Result<Stored> {
    let folder = tempfile::tempdir_in(root)?;
    let (file, receipt, log_key) = file(world, sample, folder.path()).await?;
    let text = serde_json::to_string(&receipt)?;
    let (store, _) = create(&folder.path().join("uit.db"), world.from).await?;
    let enqueue = enqueue(&store, sample).await?;
    let (lease, leases) = lease(&store, world.to(), sample).await?;
    let record_receipt = record(&store, leases, &text, sample).await?;
    store.close().await;
    let sent = sample.messages.iter().take(BATCH).map(SignedMessage::digest).collect();
    Ok(Stored { enqueue, lease, record_receipt, file, receipt, sent, sender: world.from, log_key })
}

impl Stored {
    /// Processor time of making and of checking a receipt, per message, µs.
    pub(super) fn receipts(&self) -> anyhow::Result<(f64, f64)> {
        let body = self.receipt_body()?;
        let make = each(|_| serde_json::to_vec(&self.receipt))?;
        let check = each(|_| {
            let receipt: Result<Receipt, _> = serde_json::from_slice(&body);
            let checked =
                receipt.map(|receipt| check_receipt(&receipt, &self.sent, self.sender, &self.log_key));
            checked.is_ok_and(|checked| checked.is_ok())
        })?;
        let receipt: Receipt = serde_json::from_slice(&body)?;
        check_receipt(&receipt, &self.sent, self.sender, &self.log_key)?;
        let batch = f64::from(u32::try_from(BATCH)?);
        Ok((make / batch, check / batch))
    }

    /// The receipt of one batch as it travels.
    pub(super) fn receipt_body(&self) -> anyhow::Result<Vec<u8>> {
        Ok(serde_json::to_vec(&self.receipt)?)
    }
}

async fn create(path: &Path, oin: Oin) -> anyhow::Result<(Store, LogVerifier)> {
    let log = LogSigner::new(oin.log_origin(), SigningKey::from_bytes(&[7; 32]))?;
    let verifier = log.verifier();
    let key = StorageKey::from_bytes([1; 32]);
    let options = Options::new(path.to_owned(), oin, key, Arc::new(log), Arc::new(SystemRandom));
    Ok((Store::create(options).await?, verifier))
}

async fn file(world: &World, sample: &Sample, folder: &Path) -> anyhow::Result<(f64, Receipt, LogVerifier)> {
    let (store, log_key) = create(&folder.join("in.db"), world.to()).await?;
    let arrivals: Vec<Arrival> =
        (0..sample.messages.len()).map(|number| arrival(world, sample, number)).collect::<Result<_, _>>()?;
    let batches: Vec<Vec<Arrival>> = arrivals.chunks(BATCH).map(<[Arrival]>::to_vec).collect();
    let mut first = None;
    let rules = store.rules_version().await?;
    let before = own_cpu()?;
    for batch in batches {
        let receipt = store.file(rules, batch).await?;
        first.get_or_insert(receipt);
    }
    let took = per_message(before, sample)?;
    store.close().await;
    Ok((took, first.context("nothing was filed")?, log_key))
}

fn arrival(world: &World, sample: &Sample, number: usize) -> anyhow::Result<Arrival> {
    Ok(Arrival::new(Ok(rules::admit(world, sample, number)?), sample.now))
}

async fn enqueue(store: &Store, sample: &Sample) -> anyhow::Result<f64> {
    let rows: Vec<Vec<Outgoing>> = sample
        .messages
        .chunks(BATCH)
        .map(|batch| batch.iter().cloned().map(Outgoing::from).collect())
        .collect();
    let rules = store.rules_version().await?;
    let before = own_cpu()?;
    for batch in rows {
        store.enqueue(rules, batch, Vec::new()).await?;
    }
    per_message(before, sample)
}

async fn lease(store: &Store, to: Oin, sample: &Sample) -> anyhow::Result<(f64, Vec<Lease>)> {
    let limit = BatchLimit { count: BATCH, bytes: BATCH_BYTES };
    let mut leases = Vec::new();
    let before = own_cpu()?;
    while let Some(lease) = store.lease_due(to, sample.now, limit).await? {
        leases.push(lease);
    }
    Ok((per_message(before, sample)?, leases))
}

async fn record(store: &Store, leases: Vec<Lease>, receipt: &str, sample: &Sample) -> anyhow::Result<f64> {
    let before = own_cpu()?;
    for (size, lease) in (0..).zip(leases) {
        let outcomes = vec![SentOutcome::Admitted; lease.messages().len()];
        let checkpoint = PartnerCheckpoint { size, note: "checkpoint".repeat(30) };
        store.record_receipt(&lease, &outcomes, receipt.to_owned(), checkpoint, sample.now).await?;
    }
    per_message(before, sample)
}

fn per_message(before: Duration, sample: &Sample) -> anyhow::Result<f64> {
    Ok(micros_each(own_cpu_since(before)?, u64::try_from(sample.messages.len())?))
}
