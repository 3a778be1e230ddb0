//! Reading what was kept of messages with what stands beside it in their rows, for who checks the one against the other.

use exchange::{consent::ConsentKey, digest::Digest};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::column::{digest, direction_from_sql, from_sql, to_sql, uuid};
use crate::{
    error::StoreError,
    model::Direction,
    seal::SealedPayload,
    subject::{Token, Tokens},
};

/// A message that was kept, sealed, with its row.
pub(crate) struct KeptMessage {
    pub(crate) index: u64,
    /// What its row says; nothing when that cannot be read.
    pub(crate) row: Option<KeptRow>,
    sealed: Vec<u8>,
    form: i64,
    wrapped: Option<Vec<u8>>,
    /// Whether its case was erased by an earlier version.
    pub(crate) case_erased: bool,
    /// What is stored that it does in a handover.
    pub(crate) step: Option<String>,
}

/// What the row of a message says that also stands in the message.
pub(crate) struct KeptRow {
    pub(crate) direction: Direction,
    pub(crate) digest: Digest,
    pub(crate) partner: String,
    pub(crate) id: Option<Uuid>,
    pub(crate) case: Option<Uuid>,
    pub(crate) message_type: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) agreement: Option<String>,
    /// In microseconds.
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) bytes: i64,
    pub(crate) tokens: Tokens,
    /// The consent it rests on.
    pub(crate) consent: Option<ConsentKey>,
}

impl KeptMessage {
    /// To be opened.
    pub(crate) fn payload(&self, row: &KeptRow) -> SealedPayload<'_> {
        SealedPayload {
            index: self.index,
            case: row.case.unwrap_or_default(),
            digest: row.digest,
            sealed: &self.sealed,
            form: self.form,
            wrapped: self.wrapped.as_deref(),
            case_erased: self.case_erased,
        }
    }
}

/// The messages from `from` on and below `to` that were kept, in order, at most `limit`.
pub(crate) async fn kept(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
    limit: usize,
) -> Result<Vec<KeptMessage>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.idx, p.sealed, p.form, k.wrapped, k.erased IS NOT NULL, m.direction, m.digest, party.oin, m.id, m.\"case\", \
         type.text, purpose.text, agreement.text, m.created, m.expires, m.bytes, m.subject_bsn, m.subject_place, \
         c.id, holder.oin, m.step \
         FROM payload p JOIN message m ON m.idx = p.idx LEFT JOIN case_key k ON p.form = 0 AND k.\"case\" = m.\"case\" \
         LEFT JOIN party ON party.num = m.party LEFT JOIN word type ON type.num = m.type \
         LEFT JOIN word purpose ON purpose.num = m.purpose LEFT JOIN word agreement ON agreement.num = m.agreement \
         LEFT JOIN consent c ON c.num = m.consent LEFT JOIN party holder ON holder.num = c.holder \
         WHERE p.idx >= ?1 AND p.idx < ?2 ORDER BY p.idx LIMIT ?3",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let one = |row: &SqliteRow| {
        Ok(KeptMessage {
            index: from_sql(row.try_get(0)?)?,
            sealed: row.try_get(1)?,
            form: row.try_get(2)?,
            wrapped: row.try_get(3)?,
            case_erased: row.try_get(4)?,
            step: row.try_get(20)?,
            row: kept_row(row).ok(),
        })
    };
    rows.iter().map(one).collect()
}

fn kept_row(row: &SqliteRow) -> Result<KeptRow, StoreError> {
    let identifier = |column| row.try_get::<Option<&[u8]>, _>(column)?.map(uuid).transpose();
    let token = |column| {
        // One that is damaged is another than any that was made.
        let token: Option<&[u8]> = row.try_get(column)?;
        Ok::<_, StoreError>(token.map(|token| Token::try_from(token).unwrap_or_default()))
    };
    let holder = row.try_get::<Option<&str>, _>(19)?.and_then(|oin| oin.parse().ok());
    Ok(KeptRow {
        direction: direction_from_sql(row.try_get(5)?)?,
        digest: digest(row.try_get(6)?)?,
        partner: row.try_get(7)?,
        id: identifier(8)?,
        case: identifier(9)?,
        message_type: row.try_get(10)?,
        purpose: row.try_get(11)?,
        agreement: row.try_get(12)?,
        created: row.try_get(13)?,
        expires: row.try_get(14)?,
        bytes: row.try_get(15)?,
        tokens: Tokens { bsn: token(16)?, place: token(17)? },
        consent: identifier(18)?.zip(holder).map(|(id, holder)| ConsentKey { holder, id }),
    })
}
