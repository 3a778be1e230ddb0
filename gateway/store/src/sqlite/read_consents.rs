//! Reading about consents.

use exchange::{
    consent::{ConsentKey, WhatWasDone},
    digest::Digest,
    oin::Oin,
};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    column::{damaged, from_sql, state_from_sql, time_from_sql, time_to_sql, to_sql, uuid},
    consent::{consent_state, open_record},
};
use crate::{
    consents::{ConsentNotice, ConsentRow, NoticeMessage, StoredRecord, Untold},
    error::StoreError,
    model::State,
    seal::Vault,
    subject::Tokens,
};

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// What every reading of consents selects.
macro_rules! consent_rows {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, party.oin, c.extract, c.valid_until, c.state, c.ended, c.statement, c.told_by, c.reported, \
             c.to_do IS NOT NULL, c.kept, c.withdrawn, c.reported_by, (SELECT state FROM message WHERE idx = c.reported_by) \
             FROM consent c JOIN party ON party.num = c.holder ",
            $rest
        )
    };
}

fn consent_row(row: &SqliteRow) -> Result<ConsentRow, StoreError> {
    let holder = oin(row, 1)?;
    Ok(ConsentRow {
        key: ConsentKey { holder, id: uuid(row.try_get(0)?)? },
        extract: row.try_get(2)?,
        valid_until: time(row, 3)?,
        state: consent_state(row.try_get(4)?)?,
        ended: time(row, 5)?,
        statement: row.try_get(6)?,
        told_by: row.try_get::<Option<i64>, _>(7)?.map(from_sql).transpose()?,
        reported: time(row, 8)?,
        to_do: row.try_get(9)?,
        kept: row.try_get::<Option<&str>, _>(10)?.and_then(|kept| serde_json::from_str(kept).ok()),
        withdrawn: time(row, 11)?,
        reported_by: reported_by(row)?,
    })
}

fn reported_by(row: &SqliteRow) -> Result<Option<(u64, State)>, StoreError> {
    let Some(index) = row.try_get::<Option<i64>, _>(12)? else { return Ok(None) };
    Ok(Some((from_sql(index)?, state_from_sql(row.try_get(13)?)?)))
}

