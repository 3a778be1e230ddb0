//! What must hold at the end of every run.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use exchange::{digest::Digest, message::MAX_CLOCK_SKEW, refusal::Reason};
use store::{Check, Direction, MessageRow, State, Verdict};
use uuid::Uuid;

use super::{
    documents::{self, Line},
    operation::Side,
    receipts,
    world::World,
};

/// A message as a node stored it.
pub(super) struct Stored {
    pub(super) row: MessageRow,
    pub(super) line: Line,
}

/// Checks all there is to check.
pub(super) fn everything(world: &mut World) -> anyhow::Result<()> {
    for side in Side::BOTH {
        world.node(side).observe().with_context(|| format!("{side:?}"))?;
    }
    for side in Side::BOTH {
        log_is_whole(world, side).with_context(|| format!("the log of {side:?}"))?;
        counts_add_up(world, side).with_context(|| format!("the counts of {side:?}"))?;
    }
    for side in Side::BOTH {
        let sent = outbox(world, side).with_context(|| format!("the outbox of {side:?}"))?;
        let received =
            inbox(world, side.other()).with_context(|| format!("the inbox of {:?}", side.other()))?;
        every_promise_kept(world, side, &sent)?;
        only_what_was_sent(world, &sent, &received)?;
        in_order(world, &sent, &received)?;
        for message in &sent {
            let context = || format!("message {} of {side:?}, {:?}", message.line.id, message.row);
            ended(world, side, message, &received).with_context(context)?;
        }
    }
    Ok(())
}

/// Every leaf is under the signed checkpoint, and every message is the one its leaf speaks of.
fn log_is_whole(world: &World, side: Side) -> anyhow::Result<()> {
    let node = world.at(side);
    let verdict = node.steady(async |core| {
        let anchors = core.store.anchors(core.me).await?;
        core.store.verify(Check { anchors, closed: false }, |_, _| {}).await
    })??;
    let Verdict::Whole { size, .. } = verdict else { anyhow::bail!("{verdict:?}") };
    ensure!(node.log_size == Some(size), "{size} entries, not {:?}", node.log_size);
    Ok(())
}

/// The counts people see are those of the messages there are.
fn counts_add_up(world: &World, side: Side) -> anyhow::Result<()> {
    let node = world.at(side);
    let mut expected: BTreeMap<_, u64> = BTreeMap::new();
    for row in node.rows() {
        *expected.entry((row.partner, row.direction, row.state, row.reason.clone())).or_default() += 1;
    }
    let counts = node.steady(async |core| core.store.counts().await)??;
    let found: BTreeMap<_, u64> = counts
        .into_iter()
        .map(|count| ((count.partner, count.direction, count.state, count.reason), count.count))
        .collect();
    ensure!(found == expected, "{found:?} instead of {expected:?}");
    Ok(())
}

fn outbox(world: &World, side: Side) -> anyhow::Result<Vec<Stored>> {
    stored(world, side, |row| row.direction == Direction::Outbound)
}

fn inbox(world: &World, side: Side) -> anyhow::Result<Vec<Stored>> {
    stored(world, side, |row| row.direction == Direction::Inbound && row.state == State::Admitted)
}

/// Messages in log order, with their content.
fn stored(world: &World, side: Side, wanted: fn(&MessageRow) -> bool) -> anyhow::Result<Vec<Stored>> {
    let node = world.at(side);
    let mut found = Vec::new();
    for row in node.rows().iter().filter(|row| wanted(row)) {
        let payload = node.steady(async |core| core.store.payload_for_machine_check(row.index).await)??;
        ensure!(Digest::of(payload.as_bytes()) == row.digest, "message {} was changed", row.index);
        let line = documents::read(&payload).context("a message of ours")?;
        ensure!(
            row.id == Some(line.id) && row.case == Some(line.case),
            "{row:?} says otherwise than {line:?}"
        );
        found.push(Stored { row: row.clone(), line });
    }
    Ok(found)
}

/// What was promised to a source is in the outbox, as it was offered, and nothing else is. A record is there once, or
/// once more after each time that its message was refused or not delivered.
fn every_promise_kept(world: &World, side: Side, sent: &[Stored]) -> anyhow::Result<()> {
    let found: BTreeMap<Uuid, &Stored> = sent.iter().map(|message| (message.line.id, message)).collect();
    ensure!(found.len() == sent.len(), "{side:?} has a message twice");
    let mut before = BTreeMap::new();
    for message in sent {
        let earlier = before.insert(message.line.serial, message.row.state);
        let over = earlier.is_none_or(|state| matches!(state, State::Refused | State::Undeliverable));
        ensure!(over, "{side:?} sent record {} twice", message.line.serial);
    }
    let promised = world.model.messages.iter().filter(|(_, number)| world.model.records[**number].by == side);
    let mut count = 0;
    for (id, number) in promised {
        let record = &world.model.records[*number];
        let message = found.get(id).with_context(|| format!("message {id} of {side:?} is lost"))?;
        ensure!(record.refusal.is_none() && record.agreed, "record {number} should not have left");
        ensure!(
            message.line.data == *record.submission.document.value(),
            "message {id} is not what was offered"
        );
        count += 1;
    }
    ensure!(count == sent.len(), "{side:?} has {} messages and promised {count}", sent.len());
    let answered = world.model.records.iter().filter(|record| record.by == side);
    ensure!(answered.into_iter().all(|record| !record.unanswered), "{side:?} left a source without answer");
    Ok(())
}

