//! Queueing, leasing and settling.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicI64, Ordering},
};

use exchange::{message::HeldBack, oin::Oin, person::Identity, tlog::Leaf};
use jiff::{SignedDuration, Timestamp};

use super::{
    ERASED_REASON, EXPIRED_REASON, MAX_BATCH, MAX_DOCUMENT_BYTES, Store, UNREADABLE_REASON, check_message,
    check_text, limited,
};
use crate::{
    access::Decided,
    error::StoreError,
    lease::{Candidate, Held, Lease, Leased},
    model::{
        BatchLimit, Enqueued, Outgoing, PartnerCheckpoint, PartnerDue, Priority, RulesVersion, SentOutcome,
        State,
    },
    sqlite::{
        access::Deciding,
        change::Change,
        committer::Operation,
        connect,
        outbound::{Ending, Queueing, Settlement, StoredReceipt},
        read,
    },
};

/// The most messages in one lease: what fits in one delivery.
const MAX_LEASE: usize = 256;

/// Pages of the queue that one lease looks through for messages that may go. More are only needed when that many
/// stand still behind others of their case; those come free soon.
const MAX_QUEUE_PAGES: usize = 16;

/// How many times in a row a lease may find nothing but messages that cannot be read. Each time they are given up, so the
/// next call goes on after them.
const MAX_UNREADABLE_LEASES: usize = 16;

/// Looking for what has expired reads all that waits; once in this long is enough when nothing is known to expire.
const EXPIRY_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

impl Store {
    /// Logs what was held back, and logs and queues `messages`, all in one transaction. Rows of sources that were
    /// offered before are left out, unless what was made of them was refused or could not be delivered: offering a row
    /// again is how a person repairs that.
    ///
    /// All of it was decided by the rules of this version; if those have changed meanwhile, nothing is kept of it and
    /// the answer is [`StoreError::RulesChanged`].
    pub async fn enqueue(
        &self,
        rules: RulesVersion,
        messages: Vec<Outgoing>,
        held_back: Vec<HeldBack>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        self.enqueue_as(rules, (messages, held_back), None).await
    }

    /// The same for what somebody decided to send: in the same transaction it is kept who did, and which messages it
    /// became. Not when all of it was offered before.
    pub async fn enqueue_decided(
        &self,
        rules: RulesVersion,
        (messages, held_back): (Vec<Outgoing>, Vec<HeldBack>),
        decided: Decided,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let Decided { access, about, also } = decided;
        if about.len() != messages.len() {
            return Err(StoreError::NotFound("whom each message is about"));
        }
        limited("persons in one operation", also.len(), MAX_BATCH)?;
        let searched = |person: &Identity| self.0.tokeniser.searched(person);
        let about = about.iter().map(|person| person.as_ref().map(searched).unwrap_or_default()).collect();
        let also = also.iter().flat_map(searched).collect();
        let deciding = Box::new(Deciding::new(access, (about, also), self.salt()));
        self.enqueue_as(rules, (messages, held_back), Some(deciding)).await
    }

    async fn enqueue_as(
        &self,
        rules: RulesVersion,
        (mut messages, held_back): (Vec<Outgoing>, Vec<HeldBack>),
        decision: Option<Box<Deciding>>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        limited("messages in one operation", messages.len() + held_back.len(), MAX_BATCH)?;
        let held_back: Vec<Leaf> = held_back.iter().map(HeldBack::leaf).collect();
        let mut bytes = 0;
        for leaf in &held_back {
            bytes += check_message("", leaf)?;
        }
        for message in &mut messages {
            bytes += check_message(&message.jws, &message.leaf)?;
            check_text(&message.purpose)?;
            message.tokens = self.tokens(&std::mem::take(&mut message.subject));
        }
        if messages.is_empty() && held_back.is_empty() {
            return Ok(Vec::new());
        }
        let erasures = self.0.hot.erasures();
        let soonest = messages.iter().map(|message| message.expires).min();
        let queueing = Queueing { rules, messages, held_back, finishes: None, decision };
        let done = self.0.committer.submit(queueing, bytes, Operation::Enqueue).await?;
        self.0.expiry.expect(soonest);
        let leases = &self.0.leases;
        self.0.hot.keep(done.input.messages, &done.answer, erasures, |to, priority, index| {
            leases.has_passed(to, priority, index)
        });
        Ok(done.answer)
    }

