//! Events, and who was told of them. Triggers write events (`migrations/0020_events.sql`, `0022_signal_terms.sql`).

use exchange::{consent::ConsentKey, oin::Oin};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{damaged, from_sql, time_from_sql, time_to_sql, to_sql, uuid},
    read::{message_row, message_rows},
};
use crate::{
    error::StoreError,
    events::{DeadLetter, DeadLetters, Event, EventKind, MAX_DEAD_LETTERS, Telling, Webhook},
    store::MAX_BATCH,
};

/// A change in what is kept of events.
pub(crate) enum EventChange {
    Keep(bool),
    Begin(String),
    Note { hook: String, from: u64, event: u64, telling: Telling, now: Timestamp },
    Resume(String),
    Retry { numbers: Vec<u64>, now: Timestamp },
    Remove(Vec<u64>),
    StillDead { number: u64, failure: String, now: Timestamp },
    Forget { before: Timestamp, hooks: Vec<String> },
}

pub(crate) async fn last(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)")
        .fetch_one(connection)
        .await?;
    from_sql(row.try_get(0)?)
}

pub(crate) async fn after(
    connection: &mut SqliteConnection,
    (after, kinds): (u64, &[EventKind]),
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let wanted: i64 = kinds.iter().map(|kind| 1_i64 << (*kind as u8)).sum();
    let rows = sqlx::query(
        "SELECT num, kind, at, idx, (SELECT c.id FROM consent c WHERE c.num = event.consent), \
         (SELECT p.oin FROM consent c JOIN party p ON p.num = c.holder WHERE c.num = event.consent), \
         (SELECT w.text FROM word w WHERE w.num = event.reason) \
         FROM event WHERE num > ?1 AND ((1 << kind) & ?2) <> 0 ORDER BY num LIMIT ?3",
    )
    .bind(to_sql(after))
    .bind(wanted)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        events.push(event(connection, row, 0).await?);
    }
    Ok(events)
}

/// The event whose columns begin at `first`.
async fn event(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    first: usize,
) -> Result<Event, StoreError> {
    let kind = usize::try_from(row.try_get::<i64, _>(first + 1)?).ok();
    let message = match row.try_get::<Option<i64>, _>(first + 3)? {
        None => None,
        Some(index) => sqlx::query(message_rows!("WHERE m.idx = ?1"))
            .bind(index)
            .fetch_optional(connection)
            .await?
            .as_ref()
            .map(message_row)
            .transpose()?,
    };
    let consent = match row.try_get::<Option<&[u8]>, _>(first + 4)? {
        None => None,
        Some(id) => {
            let holder: &str = row.try_get(first + 5)?;
            let holder = holder.parse::<Oin>().map_err(|_| damaged("an OIN"))?;
            Some(ConsentKey { id: uuid(id)?, holder })
        }
    };
    Ok(Event {
        number: from_sql(row.try_get(first)?)?,
        kind: *kind.and_then(|kind| EventKind::ALL.get(kind)).ok_or_else(|| damaged("an event"))?,
        at: time_from_sql(row.try_get(first + 2)?)?,
        message,
        consent,
        reason: row.try_get(first + 6)?,
    })
}

pub(crate) async fn webhooks(connection: &mut SqliteConnection) -> Result<Vec<Webhook>, StoreError> {
    let rows = sqlx::query(
        "SELECT name, next, attempts, next_attempt, told, last_success, last_failure, failure, stopped, \
         (SELECT count(*) FROM dead_letter d WHERE d.hook = webhook.name) FROM webhook ORDER BY name",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let time = |column| row.try_get::<Option<i64>, _>(column)?.map(time_from_sql).transpose();
            Ok(Webhook {
                name: row.try_get(0)?,
                next: from_sql(row.try_get(1)?)?,
                attempts: attempts(row.try_get(2)?),
                next_attempt: time(3)?,
                told: from_sql(row.try_get(4)?)?,
                last_success: time(5)?,
                last_failure: time(6)?,
                failure: row.try_get(7)?,
                stopped: time(8)?,
                dead_letters: from_sql(row.try_get(9)?)?,
            })
        })
        .collect()
}

