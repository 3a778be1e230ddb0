//! Reading the whole log and what belongs to it, as it lies there: for who checks it, and so believing nothing.

use exchange::{
    digest::Digest,
    oin::Oin,
    tlog::{Hash, Leaf},
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{damaged, digest, direction_from_sql, from_sql, state_from_sql, to_sql, uuid},
    tree::{Head, roots_from_bytes},
    verify_handover::Opened,
};
use crate::{
    error::StoreError,
    model::{Direction, State},
    seal::{SealedPayload, Vault},
};

/// How far the log says that it is: what is checked, and not to be believed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogHead {
    /// The number of leaves.
    pub(crate) size: u64,
    /// The roots of the perfect subtrees, largest first.
    pub(crate) roots: Vec<Hash>,
}

/// An entry of the log with what is stored under its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedEntry {
    /// Its place.
    pub(crate) index: u64,
    /// The leaf.
    pub(crate) leaf: Leaf,
    /// The message.
    pub(crate) message: LoggedMessage,
}

/// Which message is stored with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoggedMessage {
    /// None.
    None,
    /// This one.
    Is(MessageAsStored),
    /// One that cannot be read.
    Damaged,
}

/// What is stored of a message and can be held against the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageAsStored {
    pub(crate) direction: Direction,
    pub(crate) digest: Digest,
    pub(crate) state: State,
    /// Why, of what was refused.
    pub(crate) reason: Option<String>,
    /// From or to whom.
    pub(crate) partner: String,
    /// Where the log says that it was erased.
    pub(crate) erased: Option<u64>,
    /// Whether its content is there.
    pub(crate) kept: bool,
    /// Whether the receipt that it names is there.
    pub(crate) receipted: bool,
}

/// What is wrong with the content of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentFault {
    /// It is not there, and was not erased.
    Missing,
    /// It does not open.
    Unreadable,
    /// Its key was destroyed, and nothing says that it was erased.
    KeyGone,
    /// It is another message.
    Other,
    /// What is stored that it does in a handover is something else.
    Step,
}

/// How far the log says that it is.
pub(crate) async fn head(connection: &mut SqliteConnection) -> Result<LogHead, StoreError> {
    let Head { size, roots } = Head::read(connection).await?;
    Ok(LogHead { size, roots: roots_from_bytes(&roots)? })
}

/// The checkpoint that was asked for last, with the size it was kept under.
pub(crate) async fn last_checkpoint(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT checkpoint FROM log_state").fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}

/// Leaves from `from` on and below `to`, with the message that is stored under the same index.
pub(crate) async fn entries(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
    limit: usize,
) -> Result<Vec<LoggedEntry>, StoreError> {
    // Each column of a row is copied, so what is small goes in one.
    let rows = sqlx::query(
        "SELECT l.idx, l.leaf, iif(m.idx IS NULL, NULL, iif(m.direction IN (0, 1) AND m.state BETWEEN 0 AND 3, \
         m.direction + 2 * (p.idx IS NOT NULL) + 4 * (r.num IS NOT NULL) + 8 * m.state, -1)), \
         m.digest, iif(m.state = 2, word.text, NULL), party.oin, m.erased FROM log_leaf l LEFT JOIN message m ON m.idx = l.idx \
         LEFT JOIN party ON party.num = m.party LEFT JOIN word ON word.num = m.reason \
         LEFT JOIN payload p ON p.idx = m.idx AND NOT (m.direction = 1 AND m.state = 2) LEFT JOIN receipt r ON r.num = m.receipt \
         WHERE l.idx >= ?1 AND l.idx < ?2 ORDER BY l.idx LIMIT ?3",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let packed: Option<i64> = row.try_get(2)?;
            // What is damaged is not the same as what the log says: that is for the caller to find, entry by entry.
            let message = match packed {
                None => LoggedMessage::None,
                Some(packed) => message(packed, row).map_or(LoggedMessage::Damaged, LoggedMessage::Is),
            };
            Ok(LoggedEntry { index: from_sql(row.try_get(0)?)?, leaf: Leaf::new(row.try_get(1)?), message })
        })
        .collect()
}

fn message(packed: i64, row: &SqliteRow) -> Result<MessageAsStored, StoreError> {
    if packed < 0 {
        return Err(damaged("a message"));
    }
    Ok(MessageAsStored {
        direction: direction_from_sql(packed & 1)?,
        kept: packed & 2 != 0,
        receipted: packed & 4 != 0,
        state: state_from_sql(packed >> 3)?,
        digest: digest(row.try_get(3)?)?,
        reason: row.try_get(4)?,
        partner: row.try_get(5)?,
        erased: row.try_get::<Option<i64>, _>(6)?.map(from_sql).transpose()?,
    })
}

