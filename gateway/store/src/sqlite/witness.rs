//! Checkpoints that were cosigned, and alarms.

use exchange::{oin::Oin, tlog::Leaf};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{damaged, from_sql, time_from_sql, time_to_sql, to_sql},
    committer::Writer,
    group::Group,
    names::{Missing, Names},
};
use crate::{
    error::StoreError,
    model::{CosignedCheckpoint, RaisedAlarm},
};

/// Checkpoints that are kept of one witness and log.
const MOST_COSIGNED: i64 = 48;

/// Alarms that are kept of one log: a log that contradicts itself so often is not believed anyway.
const MOST_ALARMS: i64 = 16;

/// What one reading gives at most: every checkpoint that is kept of a log, for a hundred witnesses.
const MOST_READ: i64 = 100 * MOST_COSIGNED;

pub(super) fn missing_names<'o>(
    checkpoint: &'o CosignedCheckpoint,
    names: &Names,
    missing: &mut Missing<'o>,
) {
    missing.party(names, checkpoint.log);
    missing.party(names, checkpoint.witness);
}

/// Keeps a checkpoint. When there are too many of its kind one goes: the one that leaves the smallest gap, for how far
/// it lies back. So the latest stand close together, and of long ago there are few.
pub(super) async fn put_cosigned(
    connection: &mut SqliteConnection,
    names: &Names,
    checkpoint: &CosignedCheckpoint,
) -> Result<u64, StoreError> {
    let (log, witness) = (names.party(checkpoint.log)?, names.party(checkpoint.witness)?);
    let done = sqlx::query(
        "INSERT INTO cosigned (log, witness, key, size, note, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (log, witness, key, size) DO UPDATE SET note = excluded.note, at = excluded.at \
         WHERE excluded.at > at",
    )
    .bind(log)
    .bind(witness)
    .bind(checkpoint.key.as_str())
    .bind(to_sql(checkpoint.size))
    .bind(checkpoint.note.as_str())
    .bind(time_to_sql(checkpoint.at))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM cosigned WHERE log = ?1 AND witness = ?2 AND key = ?3 AND size = (SELECT size FROM \
         (SELECT size, lag(size, 1, 0) OVER w AS before, lead(size) OVER w AS after, max(size) OVER () AS last, \
         count(*) OVER () AS many FROM cosigned WHERE log = ?1 AND witness = ?2 AND key = ?3 \
         WINDOW w AS (ORDER BY size)) WHERE many > ?4 AND after IS NOT NULL \
         ORDER BY CAST(after - before AS REAL) / (last - before) LIMIT 1)",
    )
    .bind(log)
    .bind(witness)
    .bind(checkpoint.key.as_str())
    .bind(MOST_COSIGNED)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// The checkpoints of a log that were cosigned, the smallest first.
pub(crate) async fn cosigned(
    connection: &mut SqliteConnection,
    log: Oin,
    witness: Option<Oin>,
) -> Result<Vec<CosignedCheckpoint>, StoreError> {
    let rows = sqlx::query(
        "SELECT log.oin, witness.oin, c.key, c.size, c.note, c.at FROM cosigned c \
         JOIN party log ON log.num = c.log JOIN party witness ON witness.num = c.witness \
         WHERE log.oin = ?1 AND (?2 IS NULL OR witness.oin = ?2) ORDER BY c.size, witness.oin LIMIT ?3",
    )
    .bind(log.as_str())
    .bind(witness.as_ref().map(Oin::as_str))
    .bind(MOST_READ)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(CosignedCheckpoint {
                log: oin(row, 0)?,
                witness: oin(row, 1)?,
                key: row.try_get(2)?,
                size: from_sql(row.try_get(3)?)?,
                note: row.try_get(4)?,
                at: time_from_sql(row.try_get(5)?)?,
            })
        })
        .collect()
}

/// Logs an alarm and keeps it. Not one that is known already, nor one too many; says whether it did.
pub(super) async fn raise(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (alarm, leaf): (&RaisedAlarm, &Leaf),
) -> Result<bool, StoreError> {
    let log = writer.names.party(alarm.log)?;
    let known = sqlx::query(
        "SELECT count(*), coalesce(sum(key = ?2 AND kept_size = ?3 AND kind = ?4), 0) FROM alarm WHERE log = ?1",
    )
    .bind(log)
    .bind(alarm.key.as_str())
    .bind(to_sql(alarm.kept_size))
    .bind(alarm.kind.as_str())
    .fetch_one(&mut *connection)
    .await?;
    if known.try_get::<i64, _>(0)? >= MOST_ALARMS || known.try_get::<i64, _>(1)? > 0 {
        return Ok(false);
    }
    let index = group.log(&mut writer.edge, leaf);
    // The alarm refers to its entry.
    group.write_entries(connection).await?;
    sqlx::query(
        "INSERT INTO alarm (idx, log, key, kept_size, kind, evidence, noticed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(to_sql(index))
    .bind(log)
    .bind(alarm.key.as_str())
    .bind(to_sql(alarm.kept_size))
    .bind(alarm.kind.as_str())
    .bind(alarm.evidence.as_str())
    .bind(time_to_sql(alarm.noticed))
    .execute(connection)
    .await?;
    Ok(true)
}

/// Every alarm, in the order of the log.
pub(crate) async fn alarms(connection: &mut SqliteConnection) -> Result<Vec<(u64, RaisedAlarm)>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.idx, party.oin, a.key, a.kept_size, a.kind, a.evidence, a.noticed FROM alarm a \
         JOIN party ON party.num = a.log ORDER BY a.idx LIMIT ?1",
    )
    .bind(MOST_READ)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let alarm = RaisedAlarm {
                log: oin(row, 1)?,
                key: row.try_get(2)?,
                kept_size: from_sql(row.try_get(3)?)?,
                kind: row.try_get(4)?,
                evidence: row.try_get(5)?,
                noticed: time_from_sql(row.try_get(6)?)?,
            };
            Ok((from_sql(row.try_get(0)?)?, alarm))
        })
        .collect()
}

fn oin(row: &SqliteRow, column: usize) -> Result<Oin, StoreError> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| damaged("an OIN"))
}
