//! Terms of signals: what is read for them, and what a node found when it looked.

use std::sync::LazyLock;

use exchange::{deadline::Deadline, handover::Notice};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{direction_to_sql, from_sql, time_from_sql, time_to_sql, to_sql},
    matching::{stands, with_consent},
    read::{message_row, message_rows},
    rows::{Part, Statement, Values},
};
use crate::{
    error::StoreError,
    model::MessageRow,
    signal_terms::{NotedSignals, SignalLooked, SignalNews, SignalTerm, SignalTerms, TermState},
};

/// A change in what is kept of terms of signals.
pub(crate) enum SignalTermChange {
    Note(NotedSignals),
    Looked { looked: Vec<SignalLooked>, now: Timestamp },
}

/// What every reading of terms selects, at the moment `?1`.
macro_rules! terms {
    ($($rest:tt)+) => {
        concat!(
            "SELECT t.idx, t.changes, t.respond_before, t.remind_at, t.met, t.due, t.reminded, t.escalated, ",
            stands!(),
            " FROM signal_term t JOIN message m ON m.idx = t.idx ",
            with_consent!("m", "c"),
            $($rest)+
        )
    };
}

static SIGNALS: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::Insert("signal_term", &["idx", "to_do"], "ON CONFLICT DO NOTHING"))
});

static FORGET: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List("UPDATE signal_term SET due = NULL, to_do = NULL WHERE idx"))
});

/// Only who received the signal says what came of it, in its case.
const MEET: &str = "INSERT INTO signal_feedback (idx, signal, at) \
     SELECT f.idx, t.idx, ?3 FROM message f \
     JOIN message s ON s.id = ?2 AND s.party = f.party AND s.direction = 1 - f.direction AND s.\"case\" = f.\"case\" \
     JOIN signal_term t ON t.idx = s.idx WHERE f.idx = ?1 ON CONFLICT DO NOTHING";

const MET: &str = "UPDATE signal_term SET to_do = 1, changes = changes + 1 \
     WHERE idx = (SELECT signal FROM signal_feedback WHERE idx = ?1)";

const LOOKED: &str = concat!(
    "UPDATE signal_term SET to_do = NULL, respond_before = coalesce(respond_before, ?4), \
     remind_at = coalesce(remind_at, ?5), met = ?6, due = ?7, reminded = coalesce(reminded, ?8), \
     escalated = coalesce(escalated, ?9) WHERE idx = ?2 AND changes = ?3 AND \
     (coalesce(?8, ?9) IS NULL OR EXISTS (SELECT 1 FROM message m ",
    with_consent!("m", "c"),
    "WHERE m.idx = ?2 AND ",
    stands!(),
    "))"
);

pub(crate) async fn news(
    connection: &mut SqliteConnection,
    scanned: u64,
    limit: usize,
) -> Result<SignalNews, StoreError> {
    let row = sqlx::query("SELECT s.done, l.size FROM signal_term_state s, log_state l")
        .fetch_one(&mut *connection)
        .await?;
    let (from, size) = (from_sql(row.try_get(0)?)?, from_sql(row.try_get(1)?)?);
    let to = size.min(from.saturating_add(scanned));
    if from >= to {
        return Ok(SignalNews { from, through: from, ..SignalNews::default() });
    }
    let rows = sqlx::query(message_rows!(
        "WHERE m.idx >= ?1 AND m.idx < ?2 AND (m.direction = 0 OR m.state = 1) AND m.erased IS NULL \
         AND (type.text LIKE 'nl.sociaaldomein.signalen.%' OR type.text LIKE 'nl.sociaaldomein.terugkoppelingen.%') \
         AND EXISTS (SELECT 1 FROM payload p WHERE p.idx = m.idx) ORDER BY m.idx LIMIT ?3"
    ))
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let rows = rows.iter().map(message_row).collect::<Result<Vec<_>, _>>()?;
    let through = match rows.last() {
        Some(last) if rows.len() >= limit => last.index + 1,
        _ => to,
    };
    Ok(SignalNews { from, through, rows, more: through < size })
}

/// The term of one signal.
pub(crate) async fn one(
    connection: &mut SqliteConnection,
    index: u64,
    now: Timestamp,
) -> Result<Option<SignalTerm>, StoreError> {
    let row = sqlx::query(terms!("WHERE t.idx = ?2"))
        .bind(time_to_sql(now))
        .bind(to_sql(index))
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(term).transpose()
}

/// Those at which this node has not looked since something changed, after this one.
pub(crate) async fn to_do(
    connection: &mut SqliteConnection,
    (after, now): (Option<u64>, Timestamp),
    limit: usize,
) -> Result<Vec<SignalTerm>, StoreError> {
    let rows = sqlx::query(terms!("WHERE t.to_do IS NOT NULL AND t.idx > ?2 ORDER BY t.idx LIMIT ?3"))
        .bind(time_to_sql(now))
        .bind(after.map_or(-1, to_sql))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(term).collect()
}

/// Those that are to be told of by now, after this one, in the order of when that was.
pub(crate) async fn due(
    connection: &mut SqliteConnection,
    (after, now): (Option<SignalTerm>, Timestamp),
    limit: usize,
) -> Result<Vec<SignalTerm>, StoreError> {
    let rows = sqlx::query(terms!(
        "WHERE t.due <= ?1 AND (t.due, t.idx) > (?2, ?3) AND ",
        stands!(),
        " ORDER BY t.due, t.idx LIMIT ?4"
    ))
    .bind(time_to_sql(now))
    .bind(after.and_then(|one| one.due).map_or(i64::MIN, time_to_sql))
    .bind(after.map_or(-1, |one| to_sql(one.index)))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(term).collect()
}

