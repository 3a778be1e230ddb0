//! Erasing: payloads, what still waits of them to be sent, records of consents, and the evidence in the log.
//!
//! What is erased here has its key destroyed after the transaction. Until then it stands in `erasing`, so that a crash
//! in between is made good at the next start.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use exchange::{
    entry::{Entry, ErasureCause, MAX_ERASED_PER_ENTRY},
    oin::Oin,
    tlog::Leaf,
};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    column::{damaged, direction_to_sql, from_sql, state_to_sql, time_to_sql, to_sql},
    committer::Writer,
    group::Group,
    joining,
    names::{Missing, Names},
    processing,
    rows::{Part, Statement, Values},
    signal_term, subject,
};
use crate::{
    data_subject::DataSubject,
    error::StoreError,
    model::{Direction, State},
    seal::OF_CASE,
    store::ERASED_REASON,
};

/// What of these is there to erase: what was erased has no payload any more.
static FIND: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT m.idx, m.queued IS NOT NULL, m.party, party.oin, p.form FROM message m \
         JOIN payload p ON p.idx = m.idx JOIN party ON party.num = m.party WHERE m.idx",
    ))
});

/// Which of these are records of consents, and whether that ended.
static FIND_RECORDS: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT r.idx, c.state <> 0 FROM consent_record r JOIN consent c ON c.num = r.consent WHERE r.idx",
    ))
});

static MARK: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("UPDATE message SET erased = ? WHERE idx")));

static END: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "UPDATE message SET state = ?, reason = ?, finished = ?, queued = NULL \
         WHERE queued IS NOT NULL AND idx",
    ))
});

static REMOVE: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("DELETE FROM payload WHERE idx")));

/// By what the residents of records are found, before the records themselves.
static FORGET_RECORDS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("DELETE FROM consent_subject WHERE record")));

static REMOVE_RECORDS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("DELETE FROM consent_record WHERE idx")));

static KEYS_TO_DESTROY: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::Insert("erasing", &["idx"], "ON CONFLICT DO NOTHING")));

static KEYS_DESTROYED: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("DELETE FROM erasing WHERE idx")));

/// What to erase.
pub(crate) struct Erasure {
    /// Those of these entries that have something that was not erased before.
    pub(crate) indexes: Vec<u64>,
    /// The case they are all of, when it goes as a whole: earlier versions sealed under a key of that.
    pub(crate) case: Option<Uuid>,
    pub(crate) cause: ErasureCause,
    pub(crate) now: Timestamp,
    /// Whom entries are about, for the records of processings that are still to be brought.
    pub(crate) subjects: HashMap<u64, DataSubject>,
}

impl Erasure {
    /// Of these entries; of which nobody knows yet whom they are about.
    pub(crate) fn new(
        indexes: Vec<u64>,
        whole: Option<Uuid>,
        (cause, now): (ErasureCause, Timestamp),
    ) -> Self {
        Self { indexes, case: whole, cause, now, subjects: HashMap::new() }
    }
}

/// What came of it.
pub(crate) struct Erased {
    /// What was erased.
    pub(crate) indexes: Vec<u64>,
    /// Where the log says so.
    pub(crate) evidence: Vec<u64>,
    /// The messages among them that waited, with who they were for.
    pub(crate) ended: Vec<(Oin, u64)>,
}

/// Something that is there to erase.
struct Found {
    index: u64,
    waits: bool,
    party: i64,
    to: Oin,
    form: i64,
}

pub(super) fn missing_names(names: &Names, missing: &mut Missing<'_>) {
    missing.word(names, ERASED_REASON);
}

