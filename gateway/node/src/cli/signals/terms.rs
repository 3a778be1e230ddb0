//! Within which time signals are to be reacted to.

use exchange::term::Notice;
use store::{Direction, SignalTerms, TermState};

use super::super::{Ending, Output, dutch_time, messages};
use crate::{listing, node::Node, signal_terms::Known};

pub(super) async fn list(
    node: &Node,
    (state, direction): (Option<&str>, Option<&str>),
    limit: usize,
    output: Output,
) -> anyhow::Result<Ending> {
    let core = &node.core;
    let wanted = SignalTerms {
        state: state.and_then(|state| TermState::ALL.into_iter().find(|one| one.as_str() == state)),
        direction: direction.map(|way| if way == "in" { Direction::Inbound } else { Direction::Outbound }),
        after: None,
        limit,
    };
    let found = core.store.signal_terms(wanted, core.now()).await?;
    let (mut shown, mut is_late) = (Vec::with_capacity(found.len()), false);
    for (row, term) in &found {
        let known = Known::of(core, row, term);
        is_late |= known.is_some_and(|known| known.is_late());
        let said = known.map_or_else(String::new, |known| words(node, &known));
        output.say(format!("{}{said}", messages::line(node, row)));
        shown.push(listing::signal(row, known.as_ref()));
    }
    if found.is_empty() {
        output.say("Er is geen signaal waarvan een termijn loopt.");
    } else if found.len() >= limit {
        output.say("Er kunnen er meer zijn; vraag er meer met --aantal.");
    }
    output.answer(&serde_json::json!({ "signalen": shown }));
    Ok(if is_late { Ending::NotAllGood } else { Ending::Good })
}

/// Who is to act, until when, and what was told of that; or that it was met.
pub(super) fn words(node: &Node, known: &Known) -> String {
    let term = &known.term;
    let before = dutch_time(term.deadline.respond_before);
    if let Some(met) = term.met {
        let late = if known.state == TermState::TooLate { ", na de termijn" } else { "" };
        return format!("; gereageerd op {}{late}", dutch_time(met));
    }
    let who = if term.by == node.core.me { "wij".to_owned() } else { node.name_of(term.by) };
    let told = if known.told(Notice::Escalation).is_some() {
        ", TE LAAT, opgeschaald naar de procesregisseurs"
    } else if known.told(Notice::Reminder).is_some() {
        ", herinnerd"
    } else {
        ""
    };
    format!("; aan zet: {who} (eerste gesprek of uitkomst, voor {before}{told})")
}
