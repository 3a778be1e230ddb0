//! `schakel`: a node of the federated gateway between organisations in the Dutch social domain.

use std::process::ExitCode;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    node::cli::run().await
}
