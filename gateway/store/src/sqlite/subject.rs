//! The tokens of residents: beside their message when it is stored, and sorted in runs afterwards.
//!
//! A run covers a fixed part of the log and is written at once, behind the previous one, when that part is complete.
//! So nothing is ever inserted in the middle of a table, whatever the tokens are. Looking somebody up costs one step
//! into each run, and a reading of the last messages, which stand in no run yet.

use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    column::{from_sql, state_to_sql, to_sql},
    read,
};
use crate::{error::StoreError, model::State, seal::Vault, subject::Tokens};

/// How many places of the log a run covers: writing one takes some milliseconds, during which nobody else writes, and
/// a log of ten million messages has two and a half thousand of them, which are looked through as quickly.
pub(crate) const RUN: u64 = 4096;

/// How far the lookup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many runs were written.
    pub(crate) runs: u64,
    /// Up to which place messages from before the lookup existed got their tokens.
    pub(crate) filled: u64,
    /// Up to which place they must.
    pub(crate) fill_to: u64,
    /// The size of the log.
    pub(crate) size: u64,
}

impl Progress {
    /// Whether every message can be found.
    pub(crate) const fn is_complete(self) -> bool {
        self.filled >= self.fill_to
    }

    /// Whether the next run can be written.
    pub(crate) const fn run_is_due(self) -> bool {
        self.is_complete() && (self.runs + 1) * RUN <= self.size
    }
}

/// What makes the tokens of this database its own.
pub(crate) async fn salt(connection: &mut SqliteConnection) -> Result<Vec<u8>, StoreError> {
    Ok(sqlx::query("SELECT salt FROM subject_state").fetch_one(connection).await?.try_get(0)?)
}

/// How far the lookup is.
pub(crate) async fn progress(connection: &mut SqliteConnection) -> Result<Progress, StoreError> {
    let row = sqlx::query("SELECT s.runs, s.filled, s.fill_to, l.size FROM subject_state s, log_state l")
        .fetch_one(connection)
        .await?;
    Ok(Progress {
        runs: from_sql(row.try_get(0)?)?,
        filled: from_sql(row.try_get(1)?)?,
        fill_to: from_sql(row.try_get(2)?)?,
        size: from_sql(row.try_get(3)?)?,
    })
}

