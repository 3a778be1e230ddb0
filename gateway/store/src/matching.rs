//! Signals of several senders about one resident or household, as they are given to a caller.

use exchange::person::Clues;
use jiff::Timestamp;

use crate::{model::MessageRow, subject::Token};

/// Signals of more than one sender that belong together.
#[derive(Debug, Clone)]
pub struct MultipleSignal {
    /// By which people know it.
    pub number: u64,
    /// The first of it came together then.
    pub made: Timestamp,
    /// In the order of the log.
    pub signals: Vec<JoinedSignal>,
}

/// A signal in one.
#[derive(Debug, Clone)]
pub struct JoinedSignal {
    /// What is known of it.
    pub row: MessageRow,
    /// When it joined.
    pub joined: Timestamp,
    /// The place in the log of the access of whoever joined it; nothing when it joined by itself.
    pub access: Option<u64>,
}

/// Two signals of which a person must decide whether they belong together.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// The older.
    pub one: MessageRow,
    /// The newer.
    pub other: MessageRow,
    /// Why they may, and what speaks against it.
    pub clues: Clues,
    /// When it was found.
    pub made: Timestamp,
}

/// How far holding signals against each other is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchUpkeep {
    /// There is more to do now.
    pub more: bool,
    /// Signals of this piece.
    pub signals: usize,
    /// The size of the log: how much it grows says how busy the node is.
    pub log_size: u64,
}

/// A signal that was held against those before it.
pub(crate) struct Matched {
    pub(crate) index: u64,
    pub(crate) party: i64,
    /// By what others find it.
    pub(crate) tokens: Vec<Token>,
    /// About the same person.
    pub(crate) same: Vec<u64>,
    /// Perhaps.
    pub(crate) perhaps: Vec<(u64, Clues)>,
}
