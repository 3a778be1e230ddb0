//! What a step does to the term of its offer.

use super::{
    super::term::{Awaited, Term},
    Act, Offer, Step,
};

impl Offer {
    pub(super) fn note_term(&mut self, step: &Step) {
        if let Some(term) = Term::of(step) {
            self.run(term);
            return;
        }
        let is_met = match step.act {
            // An acceptance that crossed it stands.
            Act::Withdrawn { .. } => !self.is_accepted(),
            Act::Declined { .. } | Act::FirstContact { .. } | Act::Completed { .. } => true,
            _ => false,
        };
        if let Some(term) = self.term.as_mut().filter(|_| is_met) {
            term.meet(step.message);
        }
    }

    /// Another term. What crossed a withdrawal changes nothing any more, unless it is an acceptance.
    fn run(&mut self, mut term: Term) {
        if let Some(withdrawal) = self.withdrawal.filter(|_| term.awaited != Awaited::FirstContact) {
            term.meet(withdrawal.id);
        }
        self.term = Some(term);
    }
}
