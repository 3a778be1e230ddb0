//! What moved, for counting: columns of messages, never their content.

use exchange::oin::Oin;
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{Direction, State};

/// The most messages in one reading for figures.
pub const MAX_COUNTED: usize = 4096;

/// A message as figures count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which way it went.
    pub direction: Direction,
    /// With whom.
    pub partner: Oin,
    /// The name of the purpose, unless it was refused on arrival.
    pub purpose: Option<String>,
    /// The CloudEvents type, unless it was refused on arrival.
    pub message_type: Option<String>,
    /// The case, unless it was refused on arrival.
    pub case: Option<Uuid>,
    /// How it is with it.
    pub state: State,
    /// By the clock of this node: when it came in, or when it was made here.
    pub at: Timestamp,
    /// Of a signal with a term: its end, and when that was met.
    pub term: Option<(Timestamp, Option<Timestamp>)>,
}
