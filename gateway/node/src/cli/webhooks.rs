//! `schakel webhooks`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;
use store::{DeadLetter, DeadLetters, Reason, Webhook};

use super::{Ending, Output, caller::Decider, dutch_time};
use crate::{node::Node, webhooks};

/// The most events that are tried once more or given up at a time.
const MAX_AT_ONCE: usize = 500;

/// Laat zien hoe het gaat met de systemen die te horen krijgen wat er gebeurt, en doe iets aan wat zij niet aannamen.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel webhooks lijst\n  schakel webhooks opnieuw 3 4\n  schakel webhooks opnieuw --webhook zaaksysteem\n  schakel webhooks hervat zaaksysteem"
)]
pub(super) struct Webhooks {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Laat per systeem zien hoe ver het is, en wat het niet aannam.
    #[command(
        after_help = "Voorbeeld:\n  schakel webhooks lijst --aantal 100\n\nExitcode 1: een systeem heeft een storing, is gestopt of nam iets niet aan."
    )]
    Lijst {
        /// Hoeveel gebeurtenissen die niet zijn aangenomen, de oudste eerst; zonder deze optie 50, hooguit 500.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        aantal: u16,
        /// Ga verder na de gebeurtenis met dit nummer.
        #[arg(long, value_name = "NUMMER")]
        na: Option<u64>,
    },
    /// Vertel opnieuw wat een systeem niet aannam: wat u noemt, of alles van één systeem. Eén keer, zodra het knooppunt draait.
    /// Uw besluit komt in het logboek.
    #[command(
        after_help = "Voorbeelden:\n  schakel webhooks opnieuw 3 4\n  schakel webhooks opnieuw --webhook zaaksysteem\n\nExitcode 1: er is niets (meer) met dit nummer of van dit systeem."
    )]
    Opnieuw {
        #[command(flatten)]
        chosen: Choice,
        #[command(flatten)]
        decider: Decider,
    },
    /// Geef op wat een systeem niet aannam: het wordt niet meer verteld. Uw besluit komt in het logboek.
    #[command(
        after_help = "Voorbeeld:\n  schakel webhooks opgeven 3\n\nExitcode 1: er is niets (meer) met dit nummer of van dit systeem."
    )]
    Opgeven {
        #[command(flatten)]
        chosen: Choice,
        #[command(flatten)]
        decider: Decider,
    },
    /// Ga verder met een systeem dat is gestopt: het krijgt alles vanaf waar het was. Uw besluit komt in het logboek.
    #[command(after_help = "Voorbeeld:\n  schakel webhooks hervat zaaksysteem")]
    Hervat {
        /// Zoals het in schakel.toml heet.
        #[arg(value_name = "NAAM")]
        naam: String,
        #[command(flatten)]
        decider: Decider,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// De nummers.
    #[arg(value_name = "NUMMER")]
    nummers: Vec<u64>,
    /// Alles van dit systeem, hooguit 500 tegelijk.
    #[arg(long, value_name = "NAAM")]
    webhook: Option<String>,
}

impl Choice {
    async fn numbers(self, node: &Node) -> anyhow::Result<Vec<u64>> {
        if self.webhook.is_none() {
            let few = self.nummers.len() <= MAX_AT_ONCE;
            few.then_some(()).with_context(|| format!("noem hooguit {MAX_AT_ONCE} nummers tegelijk"))?;
            return Ok(self.nummers);
        }
        let which = DeadLetters { hook: self.webhook, again: false, after: None, limit: MAX_AT_ONCE };
        Ok(node.core.store.dead_letters(which).await?.iter().map(|one| one.number).collect())
    }
}

