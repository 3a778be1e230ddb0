//! The two nodes, the network between them, and what happens to them.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use exchange::{agreement::AnswerKind, clock::ManualClock};
use jiff::SignedDuration;
use node::agreements::{self, AgreementFault};
use store::{Direction, Filter, State, StoreError};
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    delivering::UnderWay,
    documents,
    model::Model,
    network::{Item, Network, Request, pick},
    node::{Ran, SimNode},
    operation::{Op, Rogue, Scenario, Side},
    parties, rogue, setup, terms,
};

/// Signals are about this many cases.
const CASES: usize = 3;

/// Serial numbers of rogue messages begin here, far from those of records.
const ROGUE_SERIALS: u64 = 10_000;

/// What happened in a run, so that a test can tell that it tested something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coverage {
    /// Messages that were safe in an outbox.
    pub queued: u64,
    /// Records that were recognised.
    pub offered_again: u64,
    /// Records that were offered again after their message was refused or not delivered, and went again.
    pub repaired: u64,
    /// Documents that were held back.
    pub held_back: u64,
    /// Messages admitted by their receiver, and known to be so by their sender.
    pub admitted: u64,
    /// Messages refused by their receiver, and known to be so by their sender.
    pub refused: u64,
    /// Messages that expired.
    pub expired: u64,
    /// Messages that waited when their agreement ended, and did not leave any more.
    pub lapsed: u64,
    /// Questions that were answered after such a message, or one of which the answer was lost.
    pub asked: u64,
    /// Times that a receiver recognised a message.
    pub recognised: u64,
    /// Times that an identifier was found in use for something else.
    pub conflicts: u64,
    /// Deliveries that no receipt came of.
    pub failed: u64,
    /// Times that a process died.
    pub crashes: u64,
    /// Times that it died during a step, before that had returned.
    pub cut: u64,
}

impl std::ops::AddAssign for Coverage {
    fn add_assign(&mut self, other: Self) {
        self.queued += other.queued;
        self.offered_again += other.offered_again;
        self.repaired += other.repaired;
        self.held_back += other.held_back;
        self.admitted += other.admitted;
        self.refused += other.refused;
        self.expired += other.expired;
        self.lapsed += other.lapsed;
        self.asked += other.asked;
        self.recognised += other.recognised;
        self.conflicts += other.conflicts;
        self.failed += other.failed;
        self.crashes += other.crashes;
        self.cut += other.cut;
    }
}

