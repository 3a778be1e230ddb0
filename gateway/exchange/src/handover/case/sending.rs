//! What this organisation may say.

use super::{Act, Case, Step, outcome_of};
use crate::refusal::Reason;

impl Case {
    /// Whether this organisation may take this step: what the other would not believe is not said.
    pub(super) fn may_say(&self, step: &Step) -> Result<(), Reason> {
        let asked = (step.to, step.from);
        let offered = (step.from, step.to);
        match &step.act {
            Act::Offered { .. } => self.may_offer(),
            Act::Accepted { offer, .. } | Act::Declined { offer, .. } => {
                self.find_open(*offer, asked).map(drop)
            }
            Act::Asked { offer, .. } => {
                let offer = self.find_open(*offer, asked)?;
                if offer.has_open_question() { Err(Reason::HandoverOutOfTurn) } else { Ok(()) }
            }
            Act::Supplemented { offer, question, .. } => {
                let offer = self.find_open(*offer, offered)?;
                let is_asked = offer.question.is_some_and(|asked| asked.id == *question);
                let is_open = offer.has_open_question() && offer.withdrawal.is_none();
                if is_asked && is_open { Ok(()) } else { Err(Reason::HandoverOutOfTurn) }
            }
            Act::Withdrawn { offer, .. } => {
                let offer = self.find_open(*offer, offered)?;
                if offer.withdrawal.is_none() { Ok(()) } else { Err(Reason::HandoverOutOfTurn) }
            }
            Act::WithdrawalConfirmed { offer, withdrawal, outcome } => {
                let offer = self.find(*offer, asked)?;
                let is_owed = offer.withdrawal.is_some_and(|one| one.id == *withdrawal && !one.is_confirmed);
                if is_owed && *outcome == outcome_of(offer) { Ok(()) } else { Err(Reason::HandoverOutOfTurn) }
            }
            Act::FirstContact { .. } | Act::Completed { .. } => self.check_after_acceptance(step),
        }
    }

    fn may_offer(&self) -> Result<(), Reason> {
        if self.holder.is_some_and(|holder| holder != self.me) {
            return Err(Reason::ControlElsewhere);
        }
        let is_offered = self.offers.iter().any(|offer| offer.from == self.me && offer.is_open());
        if is_offered { Err(Reason::HandoverOutOfTurn) } else { Ok(()) }
    }
}
