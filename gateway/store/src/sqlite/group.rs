//! One transaction of the committer.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::LazyLock,
};

use exchange::{digest::Digest, oin::Oin};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    change,
    committer::{Operation, Writer},
    connect::PAGE_BYTES,
    file, from_sql,
    names::{Missing, Names},
    outbound,
    rows::Statement,
    to_sql,
    tree::{Edge, Head},
};
use crate::{
    error::StoreError,
    model::{Direction, State, Verdict},
    seal::CaseKey,
};

static LEAVES: LazyLock<Statement> = LazyLock::new(|| Statement::insert("log_leaf", &["idx", "leaf"], ""));

static MESSAGES: LazyLock<Statement> = LazyLock::new(|| {
    let columns = [
        "idx",
        "direction",
        "party",
        "id",
        "\"case\"",
        "type",
        "purpose",
        "agreement",
        "digest",
        "state",
        "reason",
        "created",
        "expires",
        "finished",
        "bytes",
        "desk",
        "priority",
        "queued",
    ];
    Statement::insert("message", &columns, "")
});

static PAYLOADS: LazyLock<Statement> = LazyLock::new(|| Statement::insert("payload", &["idx", "sealed"], ""));

static INTAKES: LazyLock<Statement> = LazyLock::new(|| Statement::insert("intake", &["key", "idx"], ""));

static CASES: LazyLock<Statement> = LazyLock::new(|| {
    Statement::with_list("SELECT \"case\", wrapped FROM case_key WHERE wrapped IS NOT NULL AND \"case\"")
});

/// A case that was erased and lives on gets a new key.
static NEW_CASES: LazyLock<Statement> = LazyLock::new(|| {
    Statement::insert(
        "case_key",
        &["\"case\"", "wrapped"],
        "ON CONFLICT (\"case\") DO UPDATE SET wrapped = excluded.wrapped",
    )
});

static TALLIES: LazyLock<Statement> = LazyLock::new(|| {
    Statement::insert(
        "tally",
        &["party", "direction", "state", "reason", "count"],
        "ON CONFLICT (party, direction, state, reason) DO UPDATE SET count = count + excluded.count",
    )
});

/// What a message takes in tables and indexes, its leaf and payload not included.
const ROW_BYTES: usize = 400;

/// The pages that every transaction writes, however little it does: the last of each table and index.
const FIXED_PAGES: i64 = 12;

/// A row of `message`, before it is one.
#[derive(Default)]
pub(super) struct NewMessage {
    pub(super) index: u64,
    pub(super) direction: i64,
    pub(super) party: i64,
    pub(super) id: Option<Uuid>,
    pub(super) case: Option<Uuid>,
    pub(super) message_type: Option<i64>,
    pub(super) purpose: Option<i64>,
    pub(super) agreement: Option<i64>,
    pub(super) digest: Vec<u8>,
    pub(super) state: i64,
    pub(super) reason: Option<i64>,
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    pub(super) finished: Option<i64>,
    pub(super) bytes: usize,
    pub(super) desk: Option<String>,
    pub(super) priority: Option<i64>,
    pub(super) queued: Option<i64>,
}

/// A kind of message, for counting: party, direction, state, reason (0 for none).
pub(super) type Kind = (i64, i64, i64, i64);

/// What the transaction will write, collected over its operations.
#[derive(Default)]
pub(super) struct Group {
    leaves: Vec<(u64, Vec<u8>)>,
    messages: Vec<NewMessage>,
    payloads: Vec<(u64, Vec<u8>)>,
    cases: HashMap<Uuid, CaseKey>,
    new_cases: Vec<(Uuid, Vec<u8>)>,
    pub(super) intakes: Vec<([u8; 16], u64)>,
    tallies: HashMap<Kind, i64>,
    /// About how much will be written.
    bytes: usize,
    /// The rows of sources that were offered before, and where.
    pub(super) offered: HashMap<[u8; 16], u64>,
    /// The messages received before among those of this group, and where.
    pub(super) known: HashMap<(Oin, Uuid), (Digest, u64)>,
}

impl Group {
    /// Logs a leaf.
    pub(super) fn log(&mut self, edge: &mut Edge, leaf: &exchange::tlog::Leaf) -> u64 {
        let index = edge.append(leaf.hash());
        self.bytes += leaf.bytes().len();
        self.leaves.push((index, leaf.bytes().to_vec()));
        index
    }

    /// Adds a message and counts it.
    pub(super) fn add(&mut self, message: NewMessage) {
        self.count((message.party, message.direction, message.state, message.reason.unwrap_or(0)), 1);
        self.bytes += ROW_BYTES;
        self.messages.push(message);
    }

