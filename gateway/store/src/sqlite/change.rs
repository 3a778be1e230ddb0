//! Small changes: partners, agreements, sending again.

use std::{collections::BTreeSet, sync::LazyLock};

use exchange::{digest::Digest, oin::Oin, tlog::Leaf};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::{direction_to_sql, state_to_sql, time_to_sql, to_sql},
    committer::Writer,
    erase,
    events::{self, EventChange},
    group::{Group, Kind},
    handover,
    joining::{self, Decision},
    matching,
    names::{Missing, Names},
    processing, read,
    rows::{Part, Statement},
    signal_term::{self, SignalTermChange},
    subject, submission,
    undelivered::{self, Resignation},
    witness,
};
use crate::{
    error::StoreError,
    handovers::Looked,
    matching::Matched,
    model::{CosignedCheckpoint, Direction, Owed, PartnerCheckpoint, PartnerRecord, State},
    subject::Tokens,
    submission::Answered,
};

static NEW_NOTICES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::Insert("notice", &["answer", "party"], "ON CONFLICT DO NOTHING")));

static NEW_PURPOSES: LazyLock<Statement> = LazyLock::new(|| {
    let columns = &["agreement", "position", "digest", "content"];
    Statement::new(&Part::Insert("agreement_purpose", columns, ""))
});

/// A small change.
pub(crate) enum Change {
    PutPartner(PartnerRecord),
    RefreshPartner { previous: String, record: PartnerRecord },
    RemovePartner(Oin),
    Failed { oin: Oin, reason: String, now: Timestamp, next_attempt: Timestamp },
    Reached { oin: Oin, now: Timestamp },
    TrySooner { oin: Oin, at: Timestamp },
    PutCheckpoint { oin: Oin, checkpoint: PartnerCheckpoint },
    PutCosigned(CosignedCheckpoint),
    PutAgreement { digest: Digest, content: String, purposes: Vec<(Digest, String)>, now: Timestamp },
    PutAnswer { agreement: Digest, from: Oin, jws: String, leaf: Leaf, notify: Vec<Oin> },
    Resend { index: u64, now: Timestamp },
    GiveUp(Resignation),
    PassOn { index: u64, from: Option<String>, to: String },
    Told(Owed),
    ForgetAgreement(Digest),
    Destroyed { indexes: Vec<u64>, version: u64 },
    // Tokens of messages from before the lookup existed, and up to where that is all of them.
    FillSubjects { tokens: Vec<(u64, Tokens)>, through: u64 },
    // The next run of tokens.
    WriteSubjects { run: u64 },
    HandoverLookedAt(Looked),
    Exported { from: u64, next: u64, records: u64, rejected: u64, now: Timestamp },
    ExportFailed { reason: String, now: Timestamp },
    // Nothing is brought to a collector any more.
    ForgetErasedSubjects,
    // Signals were held against those before them.
    Matched { from: u64, through: u64, found: Vec<Matched>, now: Timestamp },
    JoinSignals { one: u64, other: u64, decision: Decision },
    KeepSignalsApart { one: u64, other: u64, decision: Decision },
    SplitSignals { taken: BTreeSet<u64>, decision: Decision },
    SignalTerms(SignalTermChange),
    Answered(Answered),
    Events(EventChange),
}

impl Change {
    pub(super) fn missing_names<'o>(&'o self, names: &Names, missing: &mut Missing<'o>) {
        match self {
            Self::PutPartner(record) | Self::RefreshPartner { record, .. } => {
                missing.party(names, record.oin);
            }
            Self::RemovePartner(oin)
            | Self::Failed { oin, .. }
            | Self::Reached { oin, .. }
            | Self::TrySooner { oin, .. }
            | Self::PutCheckpoint { oin, .. } => missing.party(names, *oin),
            Self::PutCosigned(checkpoint) => witness::missing_names(checkpoint, names, missing),
            Self::Told(owed) => missing.party(names, owed.to),
            Self::PutAnswer { from, notify, .. } => {
                missing.party(names, *from);
                for oin in notify {
                    missing.party(names, *oin);
                }
            }
            Self::GiveUp(resignation) => missing.word(names, resignation.why.code()),
            Self::PutAgreement { .. }
            | Self::ForgetAgreement(_)
            | Self::Resend { .. }
            | Self::PassOn { .. }
            | Self::Destroyed { .. }
            | Self::HandoverLookedAt(_)
            | Self::FillSubjects { .. }
            | Self::WriteSubjects { .. }
            | Self::Exported { .. }
            | Self::ForgetErasedSubjects
            | Self::ExportFailed { .. }
            | Self::Matched { .. }
            | Self::JoinSignals { .. }
            | Self::KeepSignalsApart { .. }
            | Self::SplitSignals { .. }
            | Self::SignalTerms(_)
            | Self::Answered(_)
            | Self::Events(_) => {}
        }
    }
}

