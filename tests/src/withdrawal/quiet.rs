//! The end of a run: the network is perfect, time goes on, and everything is driven until nothing waits.

use anyhow::bail;
use jiff::SignedDuration;
use node::consent::ending::GRACE;

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
    world.three.clock.advance(GRACE + SignedDuration::from_mins(10));
    drive(world)
}

fn drive(world: &mut World) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        while !world.three.network.is_empty() {
            world.three.deliver(0)?;
            look(world)?;
        }
        world.three.nobody_waits()?;
        let mut busy = false;
        for org in Org::ALL {
            world.three.expire(org)?;
            busy |= world.remind(org)?;
            busy |= world.carry_out(org)?;
            look(world)?;
        }
        for way in Way::all() {
            while world.prepare(way)? {
                busy = true;
            }
        }
        if !busy && world.three.waiting()? == 0 {
            return Ok(());
        }
        world.three.clock.advance(ROUND);
    }
    bail!("after {ROUNDS} rounds {} messages wait, or something is left to do", world.three.waiting()?)
}

fn look(world: &mut World) -> anyhow::Result<()> {
    Org::ALL.into_iter().try_for_each(|org| world.look(org))
}