    /// Logs other entries; returns the index of the first.
    pub async fn append(&self, leaves: Vec<Leaf>) -> Result<u64, StoreError> {
        limited("leaves in one operation", leaves.len(), MAX_BATCH)?;
        let mut bytes = 0;
        for leaf in &leaves {
            bytes += check_message("", leaf)?;
        }
        Ok(self.0.committer.submit(leaves, bytes, Operation::Append).await?.answer)
    }

    /// For whom something waits that may be attempted now, at most `max` partners: those with withdrawals first, then
    /// who waits longest.
    pub async fn due(&self, now: Timestamp, max: usize) -> Result<Vec<PartnerDue>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let waiting = read::due(&mut reader, now).await?;
        let due = waiting.into_iter().map(|(oin, waiting)| PartnerDue {
            oin,
            waiting: waiting.saturating_sub(self.0.leases.leased_to(oin)),
        });
        Ok(due.filter(|due| due.waiting > 0).take(max).collect())
    }

    /// Leases what may be sent to `to` now: withdrawals first, then in the order in which it was queued, leaving out
    /// what has expired and what stands behind a message of its case that is under way. Nothing when nothing may go.
    /// What cannot be read becomes undeliverable, and does not hold up the rest.
    ///
    /// The first call makes this process the one that delivers; another process is refused with
    /// [`StoreError::Locked`] until this store is closed.
    pub async fn lease_due(
        &self,
        to: Oin,
        now: Timestamp,
        limit: BatchLimit,
    ) -> Result<Option<Lease>, StoreError> {
        self.claim_delivery().await?;
        for _ in 0..MAX_UNREADABLE_LEASES {
            let (mut held, rules) = self.choose(to, now, limit).await?;
            let (messages, unreadable) = self.contents(to, &mut held).await?;
            let go_on = messages.is_empty() && !unreadable.is_empty();
            self.give_up_unreadable((to, now), &mut held, unreadable).await;
            if !go_on {
                return Ok((!messages.is_empty()).then(|| Lease::new(to, rules, messages, held)));
            }
        }
        Ok(None)
    }

    /// Chooses what may be sent, and keeps it from others.
    async fn choose(
        &self,
        to: Oin,
        now: Timestamp,
        limit: BatchLimit,
    ) -> Result<(Held, RulesVersion), StoreError> {
        let mut room = BatchLimit { count: limit.count.min(MAX_LEASE), ..limit };
        let turn = self.0.reading.lock().await;
        let mut reader = self.0.readers.acquire().await?;
        let mut reading = self.0.leases.read();
        let mut nothing_waits = true;
        let mut page = room.count + 1;
        let queues = [Priority::First, Priority::Normal];
        let after = queues.map(|priority| reading.frontier(to, priority));
        let (pages, rules) = read::waiting_in_both(&mut reader, to, after, now, page).await?;
        for (priority, mut candidates) in queues.into_iter().zip(pages) {
            for _ in 0..MAX_QUEUE_PAGES {
                nothing_waits &= candidates.is_empty();
                let more = reading.take(&candidates, &mut room);
                let Some(last) = candidates.last().filter(|_| more && candidates.len() >= page) else {
                    break;
                };
                page = room.count + 1;
                candidates = read::waiting(&mut reader, (to, priority), last.place, now, page).await?;
            }
        }
        let held = reading.finish();
        drop(turn);
        if nothing_waits {
            self.0.hot.forget(to);
        }
        Ok((held, rules))
    }

    /// The messages that are held, from memory if they are at hand, otherwise from the database; and those that cannot
    /// be read. What does not wait any more is let go.
    async fn contents(
        &self,
        to: Oin,
        held: &mut Held,
    ) -> Result<(Vec<Leased>, Vec<(u64, StoreError)>), StoreError> {
        let indexes: Vec<u64> = held.taken().iter().map(Candidate::index).collect();
        let mut messages = self.0.hot.take(to, &indexes);
        let missing = indexes.iter().zip(&messages).filter(|(_, message)| message.is_none());
        let missing: Vec<u64> = missing.map(|(index, _)| *index).collect();
        if missing.is_empty() {
            return Ok((messages.into_iter().flatten().collect(), Vec::new()));
        }
        let mut reader = self.0.readers.acquire().await?;
        self.refresh_keys();
        let read = read::leased(&mut reader, &self.0.vault, &missing).await?;
        drop(reader);
        messages.extend(read.messages.into_iter().map(Some));
        let mut messages: HashMap<u64, Leased> =
            messages.into_iter().flatten().map(|message| (message.index, message)).collect();
        let still_waits = |index: &u64| {
            messages.contains_key(index) || read.unreadable.iter().any(|(unreadable, _)| unreadable == index)
        };
        let gone: HashSet<u64> = indexes.iter().copied().filter(|index| !still_waits(index)).collect();
        held.let_go(&gone, true);
        Ok((indexes.iter().filter_map(|index| messages.remove(index)).collect(), read.unreadable))
    }

    /// Makes final what nobody can read, so that it does not come up again, and lets go of it.
    async fn give_up_unreadable(
        &self,
        (to, now): (Oin, Timestamp),
        held: &mut Held,
        unreadable: Vec<(u64, StoreError)>,
    ) {
        let (mut erased, mut damaged) = (Vec::new(), Vec::new());
        for (index, fault) in &unreadable {
            tracing::error!(partner = %to, index, %fault, "a message that waits cannot be read, and is given up");
            if *fault == StoreError::Erased { erased.push(*index) } else { damaged.push(*index) }
        }
        for (reason, indexes) in [(ERASED_REASON, erased), (UNREADABLE_REASON, damaged)] {
            if indexes.is_empty() {
                continue;
            }
            let gone = indexes.iter().copied().collect();
            let endings =
                vec![Ending { state: State::Undeliverable, reason: Some(reason.to_owned()), indexes }];
            let result = self.settle(Settlement { to, endings, receipt: None, now }, 0).await;
            if let Err(error) = &result {
                tracing::error!(partner = %to, %error, "cannot record that messages cannot be read");
            }
            held.let_go(&gone, result.is_ok());
        }
    }

    /// Gives leased messages back: they are due again.
    #[allow(clippy::unused_self, reason = "reads as what happens to the store")]
    pub fn release(&self, lease: Lease) {
        drop(lease);
    }

    /// Records how the partner decided, one outcome for each message of the lease in its order, with the receipt that
    /// proves it. When this fails the lease still stands: try again, or drop it and deliver again.
    pub async fn record_receipt(
        &self,
        lease: &Lease,
        outcomes: &[SentOutcome],
        receipt: String,
        checkpoint: PartnerCheckpoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if outcomes.len() != lease.messages().len() {
            return Err(StoreError::NotFound("outcome for each message"));
        }
        limited("bytes of a receipt", receipt.len(), MAX_DOCUMENT_BYTES)?;
        let endings = endings(lease, outcomes)?;
        let bytes = receipt.len();
        let receipt = Some(StoredReceipt { content: receipt, checkpoint });
        self.settle(Settlement { to: lease.to(), endings, receipt, now }, bytes).await?;
        lease.settled();
        Ok(())
    }

    /// Records that leased messages cannot be delivered, and why. A person can have them sent again.
    pub async fn record_undeliverable(
        &self,
        lease: &Lease,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reason = Some(check_text(reason)?.to_owned());
        let indexes = lease.messages().iter().map(|message| message.index).collect();
        let endings = vec![Ending { state: State::Undeliverable, reason, indexes }];
        self.settle(Settlement { to: lease.to(), endings, receipt: None, now }, 0).await?;
        lease.settled();
        Ok(())
    }

    /// Makes messages that waited until they expired undeliverable, with reason [`EXPIRED_REASON`]; returns how many.
    /// What is under way is left alone. What another process queued to expire soon may wait a minute longer.
    pub async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.claim_delivery().await?;
        if !self.0.expiry.is_due(now) {
            return Ok(0);
        }
        self.0.expiry.start();
        let result = self.expire_all(now).await;
        let next = match &result {
            Ok((_, next)) => next.unwrap_or(now + EXPIRY_INTERVAL).min(now + EXPIRY_INTERVAL),
            Err(_) => now,
        };
        self.0.expiry.expect(Some(next));
        result.map(|(expired, _)| expired)
    }

    /// Returns how many, and when the next of those that wait expires.
    async fn expire_all(&self, now: Timestamp) -> Result<(u64, Option<Timestamp>), StoreError> {
        let mut expired = 0;
        loop {
            let turn = self.0.reading.lock().await;
            let mut reader = self.0.readers.acquire().await?;
            let mut reading = self.0.leases.read();
            let candidates = read::expired(&mut reader, now, MAX_BATCH).await?;
            reading.seize(&candidates);
            let held = reading.finish();
            drop(turn);
            let mut partners: Vec<Oin> = held.taken().iter().map(|candidate| candidate.to).collect();
            partners.sort_unstable();
            partners.dedup();
            for to in partners {
                let taken = held.taken().iter().filter(|candidate| candidate.to == to);
                let indexes: Vec<u64> = taken.map(Candidate::index).collect();
                drop(self.0.hot.take(to, &indexes));
                let reason = Some(EXPIRED_REASON.to_owned());
                let endings = vec![Ending { state: State::Undeliverable, reason, indexes }];
                expired += self.settle(Settlement { to, endings, receipt: None, now }, 0).await?;
            }
            if held.taken().is_empty() || candidates.len() < MAX_BATCH {
                return Ok((expired, read::next_expiry(&mut reader).await?));
            }
        }
    }

    /// Queues an undelivered message again, behind what waits. Refuses when it has expired, when nobody can read it any
    /// more, and when another has taken its place because its row of a source was offered again.
    pub async fn resend(&self, index: u64, now: Timestamp) -> Result<(), StoreError> {
        self.change(Change::Resend { index, now }).await?;
        self.0.expiry.expect(Some(now));
        Ok(())
    }

    async fn settle(&self, settlement: Settlement, bytes: usize) -> Result<u64, StoreError> {
        Ok(self.0.committer.submit(settlement, bytes, Operation::Settle).await?.answer)
    }

    async fn claim_delivery(&self) -> Result<(), StoreError> {
        self.0.delivery.get_or_try_init(|| async { connect::claim_delivery(&self.0.target) }).await.map(drop)
    }
}

