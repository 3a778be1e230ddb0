//! `schakel loketten`.

use clap::Args;
use exchange::{
    calendar,
    desk::{Desk, Opening},
    oin::Oin,
};
use jiff::Timestamp;
use schemas::SchemaName;

use super::{Ending, Output, dutch_time};
use crate::{
    directory::{self, Listed, Sought},
    listing,
    node::Node,
};

/// Laat zien welke loketten er zijn, hier en bij partners: wat ze aannemen en wanneer ze open zijn.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel loketten\n  schakel loketten --doel vroegsignalering-huur --bericht signaal-betalingsachterstand\n  schakel loketten --partner 00000099000000001000 --json\n\nEen bericht noemt u bij de naam van zijn schema of bij zijn type. Wat een partner laat zien leest het knooppunt elk uur opnieuw, en zodra de partner zich meldt. De loketten van uw eigen organisatie staan in loketten.toml, of bij [[loketten]] in schakel.toml.\nExitcode 1: er is geen loket dat dit aanneemt."
)]
pub(super) struct Desks {
    /// Alleen loketten die berichten voor dit doel aannemen.
    #[arg(long)]
    doel: Option<String>,
    /// Alleen loketten die dit soort bericht aannemen.
    #[arg(long, value_name = "BERICHTSOORT")]
    bericht: Option<String>,
    /// Alleen loketten van deze organisatie.
    #[arg(long, value_name = "OIN")]
    partner: Option<Oin>,
}

impl Desks {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let message_type = self.bericht.map(|named| {
            let schema = named.parse::<SchemaName>().ok().and_then(SchemaName::message_type);
            schema.map_or(named, str::to_owned)
        });
        let sought = Sought { purpose: self.doel, message_type, organisation: self.partner };
        let listed = directory::list(&node.core, &node.descriptor(), &sought).await?;
        let now = node.core.now();
        let found = listed.iter().any(|one| !one.desks.is_empty());
        for one in listed.iter().filter(|one| !one.desks.is_empty()) {
            output.say(format!("{} ({}){}", one.name, one.oin, age(one, now)));
            for (desk, opening) in &one.desks {
                tell(desk, *opening, now, output);
            }
        }
        if !found {
            output.say("Er is geen loket dat hieraan voldoet.");
        }
        let silent: Vec<&Listed> = listed.iter().filter(|one| !one.publishes).collect();
        if !silent.is_empty() {
            let names: Vec<&str> = silent.iter().map(|one| one.name.as_str()).collect();
            output.say(format!(
                "Zonder loketten: {}. Stuur een bericht daarheen zonder loket.",
                names.join(", ")
            ));
        }
        output.answer(&listing::desks(&listed));
        Ok(if found { Ending::Good } else { Ending::NotAllGood })
    }
}

fn age(one: &Listed, now: Timestamp) -> String {
    one.seen.map_or_else(
        || ", dit knooppunt".to_owned(),
        |seen| {
            let minutes = now.duration_since(seen).as_mins().max(0);
            match minutes {
                0..120 => format!(", {minutes} minuten geleden gelezen"),
                _ => format!(", gelezen op {}", dutch_time(seen)),
            }
        },
    )
}

fn tell(desk: &Desk, opening: Opening, now: Timestamp, output: Output) {
    let today = calendar::day(now);
    output.say(format!("  {:<20} {}: {}", desk.loket, desk.naam, standing(desk, opening, now)));
    let mut about: Vec<String> = Vec::new();
    if !desk.doelen.is_empty() {
        about.push(format!("doelen: {}", desk.doelen.join(", ")));
    }
    if !desk.berichttypen.is_empty() {
        about.push(format!("berichten: {}", desk.berichttypen.join(", ")));
    }
    about.extend(desk.opening_words());
    about.extend(desk.contact.clone());
    if let Some(absence) = desk.absence(today) {
        let replacement =
            absence.vervanging.as_ref().map_or_else(String::new, |name| format!("; vervanging: {name}"));
        about.push(format!("afwezig tot en met {}{replacement}", day_words(absence.tot)));
    }
    for line in about {
        output.say(format!("  {:<20} {line}", ""));
    }
}

fn day_words(day: jiff::civil::Date) -> String {
    day.strftime("%d-%m-%Y").to_string()
}

fn standing(desk: &Desk, opening: Opening, now: Timestamp) -> String {
    if let Some(closed) = desk.opgeheven.as_ref().filter(|_| desk.is_closed(calendar::day(now))) {
        let successor =
            closed.opvolger.as_ref().map_or_else(String::new, |name| format!("; opvolger: {name}"));
        return format!("voorgoed dicht sinds {}{successor}", day_words(closed.per));
    }
    match opening {
        Opening::Unknown => "openingstijden niet in uren bekend".to_owned(),
        Opening::Open { until: None } => "open".to_owned(),
        Opening::Open { until: Some(until) } => format!("open tot {}", dutch_time(until)),
        Opening::Closed { next: Some(next) } => format!("dicht, open vanaf {}", dutch_time(next)),
        Opening::Closed { next: None } => "dicht".to_owned(),
    }
}