fn attempts(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(crate) async fn dead_letters(
    connection: &mut SqliteConnection,
    which: &DeadLetters,
) -> Result<Vec<DeadLetter>, StoreError> {
    let rows = sqlx::query(
        "SELECT d.num, d.hook, d.failure, d.attempts, d.at, d.again IS NOT NULL, \
         event.num, event.kind, event.at, event.idx, (SELECT c.id FROM consent c WHERE c.num = event.consent), \
         (SELECT p.oin FROM consent c JOIN party p ON p.num = c.holder WHERE c.num = event.consent), \
         (SELECT w.text FROM word w WHERE w.num = event.reason) \
         FROM dead_letter d JOIN event ON event.num = d.event \
         WHERE d.num > ?1 AND (?2 IS NULL OR d.hook = ?2) AND (?3 = 0 OR d.again IS NOT NULL) \
         ORDER BY d.num LIMIT ?4",
    )
    .bind(which.after.map_or(-1, to_sql))
    .bind(which.hook.as_deref())
    .bind(i64::from(which.again))
    .bind(i64::try_from(which.limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(DeadLetter {
            number: from_sql(row.try_get(0)?)?,
            hook: row.try_get(1)?,
            failure: row.try_get(2)?,
            attempts: attempts(row.try_get(3)?),
            at: time_from_sql(row.try_get(4)?)?,
            again: row.try_get::<i64, _>(5)? != 0,
            event: event(connection, row, 6).await?,
        });
    }
    Ok(found)
}

pub(super) async fn apply(
    connection: &mut SqliteConnection,
    change: &EventChange,
) -> Result<u64, StoreError> {
    match change {
        EventChange::Keep(kept) => keep(connection, *kept).await,
        EventChange::Begin(name) => {
            let done = sqlx::query(
                "INSERT INTO webhook (name, next) \
                 SELECT ?1, 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) WHERE true \
                 ON CONFLICT (name) DO NOTHING",
            );
            Ok(done.bind(name).execute(connection).await?.rows_affected())
        }
        EventChange::Note { hook, from, event, telling, now } => {
            note(connection, (hook, *from, *event), telling, *now).await
        }
        EventChange::Resume(name) => {
            let done = sqlx::query(
                "UPDATE webhook SET stopped = NULL, attempts = 0, next_attempt = NULL \
                 WHERE name = ?1 AND stopped IS NOT NULL",
            );
            Ok(done.bind(name).execute(connection).await?.rows_affected())
        }
        EventChange::Retry { numbers, now } => {
            let mut touched = 0;
            for number in numbers {
                let done = sqlx::query("UPDATE dead_letter SET again = ?2 WHERE num = ?1");
                let done = done.bind(to_sql(*number)).bind(time_to_sql(*now));
                touched += done.execute(&mut *connection).await?.rows_affected();
            }
            Ok(touched)
        }
        EventChange::Remove(numbers) => {
            let mut touched = 0;
            for number in numbers {
                let done = sqlx::query("DELETE FROM dead_letter WHERE num = ?1").bind(to_sql(*number));
                touched += done.execute(&mut *connection).await?.rows_affected();
            }
            Ok(touched)
        }
        EventChange::StillDead { number, failure, now } => {
            let done = sqlx::query(
                "UPDATE dead_letter SET again = NULL, failure = ?2, at = ?3, attempts = attempts + 1 WHERE num = ?1",
            );
            let done = done.bind(to_sql(*number)).bind(failure).bind(time_to_sql(*now));
            Ok(done.execute(connection).await?.rows_affected())
        }
        EventChange::Forget { before, hooks } => forget(connection, *before, hooks).await,
    }
}

async fn keep(connection: &mut SqliteConnection, kept: bool) -> Result<u64, StoreError> {
    let changed = sqlx::query("UPDATE event_use SET kept = ?1 WHERE kept <> ?1").bind(i64::from(kept));
    Ok(changed.execute(connection).await?.rows_affected())
}

async fn note(
    connection: &mut SqliteConnection,
    (hook, from, event): (&str, u64, u64),
    telling: &Telling,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let text = match telling {
        Telling::Told { .. } => {
            "UPDATE webhook SET next = ?3, told = told + ?4, attempts = 0, next_attempt = NULL, \
             last_success = iif(?4, ?5, last_success), failure = iif(?4, NULL, failure) \
             WHERE name = ?1 AND next = ?2"
        }
        Telling::Failed { .. } => {
            "UPDATE webhook SET attempts = attempts + 1, next_attempt = ?3, failure = ?4, last_failure = ?5 \
             WHERE name = ?1 AND next = ?2"
        }
        Telling::PutAside { .. } => {
            "UPDATE webhook SET next = ?3, attempts = 0, next_attempt = NULL, failure = ?4, last_failure = ?5 \
             WHERE name = ?1 AND next = ?2"
        }
        Telling::Stopped { .. } => {
            "UPDATE webhook SET stopped = ?5, next_attempt = ?3, failure = ?4, last_failure = ?5 \
             WHERE name = ?1 AND next = ?2"
        }
    };
    if let Telling::PutAside { failure } = telling {
        let done = sqlx::query(
            "INSERT INTO dead_letter (hook, event, failure, attempts, at) \
             SELECT name, ?3, ?4, attempts + 1, ?5 FROM webhook WHERE name = ?1 AND next = ?2 \
             AND (SELECT count(*) FROM dead_letter d WHERE d.hook = ?1) < ?6",
        );
        let done = done.bind(hook).bind(to_sql(from)).bind(to_sql(event)).bind(failure);
        let done = done.bind(time_to_sql(now)).bind(to_sql(MAX_DEAD_LETTERS));
        if done.execute(&mut *connection).await?.rows_affected() == 0 {
            return Ok(0);
        }
    }
    let done = sqlx::query(text).bind(hook).bind(to_sql(from));
    let done = match telling {
        Telling::Told { told, next } => done.bind(to_sql(*next)).bind(i64::from(*told)),
        Telling::Failed { failure, next_attempt } => done.bind(time_to_sql(*next_attempt)).bind(failure),
        Telling::PutAside { failure } => done.bind(to_sql(event + 1)).bind(failure),
        Telling::Stopped { failure } => done.bind(None::<i64>).bind(failure),
    };
    Ok(done.bind(time_to_sql(now)).execute(connection).await?.rows_affected())
}

async fn forget(
    connection: &mut SqliteConnection,
    before: Timestamp,
    hooks: &[String],
) -> Result<u64, StoreError> {
    // What the slowest was told.
    let mut passed = i64::MAX;
    for hook in hooks {
        let row = sqlx::query("SELECT next FROM webhook WHERE name = ?1").bind(hook);
        let row = row.fetch_optional(&mut *connection).await?;
        passed = passed.min(row.map_or(Ok(i64::MAX), |row| row.try_get(0))?);
    }
    let done = sqlx::query(
        "DELETE FROM event WHERE num IN (SELECT num FROM event WHERE num < ?1 AND at < ?2 \
         AND NOT EXISTS (SELECT 1 FROM dead_letter d WHERE d.event = event.num) ORDER BY num LIMIT ?3)",
    );
    let done = done.bind(passed).bind(time_to_sql(before)).bind(i64::try_from(MAX_BATCH).unwrap_or(i64::MAX));
    Ok(done.execute(connection).await?.rows_affected())
}
