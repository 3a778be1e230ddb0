//! The sending node: a process of its own that opens a node, starts it, and offers messages the way an adapter does.
//!
//! It takes one [`Command`] per line from standard input, and writes one [`Outcome`] per line to standard output. It
//! ends when its input does.

use std::{io::Write as _, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use node::{
    node::Node,
    system::{SystemClock, SystemRandom},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

use super::{
    command::{Command, Outcome},
    load::{Flow, Source, Until, closed, open},
    options::SenderOptions,
    proofs::Proofs,
    world::World,
};

/// Runs the sending node until its input ends.
pub(super) async fn run(options: &SenderOptions) -> anyhow::Result<()> {
    let proofs = Proofs::listen()?;
    let node = Node::open(&options.folder, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let running = node.start().await?;
    let source = Arc::new(Source::new(options.to)?);
    while let Some(line) = next_command().await? {
        let flow = Flow::new(node.core.clone(), source.clone());
        let mut outcome = match serde_json::from_str(&line)? {
            Command::Closed { receiver, in_flight, seconds, messages } => {
                let until = messages.map_or(Until::Elapsed(Duration::from_secs(seconds)), Until::Settled);
                closed(flow, receiver, in_flight, until).await?
            }
            Command::Open { rate, seconds } => {
                open(flow, &proofs, rate, Duration::from_secs(seconds)).await?
            }
        };
        outcome.carrier =
            node.link.carrier(options.to).map(|carrier| carrier.to_string()).unwrap_or_default();
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&outcome)?)?;
    }
    running.stop().await;
    node.core.store.clone().close().await;
    Ok(())
}

/// The next line of standard input; nothing at its end.
async fn next_command() -> anyhow::Result<Option<String>> {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
    Ok(read.await?.transpose()?)
}

/// The sending node as the benchmark sees it.
pub(super) struct Sender {
    child: Child,
    pid: u32,
    commands: ChildStdin,
    outcomes: Lines<BufReader<ChildStdout>>,
}

impl Sender {
    /// Starts the process.
    pub(super) fn start(world: &World) -> anyhow::Result<Self> {
        let mut child = tokio::process::Command::new(std::env::current_exe()?)
            .args(["sender", "--to", world.to().as_str(), "--folder"])
            .arg(&world.sender)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the sending node")?;
        let pid = child.id().context("the sending node has ended")?;
        let commands = child.stdin.take().context("no way to the sending node")?;
        let outcomes = child.stdout.take().context("no way back from the sending node")?;
        let outcomes = BufReader::new(outcomes).lines();
        Ok(Self { child, pid, commands, outcomes })
    }

    /// Its process.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Has it do something.
    pub(super) async fn tell(&mut self, command: &Command) -> anyhow::Result<()> {
        let line = serde_json::to_string(command)? + "\n";
        Ok(self.commands.write_all(line.as_bytes()).await?)
    }

    /// Waits for what came of it.
    pub(super) async fn hear(&mut self) -> anyhow::Result<Outcome> {
        let line = self.outcomes.next_line().await?.context("the sending node failed")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Has it do something, and waits for what comes of it.
    pub(super) async fn ask(&mut self, command: &Command) -> anyhow::Result<Outcome> {
        self.tell(command).await?;
        self.hear().await
    }

    /// Stops the node in order.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.commands);
        let status = self.child.wait().await?;
        ensure!(status.success(), "the sending node ended with {status}");
        Ok(())
    }
}
