//! Showing consents, and what became of what was shared under them.

use exchange::{
    consent::{ConsentKey, Extract, Terms},
    oin::Oin,
};
use serde_json::{Value, json};
use store::{Access, ConsentRow, ConsentState};

use super::{
    super::{Ending, Output, dutch_time},
    standings::{self, Reported, Standing},
    versions,
};
use crate::{
    consent::{register, standing},
    node::Node,
};

/// The most consents shown at a time.
const PAGE: usize = 500;

pub(super) async fn list(
    node: &Node,
    holder: Option<Oin>,
    access: &Access,
    output: Output,
) -> anyhow::Result<Ending> {
    let (mut shown, mut after, mut all_good) = (Vec::new(), None, true);
    loop {
        let page = node.core.store.consents(holder, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        let keys: Vec<ConsentKey> = page.iter().map(|consent| consent.key).collect();
        node.core.store.record_consents_seen(access.clone(), &keys).await?;
        for consent in &page {
            let (standings, reported) = (left(node, consent).await?, Reported::of(node, consent));
            let attention = standings::attention(consent, &standings, reported.as_ref());
            let open = standings.iter().filter(|one| one.is_open()).count();
            let warning = if attention.is_empty() { "" } else { "  LET OP" };
            let open = if open > 0 { format!("  nog niet bevestigd door {open}") } else { String::new() };
            output.say(format!("{}{open}{warning}", line(node, consent)));
            all_good &= attention.is_empty();
            shown.push(as_json(node, consent, (reported.as_ref(), attention)));
        }
    }
    if shown.is_empty() {
        output.say("Er zijn geen toestemmingen. Leg er een vast met `schakel toestemming verleen`.");
    }
    if !all_good {
        output.say("\nLET OP: wat er is staat in `schakel toestemming tonen` met het nummer erachter.");
    }
    output.answer(&json!({ "toestemmingen": shown }));
    Ok(if all_good { Ending::Good } else { Ending::NotAllGood })
}

/// What is left of a withdrawal, for the list. Who got something passed on from here confirms to the holder.
async fn left(node: &Node, consent: &ConsentRow) -> anyhow::Result<Vec<Standing>> {
    if consent.state != ConsentState::Withdrawn {
        return Ok(Vec::new());
    }
    let mut standings = standings::of(node, consent).await?;
    standings.retain(|one| consent.key.holder == node.core.me || one.attention().is_some());
    Ok(standings)
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
        standing::standing(consent, node.core.now()).as_str(),
        names.collect::<Vec<_>>().join(", ")
    )
}

fn as_json(
    node: &Node,
    consent: &ConsentRow,
    (reported, attention): (Option<&Reported>, Vec<Value>),
) -> Value {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    json!({
        "toestemming": consent.key.id,
        "houder": consent.key.holder,
        "stand": standing::standing(consent, node.core.now()).as_str(),
        "verleend_op": terms.as_ref().map(|terms| terms.given),
        "geldig_tot": consent.valid_until,
        "verleend_aan": terms.as_ref().map(|terms| &terms.granted_to),
        "doelen": terms.as_ref().map(|terms| &terms.purposes),
        "gegevens": terms.as_ref().map(|terms| json!({
            "categorieen": terms.data.categories, "leefgebieden": terms.data.life_domains,
        })),
        "ingetrokken_op": standing::withdrawn_on(consent),
        "melding": reported.map(Reported::json),
        "aandacht": attention,
    })
}

pub(super) async fn show(
    node: &Node,
    (consent, access): (&ConsentRow, Access),
    output: Output,
) -> anyhow::Result<Ending> {
    let versions = versions::shown(&register::read(&node.core, access, consent).await?);
    output.say(line(node, consent));
    if let Some(terms) = consent.extract.as_deref().and_then(Extract::peek) {
        say_terms(&terms, output);
    }
    for version in &versions {
        versions::say(version, output);
    }
    if let Some(how) = withdrawn(node, consent) {
        output.say(how);
    }
    let (standings, reported) = (standings::of(node, consent).await?, Reported::of(node, consent));
    if let Some(reported) = &reported {
        output.say(reported.line(node, consent.key.holder));
    }
    for standing in &standings {
        output.say(standing.line(node));
    }
    let attention = standings::attention(consent, &standings, reported.as_ref());
    let all_good = attention.is_empty();
    if !all_good {
        output.say(
            "Neem contact op met wie niet antwoordt: de inwoner heeft er recht op dat de gegevens weg zijn.",
        );
    }
    let mut answer = as_json(node, consent, (reported.as_ref(), attention));
    answer["organisaties"] = standings.iter().map(Standing::json).collect();
    answer["versies"] = Value::Array(versions);
    output.answer(&answer);
    Ok(if all_good { Ending::Good } else { Ending::NotAllGood })
}

/// When the resident withdrew it, and where, as far as that is known.
fn withdrawn(node: &Node, consent: &ConsentRow) -> Option<String> {
    let at = dutch_time(standing::withdrawn_on(consent)?);
    let is_ours = consent.key.holder == node.core.me;
    Some(match consent.state {
        ConsentState::Withdrawn => format!("  ingetrokken op {at}"),
        _ if is_ours => {
            format!("  ingetrokken op {at} bij een andere organisatie; dit knooppunt laat iedereen wissen")
        }
        _ => format!("  hier ingetrokken op {at}"),
    })
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
