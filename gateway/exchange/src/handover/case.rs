//! What an organisation knows of a case by the messages that it sent and received.

mod receiving;
mod sending;
mod terms;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    offer::{Offer, OfferState, Question, Withdrawal},
    step::{Act, Step, WithdrawalOutcome, WithdrawalReason},
    term::Term,
};
use crate::{oin::Oin, refusal::Reason};

/// The most messages of handovers in one case. A case that needs more is one for people to talk about.
pub const MAX_STEPS: usize = 1000;

/// What became of a message, as far as is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'s> {
    /// It came from a partner, or its receiver took it in.
    Stands,
    /// Its receiver did not say yet what became of it.
    UnderWay,
    /// Its receiver refused it, with this code.
    Refused(&'s str),
    /// It was given up before its receiver said what became of it.
    GivenUp,
}

/// A case as one organisation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    me: Oin,
    holder: Option<Oin>,
    /// The offer with which the handing over began. Should a case begin in two places, the one that began first counts, by
    /// identifiers that everybody can compare.
    root: Option<Uuid>,
    /// Whether who held the case before took in that this organisation accepted it. Until then it may still refuse that, so
    /// the case is not handed on.
    is_certain: bool,
    /// The case began elsewhere before it began here; who holds it is not known.
    is_elsewhere: bool,
    /// In the order in which they became known.
    offers: Vec<Offer>,
    steps: usize,
}

impl Case {
    /// A case of which this organisation knows nothing yet.
    pub const fn new(me: Oin) -> Self {
        Self {
            me,
            holder: None,
            root: None,
            is_certain: true,
            is_elsewhere: false,
            offers: Vec::new(),
            steps: 0,
        }
    }

