//! Three organisations, one case, and a network that keeps the order of a case between two of them, as delivery does.

use std::collections::VecDeque;

use jiff::{Timestamp, civil::date};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::{
    Act, Case, Completion, DeclineReason, OfferState, Standing, Step, WithdrawalOutcome, WithdrawalReason,
};
use crate::{id, oin::Oin, random::SeededRandom, refusal::Reason, urgency::Urgency};

const ORGANISATIONS: usize = 3;
/// The code of a refusal that has nothing to do with handovers.
const OTHER_REASON: &str = Reason::DataNotAllowed.code();

pub(super) fn oin(number: usize) -> Oin {
    format!("0000009900000000{}000", number + 1).parse().unwrap()
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Offer {
        from: usize,
        to: usize,
    },
    Accept(usize),
    Decline(usize),
    Ask(usize),
    Supplement(usize),
    Withdraw(usize),
    Contact(usize),
    Complete(usize),
    /// The node says by itself what it owes.
    Owe(usize),
    /// What is first in line arrives and is decided about.
    Deliver {
        from: usize,
        to: usize,
    },
    /// All of it arrives and is answered.
    Exchange {
        from: usize,
        to: usize,
    },
    /// It arrives, and some other rule keeps it out.
    Refuse {
        from: usize,
        to: usize,
    },
    /// The sender hears what became of it.
    Answer {
        from: usize,
        to: usize,
    },
    /// The sender gives it up, whether it arrived or not.
    GiveUp {
        from: usize,
        to: usize,
    },
}

pub(super) fn operations() -> impl Strategy<Value = Op> {
    let org = || 0..ORGANISATIONS;
    // Two of them may begin: a case that began in two places that know nothing of each other is two cases.
    let way = || (org(), 1..ORGANISATIONS).prop_map(|(from, by)| (from, (from + by) % ORGANISATIONS));
    prop_oneof![
        8 => way().prop_map(|(from, to)| Op::Offer { from, to }),
        6 => org().prop_map(Op::Accept),
        3 => org().prop_map(Op::Decline),
        10 => org().prop_map(Op::Ask),
        14 => org().prop_map(Op::Supplement),
        6 => org().prop_map(Op::Withdraw),
        4 => org().prop_map(Op::Contact),
        6 => org().prop_map(Op::Complete),
        4 => org().prop_map(Op::Owe),
        40 => way().prop_map(|(from, to)| Op::Exchange { from, to }),
        12 => way().prop_map(|(from, to)| Op::Deliver { from, to }),
        2 => way().prop_map(|(from, to)| Op::Refuse { from, to }),
        12 => way().prop_map(|(from, to)| Op::Answer { from, to }),
        2 => way().prop_map(|(from, to)| Op::GiveUp { from, to }),
    ]
}

