//! What this organisation may say: nothing that the other would not believe.

use super::{Act, Case, Offer, OfferState, Step};
use crate::refusal::Reason;

impl Case {
    pub(super) fn may_say(&self, step: &Step) -> Result<(), Reason> {
        let asked = (step.to, step.from);
        let offered = (step.from, step.to);
        match &step.act {
            Act::Offered { .. } => self.may_offer(step),
            Act::Accepted { offer, .. } => {
                let offer = self.find(*offer, asked)?;
                may_answer(offer, offer.is_accepted() && offer.is_unheard(&step.act))
            }
            Act::Declined { offer, .. } => {
                let offer = self.find(*offer, asked)?;
                let is_declined = matches!(offer.state, OfferState::Declined(_));
                may_answer(offer, is_declined && offer.is_unheard(&step.act))
            }
            Act::Asked { offer, .. } => {
                let offer = self.find_open(*offer, asked)?;
                in_turn(!offer.has_open_question() || offer.is_unheard(&step.act))
            }
            Act::Supplemented { offer, question, .. } => {
                let offer = self.find_open(*offer, offered)?;
                let is_asked = offer.question.is_some_and(|asked| asked.id == *question);
                let is_waiting = offer.has_open_question() || offer.is_unheard(&step.act);
                in_turn(is_asked && is_waiting && offer.withdrawal.is_none())
            }
            // Of what the other refused meanwhile, it heard the withdrawal only.
            Act::Withdrawn { offer, .. } => match self.find(*offer, offered) {
                Ok(offer) if !offer.is_open() && offer.state != OfferState::Lapsed => {
                    Err(Reason::HandoverAnswered)
                }
                Ok(offer) => in_turn(offer.withdrawal.is_none() || offer.is_unheard(&step.act)),
                Err(Reason::HandoverUnknown) => Ok(()),
                Err(reason) => Err(reason),
            },
            Act::WithdrawalConfirmed { offer, withdrawal, .. } => {
                let offer = self.find(*offer, asked)?;
                let is_asked = offer.withdrawal.is_some_and(|one| {
                    one.id == *withdrawal && (!one.is_confirmed || offer.is_unheard(&step.act))
                });
                in_turn(is_asked)
            }
            Act::FirstContact { .. } | Act::Completed { .. } => self.check_after_acceptance(step),
        }
    }

    fn may_offer(&self, step: &Step) -> Result<(), Reason> {
        if self.holder.map_or(self.is_elsewhere, |holder| holder != self.me) {
            return Err(Reason::ControlElsewhere);
        }
        let is_offered = self.offers.iter().any(|offer| offer.from == self.me && offer.is_open());
        let is_same = self.root.is_none_or(|root| step.root() == Some(root));
        in_turn(self.is_certain && !is_offered && is_same)
    }
}

/// An offer is answered once; the same answer again when nobody may have heard it.
fn may_answer(offer: &Offer, is_repeated: bool) -> Result<(), Reason> {
    if offer.is_open() || is_repeated { Ok(()) } else { Err(Reason::HandoverAnswered) }
}

const fn in_turn(is_so: bool) -> Result<(), Reason> {
    if is_so { Ok(()) } else { Err(Reason::HandoverOutOfTurn) }
}
