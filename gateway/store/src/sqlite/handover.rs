//! Handovers: what each message does in one.
//!
//! What is decided about a message of a handover was decided with what was known of its case. The transaction that keeps it
//! holds it against that: when another message of the case came first, it is decided again.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use exchange::{
    handover::{Notice, Taken},
    oin::Oin,
};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    column::{
        damaged, direction_from_sql, from_sql, state_from_sql, time_from_sql, time_to_sql, to_sql, uuid,
    },
    committer::Operation,
    group::Group,
    rows::{Part, Statement, Values},
};
use crate::{
    error::StoreError,
    handovers::{HandoverCase, Looked, StoredStep, TermTold},
};

static KNOWN: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT \"case\", steps FROM handover WHERE \"case\"")));

pub(super) const CASE_COLUMNS: &[&str] = &["\"case\"", "steps", "to_do", "due"];

/// What is owed stays so until it is said; the last message knows all the terms.
pub(super) const CASES: Part = Part::Insert(
    "handover",
    CASE_COLUMNS,
    "ON CONFLICT (\"case\") DO UPDATE SET steps = excluded.steps, to_do = coalesce(excluded.to_do, to_do), \
     due = excluded.due, changes = changes + 1",
);

static READ: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT m.\"case\", m.idx, m.step, m.direction, m.state, w.text FROM message m \
         LEFT JOIN word w ON w.num = m.reason WHERE m.step IS NOT NULL AND m.\"case\"",
    ))
});

static BOUND: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT m.id, p.oin FROM message m JOIN party p ON p.num = m.party WHERE m.direction = 1 AND m.id",
    ))
});

static REOPEN: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "UPDATE handover SET to_do = 1, changes = changes + 1 FROM message WHERE message.\"case\" = handover.\"case\" AND message.idx",
    ))
});

static TOLD: LazyLock<Statement> = LazyLock::new(|| {
    let columns = &["\"case\"", "set_by", "kind", "told"];
    Statement::new(&Part::Insert("handover_notice", columns, "ON CONFLICT DO NOTHING"))
});

const CASES_AFTER: &str =
    "SELECT \"case\", changes, due FROM handover WHERE \"case\" > ?1 ORDER BY \"case\" LIMIT ?2";

const TO_DO_AFTER: &str = "SELECT \"case\", changes, due FROM handover WHERE to_do IS NOT NULL AND \"case\" > ?1 \
                           ORDER BY \"case\" LIMIT ?2";

const DUE_AFTER: &str = "SELECT \"case\", changes, due FROM handover \
                         WHERE due <= ?1 AND (due, \"case\") > (?2, ?3) ORDER BY due, \"case\" LIMIT ?4";

const ONE_CASE: &str = "SELECT \"case\", changes, due FROM handover WHERE \"case\" = ?1";

/// How the messages of a transaction leave a case.
#[derive(Default)]
pub(super) struct Turn {
    /// How many it has then.
    steps: usize,
    /// Whether something is to be said about it.
    owes: bool,
    /// When a term of the case is to be told of.
    due: Option<Timestamp>,
}

/// The cases whose handovers an operation is about.
fn cases_of(operation: &Operation) -> Vec<Uuid> {
    match operation {
        Operation::Enqueue(job) => {
            let messages = job.input.messages.iter();
            messages.filter(|message| message.step.is_some()).map(|message| message.case).collect()
        }
        Operation::File(job) => {
            job.input.arrivals.iter().filter_map(|arrival| Some(arrival.step.as_ref()?.1)).collect()
        }
        _ => Vec::new(),
    }
}

/// Finds how far the cases are that the operations are about.
pub(super) async fn resolve(
    connection: &mut SqliteConnection,
    group: &mut Group,
    operations: &[Operation],
) -> Result<(), StoreError> {
    let mut cases: Vec<Uuid> = operations.iter().flat_map(cases_of).collect();
    if cases.is_empty() {
        return Ok(());
    }
    cases.sort_unstable();
    cases.dedup();
    let rows = KNOWN
        .list(connection, &cases, |case, values| {
            values.add(case.as_bytes().to_vec());
        })
        .await?;
    for row in &rows {
        group.cases.insert(uuid(row.try_get(0)?)?, count(row.try_get(1)?)?);
    }
    Ok(())
}

/// Takes a message into a case, if whoever decided about it knew all the others; gives what is kept with the message of it.
pub(super) fn take(group: &mut Group, case: Uuid, taken: &Taken) -> Result<String, StoreError> {
    let known = group.cases.entry(case).or_default();
    if *known != taken.after {
        return Err(StoreError::RulesChanged);
    }
    *known += 1;
    let turn = group.turns.entry(case).or_default();
    *turn = Turn { steps: *known, owes: turn.owes | taken.owes, due: taken.due };
    serde_json::to_string(&taken.step).map_err(|_| damaged("a step of a handover"))
}

pub(super) fn bind(case: Uuid, turn: &Turn, values: &mut Values) {
    values.add(case.as_bytes().to_vec()).add(i64::try_from(turn.steps).unwrap_or(i64::MAX));
    values.add(turn.owes.then_some(1_i64)).add(turn.due.map(time_to_sql));
}

/// Messages were refused or given up: their cases are to be looked at.
pub(super) async fn reopen(connection: &mut SqliteConnection, indexes: &[u64]) -> Result<(), StoreError> {
    REOPEN
        .insert(connection, indexes, |index, values| {
            values.add(to_sql(*index));
        })
        .await
}