/// The hashes of a tile: nodes of level 8 × `row`, from 256 × `index` on. None when there is no such tile.
pub(crate) async fn tile(
    connection: &mut SqliteConnection,
    (row, index): (u8, u64),
) -> Result<Option<Vec<Hash>>, StoreError> {
    let found = sqlx::query("SELECT hashes FROM log_tile WHERE num = ?1")
        .bind(to_sql(super::tree::tile_number(row, index)))
        .fetch_optional(connection)
        .await?;
    found.map(|found| roots_from_bytes(found.try_get(0)?)).transpose()
}

/// The first of what stands where the log does not reach.
pub(crate) async fn stray(connection: &mut SqliteConnection) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query(
        "SELECT min(idx) FROM (SELECT min(idx) AS idx FROM log_leaf WHERE idx >= (SELECT size FROM log_state) \
         UNION ALL SELECT min(idx) FROM message WHERE idx >= (SELECT size FROM log_state) \
         UNION ALL SELECT min(idx) FROM access WHERE idx >= (SELECT size FROM log_state) \
         UNION ALL SELECT min(idx) FROM consent_record WHERE idx >= (SELECT size FROM log_state))",
    )
    .fetch_one(connection)
    .await?;
    row.try_get::<Option<i64>, _>(0)?.map(from_sql).transpose()
}

/// The first message from `from` on and below `to` whose content is not the one of its digest, and what is wrong.
pub(crate) async fn contents(
    connection: &mut SqliteConnection,
    vault: &Vault,
    (from, to): (u64, u64),
    (me, steps_since): (Oin, u64),
) -> Result<Option<(u64, ContentFault)>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx, m.direction, m.state, m.\"case\", m.digest, k.wrapped, p.sealed, k.erased, p.form, m.erased, \
         h.step, party.oin FROM message m LEFT JOIN party ON party.num = m.party \
         LEFT JOIN handover_step h ON h.\"case\" = m.\"case\" AND h.idx = m.idx \
         LEFT JOIN payload p ON p.idx = m.idx LEFT JOIN case_key k ON k.\"case\" = m.\"case\" \
         WHERE m.idx >= ?1 AND m.idx < ?2 ORDER BY m.idx",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let refused = direction_from_sql(row.try_get(1)?)? == Direction::Inbound
            && state_from_sql(row.try_get(2)?)? == State::Refused;
        let case_erased = row.try_get::<Option<i64>, _>(7)?.is_some();
        let erased = row.try_get::<Option<i64>, _>(9)?.is_some();
        let fault = match row.try_get::<Option<&[u8]>, _>(6)? {
            // What was refused here is not kept, and what was erased is not there any more.
            None if refused || erased => None,
            None => Some(ContentFault::Missing),
            Some(sealed) => {
                let digest = digest(row.try_get(4)?)?;
                let payload = SealedPayload {
                    index: from_sql(row.try_get(0)?)?,
                    case: uuid(row.try_get(3)?)?,
                    digest,
                    sealed,
                    form: row.try_get(8)?,
                    wrapped: row.try_get(5)?,
                    case_erased,
                };
                let opened = vault.open_payload(&payload);
                let has_its_step = opened.as_deref().map_or(Ok(true), |jws| {
                    let (step, partner) = (row.try_get(10)?, row.try_get(11)?);
                    let direction = direction_from_sql(row.try_get(1)?)?;
                    let opened = Opened { index: payload.index, jws, direction, partner, step };
                    Ok::<_, StoreError>(opened.has_its_step(me, steps_since))
                })?;
                content(opened, &digest, case_erased)?.or((!has_its_step).then_some(ContentFault::Step))
            }
        };
        if let Some(fault) = fault {
            return Ok(Some((from_sql(row.try_get(0)?)?, fault)));
        }
    }
    Ok(None)
}

fn content(
    opened: Result<String, StoreError>,
    digest: &Digest,
    case_erased: bool,
) -> Result<Option<ContentFault>, StoreError> {
    match opened {
        Ok(jws) if Digest::of(jws.as_bytes()) == *digest => Ok(None),
        Ok(_) => Ok(Some(ContentFault::Other)),
        // An earlier version erased cases by their key alone.
        Err(StoreError::Erased) if case_erased => Ok(None),
        Err(StoreError::Erased) => Ok(Some(ContentFault::KeyGone)),
        Err(StoreError::Corrupt(_)) => Ok(Some(ContentFault::Unreadable)),
        Err(error) => Err(error),
    }
}