/// One consent.
pub(crate) async fn consent(
    connection: &mut SqliteConnection,
    key: ConsentKey,
) -> Result<Option<ConsentRow>, StoreError> {
    let row = sqlx::query(consent_rows!("WHERE c.id = ?1 AND party.oin = ?2"))
        .bind(key.id.as_bytes().as_slice())
        .bind(key.holder.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(consent_row).transpose()
}

/// Consents with what they were recorded after, in that order: of one holder, or all.
pub(crate) async fn consents(
    connection: &mut SqliteConnection,
    holder: Option<Oin>,
    (after, limit): (Option<ConsentKey>, usize),
) -> Result<Vec<ConsentRow>, StoreError> {
    let rows = sqlx::query(consent_rows!(
        "WHERE (?1 IS NULL OR party.oin = ?1) AND c.num > coalesce((SELECT last.num FROM consent last \
         JOIN party p ON p.num = last.holder WHERE last.id = ?2 AND p.oin = ?3), 0) ORDER BY c.num LIMIT ?4"
    ))
    .bind(holder.map(|holder| holder.to_string()))
    .bind(after.map(|key| key.id.as_bytes().to_vec()))
    .bind(after.map(|key| key.holder.to_string()))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(consent_row).collect()
}

/// The consents of this number, of different holders.
pub(crate) async fn numbered(
    connection: &mut SqliteConnection,
    id: Uuid,
    limit: usize,
) -> Result<Vec<ConsentRow>, StoreError> {
    let rows = sqlx::query(consent_rows!("WHERE c.id = ?1 ORDER BY c.num LIMIT ?2"))
        .bind(id.as_bytes().as_slice())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(consent_row).collect()
}

/// Consents that ended and about which something is left to do, of those that ran out only what did before `before`;
/// and those whose time runs out now.
pub(crate) async fn to_do(
    connection: &mut SqliteConnection,
    (before, now): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Vec<ConsentRow>, StoreError> {
    let rows = sqlx::query(consent_rows!(
        "WHERE c.num IN (SELECT num FROM consent INDEXED BY consent_to_do WHERE to_do IS NOT NULL \
         AND (state <> 2 OR reported IS NOT NULL OR ended <= ?1) UNION \
         SELECT num FROM consent INDEXED BY consent_end WHERE state = 0 AND valid_until <= ?2) ORDER BY c.num LIMIT ?3"
    ))
    .bind(time_to_sql(before))
    .bind(time_to_sql(now))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(consent_row).collect()
}

/// Consents of which the end, or what was done then, could not be told to somebody: the message that said so was refused
/// or given up. So it is with those that were withdrawn here, of which the holder was told in vain and said nothing.
pub(crate) async fn untellable(
    connection: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<ConsentKey>, StoreError> {
    let rows = sqlx::query(
        "SELECT c.id, party.oin FROM consent c JOIN party ON party.num = c.holder WHERE c.num IN \
         (SELECT n.consent FROM consent_notice n JOIN message m ON m.idx = n.message \
          WHERE n.confirmed IS NULL AND m.state >= 2 UNION \
          SELECT t.num FROM consent t JOIN message m ON m.idx = t.told_holder WHERE m.state >= 2 UNION \
          SELECT r.num FROM consent r INDEXED BY consent_reported LEFT JOIN message m ON m.idx = r.reported_by \
          WHERE r.reported IS NOT NULL AND r.state <> 1 AND coalesce(m.state, 3) >= 2) \
         AND c.to_do IS NULL AND (c.state <> 0 OR c.reported IS NOT NULL) LIMIT ?1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(ConsentKey { holder: oin(row, 1)?, id: uuid(row.try_get(0)?)? })).collect()
}

/// The extract of a consent that has this digest: the newest, one that a message carried, or one of a version of the record.
pub(crate) async fn extract(
    connection: &mut SqliteConnection,
    key: ConsentKey,
    digest: Digest,
) -> Result<Option<String>, StoreError> {
    let rows = sqlx::query(
        "WITH one(num) AS (SELECT c.num FROM consent c JOIN party ON party.num = c.holder \
         WHERE c.id = ?1 AND party.oin = ?2) \
         SELECT extract FROM consent_extract WHERE consent = (SELECT num FROM one) AND digest = ?3 \
         UNION SELECT extract FROM consent WHERE num = (SELECT num FROM one) \
         UNION SELECT extract FROM consent_record WHERE consent = (SELECT num FROM one)",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .bind(digest.as_bytes().as_slice())
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let extract: Option<&str> = row.try_get(0)?;
        if let Some(extract) = extract.filter(|extract| Digest::of(extract.as_bytes()) == digest) {
            return Ok(Some(extract.to_owned()));
        }
    }
    Ok(None)
}

/// The versions of a record, the oldest first. Those that were erased are left out.
pub(crate) async fn records(
    connection: &mut SqliteConnection,
    vault: &Vault,
    key: ConsentKey,
) -> Result<Vec<StoredRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.idx, r.sealed, r.keep_days FROM consent_record r JOIN consent c ON c.num = r.consent \
         JOIN party ON party.num = c.holder WHERE c.id = ?1 AND party.oin = ?2 ORDER BY r.idx",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .fetch_all(connection)
    .await?;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let index = from_sql(row.try_get(0)?)?;
        if let Some(text) = open(vault, (index, row.try_get(2)?), row.try_get(1)?)? {
            let keep_days =
                u32::try_from(row.try_get::<i64, _>(2)?).map_err(|_| damaged("a number of days"))?;
            records.push(StoredRecord { index, text, keep_days });
        }
    }
    Ok(records)
}

/// The versions of records whose resident has one of these tokens, with which consent they are of, at most `limit`.
pub(crate) async fn records_about(
    connection: &mut SqliteConnection,
    vault: &Vault,
    tokens: Tokens,
    limit: usize,
) -> Result<Vec<(ConsentKey, String)>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.idx, r.sealed, c.id, party.oin, r.keep_days FROM consent_record r JOIN consent c ON c.num = r.consent \
         JOIN party ON party.num = c.holder WHERE r.idx IN (SELECT record FROM consent_subject WHERE token IN (?1, ?2)) \
         ORDER BY r.idx DESC LIMIT ?3",
    )
    .bind(tokens.bsn.map(Vec::from))
    .bind(tokens.place.map(Vec::from))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let place = (from_sql(row.try_get(0)?)?, row.try_get(4)?);
        if let Some(text) = open(vault, place, row.try_get(1)?)? {
            records.push((ConsentKey { holder: oin(&row, 3)?, id: uuid(row.try_get(2)?)? }, text));
        }
    }
    Ok(records)
}

