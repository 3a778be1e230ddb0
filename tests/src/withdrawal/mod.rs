//! Three whole nodes and the consents of residents: the holder asks for them, sends under them, and the others pass on.
//! Whatever the network and crashes do, a withdrawal reaches every copy, and the holder knows what everybody did.
//!
//! As in [`simulation`](crate::simulation), rules, signatures, SQLite, leases, receipts and the log are real, through the
//! very functions that the running node uses; the clock, the randomness and the carrying of bytes are simulated. After
//! the last operation of a [`Scenario`](operation::Scenario) the network becomes perfect and everything is driven until
//! nothing waits; then everything is checked.

mod checks;
mod consents;
mod delivering;
pub(crate) mod documents;
pub mod operation;
pub(crate) mod parties;
mod quiet;
mod watching;
mod world;

use anyhow::Context as _;

use operation::Scenario;
pub use world::Coverage;

/// Runs a scenario to its end and checks it. The error says which step broke which promise.
pub fn run(scenario: &Scenario) -> anyhow::Result<Coverage> {
    let mut world = world::World::new(scenario)?;
    for (number, operation) in scenario.operations.iter().enumerate() {
        world.apply(operation).with_context(|| format!("step {number}, {operation:?}"))?;
    }
    quiet::settle_down(&mut world).context("after the last step, with a perfect network")?;
    checks::everything(&mut world).context("at the end")?;
    Ok(world.coverage())
}
