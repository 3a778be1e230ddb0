//! Erasing a case: the key of everything in it, and what still waits to be sent.

use exchange::oin::Oin;
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    column::{damaged, direction_to_sql, from_sql, state_to_sql, time_to_sql},
    committer::Writer,
    group::Group,
    names::{Missing, Names},
    subject,
};
use crate::{
    error::StoreError,
    model::{Direction, State},
    store::ERASED_REASON,
};

/// A case to erase.
pub(crate) struct Erasure {
    pub(crate) case: Uuid,
    pub(crate) now: Timestamp,
}

/// What came of it.
pub(crate) struct Erased {
    /// Whether there was anything to erase.
    pub(crate) anything: bool,
    /// The messages that waited, with who they were for.
    pub(crate) ended: Vec<(Oin, u64)>,
}

pub(super) fn missing_names(names: &Names, missing: &mut Missing<'_>) {
    missing.word(names, ERASED_REASON);
}

/// Erases a case. What is queued in the same transaction is written by now, and ends with the rest.
pub(super) async fn erase(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    Erasure { case, now }: &Erasure,
) -> Result<Erased, StoreError> {
    let key_erased = erase_key(connection, *case, *now).await?;
    let reason = writer.names.word(ERASED_REASON)?;
    // By the index of what waits: there is none on cases.
    let rows = sqlx::query(
        "UPDATE message SET state = ?2, reason = ?3, finished = ?4, queued = NULL WHERE idx IN \
         (SELECT idx FROM message INDEXED BY message_queue WHERE queued IS NOT NULL AND \"case\" = ?1) \
         RETURNING idx, party, (SELECT oin FROM party WHERE num = message.party)",
    )
    .bind(case.as_bytes().as_slice())
    .bind(state_to_sql(State::Undeliverable))
    .bind(reason)
    .bind(time_to_sql(*now))
    .fetch_all(connection)
    .await?;
    let outbound = direction_to_sql(Direction::Outbound);
    let mut ended = Vec::with_capacity(rows.len());
    for row in rows {
        let party = row.try_get(1)?;
        group.count((party, outbound, state_to_sql(State::Waiting), 0), -1);
        group.count((party, outbound, state_to_sql(State::Undeliverable), reason), 1);
        let to: Oin = row.try_get::<&str, _>(2)?.parse().map_err(|_| damaged("an OIN"))?;
        ended.push((to, from_sql(row.try_get(0)?)?));
    }
    Ok(Erased { anything: key_erased || !ended.is_empty(), ended })
}

async fn erase_key(
    connection: &mut SqliteConnection,
    case: Uuid,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // The old key is overwritten in its page, not only unlinked.
    sqlx::query("PRAGMA secure_delete = ON").fetch_all(&mut *connection).await?;
    let done = sqlx::query(
        "UPDATE case_key SET wrapped = NULL, erased = ?2 WHERE \"case\" = ?1 AND wrapped IS NOT NULL",
    )
    .bind(case.as_bytes().as_slice())
    .bind(time_to_sql(now))
    .execute(&mut *connection)
    .await?;
    // Whom it was about goes with it.
    let messages = subject::find_case(connection, case, usize::MAX).await?;
    subject::forget(connection, &messages).await?;
    sqlx::query("PRAGMA secure_delete = OFF").fetch_all(&mut *connection).await?;
    Ok(done.rows_affected() > 0)
}
