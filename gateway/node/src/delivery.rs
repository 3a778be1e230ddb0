//! From outbox to receipt: batches to each partner that has something waiting, retried until they expire.
//!
//! [`prepare`] and [`settle`] are the two steps around the network; the driver in this module and the simulation both
//! use just these.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use exchange::{
    agreement::{Agreement, Standing},
    consent::event::is_about_consent,
    delivery::{Backoff, Delivered, check_receipt},
    digest::Digest,
    message::{agreement_of, message_type_of},
    oin::Oin,
    receipt::{Receipt, VerifiedReceipt},
    refusal::Reason,
    tlog::LogVerifier,
};
use jiff::{SignedDuration, Timestamp};
use store::{BatchLimit, Lease, PartnerCheckpoint, SentOutcome, StoreError};
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use transport::{Link, LinkError, Request, Response};
use uuid::Uuid;

use crate::{agreements, core::Core, partners, witness};

/// The media type of a delivery.
pub const JWS_LINES: &str = "application/vnd.schakel.jws-lines";
/// Under this path, by its identifier, the partner tells what became of a message.
pub const OUTCOMES: &str = "/v1/ontvangsten/";
/// The media type of a receipt.
pub const RECEIPT: &str = "application/vnd.schakel.ontvangst+json";

/// One request carries at most this much: half of what a receiver must take, so that two are under way at once.
const BATCH: BatchLimit = BatchLimit { count: 128, bytes: 2 * 1024 * 1024 };
/// A message alone.
const ONE: BatchLimit = BatchLimit { count: 1, ..BATCH };
/// Batches under way to one partner: one on the line while the receiver works on the other.
const BATCHES_IN_FLIGHT: usize = 2;
/// Partners served at the same time.
const MAX_PARTNERS: usize = 64;
/// How often to look for what another process put in the outbox, and for partners whose wait is over.
const POLL: Duration = Duration::from_secs(1);

/// The longest reason for waiting, in bytes: what the store takes.
const MAX_REASON: usize = store::MAX_FAILURE_BYTES;
/// A partner that shows itself is not tried more often than this: what it asks of us must not make us call without end.
const BETWEEN_RETURNS: SignedDuration = SignedDuration::from_secs(5);

/// Messages with the request about them.
pub struct Batch {
    lease: Lease,
    asks: Asks,
}

/// What a partner is asked.
enum Asks {
    /// To take these messages.
    Delivery(Bytes),
    /// What became of a message that may not leave any more. It may have arrived before, and only its answer be lost.
    Outcome(Uuid, Digest),
}

/// How a batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The partner proved what it did with every message.
    Receipted {
        /// Filed by the partner.
        admitted: usize,
        /// Refused by the partner, for good.
        refused: usize,
    },
    /// Everything is due again; the partner may name the earliest moment.
    Waiting {
        /// Why, for the operator. No personal data.
        reason: String,
        /// Not before this long.
        no_sooner: Option<SignedDuration>,
    },
    /// The partner says it will never take this. A batch is then tried message by message.
    Undeliverable,
    /// The partner never had it, and it does not leave any more.
    Withheld,
}

/// Takes the next batch for a partner, if something is due. Of what waited for an agreement that has ended meanwhile
/// nothing leaves any more: the partner is asked whether it had it already.
pub async fn prepare(core: &Core, to: Oin, one_by_one: bool) -> Result<Option<Batch>, StoreError> {
    let limit = if one_by_one { ONE } else { BATCH };
    let now = core.now();
    let Some(lease) = core.store.lease_due(to, now, limit).await? else { return Ok(None) };
    if may_still_go(core, &lease, now).await {
        return Ok(Some(batch(lease)));
    }
    // One by one, to find those that may.
    drop(lease);
    let Some(lease) = core.store.lease_due(to, now, ONE).await? else { return Ok(None) };
    if may_still_go(core, &lease, now).await {
        return Ok(Some(batch(lease)));
    }
    let question = lease.messages().first().map(|message| Asks::Outcome(message.id, message.digest));
    Ok(question.map(|asks| Batch { lease, asks }))
}