/// The version of a record that was recorded at this place in the log.
pub(crate) async fn recorded_at(
    connection: &mut SqliteConnection,
    vault: &Vault,
    index: u64,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT sealed, keep_days FROM consent_record WHERE idx = ?1")
        .bind(to_sql(index))
        .fetch_optional(connection)
        .await?;
    match row {
        Some(row) => open(vault, (index, row.try_get(1)?), row.try_get(0)?),
        None => Ok(None),
    }
}

/// The versions of records that may not be kept any longer: their consent ended, all is done about that, and the longest
/// term of its versions passed. At most `limit`.
pub(crate) async fn records_over_time(
    connection: &mut SqliteConnection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.idx FROM consent_record r JOIN consent c ON c.num = r.consent \
         WHERE c.state <> 0 AND c.to_do IS NULL AND c.ended <= ?1 - ?2 * \
         (SELECT max(v.keep_days) FROM consent_record v WHERE v.consent = r.consent) ORDER BY r.idx LIMIT ?3",
    )
    .bind(time_to_sql(now))
    .bind(MICROSECONDS_PER_DAY)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// A record; nothing when it was erased.
fn open(vault: &Vault, place: (u64, i64), sealed: &[u8]) -> Result<Option<String>, StoreError> {
    let text = match open_record(vault, place, sealed) {
        Err(StoreError::Erased) => return Ok(None),
        opened => opened?,
    };
    let text = String::from_utf8(text);
    text.map(Some).map_err(|_| StoreError::Corrupt("a consent record is not text".into()))
}

/// The messages that rest on a consent and were not erased, with their type and purpose, the oldest first.
pub(crate) async fn copies(
    connection: &mut SqliteConnection,
    key: ConsentKey,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx FROM message m INDEXED BY message_consent WHERE m.consent = (SELECT c.num FROM consent c \
         JOIN party ON party.num = c.holder WHERE c.id = ?1 AND party.oin = ?2) AND m.erased IS NULL \
         AND m.released IS NULL AND EXISTS (SELECT 1 FROM payload p WHERE p.idx = m.idx) ORDER BY m.idx LIMIT ?3",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The first message that came in under a consent.
pub(crate) async fn first_received(
    connection: &mut SqliteConnection,
    key: ConsentKey,
) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query(
        "SELECT m.idx FROM message m INDEXED BY message_consent WHERE m.direction = 1 AND m.consent = \
         (SELECT c.num FROM consent c JOIN party ON party.num = c.holder WHERE c.id = ?1 AND party.oin = ?2) \
         ORDER BY m.idx LIMIT 1",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| from_sql(row.try_get(0)?)).transpose()
}

/// Who was sent something under a consent and was not told of its end, or in vain.
pub(crate) async fn untold(
    connection: &mut SqliteConnection,
    key: ConsentKey,
    limit: usize,
) -> Result<Vec<Untold>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, agreement.text, purpose.text FROM message m INDEXED BY message_consent \
         JOIN party ON party.num = m.party JOIN word agreement ON agreement.num = m.agreement \
         JOIN word purpose ON purpose.num = m.purpose \
         LEFT JOIN consent_notice n ON n.consent = m.consent AND n.party = m.party \
         LEFT JOIN message told ON told.idx = n.message \
         WHERE m.consent = (SELECT c.num FROM consent c JOIN party h ON h.num = c.holder WHERE c.id = ?1 AND h.oin = ?2) \
         AND m.direction = 0 AND party.oin <> ?2 AND (n.message IS NULL OR (told.state >= 2 AND n.confirmed IS NULL)) \
         GROUP BY m.party ORDER BY min(m.idx) LIMIT ?3",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let agreement = row.try_get::<&str, _>(1)?.parse().map_err(|_| damaged("a digest"))?;
            Ok(Untold { party: oin(row, 0)?, agreement, purpose: row.try_get(2)? })
        })
        .collect()
}

