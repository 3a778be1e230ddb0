//! What was sent and did not arrive.

use exchange::oin::Oin;
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::{damaged, direction_to_sql, from_sql, state_to_sql, time_from_sql, time_to_sql, to_sql},
    group::{Group, Kind},
    handover,
    names::Names,
    read::{message_row, message_rows},
};
use crate::{
    error::StoreError,
    model::{Direction, State},
    undelivered::{GivenUp, Pending, Queue, Undelivered, UndeliveredRows},
};

/// How many messages one listing looks at: what is rare among them does not keep a reader for long.
const MAX_LOOKED_AT: i64 = 20_000;

/// A message that is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resignation {
    pub(crate) index: u64,
    pub(crate) why: GivenUp,
    pub(crate) now: Timestamp,
}

/// The places of what waits (?3 is 0), or of what ended in the state ?3, after a place.
macro_rules! places {
    () => {
        "SELECT idx FROM (SELECT idx FROM message INDEXED BY message_queue \
         WHERE queued IS NOT NULL AND ?3 = 0 AND idx > ?2 \
         AND (?1 IS NULL OR party = (SELECT num FROM party WHERE oin = ?1)) \
         UNION ALL SELECT idx FROM message INDEXED BY message_stuck \
         WHERE state >= 2 AND state = ?3 AND direction = 0 AND idx > ?2 \
         AND (?1 IS NULL OR party = (SELECT num FROM party WHERE oin = ?1))) ORDER BY idx LIMIT ?4"
    };
}

pub(crate) async fn list(
    connection: &mut SqliteConnection,
    which: &Undelivered,
) -> Result<UndeliveredRows, StoreError> {
    let partner = which.partner.map(|oin| oin.as_str().to_owned());
    let after = which.after.map_or(-1, to_sql);
    let state = state_to_sql(match which.pending {
        Pending::Waiting => State::Waiting,
        Pending::Refused => State::Refused,
        Pending::Undeliverable | Pending::GivenUp => State::Undeliverable,
    });
    let looked_at = sqlx::query(concat!("SELECT count(*), max(idx) FROM (", places!(), ")"))
        .bind(partner.as_deref())
        .bind(after)
        .bind(state)
        .bind(MAX_LOOKED_AT)
        .fetch_one(&mut *connection)
        .await?;
    let is_all = looked_at.try_get::<i64, _>(0)? < MAX_LOOKED_AT;
    let through = looked_at.try_get::<Option<i64>, _>(1)?.map(from_sql).transpose()?;
    let rows = sqlx::query(message_rows!(
        "WHERE m.idx IN (",
        places!(),
        ") AND m.replaced = 0 AND (?5 IS NULL OR purpose.text = ?5) AND (?6 IS NULL OR m.created >= ?6) \
         AND (m.state <> 3 OR ?7 = (coalesce(reason.text, '') GLOB ?8)) ORDER BY m.idx LIMIT ?9"
    ))
    .bind(partner)
    .bind(after)
    .bind(state)
    .bind(MAX_LOOKED_AT)
    .bind(which.purpose.as_deref())
    .bind(which.since.map(time_to_sql))
    .bind(i64::from(which.pending == Pending::GivenUp))
    .bind(given_up())
    .bind(i64::try_from(which.limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let rows = rows.iter().map(message_row).collect::<Result<Vec<_>, _>>()?;
    let more_after = if rows.len() >= which.limit {
        rows.last().map(|last| last.index)
    } else {
        through.filter(|_| !is_all)
    };
    Ok(UndeliveredRows { rows, more_after })
}

/// What the reasons of everything that was given up look like.
pub(super) fn given_up() -> String {
    format!("{}*", GivenUp::PREFIX)
}

pub(crate) async fn queues(
    connection: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<Queue>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, tally.count, (SELECT min(m.created) FROM message m WHERE m.idx IN ( \
         (SELECT q.idx FROM message q INDEXED BY message_queue WHERE q.party = tally.party AND q.priority = 0 \
         AND q.queued IS NOT NULL ORDER BY q.queued, q.idx LIMIT 1), \
         (SELECT q.idx FROM message q INDEXED BY message_queue WHERE q.party = tally.party AND q.priority = 1 \
         AND q.queued IS NOT NULL ORDER BY q.queued, q.idx LIMIT 1))) AS oldest \
         FROM tally JOIN party ON party.num = tally.party \
         WHERE tally.direction = 0 AND tally.state = 0 AND tally.reason = 0 AND tally.count > 0 \
         ORDER BY oldest, party.oin LIMIT ?1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Queue {
                to: row.try_get::<&str, _>(0)?.parse::<Oin>().map_err(|_| damaged("an OIN"))?,
                waiting: from_sql(row.try_get(1)?)?,
                oldest: time_from_sql(row.try_get(2)?)?,
            })
        })
        .collect()
}

/// Gives a message up. What it did in a handover is to be looked at again.
pub(super) async fn resign(
    names: &Names,
    connection: &mut SqliteConnection,
    group: &mut Group,
    Resignation { index, why, now }: Resignation,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT m.party, m.state, m.reason FROM message m LEFT JOIN word reason ON reason.num = m.reason \
         WHERE m.idx = ?1 AND m.direction = 0 AND m.replaced = 0 \
         AND (m.state = 0 OR (m.state = 3 AND NOT coalesce(reason.text, '') GLOB ?2))",
    )
    .bind(to_sql(index))
    .bind(given_up())
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(StoreError::NotFound("message that waits or was not delivered"))?;
    let (party, outbound) = (row.try_get(0)?, direction_to_sql(Direction::Outbound));
    let (reason, undeliverable) = (names.word(why.code())?, state_to_sql(State::Undeliverable));
    let from: Kind =
        (party, outbound, row.try_get(1)?, row.try_get::<Option<i64>, _>(2)?.unwrap_or_default());
    group.count(from, -1);
    group.count((party, outbound, undeliverable, reason), 1);
    let done = sqlx::query(
        "UPDATE message SET state = ?2, reason = ?3, finished = ?4, queued = NULL WHERE idx = ?1",
    )
    .bind(to_sql(index))
    .bind(undeliverable)
    .bind(reason)
    .bind(time_to_sql(now))
    .execute(&mut *connection)
    .await?;
    handover::reopen(connection, &[index]).await?;
    Ok(done.rows_affected())
}