/// Erases. What is queued in the same transaction is written by now, and can be among it.
pub(super) async fn erase(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    erasure: &Erasure,
) -> Result<Erased, StoreError> {
    if let Some(case) = erasure.case {
        erase_case_key(connection, case, erasure.now).await?;
    }
    let found = find(connection, erasure).await?;
    let messages: Vec<u64> = found.iter().map(|one| one.index).collect();
    let records = find_records(connection, erasure).await?;
    let indexes: Vec<u64> =
        messages.iter().chain(&records).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut evidence = Vec::with_capacity(indexes.len().div_ceil(MAX_ERASED_PER_ENTRY));
    for part in indexes.chunks(MAX_ERASED_PER_ENTRY) {
        let entry = Entry::Wissing { gewist: part.to_vec(), reden: erasure.cause, tijd: erasure.now };
        let index = group.log(&mut writer.edge, &entry.leaf());
        let place = |values: &mut Values| {
            values.add(to_sql(index));
        };
        MARK.change(connection, part, place, bind_index).await?;
        let known = part.iter().filter_map(|erased| Some((*erased, erasure.subjects.get(erased)?)));
        processing::keep_subjects(connection, index, known).await?;
        evidence.push(index);
    }
    remove(connection, &found, &messages).await?;
    FORGET_RECORDS.change(connection, &records, |_| {}, bind_index).await?;
    REMOVE_RECORDS.change(connection, &records, |_| {}, bind_index).await?;
    // Nothing is sealed under the keys of the evidence itself. Without them what is left of the tree stays small.
    let keys: Vec<u64> = indexes.iter().chain(&evidence).copied().collect();
    KEYS_TO_DESTROY.insert(connection, &keys, bind_index).await?;
    let ended = end(writer, connection, group, (&found, erasure.now)).await?;
    Ok(Erased { indexes, evidence, ended })
}

/// What there is to erase, in the order of the log, each once.
async fn find(connection: &mut SqliteConnection, erasure: &Erasure) -> Result<Vec<Found>, StoreError> {
    let rows = FIND.list(connection, &erasure.indexes, bind_index).await?;
    let mut found: Vec<Found> = rows.iter().map(read_found).collect::<Result<_, _>>()?;
    // What waits has its own end. It can have been put in the queue again since it was looked for.
    if erasure.cause == ErasureCause::Retention {
        found.retain(|one| !one.waits);
    }
    found.sort_unstable_by_key(|one| one.index);
    found.dedup_by_key(|one| one.index);
    Ok(found)
}

/// The records of consents among these entries. Retention leaves that of one that was extended since it was looked for.
async fn find_records(connection: &mut SqliteConnection, erasure: &Erasure) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    for row in FIND_RECORDS.list(connection, &erasure.indexes, bind_index).await? {
        let ended: bool = row.try_get(1)?;
        if ended || erasure.cause != ErasureCause::Retention {
            found.push(from_sql(row.try_get(0)?)?);
        }
    }
    Ok(found)
}

fn read_found(row: &SqliteRow) -> Result<Found, StoreError> {
    Ok(Found {
        index: from_sql(row.try_get(0)?)?,
        waits: row.try_get(1)?,
        party: row.try_get(2)?,
        to: row.try_get::<&str, _>(3)?.parse().map_err(|_| damaged("an OIN"))?,
        form: row.try_get(4)?,
    })
}

/// Removes the payloads, and by what their residents were found.
async fn remove(
    connection: &mut SqliteConnection,
    found: &[Found],
    indexes: &[u64],
) -> Result<(), StoreError> {
    // The key of what an earlier version sealed may still be in the database: its payload is overwritten in its page,
    // not only unlinked.
    let overwrite = found.iter().any(|one| one.form == OF_CASE);
    if overwrite {
        sqlx::query("PRAGMA secure_delete = ON").fetch_all(&mut *connection).await?;
    }
    REMOVE.insert(connection, indexes, bind_index).await?;
    subject::forget(connection, indexes).await?;
    joining::forget(connection, indexes).await?;
    signal_term::forget(connection, indexes).await?;
    if overwrite {
        sqlx::query("PRAGMA secure_delete = OFF").fetch_all(&mut *connection).await?;
    }
    Ok(())
}

/// Ends what waits among what was found; gives what that was, with who it was for.
async fn end(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (found, now): (&[Found], Timestamp),
) -> Result<Vec<(Oin, u64)>, StoreError> {
    let reason = writer.names.word(ERASED_REASON)?;
    let waiting: Vec<&Found> = found.iter().filter(|one| one.waits).collect();
    let indexes: Vec<u64> = waiting.iter().map(|one| one.index).collect();
    let bind = |values: &mut Values| {
        values.add(state_to_sql(State::Undeliverable)).add(reason).add(time_to_sql(now));
    };
    END.change(connection, &indexes, bind, bind_index).await?;
    let outbound = direction_to_sql(Direction::Outbound);
    let mut parties: HashMap<i64, i64> = HashMap::new();
    for one in &waiting {
        *parties.entry(one.party).or_default() += 1;
    }
    for (party, count) in parties {
        group.count((party, outbound, state_to_sql(State::Waiting), 0), -count);
        group.count((party, outbound, state_to_sql(State::Undeliverable), reason), count);
    }
    Ok(waiting.into_iter().map(|one| (one.to, one.index)).collect())
}