    /// Counts messages that became or no longer are of a kind.
    pub(super) fn count(&mut self, kind: Kind, difference: i64) {
        *self.tallies.entry(kind).or_default() += difference;
    }

    /// Seals a message under the key of its case.
    pub(super) fn seal(
        &mut self,
        writer: &Writer,
        (index, case): (u64, Uuid),
        digest: &Digest,
        jws: &str,
    ) -> Result<(), StoreError> {
        let key = match self.cases.entry(case) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let (key, wrapped) = CaseKey::generate(&writer.keys, case, writer.random.as_ref())?;
                self.new_cases.push((case, wrapped));
                entry.insert(key)
            }
        };
        let sealed = key.seal(digest, jws, writer.random.as_ref())?;
        self.bytes += sealed.len();
        self.payloads.push((index, sealed));
        Ok(())
    }

    async fn find_cases(
        &mut self,
        connection: &mut SqliteConnection,
        writer: &Writer,
        operations: &[Operation],
    ) -> Result<(), StoreError> {
        let cases: BTreeSet<Uuid> = operations.iter().flat_map(cases_of).collect();
        let cases: Vec<Uuid> = cases.into_iter().collect();
        let rows = CASES
            .list(
                connection,
                &cases,
                |_| {},
                |case, values| {
                    values.add(case.as_bytes().to_vec());
                },
            )
            .await?;
        for row in rows {
            let case = uuid(row.try_get(0)?)?;
            self.cases.insert(case, CaseKey::unwrap(&writer.keys, case, row.try_get(1)?)?);
        }
        Ok(())
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        LEAVES
            .write(connection, std::mem::take(&mut self.leaves), |(index, leaf), values| {
                values.add(to_sql(index)).add(leaf);
            })
            .await?;
        MESSAGES.write(connection, std::mem::take(&mut self.messages), bind_message).await?;
        NEW_CASES
            .write(connection, std::mem::take(&mut self.new_cases), |(case, wrapped), values| {
                values.add(case.as_bytes().to_vec()).add(wrapped);
            })
            .await?;
        PAYLOADS
            .write(connection, std::mem::take(&mut self.payloads), |(index, sealed), values| {
                values.add(to_sql(index)).add(sealed);
            })
            .await?;
        INTAKES
            .write(connection, std::mem::take(&mut self.intakes), |(key, index), values| {
                values.add(key.to_vec()).add(to_sql(index));
            })
            .await
    }

    async fn write_tallies(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let tallies =
            std::mem::take(&mut self.tallies).into_iter().filter(|(_, count)| *count != 0).collect();
        TALLIES
            .write(connection, tallies, |((party, direction, state, reason), count), values| {
                values.add(party).add(direction).add(state).add(reason).add(count);
            })
            .await
    }
}

fn bind_message(message: NewMessage, values: &mut super::rows::Values) {
    values
        .add(to_sql(message.index))
        .add(message.direction)
        .add(message.party)
        .add(message.id.map(|id| id.as_bytes().to_vec()))
        .add(message.case.map(|case| case.as_bytes().to_vec()))
        .add(message.message_type)
        .add(message.purpose)
        .add(message.agreement)
        .add(message.digest)
        .add(message.state)
        .add(message.reason)
        .add(message.created)
        .add(message.expires)
        .add(message.finished)
        .add(i64::try_from(message.bytes).unwrap_or(i64::MAX))
        .add(message.desk)
        .add(message.priority)
        .add(message.queued);
}

