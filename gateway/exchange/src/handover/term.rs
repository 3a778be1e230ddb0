//! Which term a step sets: what its offer waits for, from whom and until when.

use super::step::{Act, Step};
use crate::calendar;

pub use crate::term::{Awaited, Notice, Term};

impl Term {
    /// The term that a step sets, if it sets one.
    pub fn of(step: &Step) -> Option<Self> {
        let (awaited, by, respond_before) = match step.act {
            Act::Offered { respond_before, .. } | Act::Supplemented { respond_before, .. } => {
                (Awaited::Answer, step.to, respond_before)
            }
            Act::Asked { answer_before, .. } => (Awaited::Supplement, step.to, answer_before),
            Act::Accepted { contact_before, .. } => {
                (Awaited::FirstContact, step.from, calendar::end(contact_before))
            }
            _ => return None,
        };
        Some(Self::set(step.message, awaited, by, respond_before))
    }
}
