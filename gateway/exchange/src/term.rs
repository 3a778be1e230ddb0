//! What an offer or a signal waits for, from whom and until when: the same at both sides, since it follows from signed messages
//! and entries of logs alone.
//!
//! A term is met at the instant in the identifier of the message that met it. That of an offer begins at the instant in the
//! identifier of the message that set it, that of a signal when its receiver admitted it ([`crate::signal`]). So it does not
//! matter when a node heard of either, whether it ran when a term ended, or what its clock said then.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{deadline::Deadline, id, oin::Oin};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Awaited {
    /// An answer to the offer.
    #[serde(rename = "antwoord")]
    Answer,
    /// An answer to a question back.
    #[serde(rename = "aanvulling")]
    Supplement,
    /// The first contact with the resident after an acceptance.
    #[serde(rename = "eerste-contact")]
    FirstContact,
    /// That the receiver of a signal says that there was a first conversation with the resident, or what came of it.
    #[serde(rename = "terugkoppeling")]
    Outcome,
}

impl Awaited {
    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "antwoord",
            Self::Supplement => "aanvulling",
            Self::FirstContact => "eerste-contact",
            Self::Outcome => "terugkoppeling",
        }
    }
}

/// What the people who keep an eye on a case are told of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notice {
    /// It ends, and what it is for did not happen yet.
    Reminder,
    /// It ended without that: the process managers of both organisations are to look at it.
    Escalation,
}

/// A term of an offer or a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The message that set it, after which it is named.
    pub set_by: Uuid,
    /// What it is for.
    pub awaited: Awaited,
    /// Who is to do that.
    pub by: Oin,
    /// Its end, and when to remind of that.
    pub deadline: Deadline,
    /// When it was met, or did not matter any more.
    pub met: Option<Timestamp>,
}

impl Term {
    /// A term that the message of this identifier set, at the instant in it.
    pub(crate) fn set(set_by: Uuid, awaited: Awaited, by: Oin, respond_before: Timestamp) -> Self {
        let deadline = match id::made_at(set_by) {
            Some(made) => Deadline::between(made, respond_before),
            None => Deadline { respond_before, remind_at: respond_before },
        };
        Self { set_by, awaited, by, deadline, met: None }
    }

    /// It is met by this message. Of two that cross the one that was made first counts, at either side.
    pub(crate) fn meet(&mut self, by: Uuid) {
        let at = id::made_at(by).unwrap_or(Timestamp::MAX);
        self.met = Some(self.met.map_or(at, |met| met.min(at)));
    }

    /// Whether what it is for did not happen yet.
    pub const fn is_running(&self) -> bool {
        self.met.is_none()
    }

    /// When this was to be told, if that moment came before the term was met.
    pub fn told(&self, notice: Notice, now: Timestamp) -> Option<Timestamp> {
        let at = self.moment(notice);
        (at <= self.met.unwrap_or(now)).then_some(at)
    }

    /// What is to be told now that was not told yet, and when to look again. An escalation makes a reminder superfluous.
    pub fn to_tell(
        &self,
        was_told: impl Fn(Notice) -> bool,
        now: Timestamp,
    ) -> (Option<Notice>, Option<Timestamp>) {
        if !self.is_running() || was_told(Notice::Escalation) {
            return (None, None);
        }
        let (end, remind_at) = (self.deadline.respond_before, self.deadline.remind_at);
        if end <= now {
            return (Some(Notice::Escalation), None);
        }
        match (was_told(Notice::Reminder), remind_at <= now) {
            (true, _) => (None, Some(end)),
            (false, true) => (Some(Notice::Reminder), Some(end)),
            (false, false) => (None, Some(remind_at)),
        }
    }

    /// When a notice is due.
    pub const fn moment(&self, notice: Notice) -> Timestamp {
        match notice {
            Notice::Reminder => self.deadline.remind_at,
            Notice::Escalation => self.deadline.respond_before,
        }
    }
}

#[cfg(test)]
mod tests;