/// Makes the change; returns how many rows it touched.
pub(super) async fn apply(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    change: &Change,
) -> Result<u64, StoreError> {
    let names = &writer.names;
    match change {
        Change::PutPartner(record) => put_partner(connection, names.party(record.oin)?, record).await,
        Change::RefreshPartner { previous, record } => {
            refresh_partner(connection, names.party(record.oin)?, (previous, record)).await
        }
        Change::RemovePartner(oin) => remove_partner(connection, names.party(*oin)?).await,
        Change::Failed { oin, reason, now, next_attempt } => {
            failed(connection, names.party(*oin)?, reason, (*now, *next_attempt)).await
        }
        Change::Reached { oin, now } => reached(connection, names.party(*oin)?, *now).await,
        Change::TrySooner { oin, at } => try_sooner(connection, names.party(*oin)?, *at).await,
        Change::PutCheckpoint { oin, checkpoint } => {
            put_checkpoint(connection, names.party(*oin)?, checkpoint).await
        }
        Change::PutCosigned(checkpoint) => witness::put_cosigned(connection, names, checkpoint).await,
        Change::PutAgreement { digest, content, purposes, now } => {
            put_agreement(connection, (digest, content), purposes, *now).await
        }
        Change::PutAnswer { agreement, from, jws, leaf, notify } => {
            let new = put_answer(connection, names, (agreement, *from, jws), notify).await?;
            if new > 0 {
                group.log(&mut writer.edge, leaf);
            }
            Ok(new)
        }
        Change::Resend { index, now } => resend(writer, connection, group, (*index, *now)).await,
        Change::GiveUp(resignation) => undelivered::resign(names, connection, group, *resignation).await,
        Change::PassOn { index, from, to } => pass_on(connection, *index, (from.as_deref(), to)).await,
        Change::Told(owed) => told(connection, names.party(owed.to)?, owed).await,
        Change::ForgetAgreement(digest) => forget_agreement(connection, digest).await,
        Change::HandoverLookedAt(seen) => handover::looked_at(connection, seen).await,
        Change::Exported { from, next, records, rejected, now } => {
            processing::exported(connection, (*from, *next), (*records, *rejected), *now).await
        }
        Change::ForgetErasedSubjects => processing::forget_subjects(connection, u64::MAX >> 1).await,
        Change::ExportFailed { reason, now } => processing::failed(connection, reason, *now).await,
        Change::Destroyed { indexes, version } => erase::destroyed(connection, indexes, *version).await,
        Change::FillSubjects { tokens, through } => {
            subject::fill(connection, &writer.vault, tokens, *through).await
        }
        Change::Answered(answered) => submission::remember(connection, answered).await,
        Change::WriteSubjects { run } => subject::write_run(connection, *run).await,
        Change::Matched { from, through, found, now } => {
            matching::record(connection, (*from, *through), found, *now).await
        }
        Change::JoinSignals { one, other, decision } => {
            joining::join(connection, (*one, *other), *decision).await
        }
        Change::KeepSignalsApart { one, other, decision } => {
            joining::keep_apart(connection, (*one, *other), *decision).await
        }
        Change::SplitSignals { taken, decision } => joining::split(connection, taken, *decision).await,
        Change::SignalTerms(change) => signal_term::apply(connection, change).await,
        Change::Events(change) => events::apply(connection, change).await,
    }
}

async fn put_partner(
    connection: &mut SqliteConnection,
    party: i64,
    record: &PartnerRecord,
) -> Result<u64, StoreError> {
    sqlx::query(
        "INSERT INTO partner (party, name, kind, descriptor, added, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (party) DO UPDATE SET name = excluded.name, kind = excluded.kind, \
         descriptor = excluded.descriptor, seen = excluded.seen",
    )
    .bind(party)
    .bind(record.name.as_str())
    .bind(record.kind.as_str())
    .bind(record.descriptor.as_str())
    .bind(time_to_sql(record.added))
    .bind(time_to_sql(record.seen))
    .execute(&mut *connection)
    .await?;
    rules_changed(connection).await?;
    Ok(1)
}

