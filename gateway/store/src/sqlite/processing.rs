//! How far the records of processings were exported.

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::column::{from_sql, time_from_sql, time_to_sql, to_sql};
use crate::{error::StoreError, model::Exported};

pub(crate) async fn state(connection: &mut SqliteConnection) -> Result<Exported, StoreError> {
    let row = sqlx::query(
        "SELECT next, records, rejected, last_success, last_failure, failure, failures FROM export",
    )
    .fetch_one(connection)
    .await?;
    let time = |column| row.try_get::<Option<i64>, _>(column)?.map(time_from_sql).transpose();
    Ok(Exported {
        next: from_sql(row.try_get(0)?)?,
        records: from_sql(row.try_get(1)?)?,
        rejected: from_sql(row.try_get(2)?)?,
        last_success: time(3)?,
        last_failure: time(4)?,
        failure: row.try_get(5)?,
        failures: u32::try_from(row.try_get::<i64, _>(6)?).unwrap_or(u32::MAX),
    })
}

/// Moves on, from where it was: what another process moved meanwhile stays where that put it.
pub(super) async fn exported(
    connection: &mut SqliteConnection,
    (from, next): (u64, u64),
    (records, rejected): (u64, u64),
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE export SET next = ?2, records = records + ?3, rejected = rejected + ?4, \
         last_success = CASE WHEN ?3 > 0 THEN ?5 ELSE last_success END, \
         failure = CASE WHEN ?3 > 0 THEN NULL ELSE failure END, \
         failures = CASE WHEN ?3 > 0 THEN 0 ELSE failures END WHERE next = ?1",
    )
    .bind(to_sql(from))
    .bind(to_sql(next))
    .bind(to_sql(records))
    .bind(to_sql(rejected))
    .bind(time_to_sql(now))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn failed(
    connection: &mut SqliteConnection,
    reason: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query("UPDATE export SET last_failure = ?1, failure = ?2, failures = failures + 1")
        .bind(time_to_sql(now))
        .bind(reason)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