/// Everything there is in a run.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    nodes: [SimNode<UnderWay>; 2],
    pub(super) network: Network<Side>,
    pub(super) model: Model,
    pub(super) coverage: Coverage,
    /// The cases that signals are about.
    pub(super) cases: [Uuid; CASES],
    /// What each side knew of the terms of signals.
    pub(super) terms: terms::Seen,
    tickets: u64,
    rogues: u64,
    _folder: TempDir,
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> anyhow::Result<Self> {
        let folder = setup::folder()?;
        let clock = Arc::new(ManualClock::at(setup::start()?));
        let start = |side: Side| {
            SimNode::start(setup::place(side, folder.path())?, &clock, scenario.skews[side as usize])
        };
        let nodes = [start(Side::Corporation)?, start(Side::Municipality)?];
        let core = nodes[0].core()?;
        let cases = std::array::from_fn(|_| core.new_id());
        let mut world = Self {
            clock,
            nodes,
            network: Network::default(),
            model: Model::default(),
            coverage: Coverage::default(),
            cases,
            terms: terms::Seen::new(),
            tickets: 0,
            rogues: 0,
            _folder: folder,
        };
        for side in Side::BOTH {
            world.node(side).observe()?;
        }
        let first = world.nodes[0].core()?.rules().agreements().map(|agreement| agreement.digest()).collect();
        world.model.agreements = first;
        Ok(world)
    }

    pub(super) fn node(&mut self, side: Side) -> &mut SimNode<UnderWay> {
        &mut self.nodes[side as usize]
    }

    pub(super) fn at(&self, side: Side) -> &SimNode<UnderWay> {
        &self.nodes[side as usize]
    }

    /// A number for a batch.
    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Lets something happen.
    pub(super) fn apply(&mut self, operation: &Op) -> anyhow::Result<()> {
        self.happen(operation)?;
        self.check_restarts()
    }

    /// Looks at the nodes that were started again.
    pub(super) fn check_restarts(&mut self) -> anyhow::Result<()> {
        Side::BOTH.into_iter().try_for_each(|side| self.node(side).check_restart())
    }

    fn happen(&mut self, operation: &Op) -> anyhow::Result<()> {
        match operation {
            Op::Submit { by, offers } => self.offer(*by, offers),
            Op::Prepare { by } => self.prepare(*by).map(drop),
            Op::Deliver(number) => self.deliver(*number),
            Op::Drop(number) => {
                self.network.lose(*number);
                Ok(())
            }
            Op::Duplicate(number) => {
                self.network.duplicate(*number);
                Ok(())
            }
            Op::GiveUp { by, pick } => self.give_up(*by, *pick),
            Op::Corrupt { pick, damage } => {
                if let Some(body) = self.network.corrupt(*pick, *damage) {
                    self.disorder(&body);
                }
                Ok(())
            }
            Op::Advance(seconds) => {
                self.clock.advance(SignedDuration::from_secs(i64::from(*seconds)));
                Ok(())
            }
            Op::Crash(side) => self.crash(*side),
            Op::CrashDuring { by, turns } => {
                self.node(*by).arm(*turns);
                Ok(())
            }
            Op::EndAgreement(side) => self.end_agreement(*side),
            Op::RenewAgreement => self.renew_agreement(),
            Op::SpreadAgreements(side) => self.spread_agreements(*side),
            Op::Expire(side) => self.expire(*side),
            Op::Resend { by, pick } => self.resend(*by, *pick),
            Op::Rogue { by, how } => self.rogue(*by, *how),
        }
    }

    /// The process of a side dies and starts again.
    fn crash(&mut self, side: Side) -> anyhow::Result<()> {
        self.coverage.crashes += 1;
        self.node(side).crash()
    }

    /// What came of a step; nothing if the process died during it.
    pub(super) fn outcome<T>(&mut self, ran: Ran<T>) -> Option<T> {
        match ran {
            Ran::Done(outcome) => Some(outcome),
            Ran::DoneThenDied(outcome) => {
                self.coverage.crashes += 1;
                Some(outcome)
            }
            Ran::Cut => {
                self.coverage.crashes += 1;
                self.coverage.cut += 1;
                None
            }
        }
    }

    /// The receiver no longer gets these messages in the order in which they were sent.
    fn disorder(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        self.model.disordered.extend(text.lines().filter_map(documents::read).map(|line| line.case));
    }

    fn expire(&mut self, side: Side) -> anyhow::Result<()> {
        let now = self.at(side).now();
        let ran = self.node(side).run(async |core| core.store.expire(now).await)?;
        self.outcome(ran).transpose()?;
        let batches = self.node(side).under_way()?.values();
        let under_way: Vec<Uuid> = batches.flat_map(|batch| &batch.lines).map(|line| line.id).collect();
        for id in under_way {
            let row = self.at(side).steady(async |core| core.store.message(id).await)??;
            let state = row.map(|row| row.state);
            ensure!(state == Some(State::Waiting), "message {id} is under way, and {state:?}");
        }
        Ok(())
    }

    /// A person has one undelivered message sent again.
    fn resend(&mut self, side: Side, number: u8) -> anyhow::Result<()> {
        let filter = Filter {
            direction: Some(Direction::Outbound),
            state: Some(State::Undeliverable),
            limit: store::MAX_ROWS_READ,
            ..Filter::default()
        };
        let stuck = self.at(side).steady(async |core| core.store.messages(filter).await)??;
        let Some(row) = pick(number, stuck.len()).map(|at| &stuck[at]) else { return Ok(()) };
        let now = self.at(side).now();
        let ran = self.node(side).run(async |core| core.store.resend(row.index, now).await)?;
        self.model.disordered.extend(row.case);
        match self.outcome(ran) {
            Some(Err(StoreError::NotFound(_))) => {
                let replaced = row.id.is_some_and(|id| self.model.is_replaced(id));
                let expired = row.expires.is_some_and(|expires| expires <= now);
                ensure!(expired || replaced, "a message cannot be sent again");
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
            Some(Ok(())) => {
                let replaced = row.id.is_some_and(|id| self.model.is_replaced(id));
                ensure!(!replaced, "a record goes twice");
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn end_agreement(&mut self, side: Side) -> anyhow::Result<()> {
        let Some(newest) = self.model.agreements.last().copied() else { return Ok(()) };
        let ended =
            self.at(side).steady(async |core| agreements::answer(core, newest, AnswerKind::Ended).await)?;
        match ended {
            Ok(_) => self.model.ended.entry(side).or_default().insert(newest),
            // It was ended before, or its last day has passed.
            Err(AgreementFault::Final) => false,
            Err(fault) => return Err(fault.into()),
        };
        self.node(side).log_size = None;
        Ok(())
    }

    /// The parties sign a next version, in which all is as it was.
    fn renew_agreement(&mut self) -> anyhow::Result<()> {
        let version = self.model.agreements.len() + 1;
        let (proposer, other) = (Side::Corporation, Side::Municipality);
        if self.at(proposer).now() >= parties::end_of_agreement()?
            || self.at(other).now() >= parties::end_of_agreement()?
        {
            return Ok(());
        }
        let digest = self.at(proposer).steady(async |core| parties::propose(core, version).await)??;
        self.spread_agreements(proposer)?;
        self.at(other)
            .steady(async |core| agreements::answer(core, digest, AnswerKind::Accepted).await)??;
        self.spread_agreements(other)?;
        self.model.agreements.push(digest);
        self.node(other).log_size = None;
        self.node(proposer).log_size = None;
        Ok(())
    }

    /// One party tells the other what it knows.
    pub(super) fn spread_agreements(&mut self, from: Side) -> anyhow::Result<()> {
        let teller = self.at(from).core()?;
        self.model.tell(from, from.other());
        self.node(from.other()).log_size = None;
        self.at(from.other()).steady(async |core| setup::bring(&teller, core).await)?
    }

    /// Puts something into the network that an honest node would not.
    fn rogue(&mut self, by: Side, how: Rogue) -> anyhow::Result<()> {
        let mut item = Request {
            from: by,
            ticket: None,
            body: bytes::Bytes::new(),
            asks: None,
            rogue: None,
            damaged: false,
        };
        if let Rogue::Reflection(number) = how {
            let Some(body) = self.network.sent_before(by.other(), number) else { return Ok(()) };
            item.body = body;
            item.rogue = Some(rogue::REFLECTED.to_vec());
        } else {
            self.rogues += 1;
            let serial = ROGUE_SERIALS + self.rogues;
            let stolen = if let Rogue::StolenId(number) = how { self.stolen_id(by, number) } else { None };
            let (core, to) = (self.at(by).core()?, self.at(by.other()).core()?);
            let Some(made) = rogue::make(&core, (by, &to), how, (serial, stolen))? else { return Ok(()) };
            self.model.stolen.extend(stolen);
            item.body = made.line.into();
            item.rogue = Some(made.reasons);
        }
        self.network.send(Item::Request(item));
        Ok(())
    }

    fn stolen_id(&self, by: Side, number: u8) -> Option<Uuid> {
        let own = self.model.messages.iter().filter(|(_, record)| self.model.records[**record].by == by);
        let ids: Vec<Uuid> = own.map(|(id, _)| *id).collect();
        Some(ids[pick(number, ids.len())?])
    }

    /// A signal that came in at the municipality, to give feedback on.
    pub(super) fn signal(&self, number: u8) -> Option<(Uuid, Uuid)> {
        let inbox = self.model.inbox.get(&Side::Municipality)?;
        let id = inbox[pick(number, inbox.len())?];
        Some((id, self.model.case(id)?))
    }

    /// The case a signal is about.
    pub(super) fn case(&self, number: u8) -> anyhow::Result<Uuid> {
        pick(number, CASES).map(|at| self.cases[at]).context("a case")
    }
}
