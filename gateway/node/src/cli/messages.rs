//! `schakel berichten`.

use clap::{Args, ValueEnum};
use store::{Direction, ERASED_REASON, Filter, MessageRow, Order, Reason, State};

use super::{Ending, Output, caller::Decider, dutch_time};
use crate::{listing, node::Node, outbound};

/// Laat zien welke berichten er zijn en hoe het ermee staat. Zonder inhoud: wie wat wanneer stuurde en hoe het afliep.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel berichten\n  schakel berichten --richting uit --stand wacht\n  schakel berichten --aantal 200 --json\n  schakel berichten --opnieuw 1041\n\nStanden: wacht, toegelaten, geweigerd, onbestelbaar."
)]
pub(super) struct Messages {
    /// Alleen wat binnenkwam (in) of wegging (uit).
    #[arg(long)]
    richting: Option<Richting>,
    /// Alleen berichten in deze stand.
    #[arg(long)]
    stand: Option<State>,
    /// Hoeveel berichten, de nieuwste eerst; zonder deze optie 50, hooguit 500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    aantal: u16,
    /// Bied een onbestelbaar bericht opnieuw aan de ontvanger aan, met het nummer uit de lijst.
    #[arg(long, value_name = "NUMMER", conflicts_with_all = ["richting", "stand", "aantal", "na"])]
    opnieuw: Option<u64>,
    /// Ga verder na het bericht met dit nummer.
    #[arg(long, value_name = "NUMMER")]
    na: Option<u64>,
    #[command(flatten)]
    decider: Decider,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Richting {
    In,
    Uit,
}

impl Messages {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        if let Some(index) = self.opnieuw {
            return resend(node, index, self.decider, output).await;
        }
        let direction = self.richting.map(|richting| match richting {
            Richting::In => Direction::Inbound,
            Richting::Uit => Direction::Outbound,
        });
        let filter = Filter {
            direction,
            state: self.stand,
            after: self.na,
            order: Order::NewestFirst,
            limit: self.aantal.into(),
        };
        let rows = node.core.store.messages(filter).await?;
        if rows.is_empty() {
            output.say("Er zijn geen berichten die hieraan voldoen.");
        }
        for row in &rows {
            output.say(line(node, row));
        }
        output.answer(
            &serde_json::json!({ "berichten": rows.iter().map(listing::message).collect::<Vec<_>>() }),
        );
        Ok(Ending::Good)
    }
}

async fn resend(node: &Node, index: u64, decider: Decider, output: Output) -> anyhow::Result<Ending> {
    let access = decider.decision(Reason::Dossier, None, node.core.now())?;
    outbound::resend(&node.core, access, index).await?;
    output.say(format!("Bericht {index} gaat opnieuw op weg zodra het knooppunt draait."));
    output.answer(&serde_json::json!({ "nummer": index, "stand": "wacht" }));
    Ok(Ending::Good)
}

pub(super) fn line(node: &Node, row: &MessageRow) -> String {
    let kind = row.message_type.as_deref().unwrap_or("onbekend").trim_start_matches("nl.sociaaldomein.");
    let kind = kind.trim_end_matches(".v1");
    // Of what was given up because it was erased, that is the reason already.
    let erased = row.erased.map(|_| ERASED_REASON).filter(|erased| row.reason.as_deref() != Some(erased));
    let reasons: Vec<&str> = row.reason.as_deref().into_iter().chain(erased).collect();
    let reason = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    format!(
        "{:>7}  {}  {:<4} {:<28}  {kind:<36}  {}{reason}",
        row.index,
        dutch_time(row.created),
        direction(row),
        node.name_of(row.partner),
        row.state,
    )
}

fn direction(row: &MessageRow) -> &'static str {
    match row.direction {
        Direction::Inbound => "van",
        Direction::Outbound => "naar",
    }
}
