//! What an organisation knows of a case by the messages that it sent and received.

mod receiving;
mod sending;

use uuid::Uuid;

use super::{
    offer::{Offer, OfferState, Question, Withdrawal},
    step::{Act, Step, WithdrawalOutcome},
};
use crate::{oin::Oin, refusal::Reason};

/// The most messages of handovers in one case. A case that needs more is one for people to talk about.
pub const MAX_STEPS: usize = 1000;

/// A case as one organisation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    me: Oin,
    holder: Option<Oin>,
    /// Whether this organisation is the holder because it offered first, and not because it accepted.
    is_claim: bool,
    /// In the order in which they became known.
    offers: Vec<Offer>,
    steps: usize,
}

impl Case {
    /// A case of which this organisation knows nothing yet.
    pub const fn new(me: Oin) -> Self {
        Self { me, holder: None, is_claim: false, offers: Vec::new(), steps: 0 }
    }

    /// The case that these messages make, in the order in which this organisation logged them. What the other refused, with
    /// the code of its reason, did nothing; what follows from that alone does nothing either.
    pub fn replay<'s>(me: Oin, steps: impl IntoIterator<Item = (&'s Step, Option<&'s str>)>) -> Self {
        let mut case = Self::new(me);
        for (step, refused) in steps {
            case.steps += 1;
            match refused {
                None => drop(case.take(step)),
                Some(reason) => case.note_refused(step, reason),
            }
        }
        case
    }

    /// How many messages made it what it is.
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Who holds the case, as far as is known here. Who offered it is the holder until it knows of an acceptance.
    pub const fn holder(&self) -> Option<Oin> {
        self.holder
    }

    /// Whether this organisation holds the case.
    pub fn is_mine(&self) -> bool {
        self.holder == Some(self.me)
    }

    /// Every offer that is known here, oldest first.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// An offer.
    pub fn offer(&self, id: Uuid) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == id)
    }

    /// The offer that waits for an answer of this organisation or of another.
    pub fn open_offer(&self) -> Option<&Offer> {
        self.offers.iter().rev().find(|offer| offer.is_open())
    }

    /// A step of this organisation or of another: whether it may be taken, and if so what follows.
    pub fn take(&mut self, step: &Step) -> Result<(), Reason> {
        self.check(step)?;
        self.apply(step);
        Ok(())
    }

    /// Whether a new step may be taken now.
    pub fn check(&self, step: &Step) -> Result<(), Reason> {
        if self.steps >= MAX_STEPS {
            return Err(Reason::HandoverOutOfTurn);
        }
        if step.from == self.me { self.may_say(step) } else { self.may_hear(step) }
    }

    /// The answer that this organisation owes to a withdrawal, and to whom.
    pub fn owed(&self) -> Option<(Oin, Act)> {
        let owing = |offer: &&Offer| {
            offer.to == self.me && offer.withdrawal.is_some_and(|withdrawal| !withdrawal.is_confirmed)
        };
        let offer = self.offers.iter().find(owing)?;
        let withdrawal = offer.withdrawal?.id;
        Some((
            offer.from,
            Act::WithdrawalConfirmed { offer: offer.id, withdrawal, outcome: outcome_of(offer) },
        ))
    }

    fn find(&self, id: Uuid, (from, to): (Oin, Oin)) -> Result<&Offer, Reason> {
        let offer = self.offer(id).ok_or(Reason::HandoverUnknown)?;
        if (offer.from, offer.to) == (from, to) { Ok(offer) } else { Err(Reason::HandoverOutOfTurn) }
    }

    /// An offer from one to the other that is still open.
    fn find_open(&self, id: Uuid, parties: (Oin, Oin)) -> Result<&Offer, Reason> {
        let offer = self.find(id, parties)?;
        if offer.is_open() { Ok(offer) } else { Err(Reason::HandoverAnswered) }
    }

    fn find_accepted(&self, id: Uuid, parties: (Oin, Oin)) -> Result<&Offer, Reason> {
        let offer = self.find(id, parties)?;
        if matches!(offer.state, OfferState::Accepted { .. }) {
            Ok(offer)
        } else {
            Err(Reason::HandoverOutOfTurn)
        }
    }

    /// The first contact after an acceptance, once; and its end, once.
    fn check_after_acceptance(&self, step: &Step) -> Result<(), Reason> {
        let offer = self.find_accepted(step.offer(), (step.to, step.from))?;
        let was_said = match step.act {
            Act::FirstContact { .. } => offer.first_contact.is_some() || offer.result.is_some(),
            _ => offer.result.is_some(),
        };
        if was_said { Err(Reason::HandoverAnswered) } else { Ok(()) }
    }

    fn apply(&mut self, step: &Step) {
        match &step.act {
            Act::Offered { respond_before } => self.offered(step, *respond_before),
            Act::Accepted { contact_before, .. } => {
                self.change(step, |offer| {
                    offer.state = OfferState::Accepted { contact_before: *contact_before };
                });
                (self.holder, self.is_claim) = (Some(step.from), false);
            }
            Act::Declined { reason, .. } => {
                self.change(step, |offer| offer.state = OfferState::Declined(*reason));
            }
            Act::Asked { answer_before, .. } => {
                let question =
                    Question { id: step.message, answer_before: *answer_before, is_answered: false };
                self.change(step, |offer| offer.question = Some(question));
            }
            Act::Supplemented { respond_before, .. } => self.change(step, |offer| {
                offer.respond_before = Some(*respond_before);
                offer.question = offer.question.map(|asked| Question { is_answered: true, ..asked });
            }),
            Act::Withdrawn { .. } => self.withdrawn(step),
            Act::WithdrawalConfirmed { outcome, .. } => self.change(step, |offer| {
                offer.withdrawal =
                    offer.withdrawal.map(|withdrawal| Withdrawal { is_confirmed: true, ..withdrawal });
                if *outcome == WithdrawalOutcome::Withdrawn && offer.is_open() {
                    offer.state = OfferState::Withdrawn;
                }
            }),
            Act::FirstContact { on, .. } => self.change(step, |offer| offer.first_contact = Some(*on)),
            Act::Completed { result, .. } => self.change(step, |offer| offer.result = Some(*result)),
        }
    }

    fn change(&mut self, step: &Step, change: impl FnOnce(&mut Offer)) {
        let id = step.offer();
        if let Some(offer) = self.offers.iter_mut().find(|offer| offer.id == id) {
            change(offer);
        }
    }

    fn offered(&mut self, step: &Step, respond_before: jiff::Timestamp) {
        if step.from != self.me {
            // Two claimed the case at once, and this claim was first.
            for own in self.offers.iter_mut().filter(|offer| offer.from == self.me && offer.is_open()) {
                own.state = OfferState::Lapsed;
            }
        }
        self.is_claim = step.from == self.me && (self.is_claim || self.holder.is_none());
        self.holder = Some(step.from);
        self.offers.push(Offer::made(step, Some(respond_before)));
    }

    /// Who was asked takes it as withdrawn from the moment that it hears so, unless it had answered. Who asked waits for the
    /// other to say so.
    fn withdrawn(&mut self, step: &Step) {
        let id = step.offer();
        if self.offer(id).is_none() {
            // The offer never came: it will not be taken in either.
            self.offers.push(Offer::made(&Step { message: id, ..step.clone() }, None));
        }
        let mine = step.from == self.me;
        self.change(step, |offer| {
            offer.withdrawal = Some(Withdrawal { id: step.message, is_confirmed: false });
            if !mine && offer.is_open() {
                offer.state = OfferState::Withdrawn;
            }
        });
    }

    /// The other refused what this organisation said. A claim that it refused because somebody else holds the case is none;
    /// any other stays, since nobody else knows of the case.
    fn note_refused(&mut self, step: &Step, reason: &str) {
        if !matches!(step.act, Act::Offered { .. }) || step.from != self.me || self.holder.is_some() {
            return;
        }
        if reason != Reason::ControlElsewhere.code() {
            (self.holder, self.is_claim) = (Some(self.me), true);
        }
    }

    /// Whether this organisation holds the case by its own word only, and offered it to nobody that took that in.
    fn is_known_to_nobody(&self) -> bool {
        self.is_claim && self.offers.is_empty()
    }
}

/// What is to be said of a withdrawal.
fn outcome_of(offer: &Offer) -> WithdrawalOutcome {
    if matches!(offer.state, OfferState::Accepted { .. }) {
        WithdrawalOutcome::WasAccepted
    } else {
        WithdrawalOutcome::Withdrawn
    }
}

impl Offer {
    fn made(step: &Step, respond_before: Option<jiff::Timestamp>) -> Self {
        Self {
            id: step.message,
            from: step.from,
            to: step.to,
            state: OfferState::Open,
            respond_before,
            question: None,
            withdrawal: None,
            first_contact: None,
            result: None,
        }
    }
}
