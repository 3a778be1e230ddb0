//! What is measured, in which order.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use node::{cli, node::Node};
use store::{Direction, State};
use tempfile::TempDir;

use super::{
    command::{Command, Outcome},
    disk, jitter,
    options::{Options, Transport},
    process::{Resident, resident},
    receiver::{self, Probe, Receiver},
    report::{Alone, Carried, Report, Restart},
    sender::Sender,
    steps, tell,
    world::World,
};

/// Messages under way in the closed measurements.
pub(super) const IN_FLIGHT: usize = 512;
/// The rate of the first open measurement, messages per second: a busy hour of a large municipality.
const QUIET_RATE: f64 = 50.0;
/// At least so long, so that there are enough messages to know the slowest of a hundred.
const QUIET_SECONDS: u64 = 20;
/// How often a start is measured; the median counts.
const STARTS: usize = 7;
/// A node that has nothing to do gets this long to become quiet.
const SETTLE: Duration = Duration::from_secs(3);
/// Under load for so long before it is killed.
const BEFORE_KILL: Duration = Duration::from_secs(4);
/// The whole load around that, in seconds.
const KILL_SECONDS: u64 = 8;

/// Two nodes over one carrier.
struct Pair {
    transport: Transport,
    world: World,
    receiver: Receiver,
    sender: Sender,
}

/// `bench throughput`.
pub(super) async fn throughput(options: &Options) -> anyhow::Result<()> {
    let program = receiver::program(options.schakel.as_deref()).await?;
    let root = folder(options)?;
    let first = *options.transport.first().context("name a transport")?;
    let mut worlds = Vec::new();
    for transport in &options.transport {
        let made = World::make(&root.path().join(transport.name()), *transport).await;
        worlds.push((*transport, made.context("cannot make the nodes")?));
    }
    let (_, main) = &worlds[0];
    let probe = Probe::new(&main.sender)?;
    let start = median_start(&program, main, &probe).await?;
    let (steps, sizes) = steps::measure(main, root.path(), first).await?;

    let mut pairs = Vec::new();
    for (transport, world) in worlds {
        let probe = Probe::new(&world.sender)?;
        let receiver = Receiver::start(&program, &world, &probe).await?;
        let sender = Sender::start(&world)?;
        pairs.push(Pair { transport, world, receiver, sender });
    }
    tokio::time::sleep(SETTLE).await;
    let idle = pairs[0].memory()?;
    let carried = rounds(&mut pairs, options).await?;
    let loaded = pairs[0].memory()?;
    let mut pairs = pairs.into_iter();
    let main = pairs.next().context("name a transport")?;
    for other in pairs {
        other.stop().await?;
    }
    let flush = disk::flush(root.path())?;
    let jitter = tokio::task::spawn_blocking(jitter::measure).await?;
    let main = alone(main, options, &program, carried[0].median().rate).await?;
    Report { carried, steps, sizes, main, start, idle, loaded, flush, jitter }.write(options.json)
}

/// What is measured over the first carrier only, of which `most` is the maximum.
async fn alone(mut pair: Pair, options: &Options, program: &Path, most: f64) -> anyhow::Result<Alone> {
    tell(&format!("{QUIET_RATE}/s"));
    let seconds = options.seconds.max(QUIET_SECONDS);
    let quiet = pair.sender.ask(&Command::Open { rate: QUIET_RATE, seconds }).await?;
    let rate = most / 2.0;
    tell(&format!("half the maximum, {rate:.0}/s"));
    let half = pair.sender.ask(&Command::Open { rate, seconds: options.seconds }).await?;
    let fill = match options.fill() {
        Some(messages) => Some(pair.closed(options.seconds, Some(messages)).await?),
        None => None,
    };
    let (pair, restart) = kill(pair, program).await?;
    pair.stop().await?;
    Ok(Alone { quiet, half, fill, restart })
}

/// Where the nodes store.
fn folder(options: &Options) -> anyhow::Result<TempDir> {
    let program = std::env::current_exe()?;
    let parent = options.folder.as_deref().or(program.parent()).context("no folder to measure in")?;
    tempfile::tempdir_in(parent).with_context(|| format!("cannot write in {}", parent.display()))
}

