//! What was sent and did not arrive: what waits, what cannot be delivered, and what somebody gave up.

use std::{fmt, str::FromStr};

use exchange::oin::Oin;
use jiff::Timestamp;

use crate::model::MessageRow;

/// How it is with a message that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pending {
    /// It waits to be delivered, or its delivery is under way.
    Waiting,
    /// It could not be delivered. A person can have it sent again or give it up.
    Undeliverable,
    /// Its receiver refused it, for good.
    Refused,
    /// Somebody gave it up, for good.
    GivenUp,
}

impl Pending {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Undeliverable, Self::Refused, Self::GivenUp];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "wacht",
            Self::Undeliverable => "onbestelbaar",
            Self::Refused => "geweigerd",
            Self::GivenUp => "opgegeven",
        }
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text does not name a way in which a message can be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected wacht, onbestelbaar, geweigerd or opgegeven")]
pub struct NotPending;

impl FromStr for Pending {
    type Err = NotPending;

    fn from_str(text: &str) -> Result<Self, NotPending> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(NotPending)
    }
}

/// Why somebody gives a message up. From a list: a sentence could say something of a person, and reasons are kept in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GivenUp {
    /// It was done in another way, such as by telephone.
    ArrangedOtherwise,
    /// It is of no use any more.
    NotNeeded,
    /// It was meant for another organisation.
    WrongReceiver,
    /// Its receiver does not take part any more.
    ReceiverStopped,
}

impl GivenUp {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ArrangedOtherwise, Self::NotNeeded, Self::WrongReceiver, Self::ReceiverStopped];

    /// How the reasons of what was given up begin.
    pub(crate) const PREFIX: &str = "opgegeven-";

    /// The reason that the message gets.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ArrangedOtherwise => "opgegeven-anders-geregeld",
            Self::NotNeeded => "opgegeven-niet-meer-nodig",
            Self::WrongReceiver => "opgegeven-verkeerde-ontvanger",
            Self::ReceiverStopped => "opgegeven-ontvanger-gestopt",
        }
    }

    /// The name that users choose it by.
    pub fn as_str(self) -> &'static str {
        &self.code()[Self::PREFIX.len()..]
    }

    /// The one that a reason stands for.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// The text does not name a reason to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected anders-geregeld, niet-meer-nodig, verkeerde-ontvanger or ontvanger-gestopt")]
pub struct NotGivenUp;

impl FromStr for GivenUp {
    type Err = NotGivenUp;

    fn from_str(text: &str) -> Result<Self, NotGivenUp> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(NotGivenUp)
    }
}

/// Which messages that did not arrive to read, the oldest first. Those whose place another took, since their row of a
/// source was offered again, are left out.
#[derive(Debug, Clone)]
pub struct Undelivered {
    /// How it is with them.
    pub pending: Pending,
    /// Only those to this organisation.
    pub partner: Option<Oin>,
    /// Only those for this purpose.
    pub purpose: Option<String>,
    /// Only those that were made at this moment or later.
    pub since: Option<Timestamp>,
    /// Only those after this place in the log: how to read on.
    pub after: Option<u64>,
    /// At most this many; never more than [`MAX_ROWS_READ`](crate::MAX_ROWS_READ).
    pub limit: usize,
}

/// Messages that did not arrive.
#[derive(Debug, Clone, Default)]
pub struct UndeliveredRows {
    /// The oldest first. It can be fewer than were asked for, or none, while there are more.
    pub rows: Vec<MessageRow>,
    /// There may be more after this place in the log.
    pub more_after: Option<u64>,
}

/// What waits for one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// For whom.
    pub to: Oin,
    /// How many messages, those under way included.
    pub waiting: u64,
    /// When the one was made that stands in front.
    pub oldest: Timestamp,
}
