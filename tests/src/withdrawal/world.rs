//! The three nodes, the network between them, and what happens to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context as _;
use exchange::{agreement::AnswerKind, clock::ManualClock, consent::ConsentKey};
use jiff::{SignedDuration, Timestamp};
use node::{
    agreements::{self, AgreementFault},
    consent::ending,
    core::Core,
};
use schemas::BasisKind;
use store::{Direction, Filter, MessageRow, State, StoreError};
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    delivering::UnderWay,
    operation::{CONSENTS, Ground, Op, Org, Scenario, Way},
    parties,
};
use crate::simulation::{
    network::{Network, pick},
    node::{Ran, SimNode},
    setup,
};

/// What happened in a run, so that a test can tell that it tested something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Consents that were given.
    pub granted: u64,
    /// Consents that were extended.
    pub extended: u64,
    /// Consents that were withdrawn at their holder.
    pub withdrawn: u64,
    /// Consents that were withdrawn at a receiver.
    pub reported: u64,
    /// Times that a consent had run out at a node at the end.
    pub expired: u64,
    /// Messages of the holder that rested on a consent.
    pub sent: u64,
    /// Messages of the others that rested on a consent.
    pub passed_on: u64,
    /// Messages on another basis.
    pub on_task: u64,
    /// Documents that were held back because the consent under them had ended.
    pub held_back: u64,
    /// Messages that were refused because their receiver knew of the withdrawal.
    pub refused: u64,
    /// Messages of which nothing is left at the end.
    pub erased: u64,
    /// Messages that came under a consent and are kept on another basis.
    pub kept: u64,
    /// Organisations that told the holder what they did, and had nothing.
    pub stopped: u64,
    /// Organisations that the holder knows of because another told it.
    pub via: u64,
    /// Ends, and what was done then, that had to be told again.
    pub reminded: u64,
    /// Deliveries that no receipt came of.
    pub failed: u64,
    /// Agreements that were ended.
    pub ended: u64,
    /// Times that a process died.
    pub crashes: u64,
    /// Times that it died during a step, before that had returned.
    pub cut: u64,
}

impl Coverage {
    /// Every count, in the order of the fields.
    pub const fn counts(&self) -> [u64; 19] {
        let Self {
            granted,
            extended,
            withdrawn,
            reported,
            expired,
            sent,
            passed_on,
            on_task,
            held_back,
            refused,
            erased,
            kept,
            stopped,
            via,
            reminded,
            failed,
            ended,
            crashes,
            cut,
        } = *self;
        [
            granted, extended, withdrawn, reported, expired, sent, passed_on, on_task, held_back, refused,
            erased, kept, stopped, via, reminded, failed, ended, crashes, cut,
        ]
    }
}

/// A message about a resident that is safe in an outbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) way: Way,
    /// Which resident, and so which consent.
    pub(super) consent: usize,
    pub(super) ground: Ground,
}

impl Sent {
    /// Whether it rests on consent.
    pub(super) fn is_under_consent(&self) -> bool {
        self.ground != Ground::Task
    }
}

/// What is known of a consent outside the nodes.
pub(super) struct Given {
    pub(super) id: Uuid,
    /// The case of its resident.
    pub(super) case: Uuid,
    /// Until when it holds by what its holder recorded.
    pub(super) until: Option<Timestamp>,
}

