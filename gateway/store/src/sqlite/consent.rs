//! Consents: which messages rest on one, its end, and who was told of that.
//!
//! What is decided on a consent is held against it in the transaction that keeps it ([`resolve`], [`check`]): a withdrawal
//! that was committed a moment ago counts.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use exchange::{
    consent::{ConsentKey, ConsentUse, Event, Extract, Processed, Statement},
    digest::Digest,
    message::MAX_CLOCK_SKEW,
    oin::Oin,
};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::{damaged, direction_to_sql, from_sql, state_to_sql, time_from_sql, time_to_sql, to_sql, uuid},
    committer::{Operation, Writer},
    file::Filed,
    group::Group,
    names::{Missing, Names},
    rows::{Part, Statement as Sql},
};
use crate::{
    consents::ConsentState,
    error::StoreError,
    model::{Arrival, Direction, State, Verdict},
    seal::Vault,
    store::{CONSENT_EXPIRED_REASON, WITHDRAWN_REASON},
};

static KNOWN: LazyLock<Sql> = LazyLock::new(|| {
    Sql::new(&Part::List(
        "SELECT c.id, party.oin, c.num, c.state, c.valid_until, c.to_do IS NOT NULL, c.reported IS NOT NULL \
         FROM consent c \
         JOIN party ON party.num = c.holder WHERE c.id",
    ))
});

static NEW: LazyLock<Sql> =
    LazyLock::new(|| Sql::new(&Part::Insert("consent", &["id", "holder"], "ON CONFLICT DO NOTHING")));

/// A consent as the transaction knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) number: i64,
    pub(crate) state: ConsentState,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) to_do: bool,
    /// Somebody said to its holder that the resident withdrew it.
    pub(crate) reported: bool,
}

impl Known {
    /// Whether nothing new may rest on it, whatever its time.
    pub(crate) fn is_over(&self) -> bool {
        self.reported || self.state == ConsentState::Withdrawn
    }
}

/// That everything was done about a consent that had ended in this way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finishing {
    pub(crate) key: ConsentKey,
    pub(crate) state: ConsentState,
    /// Whether it was known to have been reported to its holder.
    pub(crate) reported: bool,
}

impl Finishing {
    /// Whether it is still as it was dealt with, and nobody finished before; from here on nobody does again.
    pub(super) fn is_first(&self, group: &mut Group) -> bool {
        let Some(known) = group.consents.get_mut(&self.key) else { return false };
        let is_first = known.to_do && known.state == self.state && known.reported == self.reported;
        known.to_do &= !is_first;
        is_first
    }
}

pub(super) fn missing_names<'o>(names: &Names, operation: &'o Operation, missing: &mut Missing<'o>) {
    missing.word(names, WITHDRAWN_REASON);
    missing.word(names, CONSENT_EXPIRED_REASON);
    for key in keys_of(operation) {
        missing.party(names, key.holder);
    }
    if let Operation::File(job) = operation {
        for arrival in &job.input.arrivals {
            if let Some(Event::Processed(processed)) = &arrival.event {
                for oin in &processed.passed_to {
                    missing.party(names, *oin);
                }
            }
        }
    }
}

/// The consents that an operation is about.
fn keys_of(operation: &Operation) -> Vec<ConsentKey> {
    let of_use = |used: &ConsentUse| used.key;
    match operation {
        Operation::Enqueue(job) => {
            let messages = &job.input.messages;
            let used = messages.iter().filter_map(|message| message.consent.as_ref().map(of_use));
            let told = messages.iter().filter_map(|message| message.tells);
            used.chain(told).chain(job.input.finishes.map(|finishing| finishing.key)).collect()
        }
        Operation::File(job) => {
            let arrivals = &job.input.arrivals;
            let used = arrivals.iter().filter_map(|arrival| arrival.consent.as_ref().map(of_use));
            used.chain(arrivals.iter().filter_map(|arrival| arrival.event.as_ref().map(Event::consent)))
                .collect()
        }
        Operation::Consent(job) => vec![job.input.key],
        _ => Vec::new(),
    }
}

