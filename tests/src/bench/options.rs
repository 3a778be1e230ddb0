//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::TypedValueParser as _};
use exchange::oin::Oin;

/// Measures two nodes on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Durable messages per second, latency, memory, start-up, and the share of the machine's own limit.
    Throughput(Options),
    /// Leaves per second of checking a whole log.
    Verify(VerifyOptions),
    /// The withdrawal of a consent that covered very much, and what other work notices of it.
    Withdrawal(WithdrawalOptions),
    /// How long systems of the organisation wait for what they read from the local API.
    Api(ApiOptions),
    /// How long it takes to take a case over, until both organisations show who holds it.
    Handover(HandoverOptions),
    /// Recognising residents across senders: precision and recall on a labelled town, and the time of a new signal among
    /// those of very many people.
    Matching(MatchingOptions),
    /// The sending node, a process of its own that the benchmark starts.
    #[command(hide = true)]
    Sender(SenderOptions),
}

/// What carries requests between the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Transport {
    /// HTTP/2 over TLS over TCP.
    Tcp,
    /// Streams over QUIC.
    Quic,
}

impl Transport {
    /// Its name, as the node's link says it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Options {
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
    /// The carriers to measure, by turns. The first gives the main figures.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "tcp,quic")]
    pub(super) transport: Vec<Transport>,
    /// The length of each measurement.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) seconds: u64,
    /// Measure throughput until this many messages have arrived, instead of for so many seconds.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) messages: Option<u64>,
    /// How often throughput is measured for each carrier; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(super) rounds: u64,
    /// Also store this many messages first to last, and compare the rate at the end with that of the beginning.
    #[arg(long)]
    pub(super) fill: Option<u64>,
    /// The same as `--fill 1000000`.
    #[arg(long, conflicts_with = "fill")]
    pub(super) million: bool,
    /// Where the nodes keep what they store while measured; beside this program when absent, so on the disk of the
    /// build.
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// The `schakel` to measure; when absent it is built and taken from beside this program.
    #[arg(long, value_name = "PROGRAM")]
    pub(super) schakel: Option<PathBuf>,
}

impl Options {
    /// How many messages to store in the long measurement, if at all.
    pub(super) fn fill(&self) -> Option<u64> {
        if self.million { Some(1_000_000) } else { self.fill }
    }
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// How many leaves.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) leaves: u64,
    /// Fail when checking all of it takes longer than this many leaves per second allow.
    #[arg(long)]
    pub(super) least: Option<f64>,
    /// Where to keep the log while measured; beside this program when absent.
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct WithdrawalOptions {
    /// On one line.
    #[arg(long)]
    pub(super) json: bool,
    /// Messages that rest on the consent and wait.
    #[arg(long, default_value_t = 10_000)]
    pub(super) messages: usize,
    /// The partners that they are for, by turns.
    #[arg(long, default_value_t = 50, value_parser = partners)]
    pub(super) partners: usize,
    /// Fail when the notices for all of them are not durable in the queue within so many milliseconds.
    #[arg(long, default_value_t = 1000.0)]
    pub(super) most: f64,
    /// Where the node keeps what it stores; beside this program when absent.
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ApiOptions {
    /// On one line.
    #[arg(long)]
    pub(super) json: bool,
    /// Reads per second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) rate: u32,
    /// How long.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) seconds: u64,
    /// Messages that the node has.
    #[arg(long, default_value_t = 5_000)]
    pub(super) messages: usize,
    /// Fail when 99 of a hundred are not answered within so many milliseconds.
    #[arg(long)]
    pub(super) most: Option<f64>,
}

#[derive(Debug, Args)]
pub(super) struct HandoverOptions {
    /// On one line.
    #[arg(long)]
    pub(super) json: bool,
    /// How many cases.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000).map(usize::from))]
    pub(super) handovers: usize,
    /// Fail when half of them take more than so many milliseconds.
    #[arg(long)]
    pub(super) most: Option<f64>,
}

#[derive(Debug, Args)]
pub(super) struct MatchingOptions {
    /// On one line.
    #[arg(long)]
    pub(super) json: bool,
    /// Residents of the labelled town.
    #[arg(long, default_value_t = 3000)]
    pub(super) quality: usize,
    /// People of whom there is a signal when new ones are timed.
    #[arg(long, default_value_t = 100_000)]
    pub(super) people: usize,
    /// New signals that are timed.
    #[arg(long, default_value_t = 1000)]
    pub(super) probes: usize,
    /// Where the node keeps what it stores; beside this program when absent.
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

/// As many as an agreement may have, the organisation itself not counted.
fn partners(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..100).contains(count));
    count.ok_or_else(|| "1 to 99".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct SenderOptions {
    /// The folder of the sending node.
    #[arg(long)]
    pub(super) folder: PathBuf,
    /// The receiving organisation.
    #[arg(long)]
    pub(super) to: Oin,
}