/// To whom something went under a consent, with the best that became of it.
pub(crate) async fn shared(
    connection: &mut SqliteConnection,
    key: ConsentKey,
    limit: usize,
) -> Result<Vec<(Oin, State)>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, CASE WHEN max(m.state = 1) THEN 1 ELSE min(m.state) END \
         FROM message m INDEXED BY message_consent JOIN party ON party.num = m.party \
         WHERE m.consent = (SELECT c.num FROM consent c JOIN party h ON h.num = c.holder WHERE c.id = ?1 AND h.oin = ?2) \
         AND m.direction = 0 GROUP BY m.party ORDER BY min(m.idx) LIMIT ?3",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((oin(row, 0)?, state_from_sql(row.try_get(1)?)?))).collect()
}

/// What every organisation was told of the end of a consent, and did: when by its own clock, as far as that can be so.
pub(crate) async fn notices(
    connection: &mut SqliteConnection,
    key: ConsentKey,
    limit: usize,
) -> Result<Vec<ConsentNotice>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, n.message, m.state, m.created, m.finished, via.oin, \
         min(max(n.confirmed, coalesce(c.ended, n.confirmed)), coalesce(n.heard, n.confirmed)), n.done, n.kept \
         FROM consent_notice n JOIN consent c ON c.num = n.consent JOIN party h ON h.num = c.holder \
         JOIN party ON party.num = n.party LEFT JOIN message m ON m.idx = n.message \
         LEFT JOIN party via ON via.num = n.via WHERE c.id = ?1 AND h.oin = ?2 ORDER BY party.oin LIMIT ?3",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(notice).collect()
}

fn notice(row: &SqliteRow) -> Result<ConsentNotice, StoreError> {
    let message = match row.try_get::<Option<i64>, _>(1)? {
        None => None,
        Some(index) => Some(NoticeMessage {
            index: from_sql(index)?,
            state: state_from_sql(row.try_get(2)?)?,
            queued: time_from_sql(row.try_get(3)?)?,
            finished: time(row, 4)?,
        }),
    };
    let via: Option<&str> = row.try_get(5)?;
    let done: Option<&str> = row.try_get(7)?;
    let kept: Option<&str> = row.try_get(8)?;
    Ok(ConsentNotice {
        party: oin(row, 0)?,
        message,
        via: via.map(|via| via.parse().map_err(|_| damaged("an OIN"))).transpose()?,
        confirmed: time(row, 6)?,
        done: done.and_then(|done| WhatWasDone::ALL.into_iter().find(|one| one.as_str() == done)),
        kept: kept.and_then(|kept| serde_json::from_str(kept).ok()),
    })
}

/// Messages that came in under a consent with this number and can still be read, the newest first.
pub(crate) async fn received_under(
    connection: &mut SqliteConnection,
    id: Uuid,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx FROM message m INDEXED BY message_consent WHERE m.consent IN (SELECT num FROM consent WHERE id = ?1) \
         AND m.direction = 1 AND m.erased IS NULL \
         ORDER BY m.subject_bsn IS NULL AND m.subject_place IS NULL, m.idx DESC LIMIT ?2",
    )
    .bind(id.as_bytes().as_slice())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The organisations of the agreement under which a message came, and its purpose.
pub(crate) async fn told_under(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<Option<Untold>, StoreError> {
    let row = sqlx::query(
        "SELECT party.oin, agreement.text, purpose.text FROM message m JOIN party ON party.num = m.party \
         JOIN word agreement ON agreement.num = m.agreement JOIN word purpose ON purpose.num = m.purpose \
         WHERE m.idx = ?1",
    )
    .bind(to_sql(index))
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let agreement = row.try_get::<&str, _>(1)?.parse().map_err(|_| damaged("a digest"))?;
        Ok(Untold { party: oin(&row, 0)?, agreement, purpose: row.try_get(2)? })
    })
    .transpose()
}

fn oin(row: &SqliteRow, column: usize) -> Result<Oin, StoreError> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| damaged("an OIN"))
}

fn time(row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?.map(time_from_sql).transpose()
}
