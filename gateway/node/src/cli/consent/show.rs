//! Showing consents, and what became of what was shared under them.

use exchange::{
    consent::{ConsentKey, Extract, Terms},
    oin::Oin,
};
use jiff::Timestamp;
use serde_json::json;
use store::{Access, ConsentNotice, ConsentRow, ConsentState, State};

use super::super::{Ending, Output, dutch_time};
use crate::{consent::ending, node::Node};

/// The most consents shown at a time.
const PAGE: usize = 500;

pub(super) async fn list(
    node: &Node,
    holder: Option<Oin>,
    access: &Access,
    output: Output,
) -> anyhow::Result<Ending> {
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let page = node.core.store.consents(holder, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        let keys: Vec<ConsentKey> = page.iter().map(|consent| consent.key).collect();
        node.core.store.record_consents_seen(access.clone(), &keys).await?;
        for consent in &page {
            output.say(line(node, consent));
            shown.push(as_json(node, consent));
        }
    }
    if shown.is_empty() {
        output.say("Er zijn geen toestemmingen. Leg er een vast met `schakel toestemming verleen`.");
    }
    output.answer(&json!({ "toestemmingen": shown }));
    Ok(Ending::Good)
}

/// How it is with it now: what ran out a moment ago is over, also before the node has dealt with it, and so is what the
/// resident withdrew here, before its holder did.
fn standing(node: &Node, consent: &ConsentRow) -> ConsentState {
    if consent.reported.is_some() {
        return ConsentState::Withdrawn;
    }
    let over = consent.valid_until.is_some_and(|until| until <= node.core.now());
    if consent.state == ConsentState::InForce && over { ConsentState::Expired } else { consent.state }
}

fn line(node: &Node, consent: &ConsentRow) -> String {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    let names = terms.iter().flat_map(|terms| &terms.granted_to).map(|oin| node.name_of(*oin));
    let until = consent.valid_until.map_or_else(String::new, |until| format!("tot {}", dutch_time(until)));
    let holder = Some(consent.key.holder).filter(|holder| *holder != node.core.me);
    let holder =
        holder.map_or_else(String::new, |holder| format!("  (gevraagd door {})", node.name_of(holder)));
    format!(
        "{}  {:<11}  {until}  voor {}{holder}",
        consent.key.id,
        standing(node, consent).as_str(),
        names.collect::<Vec<_>>().join(", ")
    )
}

fn as_json(node: &Node, consent: &ConsentRow) -> serde_json::Value {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    json!({
        "toestemming": consent.key.id,
        "houder": consent.key.holder,
        "stand": standing(node, consent).as_str(),
        "verleend_op": terms.as_ref().map(|terms| terms.given),
        "geldig_tot": consent.valid_until,
        "verleend_aan": terms.as_ref().map(|terms| &terms.granted_to),
        "doelen": terms.as_ref().map(|terms| &terms.purposes),
        "gegevens": terms.as_ref().map(|terms| json!({
            "categorieen": terms.data.categories, "leefgebieden": terms.data.life_domains,
        })),
        "ingetrokken_op": consent.ended.filter(|_| consent.state == ConsentState::Withdrawn).or(consent.reported),
    })
}

/// How it is with what one organisation was told.
fn told(notice: &ConsentNotice) -> &'static str {
    if notice.confirmed.is_some() {
        return "bevestigd";
    }
    match notice.message.as_ref().map(|message| message.state) {
        Some(State::Admitted) => "geïnformeerd",
        Some(State::Waiting) => "bericht onderweg",
        Some(_) => "niet bereikt",
        None => "geïnformeerd door een ander",
    }
}

pub(super) async fn show(node: &Node, consent: &ConsentRow, output: Output) -> anyhow::Result<Ending> {
    let (notices, now) = (node.core.store.consent_notices(consent.key).await?, node.core.now());
    output.say(line(node, consent));
    if let Some(terms) = consent.extract.as_deref().and_then(Extract::peek) {
        say_terms(&terms, output);
    }
    if consent.state == ConsentState::Withdrawn {
        output.say(format!("  ingetrokken op {}", consent.ended.map(dutch_time).unwrap_or_default()));
    } else if let Some(at) = consent.reported {
        output.say(format!(
            "  hier ingetrokken op {}; {} krijgt bericht en laat wissen",
            dutch_time(at),
            node.name_of(consent.key.holder)
        ));
    }
    for notice in &notices {
        output.say(notice_line(node, (consent, notice), now));
    }
    let overdue = notices.iter().any(|notice| ending::is_overdue(consent, notice, now));
    let unreached = notices.iter().any(|notice| told(notice) == "niet bereikt");
    if overdue || unreached {
        output.say(
            "Neem contact op met wie niet antwoordt: de inwoner heeft er recht op dat de gegevens weg zijn.",
        );
    }
    let mut answer = as_json(node, consent);
    answer["organisaties"] = notices.iter().map(|notice| notice_json((consent, notice), now)).collect();
    output.answer(&answer);
    Ok(if overdue || unreached { Ending::NotAllGood } else { Ending::Good })
}

fn say_terms(terms: &Terms, output: Output) {
    let categories: Vec<String> = terms.data.categories.iter().map(ToString::to_string).collect();
    let domains: Vec<String> = terms.data.life_domains.iter().map(ToString::to_string).collect();
    output.say(format!("  voor: {}", terms.purposes.join(", ")));
    output.say(format!("  gegevens: {}", categories.join(", ")));
    if !domains.is_empty() {
        output.say(format!("  leefgebieden: {}", domains.join(", ")));
    }
}

fn notice_line(node: &Node, (consent, notice): (&ConsentRow, &ConsentNotice), now: Timestamp) -> String {
    let late = if ending::is_overdue(consent, notice, now) { ", TE LAAT" } else { "" };
    let done = notice.done.map_or_else(String::new, |done| format!(": {}", done.as_str()));
    let when = notice.confirmed.map_or_else(String::new, |at| format!(" op {}", dutch_time(at)));
    let via = notice.via.map_or_else(String::new, |via| format!(", via {}", node.name_of(via)));
    let kept = notice.kept.as_ref().map_or_else(String::new, |kept| {
        format!(" op grond van {} ({})", kept.soort, kept.artikelen.join(", "))
    });
    format!("  {:<28} {}{late}{when}{done}{kept}{via}", node.name_of(notice.party), told(notice))
}

fn notice_json((consent, notice): (&ConsentRow, &ConsentNotice), now: Timestamp) -> serde_json::Value {
    let informed = notice.message.as_ref().filter(|message| message.state == State::Admitted);
    json!({
        "oin": notice.party,
        "stand": told(notice),
        "te_laat": ending::is_overdue(consent, notice, now),
        "geinformeerd_op": informed.and_then(|message| message.finished),
        "via": notice.via,
        "bevestigd_op": notice.confirmed,
        "uitkomst": notice.done,
        "bewaard_op_grond_van": notice.kept,
    })
}
