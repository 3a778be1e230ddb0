//! Reading the whole log and what belongs to it, as it lies there: for who checks it, and so believing nothing.

use exchange::{
    digest::Digest,
    tlog::{Hash, Leaf},
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    column::{damaged, digest, direction_from_sql, from_sql, state_from_sql, to_sql, uuid},
    tree::{Head, roots_from_bytes},
};
use crate::{
    error::StoreError,
    model::{Direction, State},
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
    /// Whether there is content.
    pub(crate) kept: bool,
}

/// Which message is stored with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoggedMessage {
    /// None.
    None,
    /// This one.
    Is(Box<MessageAsStored>),
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
    pub(crate) id: Option<Uuid>,
    /// When it was made to be sent, or came in.
    pub(crate) at: Option<i64>,
    /// The numbers of the words for its agreement and its purpose.
    pub(crate) agreement: Option<i64>,
    pub(crate) purpose: Option<i64>,
    pub(crate) keep_until: Option<i64>,
    /// The number of the consent that it rests on.
    pub(crate) consent: Option<i64>,
    pub(crate) released: bool,
    /// Whether there is something in the row that only what was kept has.
    pub(crate) described: bool,
    /// Whether its resident can be looked up.
    pub(crate) findable: bool,
    /// Where the log says that it was erased.
    pub(crate) erased: Option<u64>,
    /// The receipt that it names.
    pub(crate) receipt: Option<i64>,
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
        "SELECT l.idx, l.leaf, (p.idx IS NOT NULL) + 2 * CASE WHEN m.idx IS NULL THEN 0 \
         WHEN m.direction IN (0, 1) AND m.state BETWEEN 0 AND 3 THEN 1 + m.direction + 2 * (m.released IS NOT NULL) + 4 * (coalesce(m.subject_bsn, m.subject_place) IS NOT NULL) \
         + 8 * (coalesce(m.type, m.\"case\", m.expires, m.desk, nullif(m.bytes, 0), m.priority) IS NOT NULL) \
         + 16 * m.state ELSE -1 END, \
         m.digest, iif(m.state = 2, word.text, NULL), party.oin, m.erased, m.receipt, m.id, \
         iif(m.direction = 1, m.finished, m.created), m.agreement, m.purpose, m.keep_until, m.consent \
         FROM log_leaf l LEFT JOIN message m ON m.idx = l.idx \
         LEFT JOIN party ON party.num = m.party LEFT JOIN word ON word.num = m.reason \
         LEFT JOIN payload p ON p.idx = l.idx \
         WHERE l.idx >= ?1 AND l.idx < ?2 ORDER BY l.idx LIMIT ?3",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let packed: i64 = row.try_get(2)?;
            // What is damaged is not the same as what the log says: that is for the caller to find, entry by entry.
            let message = match packed >> 1 {
                0 => LoggedMessage::None,
                packed => message(packed, row)
                    .map_or(LoggedMessage::Damaged, |one| LoggedMessage::Is(Box::new(one))),
            };
            let (index, leaf) = (from_sql(row.try_get(0)?)?, Leaf::new(row.try_get(1)?));
            Ok(LoggedEntry { index, leaf, message, kept: packed & 1 != 0 })
        })
        .collect()
}

fn message(packed: i64, row: &SqliteRow) -> Result<MessageAsStored, StoreError> {
    let Some(packed) = packed.checked_sub(1).filter(|packed| *packed >= 0) else {
        return Err(damaged("a message"));
    };
    Ok(MessageAsStored {
        direction: direction_from_sql(packed & 1)?,
        released: packed & 2 != 0,
        findable: packed & 4 != 0,
        described: packed & 8 != 0,
        state: state_from_sql(packed >> 4)?,
        digest: digest(row.try_get(3)?)?,
        reason: row.try_get(4)?,
        partner: row.try_get(5)?,
        erased: row.try_get::<Option<i64>, _>(6)?.map(from_sql).transpose()?,
        receipt: row.try_get(7)?,
        id: row.try_get::<Option<&[u8]>, _>(8)?.map(uuid).transpose()?,
        at: row.try_get(9)?,
        agreement: row.try_get(10)?,
        purpose: row.try_get(11)?,
        keep_until: row.try_get(12)?,
        consent: row.try_get(13)?,
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
         UNION ALL SELECT min(idx) FROM payload WHERE idx >= (SELECT size FROM log_state) \
         UNION ALL SELECT min(idx) FROM access WHERE idx >= (SELECT size FROM log_state) \
         UNION ALL SELECT min(idx) FROM consent_record WHERE idx >= (SELECT size FROM log_state))",
    )
    .fetch_one(connection)
    .await?;
    row.try_get::<Option<i64>, _>(0)?.map(from_sql).transpose()
}