/// Whether nothing here is about a consent, which is how it is with almost everything.
pub(super) fn concerns(operation: &Operation) -> bool {
    !keys_of(operation).is_empty()
}

/// Finds the consents that the operations are about, makes those that are not known, and notes the newest extracts.
pub(super) async fn resolve(
    connection: &mut SqliteConnection,
    names: &Names,
    group: &mut Group,
    operations: &[Operation],
) -> Result<(), StoreError> {
    let mut keys: Vec<ConsentKey> = operations.iter().flat_map(keys_of).collect();
    if keys.is_empty() {
        return Ok(());
    }
    keys.sort_unstable();
    keys.dedup();
    group.consents = known(connection, &keys).await?;
    let new: Vec<(ConsentKey, i64)> = keys
        .iter()
        .filter(|key| !group.consents.contains_key(*key))
        .map(|key| Ok((*key, names.party(key.holder)?)))
        .collect::<Result<_, StoreError>>()?;
    if !new.is_empty() {
        NEW.insert(connection, &new, |(key, holder), values| {
            values.add(key.id.as_bytes().to_vec()).add(*holder);
        })
        .await?;
        group.consents = known(connection, &keys).await?;
    }
    let mut noted = HashSet::new();
    for used in operations.iter().flat_map(uses_of).filter(|used| noted.insert((used.key, &used.extract))) {
        note_extract(connection, group, (used.key, &used.extract, used.valid_until)).await?;
    }
    group.noticed = noticed(connection, operations, &group.consents).await?;
    Ok(())
}

fn uses_of(operation: &Operation) -> Vec<&ConsentUse> {
    match operation {
        Operation::Enqueue(job) => {
            job.input.messages.iter().filter_map(|message| message.consent.as_ref()).collect()
        }
        Operation::File(job) => {
            job.input.arrivals.iter().filter_map(|arrival| arrival.consent.as_ref()).collect()
        }
        _ => Vec::new(),
    }
}

/// The consents among these that are known.
pub(crate) async fn known(
    connection: &mut SqliteConnection,
    keys: &[ConsentKey],
) -> Result<HashMap<ConsentKey, Known>, StoreError> {
    let rows = KNOWN
        .list(connection, keys, |key, values| {
            values.add(key.id.as_bytes().to_vec());
        })
        .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let holder = row.try_get::<&str, _>(1)?.parse().map_err(|_| damaged("an OIN"))?;
        let key = ConsentKey { holder, id: uuid(row.try_get(0)?)? };
        let known = Known {
            number: row.try_get(2)?,
            state: consent_state(row.try_get(3)?)?,
            valid_until: row.try_get::<Option<i64>, _>(4)?.map(time_from_sql).transpose()?,
            to_do: row.try_get(5)?,
            reported: row.try_get(6)?,
        };
        found.insert(key, known);
    }
    Ok(found)
}

/// The newest extract of a consent counts. What had run out holds again by it. Others are kept too: the log names them.
pub(super) async fn note_extract(
    connection: &mut SqliteConnection,
    group: &mut Group,
    (key, extract, until): (ConsentKey, &str, Timestamp),
) -> Result<(), StoreError> {
    let Some(known) = group.consents.get_mut(&key) else { return Ok(()) };
    if known.valid_until.is_some_and(|known| known >= until) {
        return keep_extract(connection, known.number, extract).await;
    }
    let is_extension = known.valid_until.is_some();
    let earlier: Option<String> = sqlx::query_scalar("SELECT extract FROM consent WHERE num = ?1")
        .bind(known.number)
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query("UPDATE consent SET extract = ?2, valid_until = ?3 WHERE num = ?1")
        .bind(known.number)
        .bind(extract)
        .bind(time_to_sql(until))
        .execute(&mut *connection)
        .await?;
    known.valid_until = Some(until);
    if let Some(earlier) = earlier {
        keep_extract(connection, known.number, &earlier).await?;
    }
    if known.state == ConsentState::Expired {
        known.state = ConsentState::InForce;
        known.to_do &= known.reported;
        revive(connection, known.number).await?;
    }
    if is_extension && known.state == ConsentState::InForce {
        // Who was sent something must have the new extract.
        known.to_do = true;
        sqlx::query("UPDATE consent SET to_do = 1 WHERE num = ?1")
            .bind(known.number)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Keeps an extract beside the newest.
async fn keep_extract(
    connection: &mut SqliteConnection,
    number: i64,
    extract: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO consent_extract (consent, digest, extract) SELECT num, ?2, ?3 FROM consent \
         WHERE num = ?1 AND extract IS NOT ?3 ON CONFLICT DO NOTHING",
    )
    .bind(number)
    .bind(Digest::of(extract.as_bytes()).as_bytes().as_slice())
    .bind(extract)
    .execute(connection)
    .await?;
    Ok(())
}

/// What had run out holds again: nothing is left to do about that end, but what a partner reported still is.
async fn revive(connection: &mut SqliteConnection, number: i64) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE consent SET state = 0, ended = NULL, told_holder = NULL, to_do = iif(reported IS NULL, NULL, to_do) \
         WHERE num = ?1",
    )
    .bind(number)
    .execute(&mut *connection)
    .await?;
    forget_confirmations(connection, number).await
}

