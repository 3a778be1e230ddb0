//! Terms of signals in a simulation: whatever happens, both sides come to the same end and the same answer, an end never moves,
//! and each is told once, not before its moment.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use exchange::handover::Notice;
use jiff::SignedDuration;
use node::signal_terms::{Rounds, term_of};
use store::{Direction, MessageRow, SignalTerm, State};
use uuid::Uuid;

use super::{
    operation::{Offer, Op, Side, TermMove},
    quiet,
    world::World,
};

/// After so many rounds nothing is left to look at.
const ROUNDS: usize = 1000;

/// What each side knew of each term when it last looked.
pub(super) type Seen = BTreeMap<(Side, u64), SignalTerm>;

/// A node looks at terms, perhaps not to the end.
fn look(world: &mut World, side: Side) -> anyhow::Result<()> {
    let ran = world.node(side).run(async |core| Rounds::default().carry_out(core).await)?;
    world.outcome(ran).transpose()?;
    observe(world, side)
}

/// Holds what a node knows of terms against what it knew before.
fn observe(world: &mut World, side: Side) -> anyhow::Result<()> {
    let now = world.at(side).now();
    for (row, term) in terms(world, side)? {
        let before = world.terms.insert((side, term.index), term);
        if let Some(before) = before {
            ensure!(
                before.deadline.is_none() || before.deadline == term.deadline,
                "the end of {row:?} moved"
            );
            ensure!(
                before.reminded.is_none() || before.reminded == term.reminded,
                "reminded twice of {row:?}"
            );
            ensure!(
                before.escalated.is_none() || before.escalated == term.escalated,
                "escalated {row:?} twice"
            );
        }
        let told = [(Notice::Reminder, term.reminded), (Notice::Escalation, term.escalated)];
        let is_new = |notice| before.is_none_or(|before| !before.was_told(notice));
        for (notice, at) in told.into_iter().filter_map(|(notice, at)| Some((notice, at?))) {
            let moment = term_of(world.at(side).oin, &row, &term).context("it has a term")?.moment(notice);
            ensure!(at >= moment, "{notice:?} of {row:?} before its moment");
            ensure!(!is_new(notice) || at <= now, "{notice:?} of {row:?} in the future");
        }
    }
    Ok(())
}

/// The signals of which a node knows whether they have a term.
fn terms(world: &World, side: Side) -> anyhow::Result<Vec<(MessageRow, SignalTerm)>> {
    let rows = world.at(side).steady(async |core| super::node::rows(&core.store).await)??;
    let now = world.at(side).now();
    world.at(side).steady(async |core| {
        let mut found = Vec::new();
        for row in rows {
            let term = core.store.signal_term(row.index, now).await?;
            found.extend(term.map(|term| (row, term)));
        }
        anyhow::Ok(found)
    })?
}

/// Lets both look until nothing is left, and holds one against the other: of a signal that both have, they say the same.
pub(super) fn agree(world: &mut World) -> anyhow::Result<()> {
    for side in Side::BOTH {
        world.node(side).disarm();
        let rounds = world.at(side).steady(async |core| {
            let mut rounds = Rounds::default();
            for _ in 0..ROUNDS {
                if !rounds.carry_out(core).await? {
                    return anyhow::Ok(true);
                }
            }
            Ok(false)
        })??;
        ensure!(rounds, "{side:?} does not come to an end");
        observe(world, side)?;
        let now = world.at(side).now();
        let (to_do, due) = world.at(side).steady(async |core| {
            let to_do = core.store.signal_terms_to_do(None, now, 10).await?;
            anyhow::Ok((to_do, core.store.signal_terms_due(None, now, 10).await?))
        })??;
        ensure!(to_do.is_empty() && due.is_empty(), "{side:?} left {to_do:?} and {due:?}");
    }
    let received: BTreeMap<Uuid, SignalTerm> = terms(world, Side::Municipality)?
        .into_iter()
        .filter(|(row, _)| row.direction == Direction::Inbound)
        .filter_map(|(row, term)| Some((row.id?, term)))
        .collect();
    for (row, sent) in terms(world, Side::Corporation)? {
        if row.direction != Direction::Outbound || row.state != State::Admitted {
            ensure!(sent.deadline.is_none(), "what did not arrive has a term: {row:?}");
            continue;
        }
        let there = row.id.and_then(|id| received.get(&id)).with_context(|| format!("{row:?} came in"))?;
        ensure!(sent.deadline.is_some(), "no term of {row:?}");
        // What was given up without a receipt may have been heard: whoever gave it up takes it as not said.
        let is_same =
            sent.met == there.met || there.met.is_none_or(|met| sent.met.is_some_and(|sent| sent < met));
        ensure!(sent.deadline == there.deadline && is_same, "{sent:?} here, {there:?} there");
    }
    Ok(())
}

/// Signals that arrive, and then whatever happens to their terms.
///
/// # Errors
///
/// Which move broke which promise.
pub fn run(moves: &[TermMove]) -> anyhow::Result<[u64; 2]> {
    let mut world = World::new(&super::operation::Scenario::default())?;
    let fresh = |case| Offer::Fresh { case, flaw: None };
    world.apply(&Op::Submit { by: Side::Corporation, offers: (0..3).map(fresh).collect() })?;
    quiet::settle_down(&mut world)?;
    for (number, what) in moves.iter().enumerate() {
        make(&mut world, *what).with_context(|| format!("move {number}, {what:?}"))?;
    }
    agree(&mut world).context("at the end")?;
    // Long after all of it, with a clock that is right.
    world.clock.advance(SignedDuration::from_hours(24 * 400));
    agree(&mut world).context("long after the end")?;
    let mut told = [0; 2];
    for (_, term) in terms(&world, Side::Municipality)? {
        ensure!(term.met.is_some() || term.escalated.is_some(), "nobody was told of {term:?}");
        told[0] += u64::from(term.reminded.is_some());
        told[1] += u64::from(term.escalated.is_some());
    }
    Ok(told)
}

fn make(world: &mut World, what: TermMove) -> anyhow::Result<()> {
    match what {
        TermMove::Clock(hours) => {
            world.clock.advance(SignedDuration::from_hours(hours.into()));
            Ok(())
        }
        TermMove::Look(side) => look(world, side),
        TermMove::Crash(side) => world.apply(&Op::Crash(side)),
        TermMove::CrashDuring(side, turns) => {
            world.apply(&Op::CrashDuring { by: side, turns })?;
            look(world, side)?;
            world.node(side).disarm();
            Ok(())
        }
        TermMove::Feedback(number) => {
            world.apply(&Op::Submit {
                by: Side::Municipality,
                offers: vec![Offer::Fresh { case: number, flaw: None }],
            })?;
            quiet::settle_down(world)
        }
    }
}
