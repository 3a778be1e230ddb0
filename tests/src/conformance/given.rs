//! What the cases work with: organisations, messages, batches.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use exchange::{
    id,
    message::{Draft, SignedMessage},
    oin::Oin,
    random::{Random as _, SeededRandom},
    receipt::{Receipt, VerifiedReceipt},
    tlog::{LogSigner, LogVerifier},
};
use jiff::{SignedDuration, Timestamp};
use store::{BatchLimit, Enqueued, Lease, Outgoing, PartnerCheckpoint, SentOutcome, Store, StoreError};
use uuid::Uuid;

use super::agreed::{self, Incoming, agreed};

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
    fn queue<M: Into<Outgoing>>(
        &self,
        messages: Vec<M>,
    ) -> impl Future<Output = Result<Vec<Enqueued>, StoreError>> + Send;

    /// Files these.
    fn take_in(&self, delivery: Vec<Incoming>) -> impl Future<Output = Result<Receipt, StoreError>> + Send;
}

impl Offer for Store {
    fn queue<M: Into<Outgoing>>(
        &self,
        messages: Vec<M>,
    ) -> impl Future<Output = Result<Vec<Enqueued>, StoreError>> + Send {
        let messages: Vec<Outgoing> = messages.into_iter().map(Into::into).collect();
        async move { self.enqueue(self.rules_version().await?, messages, Vec::new()).await }
    }

    async fn take_in(&self, delivery: Vec<Incoming>) -> Result<Receipt, StoreError> {
        let arrivals = delivery.into_iter().map(|incoming| incoming.arrival).collect();
        self.file(self.rules_version().await?, arrivals).await
    }
}

/// How long messages live, in minutes, unless a case says otherwise.
const LIFETIME: i64 = 60;

/// Makes messages, each another one.
pub struct Maker {
    random: SeededRandom,
}

impl Maker {
    /// Makes the messages that belong to `seed`.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { random: SeededRandom::new(seed) })
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

    /// What could be sent to `to`, in a case of its own.
    pub fn draft(&self, to: Oin) -> Result<Draft> {
        let agreed = agreed()?;
        Ok(Draft {
            id: self.id(),
            from: us()?,
            to,
            agreement: agreed.agreement,
            purpose: agreed.purpose.clone(),
            case: self.id(),
            desk: None,
            time: now(),
            expires: later(LIFETIME),
            document: agreed.feedback.clone(),
        })
    }

    /// A message to `to` in a case of its own.
    pub fn outgoing(&self, to: Oin) -> Result<SignedMessage> {
        agreed::sign(self.draft(to)?)
    }

    /// Messages to `to`.
    pub fn outgoings(&self, to: Oin, count: usize) -> Result<Vec<SignedMessage>> {
        (0..count).map(|_| self.outgoing(to)).collect()
    }

    /// Messages to `to`, with something changed before they were signed.
    pub fn changed(&self, to: Oin, count: usize, change: impl Fn(&mut Draft)) -> Result<Vec<SignedMessage>> {
        let one = |_| {
            let mut draft = self.draft(to)?;
            change(&mut draft);
            agreed::sign(draft)
        };
        (0..count).map(one).collect()
    }

    /// What a partner could send, in a case of its own.
    pub fn signal(&self, from: Oin) -> Result<Draft> {
        let document = agreed()?.signal.clone();
        let desk = Some("schuldhulp".into());
        Ok(Draft { from, to: us()?, desk, document, ..self.draft(from)? })
    }

    /// A message of a partner that is admitted.
    pub fn admitted(&self, from: Oin) -> Result<Incoming> {
        admitted(&agreed::sign(self.signal(from)?)?, now())
    }

    /// Messages of a partner that are admitted.
    pub fn admitteds(&self, from: Oin, count: usize) -> Result<Vec<Incoming>> {
        (0..count).map(|_| self.admitted(from)).collect()
    }

    /// A message of a partner that can be verified and is refused: the agreement was ended here
    /// (`convenant-niet-geldig`).
    pub fn refused(&self, from: Oin) -> Result<Incoming> {
        refused(&agreed::sign(self.signal(from)?)?)
    }
}

/// A message of a partner that comes in while the agreement is in force.
pub fn admitted(message: &SignedMessage, at: Timestamp) -> Result<Incoming> {
    agreed::receive(message.compact(), message.draft().from, &agreed()?.rules, at)
}

/// A message of a partner that comes in after the agreement was ended here.
pub fn refused(message: &SignedMessage) -> Result<Incoming> {
    agreed::receive(message.compact(), message.draft().from, &agreed()?.ended, now())
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
