//! Signals that are held against each other: what is read for it, and what comes of it.

use std::sync::LazyLock;

use exchange::person::Clues;
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::{damaged, from_sql, time_from_sql, time_to_sql, to_sql},
    joining::{self, Joining},
    rows::{Part, Statement},
};
use crate::{error::StoreError, matching::Matched, subject::Token};

/// That a message is there, and that no consent it rests on has ended: `m` is the message, `c` its consent unless it was
/// released from that, `?1` the moment.
macro_rules! stands {
    () => {
        "m.erased IS NULL AND EXISTS (SELECT 1 FROM payload p WHERE p.idx = m.idx) AND \
         (c.num IS NULL OR (c.state = 0 AND c.reported IS NULL AND coalesce(c.valid_until > ?1, 1)))"
    };
}

/// A message `m` with its consent `c`.
macro_rules! with_consent {
    ($message:literal, $consent:literal) => {
        concat!(
            "LEFT JOIN consent ",
            $consent,
            " ON ",
            $consent,
            ".num = ",
            $message,
            ".consent AND ",
            $message,
            ".released IS NULL "
        )
    };
}

pub(super) use {stands, with_consent};

static TOKENS: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::Insert("signal_token", &["token", "idx", "party"], "ON CONFLICT DO NOTHING"))
});

/// A signal that came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signal {
    pub(crate) index: u64,
    pub(crate) party: i64,
    pub(crate) received: Timestamp,
}

/// Up to which place signals were held against each other, and the size of the log.
pub(crate) async fn progress(connection: &mut SqliteConnection) -> Result<(u64, u64), StoreError> {
    let row =
        sqlx::query("SELECT s.done, l.size FROM signal_state s, log_state l").fetch_one(connection).await?;
    Ok((from_sql(row.try_get(0)?)?, from_sql(row.try_get(1)?)?))
}

/// The signals that were admitted here among the entries from `from` up to `to`, the first `limit`.
pub(crate) async fn signals(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Signal>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT m.idx, m.party, coalesce(m.finished, m.created) FROM message m JOIN word w ON w.num = m.type ",
        with_consent!("m", "c"),
        "WHERE m.idx >= ?2 AND m.idx < ?3 AND m.direction = 1 AND m.state = 1 \
         AND w.text LIKE 'nl.sociaaldomein.signalen.%' AND ",
        stands!(),
        " ORDER BY m.idx LIMIT ?4"
    ))
    .bind(time_to_sql(now))
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let signal = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Signal {
            index: from_sql(row.try_get(0)?)?,
            party: row.try_get(1)?,
            received: time_from_sql(row.try_get(2)?)?,
        })
    };
    rows.iter().map(signal).collect()
}

/// The newest signals with this token, and whose they are; at most `limit`.
pub(crate) async fn having(
    connection: &mut SqliteConnection,
    token: Token,
    limit: usize,
) -> Result<Vec<(u64, i64)>, StoreError> {
    let rows = sqlx::query("SELECT idx, party FROM signal_token WHERE token = ?1 ORDER BY idx DESC LIMIT ?2")
        .bind(token.to_vec())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((from_sql(row.try_get(0)?)?, row.try_get(1)?))).collect()
}

/// Whether a signal was received since then, is still there, and rests on no consent that ended.
pub(crate) async fn counts(
    connection: &mut SqliteConnection,
    index: u64,
    (since, now): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT 1 FROM message m ",
        with_consent!("m", "c"),
        "WHERE m.idx = ?2 AND coalesce(m.finished, m.created) >= ?3 AND ",
        stands!()
    ))
    .bind(time_to_sql(now))
    .bind(to_sql(index))
    .bind(time_to_sql(since))
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// What came of a piece of the log: tokens, what joins, what is suggested. Nothing when another process was first.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    (from, through): (u64, u64),
    found: &[Matched],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let taken = sqlx::query("UPDATE signal_state SET done = ?2 WHERE done = ?1")
        .bind(to_sql(from))
        .bind(to_sql(through))
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if taken == 0 {
        return Ok(0);
    }
    for signal in found {
        // Not what was erased meanwhile.
        if !is_there(connection, signal.index).await? {
            continue;
        }
        TOKENS
            .insert(connection, &signal.tokens, |token, values| {
                values.add(token.to_vec()).add(to_sql(signal.index)).add(signal.party);
            })
            .await?;
        let mut same = Vec::with_capacity(signal.same.len());
        for other in &signal.same {
            if is_there(connection, *other).await? {
                same.push(*other);
            }
        }
        joining::join_by_itself(connection, (signal.index, &same), now).await?;
        for (other, clues) in &signal.perhaps {
            if is_there(connection, *other).await? {
                joining::suggest(connection, (signal.index, *other), *clues, now).await?;
            }
        }
    }
    Ok(taken)
}