/// Starts the node some times and stops it in order; the median of how long it took to answer.
async fn median_start(program: &Path, world: &World, probe: &Probe) -> anyhow::Result<Duration> {
    tell(&format!("{STARTS} starts"));
    let mut took = Vec::new();
    for _ in 0..STARTS {
        let receiver = Receiver::start(program, world, probe).await?;
        took.push(receiver.start);
        receiver.stop().await?;
    }
    took.sort_unstable();
    Ok(took[STARTS / 2])
}

/// Throughput over each carrier by turns, so that what else the machine does falls on all alike.
async fn rounds(pairs: &mut [Pair], options: &Options) -> anyhow::Result<Vec<Carried>> {
    let none = |pair: &Pair| Carried { transport: pair.transport, rounds: Vec::new() };
    let mut carried: Vec<Carried> = pairs.iter().map(none).collect();
    for round in 1..=options.rounds {
        for (pair, carried) in pairs.iter_mut().zip(&mut carried) {
            tell(&format!("throughput over {}, round {round}", pair.transport.name()));
            let outcome = pair.closed(options.seconds, options.messages).await?;
            tell(&format!("  {:.0}/s, {:.2} processors busy elsewhere", outcome.rate, outcome.elsewhere));
            ensure!(
                outcome.carrier == pair.transport.name(),
                "carried by {:?} and not {}",
                outcome.carrier,
                pair.transport.name()
            );
            carried.rounds.push(outcome);
        }
    }
    Ok(carried)
}

/// Kills the receiving node in the middle of a load and starts it again; the load goes on until all of it is durable.
async fn kill(pair: Pair, program: &Path) -> anyhow::Result<(Pair, Restart)> {
    tell("kill -9 of the receiver under load");
    let Pair { transport, world, receiver, mut sender } = pair;
    let load =
        Command::Closed { receiver: None, in_flight: IN_FLIGHT, seconds: KILL_SECONDS, messages: None };
    sender.tell(&load).await?;
    tokio::time::sleep(BEFORE_KILL).await;
    receiver.kill().await?;
    let probe = Probe::new(&world.sender)?;
    let receiver = Receiver::start(program, &world, &probe).await?;
    let outcome = sender.hear().await?;
    let restart = Restart { start: receiver.start, longest_ms: outcome.settled.max_ms };
    Ok((Pair { transport, world, receiver, sender }, restart))
}

/// What two nodes hold in memory, receiver first.
pub(super) type Memory = (Resident, Resident);

impl Pair {
    async fn closed(&mut self, seconds: u64, messages: Option<u64>) -> anyhow::Result<Outcome> {
        let receiver = Some(self.receiver.pid());
        self.sender.ask(&Command::Closed { receiver, in_flight: IN_FLIGHT, seconds, messages }).await
    }

    fn memory(&self) -> anyhow::Result<Memory> {
        Ok((resident(self.receiver.pid())?, resident(self.sender.pid())?))
    }

    /// Stops both nodes, and holds what one sent against what the other has.
    async fn stop(self) -> anyhow::Result<()> {
        let Self { world, receiver, sender, .. } = self;
        sender.stop().await?;
        receiver.stop().await?;
        let sent = admitted(&cli::open(&world.sender).await?, Direction::Outbound).await?;
        let filed = admitted(&cli::open(&world.receiver).await?, Direction::Inbound).await?;
        ensure!(sent == filed, "{sent} messages are receipted, {filed} were filed");
        tell(&format!("both nodes have the same {sent} messages"));
        Ok(())
    }
}

/// How many messages were admitted; it is an error if there are others.
async fn admitted(node: &Node, direction: Direction) -> anyhow::Result<u64> {
    let mut admitted = 0;
    for count in node.core.store.counts().await?.iter().filter(|count| count.direction == direction) {
        let all_well = count.state == State::Admitted || count.count == 0;
        ensure!(all_well, "{} messages are {}: {:?}", count.count, count.state, count.reason);
        admitted += count.count;
    }
    node.core.store.clone().close().await;
    Ok(admitted)
}