impl Batch {
    /// The messages it delivers, if it does.
    pub const fn delivery(&self) -> Option<&Bytes> {
        match &self.asks {
            Asks::Delivery(body) => Some(body),
            Asks::Outcome(..) => None,
        }
    }
}

fn batch(lease: Lease) -> Batch {
    let mut body = String::with_capacity(lease.messages().iter().map(|message| message.jws.len() + 1).sum());
    for message in lease.messages() {
        body.push_str(&message.jws);
        body.push('\n');
    }
    Batch { lease, asks: Asks::Delivery(body.into()) }
}

/// Whether no message rests on an agreement that is over. The messages are only looked at when some agreement with the
/// partner is. One that is not known here yet was in force for the process that queued the message.
async fn may_still_go(core: &Core, lease: &Lease, now: Timestamp) -> bool {
    let rules = core.rules_since(lease.rules()).await;
    let over = |agreement: &Agreement| {
        matches!(agreement.standing(now), Standing::Ended(_) | Standing::Rejected(_) | Standing::Expired)
    };
    let mut theirs = rules.agreements().filter(|agreement| agreement.party(lease.to()).is_some());
    !theirs.any(|agreement| over(agreement))
        || lease.messages().iter().all(|message| {
            // What carries out a right of the resident goes also after the end.
            if message_type_of(&message.jws).is_some_and(is_about_consent) {
                return true;
            }
            let agreement = agreement_of(&message.jws).and_then(|digest| rules.agreement(digest));
            !agreement.is_some_and(|agreement| over(agreement))
        })
}

/// The request that carries a batch, or asks after it.
pub fn request(batch: &Batch) -> Request {
    match &batch.asks {
        Asks::Delivery(body) => Request::post("/v1/berichten", JWS_LINES, body.clone()),
        Asks::Outcome(id, message) => {
            Request::get(format!("{OUTCOMES}{id}")).with_query(format!("bericht={message}"))
        }
    }
}

/// Records what came of a batch. When this returns, the outcome is durable.
pub async fn settle(
    core: &Core,
    batch: Batch,
    answer: Result<Response, LinkError>,
) -> Result<Settled, StoreError> {
    let Batch { lease, asks } = batch;
    let partner = lease.to();
    match (answer, asks) {
        (Ok(response), _) if response.status == 200 => receipted(core, lease, &response.body).await,
        (Ok(response), Asks::Outcome(..)) if response.status == 204 => {
            let reason = Reason::AgreementNotInForce.code();
            core.store.record_undeliverable(&lease, reason, core.now()).await?;
            Ok(Settled::Withheld)
        }
        (Ok(response), Asks::Delivery(_)) if is_final(response.status) => {
            if lease.messages().len() == 1 {
                let reason =
                    format!("geweigerd door het knooppunt van de ontvanger (HTTP {})", response.status);
                core.store.record_undeliverable(&lease, &reason, core.now()).await?;
            }
            Ok(Settled::Undeliverable)
        }
        (Ok(response), _) => {
            tracing::warn!(%partner, status = response.status, "partner did not take a delivery");
            let no_sooner = response.retry_after.map(|seconds| SignedDuration::from_secs(seconds.into()));
            Ok(Settled::Waiting { reason: refusal_text(response.status), no_sooner })
        }
        (Err(error), _) => {
            tracing::warn!(%partner, %error, "partner could not be reached");
            let reason = format!("{} {}", error.explanation(), error.remedy());
            Ok(Settled::Waiting { reason, no_sooner: None })
        }
    }
}

/// Statuses that no repetition changes: the request itself is at fault.
fn is_final(status: u16) -> bool {
    matches!(status, 400 | 405 | 406 | 411 | 413 | 414 | 415 | 422 | 431)
}

