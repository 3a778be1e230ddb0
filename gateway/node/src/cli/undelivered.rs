//! `schakel bezorging`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use exchange::oin::Oin;
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use store::{GivenUp, Pending, Reason, Undelivered};

use super::{Ending, Output, caller::Decider, dutch_time, messages};
use crate::{
    access::start_of,
    listing,
    node::Node,
    undelivered::{self, Chosen, Done, MAX_AT_ONCE, Waiting},
};

/// Laat zien wat nog niet is aangekomen en waarom, en doe er iets aan.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel bezorging lijst\n  schakel bezorging opnieuw --partner 00000099000000002000 --bevestig 12\n  schakel bezorging opgeven 1041 --omdat anders-geregeld"
)]
pub(super) struct Undeliverable {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Laat zien wat wacht of vastzit: voor wie, hoe lang al, waarom, en wat u kunt doen.
    #[command(
        after_help = "Voorbeelden:\n  schakel bezorging lijst\n  schakel bezorging lijst --partner 00000099000000002000 --sinds 2026-11-01\n  schakel bezorging lijst --stand geweigerd --doel vroegsignalering-huur --json\n\nStanden: wacht, onbestelbaar, geweigerd, opgegeven; zonder --stand wat wacht en wat onbestelbaar is.\nExitcode 1: er is iets onbestelbaar, of een ontvanger is niet bereikbaar."
    )]
    Lijst {
        #[command(flatten)]
        which: Which,
        /// Alleen wat in deze stand is.
        #[arg(long, value_name = "STAND")]
        stand: Option<Pending>,
        /// Hoeveel berichten per stand, de oudste eerst; zonder deze optie 50, hooguit 500.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        aantal: u16,
        /// Ga verder na het bericht met dit nummer; alleen samen met --stand.
        #[arg(long, value_name = "NUMMER", requires = "stand")]
        na: Option<u64>,
    },
    /// Bied onbestelbare berichten opnieuw aan: die u noemt, of alles wat aan uw keuze voldoet.
    #[command(
        after_help = "Voorbeelden:\n  schakel bezorging opnieuw 1041 1042\n  schakel bezorging opnieuw --partner 00000099000000002000 --bevestig 12\n\nNoemt u geen nummers, dan gebeurt er pas iets als u met --bevestig zegt om hoeveel berichten het gaat.\nExitcode 1: niet alles kon opnieuw."
    )]
    Opnieuw {
        #[command(flatten)]
        chosen: Choice,
        #[command(flatten)]
        decider: Decider,
    },
    /// Geef berichten op: ze worden niet meer verstuurd. Wat al onderweg is kan toch nog aankomen.
    #[command(
        after_help = "Voorbeelden:\n  schakel bezorging opgeven 1041 --omdat anders-geregeld\n  schakel bezorging opgeven --partner 00000099000000002000 --stand wacht --omdat ontvanger-gestopt --bevestig 12\n\nRedenen: anders-geregeld, niet-meer-nodig, verkeerde-ontvanger, ontvanger-gestopt.\nExitcode 1: niet alles kon worden opgegeven."
    )]
    Opgeven {
        #[command(flatten)]
        chosen: Choice,
        /// Alleen wat wacht of alleen wat onbestelbaar is; zonder deze optie wat onbestelbaar is.
        #[arg(long, value_name = "STAND", conflicts_with = "nummers")]
        stand: Option<Pending>,
        /// Waarom.
        #[arg(long, value_name = "REDEN")]
        omdat: GivenUp,
        #[command(flatten)]
        decider: Decider,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// Alleen wat voor deze organisatie is.
    #[arg(long, value_name = "OIN")]
    partner: Option<Oin>,
    /// Alleen wat voor dit doel is.
    #[arg(long)]
    doel: Option<String>,
    /// Alleen wat op deze dag of later is gemaakt.
    #[arg(long, value_name = "DAG")]
    sinds: Option<Date>,
}

impl Which {
    fn with(&self, pending: Pending, after: Option<u64>, limit: usize) -> anyhow::Result<Undelivered> {
        let since = self.sinds.map(start_of).transpose()?;
        Ok(Undelivered { pending, partner: self.partner, purpose: self.doel.clone(), since, after, limit })
    }
}

#[derive(Debug, Args)]
struct Choice {
    /// De nummers van de berichten.
    #[arg(value_name = "NUMMER", conflicts_with_all = ["partner", "doel", "sinds", "bevestig"])]
    nummers: Vec<u64>,
    #[command(flatten)]
    which: Which,
    /// Om hoeveel berichten het gaat; hooguit 256 tegelijk.
    #[arg(long, value_name = "GETAL")]
    bevestig: Option<usize>,
}