/// What happened, so that a test can tell that it tested something.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    accepted: u32,
    declined: u32,
    asked: u32,
    supplemented: u32,
    withdrawn: u32,
    crossed: u32,
    lapsed: u32,
    refused: u32,
    given_up: u32,
    said_again: u32,
    handed_on: u32,
    completed: u32,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.declined += other.declined;
        self.asked += other.asked;
        self.supplemented += other.supplemented;
        self.withdrawn += other.withdrawn;
        self.crossed += other.crossed;
        self.lapsed += other.lapsed;
        self.refused += other.refused;
        self.given_up += other.given_up;
        self.said_again += other.said_again;
        self.handed_on += other.handed_on;
        self.completed += other.completed;
    }

    pub(super) fn counts(&self) -> [(&'static str, u32); 12] {
        [
            ("accepted", self.accepted),
            ("declined", self.declined),
            ("asked", self.asked),
            ("supplemented", self.supplemented),
            ("withdrawn", self.withdrawn),
            ("crossed", self.crossed),
            ("lapsed", self.lapsed),
            ("refused", self.refused),
            ("given up", self.given_up),
            ("said again", self.said_again),
            ("handed on", self.handed_on),
            ("completed", self.completed),
        ]
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Waiting,
    Admitted,
    Refused(&'static str),
    GivenUp,
}

#[derive(Debug, Default)]
struct Node {
    /// In the order of its log. What it received stands.
    log: Vec<(Step, Fate)>,
}

/// What waits, and whether its receiver decided about it already.
type Line = VecDeque<(Step, Option<Result<(), &'static str>>)>;

#[derive(Default)]
pub(super) struct World {
    nodes: [Node; ORGANISATIONS],
    lines: [[Line; ORGANISATIONS]; ORGANISATIONS],
    made: u64,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn case(&self, org: usize) -> Case {
        let log = self.nodes[org].log.iter();
        Case::replay(
            oin(org),
            log.map(|(step, fate)| {
                let standing = match fate {
                    Fate::Waiting => Standing::UnderWay,
                    Fate::Admitted => Standing::Stands,
                    Fate::Refused(code) => Standing::Refused(code),
                    Fate::GivenUp => Standing::GivenUp,
                };
                (step, standing)
            }),
        )
    }

    pub(super) fn apply(&mut self, operation: &Op) {
        match *operation {
            Op::Offer { from, to } => self.offer(from, to),
            Op::Accept(org) => {
                self.answer_offer(org, |offer, _| Act::Accepted { offer, contact_before: day() });
            }
            Op::Decline(org) => {
                self.answer_offer(org, |offer, _| Act::Declined { offer, reason: DeclineReason::NoRoom });
            }
            Op::Ask(org) => {
                self.answer_offer(org, |offer, _| Act::Asked { offer, answer_before: moment() });
            }
            Op::Supplement(org) => self.follow_offer(org, |offer, question| Act::Supplemented {
                offer,
                question: question.unwrap_or_default(),
                respond_before: moment(),
            }),
            Op::Withdraw(org) => self.follow_offer(org, |offer, _| Act::Withdrawn {
                offer,
                reason: WithdrawalReason::NoAnswer,
                root: None,
            }),
            Op::Contact(org) => self.answer_offer(org, |offer, _| Act::FirstContact { offer, on: day() }),
            Op::Complete(org) => {
                self.answer_offer(org, |offer, _| Act::Completed { offer, result: Completion::HelpStarted });
            }
            Op::Owe(org) => drop(self.owe(org)),
            Op::Deliver { from, to } => self.deliver(from, to, None),
            Op::Exchange { from, to } => self.exchange(from, to),
            Op::Refuse { from, to } => self.deliver(from, to, Some(OTHER_REASON)),
            Op::Answer { from, to } => self.answer(from, to),
            Op::GiveUp { from, to } => self.give_up(from, to),
        }
    }

    /// A case begins with the first or the second: the third knows of it once it was offered it.
    fn offer(&mut self, from: usize, to: usize) {
        if from == 2 && self.nodes[from].log.is_empty() {
            return;
        }
        // Nor is it begun where it could not have become known, other than by each with the other at once.
        if self.nodes[from].log.is_empty() && to == 2 {
            return;
        }
        let was_accepted =
            self.case(from).offers().iter().any(|offer| offer.to == oin(from) && offer.is_accepted());
        if self.say(from, to, Act::Offered { respond_before: moment(), root: None, urgency: Urgency::Normal })
            && was_accepted
        {
            self.seen.handed_on += 1;
        }
    }

    /// Who was asked says something about the last offer to it.
    fn answer_offer(&mut self, org: usize, act: impl Fn(Uuid, Option<Uuid>) -> Act) {
        let case = self.case(org);
        let Some(offer) = case.offers().iter().rev().find(|offer| offer.to == oin(org)) else { return };
        let to = number(offer.from);
        self.say(org, to, act(offer.id, offer.question.map(|question| question.id)));
    }

    /// Who offered says something about its last offer.
    fn follow_offer(&mut self, org: usize, act: impl Fn(Uuid, Option<Uuid>) -> Act) {
        let case = self.case(org);
        let Some(offer) = case.offers().iter().rev().find(|offer| offer.from == oin(org)) else { return };
        let to = number(offer.to);
        self.say(org, to, act(offer.id, offer.question.map(|question| question.id)));
    }

    fn owe(&mut self, org: usize) -> bool {
        let Some((to, act)) = self.case(org).owed() else { return false };
        if matches!(act, Act::WithdrawalConfirmed { outcome: WithdrawalOutcome::WasAccepted, .. }) {
            self.seen.crossed += 1;
        }
        assert!(self.say(org, number(to), act), "what is owed may be said");
        true
    }

    /// Queues what may be said.
    fn say(&mut self, from: usize, to: usize, act: Act) -> bool {
        self.made += 1;
        let mut step = Step { message: made(self.made), from: oin(from), to: oin(to), act };
        let case = self.case(from);
        match &mut step.act {
            Act::Offered { root, .. } => *root = case.root(),
            Act::Withdrawn { offer, root, .. } => {
                *root = case.offer(*offer).and_then(super::super::Offer::root);
            }
            _ => {}
        }
        if case.check(&step).is_err() {
            return false;
        }
        let is_unheard = case.offer(step.offer()).is_some_and(|offer| offer.is_unheard(&step.act));
        self.seen.said_again += u32::from(is_unheard);
        self.nodes[from].log.push((step.clone(), Fate::Waiting));
        self.lines[from][to].push_back((step, None));
        true
    }

    fn deliver(&mut self, from: usize, to: usize, by_another_rule: Option<&'static str>) {
        let Some((step, None)) = self.lines[from][to].front() else { return };
        let step = step.clone();
        let case = self.case(to);
        let decided = by_another_rule.map_or_else(|| case.check(&step).map_err(Reason::code), Err);
        if decided.is_ok() {
            let open = case.open_offer().map(|offer| offer.id);
            self.nodes[to].log.push((step.clone(), Fate::Admitted));
            self.note(&step);
            let lapsed = open.and_then(|open| self.case(to).offer(open).map(|offer| offer.state));
            self.seen.lapsed += u32::from(lapsed == Some(OfferState::Lapsed));
        } else {
            self.seen.refused += 1;
        }
        if let Some(first) = self.lines[from][to].front_mut() {
            first.1 = Some(decided);
        }
    }

    fn exchange(&mut self, from: usize, to: usize) {
        while !self.lines[from][to].is_empty() {
            self.deliver(from, to, None);
            self.answer(from, to);
        }
    }

    fn note(&mut self, step: &Step) {
        match step.act {
            Act::Accepted { .. } => self.seen.accepted += 1,
            Act::Declined { .. } => self.seen.declined += 1,
            Act::Asked { .. } => self.seen.asked += 1,
            Act::Supplemented { .. } => self.seen.supplemented += 1,
            Act::WithdrawalConfirmed { outcome: WithdrawalOutcome::Withdrawn, .. } => {
                self.seen.withdrawn += 1;
            }
            Act::Completed { .. } => self.seen.completed += 1,
            _ => {}
        }
    }

    fn answer(&mut self, from: usize, to: usize) {
        let Some((_, Some(_))) = self.lines[from][to].front() else { return };
        let Some((step, Some(decided))) = self.lines[from][to].pop_front() else { return };
        self.settle_fate(from, &step, decided.map_or_else(Fate::Refused, |()| Fate::Admitted));
    }

    fn give_up(&mut self, from: usize, to: usize) {
        let Some((step, _)) = self.lines[from][to].pop_front() else { return };
        self.seen.given_up += 1;
        self.settle_fate(from, &step, Fate::GivenUp);
    }

    fn settle_fate(&mut self, org: usize, step: &Step, fate: Fate) {
        let found = self.nodes[org].log.iter_mut().find(|(known, _)| known.message == step.message);
        if let Some((_, known)) = found {
            *known = fate;
        }
    }

    /// Everything arrives, everything is answered, what is owed is said, and what nobody may have heard is said again.
    pub(super) fn settle(&mut self) {
        for _ in 0..200 {
            let mut quiet = true;
            for from in 0..ORGANISATIONS {
                for to in 0..ORGANISATIONS {
                    quiet &= self.lines[from][to].is_empty();
                    self.exchange(from, to);
                }
                quiet &= !self.owe(from);
                quiet &= !self.say_again(from);
            }
            if quiet {
                return;
            }
        }
        panic!("it does not come to rest: {:?}", [self.case(0), self.case(1), self.case(2)]);
    }

    /// What was given up is said once more, as a person does who sees that it was not heard.
    fn say_again(&mut self, org: usize) -> bool {
        let given_up = self.nodes[org].log.iter().filter(|(_, fate)| *fate == Fate::GivenUp);
        let given_up: Vec<Step> = given_up.map(|(step, _)| step.clone()).collect();
        given_up.iter().any(|step| self.say_once_more(org, step))
    }

    fn say_once_more(&mut self, org: usize, step: &Step) -> bool {
        let case = self.case(org);
        let Some(offer) = case.offer(step.offer()) else { return false };
        // An offer of which nobody knows whether it came is taken back once.
        let is_taken_back = matches!(step.act, Act::Offered { .. }) && offer.withdrawal.is_some();
        if !offer.is_unheard(&step.act) || is_taken_back {
            return false;
        }
        let act = match (&step.act, offer.withdrawal) {
            // Nobody knows whether it came: it is taken back.
            (Act::Offered { .. }, _) => {
                Act::Withdrawn { offer: step.message, reason: WithdrawalReason::Mistake, root: None }
            }
            (Act::WithdrawalConfirmed { offer, .. }, Some(withdrawal)) => Act::WithdrawalConfirmed {
                offer: *offer,
                withdrawal: withdrawal.id,
                outcome: if case.offer(*offer).is_some_and(super::super::Offer::is_accepted) {
                    WithdrawalOutcome::WasAccepted
                } else {
                    WithdrawalOutcome::Withdrawn
                },
            },
            (act, _) => act.clone(),
        };
        self.say(org, number(step.to), act)
    }

    /// Nobody holds the case beside another: who offered it to somebody that may have accepted says so.
    pub(super) fn check_now(&self) {
        let cases = [0, 1, 2].map(|org| self.case(org));
        let alone = cases.iter().enumerate().filter(|(org, case)| {
            let waits = |offer: &super::super::Offer| offer.withdrawal.is_some_and(|one| !one.is_confirmed);
            let own =
                |offer: &&super::super::Offer| offer.from == oin(*org) && (offer.is_open() || waits(offer));
            let is_shared = case.offers().iter().any(|offer| own(&offer));
            case.is_mine() && !is_shared && !case.offers().is_empty()
        });
        let alone: Vec<usize> = alone.map(|(org, _)| org).collect();
        assert!(alone.len() <= 1, "held by {alone:?}: {cases:#?}");
        let is_begun = self.nodes.iter().any(|node| !node.log.is_empty());
        assert!(!is_begun || cases.iter().any(Case::is_mine), "held by nobody: {cases:#?}");
    }

    pub(super) fn check_settled(&self) {
        self.check_now();
        let cases = [0, 1, 2].map(|org| self.case(org));
        let holders: Vec<usize> = (0..ORGANISATIONS).filter(|org| cases[*org].is_mine()).collect();
        let known = |org: &&usize| !cases[**org].offers().is_empty();
        let sharing: Vec<usize> = holders.iter().filter(known).copied().collect();
        assert!(sharing.len() <= 1, "held by {sharing:?} when all is quiet: {cases:#?}");
        for (org, case) in cases.iter().enumerate() {
            for offer in case.offers() {
                let other = if offer.from == oin(org) { offer.to } else { offer.from };
                let theirs = cases[number(other)].offer(offer.id);
                // One that never came is known to who made it only; it was taken back.
                let Some(theirs) = theirs else {
                    assert_ne!(offer.state, OfferState::Open, "{cases:#?}");
                    continue;
                };
                // Closed is closed, whether by a withdrawal or by a refusal that crossed it; accepted is accepted.
                assert_eq!(theirs.is_open(), offer.is_open(), "{cases:#?}");
                assert_eq!(theirs.is_accepted(), offer.is_accepted(), "{cases:#?}");
                assert_eq!(theirs.result, offer.result);
                assert_eq!(theirs.first_contact, offer.first_contact);
                // What was given up may have been heard: then one side knows of a term that the other does not.
                if self.seen.given_up == 0 {
                    assert_eq!(theirs.term, offer.term, "{cases:#?}");
                }
            }
        }
    }
}

fn number(oin: Oin) -> usize {
    (0..ORGANISATIONS).find(|number| self::oin(*number) == oin).unwrap()
}

/// An identifier of its own instant, a minute after the one before.
fn made(number: u64) -> Uuid {
    let at = Timestamp::from_second(1_799_990_000 + i64::try_from(number).unwrap() * 60).unwrap();
    id::new(at, &SeededRandom::new(number))
}

fn moment() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn day() -> jiff::civil::Date {
    date(2027, 2, 1)
}