impl Webhooks {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let decision = |decider: Decider| decider.decision(Reason::Beheer, None, node.core.now());
        match self.what {
            What::Lijst { aantal, na } => list(node, (na, aantal.into()), output).await,
            What::Opnieuw { chosen, decider } => {
                let numbers = chosen.numbers(node).await?;
                let done = webhooks::retry(&node.core, decision(decider)?, numbers).await?;
                Ok(tell(done, ("wordt", "worden", "opnieuw verteld zodra het knooppunt draait"), output))
            }
            What::Opgeven { chosen, decider } => {
                let numbers = chosen.numbers(node).await?;
                let done = webhooks::give_up(&node.core, decision(decider)?, numbers).await?;
                Ok(tell(done, ("is", "zijn", "opgegeven"), output))
            }
            What::Hervat { naam, decider } => {
                let known = webhooks::find(&node.core, &naam).await?.is_some();
                known.then_some(()).with_context(|| {
                    format!("er is geen webhook `{naam}`; `schakel webhooks lijst` noemt ze")
                })?;
                let resumed = webhooks::resume(&node.core, decision(decider)?, &naam).await?;
                output.say(if resumed {
                    format!("{naam} krijgt weer te horen wat er gebeurt, vanaf waar het was.")
                } else {
                    format!("{naam} was niet gestopt.")
                });
                output.answer(&json!({ "hervat": resumed }));
                Ok(Ending::Good)
            }
        }
    }
}

fn tell(done: u64, (one, many, what): (&str, &str, &str), output: Output) -> Ending {
    output.say(match done {
        0 => {
            "Er is niets (meer) dat hieraan voldoet. `schakel webhooks lijst` laat zien wat er is.".to_owned()
        }
        1 => format!("1 gebeurtenis {one} {what}."),
        more => format!("{more} gebeurtenissen {many} {what}."),
    });
    output.answer(&json!({ "aantal": done }));
    if done == 0 { Ending::NotAllGood } else { Ending::Good }
}

async fn list(node: &Node, (after, limit): (Option<u64>, usize), output: Output) -> anyhow::Result<Ending> {
    let store = &node.core.store;
    let (hooks, last) = (store.webhooks().await?, store.last_event().await?);
    let which = DeadLetters { hook: None, again: false, after, limit };
    let letters = store.dead_letters(which).await?;
    for hook in &hooks {
        output.say(line(node, hook, last));
    }
    if hooks.is_empty() {
        output.say("Er zijn geen webhooks. Zet ze in schakel.toml, bij [[api.webhooks]].");
    }
    for one in &letters {
        output.say(put_aside(one));
    }
    let more = letters.last().filter(|_| letters.len() >= limit).map(|one| one.number);
    if let Some(place) = more {
        output.say(format!("Er kunnen er meer zijn: ga verder met --na {place}."));
    }
    output.answer(&json!({
        "webhooks": hooks.iter().map(|hook| webhooks::shown(hook, last)).collect::<Vec<_>>(),
        "opzijgezet": letters.iter().map(|one| webhooks::letter(&node.core, one)).collect::<Vec<_>>(),
        "verder_na": more,
    }));
    let good =
        letters.is_empty() && hooks.iter().all(|hook| hook.failure.is_none() && hook.stopped.is_none());
    Ok(if good { Ending::Good } else { Ending::NotAllGood })
}

fn line(node: &Node, hook: &Webhook, last: u64) -> String {
    let Webhook { name, told, .. } = hook;
    let behind = (last + 1).saturating_sub(hook.next);
    let configured =
        node.config.api.as_ref().is_some_and(|api| api.webhooks.iter().any(|one| one.naam == *name));
    let gone = if configured { "" } else { " Staat niet meer in schakel.toml." };
    let aside = match hook.dead_letters {
        0 => String::new(),
        count => format!(" {count} niet aangenomen."),
    };
    let trouble = match (&hook.failure, hook.stopped) {
        (failure, Some(since)) => {
            format!(" Gestopt sinds {}: {}.", dutch_time(since), failure.as_deref().unwrap_or_default())
        }
        (Some(failure), None) => format!(" Storing: {failure}."),
        (None, None) => String::new(),
    };
    format!("{name}: {told} verteld, {behind} te gaan.{aside}{trouble}{gone}")
}

fn put_aside(one: &DeadLetter) -> String {
    let again = if one.again { " Wordt opnieuw verteld." } else { "" };
    format!(
        "{:>7}  {}  {}  {}\n{:9}{} (poging {}).{again}",
        one.number,
        one.hook,
        one.event.kind.as_str(),
        dutch_time(one.at),
        "",
        one.failure,
        one.attempts,
    )
}
