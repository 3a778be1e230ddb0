//! What local systems handed over, as it is stored, and listing messages.

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};
use std::sync::LazyLock;

use super::{
    column::{direction_to_sql, from_sql, state_to_sql, time_to_sql, to_sql},
    read::{message_row, message_rows},
    rows::{Part, Statement},
};
use crate::{
    error::StoreError,
    key::IntakeKey,
    model::State,
    submission::{ANSWER_LIFETIME, Answered, EarlierAnswer, Listed, Listing, MAX_ANSWERS, Submitter},
};

/// Entries of the log that one listing looks through: some milliseconds.
const MAX_LOOKED_THROUGH: u64 = 20_000;

/// Answers of before that one request clears away: more than it adds.
const MAX_FORGOTTEN: i64 = 64;

static SUBMISSIONS: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::Insert("submission", &["client", "idx"], "ON CONFLICT DO NOTHING"))
});

/// From when on answers are remembered.
fn oldest(now: Timestamp) -> i64 {
    time_to_sql(now.checked_sub(ANSWER_LIFETIME).unwrap_or(Timestamp::MIN))
}

pub(crate) async fn earlier(
    connection: &mut SqliteConnection,
    request: IntakeKey,
    now: Timestamp,
) -> Result<Option<EarlierAnswer>, StoreError> {
    let row = sqlx::query("SELECT content, answer FROM submission_answer WHERE key = ?1 AND created > ?2")
        .bind(request.0.as_slice())
        .bind(oldest(now))
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let content: &[u8] = row.try_get(0)?;
        let content = content.try_into().map_err(|_| super::column::damaged("a keyed hash"))?;
        Ok(EarlierAnswer { content: IntakeKey(content), answer: row.try_get(1)? })
    })
    .transpose()
}

/// Fails when so many answers are remembered that another has no room.
pub(crate) async fn check_room(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    // The oldest go first, so what lies between is there.
    let row = sqlx::query("SELECT coalesce(max(num) - min(num) + 1, 0) FROM submission_answer")
        .fetch_one(&mut *connection)
        .await?;
    let found = from_sql(row.try_get(0)?)?;
    if found < MAX_ANSWERS {
        return Ok(());
    }
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let (found, limit) = (number(found), number(MAX_ANSWERS));
    Err(StoreError::TooLarge { what: "answers that are remembered", found, limit })
}

pub(super) async fn remember(
    connection: &mut SqliteConnection,
    answered: &Answered,
) -> Result<u64, StoreError> {
    sqlx::query(
        "DELETE FROM submission_answer WHERE num IN \
         (SELECT num FROM submission_answer WHERE created <= ?1 ORDER BY created LIMIT ?2)",
    )
    .bind(oldest(answered.when))
    .bind(MAX_FORGOTTEN)
    .execute(&mut *connection)
    .await?;
    let done = sqlx::query(
        "INSERT INTO submission_answer (key, content, answer, created) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (key) DO UPDATE SET content = excluded.content, answer = excluded.answer, \
         created = excluded.created WHERE created <= ?5",
    )
    .bind(answered.request.0.as_slice())
    .bind(answered.content.0.as_slice())
    .bind(answered.answer.as_str())
    .bind(time_to_sql(answered.when))
    .bind(oldest(answered.when))
    .execute(&mut *connection)
    .await?;
    let client = answered.by.0.0;
    SUBMISSIONS
        .insert(connection, &answered.messages, |index, values| {
            values.add(client.to_vec()).add(to_sql(*index));
        })
        .await?;
    Ok(done.rows_affected())
}

pub(crate) async fn is_by(
    connection: &mut SqliteConnection,
    by: Submitter,
    index: u64,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM submission WHERE client = ?1 AND idx = ?2")
        .bind(by.0.0.as_slice())
        .bind(to_sql(index))
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

pub(crate) async fn offered(
    connection: &mut SqliteConnection,
    record: IntakeKey,
) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query("SELECT idx FROM intake WHERE key = ?1")
        .bind(record.0.as_slice())
        .fetch_optional(connection)
        .await?;
    row.map(|row| from_sql(row.try_get(0)?)).transpose()
}

/// What every listing asks of a message between two places in the log.
macro_rules! listed {
    ($where:literal) => {
        message_rows!(
            "WHERE m.idx < ?1 AND m.idx >= ?2 AND (?3 IS NULL OR m.direction = ?3) AND (?4 IS NULL OR m.state = ?4) \
             AND (?5 IS NULL OR party.oin = ?5) AND (?6 IS NULL OR m.\"case\" = ?6) \
             AND (?7 IS NULL OR type.text = ?7) AND (?8 IS NULL OR m.created >= ?8) ",
            $where,
            " ORDER BY m.idx DESC LIMIT ?9"
        )
    };
}

pub(crate) async fn list(connection: &mut SqliteConnection, listing: &Listing) -> Result<Listed, StoreError> {
    let before = match listing.before {
        Some(before) => before,
        None => end_of_log(connection).await?,
    };
    // The rare states have an index of their own, which SQLite only uses when it reads the state in the statement.
    let is_rare = matches!(listing.state, Some(State::Refused | State::Undeliverable));
    let (text, floor) = match listing.by {
        Some(by) => (
            listed!(
                "AND m.idx IN (SELECT s.idx FROM submission s WHERE s.client = ?10 AND s.idx < ?1 AND s.idx >= ?2)"
            ),
            oldest_looked_at(connection, by, before).await?,
        ),
        None if is_rare => (listed!("AND m.state >= 2"), 0),
        None => (listed!(""), before.saturating_sub(MAX_LOOKED_THROUGH)),
    };
    let query = sqlx::query(text)
        .bind(to_sql(before))
        .bind(to_sql(floor))
        .bind(listing.direction.map(direction_to_sql))
        .bind(listing.state.map(state_to_sql))
        .bind(listing.partner.map(|oin| oin.as_str().to_owned()))
        .bind(listing.case.map(|case| case.as_bytes().to_vec()))
        .bind(listing.message_type)
        .bind(listing.since.map(time_to_sql))
        .bind(i64::try_from(listing.limit).unwrap_or(i64::MAX));
    let query = match listing.by {
        Some(by) => query.bind(by.0.0.to_vec()),
        None => query,
    };
    let rows = query.fetch_all(connection).await?;
    let rows = rows.iter().map(message_row).collect::<Result<Vec<_>, _>>()?;
    let more_before = match rows.last() {
        Some(last) if rows.len() >= listing.limit => Some(last.index),
        _ => Some(floor),
    };
    Ok(Listed { rows, more_before: more_before.filter(|place| *place > 0) })
}

async fn end_of_log(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT size FROM log_state").fetch_one(connection).await?;
    from_sql(row.try_get(0)?)
}

/// The oldest of the messages of a system that one listing looks at; zero when those are all.
async fn oldest_looked_at(
    connection: &mut SqliteConnection,
    by: Submitter,
    before: u64,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT idx FROM submission WHERE client = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT 1 OFFSET ?3",
    )
    .bind(by.0.0.as_slice())
    .bind(to_sql(before))
    .bind(to_sql(MAX_LOOKED_THROUGH - 1))
    .fetch_optional(connection)
    .await?;
    row.map_or(Ok(0), |row| from_sql(row.try_get(0)?))
}
