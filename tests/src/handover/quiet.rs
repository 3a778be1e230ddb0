//! The end of a run: the network is perfect, time goes on, and everything is driven until nothing waits.

use anyhow::bail;
use jiff::SignedDuration;

use super::{
    operation::{Org, Way},
    world::World,
};
use crate::simulation::three::Organisation as _;

/// After so many rounds everything must be done.
const ROUNDS: usize = 60;
/// How long a round takes.
const ROUND: SignedDuration = SignedDuration::from_secs(60);

impl World {
    /// Drives the nodes until nothing waits. When that does not happen something is stuck.
    pub fn settle_down(&mut self) -> anyhow::Result<()> {
        for org in Org::THREE {
            self.three.node(org).disarm();
        }
        for _ in 0..ROUNDS {
            while !self.three.network.is_empty() {
                self.three.deliver(0)?;
                self.check_now()?;
            }
            self.three.nobody_waits()?;
            let mut busy = false;
            for org in Org::THREE {
                while self.send_again(org, 0)? {
                    busy = true;
                }
                self.carry_out(org)?;
                self.check_now()?;
            }
            for way in Way::all() {
                while self.three.prepare(way)?.is_some() {
                    busy = true;
                }
            }
            if !busy && self.three.waiting()? == 0 {
                return Ok(());
            }
            self.three.clock.advance(ROUND);
        }
        bail!("after {ROUNDS} rounds {} messages wait, or something is left to do", self.three.waiting()?)
    }
}