/// The places of the messages from before the lookup existed that come next, of those that have content.
pub(crate) async fn to_fill(
    connection: &mut SqliteConnection,
    from: u64,
    to: u64,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query("SELECT idx FROM payload WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")
        .bind(to_sql(from))
        .bind(to_sql(to))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// Gives messages their tokens; from here on all up to `through` have theirs.
pub(super) async fn fill(
    connection: &mut SqliteConnection,
    vault: &Vault,
    tokens: &[(u64, Tokens)],
    through: u64,
) -> Result<u64, StoreError> {
    for (index, tokens) in tokens {
        // Not of what was erased meanwhile: its content is what they were made of.
        match read::payload(&mut *connection, vault, *index).await {
            Err(StoreError::Erased | StoreError::NotFound(_) | StoreError::Corrupt(_)) => continue,
            read => drop(read?),
        }
        sqlx::query("UPDATE message SET subject_bsn = ?2, subject_place = ?3 WHERE idx = ?1")
            .bind(to_sql(*index))
            .bind(tokens.bsn.map(Vec::from))
            .bind(tokens.place.map(Vec::from))
            .execute(&mut *connection)
            .await?;
    }
    let done = sqlx::query("UPDATE subject_state SET filled = max(filled, ?1)")
        .bind(to_sql(through))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Writes run number `run`, unless another process did.
pub(super) async fn write_run(connection: &mut SqliteConnection, run: u64) -> Result<u64, StoreError> {
    let taken = sqlx::query("UPDATE subject_state SET runs = runs + 1 WHERE runs = ?1 AND filled >= fill_to")
        .bind(to_sql(run))
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if taken == 0 {
        return Ok(0);
    }
    // By token, so that the table grows at its end.
    sqlx::query(
        "INSERT INTO subject (run, token, idx) SELECT ?1, token, idx FROM (\
         SELECT subject_bsn AS token, idx FROM message WHERE idx >= ?2 AND idx < ?3 \
         UNION ALL SELECT subject_place, idx FROM message WHERE idx >= ?2 AND idx < ?3 \
         UNION ALL SELECT substr(\"case\", 9, 8), idx FROM message WHERE idx >= ?2 AND idx < ?3) \
         WHERE token IS NOT NULL ORDER BY token, idx",
    )
    .bind(to_sql(run))
    .bind(to_sql(run * RUN))
    .bind(to_sql((run + 1) * RUN))
    .execute(connection)
    .await?;
    Ok(taken)
}

/// A query with the numbers of all runs (`run`), and how many there are (`done`), before this.
macro_rules! over_runs {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE done(runs) AS (SELECT runs FROM subject_state), run(num) AS (SELECT 0 FROM done WHERE runs > 0 ",
            "UNION ALL SELECT num + 1 FROM run, done WHERE num + 1 < runs)",
            $rest
        )
    };
}

/// The messages that have one of these tokens, the newest first, at most `limit`.
pub(crate) async fn find(
    connection: &mut SqliteConnection,
    tokens: Tokens,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(over_runs!(
        " \
         SELECT s.idx FROM run CROSS JOIN subject s ON s.run = run.num AND s.token IN (?1, ?2) \
         UNION SELECT idx FROM message WHERE idx >= (SELECT runs FROM done) * ?3 \
         AND (subject_bsn = ?1 OR subject_place = ?2) ORDER BY 1 DESC LIMIT ?4"
    ))
    .bind(tokens.bsn.map(Vec::from))
    .bind(tokens.place.map(Vec::from))
    .bind(to_sql(RUN))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The messages of a case, the newest first, at most `limit`.
pub(crate) async fn find_case(
    connection: &mut SqliteConnection,
    case: Uuid,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    // A partner chooses the identifiers of its cases: that half of one is the same says nothing yet.
    let rows = sqlx::query(over_runs!(
        " \
         SELECT m.idx FROM run CROSS JOIN subject s ON s.run = run.num AND s.token = substr(?1, 9, 8) \
         CROSS JOIN message m ON m.idx = s.idx AND m.\"case\" = ?1 \
         UNION SELECT idx FROM message WHERE idx >= (SELECT runs FROM done) * ?2 AND \"case\" = ?1 \
         ORDER BY 1 DESC LIMIT ?3"
    ))
    .bind(case.as_bytes().as_slice())
    .bind(to_sql(RUN))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The messages of a case that name somebody and were not turned down, the oldest first, at most `limit`.
pub(crate) async fn first_of_case(
    connection: &mut SqliteConnection,
    case: Uuid,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    // As above: half of a case in the runs, the whole of it in the message.
    let rows = sqlx::query(
        over_runs!(", \
         of_case(idx) AS (SELECT s.idx FROM run CROSS JOIN subject s ON s.run = run.num AND s.token = substr(?1, 9, 8) \
         UNION SELECT idx FROM message WHERE idx >= (SELECT runs FROM done) * ?2 AND \"case\" = ?1) \
         SELECT m.idx FROM of_case CROSS JOIN message m ON m.idx = of_case.idx AND m.\"case\" = ?1 \
         WHERE (m.subject_bsn IS NOT NULL OR m.subject_place IS NOT NULL) AND m.state IN (?3, ?4) \
         ORDER BY m.idx LIMIT ?5"),
    )
    .bind(case.as_bytes().as_slice())
    .bind(to_sql(RUN))
    .bind(state_to_sql(State::Waiting))
    .bind(state_to_sql(State::Admitted))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// Forgets whom these messages were about. For whoever erases them, in the same transaction.
pub(super) async fn forget(connection: &mut SqliteConnection, indexes: &[u64]) -> Result<(), StoreError> {
    for index in indexes {
        sqlx::query(
            "DELETE FROM subject WHERE run = ?1 / ?2 AND idx = ?1 AND token IN \
             (SELECT subject_bsn FROM message WHERE idx = ?1 UNION SELECT subject_place FROM message WHERE idx = ?1)",
        )
        .bind(to_sql(*index))
        .bind(to_sql(RUN))
        .execute(&mut *connection)
        .await?;
        sqlx::query("UPDATE message SET subject_bsn = NULL, subject_place = NULL WHERE idx = ?1")
            .bind(to_sql(*index))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
