//! What a transaction reads at its start, collects over its operations, and writes at its end.

use std::{
    collections::{BTreeSet, HashMap, hash_map},
    sync::LazyLock,
};

use exchange::{digest::Digest, oin::Oin, tlog::Leaf};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    column::{damaged, digest, from_sql, to_sql, uuid},
    committer::{Operation, Writer},
    connect::PAGE_BYTES,
    rows::{MOST_ROWS, Part, Statement, Values},
    tree::{Edge, Head, PUT_TILES},
};
use crate::{
    error::StoreError,
    key::Keys,
    model::{RulesVersion, Verdict},
    seal::CaseKey,
    subject::Tokens,
};

/// Takes the right to write at once: a transaction that begins by reading can find out too late that it may not. Then
/// reads what the operations build on, each row with a number for what it is about.
static BEGIN: LazyLock<Statement> =
    LazyLock::new(|| Statement::script(&[Part::Fixed("BEGIN IMMEDIATE"), Part::Fixed(HEAD), CASES, KNOWN]));

/// The same for what does not fit in the first.
static LOOK_UP: LazyLock<Statement> = LazyLock::new(|| Statement::script(&[CASES, KNOWN]));

const HEAD: &str = "SELECT 0, size, roots, rules FROM log_state, node";

const CASES: Part =
    Part::List("SELECT 1, \"case\", wrapped FROM case_key WHERE wrapped IS NOT NULL AND \"case\"");

const KNOWN: Part = Part::List(
    "SELECT 2, message.id, message.digest, message.idx, party.oin FROM message \
     JOIN party ON party.num = message.party WHERE message.direction = 1 AND message.id",
);

const LEAVES: Part = Part::Insert("log_leaf", &["idx", "leaf"], "");

const MESSAGES: Part = Part::Insert("message", MESSAGE_COLUMNS, "");

/// A case that was erased and lives on gets a new key.
const NEW_CASES: Part = Part::Insert(
    "case_key",
    &["\"case\"", "wrapped"],
    "ON CONFLICT (\"case\") DO UPDATE SET wrapped = excluded.wrapped",
);

const PAYLOADS: Part = Part::Insert("payload", &["idx", "sealed"], "");

/// Writes what is logged, with the message it is about.
static ENTRIES: LazyLock<Statement> =
    LazyLock::new(|| Statement::script(&[LEAVES, MESSAGES, NEW_CASES, PAYLOADS]));

const MESSAGE_COLUMNS: &[&str] = &[
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
    "subject_bsn",
    "subject_place",
];

/// A row of a source that is offered again after its message was over leads to the new one.
static INTAKES: LazyLock<Statement> = LazyLock::new(|| {
    let conflict = "ON CONFLICT (key) DO UPDATE SET idx = excluded.idx";
    Statement::new(&Part::Insert("intake", &["key", "idx"], conflict))
});

static REPLACED: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("UPDATE message SET replaced = 1 WHERE idx")));

const TALLIES: Part = Part::Insert(
    "tally",
    &["party", "direction", "state", "reason", "count"],
    "ON CONFLICT (party, direction, state, reason) DO UPDATE SET count = count + excluded.count",
);

const PUT_HEAD: Part = Part::Fixed("UPDATE log_state SET size = ?, roots = ?");

const COMMIT: Part = Part::Fixed("COMMIT");

/// Ends a transaction that does nothing but log, with all it logs.
static LOG_AND_COMMIT: LazyLock<Statement> = LazyLock::new(|| {
    Statement::script(&[LEAVES, MESSAGES, NEW_CASES, PAYLOADS, PUT_TILES, TALLIES, PUT_HEAD, COMMIT])
});

/// Ends a transaction that logged something.
static COMMIT_LOGGED: LazyLock<Statement> =
    LazyLock::new(|| Statement::script(&[PUT_TILES, TALLIES, PUT_HEAD, COMMIT]));

/// Ends a transaction that did not.
static COMMIT_OTHER: LazyLock<Statement> = LazyLock::new(|| Statement::script(&[TALLIES, COMMIT]));

/// Counts what does not fit in the last statements.
static COUNT: LazyLock<Statement> = LazyLock::new(|| Statement::new(&TALLIES));

/// What a message takes in tables and indexes, its leaf and payload not included.
const ROW_BYTES: usize = 400;

/// The pages that every transaction writes, however little it does: the last of each table and index.
const FIXED_PAGES: usize = 12;

/// A row of `message`, before it is one.
#[derive(Default)]
pub(super) struct NewMessage {
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
    pub(super) subject: Tokens,
}

/// A kind of message, for counting: party, direction, state, reason (0 for none).
pub(super) type Kind = (i64, i64, i64, i64);

/// A leaf to write, with the message it is about, if it is about one.
struct Entry {
    index: u64,
    leaf: Vec<u8>,
    message: Option<NewMessage>,
    new_case: Option<(Uuid, Vec<u8>)>,
    sealed: Option<Vec<u8>>,
}