/// What was said of an earlier end says nothing of the next.
pub(super) async fn forget_confirmations(
    connection: &mut SqliteConnection,
    number: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE consent_notice SET confirmed = NULL, done = NULL, kept = NULL, heard = NULL \
         WHERE consent = ?1 AND confirmed IS NOT NULL",
    )
    .bind(number)
    .execute(connection)
    .await?;
    Ok(())
}

/// The number of the consent that a message rests on. Who decided on it did not know yet that it was withdrawn: decide
/// again.
pub(super) fn check(group: &Group, used: Option<&ConsentUse>) -> Result<Option<i64>, StoreError> {
    let Some(used) = used else { return Ok(None) };
    let known = group.consents.get(&used.key).ok_or(StoreError::NotFound("consent"))?;
    if known.is_over() { Err(StoreError::RulesChanged) } else { Ok(Some(known.number)) }
}

/// Who was told of the end already, by a message that waits or was filed.
async fn noticed(
    connection: &mut SqliteConnection,
    operations: &[Operation],
    consents: &HashMap<ConsentKey, Known>,
) -> Result<HashMap<(ConsentKey, Oin), u64>, StoreError> {
    let mut told: Vec<ConsentKey> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::Enqueue(job) => Some(job.input.messages.iter().filter_map(|message| message.tells)),
            _ => None,
        })
        .flatten()
        .collect();
    told.sort_unstable();
    told.dedup();
    let mut noticed = HashMap::new();
    for key in told {
        let Some(known) = consents.get(&key) else { continue };
        let rows = sqlx::query(
            "SELECT party.oin, n.message FROM consent_notice n JOIN party ON party.num = n.party \
             JOIN message m ON m.idx = n.message WHERE n.consent = ?1 AND (m.state < 2 OR n.confirmed IS NOT NULL) \
             UNION ALL SELECT party.oin, c.reported_by FROM consent c JOIN party ON party.num = c.holder \
             JOIN message m ON m.idx = c.reported_by WHERE c.num = ?1 AND m.state < 2",
        )
        .bind(known.number)
        .fetch_all(&mut *connection)
        .await?;
        for row in rows {
            let oin: Oin = row.try_get::<&str, _>(0)?.parse().map_err(|_| damaged("an OIN"))?;
            noticed.insert((key, oin), from_sql(row.try_get(1)?)?);
        }
    }
    Ok(noticed)
}

