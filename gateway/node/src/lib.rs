//! The node: everything wired together. [`outbound`] and [`inbound`] read from top to bottom as the path of a message.

pub mod access;
pub mod agreements;
pub mod assets;
pub mod certificate;
pub mod cli;
pub mod config;
pub mod core;
pub mod delivery;
pub mod demo;
pub mod drop_folders;
mod explain;
pub mod inbound;
pub mod intake;
pub mod keys;
pub mod logbook;
pub mod node;
pub mod outbound;
pub mod partners;
pub mod routes;
pub mod setup;
pub mod subject_report;
pub mod subjects;
pub mod system;
pub mod upkeep;
