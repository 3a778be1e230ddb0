//! The three nodes with their cases, and what happens to them.

use std::collections::BTreeMap;

use exchange::handover::Case;
use jiff::{SignedDuration, Timestamp};
use node::handover::{self, owing::Rounds};
use store::TermTold;
use uuid::Uuid;

use super::{
    operation::{CASES, Op, Org, Saying, Scenario},
    parties,
};
use crate::simulation::three::Three;

/// What happened in a run, so that a test can tell that it tested something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Offers that were made.
    pub offered: u64,
    /// What else was said.
    pub said: BTreeMap<Saying, u64>,
    /// What might not be said.
    pub held_back: u64,
    /// Messages that were refused by their receiver.
    pub refused: u64,
    /// Acceptances that crossed a withdrawal.
    pub crossed: u64,
    /// Cases that somebody else holds at the end than who began.
    pub handed_over: u64,
    /// Terms of which was told, at a node.
    pub told: u64,
    /// Deliveries that no receipt came of.
    pub failed: u64,
    /// Messages that were given up and sent again.
    pub sent_again: u64,
    /// Times that a process died.
    pub crashes: u64,
    /// Times that it died during a step.
    pub cut: u64,
}

/// Everything there is in a run.
pub struct World {
    pub(super) three: Three<Org>,
    pub(super) cases: [Uuid; CASES],
    pub(super) coverage: Coverage,
    /// What was told at each node, as it was seen after each step: it neither changes nor goes away.
    pub(super) told: BTreeMap<(Org, usize), Vec<TermTold>>,
    /// How much time passed.
    passed: SignedDuration,
}

/// No run takes longer: what waits does not expire.
const LONGEST: SignedDuration = SignedDuration::from_hours(25 * 24);

impl World {
    /// Three nodes that agreed with each other, and no case yet.
    pub fn new(scenario: &Scenario) -> anyhow::Result<Self> {
        let three = Three::start(scenario.skews, parties::place)?;
        let core = three.at(Org::Municipality).core()?;
        let cases = std::array::from_fn(|_| core.new_id());
        Ok(Self {
            three,
            cases,
            coverage: Coverage::default(),
            told: BTreeMap::new(),
            passed: SignedDuration::ZERO,
        })
    }

    /// A case as a node knows it.
    pub fn known(&self, org: Org, case: usize) -> anyhow::Result<Case> {
        let (id, me) = (self.cases[case], self.three.at(org).oin);
        let known = self.three.at(org).steady(async |core| handover::case(core, id).await)??;
        Ok(known.map_or_else(|| Case::new(me), |(case, _)| case))
    }

    /// What a node told of the terms in a case.
    pub fn told(&self, org: Org, case: usize) -> anyhow::Result<Vec<TermTold>> {
        let id = self.cases[case];
        Ok(self.three.at(org).steady(async |core| core.store.handover_told(id).await)??)
    }

    /// The time as a node sees it.
    pub fn now(&self, org: Org) -> Timestamp {
        self.three.at(org).now()
    }

    /// What happened, in all.
    pub fn coverage(&self) -> Coverage {
        let Three { failed, crashes, cut, .. } = self.three;
        let told = self.told.values().map(|told| told.len() as u64).sum();
        Coverage { told, failed, crashes, cut, ..self.coverage.clone() }
    }

    /// Lets something happen, and looks at every node.
    pub fn apply(&mut self, operation: &Op) -> anyhow::Result<()> {
        self.happen(operation)?;
        self.check_now()
    }

    fn happen(&mut self, operation: &Op) -> anyhow::Result<()> {
        let which = |case: u8| usize::from(case) % CASES;
        match operation {
            Op::Offer { case, way } => self.offer(which(*case), *way),
            Op::Say { case, by, what } => self.say(which(*case), *by, *what),
            Op::CarryOut(org) => self.carry_out(*org),
            Op::Prepare(way) => self.three.prepare(*way).map(drop),
            Op::Deliver(number) => self.three.deliver(*number),
            Op::Drop(number) => {
                self.three.network.lose(*number);
                Ok(())
            }
            Op::Duplicate(number) => {
                self.three.network.duplicate(*number);
                Ok(())
            }
            Op::Corrupt { pick, damage } => {
                self.three.network.corrupt(*pick, *damage);
                Ok(())
            }
            Op::Advance(seconds) => {
                let by = SignedDuration::from_secs(i64::from(*seconds));
                if self.passed + by < LONGEST {
                    self.passed += by;
                    self.three.clock.advance(by);
                }
                Ok(())
            }
            Op::Crash(org) => self.three.crash(*org),
            Op::CrashDuring { by, turns } => {
                self.three.node(*by).arm(*turns);
                Ok(())
            }
            Op::Resend { by, pick } => self.send_again(*by, *pick).map(drop),
        }
    }

    /// A node says what it owes and tells of terms.
    pub(super) fn carry_out(&mut self, org: Org) -> anyhow::Result<()> {
        let done = self.three.step(org, async |core| Rounds::default().carry_out(core).await)?;
        done.transpose()?;
        Ok(())
    }

    /// Somebody has a message sent again that was given up; says whether there was one.
    pub(super) fn send_again(&mut self, org: Org, pick: u8) -> anyhow::Result<bool> {
        let sent = self.three.resend(org, pick)?;
        self.coverage.sent_again += u64::from(sent);
        Ok(sent)
    }
}
