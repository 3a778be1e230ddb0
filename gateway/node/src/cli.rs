//! The commands of `schakel`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    bell,
    explain::explain,
    node::Node,
    system::{SystemClock, SystemRandom},
};

/// The environment variable that says what to log.
const LOG: &str = "SCHAKEL_LOG";

mod accesses;
mod agreement;
mod ask;
mod caller;
mod consent;
mod consultation;
mod demo;
mod desks;
mod document;
mod dutch;
mod erase;
mod feedback;
mod figures;
mod find;
mod handover;
mod init;
mod logbook;
mod messages;
mod partner;
mod pass_on;
mod processings;
mod proof;
mod purpose;
mod send;
mod serve;
mod signals;
mod subject;
mod undelivered;
mod webhooks;
mod witness;

/// Schakel: berichten tussen organisaties in het sociaal domein, gebonden aan een doel en een grondslag,
/// ondertekend en met bewijs van ontvangst.
#[derive(Debug, Parser)]
#[command(
    name = "schakel",
    version,
    disable_version_flag = true,
    about,
    after_help = "Voorbeelden:\n  schakel demo                                  laat vijf organisaties berichten uitwisselen\n  schakel init --oin 00000099000000001000 --naam 'Gemeente Rivierstad' --soort gemeente --adres schakel.rivierstad.test:8443\n  schakel serve --map /var/lib/schakel          start het knooppunt in die map\n\nExitcodes: 0 gelukt; 1 uitgevoerd, maar niet alles is goed; 2 verkeerd aangeroepen; 3 kon niet worden uitgevoerd."
)]
pub struct Cli {
    /// De map van het knooppunt, met daarin schakel.toml; zonder deze optie de huidige map.
    #[arg(long, global = true, env = "SCHAKEL_MAP", value_name = "MAP", hide_env = true)]
    map: Option<PathBuf>,
    /// Antwoord in JSON, voor andere programma's.
    #[arg(long, global = true)]
    json: bool,
    /// Toon de versie.
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Demo(demo::Demo),
    Verstuur(send::Send),
    Berichten(messages::Messages),
    Bezorging(undelivered::Undeliverable),
    Webhooks(webhooks::Webhooks),
    Consultatie(consultation::Consultations),
    Loketten(desks::Desks),
    Doorgeven(pass_on::PassOn),
    Cijfers(figures::Figures),
    Partner(partner::Partner),
    Convenant(agreement::Agreement),
    Document(document::SendDocument),
    Overdracht(handover::Handover),
    Signalen(signals::Signals),
    Terugkoppeling(feedback::Feedback),
    Toestemming(consent::Consent),
    Doel(purpose::Purpose),
    Logboek(logbook::Logbook),
    Dataverwerkingen(processings::Processings),
    Wissen(erase::Erase),
    Bewijs(proof::Proof),
    Zoek(find::Find),
    Inzage(subject::SubjectAccess),
    Raadplegingen(accesses::AccessLog),
}

/// How a command that could be carried out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All is well.
    Good,
    /// It was carried out, and not all is well.
    NotAllGood,
}

/// Where a command writes, and how.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Whether the answer is JSON.
    pub json: bool,
}

impl Output {
    /// Writes a line for people; nothing when the answer is JSON.
    pub fn say(self, line: impl std::fmt::Display) {
        if !self.json {
            write_line(line);
        }
    }

    /// Writes the answer for programs; nothing when it is for people.
    pub fn answer(self, value: &serde_json::Value) {
        if self.json {
            write_line(value);
        }
    }

    /// Writes what needs attention to standard error, whichever the answer is.
    pub fn warn(self, line: impl std::fmt::Display) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// A progress bar on a terminal; none elsewhere.
    pub fn progress(self, total: Option<u64>, what: &'static str) -> indicatif::ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = total.map_or_else(indicatif::ProgressBar::no_length, indicatif::ProgressBar::new);
        let template = if total.is_some() {
            "{msg} {wide_bar} {human_pos}/{human_len} ({per_sec}, nog {eta})"
        } else {
            "{msg} {spinner} {human_pos} ({per_sec})"
        };
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(what)
    }
}

/// A moment as people here write it: Dutch time, to the second.
fn dutch_time(at: jiff::Timestamp) -> String {
    at.to_zoned(exchange::calendar::dutch_time()).strftime("%d-%m-%Y %H:%M:%S").to_string()
}

/// A number of lines.
fn lines(count: u64) -> String {
    if count == 1 { "1 regel".to_owned() } else { format!("{count} regels") }
}

/// A path as JSON can hold it: names of files need not be UTF-8, and JSON is.
fn shown(path: &std::path::Path) -> String {
    path.display().to_string()
}