/// Everything there is in a run.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    nodes: [SimNode<UnderWay>; 3],
    pub(super) network: Network<Way>,
    pub(super) coverage: Coverage,
    pub(super) given: [Given; CONSENTS],
    /// By identifier.
    pub(super) sent: BTreeMap<Uuid, Sent>,
    /// Who admitted what.
    pub(super) admitted: BTreeSet<(Org, Uuid)>,
    /// Which consents each node knows to be withdrawn.
    pub(super) over: BTreeSet<(Org, usize)>,
    /// The last message of each node that was looked at.
    pub(super) looked_at: BTreeMap<Org, u64>,
    /// The agreement was ended.
    pub(super) is_ended: bool,
    /// Where a batch was refused as a whole, so that each message is tried by itself.
    pub(super) one_by_one: BTreeSet<Way>,
    tickets: u64,
    _folder: TempDir,
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> anyhow::Result<Self> {
        let folder = setup::folder()?;
        let clock = Arc::new(ManualClock::at(setup::start()?));
        let start = |org: Org| {
            SimNode::start(parties::place(org, folder.path())?, &clock, scenario.skews[org as usize])
        };
        let nodes = [start(Org::Holder)?, start(Org::Care)?, start(Org::Welfare)?];
        let core = nodes[0].core()?;
        let given = std::array::from_fn(|_| Given { id: core.new_id(), case: core.new_id(), until: None });
        let mut world = Self {
            clock,
            nodes,
            network: Network::default(),
            coverage: Coverage::default(),
            given,
            sent: BTreeMap::new(),
            admitted: BTreeSet::new(),
            over: BTreeSet::new(),
            looked_at: BTreeMap::new(),
            is_ended: false,
            one_by_one: BTreeSet::new(),
            tickets: 0,
            _folder: folder,
        };
        for org in Org::ALL {
            world.node(org).observe()?;
        }
        Ok(world)
    }

    pub(super) fn node(&mut self, org: Org) -> &mut SimNode<UnderWay> {
        &mut self.nodes[org as usize]
    }

    pub(super) fn at(&self, org: Org) -> &SimNode<UnderWay> {
        &self.nodes[org as usize]
    }

    /// A number for a batch.
    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Names a consent.
    pub(super) fn key(&self, consent: usize) -> ConsentKey {
        ConsentKey { holder: self.nodes[0].oin, id: self.given[consent].id }
    }

    /// The organisation with this number.
    pub(super) fn org(&self, oin: exchange::oin::Oin) -> anyhow::Result<Org> {
        Org::ALL.into_iter().find(|org| self.at(*org).oin == oin).context("one of the three")
    }

    /// Lets a node take a step, looks at what came of it, and gives that; nothing if the process died during it.
    pub(super) fn step<T>(
        &mut self,
        org: Org,
        step: impl AsyncFnOnce(&Core) -> T,
    ) -> anyhow::Result<Option<T>> {
        // How much it logs is not foreseen.
        self.node(org).log_size = None;
        let ran = self.node(org).run(step)?;
        self.coverage.crashes += u64::from(ran.died());
        let outcome = match ran {
            Ran::Done(outcome) | Ran::DoneThenDied(outcome) => Some(outcome),
            Ran::Cut => {
                self.coverage.cut += 1;
                None
            }
        };
        self.node(org).log_size = None;
        self.node(org).check_restart()?;
        Ok(outcome)
    }

    /// Lets something happen, and looks at every node.
    pub(super) fn apply(&mut self, operation: &Op) -> anyhow::Result<()> {
        self.happen(operation)?;
        Org::ALL.into_iter().try_for_each(|org| self.look(org))
    }

    fn happen(&mut self, operation: &Op) -> anyhow::Result<()> {
        let which = |consent: u8| usize::from(consent) % CONSENTS;
        match operation {
            Op::Grant { consent, hours } => self.grant(which(*consent), *hours),
            Op::Extend { consent, hours } => self.extend(which(*consent), *hours),
            Op::Send { consent, way, ground, count } => {
                self.send(which(*consent), *way, (*ground, usize::from(*count)))
            }
            Op::Withdraw(consent) => self.withdraw(which(*consent)),
            Op::Report { consent, by } => self.report(which(*consent), *by),
            Op::CarryOut(org) => self.carry_out(*org).map(drop),
            Op::Remind(org) => self.remind(*org).map(drop),
            Op::Prepare(way) => self.prepare(*way).map(drop),
            Op::Deliver(number) => self.deliver(*number),
            Op::Drop(number) => {
                self.network.lose(*number);
                Ok(())
            }
            Op::Duplicate(number) => {
                self.network.duplicate(*number);
                Ok(())
            }
            Op::Corrupt { pick, damage } => {
                self.network.corrupt(*pick, *damage);
                Ok(())
            }
            Op::Advance(seconds) => {
                self.clock.advance(SignedDuration::from_secs(i64::from(*seconds)));
                Ok(())
            }
            Op::Crash(org) => {
                self.coverage.crashes += 1;
                self.node(*org).log_size = None;
                self.node(*org).crash()?;
                self.node(*org).check_restart()
            }
            Op::CrashDuring { by, turns } => {
                self.node(*by).arm(*turns);
                Ok(())
            }
            Op::EndAgreement(org) => self.end_agreement(*org),
            Op::Expire(org) => self.expire(*org),
            Op::Resend { by, pick } => self.resend(*by, *pick),
        }
    }

    /// A node does what is left to do about consents that ended; says whether there was anything.
    pub(super) fn carry_out(&mut self, org: Org) -> anyhow::Result<bool> {
        let done = self.step(org, async |core| ending::carry_out(core).await)?.transpose()?;
        Ok(done.is_none_or(|done| done > 0))
    }

    /// A node looks whether somebody could not be told; says whether that was so.
    pub(super) fn remind(&mut self, org: Org) -> anyhow::Result<bool> {
        let now = self.at(org).now();
        let reminded = self.step(org, async |core| core.store.remind_of_ends(now).await)?.transpose()?;
        self.coverage.reminded += u64::try_from(reminded.unwrap_or_default())?;
        Ok(reminded.is_none_or(|reminded| reminded > 0))
    }

    pub(super) fn expire(&mut self, org: Org) -> anyhow::Result<()> {
        let now = self.at(org).now();
        self.step(org, async |core| core.store.expire(now).await)?.transpose()?;
        Ok(())
    }

    /// A person has one undelivered message sent again.
    fn resend(&mut self, org: Org, number: u8) -> anyhow::Result<()> {
        let stuck = self.messages(org, State::Undeliverable)?;
        let Some(row) = pick(number, stuck.len()).map(|at| stuck[at].clone()) else { return Ok(()) };
        let now = self.at(org).now();
        match self.step(org, async |core| core.store.resend(row.index, now).await)? {
            Some(Err(StoreError::NotFound(_) | StoreError::Erased) | Ok(())) | None => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// The messages that a node sent and that are in this state.
    pub(super) fn messages(&self, org: Org, state: State) -> anyhow::Result<Vec<MessageRow>> {
        let filter = Filter {
            direction: Some(Direction::Outbound),
            state: Some(state),
            limit: store::MAX_ROWS_READ,
            ..Filter::default()
        };
        Ok(self.at(org).steady(async |core| core.store.messages(filter).await)??)
    }

    fn end_agreement(&mut self, org: Org) -> anyhow::Result<()> {
        let digest = parties::agreement()?;
        let ended =
            self.at(org).steady(async |core| agreements::answer(core, digest, AnswerKind::Ended).await)?;
        match ended {
            Ok(_) | Err(AgreementFault::Final) => {}
            Err(fault) => return Err(fault.into()),
        }
        let teller = self.at(org).core()?;
        for other in Org::ALL.into_iter().filter(|other| *other != org) {
            self.at(other).steady(async |core| setup::bring(&teller, core).await)??;
        }
        for org in Org::ALL {
            self.node(org).log_size = None;
        }
        self.coverage.ended += u64::from(!self.is_ended);
        self.is_ended = true;
        Ok(())
    }

    /// On what a message of a node rests, as it stored it.
    pub(super) fn ground(row: &MessageRow) -> Ground {
        match (&row.consent, row.purpose.as_deref()) {
            (None, _) => Ground::Task,
            (Some(_), Some(parties::KEEPING)) => Ground::ConsentOrTask,
            (Some(_), _) => Ground::Consent,
        }
    }

    /// The basis on which something is kept after consent ended.
    pub(super) const KEPT_ON: BasisKind = BasisKind::PublicTask;
}