async fn is_there(connection: &mut SqliteConnection, index: u64) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM payload WHERE idx = ?1")
        .bind(to_sql(index))
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// The numbers of what has signals of more than one sender, before this number, the last first.
pub(crate) async fn multiples(
    connection: &mut SqliteConnection,
    before: Option<u64>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT s.multiple FROM multiple_signal s JOIN message m ON m.idx = s.idx ",
        with_consent!("m", "c"),
        "WHERE s.multiple < ?2 AND ",
        stands!(),
        " GROUP BY s.multiple HAVING count(DISTINCT m.party) > 1 ORDER BY s.multiple DESC LIMIT ?3"
    ))
    .bind(time_to_sql(now))
    .bind(before.map_or(i64::MAX, to_sql))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// When it was made, and its signals with when they joined and the access of whoever joined them.
pub(crate) async fn multiple(
    connection: &mut SqliteConnection,
    number: u64,
    now: Timestamp,
) -> Result<Option<(Timestamp, Vec<Joining>)>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT g.made, s.idx, s.joined, s.access FROM multiple g JOIN multiple_signal s ON s.multiple = g.num \
         JOIN message m ON m.idx = s.idx ",
        with_consent!("m", "c"),
        "WHERE g.num = ?2 AND ",
        stands!(),
        " ORDER BY s.idx"
    ))
    .bind(time_to_sql(now))
    .bind(to_sql(number))
    .fetch_all(connection)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let made = time_from_sql(first.try_get(0)?)?;
    let joining = |row: &sqlx::sqlite::SqliteRow| {
        Ok::<_, StoreError>(Joining {
            index: from_sql(row.try_get(1)?)?,
            joined: time_from_sql(row.try_get(2)?)?,
            access: row.try_get::<Option<i64>, _>(3)?.map(from_sql).transpose()?,
        })
    };
    Ok(Some((made, rows.iter().map(joining).collect::<Result<_, _>>()?)))
}

/// The pairs of which a person must decide, before this one, the newest first: the older, the newer, the clues, and since when.
pub(crate) async fn suggestions(
    connection: &mut SqliteConnection,
    (before, now): (Option<(u64, u64)>, Timestamp),
    limit: usize,
) -> Result<Vec<(u64, u64, Clues, Timestamp)>, StoreError> {
    let (lower, higher) = before.map_or((i64::MAX, i64::MAX), |(one, other)| (to_sql(one), to_sql(other)));
    let rows = sqlx::query(concat!(
        "SELECT t.lower, t.higher, t.clues, t.made FROM signal_pair t \
         JOIN message m ON m.idx = t.lower JOIN message n ON n.idx = t.higher ",
        with_consent!("m", "c"),
        with_consent!("n", "d"),
        "LEFT JOIN multiple_signal a ON a.idx = t.lower LEFT JOIN multiple_signal b ON b.idx = t.higher \
         WHERE t.state = 0 AND (t.higher, t.lower) < (?3, ?4) AND (a.multiple IS NULL OR b.multiple IS NULL OR a.multiple <> b.multiple) AND \
         (d.num IS NULL OR (d.state = 0 AND d.reported IS NULL AND coalesce(d.valid_until > ?1, 1))) AND ",
        stands!(),
        " ORDER BY t.higher DESC, t.lower DESC LIMIT ?2"
    ))
    .bind(time_to_sql(now))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(higher)
    .bind(lower)
    .fetch_all(connection)
    .await?;
    let pair = |row: &sqlx::sqlite::SqliteRow| {
        let clues = u32::try_from(row.try_get::<i64, _>(2)?).map_err(|_| damaged("clues"))?;
        let (lower, higher) = (from_sql(row.try_get(0)?)?, from_sql(row.try_get(1)?)?);
        Ok((lower, higher, Clues::from_bits(clues), time_from_sql(row.try_get(3)?)?))
    };
    rows.iter().map(pair).collect()
}
