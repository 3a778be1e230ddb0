//! What the store knows of handovers: what each message did in one, and how it is with that message.

use exchange::handover::{Notice, Standing, Step};
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{Direction, State};

/// A message of a handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStep {
    /// Its place in the log.
    pub index: u64,
    /// What it does.
    pub step: Step,
    /// Whether it was sent or received.
    pub direction: Direction,
    /// How it is with it.
    pub state: State,
    /// Why it was refused or given up.
    pub reason: Option<String>,
}

impl StoredStep {
    /// What became of it.
    pub fn standing(&self) -> Standing<'_> {
        match (self.direction, self.state) {
            (Direction::Inbound, _) | (_, State::Admitted) => Standing::Stands,
            (_, State::Waiting) => Standing::UnderWay,
            (_, State::Refused) => Standing::Refused(self.reason.as_deref().unwrap_or_default()),
            (_, State::Undeliverable) => Standing::GivenUp,
        }
    }
}

/// A case that is or was handed over, as it was at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandoverCase {
    /// Which.
    pub case: Uuid,
    /// How often something changed in it: a message more, or one that was refused or given up.
    pub changes: u64,
    /// When it is looked at again because of a term, if it is.
    pub due: Option<Timestamp>,
}

/// That this node told of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermTold {
    /// The message that set the term.
    pub set_by: Uuid,
    /// What was told.
    pub notice: Notice,
    /// When.
    pub at: Timestamp,
}

/// What this node found when it looked at a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The case as it was then.
    pub seen: HandoverCase,
    /// What is told of its terms now.
    pub told: Vec<TermTold>,
    /// When to look again, if nothing changes in between.
    pub due: Option<Timestamp>,
}
