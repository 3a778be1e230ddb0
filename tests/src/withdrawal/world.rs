//! The three nodes, the network between them, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};

use exchange::{agreement::AnswerKind, consent::ConsentKey};
use jiff::{SignedDuration, Timestamp};
use node::{
    agreements::{self, AgreementFault},
    consent::ending,
    core::Core,
};
use schemas::BasisKind;
use store::{MessageRow, State};
use uuid::Uuid;

use super::{
    operation::{CONSENTS, Ground, Op, Org, Scenario, Way},
    parties,
};
use crate::simulation::{
    node::SimNode,
    setup,
    three::{Three, UnderWay},
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
    pub(super) three: Three<Org>,
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
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> anyhow::Result<Self> {
        let three = Three::start(scenario.skews, parties::place)?;
        let core = three.at(Org::Holder).core()?;
        let given = std::array::from_fn(|_| Given { id: core.new_id(), case: core.new_id(), until: None });
        Ok(Self {
            three,
            coverage: Coverage::default(),
            given,
            sent: BTreeMap::new(),
            admitted: BTreeSet::new(),
            over: BTreeSet::new(),
            looked_at: BTreeMap::new(),
            is_ended: false,
        })
    }

    pub(super) fn node(&mut self, org: Org) -> &mut SimNode<UnderWay<Org>> {
        self.three.node(org)
    }

    pub(super) fn at(&self, org: Org) -> &SimNode<UnderWay<Org>> {
        self.three.at(org)
    }

    /// Names a consent.
    pub(super) fn key(&self, consent: usize) -> ConsentKey {
        ConsentKey { holder: self.at(Org::Holder).oin, id: self.given[consent].id }
    }

    /// The organisation with this number.
    pub(super) fn org(&self, oin: exchange::oin::Oin) -> anyhow::Result<Org> {
        self.three.org(oin)
    }

    /// Lets a node take a step; gives what came of it, nothing if the process died during it.
    pub(super) fn step<T>(
        &mut self,
        org: Org,
        step: impl AsyncFnOnce(&Core) -> T,
    ) -> anyhow::Result<Option<T>> {
        self.three.step(org, step)
    }

    /// What happened, in all.
    pub(super) fn coverage(&self) -> Coverage {
        let Three { failed, crashes, cut, .. } = self.three;
        Coverage { failed, crashes, cut, ..self.coverage }
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
                self.three.clock.advance(SignedDuration::from_secs(i64::from(*seconds)));
                Ok(())
            }
            Op::Crash(org) => self.three.crash(*org),
            Op::CrashDuring { by, turns } => {
                self.node(*by).arm(*turns);
                Ok(())
            }
            Op::EndAgreement(org) => self.end_agreement(*org),
            Op::Expire(org) => self.three.expire(*org),
            Op::Resend { by, pick } => self.three.resend(*by, *pick).map(drop),
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

    /// The messages that a node sent and that are in this state.
    pub(super) fn messages(&self, org: Org, state: State) -> anyhow::Result<Vec<MessageRow>> {
        self.three.messages(org, state)
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
