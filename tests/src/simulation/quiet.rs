//! The end of a run: the network is perfect, time goes on, and everything is driven until nothing waits.

use anyhow::{bail, ensure};
use exchange::refusal::Reason;
use jiff::SignedDuration;
use store::{Direction, Filter, State};

use super::{
    operation::{Op, Side},
    world::World,
};

/// After so many rounds everything must be done.
const ROUNDS: usize = 100;
/// How long a round takes.
const ROUND: SignedDuration = SignedDuration::from_secs(60);

/// Drives both nodes until nothing waits. When that does not happen something is stuck.
pub(super) fn settle_down(world: &mut World) -> anyhow::Result<()> {
    for side in Side::BOTH {
        world.node(side).disarm();
        world.spread_agreements(side)?;
        offer_again(world, side)?;
    }
    for _ in 0..ROUNDS {
        while !world.network.is_empty() {
            world.deliver(0)?;
        }
        for side in Side::BOTH {
            let left = world.node(side).under_way()?.len();
            ensure!(left == 0, "{side:?} waits for {left} answers that will not come");
        }
        if !send_what_waits(world)? && nothing_waits(world)? {
            return Ok(());
        }
        world.clock.advance(ROUND);
    }
    bail!("after {ROUNDS} rounds something still waits: {:?}", waiting(world)?)
}

/// Sources that got no answer offer what they have once more.
fn offer_again(world: &mut World, side: Side) -> anyhow::Result<()> {
    let records = world.model.records.iter().enumerate();
    let unanswered = records.filter(|(_, record)| record.by == side && record.unanswered);
    let unanswered: Vec<usize> = unanswered.map(|(number, _)| number).collect();
    if unanswered.is_empty() { Ok(()) } else { world.submit(side, &unanswered) }
}

/// Puts everything that is due in the network; says whether there was anything.
fn send_what_waits(world: &mut World) -> anyhow::Result<bool> {
    let mut sent = false;
    for side in Side::BOTH {
        world.apply(&Op::Expire(side))?;
        resend_all(world, side)?;
        while world.prepare(side)? {
            sent = true;
        }
    }
    Ok(sent)
}

/// A person has everything sent again that was not delivered, has not expired and was not offered again; only not once
/// more what its receiver was asked about, because it may not leave.
fn resend_all(world: &mut World, side: Side) -> anyhow::Result<()> {
    let now = world.at(side).now();
    for row in messages(world, side, State::Undeliverable)? {
        let may_go =
            row.agreement.map(|agreement| world.in_force(side, &agreement)).transpose()?.unwrap_or_default();
        // It may not leave any more, and its receiver was asked what became of it.
        let lapsed = !may_go && row.reason.as_deref() == Some(Reason::AgreementNotInForce.code());
        let replaced = row.id.is_some_and(|id| world.model.is_replaced(id));
        if !lapsed && !replaced && row.expires.is_some_and(|expires| expires > now) {
            world.at(side).steady(async |core| core.store.resend(row.index, now).await)??;
            world.model.disordered.extend(row.case);
        }
    }
    Ok(())
}

fn nothing_waits(world: &World) -> anyhow::Result<bool> {
    for side in Side::BOTH {
        let node = world.at(side);
        let now = node.now();
        let due = node.steady(async |core| core.store.due(now, 10).await)??;
        let waits = !messages(world, side, State::Waiting)?.is_empty();
        ensure!(waits || due.is_empty(), "{side:?} has nothing that waits, and {due:?} due");
        if waits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn waiting(world: &World) -> anyhow::Result<Vec<store::MessageRow>> {
    let mut rows = messages(world, Side::Corporation, State::Waiting)?;
    rows.extend(messages(world, Side::Municipality, State::Waiting)?);
    Ok(rows)
}

fn messages(world: &World, side: Side, state: State) -> anyhow::Result<Vec<store::MessageRow>> {
    let filter = Filter {
        direction: Some(Direction::Outbound),
        state: Some(state),
        limit: store::MAX_ROWS_READ,
        ..Filter::default()
    };
    Ok(world.at(side).steady(async |core| core.store.messages(filter).await)??)
}
