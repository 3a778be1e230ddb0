//! The use cases.

use std::{
    collections::HashMap,
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use exchange::{
    digest::Digest,
    oin::Oin,
    random::Random,
    receipt::{MAX_LEAVES, Receipt},
    tlog::{Checkpoint, Hash, Leaf, LogSigner, plan_consistency, plan_inclusion},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::{sync::OnceCell, task::JoinHandle};
use uuid::Uuid;

use crate::{
    error::StoreError,
    hot::Hot,
    key::{IntakeKey, Keys, StorageKey},
    lease::{Candidate, Lease, Leased, Leases},
    model::{
        Arrival, BatchLimit, Count, Enqueued, Filter, LogState, MessageRow, Notice, Outgoing,
        PartnerCheckpoint, PartnerDue, PartnerRecord, PartnerState, Priority, SentOutcome, State,
        StoredAgreement, Verdict,
    },
    sqlite::{
        change::Change,
        committer::{Committer, Operation, Writer},
        connect::{self, Target},
        file::Filing,
        outbound::{Ending, Settlement, StoredReceipt},
        read, wal,
    },
};

/// The most messages or leaves in one operation: larger ones would make others wait.
pub const MAX_BATCH: usize = 1024;

/// The longest signed message: 64 KiB of JSON in base64 with its header and signature.
pub const MAX_PAYLOAD_BYTES: usize = 96 * 1024;

/// The longest leaf; what receipts allow.
pub const MAX_LEAF_BYTES: usize = exchange::receipt::MAX_LEAF_BYTES;

/// The longest name, code or desk.
pub const MAX_TEXT_BYTES: usize = 256;

/// The most rows in one reading.
pub const MAX_ROWS_READ: usize = 500;

/// The longest document: a descriptor, an agreement, an answer, a purpose, a receipt.
const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// The most messages in one lease: what fits in one delivery.
const MAX_LEASE: usize = 256;

/// Pages of the queue that one lease looks through for messages that may go. More are only needed when that many
/// stand still behind others of their case; those come free soon.
const MAX_QUEUE_PAGES: usize = 16;

/// Looking for what has expired reads all that waits; once in this long is enough when nothing is known to expire.
const EXPIRY_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// How long to wait for another process that writes to the same database.
const PATIENCE: Duration = Duration::from_secs(5);

/// The reason of a message whose identifier is in use for another.
pub const CONFLICT_REASON: &str = exchange::refusal::Reason::DuplicateWithOtherContent.code();

/// The reason of a message that was not delivered in time.
pub const EXPIRED_REASON: &str = exchange::refusal::Reason::Expired.code();

/// What a store needs.
#[derive(Clone)]
pub struct Options {
    /// The database file. Beside it stand its `-wal`, `-shm` and `-bezorging`.
    pub path: PathBuf,
    /// Whose store it is.
    pub oin: Oin,
    /// The key under which payloads are encrypted.
    pub storage_key: StorageKey,
    /// Signs the checkpoints of the log; its origin is [`Oin::log_origin`].
    pub log: Arc<LogSigner>,
    /// Where data keys and nonces come from.
    pub random: Arc<dyn Random>,
    /// How long to wait for another process; the default when `None`.
    pub patience: Option<Duration>,
    /// The database may not grow beyond this many pages of 16 KiB; no limit when `None`.
    pub max_pages: Option<u32>,
}

impl Options {
    /// The usual options.
    pub fn new(
        path: PathBuf,
        oin: Oin,
        storage_key: StorageKey,
        log: Arc<LogSigner>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { path, oin, storage_key, log, random, patience: None, max_pages: None }
    }

    fn target(&self) -> Target {
        Target {
            path: self.path.clone(),
            patience: self.patience.unwrap_or(PATIENCE),
            max_pages: self.max_pages,
        }
    }
}

/// What a node remembers. Cheap to clone; the last clone closes the database.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    target: Target,
    keys: Arc<Keys>,
    log: Arc<LogSigner>,
    committer: Committer,
    committing: Mutex<Option<JoinHandle<()>>>,
    wal: wal::Gauge,
    copying: Mutex<Option<JoinHandle<()>>>,
    readers: SqlitePool,
    leases: Arc<Leases>,
    hot: Hot,
    expiry: Expiry,
    /// One reading of the queue at a time.
    reading: tokio::sync::Mutex<()>,
    /// That this process is the one that delivers.
    delivery: OnceCell<File>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wal.close();
    }
}

