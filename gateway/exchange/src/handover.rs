//! Handovers: who holds a case (`regie`), as a function of the signed messages about it.
//!
//! - [`Step`]: what one message does in a handover, without anything about the resident
//! - [`Case`]: what an organisation knows of a case by the messages it sent and received: every offer, how that stands, who
//!   holds the case, and what this organisation still owes an answer to
//! - [`Term`]: what an offer waits for, from whom and until when, and when to remind of that
//!
//! The rules, the same at both ends (PROTOCOL §7):
//!
//! - Whoever offers first in a case claims it. The holder stays holder until somebody accepted.
//! - Who was asked holds the case from the moment that its acceptance is in its log. Who asked knows once it has that.
//! - The holder has one open offer at a time. It is closed by an acceptance, by a refusal with a reason, or by a withdrawal
//!   that the other confirmed: then only does nothing stand in the way of the next.
//! - A message that the other refused did nothing: both logs say so. So an acceptance that could not be taken in leaves the
//!   case where it was, at both sides.
//! - Who accepted hands the case on once its acceptance was taken in: until then it may still be refused.
//! - What was given up before the other said to have it may have been heard or not. It stands, and may be said again.

use jiff::Timestamp;

mod case;
mod offer;
mod step;
mod term;

pub use case::{Case, MAX_STEPS, Standing};
pub use offer::{Offer, OfferState, Question, Withdrawal};
pub use step::{Act, Completion, DeclineReason, Step, TAG, WithdrawalOutcome, WithdrawalReason, is_handover};
pub use term::{Awaited, Notice, Term};

/// A step that the rules allowed, and how many messages of the case that was decided with: it counts only as the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The step.
    pub step: Step,
    /// How many came before it.
    pub after: usize,
    /// Whether this organisation owes another something about the case with this step in it.
    pub owes: bool,
    /// When the first of its terms is to be told of, whatever was told before.
    pub due: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
