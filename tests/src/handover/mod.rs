//! Three whole nodes that hand cases over to each other. Whatever the network and crashes do, a resident is held by exactly
//! one, both sides of an offer agree how it stands and what it waits for once their messages have arrived, and each term is told
//! once.
//!
//! As in [`simulation`](crate::simulation), everything but the clock, the randomness and the carrying of bytes is real. The rules
//! alone are simulated in `exchange`, far more often; this is about what the node and its store make of them.

mod checks;
pub mod operation;
mod parties;
mod quiet;
mod saying;
mod world;

use anyhow::Context as _;

use operation::Scenario;
pub use world::{Coverage, World};

/// Runs a scenario to its end and checks it. The error says which step broke which promise.
pub fn run(scenario: &Scenario) -> anyhow::Result<Coverage> {
    let mut world = World::new(scenario)?;
    for (number, operation) in scenario.operations.iter().enumerate() {
        world.apply(operation).with_context(|| format!("step {number}, {operation:?}"))?;
    }
    world.settle_down().context("after the last step, with a perfect network")?;
    world.check_settled().context("at the end")?;
    Ok(world.coverage())
}
