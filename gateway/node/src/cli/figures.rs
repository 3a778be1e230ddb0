//! `schakel cijfers`.

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;

use super::{Ending, Output};
use crate::{
    figures::{self, Lead, Line, Period, shown},
    node::Node,
};

/// Tel wat er is uitgewisseld en hoe lang een antwoord duurde, per doel, partner en uitkomst. Kleine aantallen blijven weg.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel cijfers --van 2026-01-01 --tot 2026-03-31\n  schakel cijfers --csv > cijfers.csv\n\nEen aantal onder de 5 blijft weg, en zo nodig ook een groter aantal, zodat het kleine niet uit het totaal is af te leiden. Wie perioden vergelijkt die een paar dagen schelen, kan alsnog iets afleiden: maak cijfers over vaste perioden.\nEen doorlooptijd loopt van de binnenkomst van een signaal, aanbod of vraag tot het eerste bericht terug in dat dossier, en tot het gemelde eerste contact. Van signalen met een termijn die voorbij of gehaald is staat erbij hoe vaak op tijd was gemeld dat er een eerste gesprek was of hoe het afliep."
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

impl Figures {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let period = Period::of_days(self.van, self.tot).context("--van of --tot ligt te ver weg")?;
        let counted = figures::figures(&node.core, period).await?;
        if self.csv {
            output.say(shown::for_spreadsheets(node, &counted).trim_end());
            return Ok(Ending::Good);
        }
        for one in &counted {
            let total = one.total.map_or_else(|| "weggelaten".to_owned(), |total| total.to_string());
            output.say(format!("{}, {}: {total}", shown::direction(one), shown::purpose(one)));
            for line in &one.lines {
                output.say(format!("  {}", words(node, line)));
            }
        }
        if counted.is_empty() {
            output.say("Er is in deze periode niets uitgewisseld.");
        }
        output.answer(&shown::for_programs(node, &counted));
        Ok(Ending::Good)
    }
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
    let terms = match (line.termed, line.in_time) {
        (Some(termed), Some(in_time)) => {
            format!(", eerste gesprek of uitkomst binnen de termijn: {in_time} van {termed}")
        }
        _ => String::new(),
    };
    format!(
        "{}, {}: {count}{}{}{terms}",
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