/// What a status means, and what to do about it.
fn refusal_text(status: u16) -> String {
    match status {
        403 => "De ontvanger kent dit knooppunt nog niet als partner. Vraag de beheerder daar om uw organisatie toe te voegen.".into(),
        404 => "Op het adres van de ontvanger antwoordt geen Schakel-knooppunt. Vraag de partner om het goede adres.".into(),
        429 => "De ontvanger vraagt om rustiger aan te doen. U hoeft niets te doen.".into(),
        503 => "De ontvanger kan nu even niets aannemen. Duurt het lang, vraag dan de beheerder daar wat er is.".into(),
        other => format!("De ontvanger antwoordde met HTTP {other}. Duurt het lang, vraag dan de beheerder daar wat er is."),
    }
}

async fn receipted(core: &Core, lease: Lease, body: &[u8]) -> Result<Settled, StoreError> {
    let partner = lease.to();
    let sent: Vec<Digest> = lease.messages().iter().map(|message| message.digest).collect();
    let checked = proven(core, partner, &sent, body);
    let (key, verified, delivered) = match checked {
        Ok(checked) => checked,
        Err(fault) => {
            tracing::error!(%partner, fault, "partner answered with a receipt that proves nothing");
            let reason =
                "De ontvanger gaf geen geldig ontvangstbewijs. Neem contact op met de beheerder daar.";
            return Ok(Settled::Waiting { reason: reason.into(), no_sooner: None });
        }
    };
    tracing::debug!(%partner, proven = sent.len(), "partner proved what it did with a delivery");
    let admitted = delivered.iter().filter(|outcome| **outcome == Delivered::Admitted).count();
    let refused = delivered.len() - admitted;
    let outcomes: Vec<SentOutcome> = delivered.into_iter().map(sent_outcome).collect();
    let text = String::from_utf8_lossy(body).into_owned();
    let checkpoint = PartnerCheckpoint { size: verified.checkpoint().size, note: verified.note().to_owned() };
    core.store.record_receipt(&lease, &outcomes, text, checkpoint, core.now()).await?;
    witness::receipted(core, partner, &key, &verified).await?;
    if core.settled.receiver_count() > 0 {
        let _ = core.settled.send(lease.messages().iter().map(|message| message.id).collect());
    }
    Ok(Settled::Receipted { admitted, refused })
}

fn sent_outcome(delivered: Delivered) -> SentOutcome {
    match delivered {
        Delivered::Admitted => SentOutcome::Admitted,
        Delivered::Refused(reason) => SentOutcome::Refused { reason: reason.code().to_owned() },
    }
}

/// What the answer proves about `sent`, under a log key of the partner.
fn proven(
    core: &Core,
    partner: Oin,
    sent: &[Digest],
    body: &[u8],
) -> Result<(LogVerifier, VerifiedReceipt, Vec<Delivered>), String> {
    let receipt: Receipt =
        serde_json::from_slice(body).map_err(|_| "the answer is not a receipt".to_owned())?;
    let mut fault = "no agreement accepted here names the partner's log key".to_owned();
    for key in log_keys(core, partner) {
        match check_receipt(&receipt, sent, core.me, &key) {
            Ok((verified, outcomes)) => return Ok((key, verified, outcomes)),
            Err(error) => fault = error.to_string(),
        }
    }
    Err(fault)
}

/// The log keys of a partner in the agreements that this organisation accepted: it checked them then. What somebody
/// merely proposes names no key.
pub(crate) fn log_keys(core: &Core, partner: Oin) -> Vec<LogVerifier> {
    let rules = core.rules();
    let accepted = rules.agreements().filter(|one| one.answers().iter().any(|answer| answer.by == core.me));
    let mut keys: Vec<LogVerifier> = accepted.filter_map(|one| one.log_key(partner)).cloned().collect();
    keys.sort_by_key(ToString::to_string);
    keys.dedup_by_key(|key| key.to_string());
    keys
}

/// Delivers until it is dropped.
pub struct Driver {
    core: Arc<Core>,
    link: Link,
    partners: Mutex<HashMap<Oin, PartnerState>>,
}

