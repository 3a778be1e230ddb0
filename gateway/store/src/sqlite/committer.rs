//! The committer: the one task that writes.
//!
//! Whoever wants to write hands over an operation and waits. The committer takes all that is waiting, makes one
//! transaction of it, and answers everybody after the one fsync of its commit. The busier it is the larger the
//! groups become, so waiting grows slower than the load.

use std::sync::Arc;

use exchange::random::Random;
use sqlx::{Connection as _, SqliteConnection};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    access::Recording,
    change::Change,
    connect::Target,
    deeds::{Deed, Done as DeedDone},
    erase::{Erased, Erasure},
    file::{Filed, Filing},
    names::Names,
    outbound::{Queueing, Settlement},
    transaction,
    tree::Edge,
    wal,
};
use crate::{
    error::StoreError,
    model::{Enqueued, RaisedAlarm},
    seal::{Entropy, Vault},
};
use exchange::tlog::{Checkpoint, Leaf, LogSigner};

/// Operations in one group.
const MAX_GROUP_OPERATIONS: usize = 64;

/// Rows in one group: a transaction of this many takes a few hundredths of a second, which is what an operation
/// waits at most for the group before it.
const MAX_GROUP_ROWS: usize = 4096;

/// Operations that wait; who comes after those waits outside.
const MAX_WAITING_OPERATIONS: usize = 256;

/// What waiting operations may hold in memory together, in KiB.
const MAX_WAITING_KIB: usize = 32 * 1024;

/// Operations take memory in units of this many bytes.
const KIB: usize = 1024;

/// An operation on its way through the committer: what is asked, and who waits for the answer.
pub(crate) struct Job<I, O> {
    pub(super) input: I,
    pub(super) answer: Option<O>,
    reply: oneshot::Sender<Result<Done<I, O>, StoreError>>,
}

/// An operation that is durable.
pub(crate) struct Done<I, O> {
    /// What was asked, given back.
    pub(crate) input: I,
    pub(crate) answer: O,
}

impl<I, O> Job<I, O> {
    fn finish(self, result: Result<(), StoreError>) {
        let Self { input, answer, .. } = self;
        let answer =
            result.and_then(|()| answer.ok_or(StoreError::Closed)).map(|answer| Done { input, answer });
        // Who no longer waits does not need the answer.
        let _ = self.reply.send(answer);
    }
}

/// What the committer can be asked.
pub(crate) enum Operation {
    /// Queue messages for sending.
    Enqueue(Job<Queueing, Vec<Enqueued>>),
    /// Log something else.
    Append(Job<Vec<Leaf>, u64>),
    /// File what arrived.
    File(Job<Filing, Filed>),
    /// Give messages that were sent their final state.
    Settle(Job<Settlement, u64>),
    /// Sign the head of the log.
    Checkpoint(Job<(), String>),
    /// Erase entries.
    Erase(Job<Erasure, Erased>),
    /// Do something to a consent.
    Consent(Job<Deed, DeedDone>),
    /// Log an alarm and keep it, unless it is kept already; says whether it is new.
    Alarm(Job<(RaisedAlarm, Leaf), bool>),
    /// Keep that somebody saw something.
    Access(Job<Recording, u64>),
    /// Change something small.
    Change(Job<Change, u64>),
}

impl Operation {
    /// How many rows it is about.
    fn rows(&self) -> usize {
        match self {
            Self::Enqueue(job) => {
                let messages = job.input.messages.len();
                // Whom each is about takes rows of its own.
                let decided = if job.input.decision.is_some() { 3 * messages } else { 0 };
                messages + job.input.held_back.len() + decided
            }
            Self::Append(job) => job.input.len(),
            Self::File(job) => job.input.arrivals.len(),
            Self::Settle(job) => job.input.rows(),
            Self::Erase(job) => job.input.indexes.len() + 1,
            Self::Access(job) => 1 + job.input.messages.len() + job.input.tokens.len(),
            Self::Checkpoint(_) | Self::Alarm(_) | Self::Consent(_) | Self::Change(_) => 1,
        }
    }

    fn finish(self, result: Result<(), StoreError>) {
        match self {
            Self::Enqueue(job) => job.finish(result),
            Self::Append(job) => job.finish(result),
            Self::File(job) => job.finish(result),
            Self::Settle(job) => job.finish(result),
            Self::Checkpoint(job) => job.finish(result),
            Self::Erase(job) => job.finish(result),
            Self::Consent(job) => job.finish(result),
            Self::Alarm(job) => job.finish(result),
            Self::Access(job) => job.finish(result),
            Self::Change(job) => job.finish(result),
        }
    }
}

/// An operation with the memory it takes while it waits.
struct Waiting {
    operation: Operation,
    _memory: OwnedSemaphorePermit,
}

/// The way to the committer.
#[derive(Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Waiting>,
    memory: Arc<Semaphore>,
    closing: Arc<Notify>,
}

