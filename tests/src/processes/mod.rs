//! Journeys: the real program in real processes over real TLS, tried as its users would, and badly treated.
//!
//! [`Place`] is a temporary folder with an authority in it; [`Place::node`] makes a node there with `schakel init`,
//! [`Node::serve`] runs it and [`Node::cli`] gives it commands. [`Peer`] is a partner made by hand, which can send
//! what no node would. [`api`] speaks to the local API of a node. [`export`] writes arrears exports with synthetic people,
//! [`receiver`] is told of events, [`handover`] has a resident to hand over.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::missing_panics_doc, reason = "every helper panics when its step fails; that is its report")]

mod agreement;
pub mod api;
mod command;
mod disk;
pub mod export;
pub mod handover;
mod letter;
mod node;
mod peer;
mod program;
pub mod receiver;
mod wait;

pub use agreement::{SIGNAL, agree, agree_on_consultation, conclude, introduce, proposal};
pub use command::{Done, Running};
pub use disk::SmallDisk;
pub use letter::{Letter, forged};
pub use node::{Mailbox, Node, Place, Serving};
pub use peer::{Logged, Papers, Peer};
pub use program::schakel;
pub use wait::{PATIENCE, Stopwatch, eventually, until};

/// The municipality of every journey.
pub const MUNICIPALITY: &str = "00000099000000001000";
/// The housing corporation of every journey.
pub const CORPORATION: &str = "00000099000000002000";
/// The arrears export that comes with the project: forty rows, some of which may not leave.
pub const FIXTURE: &[u8] = include_bytes!("../../../adapters/fixtures/achterstanden.csv");
