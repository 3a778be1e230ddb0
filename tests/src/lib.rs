//! What is tested across crates: suites and helpers that the tests, the simulation and the benchmark share.

pub mod bench;
pub mod conformance;
pub mod handover;
pub mod matching;
pub mod offer;
pub mod processes;
pub mod property;
pub mod signal;
pub mod simulation;
pub mod withdrawal;