/// When it is next of use to look for messages that have expired, in microseconds.
#[derive(Default)]
pub(super) struct Expiry(AtomicI64);

impl Expiry {
    /// Something will expire then.
    fn expect(&self, soonest: Option<Timestamp>) {
        if let Some(soonest) = soonest {
            self.0.fetch_min(soonest.as_microsecond(), Ordering::AcqRel);
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.0.load(Ordering::Acquire) <= now.as_microsecond()
    }

    /// About to look: whatever is expected from here on counts again.
    fn start(&self) {
        self.0.store(i64::MAX, Ordering::Release);
    }
}

/// The outcomes of a lease, those that are the same taken together.
fn endings(lease: &Lease, outcomes: &[SentOutcome]) -> Result<Vec<Ending>, StoreError> {
    let mut endings: Vec<Ending> = Vec::new();
    for (message, outcome) in lease.messages().iter().zip(outcomes) {
        let (state, reason) = match outcome {
            SentOutcome::Admitted => (State::Admitted, None),
            SentOutcome::Refused { reason } => (State::Refused, Some(check_text(reason)?)),
        };
        let same = |ending: &&mut Ending| ending.state == state && ending.reason.as_deref() == reason;
        if let Some(ending) = endings.iter_mut().find(same) {
            ending.indexes.push(message.index);
        } else {
            endings.push(Ending { state, reason: reason.map(str::to_owned), indexes: vec![message.index] });
        }
    }
    Ok(endings)
}