/// The inbox holds what the partner's rules permitted, each message once, bit for bit as it was sent.
fn only_what_was_sent(world: &World, sent: &[Stored], received: &[Stored]) -> anyhow::Result<()> {
    let mut ids = BTreeSet::new();
    for message in received {
        let id = message.line.id;
        ensure!(ids.insert(id), "message {id} is in the inbox twice");
        let original = sent.iter().find(|one| one.line.id == id);
        let original = original.with_context(|| format!("message {id} in the inbox was never sent"))?;
        ensure!(original.row.digest == message.row.digest, "message {id} is another than was sent");
        let record = &world.model.records[usize::try_from(message.line.serial)?];
        ensure!(record.refusal.is_none() && record.agreed, "message {id} is against the rules");
        let in_time = message.row.finished <= message.row.expires;
        ensure!(in_time && message.row.finished.is_some(), "message {id} came in after it expired");
        let same =
            |row: &MessageRow| (row.case, row.message_type.clone(), row.purpose.clone(), row.agreement);
        ensure!(same(&original.row) == same(&message.row), "{:?} and {:?}", original.row, message.row);
    }
    Ok(())
}

/// Within a case, messages came in as they went out.
fn in_order(world: &World, sent: &[Stored], received: &[Stored]) -> anyhow::Result<()> {
    let place: BTreeMap<Uuid, u64> =
        sent.iter().map(|message| (message.line.id, message.row.index)).collect();
    let mut last: BTreeMap<Uuid, u64> = BTreeMap::new();
    for message in received {
        let case = message.line.case;
        if world.model.disordered.contains(&case) {
            continue;
        }
        let place = place[&message.line.id];
        let before = last.insert(case, place);
        ensure!(before < Some(place), "message {} overtook another of its case", message.line.id);
    }
    Ok(())
}

/// A message that was sent has an end that both sides know, and that is as it should be.
fn ended(world: &mut World, side: Side, message: &Stored, received: &[Stored]) -> anyhow::Result<()> {
    let reason = message.row.reason.as_deref().and_then(Reason::of_code);
    let there = received.iter().any(|one| one.row.digest == message.row.digest);
    match message.row.state {
        State::Waiting => anyhow::bail!("it still waits"),
        State::Admitted => {
            world.coverage.admitted += 1;
            ensure!(there, "it was admitted and is not in the inbox");
        }
        State::Refused => {
            world.coverage.refused += 1;
            ensure!(!there, "it was refused and is in the inbox");
            let reason = reason.context("a refusal with a reason")?;
            ensure!(explained(world, side, message, reason), "no cause for {reason}");
        }
        State::Undeliverable => {
            // Whatever else was not delivered a person had sent again.
            let expired = message.row.expires.is_some_and(|expires| expires <= world.at(side).now());
            let lapsed = reason == Some(Reason::AgreementNotInForce)
                && !world.in_force(side, &message.line.agreement)?;
            let replaced = world.model.is_replaced(message.line.id);
            ensure!(expired || lapsed || replaced, "nobody tried any more");
            ensure!(expired || replaced || !there, "it was given up and is in the inbox");
            world.coverage.expired += u64::from(!lapsed);
            world.coverage.lapsed += u64::from(lapsed);
            return Ok(());
        }
    }
    receipts::check(world, side, message)
}

/// Whether something in the run explains why an honest message was refused.
fn explained(world: &World, side: Side, message: &Stored, reason: Reason) -> bool {
    let (sender, receiver) = (world.at(side), world.at(side.other()));
    let over = |end: jiff::Timestamp| receiver.now() > end;
    match reason {
        Reason::WrongTime => sender.skew - receiver.skew > MAX_CLOCK_SKEW,
        Reason::Expired => message.row.expires.is_some_and(over),
        Reason::AgreementNotInForce => {
            world.model.ended.values().any(|ended| !ended.is_empty())
                || super::parties::end_of_agreement().is_ok_and(over)
        }
        Reason::DuplicateWithOtherContent => world.model.stolen.contains(&message.line.id),
        _ => false,
    }
}