impl Store {
    /// Makes a new database and opens it. Refuses when there is a file already.
    pub async fn create(options: Options) -> Result<Self, StoreError> {
        let keys = Keys::derive(&options.storage_key)?;
        connect::create(&options.target(), options.oin, &keys).await?;
        Self::open(options).await
    }

    /// Opens the database. Refuses when there is none, and when it belongs to another organisation, was made with
    /// another key or by a newer version, is damaged, or is locked.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let keys = Arc::new(Keys::derive(&options.storage_key)?);
        let target = options.target();
        let mut connection = connect::open(&target, options.oin, &keys).await?;
        // Reads the end of the log and checks that it belongs to its head.
        read::log_state(&mut connection).await?;
        let gauge = wal::Gauge::default();
        let copying = wal::start(target.clone(), gauge.clone());
        let wal = gauge.clone();
        let log = Arc::clone(&options.log);
        let writer =
            Writer::new(target.clone(), connection, Arc::clone(&keys), options.random, options.log, gauge);
        let (committer, committing) = Committer::start(writer);
        let readers = target.readers();
        Ok(Self(Arc::new(Inner {
            target,
            keys,
            log,
            committer,
            committing: Mutex::new(Some(committing)),
            wal,
            copying: Mutex::new(Some(copying)),
            readers,
            leases: Arc::default(),
            hot: Hot::default(),
            expiry: Expiry::default(),
            reading: tokio::sync::Mutex::default(),
            delivery: OnceCell::new(),
        })))
    }

    /// The key of one row of a source, by which it is recognised when it is offered again.
    pub fn intake_key(&self, row: &[u8]) -> IntakeKey {
        self.0.keys.intake(row)
    }

    // --- outbound -----------------------------------------------------------------------------------------------

    /// Logs and queues messages, all in one transaction. Rows of sources that were offered before are left out.
    pub async fn enqueue(&self, messages: Vec<Outgoing>) -> Result<Vec<Enqueued>, StoreError> {
        limited("messages in one operation", messages.len(), MAX_BATCH)?;
        let mut bytes = 0;
        for message in &messages {
            bytes += check_message(&message.jws, &message.leaf)?;
            check_text(&message.message_type)?;
            check_text(&message.purpose)?;
        }
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let soonest = messages.iter().map(|message| message.expires).min();
        let done = self.0.committer.submit(messages, bytes, Operation::Enqueue).await?;
        self.0.expiry.expect(soonest);
        let leases = &self.0.leases;
        self.0
            .hot
            .keep(done.input, &done.answer, |to, priority, index| leases.has_passed(to, priority, index));
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

    /// For whom something waits that may be attempted now, at most `max` partners.
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
        let mut room = BatchLimit { count: limit.count.min(MAX_LEASE), ..limit };
        let mut reader = self.0.readers.acquire().await?;
        let turn = self.0.reading.lock().await;
        let mut reading = self.0.leases.read();
        let mut nothing_waits = true;
        for priority in [Priority::First, Priority::Normal] {
            let mut after = reading.frontier(to, priority);
            for _ in 0..MAX_QUEUE_PAGES {
                let page = room.count + 1;
                let candidates = read::waiting(&mut reader, (to, priority), after, now, page).await?;
                nothing_waits &= candidates.is_empty();
                let more = reading.take(&candidates, &mut room);
                after = candidates.last().map(|last| last.place);
                if !more || candidates.len() < page {
                    break;
                }
            }
        }
        let held = reading.finish();
        drop(turn);
        if nothing_waits {
            self.0.hot.forget(to);
        }
        let indexes: Vec<u64> = held.taken().iter().map(Candidate::index).collect();
        let messages = self.contents(&mut reader, to, &indexes).await?;
        Ok((!messages.is_empty()).then(|| Lease::new(to, messages, held)))
    }

    /// The messages with these indexes: from memory if they are at hand, otherwise from the database.
    async fn contents(
        &self,
        reader: &mut SqliteConnection,
        to: Oin,
        indexes: &[u64],
    ) -> Result<Vec<Leased>, StoreError> {
        let mut messages = self.0.hot.take(to, indexes);
        let missing = indexes.iter().zip(&messages).filter(|(_, message)| message.is_none());
        let missing: Vec<u64> = missing.map(|(index, _)| *index).collect();
        if missing.is_empty() {
            return Ok(messages.into_iter().flatten().collect());
        }
        messages.extend(read::leased(reader, &self.0.keys, &missing).await?.into_iter().map(Some));
        let mut messages: HashMap<u64, Leased> =
            messages.into_iter().flatten().map(|message| (message.index, message)).collect();
        Ok(indexes.iter().filter_map(|index| messages.remove(index)).collect())
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
            let mut reader = self.0.readers.acquire().await?;
            let turn = self.0.reading.lock().await;
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

    /// Queues an undelivered message again, behind what waits. Refuses when it has expired.
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

    // --- inbound ------------------------------------------------------------------------------------------------

    /// Files what arrived from a partner: each message once, however often and in whatever company it comes. Returns
    /// the receipt once everything is durable.
    pub async fn file(
        &self,
        from: Oin,
        arrivals: Vec<Arrival>,
        now: Timestamp,
    ) -> Result<Receipt, StoreError> {
        limited("messages in one batch", arrivals.len(), MAX_LEAVES)?;
        let mut bytes = 0;
        for arrival in &arrivals {
            let jws = match &arrival.verdict {
                Verdict::Admitted(admitted) => {
                    check_text(&admitted.message_type)?;
                    check_text(&admitted.purpose)?;
                    check_text(admitted.desk.as_deref().unwrap_or_default())?;
                    &admitted.jws
                }
                Verdict::Refused { reason } => check_text(reason).map(|_| "")?,
            };
            bytes += check_message(jws, &arrival.leaf)? + check_message("", &arrival.conflict_leaf)?;
        }
        let filing = Filing { from, arrivals, now };
        let filed = self.0.committer.submit(filing, bytes, Operation::File).await?.answer;
        // Signed here and not by the committer, who has others to serve; and only what is durable by now.
        let head = Checkpoint { origin: self.0.log.origin().to_owned(), size: filed.size, root: filed.root };
        Ok(Receipt {
            checkpoint: self.0.log.sign(&head),
            size_before: filed.before.size(),
            range_before: filed.before.roots().to_vec(),
            leaves: filed.leaves,
        })
    }

    // --- reading ------------------------------------------------------------------------------------------------

    /// The messages that pass the filter, at most [`MAX_ROWS_READ`].
    pub async fn messages(&self, filter: Filter) -> Result<Vec<MessageRow>, StoreError> {
        read::messages(&mut *self.0.readers.acquire().await?, &filter, MAX_ROWS_READ).await
    }

    /// The message with this identifier; the one that was logged first, if a partner used one of ours.
    pub async fn message(&self, id: Uuid) -> Result<Option<MessageRow>, StoreError> {
        read::message(&mut *self.0.readers.acquire().await?, id).await
    }

    /// The signed message with this index.
    pub async fn payload(&self, index: u64) -> Result<String, StoreError> {
        read::payload(&mut *self.0.readers.acquire().await?, &self.0.keys, index).await
    }

    /// The receipt with which the delivery of this message was answered.
    pub async fn receipt(&self, index: u64) -> Result<Option<String>, StoreError> {
        read::receipt(&mut *self.0.readers.acquire().await?, index).await
    }

    /// How many messages there are of each kind.
    pub async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        read::counts(&mut *self.0.readers.acquire().await?).await
    }

    // --- the log ------------------------------------------------------------------------------------------------

    /// The number of leaves.
    pub async fn log_size(&self) -> Result<u64, StoreError> {
        read::log_size(&mut *self.0.readers.acquire().await?).await
    }

    /// The size and root of the log, after checking that the last leaves' hashes lead to it.
    pub async fn log_state(&self) -> Result<LogState, StoreError> {
        let mut reader = self.0.readers.begin().await?;
        read::log_state(&mut reader).await
    }

    /// The signed head of the log as it is now. The last one is kept.
    pub async fn checkpoint(&self) -> Result<String, StoreError> {
        let kept = read::checkpoint(&mut *self.0.readers.acquire().await?).await?;
        match kept {
            Some(note) => Ok(note),
            None => Ok(self.0.committer.submit((), 0, Operation::Checkpoint).await?.answer),
        }
    }

    /// The proof that leaf `index` is in the log as it was with `size` leaves.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        known_size(size, read::log_size(&mut reader).await?)?;
        let plan = plan_inclusion(index, size).map_err(|_| StoreError::NotFound("leaf with this index"))?;
        read::proof(&mut reader, &plan).await
    }

    /// The proof that the log of `to` leaves begins with that of `from` leaves.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        known_size(to, read::log_size(&mut reader).await?)?;
        let plan = plan_consistency(from, to).map_err(|_| StoreError::NotFound("log of this size"))?;
        read::proof(&mut reader, &plan).await
    }

    /// Leaves from an index on, at most `max` and [`MAX_ROWS_READ`].
    pub async fn leaves(&self, from: u64, max: usize) -> Result<Vec<Leaf>, StoreError> {
        read::leaves(&mut *self.0.readers.acquire().await?, from, max.min(MAX_ROWS_READ)).await
    }

    /// The latest checkpoint that was kept of a partner.
    pub async fn partner_checkpoint(&self, oin: Oin) -> Result<Option<PartnerCheckpoint>, StoreError> {
        read::partner_checkpoint(&mut *self.0.readers.acquire().await?, oin).await
    }

    /// Keeps a checkpoint of a partner, unless a later one is kept already.
    pub async fn put_partner_checkpoint(
        &self,
        oin: Oin,
        checkpoint: PartnerCheckpoint,
    ) -> Result<(), StoreError> {
        limited("bytes of a checkpoint", checkpoint.note.len(), MAX_DOCUMENT_BYTES)?;
        self.change(Change::PutCheckpoint { oin, checkpoint }).await.map(drop)
    }

    // --- partners and agreements --------------------------------------------------------------------------------

    /// Adds a partner, or replaces what is known of it.
    pub async fn put_partner(&self, record: PartnerRecord) -> Result<(), StoreError> {
        check_text(&record.name)?;
        check_text(&record.kind)?;
        limited("bytes of a descriptor", record.descriptor.len(), MAX_DOCUMENT_BYTES)?;
        self.change(Change::PutPartner(record)).await.map(drop)
    }

    /// All partners, by OIN.
    pub async fn partners(&self) -> Result<Vec<PartnerRecord>, StoreError> {
        read::partners(&mut *self.0.readers.acquire().await?, None).await
    }

    /// One partner.
    pub async fn partner(&self, oin: Oin) -> Result<Option<PartnerRecord>, StoreError> {
        Ok(read::partners(&mut *self.0.readers.acquire().await?, Some(oin)).await?.pop())
    }

    /// Removes a partner; says whether it was there. What was exchanged with it stays.
    pub async fn remove_partner(&self, oin: Oin) -> Result<bool, StoreError> {
        Ok(self.change(Change::RemovePartner(oin)).await? > 0)
    }

    /// How it goes with reaching a partner.
    pub async fn partner_state(&self, oin: Oin) -> Result<PartnerState, StoreError> {
        read::partner_state(&mut *self.0.readers.acquire().await?, oin).await
    }

    /// Records that a partner could not be reached, and when to try again. Nothing for it is due before that.
    pub async fn note_partner_failure(
        &self,
        oin: Oin,
        reason: &str,
        now: Timestamp,
        next_attempt: Timestamp,
    ) -> Result<(), StoreError> {
        let reason = check_text(reason)?.to_owned();
        self.0.hot.forget(oin);
        self.change(Change::Failed { oin, reason, now, next_attempt }).await.map(drop)
    }

    /// Records that a partner was reached or announced itself: what waits for it is due at once.
    pub async fn note_partner_reached(&self, oin: Oin, now: Timestamp) -> Result<(), StoreError> {
        self.change(Change::Reached { oin, now }).await.map(drop)
    }

    /// Keeps an agreement and the text of its purposes; says whether it is new. Its content never changes.
    pub async fn put_agreement(
        &self,
        digest: Digest,
        content: String,
        purposes: Vec<(Digest, String)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        limited("purposes of an agreement", purposes.len(), MAX_BATCH)?;
        let bytes = content.len() + purposes.iter().map(|(_, text)| text.len()).sum::<usize>();
        limited("bytes of an agreement", bytes, MAX_DOCUMENT_BYTES)?;
        Ok(self.change(Change::PutAgreement { digest, content, purposes, now }).await? > 0)
    }

    /// Keeps an answer to an agreement; says whether it is new. If it is, there is a notice of it for each of
    /// `notify`.
    pub async fn put_answer(
        &self,
        agreement: Digest,
        from: Oin,
        jws: String,
        notify: Vec<Oin>,
    ) -> Result<bool, StoreError> {
        limited("bytes of an answer", jws.len(), MAX_DOCUMENT_BYTES)?;
        limited("parties to notify", notify.len(), MAX_BATCH)?;
        Ok(self.change(Change::PutAnswer { agreement, from, jws, notify }).await? > 0)
    }

    /// All agreements with their answers, in the order in which they became known.
    pub async fn agreements(&self) -> Result<Vec<StoredAgreement>, StoreError> {
        let mut reader = self.0.readers.begin().await?;
        read::agreements(&mut reader).await
    }

    /// Answers that other parties have not been told yet, oldest first, at most [`MAX_ROWS_READ`].
    pub async fn undelivered_notices(&self) -> Result<Vec<Notice>, StoreError> {
        read::notices(&mut *self.0.readers.acquire().await?, MAX_ROWS_READ).await
    }

    /// Records that a notice was delivered.
    pub async fn notice_delivered(&self, number: u64) -> Result<(), StoreError> {
        self.change(Change::NoticeDelivered(number)).await.map(drop)
    }

    /// A number that changes whenever partners or agreements do, in whatever process.
    pub async fn rules_version(&self) -> Result<u64, StoreError> {
        read::rules_version(&mut *self.0.readers.acquire().await?).await
    }

    /// Erases a case: deletes the key of everything in it, so that no payload of it can be read again. The log and its
    /// proofs stay. Says whether there was anything to erase.
    pub async fn erase_case(&self, case: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.change(Change::EraseCase { case, now }).await? > 0)
    }

    async fn change(&self, change: Change) -> Result<u64, StoreError> {
        Ok(self.0.committer.submit(change, 0, Operation::Change).await?.answer)
    }

    /// Finishes what waits and closes the database. Other clones of this store can do nothing more.
    pub async fn close(self) {
        self.0.committer.close();
        ended(&self.0.committing).await;
        self.0.wal.close();
        ended(&self.0.copying).await;
        self.0.readers.close().await;
    }
}

