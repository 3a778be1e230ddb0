//! What a transaction reads at its start, collects over its operations, and writes at its end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use exchange::{consent::ConsentKey, digest::Digest, oin::Oin, tlog::Leaf};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    column::{damaged, digest, from_sql, to_sql, uuid},
    committer::{Operation, Writer},
    connect::PAGE_BYTES,
    consent::Known,
    handover::{self, CASE_COLUMNS, CASES, Turn},
    rows::{MOST_ROWS, Part, Statement, Values},
    tree::{Edge, Head, PUT_TILES},
};
use crate::{error::StoreError, model::RulesVersion, seal::OF_ENTRY, subject::Tokens};

/// Takes the right to write at once: a transaction that begins by reading can find out too late that it may not. Then
/// reads what the operations build on, each row with a number for what it is about.
static BEGIN: LazyLock<Statement> =
    LazyLock::new(|| Statement::script(&[Part::Fixed("BEGIN IMMEDIATE"), Part::Fixed(HEAD), KNOWN]));

/// The same for what does not fit in the first.
static LOOK_UP: LazyLock<Statement> = LazyLock::new(|| Statement::new(&KNOWN));

const HEAD: &str = "SELECT 0, size, roots, rules FROM log_state, node";

const KNOWN: Part = Part::List(
    "SELECT 1, message.id, message.digest, message.idx, party.oin FROM message \
     JOIN party ON party.num = message.party WHERE message.direction = 1 AND message.id",
);

const LEAVES: Part = Part::Insert("log_leaf", &["idx", "leaf"], "");

const MESSAGES: Part = Part::Insert("message", MESSAGE_COLUMNS, "");

const PAYLOADS: Part = Part::Insert("payload", &["idx", "sealed", "form"], "");

/// Writes what is logged, with the message it is about, and how that leaves the handover of its case.
static ENTRIES: LazyLock<Statement> =
    LazyLock::new(|| Statement::script(&[LEAVES, MESSAGES, PAYLOADS, CASES]));

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
    "keep_until",
    "consent",
    "subject_bsn",
    "subject_place",
    "step",
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
    Statement::script(&[LEAVES, MESSAGES, PAYLOADS, CASES, PUT_TILES, TALLIES, PUT_HEAD, COMMIT])
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
    pub(super) keep_until: Option<i64>,
    pub(super) consent: Option<i64>,
    pub(super) subject: Tokens,
    /// What it does in a handover.
    pub(super) step: Option<String>,
}

/// A kind of message, for counting: party, direction, state, reason (0 for none).
pub(super) type Kind = (i64, i64, i64, i64);

/// A leaf to write, with the message it is about, if it is about one.
struct Entry {
    index: u64,
    leaf: Vec<u8>,
    message: Option<NewMessage>,
    sealed: Option<Vec<u8>>,
}

/// What the transaction will write, collected over its operations.
#[derive(Default)]
pub(super) struct Group {
    /// In the order of the log, without gaps.
    entries: Vec<Entry>,
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
    /// The consents that the operations are about.
    pub(super) consents: HashMap<ConsentKey, Known>,
    /// Who was told of the end of those, and by which message.
    pub(super) noticed: HashMap<(ConsentKey, Oin), u64>,
    /// Who is told now.
    pub(super) notices: Vec<(ConsentKey, Oin, u64)>,
    /// How many messages the handovers of the cases have that the operations are about.
    pub(super) cases: HashMap<Uuid, usize>,
    /// Those that get one more, in the order of their table.
    pub(super) turns: BTreeMap<Uuid, Turn>,
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
        self.entries.push(Entry { index, leaf, message: None, sealed: None });
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

