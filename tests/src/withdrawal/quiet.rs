//! The end of a run: the network is perfect, time goes on, and everything is driven until nothing waits.

use anyhow::{bail, ensure};
use jiff::SignedDuration;
use node::consent::ending::GRACE;
use store::State;

use super::{
    operation::{Org, Way},
    world::World,
};

/// After so many rounds everything must be done.
const ROUNDS: usize = 60;
/// How long a round takes.
const ROUND: SignedDuration = SignedDuration::from_secs(60);

/// Drives the nodes until nothing waits, and once more when what ran out meanwhile is to be erased. When that does not
/// happen something is stuck.
pub(super) fn settle_down(world: &mut World) -> anyhow::Result<()> {
    for org in Org::ALL {
        world.node(org).disarm();
    }
    drive(world)?;
    // Whose clock is behind comes to it as well.
    world.clock.advance(GRACE + SignedDuration::from_mins(10));
    drive(world)
}

fn drive(world: &mut World) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        while !world.network.is_empty() {
            world.deliver(0)?;
            look(world)?;
        }
        for way in Way::all() {
            let left = world.node(way.from).under_way()?.len();
            ensure!(left == 0, "{:?} waits for {left} answers that will not come", way.from);
        }
        let mut busy = false;
        for org in Org::ALL {
            world.expire(org)?;
            busy |= world.remind(org)?;
            busy |= world.carry_out(org)?;
            look(world)?;
        }
        for way in Way::all() {
            while world.prepare(way)? {
                busy = true;
            }
        }
        if !busy && waiting(world)? == 0 {
            return Ok(());
        }
        world.clock.advance(ROUND);
    }
    bail!("after {ROUNDS} rounds {} messages wait, or something is left to do", waiting(world)?)
}

fn look(world: &mut World) -> anyhow::Result<()> {
    Org::ALL.into_iter().try_for_each(|org| world.look(org))
}

fn waiting(world: &World) -> anyhow::Result<usize> {
    let mut waiting = 0;
    for org in Org::ALL {
        waiting += world.messages(org, State::Waiting)?.len();
    }
    Ok(waiting)
}
