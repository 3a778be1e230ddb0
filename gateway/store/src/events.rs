//! What happened here that the organisation's own systems want to know, and what they were told of it.

use exchange::consent::ConsentKey;
use jiff::Timestamp;

use crate::model::MessageRow;

/// The most events that one system did not take and that are kept for it; when there are more it is told nothing new.
pub const MAX_DEAD_LETTERS: u64 = 1000;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// A message came in and was admitted.
    Admitted,
    /// A message that was sent was refused by its receiver, for good.
    Refused,
    /// A message that was sent could not be delivered, or was given up.
    Undeliverable,
    /// Something was said in a handover, or what was said did not arrive.
    Handover,
    /// A consent was withdrawn.
    Withdrawn,
    /// The term of a signal ends soon, and nothing came of the signal yet.
    SignalReminded,
    /// The term of a signal ended without that.
    SignalEscalated,
}

impl EventKind {
    /// All of them, each at its number.
    pub const ALL: [Self; 7] = [
        Self::Admitted,
        Self::Refused,
        Self::Undeliverable,
        Self::Handover,
        Self::Withdrawn,
        Self::SignalReminded,
        Self::SignalEscalated,
    ];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "bericht.toegelaten",
            Self::Refused => "bericht.geweigerd",
            Self::Undeliverable => "bericht.onbestelbaar",
            Self::Handover => "overdracht.gewijzigd",
            Self::Withdrawn => "toestemming.ingetrokken",
            Self::SignalReminded => "signaal.herinnerd",
            Self::SignalEscalated => "signaal.geescaleerd",
        }
    }
}

/// Something that happened. Identifiers and codes; no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number: later events have higher ones, and none is used again.
    pub number: u64,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The message that it is about, as that is now.
    pub message: Option<MessageRow>,
    /// The consent that it is about.
    pub consent: Option<ConsentKey>,
    /// Why a message did not arrive, by its code.
    pub reason: Option<String>,
}

/// How it is with a system that is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// The first event that it was not told, and that was not put aside.
    pub next: u64,
    /// How often telling that one failed.
    pub attempts: u32,
    /// When it is tried again.
    pub next_attempt: Option<Timestamp>,
    /// How many events it took.
    pub told: u64,
    /// When it took the last.
    pub last_success: Option<Timestamp>,
    /// When it did not take one for the last time.
    pub last_failure: Option<Timestamp>,
    /// Why; nothing when it took something since.
    pub failure: Option<String>,
    /// Since when it is told nothing any more.
    pub stopped: Option<Timestamp>,
    /// How many events it did not take, so that they were put aside.
    pub dead_letters: u64,
}

/// An event that a system did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub number: u64,
    /// Which system.
    pub hook: String,
    /// What happened.
    pub event: Event,
    /// Why it was not taken, the last time.
    pub failure: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was put aside, or tried again in vain.
    pub at: Timestamp,
    /// Whether it is tried once more.
    pub again: bool,
}

/// Which events that were not taken to read, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct DeadLetters {
    /// Of this system.
    pub hook: Option<String>,
    /// Only those that are tried once more.
    pub again: bool,
    /// Only those after this one: how to read on.
    pub after: Option<u64>,
    /// At most this many; never more than [`MAX_ROWS_READ`](crate::MAX_ROWS_READ).
    pub limit: usize,
}

/// How telling a system of an event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// It took it, or it did not want it (`told`: whether it counts).
    Told {
        /// Whether it was told.
        told: bool,
        /// The first that it was not told.
        next: u64,
    },
    /// It did not, and is tried again at that moment.
    Failed {
        /// Why, for people.
        failure: String,
        /// When.
        next_attempt: Timestamp,
    },
    /// It did not, and is not tried again by itself.
    PutAside {
        /// Why, for people.
        failure: String,
    },
    /// It wants no more events at all.
    Stopped {
        /// Why, for people.
        failure: String,
    },
}
