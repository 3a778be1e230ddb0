//! What local systems handed over, and reading messages as they ask for them.

use exchange::oin::Oin;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    key::IntakeKey,
    model::{Direction, MessageRow, State},
};

/// How long an answer is remembered: a system that got none tries again within a day, or a person looks at it.
pub const ANSWER_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The longest answer that is remembered, in bytes: every field of every document can have something wrong with it.
pub const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// The most answers that are remembered at a time: more than ten a second for a day.
pub const MAX_ANSWERS: u64 = 1_000_000;

/// A system of the organisation, without saying which: made by [`Store::submitter`](crate::Store::submitter).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Submitter(pub(crate) IntakeKey);

/// An answer to remember, with the messages that came of the request.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Who asked.
    pub by: Submitter,
    /// Names the request: made by [`Store::request_key`](crate::Store::request_key).
    pub request: IntakeKey,
    /// What was handed over: made by [`Store::intake_key`](crate::Store::intake_key).
    pub content: IntakeKey,
    /// The answer. Without anything of what was handed over.
    pub answer: String,
    /// The messages, by index.
    pub messages: Vec<u64>,
    /// When.
    pub when: Timestamp,
}

/// What was answered to a request before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierAnswer {
    /// What was handed over then.
    pub content: IntakeKey,
    /// The answer.
    pub answer: String,
}

/// Which messages to list, the newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing {
    /// Only those that went this way.
    pub direction: Option<Direction>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those to or from this organisation.
    pub partner: Option<Oin>,
    /// Only those of this case.
    pub case: Option<Uuid>,
    /// Only those of this type.
    pub message_type: Option<&'static str>,
    /// Only those that were made or came in at this moment or later.
    pub since: Option<Timestamp>,
    /// Only those that this system handed over.
    pub by: Option<Submitter>,
    /// Only those before this place in the log: how to read on.
    pub before: Option<u64>,
    /// At most this many; never more than [`MAX_ROWS_READ`](crate::MAX_ROWS_READ).
    pub limit: usize,
}

/// Messages that were listed.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The newest first. It can be fewer than were asked for, or none, while there are more.
    pub rows: Vec<MessageRow>,
    /// There may be more before this place in the log.
    pub more_before: Option<u64>,
}