/// A reader that went away wants no more lines; that is not an error.
fn write_line(line: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Carries out the command that the program was called with.
pub async fn run() -> ExitCode {
    let cli = match dutch::command(Cli::command())
        .try_get_matches()
        .and_then(|found| Cli::from_arg_matches(&found))
    {
        Ok(cli) => cli,
        // Help and the version go to standard output and are no mistake.
        Err(asked) if !asked.use_stderr() => {
            let _ = asked.print();
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            let said = dutch::explain(&mistake);
            let _ = writeln!(io::stderr(), "Fout: {said}");
            // What was asked could not be read as a whole, but that JSON was asked can.
            let json = std::env::args_os().any(|argument| argument == "--json");
            Output { json }.answer(&serde_json::json!({ "fout": said }));
            return ExitCode::from(2);
        }
    };
    let output = Output { json: cli.json };
    let done = match start_logging(logged(&cli.command)) {
        Ok(()) => dispatch(cli, output).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::NotAllGood) => ExitCode::from(1),
        Err(error) => {
            let story = explain(&error);
            output.warn(format!("Fout: {story}"));
            output.answer(&serde_json::json!({ "fout": story }));
            ExitCode::from(3)
        }
    }
}

async fn dispatch(cli: Cli, output: Output) -> anyhow::Result<Ending> {
    let Cli { map: given, command, .. } = cli;
    let map = given.clone().unwrap_or_else(|| PathBuf::from("."));
    let done = Box::pin(carry_out(command, (&map, given), output)).await;
    // Whatever it did: a node that runs here looks at once, and not when it comes to it.
    bell::ring(&map);
    done
}

async fn carry_out(
    command: Command,
    (map, given): (&Path, Option<PathBuf>),
    output: Output,
) -> anyhow::Result<Ending> {
    match command {
        Command::Init(command) => command.run(map, output).await,
        Command::Demo(command) => command.run(given, output).await,
        Command::Bewijs(command) => command.run(output),
        Command::Doel(command) => command.run(map, output).await,
        Command::Serve(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Verstuur(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Berichten(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Bezorging(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Webhooks(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Consultatie(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Loketten(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Doorgeven(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Cijfers(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Partner(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Convenant(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Document(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Overdracht(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Signalen(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Terugkoppeling(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Toestemming(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Wissen(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Logboek(command) if command.checks() => {
            command
                .run(&Node::open_to_check(map, Arc::new(SystemClock), Arc::new(SystemRandom)).await?, output)
                .await
        }
        Command::Dataverwerkingen(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Logboek(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Zoek(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Inzage(command) => command.run(&open_watchful(map, output).await?, output).await,
        Command::Raadplegingen(command) => command.run(&open_watchful(map, output).await?, output).await,
    }
}

/// Opens the node in `folder`, and says so when a log contradicts itself: whatever one came for, that comes first.
async fn open_watchful(folder: &Path, output: Output) -> anyhow::Result<Node> {
    let node = open(folder).await?;
    witness::warn(&node, output).await?;
    Ok(node)
}

/// Opens the node in `folder` with the machine's clock and randomness.
pub async fn open(folder: &Path) -> anyhow::Result<Node> {
    Node::open(folder, Arc::new(SystemClock), Arc::new(SystemRandom)).await
}

/// What is logged when nothing was asked: all of it for a node that serves, only trouble for other commands. The demonstration
/// lets a term end on purpose, and says so itself.
const fn logged(command: &Command) -> &'static str {
    match command {
        Command::Serve(_) => "info",
        Command::Demo(_) => "error,node::handover::terms=off",
        _ => "error",
    }
}

/// Logs are English and go to standard error.
fn start_logging(unless_asked: &str) -> anyhow::Result<()> {
    let asked = std::env::var_os(LOG).filter(|asked| !asked.is_empty());
    let filter = match asked {
        Some(asked) => log_filter(&asked.to_string_lossy())?,
        None => tracing_subscriber::EnvFilter::new(unless_asked),
    };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .try_init();
    Ok(())
}

/// What to log, as it was asked. A word alone is a level: as the name of a part it would silence all others.
fn log_filter(asked: &str) -> anyhow::Result<tracing_subscriber::EnvFilter> {
    let is_one =
        |part: &str| part.contains('=') || part.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
    let parts = asked.split(',').map(str::trim);
    let known = parts.filter(|part| !part.is_empty()).all(is_one);
    tracing_subscriber::EnvFilter::try_new(asked).ok().filter(|_| known).with_context(|| {
        format!(
            "{LOG} is `{asked}`, en dat is geen niveau. Kies uit error, warn, info, debug, trace en off, of geef het per onderdeel, zoals info,transport=debug"
        )
    })
}