/// The first feedback that meets a term and was not refused or given up.
pub(crate) async fn met(
    connection: &mut SqliteConnection,
    signal: u64,
) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query(
        "SELECT min(f.at) FROM signal_feedback f JOIN message m ON m.idx = f.idx WHERE f.signal = ?1 AND m.state < 2",
    )
    .bind(to_sql(signal))
    .fetch_one(connection)
    .await?;
    row.try_get::<Option<i64>, _>(0)?.map(time_from_sql).transpose()
}

/// Terms that run, what ends first first.
pub(crate) async fn list(
    connection: &mut SqliteConnection,
    (wanted, now): (&SignalTerms, Timestamp),
) -> Result<Vec<(MessageRow, SignalTerm)>, StoreError> {
    let state = wanted.state.map(|state| match state {
        TermState::Running => 0,
        TermState::Soon => 1,
        TermState::Late => 2,
        TermState::InTime | TermState::TooLate => 3_i64,
    });
    let rows = sqlx::query(terms!(
        "WHERE t.respond_before IS NOT NULL AND t.met IS NULL AND (t.respond_before, t.idx) > (?2, ?3) \
         AND (?4 IS NULL OR m.direction = ?4) \
         AND (?5 IS NULL OR ?5 = CASE WHEN t.respond_before <= max(?1, coalesce(t.reminded, ?1), coalesce(t.escalated, ?1)) THEN 2 \
         WHEN t.remind_at <= max(?1, coalesce(t.reminded, ?1), coalesce(t.escalated, ?1)) THEN 1 ELSE 0 END) AND ",
        stands!(),
        " ORDER BY t.respond_before, t.idx LIMIT ?6"
    ))
    .bind(time_to_sql(now))
    .bind(wanted.after.map_or(i64::MIN, |(end, _)| time_to_sql(end)))
    .bind(wanted.after.map_or(-1, |(_, index)| to_sql(index)))
    .bind(wanted.direction.map(direction_to_sql))
    .bind(state)
    .bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let term = term(row)?;
        let message = super::read::message_at(connection, term.index).await?;
        found.extend(message.map(|message| (message, term)));
    }
    Ok(found)
}

fn term(row: &SqliteRow) -> Result<SignalTerm, StoreError> {
    let time = |column| row.try_get::<Option<i64>, _>(column)?.map(time_from_sql).transpose();
    let deadline = match (time(2)?, time(3)?) {
        (Some(respond_before), Some(remind_at)) => Some(Deadline { respond_before, remind_at }),
        _ => None,
    };
    Ok(SignalTerm {
        index: from_sql(row.try_get(0)?)?,
        changes: from_sql(row.try_get(1)?)?,
        deadline,
        met: time(4)?,
        due: time(5)?,
        reminded: time(6)?,
        escalated: time(7)?,
        stands: row.try_get::<i64, _>(8)? != 0,
    })
}

pub(super) async fn apply(
    connection: &mut SqliteConnection,
    change: &SignalTermChange,
) -> Result<u64, StoreError> {
    match change {
        SignalTermChange::Note(noted) => note(connection, noted).await,
        SignalTermChange::Looked { looked, now } => {
            let mut touched = 0;
            for one in looked {
                touched += looked_at(connection, one, *now).await?;
            }
            Ok(touched)
        }
    }
}

/// Keeps what was found in a piece of the log. Nothing when another process was first.
async fn note(connection: &mut SqliteConnection, noted: &NotedSignals) -> Result<u64, StoreError> {
    let taken = sqlx::query("UPDATE signal_term_state SET done = ?2 WHERE done = ?1")
        .bind(to_sql(noted.from))
        .bind(to_sql(noted.through))
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if taken == 0 {
        return Ok(0);
    }
    SIGNALS
        .insert(connection, &noted.signals, |index, values| {
            values.add(to_sql(*index)).add(1_i64);
        })
        .await?;
    for one in &noted.feedback {
        let meeting = sqlx::query(MEET).bind(to_sql(one.index)).bind(one.signal.as_bytes().to_vec());
        meeting.bind(time_to_sql(one.at)).execute(&mut *connection).await?;
        sqlx::query(MET).bind(to_sql(one.index)).execute(&mut *connection).await?;
    }
    Ok(taken)
}

async fn looked_at(
    connection: &mut SqliteConnection,
    looked: &SignalLooked,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let told =
        |notice: Notice| looked.told.filter(|(told, _)| *told == notice).map(|(_, at)| time_to_sql(at));
    let done = sqlx::query(LOOKED)
        .bind(time_to_sql(now))
        .bind(to_sql(looked.seen.index))
        .bind(to_sql(looked.seen.changes))
        .bind(looked.deadline.map(|deadline| time_to_sql(deadline.respond_before)))
        .bind(looked.deadline.map(|deadline| time_to_sql(deadline.remind_at)))
        .bind(looked.met.map(time_to_sql))
        .bind(looked.due.map(time_to_sql))
        .bind(told(Notice::Reminder))
        .bind(told(Notice::Escalation));
    Ok(done.execute(connection).await?.rows_affected())
}

/// Nothing is told any more of what is erased. For whoever erases it, in the same transaction.
pub(super) async fn forget(connection: &mut SqliteConnection, indexes: &[u64]) -> Result<(), StoreError> {
    FORGET.change(connection, indexes, |_| {}, bind_index).await.map(drop)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "shaped for lists")]
fn bind_index(index: &u64, values: &mut Values) {
    values.add(to_sql(*index));
}