/// The node of a partner shows this, and what is known of it is `previous`. Only then: somebody may have removed the partner or
/// brought other keys meanwhile.
async fn refresh_partner(
    connection: &mut SqliteConnection,
    party: i64,
    (previous, record): (&str, &PartnerRecord),
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE partner SET name = ?3, descriptor = ?4, seen = ?5 WHERE party = ?1 AND descriptor = ?2",
    )
    .bind(party)
    .bind(previous)
    .bind(record.name.as_str())
    .bind(record.descriptor.as_str())
    .bind(time_to_sql(record.seen))
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if done > 0 && previous != record.descriptor {
        rules_changed(connection).await?;
    }
    Ok(done)
}

async fn remove_partner(connection: &mut SqliteConnection, party: i64) -> Result<u64, StoreError> {
    let removed = sqlx::query("DELETE FROM partner WHERE party = ?1")
        .bind(party)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if removed > 0 {
        rules_changed(connection).await?;
    }
    Ok(removed)
}

/// Whoever decides by partners and agreements sees from this number that they are no longer the same.
async fn rules_changed(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("UPDATE node SET rules = rules + 1").execute(connection).await?;
    Ok(())
}

async fn failed(
    connection: &mut SqliteConnection,
    party: i64,
    reason: &str,
    (now, next_attempt): (Timestamp, Timestamp),
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE party SET last_failure = ?2, failure = ?3, failures = failures + 1, next_attempt = ?4 WHERE num = ?1",
    )
    .bind(party)
    .bind(time_to_sql(now))
    .bind(reason)
    .bind(time_to_sql(next_attempt))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// The partner answered.
async fn reached(connection: &mut SqliteConnection, party: i64, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE party SET last_contact = ?2, failure = NULL, failures = 0, next_attempt = NULL WHERE num = ?1",
    )
    .bind(party)
    .bind(time_to_sql(now))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Its next attempt is at this moment, if it was to be later.
