//! Two nodes over real sockets on free ports, with certificates made on the spot.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests say what they need and stop"
)]

mod common;
mod connections;
mod exchange;
mod hostile;
mod limits;
mod log;
mod raw;
mod reload;
mod shutdown;
mod trust;
