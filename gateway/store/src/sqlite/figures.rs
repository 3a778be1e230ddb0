//! Counting: columns of messages, in the order of the log.

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::column::{damaged, direction_from_sql, from_sql, state_from_sql, time_from_sql, to_sql, uuid};
use crate::{error::StoreError, figures::Moved};

pub(crate) async fn moved(
    connection: &mut SqliteConnection,
    from: u64,
    limit: usize,
) -> Result<(Vec<Moved>, Option<u64>), StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx, m.direction, party.oin, purpose.text, type.text, m.\"case\", m.state, \
         iif(m.direction = 1, coalesce(m.finished, m.created), m.created), t.respond_before, t.met FROM message m \
         LEFT JOIN signal_term t ON t.idx = m.idx \
         JOIN party ON party.num = m.party LEFT JOIN word purpose ON purpose.num = m.purpose \
         LEFT JOIN word type ON type.num = m.type WHERE m.idx >= ?1 ORDER BY m.idx LIMIT ?2",
    )
    .bind(to_sql(from))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let last: Option<u64> = rows.last().map(|row| from_sql(row.try_get(0)?)).transpose()?;
    let next = last.filter(|_| rows.len() >= limit).map(|last| last + 1);
    Ok((rows.iter().map(of_row).collect::<Result<_, _>>()?, next))
}

fn of_row(row: &SqliteRow) -> Result<Moved, StoreError> {
    Ok(Moved {
        direction: direction_from_sql(row.try_get(1)?)?,
        partner: row.try_get::<&str, _>(2)?.parse().map_err(|_| damaged("an OIN"))?,
        purpose: row.try_get(3)?,
        message_type: row.try_get(4)?,
        case: row.try_get::<Option<&[u8]>, _>(5)?.map(uuid).transpose()?,
        state: state_from_sql(row.try_get(6)?)?,
        at: time_from_sql(row.try_get(7)?)?,
        term: term(row)?,
    })
}

fn term(row: &SqliteRow) -> Result<Option<(Timestamp, Option<Timestamp>)>, StoreError> {
    let time = |column| row.try_get::<Option<i64>, _>(column)?.map(time_from_sql).transpose();
    Ok(match time(8)? {
        Some(end) => Some((end, time(9)?)),
        None => None,
    })
}