impl Committer {
    /// Starts the committer on a connection of its own.
    pub(crate) fn start(writer: Writer) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(MAX_WAITING_OPERATIONS);
        let closing = Arc::new(Notify::new());
        let task = tokio::spawn(work(writer, waiting, Arc::clone(&closing)));
        (Self { queue, memory: Arc::new(Semaphore::new(MAX_WAITING_KIB)), closing }, task)
    }

    /// Lets it finish what waits and then end.
    pub(crate) fn close(&self) {
        self.closing.notify_one();
    }

    /// Has an operation of about `bytes` done; returns once it is durable.
    pub(crate) async fn submit<I, O>(
        &self,
        input: I,
        bytes: usize,
        operation: impl FnOnce(Job<I, O>) -> Operation,
    ) -> Result<Done<I, O>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let kib = u32::try_from((bytes / KIB + 1).min(MAX_WAITING_KIB)).unwrap_or(u32::MAX);
        let memory =
            Arc::clone(&self.memory).acquire_many_owned(kib).await.map_err(|_| StoreError::Closed)?;
        let operation = operation(Job { input, answer: None, reply });
        self.queue.send(Waiting { operation, _memory: memory }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// What the committer works with.
pub(crate) struct Writer {
    pub(super) target: Target,
    pub(super) vault: Arc<Vault>,
    pub(super) entropy: Entropy,
    pub(super) log: Arc<LogSigner>,
    /// None after a failure: the next group begins with a new one.
    pub(super) connection: Option<SqliteConnection>,
    /// True to the database as of the last commit seen here; checked at the start of every transaction.
    pub(super) edge: Edge,
    pub(super) names: Names,
    pub(super) wal: wal::Gauge,
}

impl Writer {
    pub(crate) fn new(
        target: Target,
        connection: SqliteConnection,
        vault: Arc<Vault>,
        random: Arc<dyn Random>,
        log: Arc<LogSigner>,
        wal: wal::Gauge,
    ) -> Self {
        let (edge, names) = (Edge::default(), Names::default());
        let entropy = Entropy::new(random);
        Self { target, vault, entropy, log, connection: Some(connection), edge, names, wal }
    }

    /// Signs the head of the log at its edge.
    pub(super) fn sign_head(&self) -> String {
        let (size, root) = (self.edge.size(), self.edge.range().root());
        self.log.sign(&Checkpoint { origin: self.log.origin().to_owned(), size, root })
    }

    /// What is at hand may never have been committed: read it anew next time.
    fn forget(&mut self) {
        self.edge = Edge::default();
        self.names = Names::default();
    }

    async fn connected(&mut self) -> Result<SqliteConnection, StoreError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.target.writer().await,
        }
    }
}

async fn work(mut writer: Writer, mut queue: mpsc::Receiver<Waiting>, closing: Arc<Notify>) {
    let mut waiting = Vec::with_capacity(MAX_GROUP_OPERATIONS);
    let mut held_over = None;
    loop {
        let next = if held_over.is_some() {
            held_over.take()
        } else {
            tokio::select! {
                next = queue.recv() => next,
                () = closing.notified() => {
                    queue.close();
                    queue.recv().await
                }
            }
        };
        let Some(first) = next else { break };
        held_over = collect(first, &mut queue, &mut waiting);
        commit(&mut writer, waiting.drain(..).map(|waiting: Waiting| waiting.operation).collect()).await;
    }
    if let Some(connection) = writer.connection.take()
        && let Err(error) = connection.close().await
    {
        tracing::warn!(%error, "the database was not closed neatly");
    }
}

/// Takes what else is waiting, as far as it fits in one group; returns what did not.
fn collect(first: Waiting, queue: &mut mpsc::Receiver<Waiting>, group: &mut Vec<Waiting>) -> Option<Waiting> {
    let mut rows = first.operation.rows();
    group.push(first);
    while group.len() < MAX_GROUP_OPERATIONS
        && let Ok(next) = queue.try_recv()
    {
        rows += next.operation.rows();
        if rows > MAX_GROUP_ROWS {
            return Some(next);
        }
        group.push(next);
    }
    None
}

/// Commits a group and answers everybody in it. If one of them breaks a rule of the data, each gets a transaction
/// of its own, so that only the guilty one fails.
async fn commit(writer: &mut Writer, mut operations: Vec<Operation>) {
    let result = transact(writer, &mut operations).await;
    let one_to_blame = matches!(&result, Err(error) if is_fault_of_operation(error));
    if operations.len() == 1 || !one_to_blame {
        for operation in operations {
            operation.finish(result.clone());
        }
        return;
    }
    for operation in operations {
        let mut alone = [operation];
        let result = transact(writer, &mut alone).await;
        let [operation] = alone;
        operation.finish(result);
    }
}

async fn transact(writer: &mut Writer, operations: &mut [Operation]) -> Result<(), StoreError> {
    let mut connection = writer.connected().await?;
    let result = transaction::transact(writer, &mut connection, operations).await;
    match &result {
        Ok(()) => {
            writer.names.limit();
            wal::bound(writer, &mut connection).await;
        }
        Err(error) => {
            tracing::warn!(%error, operations = operations.len(), "a group was not committed");
            writer.forget();
        }
    }
    if !matches!(&result, Err(error) if !is_fault_of_operation(error)) {
        writer.connection = Some(connection);
    }
    result
}

/// Whether the operation itself is to blame, rather than the database or what it lies on.
const fn is_fault_of_operation(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Conflict(_) | StoreError::NotFound(_) | StoreError::RulesChanged | StoreError::Erased
    )
}
