//! Three whole nodes, the network between them, and what they agree on: what simulations of more than one partner share.

mod delivering;
pub(crate) mod parties;

use std::{collections::BTreeSet, fmt, path::Path, sync::Arc};

use anyhow::Context as _;
use exchange::{clock::ManualClock, oin::Oin};
use node::core::Core;
use store::{Direction, Filter, MessageRow, State, StoreError};
use tempfile::TempDir;

pub(crate) use self::delivering::UnderWay;
use super::{
    network::{Network, pick},
    node::{Place, Ran, SimNode},
    setup,
};

/// One of three organisations.
pub trait Organisation: Copy + Ord + fmt::Debug + 'static {
    /// All three.
    const THREE: [Self; 3];

    /// Its place among them.
    fn number(self) -> usize;
}

/// From one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way<O> {
    /// Who sends, or asks.
    pub from: O,
    /// Who receives, or answers.
    pub to: O,
}

impl<O: Organisation> Way<O> {
    /// Every way there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let ways = O::THREE.into_iter().flat_map(|from| O::THREE.map(|to| Self { from, to }));
        ways.filter(|way| way.from != way.to)
    }
}

/// The nodes and what is between them.
pub(crate) struct Three<O> {
    pub(crate) clock: Arc<ManualClock>,
    nodes: [SimNode<UnderWay<O>>; 3],
    pub(crate) network: Network<Way<O>>,
    /// Where a batch was refused as a whole, so that each message is tried by itself.
    one_by_one: BTreeSet<Way<O>>,
    tickets: u64,
    /// Deliveries that no receipt came of.
    pub(crate) failed: u64,
    /// Times that a process died.
    pub(crate) crashes: u64,
    /// Times that it died during a step, before that had returned.
    pub(crate) cut: u64,
    _folder: TempDir,
}

impl<O: Organisation> Three<O> {
    /// The nodes as they are at the beginning of a run, each with a clock that is so many seconds ahead.
    pub(crate) fn start(
        skews: [i64; 3],
        place: impl Fn(O, &Path) -> anyhow::Result<Place>,
    ) -> anyhow::Result<Self> {
        let folder = setup::folder()?;
        let clock = Arc::new(ManualClock::at(setup::start()?));
        let [first, second, third] = O::THREE;
        let start = |org: O| {
            let mut node = SimNode::start(place(org, folder.path())?, &clock, skews[org.number()])?;
            node.observe()?;
            anyhow::Ok(node)
        };
        let nodes = [start(first)?, start(second)?, start(third)?];
        Ok(Self {
            clock,
            nodes,
            network: Network::default(),
            one_by_one: BTreeSet::new(),
            tickets: 0,
            failed: 0,
            crashes: 0,
            cut: 0,
            _folder: folder,
        })
    }

    pub(crate) fn node(&mut self, org: O) -> &mut SimNode<UnderWay<O>> {
        &mut self.nodes[org.number()]
    }

    pub(crate) fn at(&self, org: O) -> &SimNode<UnderWay<O>> {
        &self.nodes[org.number()]
    }

    /// The organisation with this number.
    pub(crate) fn org(&self, oin: Oin) -> anyhow::Result<O> {
        O::THREE.into_iter().find(|org| self.at(*org).oin == oin).context("one of the three")
    }

    /// Lets a node take a step, looks at what came of it, and gives that; nothing if the process died during it.
    pub(crate) fn step<T>(
        &mut self,
        org: O,
        step: impl AsyncFnOnce(&Core) -> T,
    ) -> anyhow::Result<Option<T>> {
        // How much it logs is not foreseen.
        self.node(org).log_size = None;
        let ran = self.node(org).run(step)?;
        self.crashes += u64::from(ran.died());
        let outcome = match ran {
            Ran::Done(outcome) | Ran::DoneThenDied(outcome) => Some(outcome),
            Ran::Cut => {
                self.cut += 1;
                None
            }
        };
        self.node(org).log_size = None;
        self.node(org).check_restart()?;
        Ok(outcome)
    }

    /// The process of a node dies between two steps and starts again.
    pub(crate) fn crash(&mut self, org: O) -> anyhow::Result<()> {
        self.crashes += 1;
        self.node(org).log_size = None;
        self.node(org).crash()?;
        self.node(org).check_restart()
    }

    /// The periodic look for what has expired.
    pub(crate) fn expire(&mut self, org: O) -> anyhow::Result<()> {
        let now = self.at(org).now();
        self.step(org, async |core| core.store.expire(now).await)?.transpose()?;
        Ok(())
    }

    /// A person has one undelivered message sent again; says whether there was one.
    pub(crate) fn resend(&mut self, org: O, number: u8) -> anyhow::Result<bool> {
        let stuck = self.messages(org, State::Undeliverable)?;
        let Some(row) = pick(number, stuck.len()).map(|at| stuck[at].clone()) else { return Ok(false) };
        let now = self.at(org).now();
        match self.step(org, async |core| core.store.resend(row.index, now).await)? {
            Some(Err(StoreError::NotFound(_) | StoreError::Erased)) => Ok(false),
            Some(Ok(())) | None => Ok(true),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// The messages that a node sent and that are in this state.
    pub(crate) fn messages(&self, org: O, state: State) -> anyhow::Result<Vec<MessageRow>> {
        let filter = Filter {
            direction: Some(Direction::Outbound),
            state: Some(state),
            limit: store::MAX_ROWS_READ,
            ..Filter::default()
        };
        Ok(self.at(org).steady(async |core| core.store.messages(filter).await)??)
    }

    /// How many messages wait anywhere.
    pub(crate) fn waiting(&self) -> anyhow::Result<usize> {
        O::THREE.into_iter().map(|org| Ok(self.messages(org, State::Waiting)?.len())).sum()
    }
}
