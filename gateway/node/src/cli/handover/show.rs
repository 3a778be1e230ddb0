//! Showing who holds a case, and what was offered and said.

use anyhow::Context as _;
use exchange::handover::{Case, Offer};
use jiff::Timestamp;
use serde_json::json;
use store::State;
use uuid::Uuid;

use super::super::{Ending, Output, dutch_time};
use crate::{handover, listing, node::Node};

/// How many cases are read at a time.
const PAGE: usize = 500;

pub(super) async fn list(node: &Node, output: Output) -> anyhow::Result<Ending> {
    let (mut shown, mut after, mut is_late) = (Vec::new(), None, false);
    loop {
        let page = node.core.store.handover_cases(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.case);
        for one in &page {
            let Some((case, steps)) = handover::case(&node.core, one.case).await? else { continue };
            let now = node.core.now();
            is_late |= case.offers().iter().any(|offer| offer.is_overdue(now));
            output.say(line(node, one.case, &case, now));
            shown.push(listing::handover(one.case, (&case, &steps), now));
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

fn line(node: &Node, id: Uuid, case: &Case, now: Timestamp) -> String {
    let open = case.open_offer().map_or_else(String::new, |offer| {
        let who = if offer.to == node.core.me {
            format!("aangeboden door {}", node.name_of(offer.from))
        } else {
            format!("aangeboden aan {}", node.name_of(offer.to))
        };
        format!("; {who}{}", deadline(offer, now))
    });
    format!("{id}  regie: {}{open}", holder(node, case))
}

fn holder(node: &Node, case: &Case) -> String {
    match case.holder() {
        Some(oin) if oin == node.core.me => "wij".to_owned(),
        Some(oin) => node.name_of(oin),
        None => "een andere organisatie, die hier niet bekend is".to_owned(),
    }
}

fn deadline(offer: &Offer, now: Timestamp) -> String {
    let late = if offer.is_overdue(now) { ", TE LAAT" } else { "" };
    offer.respond_before.map_or_else(String::new, |at| format!(", reageren voor {}{late}", dutch_time(at)))
}

pub(super) async fn show(node: &Node, id: Uuid, output: Output) -> anyhow::Result<Ending> {
    let (case, steps) = handover::case(&node.core, id).await?.context(
        "dit dossier is niet overgedragen. `schakel overdracht lijst` laat zien welke dossiers dat zijn",
    )?;
    let now = node.core.now();
    output.say(line(node, id, &case, now));
    for offer in case.offers() {
        output.say(format!(
            "  aanbod {} van {} aan {}: {}",
            offer.id,
            node.name_of(offer.from),
            node.name_of(offer.to),
            offer.state.as_str()
        ));
    }
    for step in &steps {
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
    output.answer(&listing::handover(id, (&case, &steps), now));
    Ok(if case.offers().iter().any(|offer| offer.is_overdue(now)) {
        Ending::NotAllGood
    } else {
        Ending::Good
    })
}