    /// Seals a message under the key of its entry.
    pub(super) fn seal(
        &mut self,
        writer: &mut Writer,
        index: u64,
        digest: &Digest,
        jws: &str,
    ) -> Result<(), StoreError> {
        let sealed = writer.vault.seal_payload(index, digest, jws, &mut writer.entropy)?;
        self.bytes += sealed.len();
        if let Some(entry) = self.entry(index) {
            entry.sealed = Some(sealed);
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
        operations: &[Operation],
    ) -> Result<Head, StoreError> {
        let ids: Vec<Uuid> = operations.iter().flat_map(ids_of).collect();
        let (first, others) = ids.split_at(ids.len().min(MOST_ROWS));
        let mut found = BEGIN.fetch(connection, look_up_values(first)).await?;
        for ids in others.chunks(MOST_ROWS) {
            found.extend(LOOK_UP.fetch(connection, look_up_values(ids)).await?);
        }
        let mut head = None;
        for row in &found {
            if row.try_get::<i64, _>(0)? == 0 {
                head = Some(Head { size: from_sql(row.try_get(1)?)?, roots: row.try_get(2)? });
                self.rules = RulesVersion(from_sql(row.try_get(3)?)?);
            } else {
                let from: Oin = row.try_get::<&str, _>(4)?.parse().map_err(|_| damaged("an OIN"))?;
                let message = (digest(row.try_get(2)?)?, from_sql(row.try_get(3)?)?);
                self.known.insert((from, uuid(row.try_get(1)?)?), message);
            }
        }
        head.ok_or_else(|| StoreError::Corrupt("the log has no head".into()))
    }

    /// Whether all that was logged and queued can be written with the commit.
    pub(super) fn fits_in_commit(&self) -> bool {
        self.entries.len() <= MOST_ROWS && self.intakes.is_empty()
    }

    /// Whether what was logged since has become too much to be written with the commit.
    pub(super) fn has_grown(&self) -> bool {
        self.entries.len() > MOST_ROWS
    }

    /// Writes what was logged.
    pub(super) async fn write_entries(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let mut entries = std::mem::take(&mut self.entries).into_iter();
        while entries.len() > 0 {
            let mut part: Vec<Entry> = entries.by_ref().take(MOST_ROWS).collect();
            let mut values = Values::for_rows(part.len());
            self.bind_entries(&mut part, &mut values);
            ENTRIES.execute(connection, values).await?;
        }
        Ok(())
    }

    /// Writes what was logged and queued.
    pub(super) async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        self.write_entries(connection).await?;
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

    /// Binds what is logged. There are no more cases than messages, so with the last of those go the last of them.
    fn bind_entries(&mut self, entries: &mut [Entry], values: &mut Values) {
        values.rows(entries.iter_mut(), 2, |entry, values| {
            values.add(to_sql(entry.index)).add(std::mem::take(&mut entry.leaf));
        });
        let messages = entries.iter_mut().filter_map(|entry| Some((entry.index, entry.message.take()?)));
        values.rows(messages, MESSAGE_COLUMNS.len(), bind_message);
        let sealed = entries.iter_mut().filter_map(|entry| Some((entry.index, entry.sealed.take()?)));
        values.rows(sealed, 3, |(index, sealed), values| {
            values.add(to_sql(index)).add(sealed).add(OF_ENTRY);
        });
        let turns = std::iter::from_fn(|| self.turns.pop_first()).take(MOST_ROWS);
        values.rows(turns, CASE_COLUMNS.len(), |(case, turn), values| handover::bind(case, &turn, values));
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
            self.bind_entries(&mut entries, &mut values);
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

fn look_up_values(ids: &[Uuid]) -> Values {
    let mut values = Values::for_rows(ids.len());
    values.rows(ids.iter(), 1, |id, values| {
        values.add(id.as_bytes().to_vec());
    });
    values
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
        .add(message.keep_until)
        .add(message.consent)
        .add(message.subject.bsn.map(Vec::from))
        .add(message.subject.place.map(Vec::from))
        .add(message.step);
}

fn bind_tally(((party, direction, state, reason), count): &(Kind, i64), values: &mut Values) {
    values.add(*party).add(*direction).add(*state).add(*reason).add(*count);
}

fn ids_of(operation: &Operation) -> Vec<Uuid> {
    match operation {
        Operation::File(job) => job.input.arrivals.iter().filter_map(|arrival| arrival.id).collect(),
        _ => Vec::new(),
    }
}