    /// The case that these messages make, in the order in which this organisation logged them. What does not fit, since what
    /// it follows on was refused, does nothing.
    pub fn replay<'s>(me: Oin, steps: impl IntoIterator<Item = (&'s Step, Standing<'s>)>) -> Self {
        let mut case = Self::new(me);
        for (step, standing) in steps {
            case.steps += 1;
            match standing {
                Standing::Refused(code) => case.note_refused(step, code),
                _ if case.may(step).is_ok() => {
                    case.apply(step);
                    case.note_standing(step, standing);
                }
                _ => {}
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

    /// The offer with which the handing over of this case began.
    pub const fn root(&self) -> Option<Uuid> {
        self.root
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

    /// Takes a new step of this organisation or of another, if it may be taken now.
    pub fn take(&mut self, step: &Step) -> Result<(), Reason> {
        self.check(step)?;
        self.steps += 1;
        self.apply(step);
        Ok(())
    }

    /// Whether a new step may be taken now.
    pub fn check(&self, step: &Step) -> Result<(), Reason> {
        if self.steps >= MAX_STEPS || !self.is_true(step) {
            return Err(Reason::HandoverOutOfTurn);
        }
        self.may(step)
    }

    /// Whether what this organisation says of an offer is so. Said a while ago, it may have been so then: before the other
    /// refused what it is about.
    fn is_true(&self, step: &Step) -> bool {
        let known = self.offer(step.offer());
        match step.act {
            _ if step.from != self.me => true,
            Act::Withdrawn { .. } => known.is_some(),
            Act::WithdrawalConfirmed { outcome, .. } => {
                known.is_none_or(|offer| outcome == Self::outcome_of(offer))
            }
            _ => true,
        }
    }

    /// When the first of its running terms is to be told of.
    pub fn first_due(&self) -> Option<Timestamp> {
        let running = self.offers.iter().filter_map(|offer| offer.term).filter(Term::is_running);
        running.map(|term| term.deadline.remind_at.min(term.deadline.respond_before)).min()
    }

    /// What this organisation owes another, and to whom: an answer to a withdrawal, or the withdrawal of what lapsed.
    pub fn owed(&self) -> Option<(Oin, Act)> {
        self.offers.iter().find_map(|offer| match offer.withdrawal {
            Some(withdrawal) if offer.to == self.me && !withdrawal.is_confirmed => {
                let (withdrawal, outcome) = (withdrawal.id, Self::outcome_of(offer));
                Some((offer.from, Act::WithdrawalConfirmed { offer: offer.id, withdrawal, outcome }))
            }
            None if offer.from == self.me && offer.state == OfferState::Lapsed => {
                let reason = WithdrawalReason::Mistake;
                Some((offer.to, Act::Withdrawn { offer: offer.id, reason, root: offer.root }))
            }
            _ => None,
        })
    }

    /// What is to be said of a withdrawal.
    const fn outcome_of(offer: &Offer) -> WithdrawalOutcome {
        if offer.is_accepted() {
            WithdrawalOutcome::WasAccepted
        } else if offer.is_younger {
            WithdrawalOutcome::Elsewhere
        } else {
            WithdrawalOutcome::Withdrawn
        }
    }

    fn may(&self, step: &Step) -> Result<(), Reason> {
        if step.from == self.me { self.may_say(step) } else { self.may_hear(step) }
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

    /// The first contact after an acceptance, once; and its end, once.
    fn check_after_acceptance(&self, step: &Step) -> Result<(), Reason> {
        let offer = self.find(step.offer(), (step.to, step.from))?;
        if !offer.is_accepted() {
            return Err(Reason::HandoverOutOfTurn);
        }
        let is_repeated = step.from == self.me && offer.is_unheard(&step.act);
        let was_said = match step.act {
            Act::FirstContact { .. } => offer.first_contact.is_some(),
            _ => offer.result.is_some(),
        };
        if was_said && !is_repeated { Err(Reason::HandoverAnswered) } else { Ok(()) }
    }

    fn apply(&mut self, step: &Step) {
        match &step.act {
            Act::Offered { respond_before, .. } => self.offered(step, *respond_before),
            Act::Accepted { contact_before, .. } => {
                let contact_before = Some(*contact_before);
                self.change(step, |offer| offer.state = OfferState::Accepted { contact_before });
                self.accepted_by(step.from);
            }
            Act::Declined { reason, .. } => {
                self.change(step, |offer| offer.state = OfferState::Declined(*reason));
            }
            Act::Asked { answer_before, .. } => {
                let (id, answer_before) = (step.message, *answer_before);
                let question = Question { id, answer_before, is_answered: false };
                self.change(step, |offer| offer.question = Some(question));
            }
            Act::Supplemented { respond_before, .. } => self.change(step, |offer| {
                offer.respond_before = Some(*respond_before);
                offer.question = offer.question.map(|asked| Question { is_answered: true, ..asked });
            }),
            Act::Withdrawn { .. } => self.withdrawn(step),
            Act::WithdrawalConfirmed { outcome, .. } => {
                let is_news = self.offer(step.offer()).is_some_and(|offer| !offer.is_accepted());
                if is_news && *outcome == WithdrawalOutcome::WasAccepted {
                    self.accepted_by(step.from);
                }
                let is_of_root = self.offer(step.offer()).is_some_and(|offer| offer.root == self.root);
                if *outcome == WithdrawalOutcome::Elsewhere && step.from != self.me && is_of_root {
                    self.lose();
                }
                self.change(step, |offer| offer.confirmed(*outcome));
            }
            Act::FirstContact { on, .. } => self.change(step, |offer| offer.first_contact = Some(*on)),
            Act::Completed { result, .. } => self.change(step, |offer| offer.result = Some(*result)),
        }
        self.change(step, |offer| offer.note_term(step));
    }

    fn change(&mut self, step: &Step, change: impl FnOnce(&mut Offer)) {
        let id = step.offer();
        if let Some(offer) = self.offers.iter_mut().find(|offer| offer.id == id) {
            change(offer);
        }
    }

    fn offered(&mut self, step: &Step, respond_before: Timestamp) {
        if step.from == self.me {
            self.claim_by(step);
        } else {
            self.held_by(step);
        }
        self.offers.push(Offer::made(step, Some(respond_before)));
    }

    /// Who offers first claims the case.
    fn claim_by(&mut self, step: &Step) {
        if self.holder.is_none() && !self.is_elsewhere {
            (self.holder, self.root) = (Some(self.me), step.root());
        }
    }

    /// Another offers the case. If it began there before it began here, what was offered here lapses.
    fn held_by(&mut self, step: &Step) {
        if self.root != step.root() {
            for own in self.offers.iter_mut().filter(|offer| offer.from == self.me && offer.is_open()) {
                own.state = OfferState::Lapsed;
            }
        }
        (self.holder, self.root, self.is_elsewhere) = (Some(step.from), step.root(), false);
    }

    /// The case began elsewhere before it began here.
    fn lose(&mut self) {
        (self.holder, self.root, self.is_elsewhere) = (None, None, true);
    }

    /// Whether this is about the case as it began before it began here.
    fn is_of_older_root(&self, step: &Step) -> bool {
        self.root.is_none() || step.root() < self.root
    }

    fn accepted_by(&mut self, holder: Oin) {
        self.holder = Some(holder);
        self.is_certain = holder != self.me;
    }

    /// Who was asked takes it as withdrawn from the moment that it hears so, unless it had answered. Who asked waits for the
    /// other to say so.
    fn withdrawn(&mut self, step: &Step) {
        let (id, is_mine) = (step.offer(), step.from == self.me);
        if self.offer(id).is_none() {
            // The offer never came: it will not be taken in either. Where the case began is known all the same.
            if !is_mine && self.is_of_older_root(step) {
                self.held_by(step);
            }
            let is_younger = !is_mine && step.root() > self.root;
            self.offers
                .push(Offer { is_younger, ..Offer::made(&Step { message: id, ..step.clone() }, None) });
        }
        let is_known_to_other =
            !is_mine || self.offer(id).is_some_and(|offer| offer.respond_before.is_none());
        self.change(step, |offer| {
            offer.withdrawal = Some(Withdrawal { id: step.message, is_confirmed: false });
            if is_known_to_other && offer.is_open() {
                offer.state = OfferState::Withdrawn;
            }
        });
    }

    fn note_standing(&mut self, step: &Step, standing: Standing<'_>) {
        if step.from != self.me {
            return;
        }
        let is_acceptance = match step.act {
            Act::Accepted { .. } => true,
            Act::WithdrawalConfirmed { outcome, .. } => outcome == WithdrawalOutcome::WasAccepted,
            _ => false,
        };
        if is_acceptance {
            self.is_certain |= standing == Standing::Stands;
        }
        self.change(step, |offer| offer.note_heard(&step.act, standing != Standing::GivenUp));
    }

    /// The other refused what this organisation said: it did nothing. But a claim stays when nobody else holds the case, since
    /// the other knows nothing of it; and what the other had heard before was heard.
    fn note_refused(&mut self, step: &Step, code: &str) {
        if step.from != self.me {
            return;
        }
        if code == Reason::HandoverAnswered.code() {
            self.change(step, |offer| offer.note_heard(&step.act, true));
        }
        match step.act {
            Act::Offered { .. } if code != Reason::ControlElsewhere.code() => self.claim_by(step),
            Act::Offered { .. } if self.root.is_none_or(|root| Some(root) == step.root()) => self.lose(),
            // The offer itself was refused, or the answer was heard before: nobody waits for it.
            Act::WithdrawalConfirmed { outcome, .. }
                if [Reason::HandoverAnswered, Reason::HandoverUnknown].map(Reason::code).contains(&code) =>
            {
                self.change(step, |offer| offer.confirmed(outcome));
            }
            _ => {}
        }
    }
}

impl Offer {
    fn made(step: &Step, respond_before: Option<Timestamp>) -> Self {
        Self {
            id: step.message,
            from: step.from,
            to: step.to,
            root: step.root(),
            is_younger: false,
            state: OfferState::Open,
            urgency: step.urgency(),
            respond_before,
            term: None,
            question: None,
            withdrawal: None,
            unheard: Vec::new(),
            first_contact: None,
            result: None,
        }
    }

    fn confirmed(&mut self, outcome: WithdrawalOutcome) {
        self.withdrawal = self.withdrawal.map(|withdrawal| Withdrawal { is_confirmed: true, ..withdrawal });
        match outcome {
            WithdrawalOutcome::Withdrawn | WithdrawalOutcome::Elsewhere if self.is_open() => {
                self.state = OfferState::Withdrawn;
            }
            // As good as the acceptance itself, should that have got lost.
            WithdrawalOutcome::WasAccepted if !self.is_accepted() => {
                self.state = OfferState::Accepted { contact_before: None };
            }
            _ => {}
        }
    }
}
