//! `schakel`: a node of the federated gateway between organisations in the Dutch social domain.

use std::process::ExitCode;

use clap::Parser as _;
use node::cli::Cli;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    node::cli::run(Cli::parse()).await
}
