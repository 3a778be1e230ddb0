//! One transaction of the committer: from the operations to what is written for them.

use sqlx::SqliteConnection;

use super::{
    access, change,
    column::to_sql,
    committer::{Operation, Writer},
    consent, deeds, erase,
    file::{self, Filed},
    group::Group,
    names::{Missing, Names},
    outbound,
    tree::Edge,
    witness,
};
use crate::error::StoreError;

/// Does all operations in one transaction. On an error nothing of it remains.
pub(super) async fn transact(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    operations: &mut [Operation],
) -> Result<(), StoreError> {
    let result = run(writer, connection, operations).await;
    if result.is_err() {
        // There may be nothing to roll back: the transaction did not begin, or SQLite has done this already.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    result
}

async fn run(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    operations: &mut [Operation],
) -> Result<(), StoreError> {
    let mut group = Group::default();
    let before = group.begin(connection, operations).await?;
    if !writer.edge.is_at(&before) {
        writer.edge = Edge::load(connection, &before).await?;
    }
    let missing = missing_names(&writer.names, operations);
    writer.names.resolve(connection, missing).await?;
    consent::resolve(connection, &writer.names, &mut group, operations).await?;
    outbound::find_offered(connection, &mut group, operations).await?;
    for operation in &mut *operations {
        prepare(writer, &mut group, operation)?;
    }
    if !group.fits_in_commit() || !operations.iter().all(is_prepared) {
        group.write(connection).await?;
        for operation in &mut *operations {
            complete(writer, connection, &mut group, operation).await?;
        }
        if group.has_grown() {
            group.write_entries(connection).await?;
        }
    }
    let logged = writer.edge.size() != before.size;
    let written = group.commit(connection, logged.then_some(&mut writer.edge)).await?;
    writer.wal.wrote(written);
    Ok(())
}

/// What of an operation needs no database: what it logs and queues.
fn prepare(writer: &mut Writer, group: &mut Group, operation: &mut Operation) -> Result<(), StoreError> {
    match operation {
        Operation::Enqueue(job) => {
            let enqueued = outbound::enqueue(writer, group, &job.input)?;
            let held_back = !job.input.held_back.is_empty();
            if let Some(deciding) = &mut job.input.decision {
                deciding.decide((&mut writer.edge, group), (&enqueued, held_back))?;
            }
            job.answer = Some(enqueued);
        }
        Operation::Append(job) => {
            job.answer = Some(writer.edge.size());
            for leaf in &job.input {
                group.log(&mut writer.edge, leaf);
            }
        }
        Operation::File(job) => job.answer = Some(file::file(writer, group, &job.input)?),
        Operation::Consent(job) => job.answer = Some(deeds::begin(writer, group, &job.input)?),
        Operation::Access(job) => job.answer = Some(group.log(&mut writer.edge, &job.input.leaf)),
        Operation::Settle(_)
        | Operation::Checkpoint(_)
        | Operation::Erase(_)
        | Operation::Alarm(_)
        | Operation::Change(_) => {}
    }
    Ok(())
}

/// Whether an operation is done once what it logs and queues is written.
fn is_prepared(operation: &Operation) -> bool {
    match operation {
        Operation::Enqueue(job) => !job.input.has_more(),
        Operation::Append(_) => true,
        Operation::File(job) => job.answer.as_ref().is_some_and(Filed::is_complete),
        Operation::Settle(_)
        | Operation::Checkpoint(_)
        | Operation::Erase(_)
        | Operation::Alarm(_)
        | Operation::Access(_)
        | Operation::Change(_)
        | Operation::Consent(_) => false,
    }
}

/// What an operation does once everything that is logged is written.
async fn complete(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    operation: &mut Operation,
) -> Result<(), StoreError> {
    match operation {
        Operation::File(job) => {
            if let Some(filed) = &mut job.answer {
                file::prove_known(connection, &writer.edge, filed).await?;
                let arrivals = job.input.arrivals.as_slice();
                consent::apply_events(writer, connection, group, (arrivals, filed)).await?;
            }
        }
        Operation::Settle(job) => {
            job.answer = Some(outbound::settle(writer, connection, group, &job.input).await?);
        }
        Operation::Erase(job) => {
            job.answer = Some(erase::erase(writer, connection, group, &job.input).await?);
        }
        Operation::Alarm(job) => {
            let (alarm, leaf) = &job.input;
            job.answer = Some(witness::raise(writer, connection, group, (alarm, leaf)).await?);
        }
        Operation::Access(job) => {
            let index = job.answer.ok_or(StoreError::NotFound("place in the log"))?;
            access::keep(writer, connection, (index, &job.input)).await?;
        }
        Operation::Change(job) => {
            job.answer = Some(change::apply(writer, connection, group, &job.input).await?);
        }
        Operation::Checkpoint(job) => job.answer = Some(store_checkpoint(writer, connection).await?),
        Operation::Consent(job) => {
            if let Some(done) = &mut job.answer {
                deeds::carry_out(writer, connection, group, (&job.input, done)).await?;
            }
        }
        Operation::Enqueue(job) => {
            consent::note_notices(connection, &writer.names, group).await?;
            if let Some(finishing) = &job.input.finishes {
                let confirmation = job.answer.as_deref().and_then(outbound::first_queued);
                consent::finish(connection, group, (finishing, confirmation)).await?;
            }
            let decided = job.input.decision.as_ref().and_then(|deciding| deciding.made.as_ref());
            if let Some((index, recording)) = decided {
                access::keep(writer, connection, (*index, recording)).await?;
            }
        }
        Operation::Append(_) => {}
    }
    Ok(())
}

async fn store_checkpoint(writer: &Writer, connection: &mut SqliteConnection) -> Result<String, StoreError> {
    let note = writer.sign_head();
    sqlx::query("UPDATE log_state SET checkpoint = ?1, checkpoint_size = ?2")
        .bind(note.as_str())
        .bind(to_sql(writer.edge.size()))
        .execute(connection)
        .await?;
    Ok(note)
}

/// The names that these operations put in rows and that have no number at hand.
fn missing_names<'o>(names: &Names, operations: &'o [Operation]) -> Missing<'o> {
    let mut missing = Missing::default();
    for operation in operations {
        match operation {
            Operation::Enqueue(job) => outbound::missing_names(names, &job.input.messages, &mut missing),
            Operation::File(job) => file::missing_names(names, &job.input, &mut missing),
            Operation::Settle(job) => job.input.missing_names(names, &mut missing),
            Operation::Erase(_) => erase::missing_names(names, &mut missing),
            Operation::Alarm(job) => missing.party(names, job.input.0.log),
            Operation::Change(job) => job.input.missing_names(names, &mut missing),
            Operation::Append(_)
            | Operation::Checkpoint(_)
            | Operation::Access(_)
            | Operation::Consent(_) => {}
        }
        if consent::concerns(operation) {
            consent::missing_names(names, operation, &mut missing);
        }
    }
    missing
}
