//! What a step does to the term of its offer.

use super::{
    super::term::{Awaited, Term},
    Act, Offer, Step,
};
use crate::calendar;

impl Offer {
    pub(super) fn note_term(&mut self, step: &Step) {
        match step.act {
            Act::Offered { respond_before, .. } | Act::Supplemented { respond_before, .. } => {
                self.run(Term::set(step.message, Awaited::Answer, self.to, respond_before));
            }
            Act::Asked { answer_before, .. } => {
                self.run(Term::set(step.message, Awaited::Supplement, self.from, answer_before));
            }
            Act::Accepted { contact_before, .. } => {
                let end = calendar::end(contact_before);
                self.term = Some(Term::set(step.message, Awaited::FirstContact, self.to, end));
            }
            // An acceptance that crossed it stands.
            Act::Withdrawn { .. } if self.is_accepted() => {}
            Act::Declined { .. }
            | Act::Withdrawn { .. }
            | Act::FirstContact { .. }
            | Act::Completed { .. } => {
                if let Some(term) = &mut self.term {
                    term.meet(step.message);
                }
            }
            Act::WithdrawalConfirmed { .. } => {}
        }
    }

    /// Another term. What crossed a withdrawal changes nothing any more.
    fn run(&mut self, mut term: Term) {
        if let Some(withdrawal) = self.withdrawal {
            term.meet(withdrawal.id);
        }
        self.term = Some(term);
    }
}