impl Choice {
    fn chosen(self, pending: Pending) -> anyhow::Result<Chosen> {
        if !self.nummers.is_empty() {
            return Ok(Chosen::These(self.nummers));
        }
        let which = self.which.with(pending, None, MAX_AT_ONCE)?;
        Ok(Chosen::Found { which, expected: self.bevestig })
    }
}

impl Undeliverable {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Lijst { which, stand, aantal, na } => {
                list(node, (&which, stand), (na, aantal.into()), output).await
            }
            What::Opnieuw { chosen, decider } => {
                let access = decider.decision(Reason::Dossier, None, node.core.now())?;
                let chosen = chosen.chosen(Pending::Undeliverable)?;
                let done = undelivered::retry(&node.core, access, chosen).await?;
                tell(&done, "gaat opnieuw op weg zodra het knooppunt draait", output);
                Ok(ending(&done))
            }
            What::Opgeven { chosen, stand, omdat, decider } => {
                let pending = stand.unwrap_or(Pending::Undeliverable);
                let may = matches!(pending, Pending::Waiting | Pending::Undeliverable);
                may.then_some(()).context("opgeven kan alleen wat wacht of onbestelbaar is")?;
                let access = decider.decision(Reason::Dossier, None, node.core.now())?;
                let chosen = chosen.chosen(pending)?;
                let done = undelivered::give_up(&node.core, access, chosen, omdat).await?;
                tell(&done, "is opgegeven", output);
                Ok(ending(&done))
            }
        }
    }
}

fn ending(done: &Done) -> Ending {
    if done.not.is_empty() { Ending::Good } else { Ending::NotAllGood }
}

fn tell(done: &Done, what: &str, output: Output) {
    for index in &done.done {
        output.say(format!("Bericht {index} {what}."));
    }
    for (index, why) in &done.not {
        output.say(format!("Bericht {index}: {why}."));
    }
    let not = done.not.iter().map(|(index, why)| json!({ "nummer": index, "waarom": why }));
    output.answer(&json!({ "gedaan": done.done, "niet": not.collect::<Vec<_>>() }));
}

async fn list(
    node: &Node,
    (which, pending): (&Which, Option<Pending>),
    (after, limit): (Option<u64>, usize),
    output: Output,
) -> anyhow::Result<Ending> {
    let now = node.core.now();
    let mut waiting = undelivered::waiting(&node.core).await?;
    waiting.retain(|one| which.partner.is_none_or(|partner| partner == one.to));
    for one in &waiting {
        output.say(queue(node, one, now));
    }
    let mut stuck = waiting.iter().any(|one| one.state.failure.is_some());
    let asked = pending.map_or_else(|| vec![Pending::Waiting, Pending::Undeliverable], |one| vec![one]);
    let (mut rows, mut more): (Vec<Value>, Option<u64>) = (Vec::new(), None);
    for one in asked {
        let found = undelivered::find(&node.core, which.with(one, after, limit)?).await?;
        stuck |= one == Pending::Undeliverable && !found.rows.is_empty();
        for (row, why) in &found.rows {
            output.say(messages::line(node, row));
            output.say(format!("{:9}{}", "", since_then(row.created, now) + ". " + why));
            rows.push(listing::undelivered(row, why));
        }
        if let Some(place) = found.more_after {
            output.say(format!("Er kunnen er meer zijn: ga verder met --stand {one} --na {place}."));
            more = pending.and(Some(place));
        }
    }
    if rows.is_empty() && waiting.is_empty() {
        output.say("Er is niets dat wacht of vastzit en hieraan voldoet.");
    }
    output.answer(&json!({
        "wachtrijen": waiting.iter().map(listing::queue).collect::<Vec<_>>(),
        "berichten": rows,
        "verder_na": more,
    }));
    Ok(if stuck { Ending::NotAllGood } else { Ending::Good })
}

fn queue(node: &Node, one: &Waiting, now: Timestamp) -> String {
    let count = if one.waiting == 1 {
        "1 bericht wacht".to_owned()
    } else {
        format!("{} berichten wachten", one.waiting)
    };
    let why = one.state.failure.as_deref().map_or_else(String::new, |failure| format!(" {failure}"));
    let next = one.state.next_attempt.filter(|next| *next > now);
    let next = next.map_or_else(String::new, |next| format!(" Volgende poging: {}.", dutch_time(next)));
    format!("Voor {}: {count}; het voorste {}.{why}{next}", node.name_of(one.to), since_then(one.oldest, now))
}

/// How long ago, in the largest unit that says enough.
fn since_then(then: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(then).as_mins().max(0);
    let (number, one, many) = match minutes {
        0..60 => (minutes, "minuut", "minuten"),
        60..2880 => (minutes / 60, "uur", "uur"),
        _ => (minutes / 1440, "dag", "dagen"),
    };
    format!("al {number} {}", if number == 1 { one } else { many })
}
