//! `cargo run --release -p tests --bin bench -- throughput`: what two nodes on this machine can do.

use clap::Parser as _;
use tests::bench::{self, Cli};

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    bench::run(Cli::parse()).await
}