/// What the driver keeps of a partner between batches. After a restart every partner is tried at once.
struct PartnerState {
    backoff: Backoff,
    not_before: Timestamp,
    /// When the store knew of that: from then on it is the store that says whether the partner is due, since another
    /// process may have found that it is there again.
    noted: Option<Timestamp>,
    /// When its wait was cut short last.
    returned: Timestamp,
    one_by_one: bool,
    /// Something waits that could not go along with what is under way.
    held_up: bool,
    slots: Arc<Semaphore>,
}

impl Default for PartnerState {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            not_before: Timestamp::MIN,
            noted: None,
            returned: Timestamp::MIN,
            one_by_one: false,
            held_up: false,
            slots: Arc::new(Semaphore::new(BATCHES_IN_FLIGHT)),
        }
    }
}

/// What is done because a partner showed itself.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// It does not wait.
    Nothing,
    TryNow,
    /// It was tried at once a moment ago, and in vain.
    TryAt(Timestamp),
}

impl PartnerState {
    /// A partner whose first attempt after it showed itself failed is tried once more when that may be, not when the whole of
    /// its wait is over: it can well have been on its way up.
    fn heard(&mut self, now: Timestamp) -> Heard {
        if self.backoff.failures() == 0 {
            return Heard::Nothing;
        }
        let soon = self.returned.saturating_add(BETWEEN_RETURNS).unwrap_or(Timestamp::MAX);
        // A clock that was set back must not make it wait.
        if self.returned > now || soon <= now {
            self.returned = now;
            return Heard::TryNow;
        }
        self.not_before = self.not_before.min(soon);
        Heard::TryAt(soon)
    }

    /// Whether it may be tried, as one that the store says is due, asked at `now`.
    fn may_try(&self, now: Timestamp) -> bool {
        self.not_before <= now || self.noted.is_some_and(|noted| noted < now)
    }
}

impl Driver {
    /// A driver that sends over `link`.
    pub fn new(core: Arc<Core>, link: Link) -> Arc<Self> {
        Arc::new(Self { core, link, partners: Mutex::default() })
    }