/// Notes which messages tell whom of the end of which consents, and which tell the holder of one that it was withdrawn here.
pub(super) async fn note_notices(
    connection: &mut SqliteConnection,
    names: &Names,
    group: &mut Group,
) -> Result<(), StoreError> {
    for (key, to, index) in std::mem::take(&mut group.notices) {
        let known = group.consents.get(&key).ok_or(StoreError::NotFound("consent"))?;
        if to == key.holder {
            sqlx::query("UPDATE consent SET reported_by = ?2 WHERE num = ?1")
                .bind(known.number)
                .bind(to_sql(index))
                .execute(&mut *connection)
                .await?;
            continue;
        }
        sqlx::query(
            "INSERT INTO consent_notice (consent, party, message) VALUES (?1, ?2, ?3) \
             ON CONFLICT (consent, party) DO UPDATE SET message = excluded.message",
        )
        .bind(known.number)
        .bind(names.party(to)?)
        .bind(to_sql(index))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Nothing is left to do about a consent. When it ended, `queued` tells the holder what was done.
pub(super) async fn finish(
    connection: &mut SqliteConnection,
    group: &Group,
    (finishing, queued): (&Finishing, Option<u64>),
) -> Result<(), StoreError> {
    let known = group.consents.get(&finishing.key).ok_or(StoreError::NotFound("consent"))?;
    sqlx::query("UPDATE consent SET to_do = NULL, told_holder = ?2 WHERE num = ?1")
        .bind(known.number)
        .bind(queued.filter(|_| finishing.state != ConsentState::InForce).map(to_sql))
        .execute(connection)
        .await?;
    Ok(())
}

/// Carries out what the messages of a delivery that are new here say about consents.
pub(super) async fn apply_events(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (arrivals, filed): (&[Arrival], &mut Filed),
) -> Result<(), StoreError> {
    for (position, index) in std::mem::take(&mut filed.events) {
        let arrival = &arrivals[position];
        let Some(event) = &arrival.event else { continue };
        let known = *group.consents.get(&event.consent()).ok_or(StoreError::NotFound("consent"))?;
        match event {
            Event::Withdrawn(statement) => {
                let told = (statement, index, arrival.received);
                filed.ended.extend(withdrawn(writer, connection, group, (known, told)).await?);
            }
            Event::Extended(extract) => extended(connection, group, extract).await?,
            Event::Reported { at, .. } => {
                reported(connection, known.number, *at).await?;
                let waited = (known.number, WITHDRAWN_REASON, arrival.received);
                filed.ended.extend(end_waiting(writer, connection, group, waited).await?);
            }
            Event::Processed(processed) => {
                let said = (arrival.from, arrival.received, processed);
                confirmed(connection, &writer.names, (known, said)).await?;
            }
        }
    }
    Ok(())
}

async fn extended(
    connection: &mut SqliteConnection,
    group: &mut Group,
    extract: &Extract,
) -> Result<(), StoreError> {
    note_extract(connection, group, (extract.key(), extract.compact(), extract.valid_until())).await
}

/// The first withdrawal counts.
async fn withdrawn(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (known, (statement, index, now)): (Known, (&Statement, u64, Timestamp)),
) -> Result<Vec<(Oin, u64)>, StoreError> {
    sqlx::query(
        "UPDATE consent SET state = 1, ended = ?2, statement = ?3, told_by = ?4, to_do = 1 \
         WHERE num = ?1 AND statement IS NULL",
    )
    .bind(known.number)
    .bind(time_to_sql(statement.at()))
    .bind(statement.compact())
    .bind(to_sql(index))
    .execute(&mut *connection)
    .await?;
    end_waiting(writer, connection, group, (known.number, WITHDRAWN_REASON, now)).await
}

/// Only the holder signs a withdrawal. It does so when it comes to it; until then nothing more rests on the consent.
async fn reported(connection: &mut SqliteConnection, number: i64, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE consent SET reported = coalesce(reported, ?2), to_do = 1 WHERE num = ?1 AND state <> 1",
    )
    .bind(number)
    .bind(time_to_sql(at))
    .execute(connection)
    .await?;
    Ok(())
}

/// What a receiver says that it did counts once the consent ended; before that there was nothing to do. Of two that it says
/// the later counts by its own clock, as far as that can be right; to whom it was passed on is believed as far as the
/// resident agreed to that.
async fn confirmed(
    connection: &mut SqliteConnection,
    names: &Names,
    (known, (from, received, processed)): (Known, (Oin, Timestamp, &Processed)),
) -> Result<(), StoreError> {
    let extract: Option<String> = sqlx::query_scalar("SELECT extract FROM consent WHERE num = ?1")
        .bind(known.number)
        .fetch_one(&mut *connection)
        .await?;
    let ran_out = known.valid_until.is_some_and(|until| until <= received);
    if !known.is_over() && known.state == ConsentState::InForce && !ran_out {
        return Ok(());
    }
    let terms = extract.as_deref().and_then(Extract::peek);
    let at = processed.at.min(received.saturating_add(MAX_CLOCK_SKEW).unwrap_or(Timestamp::MAX));
    let party = names.party(from)?;
    let kept = processed.kept.as_ref().and_then(|kept| serde_json::to_string(kept).ok());
    sqlx::query(
        "INSERT INTO consent_notice (consent, party, confirmed, done, kept, heard) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (consent, party) DO UPDATE SET confirmed = excluded.confirmed, done = excluded.done, \
         kept = excluded.kept, heard = excluded.heard WHERE confirmed IS NULL OR confirmed <= excluded.confirmed",
    )
    .bind(known.number)
    .bind(party)
    .bind(time_to_sql(at))
    .bind(processed.done.as_str())
    .bind(kept)
    .bind(time_to_sql(received))
    .execute(&mut *connection)
    .await?;
    let granted = |oin: &&Oin| terms.as_ref().is_none_or(|terms| terms.granted_to.contains(oin));
    for oin in processed.passed_to.iter().filter(granted) {
        sqlx::query(
            "INSERT INTO consent_notice (consent, party, via) VALUES (?1, ?2, ?3) \
             ON CONFLICT (consent, party) DO UPDATE SET via = coalesce(via, excluded.via)",
        )
        .bind(known.number)
        .bind(names.party(*oin)?)
        .bind(party)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What a sealed record is bound to: its place, and for how many days it is kept.
pub(super) fn bound_to(index: u64, keep_days: i64) -> Vec<u8> {
    [b"toestemming".as_slice(), &index.to_be_bytes(), &keep_days.to_be_bytes()].concat()
}

/// Opens a record. [`StoreError::Erased`] when its key was destroyed.
pub(super) fn open_record(
    vault: &Vault,
    (index, keep_days): (u64, i64),
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let opened = vault.entries.open_for(index, &bound_to(index, keep_days), sealed);
    // Earlier versions bound it to its place alone.
    let earlier = [b"toestemming".as_slice(), &index.to_be_bytes()].concat();
    match opened {
        Err(StoreError::Corrupt(_)) => vault.entries.open_for(index, &earlier, sealed),
        opened => opened,
    }
}

/// What waits and rests on this consent does not leave any more, for this reason.
pub(super) async fn end_waiting(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (consent, reason, now): (i64, &str, Timestamp),
) -> Result<Vec<(Oin, u64)>, StoreError> {
    let reason = writer.names.word(reason)?;
    let rows = sqlx::query(
        "UPDATE message INDEXED BY message_consent SET state = ?2, reason = ?3, finished = ?4, queued = NULL \
         WHERE consent = ?1 AND queued IS NOT NULL \
         RETURNING idx, party, (SELECT oin FROM party WHERE num = message.party)",
    )
    .bind(consent)
    .bind(state_to_sql(State::Undeliverable))
    .bind(reason)
    .bind(time_to_sql(now))
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
    Ok(ended)
}

/// A withdrawal that arrives counts for what comes after it in the same transaction.
pub(super) fn note_end(group: &mut Group, arrival: &Arrival) {
    let (Verdict::Admitted(_), Some(event)) = (&arrival.verdict, &arrival.event) else { return };
    let Some(known) = group.consents.get_mut(&event.consent()) else { return };
    match event {
        Event::Withdrawn(_) => known.state = ConsentState::Withdrawn,
        Event::Reported { .. } => known.reported = true,
        Event::Extended(_) | Event::Processed(_) => {}
    }
}

pub(super) fn consent_state(number: i64) -> Result<ConsentState, StoreError> {
    match number {
        0 => Ok(ConsentState::InForce),
        1 => Ok(ConsentState::Withdrawn),
        2 => Ok(ConsentState::Expired),
        _ => Err(damaged("the state of a consent")),
    }
}
