//! The benchmark: two nodes on this machine, as separate processes over mutual TLS, and the primitives their path is
//! made of.
//!
//! The receiver is the real `schakel serve`. The sender is a process of its own that opens a node and offers messages
//! to the same functions as every adapter ([`sender`]). [`measure`] tells the two what to do and adds it all up into a
//! [`report`]; [`steps`] measures what one message costs in primitives, and so what the machine could do at most.

mod api;
mod clock;
mod command;
mod disk;
mod handover;
mod jitter;
mod load;
mod matching;
mod measure;
mod message;
mod options;
mod process;
mod proofs;
mod receiver;
mod report;
mod sender;
mod steps;
mod verify;
mod withdrawal;
mod world;

use std::io::Write as _;

pub use options::Cli;

/// Carries out what was asked on the command line.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        options::Command::Throughput(options) => measure::throughput(&options).await,
        options::Command::Verify(options) => verify::run(&options).await,
        options::Command::Withdrawal(options) => withdrawal::measure(&options).await,
        options::Command::Api(options) => tokio::task::block_in_place(|| api::measure(&options)),
        options::Command::Handover(options) => tokio::task::block_in_place(|| handover::measure(&options)),
        options::Command::Matching(options) => matching::run(&options).await,
        options::Command::Sender(options) => sender::run(&options).await,
    }
}

/// Tells on standard error how far it is. Nobody listening is no reason to stop.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