/// Erases the key under which earlier versions sealed what is in this case.
async fn erase_case_key(
    connection: &mut SqliteConnection,
    case: Uuid,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The old key is overwritten in its page, not only unlinked.
    sqlx::query("PRAGMA secure_delete = ON").fetch_all(&mut *connection).await?;
    sqlx::query(
        "UPDATE case_key SET wrapped = NULL, erased = ?2 WHERE \"case\" = ?1 AND wrapped IS NOT NULL",
    )
    .bind(case.as_bytes().as_slice())
    .bind(time_to_sql(now))
    .execute(&mut *connection)
    .await?;
    sqlx::query("PRAGMA secure_delete = OFF").fetch_all(&mut *connection).await?;
    Ok(())
}

/// The entries that were erased and whose keys may still be there.
pub(crate) async fn keys_to_destroy(
    connection: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query("SELECT idx FROM erasing ORDER BY idx LIMIT ?1")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The keys of these entries are no more, as of this version of the key file.
pub(crate) async fn destroyed(
    connection: &mut SqliteConnection,
    indexes: &[u64],
    version: u64,
) -> Result<u64, StoreError> {
    sqlx::query("UPDATE node SET key_version = max(key_version, ?1)")
        .bind(to_sql(version))
        .execute(&mut *connection)
        .await?;
    KEYS_DESTROYED.change(connection, indexes, |_| {}, bind_index).await
}

/// All that was erased according to the log, with the entries that say so, in order. Looks through the whole log.
pub(crate) async fn all_erased(connection: &mut SqliteConnection) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT idx, leaf FROM log_leaf WHERE instr(leaf, CAST('\"soort\":\"wissing\"' AS BLOB)) > 0",
    )
    .fetch_all(connection)
    .await?;
    let mut all = Vec::new();
    for row in rows {
        if let Ok(Entry::Wissing { gewist, .. }) = Entry::of_leaf(&Leaf::new(row.try_get(1)?)) {
            all.push(from_sql(row.try_get(0)?)?);
            all.extend(gewist);
        }
    }
    all.sort_unstable();
    Ok(all)
}

/// What of a case can be erased, among the entries from `from` up to `to`.
pub(crate) async fn of_case(
    connection: &mut SqliteConnection,
    case: Uuid,
    (from, to): (u64, u64),
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx FROM message m WHERE m.idx >= ?1 AND m.idx < ?2 AND m.\"case\" = ?3 AND m.erased IS NULL \
         AND EXISTS (SELECT 1 FROM payload p WHERE p.idx = m.idx) ORDER BY m.idx",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(case.as_bytes().as_slice())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// What may not be kept any longer and does not wait, among the entries from `from` up to `to`; at most `limit`.
pub(crate) async fn over_time(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
    now: Timestamp,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx FROM message m WHERE m.idx >= ?1 AND m.idx < ?2 AND m.keep_until <= ?3 AND m.erased IS NULL \
         AND m.queued IS NULL AND EXISTS (SELECT 1 FROM payload p WHERE p.idx = m.idx) ORDER BY m.idx LIMIT ?4",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(time_to_sql(now))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// By what the key file of this database is recognised, if it has one, and the version in which the keys of all that
/// was erased were destroyed.
pub(crate) async fn key_file(
    connection: &mut SqliteConnection,
) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
    let row = sqlx::query("SELECT key_file, key_version FROM node").fetch_one(connection).await?;
    let id: Option<Vec<u8>> = row.try_get(0)?;
    let version = from_sql(row.try_get(1)?)?;
    Ok(id.map(|id| (id, version)))
}

/// Remembers the key file of a database that had none; gives the one that is remembered.
pub(crate) async fn put_key_file(
    connection: &mut SqliteConnection,
    id: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query("UPDATE node SET key_file = ?1 WHERE key_file IS NULL")
        .bind(id)
        .execute(&mut *connection)
        .await?;
    Ok(key_file(connection).await?.map(|(id, _)| id))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "shaped for lists")]
fn bind_index(index: &u64, values: &mut Values) {
    values.add(to_sql(*index));
}