/// Does all operations in one transaction. On an error nothing of it remains.
pub(super) async fn transact(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    operations: &mut [Operation],
) -> Result<(), StoreError> {
    // Take the right to write at once: a transaction that begins by reading can find out too late that it may not.
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let result = run(writer, connection, operations).await;
    if result.is_err() {
        // After some errors SQLite has done this already. The connection is given up in any case.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    result
}

async fn run(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    operations: &mut [Operation],
) -> Result<(), StoreError> {
    let before = head(connection).await?;
    if !writer.edge.is_at(&before) {
        writer.edge = Edge::load(connection, &before).await?;
    }
    let missing = missing_names(&writer.names, operations);
    writer.names.resolve(connection, missing).await?;

    let mut group = Group::default();
    group.find_cases(connection, writer, operations).await?;
    outbound::find_offered(connection, &mut group, operations).await?;
    file::find_known(connection, &mut group, operations).await?;
    for operation in &mut *operations {
        match operation {
            Operation::Enqueue(job) => job.answer = Some(outbound::enqueue(writer, &mut group, &job.input)?),
            Operation::Append(job) => {
                let first = writer.edge.size();
                for leaf in &job.input {
                    group.log(&mut writer.edge, leaf);
                }
                job.answer = Some(first);
            }
            Operation::File(job) => job.answer = Some(file::file(writer, &mut group, &job.input)?),
            Operation::Settle(_) | Operation::Checkpoint(_) | Operation::Change(_) => {}
        }
    }
    group.write(connection).await?;
    if writer.edge.size() != before.size {
        writer.edge.write_tiles(connection).await?;
    }
    for operation in &mut *operations {
        match operation {
            Operation::File(job) => {
                if let Some(filed) = &mut job.answer {
                    file::prove_known(connection, filed).await?;
                }
            }
            Operation::Settle(job) => {
                job.answer = Some(outbound::settle(writer, connection, &mut group, &job.input).await?);
            }
            Operation::Change(job) => {
                job.answer = Some(change::apply(writer, connection, &mut group, &job.input).await?);
            }
            Operation::Checkpoint(job) => job.answer = Some(store_checkpoint(writer, connection).await?),
            Operation::Enqueue(_) | Operation::Append(_) => {}
        }
    }
    group.write_tallies(connection).await?;
    if writer.edge.size() != before.size {
        put_head(connection, &writer.edge.head()).await?;
    }
    sqlx::query("COMMIT").execute(connection).await?;
    writer.wal.wrote(FIXED_PAGES + i64::try_from(group.bytes / PAGE_BYTES).unwrap_or(0));
    Ok(())
}

/// How far the log is, in the current transaction.
pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT size, roots FROM log_state").fetch_one(connection).await?;
    Ok(Head { size: from_sql(row.try_get(0)?)?, roots: row.try_get(1)? })
}

async fn put_head(connection: &mut SqliteConnection, head: &Head) -> Result<(), StoreError> {
    sqlx::query("UPDATE log_state SET size = ?1, roots = ?2")
        .bind(to_sql(head.size))
        .bind(head.roots.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

async fn store_checkpoint(writer: &Writer, connection: &mut SqliteConnection) -> Result<String, StoreError> {
    let note = writer.sign_head();
    sqlx::query("UPDATE log_state SET checkpoint = ?1, checkpoint_size = ?2")
        .bind(note.as_str())
        .bind(to_sql(writer.edge.size()))
        .execute(connection)
        .await?;
    Ok(note)
}

/// The names that these operations put in rows and that have no number at hand.
fn missing_names<'o>(names: &Names, operations: &'o [Operation]) -> Missing<'o> {
    let mut missing = Missing::default();
    for operation in operations {
        match operation {
            Operation::Enqueue(job) => outbound::missing_names(names, &job.input, &mut missing),
            Operation::File(job) => file::missing_names(names, &job.input, &mut missing),
            Operation::Settle(job) => job.input.missing_names(names, &mut missing),
            Operation::Change(job) => job.input.missing_names(names, &mut missing),
            Operation::Append(_) | Operation::Checkpoint(_) => {}
        }
    }
    missing
}

fn cases_of(operation: &Operation) -> Vec<Uuid> {
    match operation {
        Operation::Enqueue(job) => job.input.iter().map(|message| message.case).collect(),
        Operation::File(job) => job
            .input
            .arrivals
            .iter()
            .filter_map(|arrival| match &arrival.verdict {
                Verdict::Admitted(admitted) => Some(admitted.case),
                Verdict::Refused { .. } => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// An identifier as it is stored.
pub(super) fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|_| super::damaged("an identifier"))
}

/// A digest as it is stored.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    bytes.try_into().map(Digest::from_bytes).map_err(|_| super::damaged("a digest"))
}

/// How states and directions are stored.
pub(super) const fn state_to_sql(state: State) -> i64 {
    match state {
        State::Waiting => 0,
        State::Admitted => 1,
        State::Refused => 2,
        State::Undeliverable => 3,
    }
}

pub(super) fn state_from_sql(number: i64) -> Result<State, StoreError> {
    State::ALL
        .into_iter()
        .find(|state| state_to_sql(*state) == number)
        .ok_or_else(|| super::damaged("a state"))
}

pub(super) const fn direction_to_sql(direction: Direction) -> i64 {
    match direction {
        Direction::Outbound => 0,
        Direction::Inbound => 1,
    }
}

pub(super) fn direction_from_sql(number: i64) -> Result<Direction, StoreError> {
    match number {
        0 => Ok(Direction::Outbound),
        1 => Ok(Direction::Inbound),
        _ => Err(super::damaged("a direction")),
    }
}
