//! Showing who holds a case, and what was offered and said.

use anyhow::Context as _;
use exchange::handover::{Case, Notice, Term};
use serde_json::json;
use store::State;
use uuid::Uuid;

use super::super::{Ending, Output, dutch_time};
use crate::{handover::page::Known, listing, node::Node};

/// How many cases are read at a time.
const PAGE: usize = 500;

pub(super) async fn list(node: &Node, output: Output) -> anyhow::Result<Ending> {
    let (mut shown, mut after, mut is_late) = (Vec::new(), None, false);
    loop {
        let page = node.core.store.handover_cases(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.case);
        for one in &page {
            let Some(known) = Known::read(&node.core, one.case).await? else { continue };
            is_late |= known.is_late();
            output.say(line(node, &known));
            shown.push(listing::handover(&known));
        }
    }
    if shown.is_empty() {
        output.say(
            "Er is nog geen dossier overgedragen. Bied er een aan met `schakel document --soort overdracht-aangeboden`.",
        );
    }
    output.answer(&json!({ "overdrachten": shown }));
    Ok(if is_late { Ending::NotAllGood } else { Ending::Good })
}

fn line(node: &Node, known: &Known) -> String {
    let offered = known.case.open_offer().map_or_else(String::new, |offer| {
        if offer.to == node.core.me {
            format!("; aangeboden door {}", node.name_of(offer.from))
        } else {
            format!("; aangeboden aan {}", node.name_of(offer.to))
        }
    });
    let running = known.case.offers().iter().filter_map(|offer| offer.term).filter(Term::is_running);
    let terms: String = running.map(|running| term(node, known, &running)).collect();
    format!("{}  regie: {}{offered}{terms}", known.id, holder(node, &known.case))
}

/// Who is to act, until when, and what was told of that.
fn term(node: &Node, known: &Known, term: &Term) -> String {
    let who = if term.by == node.core.me { "wij".to_owned() } else { node.name_of(term.by) };
    let told = if term.told(Notice::Escalation, known.moment).is_some() {
        ", TE LAAT, opgeschaald naar de procesregisseurs"
    } else if term.told(Notice::Reminder, known.moment).is_some() {
        ", herinnerd"
    } else {
        ""
    };
    let (awaited, before) = (term.awaited.as_str(), dutch_time(term.deadline.respond_before));
    format!("; aan zet: {who} ({awaited}, voor {before}{told})")
}

fn holder(node: &Node, case: &Case) -> String {
    match case.holder() {
        Some(oin) if oin == node.core.me => "wij".to_owned(),
        Some(oin) => node.name_of(oin),
        None => "een andere organisatie, die hier niet bekend is".to_owned(),
    }
}

pub(super) async fn show(node: &Node, id: Uuid, output: Output) -> anyhow::Result<Ending> {
    let shown = Known::read(&node.core, id).await?.context(
        "dit dossier is niet overgedragen. `schakel overdracht lijst` laat zien welke dossiers dat zijn",
    )?;
    output.say(line(node, &shown));
    for offer in shown.case.offers() {
        output.say(format!(
            "  aanbod {} van {} aan {}: {}",
            offer.id,
            node.name_of(offer.from),
            node.name_of(offer.to),
            offer.state.as_str()
        ));
    }
    for step in &shown.steps {
        let became = match (step.state, step.reason.as_deref()) {
            (State::Admitted, _) => String::new(),
            (state, None) => format!(" ({})", state.as_str()),
            (state, Some(reason)) => format!(" ({}: {reason})", state.as_str()),
        };
        output.say(format!(
            "  bericht {:>6}  {} van {}{became}",
            step.index,
            step.step.act.name(),
            node.name_of(step.step.from)
        ));
    }
    output.answer(&listing::handover(&shown));
    Ok(if shown.is_late() { Ending::NotAllGood } else { Ending::Good })
}
