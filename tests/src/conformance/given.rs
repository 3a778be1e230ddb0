//! What the cases work with: organisations, messages, batches.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, Result};
use exchange::{
    digest::Digest,
    id,
    oin::Oin,
    random::{Random as _, SeededRandom},
    receipt::{Receipt, VerifiedReceipt},
    tlog::{Leaf, LogSigner, LogVerifier},
};
use jiff::{SignedDuration, Timestamp};
use store::{
    Admitted, Arrival, BatchLimit, Enqueued, Lease, Outgoing, PartnerCheckpoint, Priority, SentOutcome,
    Store, StoreError, Verdict,
};
use uuid::Uuid;

/// The key of every store in the suite.
pub const STORAGE_KEY: [u8; 32] = [0x51; 32];

/// The key of the log of every store in the suite.
const LOG_KEY: [u8; 32] = [0x17; 32];

/// Room for everything.
pub const ALL: BatchLimit = BatchLimit { count: 256, bytes: 4 << 20 };

/// The organisation whose stores these are.
pub fn us() -> Result<Oin> {
    Ok("00000099000000001000".parse()?)
}

/// The organisations it exchanges with.
pub fn partner(number: usize) -> Result<Oin> {
    Ok(format!("000000990001{number:05}000").parse()?)
}

/// The log of those stores.
pub fn log_signer() -> Result<LogSigner> {
    Ok(LogSigner::new(us()?.log_origin(), exchange_key())?)
}

fn exchange_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&LOG_KEY)
}

/// Checks signatures of that log.
pub fn log_verifier() -> Result<LogVerifier> {
    Ok(log_signer()?.verifier())
}

/// When the cases play.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap_or_default()
}

/// Some time later.
pub fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// Offering what was decided by the rules as they stand.
pub trait Offer {
    /// Queues these messages.
    fn queue(
        &self,
        messages: Vec<Outgoing>,
    ) -> impl Future<Output = Result<Vec<Enqueued>, StoreError>> + Send;

    /// Files these.
    fn take_in(
        &self,
        from: Oin,
        arrivals: Vec<Arrival>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Receipt, StoreError>> + Send;
}

impl Offer for Store {
    async fn queue(&self, messages: Vec<Outgoing>) -> Result<Vec<Enqueued>, StoreError> {
        self.enqueue(self.rules_version().await?, messages, Vec::new()).await
    }

    async fn take_in(
        &self,
        from: Oin,
        arrivals: Vec<Arrival>,
        now: Timestamp,
    ) -> Result<Receipt, StoreError> {
        self.file(from, self.rules_version().await?, arrivals, now).await
    }
}

/// Makes messages, each another one.
pub struct Maker {
    random: SeededRandom,
    made: AtomicU64,
}

impl Maker {
    /// Makes the messages that belong to `seed`.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { random: SeededRandom::new(seed), made: AtomicU64::new(0) })
    }

    /// An identifier of now.
    pub fn id(&self) -> Uuid {
        id::new(now(), &self.random)
    }

    /// A random number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_be_bytes(bytes) % bound.max(1)
    }

    /// A message to `to` in a case of its own.
    pub fn outgoing(&self, to: Oin) -> Outgoing {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let jws = format!("message.{number}.{}", "x".repeat(100));
        Outgoing {
            to,
            id: self.id(),
            case: self.id(),
            message_type: "nl.sociaaldomein.signalen.zorgsignaal.v1".into(),
            purpose: "vroegsignalering".into(),
            agreement: Digest::of(b"agreement"),
            digest: Digest::of(jws.as_bytes()),
            leaf: Leaf::new(format!("sent {number}").into_bytes()),
            jws,
            created: now(),
            expires: later(60),
            priority: Priority::Normal,
            intake: None,
        }
    }

    /// Messages to `to`.
    pub fn outgoings(&self, to: Oin, count: usize) -> Vec<Outgoing> {
        (0..count).map(|_| self.outgoing(to)).collect()
    }

    /// An admitted message.
    pub fn admitted(&self) -> Arrival {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let jws = format!("message.{number}.{}", "y".repeat(100));
        Arrival {
            id: Some(self.id()),
            digest: Digest::of(jws.as_bytes()),
            leaf: Leaf::new(format!("admitted {number}").into_bytes()),
            conflict_leaf: Leaf::new(format!("conflict {number}").into_bytes()),
            verdict: Verdict::Admitted(Admitted {
                case: self.id(),
                message_type: "nl.sociaaldomein.signalen.zorgsignaal.v1".into(),
                purpose: "vroegsignalering".into(),
                agreement: Digest::of(b"agreement"),
                desk: Some("schuldhulp".into()),
                jws,
                created: now(),
                expires: later(60),
            }),
        }
    }

    /// Admitted messages.
    pub fn admitteds(&self, count: usize) -> Vec<Arrival> {
        (0..count).map(|_| self.admitted()).collect()
    }

    /// A refused message that was verified.
    pub fn refused(&self, reason: &str) -> Arrival {
        Arrival { verdict: Verdict::Refused { reason: reason.into() }, ..self.admitted() }
    }
}

/// Checks a receipt against the log of these stores.
pub fn verified(receipt: &Receipt) -> Result<VerifiedReceipt> {
    Ok(receipt.verify(&log_verifier()?)?)
}

/// The indexes of what was queued; an error if something was not.
pub fn queued(enqueued: &[Enqueued]) -> Result<Vec<u64>> {
    let index = |one: &Enqueued| match one {
        Enqueued::Queued { index } => Ok(*index),
        Enqueued::AlreadyOffered { .. } => anyhow::bail!("was offered before"),
    };
    enqueued.iter().map(index).collect()
}

/// Leases what is due, which must be something.
pub async fn lease(store: &Store, to: Oin) -> Result<Lease> {
    store.lease_due(to, now(), ALL).await?.context("nothing is due")
}

/// The indexes of a lease.
pub fn indexes(lease: &Lease) -> Vec<u64> {
    lease.messages().iter().map(|message| message.index).collect()
}

/// Records that all of a lease was admitted.
pub async fn admit(store: &Store, lease: &Lease) -> Result<()> {
    let outcomes = vec![SentOutcome::Admitted; lease.messages().len()];
    store.record_receipt(lease, &outcomes, "receipt".into(), checkpoint(1), now()).await?;
    Ok(())
}

/// A partner's checkpoint.
pub fn checkpoint(size: u64) -> PartnerCheckpoint {
    PartnerCheckpoint { size, note: format!("checkpoint of {size}") }
}