async fn try_sooner(connection: &mut SqliteConnection, party: i64, at: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("UPDATE party SET next_attempt = ?2 WHERE num = ?1 AND next_attempt > ?2")
        .bind(party)
        .bind(time_to_sql(at))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Keeps the checkpoint, unless one of a larger log is kept already: answers can overtake each other.
async fn put_checkpoint(
    connection: &mut SqliteConnection,
    party: i64,
    checkpoint: &PartnerCheckpoint,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE party SET checkpoint = ?2, checkpoint_size = ?3 \
         WHERE num = ?1 AND coalesce(checkpoint_size, 0) <= ?3",
    )
    .bind(party)
    .bind(checkpoint.note.as_str())
    .bind(to_sql(checkpoint.size))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn put_agreement(
    connection: &mut SqliteConnection,
    (digest, content): (&Digest, &str),
    purposes: &[(Digest, String)],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let stored = sqlx::query(
        "INSERT INTO agreement (digest, content, added) VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest.as_bytes().as_slice())
    .bind(content)
    .bind(time_to_sql(now))
    .execute(&mut *connection)
    .await?;
    // Its content never changes: what is known is the same.
    if stored.rows_affected() == 0 {
        return Ok(0);
    }
    let agreement = stored.last_insert_rowid();
    let rows: Vec<(usize, &(Digest, String))> = purposes.iter().enumerate().collect();
    NEW_PURPOSES
        .insert(connection, &rows, |(position, (digest, text)), values| {
            let position = i64::try_from(*position).unwrap_or(i64::MAX);
            values.add(agreement).add(position).add(digest.as_bytes().to_vec()).add(text.clone());
        })
        .await?;
    rules_changed(connection).await?;
    Ok(1)
}

async fn put_answer(
    connection: &mut SqliteConnection,
    names: &Names,
    (agreement, from, jws): (&Digest, Oin, &str),
    notify: &[Oin],
) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT num FROM agreement WHERE digest = ?1")
        .bind(agreement.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or(StoreError::NotFound("agreement"))?;
    let stored = sqlx::query(
        "INSERT INTO answer (agreement, party, jws) VALUES (?1, ?2, ?3) ON CONFLICT (agreement, jws) DO NOTHING",
    )
    .bind(row.try_get::<i64, _>(0)?)
    .bind(names.party(from)?)
    .bind(jws)
    .execute(&mut *connection)
    .await?;
    if stored.rows_affected() == 0 {
        return Ok(0);
    }
    let answer = stored.last_insert_rowid();
    let parties: Vec<i64> = notify.iter().map(|oin| names.party(*oin)).collect::<Result<_, _>>()?;
    NEW_NOTICES
        .insert(connection, &parties, |party, values| {
            values.add(answer).add(*party);
        })
        .await?;
    rules_changed(connection).await?;
    Ok(1)
}

/// Puts an undelivered message in the queue again, behind everything that is in it. Not when another has taken its
/// place: then the same row of a source would go twice.
async fn resend(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    (index, now): (u64, Timestamp),
) -> Result<u64, StoreError> {
    let outbound = direction_to_sql(Direction::Outbound);
    let undeliverable = state_to_sql(State::Undeliverable);
    // What rests on a consent goes as long as that holds, also when it is kept on another basis: its receiver would have
    // nothing but the consent.
    let row = sqlx::query(
        "SELECT m.party, m.reason FROM message m LEFT JOIN consent c ON c.num = m.consent \
         LEFT JOIN word reason ON reason.num = m.reason \
         WHERE m.idx = ?1 AND m.direction = ?2 AND m.state = ?3 AND m.expires > ?4 AND m.replaced = 0 \
         AND NOT coalesce(reason.text, '') GLOB ?5 \
         AND (c.num IS NULL OR (c.state = 0 AND c.reported IS NULL AND coalesce(c.valid_until > ?4, 1)))",
    )
    .bind(to_sql(index))
    .bind(outbound)
    .bind(undeliverable)
    .bind(time_to_sql(now))
    .bind(undelivered::given_up())
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(StoreError::NotFound("undelivered message that has not expired"))?;
    // What nobody can read cannot be sent.
    match read::payload(&mut *connection, &writer.vault, index).await {
        Err(StoreError::Corrupt(_)) => {
            return Err(StoreError::NotFound("undelivered message that can be read"));
        }
        read => drop(read?),
    }
    let party: i64 = row.try_get(0)?;
    let from: Kind = (party, outbound, undeliverable, row.try_get::<Option<i64>, _>(1)?.unwrap_or(0));
    group.count(from, -1);
    group.count((party, outbound, state_to_sql(State::Waiting), 0), 1);
    let done = sqlx::query(
        "UPDATE message SET state = 0, reason = NULL, finished = NULL, queued = ?2 WHERE idx = ?1",
    )
    .bind(to_sql(index))
    .bind(to_sql(writer.edge.size()))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Puts what came in at another desk, if it is still at that one.
async fn pass_on(
    connection: &mut SqliteConnection,
    index: u64,
    (from, to): (Option<&str>, &str),
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET desk = ?3 WHERE idx = ?1 AND direction = ?4 AND state = ?5 AND erased IS NULL \
         AND desk IS ?2",
    )
    .bind(to_sql(index))
    .bind(from)
    .bind(to)
    .bind(direction_to_sql(Direction::Inbound))
    .bind(state_to_sql(State::Admitted))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// By answer and not by notice: numbers of notices are used again, those of answers only once their agreement is
/// forgotten, and then for another.
async fn told(connection: &mut SqliteConnection, party: i64, owed: &Owed) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM notice WHERE party = ?1 AND answer <= ?2 AND answer IN \
         (SELECT a.num FROM answer a JOIN agreement g ON g.num = a.agreement WHERE g.digest = ?3)",
    )
    .bind(party)
    .bind(to_sql(owed.through))
    .bind(owed.agreement.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn forget_agreement(connection: &mut SqliteConnection, digest: &Digest) -> Result<u64, StoreError> {
    let mut touched = 0;
    for forget in [
        "DELETE FROM notice WHERE answer IN \
         (SELECT a.num FROM answer a JOIN agreement g ON g.num = a.agreement WHERE g.digest = ?1)",
        "DELETE FROM answer WHERE agreement IN (SELECT num FROM agreement WHERE digest = ?1)",
        "DELETE FROM agreement_purpose WHERE agreement IN (SELECT num FROM agreement WHERE digest = ?1)",
        "DELETE FROM agreement WHERE digest = ?1",
    ] {
        let done = sqlx::query(forget).bind(digest.as_bytes().as_slice()).execute(&mut *connection).await?;
        touched = done.rows_affected();
    }
    if touched > 0 {
        rules_changed(connection).await?;
    }
    Ok(touched)
}
