//! The rules of exchange: who may send what to whom, on which basis, and how that is proven.
//!
//! Sans-IO: no sockets, no database, no clock and no randomness of its own. Everything that comes from outside
//! is a parameter, so the same rules run in the node, in the simulation and in an auditor's notebook.
//!
//! - who: [`oin`], [`organisation`], [`descriptor`]; about whom: [`person`]
//! - what may be sent: [`purpose`], [`agreement`], [`consent`], [`rulebook`], [`policy`], [`refusal`]
//! - until when to respond: [`urgency`], [`calendar`], [`deadline`]
//! - a message: [`envelope`], [`jws`], [`signature`], [`message`] (one type per stage)
//! - who holds a case: [`handover`]
//! - how it ends and is proven: [`delivery`], [`receipt`], [`entry`], [`tlog`]
//! - whether a partner's log stays what it was: [`witness`]
//! - what is recorded of every processing: [`processing_log`], [`trace`]
//! - what somebody else can check, years later: [`evidence`]

pub mod agreement;
pub mod calendar;
pub mod canonical;
pub mod clock;
pub mod consent;
pub mod deadline;
pub mod delivery;
pub mod descriptor;
pub mod desk;
pub mod digest;
pub mod entry;
pub mod envelope;
pub mod evidence;
pub mod handover;
pub mod id;
pub mod jws;
pub mod message;
pub mod oin;
pub mod organisation;
pub mod person;
pub mod policy;
pub mod processing_log;
pub mod purpose;
pub mod random;
pub mod receipt;
pub mod refusal;
pub mod rulebook;
pub mod signal;
pub mod signature;
pub mod term;
pub mod tlog;
pub mod trace;
pub mod urgency;
pub mod witness;

#[cfg(test)]
mod testing;
mod text;
mod valid;