    /// Runs until cancelled. Cancelling loses nothing: what was not receipted is due again.
    pub async fn run(self: Arc<Self>) {
        let mut under_way: JoinSet<Oin> = JoinSet::new();
        // Not a sleep per round: under load every round ends early, and what expires would be forgotten.
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let more = self.clone().start_due(&mut under_way).await.unwrap_or_else(|error| {
                tracing::error!(%error, "cannot read the outbox");
                false
            });
            loop {
                tokio::select! {
                    () = self.core.work.notified() => break,
                    // A batch that ended makes room, but only what stood waiting for room is worth another look.
                    Some(ended) = under_way.join_next() => {
                        if more || ended.is_ok_and(|partner| self.was_held_up(partner)) {
                            break;
                        }
                    }
                    _ = poll.tick() => {
                        self.housekeeping().await;
                        break;
                    }
                }
            }
        }
    }

    /// Tries a partner at once: it became reachable or announced itself.
    pub async fn wake(&self, partner: Oin) -> Result<(), StoreError> {
        self.with(partner, |state| state.not_before = Timestamp::MIN);
        self.core.returned.add(partner);
        self.core.store.note_partner_reached(partner, self.core.now()).await?;
        self.core.work.notify_one();
        self.core.reached.store(true, Ordering::Release);
        Ok(())
    }

    /// A partner asked us something, so it is there: what waits for it does not wait any longer.
    pub async fn heard_from(&self, partner: Oin) {
        let now = self.core.now();
        let noted = match self.with(partner, |state| state.heard(now)) {
            Heard::Nothing => Ok(()),
            Heard::TryNow => self.wake(partner).await,
            Heard::TryAt(at) => self.core.store.try_partner_sooner(partner, at).await,
        };
        if let Err(error) = noted {
            tracing::error!(%error, "cannot note that a partner returned; it is tried when its wait is over");
        }
    }

    async fn housekeeping(&self) {
        if let Err(error) = self.core.store.expire(self.core.now()).await {
            tracing::error!(%error, "cannot expire messages");
        }
    }

    fn was_held_up(&self, partner: Oin) -> bool {
        self.with(partner, |state| std::mem::take(&mut state.held_up))
    }

    /// Sends to partners for whom something is due; says whether there are more of those.
    async fn start_due(self: Arc<Self>, under_way: &mut JoinSet<Oin>) -> Result<bool, StoreError> {
        let now = self.core.now();
        let due = self.core.store.due(now, MAX_PARTNERS).await?;
        let more = due.len() == MAX_PARTNERS;
        for due in due {
            // What is queued from here on rings again: looking once more for it would only cost.
            let mut left = due.waiting;
            while left > 0 {
                let partner = due.oin;
                let (slots, one_by_one, may) =
                    self.with(partner, |state| (state.slots.clone(), state.one_by_one, state.may_try(now)));
                let Some(slot) = may.then(|| slots.try_acquire_owned().ok()).flatten() else { break };
                let Some(batch) = prepare(&self.core, partner, one_by_one).await? else { break };
                left = left.saturating_sub(batch.lease.messages().len() as u64);
                let driver = self.clone();
                under_way.spawn(async move {
                    driver.deliver(partner, batch).await;
                    drop(slot);
                    partner
                });
            }
            self.with(due.oin, |state| state.held_up |= left > 0);
        }
        Ok(more)
    }

    async fn deliver(&self, partner: Oin, batch: Batch) {
        // No message overtakes an answer to the agreement it rests on.
        if batch.delivery().is_some()
            && let Err(reason) = agreements::tell_first(&self.core, &self.link, &batch.lease).await
        {
            return self.wait(partner, &reason, None).await;
        }
        let single = batch.lease.messages().len() == 1;
        let answer = match partners::endpoint(&self.core, partner) {
            Some(endpoint) => self.link.send(&endpoint, request(&batch)).await,
            None => {
                return self
                    .wait(
                        partner,
                        "De ontvanger is geen partner, en heeft dus geen adres. Voeg hem toe met `schakel partner toevoegen`.",
                        None,
                    )
                    .await;
            }
        };
        match settle(&self.core, batch, answer).await {
            Ok(Settled::Receipted { .. } | Settled::Withheld) => {
                let was_failing = self.with(partner, |state| {
                    let failing = state.backoff.failures() > 0;
                    state.backoff.reset();
                    state.one_by_one = false;
                    failing
                });
                if was_failing {
                    let _ = self.core.store.note_partner_reached(partner, self.core.now()).await;
                }
            }
            Ok(Settled::Waiting { reason, no_sooner }) => self.wait(partner, &reason, no_sooner).await,
            // Find the one message that the partner's node cannot read, without holding up the others.
            Ok(Settled::Undeliverable) => {
                self.with(partner, |state| {
                    state.one_by_one = !single || state.one_by_one;
                    state.held_up = true;
                });
            }
            Err(error) => {
                tracing::error!(%error, "cannot record the outcome of a delivery");
                self.wait(
                    partner,
                    "De uitkomst kon niet worden opgeslagen. Controleer of er ruimte is op de schijf.",
                    None,
                )
                .await;
            }
        }
    }

    async fn wait(&self, partner: Oin, reason: &str, no_sooner: Option<SignedDuration>) {
        let now = self.core.now();
        let next = self.with(partner, |state| {
            // Two batches that fail together are one failure.
            if state.not_before <= now {
                state.not_before = state.backoff.next(now, no_sooner, &*self.core.random);
            }
            state.noted = None;
            state.not_before
        });
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
        match self.core.store.note_partner_failure(partner, reason, now, next).await {
            Ok(()) => {
                let noted = self.core.now();
                self.with(partner, |state| state.noted = Some(noted));
            }
            Err(error) => tracing::error!(%error, "cannot note that a partner is unreachable"),
        }
    }

    fn with<T>(&self, partner: Oin, change: impl FnOnce(&mut PartnerState) -> T) -> T {
        let mut partners = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        change(partners.entry(partner).or_default())
    }
}

#[cfg(test)]
mod tests;