/// What the transaction will write, collected over its operations.
#[derive(Default)]
pub(super) struct Group {
    /// In the order of the log, without gaps.
    entries: Vec<Entry>,
    cases: HashMap<Uuid, CaseKey>,
    pub(super) intakes: Vec<([u8; 16], u64)>,
    tallies: HashMap<Kind, i64>,
    /// About how much will be written.
    bytes: usize,
    /// The version of the rules at its start.
    rules: RulesVersion,
    /// The rows of sources that were offered before and whose message stands, and where that is.
    pub(super) offered: HashMap<[u8; 16], u64>,
    /// Those whose message was refused or could not be delivered.
    pub(super) over: HashMap<[u8; 16], u64>,
    /// The messages in whose place others of the same row come.
    pub(super) replaced: Vec<u64>,
    /// The messages received before among those of this group, and where.
    pub(super) known: HashMap<(Oin, Uuid), (Digest, u64)>,
}

impl Group {
    /// Refuses what was decided by other rules than those at the start of the transaction.
    pub(super) fn check_rules(&self, decided_by: RulesVersion) -> Result<(), StoreError> {
        if decided_by == self.rules { Ok(()) } else { Err(StoreError::RulesChanged) }
    }

    /// Logs a leaf.
    pub(super) fn log(&mut self, edge: &mut Edge, leaf: &Leaf) -> u64 {
        let index = edge.append(leaf.hash());
        self.bytes += leaf.bytes().len();
        let leaf = leaf.bytes().to_vec();
        self.entries.push(Entry { index, leaf, message: None, new_case: None, sealed: None });
        index
    }

    /// Adds the message that the leaf with this index is about, and counts it.
    pub(super) fn add(&mut self, index: u64, message: NewMessage) {
        self.bytes += ROW_BYTES;
        self.count((message.party, message.direction, message.state, message.reason.unwrap_or(0)), 1);
        if let Some(entry) = self.entry(index) {
            entry.message = Some(message);
        }
    }

    /// Counts messages that became or no longer are of a kind.
    pub(super) fn count(&mut self, kind: Kind, difference: i64) {
        *self.tallies.entry(kind).or_default() += difference;
    }

    /// Seals a message under the key of its case.
    pub(super) fn seal(
        &mut self,
        writer: &mut Writer,
        (index, case): (u64, Uuid),
        digest: &Digest,
        jws: &str,
    ) -> Result<(), StoreError> {
        let mut new_case = None;
        let key = match self.cases.entry(case) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(entry) => {
                let (key, wrapped) = CaseKey::generate(&writer.keys, case, &mut writer.entropy)?;
                new_case = Some((case, wrapped));
                entry.insert(key)
            }
        };
        let sealed = key.seal(digest, jws, &mut writer.entropy)?;
        self.bytes += sealed.len();
        if let Some(entry) = self.entry(index) {
            (entry.new_case, entry.sealed) = (new_case, Some(sealed));
        }
        Ok(())
    }

    fn entry(&mut self, index: u64) -> Option<&mut Entry> {
        let first = self.entries.first()?.index;
        self.entries.get_mut(usize::try_from(index - first).ok()?)
    }

    /// Begins the transaction and finds what the operations build on; gives the head of the log.
    pub(super) async fn begin(
        &mut self,
        connection: &mut SqliteConnection,
        keys: &Keys,
        operations: &[Operation],
    ) -> Result<Head, StoreError> {
        let cases: BTreeSet<Uuid> = operations.iter().flat_map(cases_of).collect();
        let cases: Vec<Uuid> = cases.into_iter().collect();
        let ids: Vec<Uuid> = operations.iter().flat_map(ids_of).collect();
        let mut parts = chunks(&cases, MOST_ROWS).zip(chunks(&ids, MOST_ROWS));
        let (first_cases, first_ids) = parts.next().unwrap_or_default();
        let mut found = BEGIN.fetch(connection, look_up_values(first_cases, first_ids)).await?;
        for (cases, ids) in parts.take_while(|(cases, ids)| !cases.is_empty() || !ids.is_empty()) {
            found.extend(LOOK_UP.fetch(connection, look_up_values(cases, ids)).await?);
        }
        let mut head = None;
        for row in &found {
            match row.try_get(0)? {
                0_i64 => {
                    head = Some(Head { size: from_sql(row.try_get(1)?)?, roots: row.try_get(2)? });
                    self.rules = RulesVersion(from_sql(row.try_get(3)?)?);
                }
                1 => {
                    let case = uuid(row.try_get(1)?)?;
                    self.cases.insert(case, CaseKey::unwrap(keys, case, row.try_get(2)?)?);
                }
                _ => {
                    let from: Oin = row.try_get::<&str, _>(4)?.parse().map_err(|_| damaged("an OIN"))?;
                    let message = (digest(row.try_get(2)?)?, from_sql(row.try_get(3)?)?);
                    self.known.insert((from, uuid(row.try_get(1)?)?), message);
                }
            }
        }
        head.ok_or_else(|| StoreError::Corrupt("the log has no head".into()))
    }

    /// Whether all that was logged and queued can be written with the commit.
    pub(super) fn fits_in_commit(&self) -> bool {
        self.entries.len() <= MOST_ROWS && self.intakes.is_empty()
    }

    /// Writes what was logged and queued.
    pub(super) async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut entries = std::mem::take(&mut self.entries).into_iter();
        while entries.len() > 0 {
            let mut part: Vec<Entry> = entries.by_ref().take(MOST_ROWS).collect();
            let mut values = Values::for_rows(part.len());
            bind_entries(&mut part, &mut values);
            ENTRIES.execute(connection, values).await?;
        }
        INTAKES
            .insert(connection, &self.intakes, |(key, index), values| {
                values.add(key.to_vec()).add(to_sql(*index));
            })
            .await?;
        REPLACED
            .insert(connection, &self.replaced, |index, values| {
                values.add(to_sql(*index));
            })
            .await
    }

    /// Commits, with what was not written before; gives about how many bytes were written. `logged` is the edge of the
    /// log, if it grew.
    pub(super) async fn commit(
        &mut self,
        connection: &mut SqliteConnection,
        mut logged: Option<&mut Edge>,
    ) -> Result<u64, StoreError> {
        let tallies: Vec<(Kind, i64)> =
            std::mem::take(&mut self.tallies).into_iter().filter(|(_, count)| *count != 0).collect();
        let (last, others) = tallies.split_at(tallies.len().min(MOST_ROWS));
        COUNT.insert(connection, others, bind_tally).await?;
        let tiles = logged.as_mut().map(|edge| edge.changed_tiles()).unwrap_or_default();
        let mut entries = std::mem::take(&mut self.entries);
        let mut values = Values::for_rows(entries.len().max(tiles.len()).max(last.len()));
        let statement = match (&logged, entries.is_empty()) {
            (None, _) => &COMMIT_OTHER,
            (Some(_), true) => &COMMIT_LOGGED,
            (Some(_), false) => &LOG_AND_COMMIT,
        };
        if !entries.is_empty() {
            bind_entries(&mut entries, &mut values);
        }
        if logged.is_some() {
            values.rows(tiles.into_iter(), 2, |(number, hashes), values| {
                values.add(to_sql(number)).add(hashes);
            });
        }
        values.rows(last.iter(), 5, bind_tally);
        if let Some(edge) = logged {
            let head = edge.head();
            values.add(to_sql(head.size)).add(head.roots);
        }
        statement.execute(connection, values).await?;
        Ok(u64::try_from(FIXED_PAGES * PAGE_BYTES + self.bytes).unwrap_or(u64::MAX))
    }
}

