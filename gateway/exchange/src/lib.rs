//! The rules of exchange: who may send what to whom, on which basis, and how that is proven.
//!
//! Sans-IO: no sockets, no database, no clock and no randomness of its own. Everything that comes from outside
//! is a parameter, so the same rules run in the node, in the simulation and in an auditor's notebook.

pub mod clock;
pub mod digest;
pub mod oin;
pub mod random;
pub mod receipt;
pub mod tlog;
