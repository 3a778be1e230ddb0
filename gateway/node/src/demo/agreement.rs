//! The agreement of the five organisations, made from their registers.

use exchange::{
    agreement::{Clause, Content, Party},
    oin::Oin,
    organisation::OrganisationKind,
    purpose::{Purpose, Rule},
};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::node::Node;

/// The JSON of an agreement in which every purpose applies between the organisations whose kinds it names.
pub(super) fn text(nodes: &[Node], purposes: &[Purpose], now: Timestamp) -> anyhow::Result<String> {
    let parties: Vec<Party> = nodes.iter().map(Node::party).collect();
    let yesterday = now.to_zoned(TimeZone::UTC).date().checked_sub(1.day())?;
    let content = Content {
        groep: "rivierenland".into(),
        versie: newest(nodes) + 1,
        afspraken: purposes.iter().flat_map(|purpose| clauses(purpose, &parties)).collect(),
        partijen: parties,
        geldig_van: yesterday,
        geldig_tot: yesterday.checked_add(1.year())?,
    };
    Ok(serde_json::to_string(&content)?)
}

/// The highest version that any of them knows. Who ended an agreement signs a new version of it.
fn newest(nodes: &[Node]) -> u32 {
    let versions = |node: &Node| node.core.rules().agreements().map(|one| one.content().versie).max();
    nodes.iter().filter_map(versions).max().unwrap_or(0)
}

fn clauses(purpose: &Purpose, parties: &[Party]) -> Vec<Clause> {
    let clause = |rule: &Rule| {
        let members = |kinds: &std::collections::BTreeSet<OrganisationKind>| -> Vec<Oin> {
            parties.iter().filter(|party| kinds.contains(&party.soort)).map(|party| party.oin).collect()
        };
        let (from, to) = (members(&rule.van), members(&rule.naar));
        (!from.is_empty() && !to.is_empty()).then(|| Clause {
            doel: purpose.content().doel.clone(),
            doel_digest: purpose.digest(),
            van: from,
            naar: to,
            berichttypen: vec![rule.message_type.clone()],
        })
    };
    purpose.content().berichten.iter().filter_map(clause).collect()
}