/// Waits until a task has ended.
async fn ended(task: &Mutex<Option<JoinHandle<()>>>) {
    let task = task.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(task) = task
        && let Err(error) = task.await
    {
        tracing::error!(%error, "a task of the store did not end well");
    }
}

/// When it is next of use to look for messages that have expired, in microseconds.
#[derive(Default)]
struct Expiry(AtomicI64);

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

fn limited(what: &'static str, found: usize, limit: usize) -> Result<(), StoreError> {
    if found <= limit { Ok(()) } else { Err(StoreError::TooLarge { what, found, limit }) }
}

fn check_text(text: &str) -> Result<&str, StoreError> {
    limited("bytes of a name", text.len(), MAX_TEXT_BYTES).map(|()| text)
}

/// The room a message takes, if it is within the limits.
fn check_message(jws: &str, leaf: &Leaf) -> Result<usize, StoreError> {
    limited("bytes of a message", jws.len(), MAX_PAYLOAD_BYTES)?;
    limited("bytes of a leaf", leaf.bytes().len(), MAX_LEAF_BYTES)?;
    Ok(jws.len() + leaf.bytes().len())
}

fn known_size(asked: u64, size: u64) -> Result<(), StoreError> {
    if asked <= size { Ok(()) } else { Err(StoreError::NotFound("log of this size")) }
}
