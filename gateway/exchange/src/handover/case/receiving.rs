//! What this organisation takes in.

use super::{Act, Case, OfferState, Step, WithdrawalOutcome};
use crate::refusal::Reason;

impl Case {
    /// Whether another may take this step, by what is known here.
    pub(super) fn may_hear(&self, step: &Step) -> Result<(), Reason> {
        let offered = (step.from, step.to);
        let asked = (step.to, step.from);
        match &step.act {
            Act::Offered { .. } => self.may_be_offered(step),
            // Also while a withdrawal of it is under way: they crossed, and the acceptance stands.
            Act::Accepted { offer, .. } | Act::Declined { offer, .. } => {
                self.find_open(*offer, asked).map(drop)
            }
            Act::Asked { offer, .. } => {
                let offer = self.find_open(*offer, asked)?;
                if offer.has_open_question() { Err(Reason::HandoverOutOfTurn) } else { Ok(()) }
            }
            // What comes after this organisation answered is not needed any more, and so not taken in.
            Act::Supplemented { offer, question, .. } => {
                let offer = self.find_open(*offer, offered)?;
                let is_asked = offer.question.is_some_and(|asked| asked.id == *question);
                if is_asked && offer.has_open_question() { Ok(()) } else { Err(Reason::HandoverOutOfTurn) }
            }
            Act::Withdrawn { offer, .. } => match self.find(*offer, offered) {
                Ok(offer) if offer.withdrawal.is_some() => Err(Reason::HandoverOutOfTurn),
                Ok(_) | Err(Reason::HandoverUnknown) => Ok(()),
                Err(reason) => Err(reason),
            },
            Act::WithdrawalConfirmed { offer, withdrawal, outcome } => {
                let offer = self.find(*offer, asked)?;
                let is_asked = offer.withdrawal.is_some_and(|one| one.id == *withdrawal && !one.is_confirmed);
                let is_accepted = matches!(offer.state, OfferState::Accepted { .. });
                let agrees = is_accepted == (*outcome == WithdrawalOutcome::WasAccepted);
                if is_asked && agrees { Ok(()) } else { Err(Reason::HandoverOutOfTurn) }
            }
            Act::FirstContact { .. } | Act::Completed { .. } => self.check_after_acceptance(step),
        }
    }

    fn may_be_offered(&self, step: &Step) -> Result<(), Reason> {
        if self.offer(step.message).is_some() {
            // Its withdrawal came before it.
            return Err(Reason::HandoverAnswered);
        }
        let Some(holder) = self.holder else { return Ok(()) };
        if holder == self.me {
            let gives_way = self.is_known_to_nobody() || self.is_earlier_claim(step);
            return if gives_way { Ok(()) } else { Err(Reason::ControlElsewhere) };
        }
        // Somebody else may hold it by now without this organisation knowing: only who has an offer open here has not let go.
        match self.offers.iter().find(|offer| offer.to == self.me && offer.is_open()) {
            Some(open) if open.from == step.from => Err(Reason::HandoverOutOfTurn),
            Some(_) => Err(Reason::ControlElsewhere),
            None => Ok(()),
        }
    }

    /// Both claimed the case by offering it to each other: the offer that was made first counts, by identifiers that both
    /// know, so that both decide alike.
    fn is_earlier_claim(&self, step: &Step) -> bool {
        let mut own = self.offers.iter().filter(|offer| offer.from == self.me);
        let Some(first) = own.next() else { return false };
        self.is_claim && own.next().is_none() && first.is_open() && first.to == step.from && step.message < first.id
    }
}
