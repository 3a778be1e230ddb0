//! What is done to a consent here, and not by a message: it is recorded, withdrawn, runs out, and what follows from that.

use exchange::{consent::ConsentKey, oin::Oin, tlog::Leaf};
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{
    column::{time_to_sql, to_sql},
    committer::Writer,
    consent::{bound_to, end_waiting, forget_confirmations, note_extract},
    group::Group,
};
use crate::{
    consents::ConsentState,
    error::StoreError,
    store::{CONSENT_EXPIRED_REASON, WITHDRAWN_REASON},
    subject::Tokens,
};

/// Something that is done to a consent here, not by a message.
pub(crate) struct Deed {
    pub(crate) key: ConsentKey,
    pub(crate) what: What,
    /// What the log says of it.
    pub(crate) leaf: Option<Leaf>,
    pub(crate) now: Timestamp,
}

/// What is done.
pub(crate) enum What {
    /// It is recorded, or a newer version of it.
    Record { text: String, extract: String, valid_until: Timestamp, tokens: Tokens, keep_days: u32 },
    /// Its resident withdrew it.
    Withdraw { statement: String, at: Timestamp },
    /// Its time ran out.
    Expire,
    /// These messages are kept on another basis.
    Release { indexes: Vec<u64>, kept: String },
    /// Its resident withdrew it here, and its holder is to be told: nothing rests on it any more.
    Stop { at: Timestamp },
    /// There is something left to do about it.
    Remind,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Done {
    /// Where the log says so.
    pub(crate) index: u64,
    /// The messages that waited, with who they were for.
    pub(crate) ended: Vec<(Oin, u64)>,
}

/// Whether it can be done, and what the log says of it; the rest comes once that is written. What follows in the same
/// transaction is held against it.
pub(super) fn begin(writer: &mut Writer, group: &mut Group, deed: &Deed) -> Result<Done, StoreError> {
    let known = group.consents.get_mut(&deed.key).ok_or(StoreError::NotFound("consent"))?;
    match deed.what {
        What::Withdraw { .. } if known.state == ConsentState::Withdrawn => {
            return Err(StoreError::RulesChanged);
        }
        What::Withdraw { .. } => known.state = ConsentState::Withdrawn,
        What::Expire => {
            let is_time = known.valid_until.is_some_and(|until| until <= deed.now);
            if known.state != ConsentState::InForce || !is_time {
                return Err(StoreError::RulesChanged);
            }
            known.state = ConsentState::Expired;
        }
        What::Record { .. } if known.is_over() => return Err(StoreError::RulesChanged),
        What::Stop { .. } => {
            known.reported = true;
            known.to_do = true;
        }
        What::Record { .. } | What::Release { .. } | What::Remind => {}
    }
    let index = deed.leaf.as_ref().map(|leaf| group.log(&mut writer.edge, leaf)).unwrap_or_default();
    Ok(Done { index, ..Done::default() })
}

/// Does something to a consent.
pub(super) async fn carry_out(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (deed, done): (&Deed, &mut Done),
) -> Result<(), StoreError> {
    let number = group.consents.get(&deed.key).ok_or(StoreError::NotFound("consent"))?.number;
    match &deed.what {
        What::Record { text, extract, valid_until, tokens, keep_days } => {
            record(writer, connection, (number, done.index), (text, extract, *keep_days)).await?;
            note_subject(connection, done.index, *tokens).await?;
            return note_extract(connection, group, (deed.key, extract, *valid_until)).await;
        }
        What::Release { indexes, kept } => return release(connection, number, (indexes, kept)).await,
        What::Remind => return remind(connection, number).await,
        What::Withdraw { statement, at } => {
            withdraw(connection, number, (statement, *at, deed.now)).await?;
        }
        What::Expire => expire(connection, number).await?,
        What::Stop { at } => stop(connection, number, *at).await?,
    }
    let reason = match &deed.what {
        What::Expire => CONSENT_EXPIRED_REASON,
        _ => WITHDRAWN_REASON,
    };
    done.ended = end_waiting(writer, connection, group, (number, reason, deed.now)).await?;
    Ok(())
}

/// Of an earlier end, of which the time ran out, others may have said what they did. Of this one nobody could.
async fn withdraw(
    connection: &mut SqliteConnection,
    number: i64,
    (statement, at, now): (&str, Timestamp, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE consent SET state = 1, ended = ?2, statement = ?3, withdrawn = ?4, to_do = 1 WHERE num = ?1",
    )
    .bind(number)
    .bind(time_to_sql(at))
    .bind(statement)
    .bind(time_to_sql(now))
    .execute(&mut *connection)
    .await?;
    forget_confirmations(connection, number).await
}

async fn expire(connection: &mut SqliteConnection, number: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE consent SET state = 2, ended = valid_until, to_do = 1 WHERE num = ?1")
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

async fn stop(connection: &mut SqliteConnection, number: i64, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE consent SET reported = coalesce(reported, ?2), to_do = 1 WHERE num = ?1 AND state <> 1",
    )
    .bind(number)
    .bind(time_to_sql(at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn remind(connection: &mut SqliteConnection, number: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE consent SET to_do = 1 WHERE num = ?1 AND (state <> 0 OR reported IS NOT NULL)")
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// These messages rest on something else from now on. What that is stays known: it is told to the holder.
async fn release(
    connection: &mut SqliteConnection,
    number: i64,
    (indexes, kept): (&[u64], &str),
) -> Result<(), StoreError> {
    for index in indexes {
        sqlx::query("UPDATE message SET released = 1 WHERE idx = ?1 AND consent = ?2")
            .bind(to_sql(*index))
            .bind(number)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("UPDATE consent SET kept = ?2 WHERE num = ?1")
        .bind(number)
        .bind(kept)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps a version of the record, under the key of its entry.
async fn record(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    (consent, index): (i64, u64),
    (text, extract, keep_days): (&str, &str, u32),
) -> Result<(), StoreError> {
    let bound_to = bound_to(index, i64::from(keep_days));
    let sealed = writer.vault.entries.seal_for(index, &bound_to, text.as_bytes(), &mut writer.entropy)?;
    sqlx::query(
        "INSERT INTO consent_record (idx, consent, sealed, extract, keep_days) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(to_sql(index))
    .bind(consent)
    .bind(sealed)
    .bind(extract)
    .bind(i64::from(keep_days))
    .execute(connection)
    .await?;
    Ok(())
}

/// By what the resident of a record is found.
async fn note_subject(
    connection: &mut SqliteConnection,
    record: u64,
    tokens: Tokens,
) -> Result<(), StoreError> {
    for token in [tokens.bsn, tokens.place].into_iter().flatten() {
        sqlx::query("INSERT INTO consent_subject (token, record) VALUES (?1, ?2)")
            .bind(token.to_vec())
            .bind(to_sql(record))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
