//! Two whole nodes on one clock, with a network that loses, repeats, delays, reorders and damages, and with crashes
//! between and during steps.
//!
//! What is real: rules, signatures, SQLite, leases, receipts and the log, through the very functions that the running
//! node uses (`node::outbound`, `node::delivery::{prepare, settle}`, `node::inbound`). What is simulated: the clock, the
//! randomness, and the carrying of bytes between the two.
//!
//! A run is a [`Scenario`]: two clock errors and a list of [operations](operation::Op). After the last operation the
//! network becomes perfect and everything is driven until nothing waits; then everything is checked. A scenario that
//! failed is printed as it was, and becomes a test by its name.
//!
//! Everything in a run follows from its scenario, with one exception: how far the database came with what a
//! [`CrashDuring`](operation::Op::CrashDuring) cut off. The checks hold for every such point.

mod checks;
mod delivering;
pub(crate) mod documents;
mod model;
pub(crate) mod network;
pub(crate) mod node;
mod offering;
pub mod operation;
pub(crate) mod parties;
mod quiet;
mod receipts;
mod rogue;
pub(crate) mod setup;
pub mod terms;
pub mod three;
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
    terms::agree(&mut world).context("at the end, of terms")?;
    Ok(world.coverage)
}
