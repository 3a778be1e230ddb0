//! Showing consents, and what became of what was shared under them.

use exchange::{
    consent::{Extract, Terms},
    oin::Oin,
};
use serde_json::json;
use store::{Access, ConsentRow, ConsentState};

use super::{
    super::{Ending, Output, dutch_time},
    lines, versions,
};
use crate::{
    consent::{standing, view},
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
        let page = view::page(&node.core, access, (holder, after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.consent.key);
        for seen in &page {
            let open = seen.standings.iter().filter(|one| one.is_open()).count();
            let warning = if seen.attention.is_empty() { "" } else { "  LET OP" };
            let open = if open > 0 { format!("  nog niet bevestigd door {open}") } else { String::new() };
            output.say(format!("{}{open}{warning}", line(node, &seen.consent)));
            all_good &= seen.attention.is_empty();
            shown.push(seen.json());
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

pub(super) async fn show(
    node: &Node,
    (consent, access): (ConsentRow, Access),
    output: Output,
) -> anyhow::Result<Ending> {
    let (seen, versions) = view::one(&node.core, access, consent).await?;
    let consent = &seen.consent;
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
    if let Some(reported) = &seen.reported {
        output.say(lines::of_report(reported, node, consent.key.holder));
    }
    if let Some(here) = seen.here {
        output.say(format!("  {}", lines::of_ours(here, consent.kept.as_ref())));
    }
    for standing in &seen.standings {
        output.say(lines::of(standing, node));
    }
    let all_good = seen.attention.is_empty();
    if !all_good {
        output.say(
            "Neem contact op met wie niet antwoordt: de inwoner heeft er recht op dat de gegevens weg zijn.",
        );
    }
    output.answer(&seen.whole(versions));
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
