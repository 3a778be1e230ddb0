//! `schakel cijfers`.

use anyhow::Context as _;
use clap::Args;
use jiff::{Timestamp, ToSpan as _, civil::Date};
use serde_json::{Value, json};
use store::Direction;

use super::{Ending, Output};
use crate::{
    access::start_of,
    figures::{self, Counted, Lead, Line, Period, csv},
    node::Node,
};

/// Tel wat er is uitgewisseld en hoe lang een antwoord duurde, per doel, partner en uitkomst. Kleine aantallen blijven weg.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel cijfers --van 2026-01-01 --tot 2026-03-31\n  schakel cijfers --csv > cijfers.csv\n\nEen aantal onder de 5 blijft weg, en zo nodig ook een groter aantal, zodat het kleine niet uit het totaal is af te leiden. Wie perioden vergelijkt die een paar dagen schelen, kan alsnog iets afleiden: maak cijfers over vaste perioden.\nEen doorlooptijd loopt van de binnenkomst van een signaal, aanbod of vraag tot het eerste bericht terug in dat dossier, en tot het gemelde eerste contact."
)]
pub(super) struct Figures {
    /// De eerste dag; zonder deze optie vanaf het begin.
    #[arg(long, value_name = "DAG")]
    van: Option<Date>,
    /// De laatste dag; zonder deze optie tot nu.
    #[arg(long, value_name = "DAG")]
    tot: Option<Date>,
    /// Als CSV, voor een rekenblad.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

const HEAD: [&str; 13] = [
    "richting",
    "doel",
    "oin",
    "partner",
    "uitkomst",
    "aantal",
    "te_beantwoorden",
    "beantwoord",
    "antwoord_mediaan_minuten",
    "antwoord_p90_minuten",
    "contact_mediaan_minuten",
    "contact_p90_minuten",
    "totaal_van_doel",
];

impl Figures {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let from = self.van.map(start_of).transpose()?.unwrap_or(Timestamp::MIN);
        let until =
            self.tot.map(|day| day.checked_add(1.day()).context("--tot ligt te ver weg")).transpose()?;
        let until = until.map(start_of).transpose()?.unwrap_or(Timestamp::MAX);
        let counted = figures::figures(&node.core, Period { from, until }).await?;
        if self.csv {
            let rows = counted.iter().flat_map(|one| one.lines.iter().map(|line| row(node, one, line)));
            let rows: String = rows.map(|row| csv::line(row.iter().map(String::as_str))).collect();
            output.say((csv::line(HEAD) + &rows).trim_end());
            return Ok(Ending::Good);
        }
        for one in &counted {
            let total = one.total.map_or_else(|| "weggelaten".to_owned(), |total| total.to_string());
            output.say(format!("{}, {}: {total}", direction(one), purpose(one)));
            for line in &one.lines {
                output.say(format!("  {}", words(node, line)));
            }
        }
        if counted.is_empty() {
            output.say("Er is in deze periode niets uitgewisseld.");
        }
        output.answer(&json!({
            "kleinste": figures::SMALLEST,
            "cijfers": counted.iter().map(|one| for_programs(node, one)).collect::<Vec<_>>(),
        }));
        Ok(Ending::Good)
    }
}

fn direction(one: &Counted) -> &'static str {
    match one.group.direction {
        Direction::Inbound => "in",
        Direction::Outbound => "uit",
    }
}

fn purpose(one: &Counted) -> &str {
    one.group.purpose.as_deref().unwrap_or("zonder leesbaar doel")
}

fn words(node: &Node, line: &Line) -> String {
    let count = line.count.map_or_else(|| "weggelaten".to_owned(), |count| count.to_string());
    let lead = |what: &str, lead: Option<Lead>| {
        lead.map_or_else(String::new, |lead| {
            format!(
                ", {what}: helft binnen {}, negen van de tien binnen {}",
                duration(lead.median),
                duration(lead.ninetieth)
            )
        })
    };
    format!(
        "{}, {}: {count}{}{}",
        node.name_of(line.partner),
        line.outcome,
        lead("antwoord", line.answer),
        lead("eerste contact", line.contact)
    )
}

fn duration(minutes: u32) -> String {
    match minutes {
        0..120 => format!("{minutes} minuten"),
        120..2880 => format!("{} uur", minutes / 60),
        _ => format!("{} dagen", minutes / 1440),
    }
}

/// What is kept back is an empty field.
fn row(node: &Node, one: &Counted, line: &Line) -> [String; 13] {
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let minutes = |lead: Option<Lead>, of: fn(Lead) -> u32| number(lead.map(|lead| of(lead).into()));
    [
        direction(one).to_owned(),
        purpose(one).to_owned(),
        line.partner.to_string(),
        node.name_of(line.partner),
        line.outcome.to_string(),
        number(line.count),
        number(line.asked),
        number(line.answered),
        minutes(line.answer, |lead| lead.median),
        minutes(line.answer, |lead| lead.ninetieth),
        minutes(line.contact, |lead| lead.median),
        minutes(line.contact, |lead| lead.ninetieth),
        number(one.total),
    ]
}

fn for_programs(node: &Node, one: &Counted) -> Value {
    let lead = |lead: Option<Lead>| {
        lead.map(|lead| json!({ "mediaan_minuten": lead.median, "p90_minuten": lead.ninetieth }))
    };
    let lines = one.lines.iter().map(|line| {
        json!({
            "oin": line.partner, "partner": node.name_of(line.partner), "uitkomst": line.outcome.as_str(),
            "aantal": line.count, "te_beantwoorden": line.asked, "beantwoord": line.answered, "antwoord": lead(line.answer),
            "eerste_contact": lead(line.contact),
        })
    });
    json!({
        "richting": direction(one), "doel": one.group.purpose, "totaal": one.total,
        "regels": lines.collect::<Vec<_>>(),
    })
}