/// Which of these identifiers a partner used before.
pub(crate) async fn bound(
    connection: &mut SqliteConnection,
    from: Oin,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, StoreError> {
    let rows = BOUND
        .list(connection, ids, |id, values| {
            values.add(id.as_bytes().to_vec());
        })
        .await?;
    let mut found = HashSet::new();
    for row in &rows {
        if row.try_get::<&str, _>(1)? == from.as_str() {
            found.insert(uuid(row.try_get(0)?)?);
        }
    }
    Ok(found)
}

/// The messages of these cases, in the order of the log.
pub(crate) async fn steps(
    connection: &mut SqliteConnection,
    cases: &[Uuid],
) -> Result<HashMap<Uuid, Vec<StoredStep>>, StoreError> {
    let rows = READ
        .list(connection, cases, |case, values| {
            values.add(case.as_bytes().to_vec());
        })
        .await?;
    let mut found: HashMap<Uuid, Vec<StoredStep>> = HashMap::new();
    for row in &rows {
        let step = StoredStep {
            index: from_sql(row.try_get(1)?)?,
            step: serde_json::from_str(row.try_get(2)?).map_err(|_| damaged("a step of a handover"))?,
            direction: direction_from_sql(row.try_get(3)?)?,
            state: state_from_sql(row.try_get(4)?)?,
            reason: row.try_get::<Option<String>, _>(5)?,
        };
        found.entry(uuid(row.try_get(0)?)?).or_default().push(step);
    }
    for steps in found.values_mut() {
        steps.sort_unstable_by_key(|step| step.index);
    }
    Ok(found)
}

/// How the cases after this one are; in the order of their identifiers.
pub(crate) async fn cases(
    connection: &mut SqliteConnection,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<HandoverCase>, StoreError> {
    known(connection, CASES_AFTER, (after, limit)).await
}

/// The same for those at which this node has not looked since something changed.
pub(crate) async fn to_do(
    connection: &mut SqliteConnection,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<HandoverCase>, StoreError> {
    known(connection, TO_DO_AFTER, (after, limit)).await
}

async fn known(
    connection: &mut SqliteConnection,
    text: &'static str,
    (after, limit): (Option<Uuid>, usize),
) -> Result<Vec<HandoverCase>, StoreError> {
    let rows = sqlx::query(text)
        .bind(after.map(|case| case.as_bytes().to_vec()).unwrap_or_default())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(case_of).collect()
}

/// Those of which a term is due by now, after this one; in the order of when that was.
pub(crate) async fn due(
    connection: &mut SqliteConnection,
    now: Timestamp,
    (after, limit): (Option<HandoverCase>, usize),
) -> Result<Vec<HandoverCase>, StoreError> {
    let rows = sqlx::query(DUE_AFTER)
        .bind(time_to_sql(now))
        .bind(after.and_then(|one| one.due).map_or(i64::MIN, time_to_sql))
        .bind(after.map(|one| one.case.as_bytes().to_vec()).unwrap_or_default())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(case_of).collect()
}

/// How a case is now.
pub(crate) async fn case(
    connection: &mut SqliteConnection,
    case: Uuid,
) -> Result<Option<HandoverCase>, StoreError> {
    let row = sqlx::query(ONE_CASE).bind(case.as_bytes().to_vec()).fetch_optional(connection).await?;
    row.as_ref().map(case_of).transpose()
}

fn case_of(row: &SqliteRow) -> Result<HandoverCase, StoreError> {
    let due = row.try_get::<Option<i64>, _>(2)?.map(time_from_sql).transpose()?;
    Ok(HandoverCase { case: uuid(row.try_get(0)?)?, changes: from_sql(row.try_get(1)?)?, due })
}

/// What was told of the terms in a case.
pub(crate) async fn told(connection: &mut SqliteConnection, case: Uuid) -> Result<Vec<TermTold>, StoreError> {
    let rows = sqlx::query(
        "SELECT set_by, kind, told FROM handover_notice WHERE \"case\" = ?1 ORDER BY set_by, kind",
    )
    .bind(case.as_bytes().to_vec())
    .fetch_all(connection)
    .await?;
    let told = |row: &SqliteRow| {
        Ok(TermTold {
            set_by: uuid(row.try_get(0)?)?,
            notice: notice_from_sql(row.try_get(1)?)?,
            at: time_from_sql(row.try_get(2)?)?,
        })
    };
    rows.iter().map(told).collect()
}

const fn notice_to_sql(notice: Notice) -> i64 {
    match notice {
        Notice::Reminder => 0,
        Notice::Escalation => 1,
    }
}

pub(super) fn notice_from_sql(number: i64) -> Result<Notice, StoreError> {
    [Notice::Reminder, Notice::Escalation]
        .into_iter()
        .find(|notice| notice_to_sql(*notice) == number)
        .ok_or_else(|| damaged("a notice of a term"))
}

/// Nothing is left to do about a case, if it is still as it was when that was found.
pub(super) async fn looked_at(connection: &mut SqliteConnection, looked: &Looked) -> Result<u64, StoreError> {
    let Looked { seen, told, due } = looked;
    let case = seen.case.as_bytes().to_vec();
    let done = sqlx::query("UPDATE handover SET to_do = NULL, due = ?3 WHERE \"case\" = ?1 AND changes = ?2")
        .bind(case.clone())
        .bind(to_sql(seen.changes))
        .bind(due.map(time_to_sql))
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if done > 0 {
        TOLD.insert(connection, told, |one, values| {
            values.add(case.clone()).add(one.set_by.as_bytes().to_vec());
            values.add(notice_to_sql(one.notice)).add(time_to_sql(one.at));
        })
        .await?;
    }
    Ok(done)
}

fn count(number: i64) -> Result<usize, StoreError> {
    usize::try_from(number).map_err(|_| damaged("a count"))
}
