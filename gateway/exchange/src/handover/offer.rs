//! One offer of a case from its holder to another organisation.

use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    step::{Act, Completion, DeclineReason},
    term::Term,
};
use crate::{oin::Oin, urgency::Urgency};

/// An offer, as far as an organisation knows it by the messages it has.
///
/// ```text
/// Open -> Accepted -> first contact, completed
///   |---> Declined
///   |---> Withdrawn   (when who was asked confirmed it)
///   '---> Lapsed      (two organisations claimed the case at once, and this was the later claim)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The message that made it.
    pub id: Uuid,
    /// Who holds the case and offers it.
    pub from: Oin,
    /// Who is asked.
    pub to: Oin,
    /// The offer with which the handing over began, by who made this one.
    pub(super) root: Option<Uuid>,
    /// The case began here before it began there, so who made it does not hold it.
    pub(super) is_younger: bool,
    /// How much haste there is.
    pub(super) urgency: Urgency,
    /// How it stands.
    pub state: OfferState,
    /// Until when an answer is asked for; none of an offer that never came and of which only the withdrawal did.
    pub respond_before: Option<Timestamp>,
    /// What it waits for, or waited for last; none of an offer that never came.
    pub term: Option<Term>,
    /// The questions that were asked about it last.
    pub question: Option<Question>,
    /// That it was taken back.
    pub withdrawal: Option<Withdrawal>,
    /// What this organisation said about it and was given up before the other said to have it, by name.
    pub(super) unheard: Vec<&'static str>,
    /// The day on which the new holder was in contact with the resident.
    pub first_contact: Option<Date>,
    /// How it ended.
    pub result: Option<Completion>,
}

/// How an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferState {
    /// Not answered yet.
    Open,
    /// Who was asked holds the case.
    Accepted {
        /// The last day on which the resident is to be contacted, if the acceptance that says so came.
        contact_before: Option<Date>,
    },
    /// Who was asked does not take it.
    Declined(DeclineReason),
    /// It was taken back before anybody accepted.
    Withdrawn,
    /// The other claimed the case before.
    Lapsed,
}

impl OfferState {
    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "aangeboden",
            Self::Accepted { .. } => "geaccepteerd",
            Self::Declined(_) => "afgewezen",
            Self::Withdrawn => "ingetrokken",
            Self::Lapsed => "vervallen",
        }
    }
}

/// Questions about an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The message with the questions.
    pub id: Uuid,
    /// Until when an answer is asked for.
    pub answer_before: Timestamp,
    /// Whether they were answered.
    pub is_answered: bool,
}

/// That an offer was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal {
    /// The message that says so.
    pub id: Uuid,
    /// Whether who was asked said what became of it.
    pub is_confirmed: bool,
}

impl Offer {
    /// The offer with which the handing over of the case began, by who made this one.
    pub const fn root(&self) -> Option<Uuid> {
        self.root
    }

    /// Whether who was asked can still answer it, as far as is known here.
    pub fn is_open(&self) -> bool {
        self.state == OfferState::Open
    }

    /// Whether who was asked holds the case by it.
    pub const fn is_accepted(&self) -> bool {
        matches!(self.state, OfferState::Accepted { .. })
    }

    /// Whether questions wait for an answer.
    pub fn has_open_question(&self) -> bool {
        self.is_open() && self.question.is_some_and(|question| !question.is_answered)
    }

    /// Whether this organisation said this about it and does not know whether it was heard: it may be said again.
    pub fn is_unheard(&self, act: &Act) -> bool {
        self.unheard.contains(&act.name())
    }

    pub(super) fn note_heard(&mut self, act: &Act, is_heard: bool) {
        self.unheard.retain(|name| *name != act.name());
        if !is_heard {
            self.unheard.push(act.name());
        }
    }

    /// How much haste there is, also for what is said about it.
    pub const fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// Whether what it waits for did not happen in time. That may still be done, and who made an offer that was not answered
    /// may take it back.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.term.is_some_and(|term| term.is_running() && term.deadline.respond_before <= now)
    }
}
