//! What this organisation takes in from another.

use super::{Act, Case, Step, WithdrawalOutcome};
use crate::refusal::Reason;

impl Case {
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
                if offer.has_open_question() { Err(Reason::HandoverAnswered) } else { Ok(()) }
            }
            // What comes after this organisation answered is not needed any more, and so not taken in.
            Act::Supplemented { offer, question, .. } => {
                let offer = self.find_open(*offer, offered)?;
                match offer.question {
                    Some(asked) if asked.id != *question => Err(Reason::HandoverOutOfTurn),
                    Some(asked) if asked.is_answered => Err(Reason::HandoverAnswered),
                    Some(_) => Ok(()),
                    None => Err(Reason::HandoverOutOfTurn),
                }
            }
            // Said again when its sender does not know whether it was heard: then the answer is given again.
            Act::Withdrawn { offer, .. } => match self.find(*offer, offered) {
                Ok(_) | Err(Reason::HandoverUnknown) => Ok(()),
                Err(reason) => Err(reason),
            },
            Act::WithdrawalConfirmed { offer, withdrawal, outcome } => {
                let offer = self.find(*offer, asked)?;
                let asked = offer.withdrawal.ok_or(Reason::HandoverOutOfTurn)?;
                // An acceptance that got lost is heard from this answer.
                let agrees = match outcome {
                    WithdrawalOutcome::WasAccepted => offer.is_accepted() || offer.is_open(),
                    WithdrawalOutcome::Withdrawn | WithdrawalOutcome::Elsewhere => !offer.is_accepted(),
                };
                match (agrees, asked.is_confirmed) {
                    (true, true) => Err(Reason::HandoverAnswered),
                    // The last of several withdrawals may be still to come to the other.
                    (true, false) if *withdrawal <= asked.id => Ok(()),
                    _ => Err(Reason::HandoverOutOfTurn),
                }
            }
            Act::FirstContact { .. } | Act::Completed { .. } => self.check_after_acceptance(step),
        }
    }

    fn may_be_offered(&self, step: &Step) -> Result<(), Reason> {
        if self.offer(step.message).is_some() {
            // Its withdrawal came before it.
            return Err(Reason::HandoverAnswered);
        }
        if self.is_of_older_root(step) {
            return Ok(());
        }
        if step.root() != self.root {
            return Err(Reason::ControlElsewhere);
        }
        // Somebody else may hold it by now without this organisation knowing: only who has an offer open here has not let go.
        let is_offered = self.offers.iter().any(|offer| offer.to == self.me && offer.is_open());
        if self.is_mine() || is_offered { Err(Reason::HandoverOutOfTurn) } else { Ok(()) }
    }
}
