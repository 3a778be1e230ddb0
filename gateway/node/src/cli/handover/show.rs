//! Showing who holds a case, and what was offered and said.

use anyhow::Context as _;
use exchange::handover::{Case, Notice, Term};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{State, StoredStep};
use uuid::Uuid;

use super::super::{Ending, Output, dutch_time};
use crate::{
    handover::{self, terms},
    node::Node,
};

/// How many cases are read at a time.
const PAGE: usize = 500;

pub(super) async fn list(node: &Node, output: Output) -> anyhow::Result<Ending> {
    let (mut shown, mut after, mut is_late) = (Vec::new(), None, false);
    loop {
        let page = node.core.store.handover_cases(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.case);
        for one in &page {
            let Some(shown_case) = Shown::read(node, one.case).await? else { continue };
            is_late |= shown_case.is_late();
            output.say(shown_case.line(node));
            shown.push(shown_case.as_json());
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

/// A case as it is shown.
struct Shown {
    id: Uuid,
    case: Case,
    steps: Vec<StoredStep>,
    /// For which moment its terms are shown.
    moment: Timestamp,
}

impl Shown {
    async fn read(node: &Node, id: Uuid) -> anyhow::Result<Option<Self>> {
        let Some((case, steps)) = handover::case(&node.core, id).await? else { return Ok(None) };
        let told = node.core.store.handover_told(id).await?;
        Ok(Some(Self { id, case, steps, moment: terms::moment(&told, node.core.now()) }))
    }

    fn is_late(&self) -> bool {
        self.case.offers().iter().any(|offer| offer.is_overdue(self.moment))
    }

    fn line(&self, node: &Node) -> String {
        let offered = self.case.open_offer().map_or_else(String::new, |offer| {
            if offer.to == node.core.me {
                format!("; aangeboden door {}", node.name_of(offer.from))
            } else {
                format!("; aangeboden aan {}", node.name_of(offer.to))
            }
        });
        let running = self.case.offers().iter().filter_map(|offer| offer.term).filter(Term::is_running);
        let terms: String = running.map(|term| self.term(node, &term)).collect();
        format!("{}  regie: {}{offered}{terms}", self.id, holder(node, &self.case))
    }

    /// Who is to act, until when, and what was told of that.
    fn term(&self, node: &Node, term: &Term) -> String {
        let who = if term.by == node.core.me { "wij".to_owned() } else { node.name_of(term.by) };
        let told = if term.told(Notice::Escalation, self.moment).is_some() {
            ", TE LAAT, opgeschaald naar de procesregisseurs"
        } else if term.told(Notice::Reminder, self.moment).is_some() {
            ", herinnerd"
        } else {
            ""
        };
        let (awaited, before) = (term.awaited.as_str(), dutch_time(term.deadline.respond_before));
        format!("; aan zet: {who} ({awaited}, voor {before}{told})")
    }

    fn as_json(&self) -> Value {
        let offers = self.case.offers().iter().map(|offer| {
            let running = offer.term.filter(Term::is_running);
            let told = |notice| offer.term.and_then(|term| term.told(notice, self.moment));
            json!({
                "aanbod": offer.id, "van": offer.from, "aan": offer.to, "stand": offer.state.as_str(),
                "reageren_voor": offer.respond_before, "te_laat": offer.is_overdue(self.moment),
                "aan_zet": running.map(|term| term.by), "wacht_op": running.map(|term| term.awaited.as_str()),
                "uiterlijk_voor": offer.term.map(|term| term.deadline.respond_before),
                "herinnerd": told(Notice::Reminder), "geescaleerd": told(Notice::Escalation),
                "vraag_open": offer.has_open_question(), "teruggenomen": offer.withdrawal.is_some(),
                "eerste_contact": offer.first_contact, "resultaat": offer.result,
            })
        });
        let steps = self.steps.iter().map(|step| {
            json!({
                "nummer": step.index, "stap": step.step.act.name(), "van": step.step.from,
                "stand": step.state.as_str(), "reden": step.reason,
            })
        });
        json!({
            "dossier": self.id, "regie": self.case.holder(), "aanbiedingen": offers.collect::<Vec<_>>(),
            "stappen": steps.collect::<Vec<_>>(),
        })
    }
}

fn holder(node: &Node, case: &Case) -> String {
    match case.holder() {
        Some(oin) if oin == node.core.me => "wij".to_owned(),
        Some(oin) => node.name_of(oin),
        None => "een andere organisatie, die hier niet bekend is".to_owned(),
    }
}

pub(super) async fn show(node: &Node, id: Uuid, output: Output) -> anyhow::Result<Ending> {
    let shown = Shown::read(node, id).await?.context(
        "dit dossier is niet overgedragen. `schakel overdracht lijst` laat zien welke dossiers dat zijn",
    )?;
    output.say(shown.line(node));
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
    output.answer(&shown.as_json());
    Ok(if shown.is_late() { Ending::NotAllGood } else { Ending::Good })
}