/// The parts of a list, and then empty ones.
fn chunks<T>(list: &[T], size: usize) -> impl Iterator<Item = &[T]> {
    list.chunks(size).chain(std::iter::repeat(&[][..]))
}

fn look_up_values(cases: &[Uuid], ids: &[Uuid]) -> Values {
    let mut values = Values::for_rows(cases.len().max(ids.len()));
    for list in [cases, ids] {
        values.rows(list.iter(), 1, |id, values| {
            values.add(id.as_bytes().to_vec());
        });
    }
    values
}

fn bind_entries(entries: &mut [Entry], values: &mut Values) {
    values.rows(entries.iter_mut(), 2, |entry, values| {
        values.add(to_sql(entry.index)).add(std::mem::take(&mut entry.leaf));
    });
    let messages = entries.iter_mut().filter_map(|entry| Some((entry.index, entry.message.take()?)));
    values.rows(messages, MESSAGE_COLUMNS.len(), bind_message);
    values.rows(
        entries.iter_mut().filter_map(|entry| entry.new_case.take()),
        2,
        |(case, wrapped), values| {
            values.add(case.as_bytes().to_vec()).add(wrapped);
        },
    );
    let sealed = entries.iter_mut().filter_map(|entry| Some((entry.index, entry.sealed.take()?)));
    values.rows(sealed, 2, |(index, sealed), values| {
        values.add(to_sql(index)).add(sealed);
    });
}

fn bind_message((index, message): (u64, NewMessage), values: &mut Values) {
    values
        .add(to_sql(index))
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
        .add(message.queued)
        .add(message.subject.bsn.map(Vec::from))
        .add(message.subject.place.map(Vec::from));
}

fn bind_tally(((party, direction, state, reason), count): &(Kind, i64), values: &mut Values) {
    values.add(*party).add(*direction).add(*state).add(*reason).add(*count);
}

fn cases_of(operation: &Operation) -> Vec<Uuid> {
    match operation {
        Operation::Enqueue(job) => job.input.messages.iter().map(|message| message.case).collect(),
        Operation::File(job) => job
            .input
            .arrivals
            .iter()
            .filter_map(|arrival| match &arrival.verdict {
                Verdict::Admitted(admitted) => Some(admitted.case),
                Verdict::Refused(_) => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn ids_of(operation: &Operation) -> Vec<Uuid> {
    match operation {
        Operation::File(job) => job.input.arrivals.iter().filter_map(|arrival| arrival.id).collect(),
        _ => Vec::new(),
    }
}
