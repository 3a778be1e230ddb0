//! How far the records of processings were exported.

use std::collections::BTreeSet;

use exchange::digest::Digest;
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::column::{damaged, from_sql, time_from_sql, time_to_sql, to_sql};
use crate::{
    data_subject::{DataSubject, SubjectKind},
    error::StoreError,
    model::Exported,
};

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

/// The agreements and purposes under which there are messages that were not erased.
pub(crate) async fn held_under(
    connection: &mut SqliteConnection,
) -> Result<BTreeSet<(Digest, String)>, StoreError> {
    let rows = sqlx::query(
        "SELECT agreement.text, purpose.text FROM (SELECT DISTINCT m.agreement, m.purpose FROM payload p \
         JOIN message m ON m.idx = p.idx) held JOIN word agreement ON agreement.num = held.agreement \
         JOIN word purpose ON purpose.num = held.purpose",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let agreement = row.try_get::<&str, _>(0)?.parse().map_err(|_| damaged("a digest"))?;
            Ok((agreement, row.try_get(1)?))
        })
        .collect()
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
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() > 0 {
        forget_subjects(connection, next).await?;
    }
    Ok(done.rows_affected())
}

/// Keeps whom entries were about that this one says were erased.
pub(super) async fn keep_subjects(
    connection: &mut SqliteConnection,
    evidence: u64,
    subjects: impl Iterator<Item = (u64, &DataSubject)>,
) -> Result<(), StoreError> {
    for (index, subject) in subjects {
        sqlx::query(
            "INSERT OR REPLACE INTO erased_subject (idx, evidence, kind, id) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(to_sql(index))
        .bind(to_sql(evidence))
        .bind(subject.kind.as_str())
        .bind(&subject.id)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Whom an erased entry was about, while that is kept.
pub(crate) async fn erased_subject(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<Option<DataSubject>, StoreError> {
    let row = sqlx::query("SELECT kind, id FROM erased_subject WHERE idx = ?1")
        .bind(to_sql(index))
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let named: &str = row.try_get(0)?;
    let kind = SubjectKind::ALL.into_iter().find(|kind| kind.as_str() == named);
    Ok(Some(DataSubject { kind: kind.ok_or_else(|| damaged("a kind of person"))?, id: row.try_get(1)? }))
}

/// Forgets whom entries were about of which everything up to `next` was brought.
pub(super) async fn forget_subjects(connection: &mut SqliteConnection, next: u64) -> Result<u64, StoreError> {
    let gone = sqlx::query("DELETE FROM erased_subject WHERE evidence < ?1")
        .bind(to_sql(next))
        .execute(connection)
        .await?;
    Ok(gone.rows_affected())
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
