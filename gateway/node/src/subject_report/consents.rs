//! The consents of a resident: what was agreed to, how it is with it, what this organisation recorded of it, and who was told
//! when it ended.

use std::collections::BTreeSet;

use anyhow::Context as _;
use exchange::consent::{ConsentKey, ConsentRecord, Extract, Kept, Terms};
use jiff::{SignedDuration, Timestamp};
use schemas::{ReadableField, Reading};
use serde::Serialize;
use store::ConsentRow;

use super::{DAMAGED, Organisation};
use crate::{consent::standing, node::Node, wording};

/// A consent that the person gave here, or on which something rests that is held here.
#[derive(Debug, Serialize)]
pub struct GivenConsent {
    /// Its number.
    pub id: uuid::Uuid,
    /// The organisation that asked for it.
    pub houder: Organisation,
    /// `geldig`, `ingetrokken` or `verlopen`.
    pub stand: &'static str,
    /// When it was given.
    pub verleend_op: Option<Timestamp>,
    /// Until when it holds, if nobody ends it.
    pub geldig_tot: Option<Timestamp>,
    /// When it was withdrawn.
    pub ingetrokken_op: Option<Timestamp>,
    /// Who may have the data under it.
    pub verleend_aan: Vec<Organisation>,
    /// What for.
    pub doelen: Vec<String>,
    /// Which kinds of data.
    pub gegevens: Vec<String>,
    /// About which life domains.
    pub leefgebieden: Vec<String>,
    /// What this organisation recorded, if it asked for the consent and did not erase that.
    pub vastlegging: Option<Recorded>,
    /// On what something that came under it is kept after its end.
    pub bewaard_op_grond_van: Option<Kept>,
    /// Who was told that it ended, and what they did.
    pub organisaties: Vec<Told>,
    #[serde(skip)]
    pub(super) in_words: InWords,
    #[serde(skip)]
    pub(super) asked_here: bool,
}

/// What the codes of a consent mean.
#[derive(Debug, Default)]
pub(super) struct InWords {
    pub(super) purposes: Vec<String>,
    pub(super) data: Vec<&'static str>,
    pub(super) domains: Vec<&'static str>,
}

/// What the organisation that asked for a consent keeps of it, to be able to show that there was one (AVG art. 7(1)).
#[derive(Debug, Serialize)]
pub struct Recorded {
    /// How long after the end of the consent it is kept.
    pub bewaartermijn_dagen: u32,
    /// Until when that is; nothing while the consent holds.
    pub bewaard_tot: Option<Timestamp>,
    /// The versions, the oldest first: what was recorded at first, and at each extension.
    pub versies: Vec<Version>,
}

/// A version of what was recorded.
#[derive(Debug, Serialize)]
pub struct Version {
    /// Where the log says that it was recorded.
    pub regel: u64,
    /// The record (`toestemming.schema.json`).
    pub toestemming: serde_json::Value,
    /// Who it says the resident is.
    #[serde(skip)]
    pub(super) resident: Vec<ReadableField>,
}

/// What an organisation was told of the end of a consent.
#[derive(Debug, Serialize)]
pub struct Told {
    /// Who.
    pub organisatie: Organisation,
    /// When it did what the purpose asks; nothing while it did not say so.
    pub bevestigd_op: Option<Timestamp>,
    /// What it did.
    pub uitkomst: Option<&'static str>,
    /// On what it keeps something.
    pub bewaard_op_grond_van: Option<Kept>,
}

/// These consents, as this node knows them; of those in `own` what was recorded too: they are certainly of this person.
pub(super) async fn gather(
    node: &Node,
    keys: BTreeSet<ConsentKey>,
    own: &[ConsentKey],
) -> anyhow::Result<Vec<GivenConsent>> {
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(row) = node.core.store.consent(key).await? {
            let recorded = if own.contains(&key) { recorded(node, &row).await? } else { None };
            all.push(GivenConsent { vastlegging: recorded, ..given(node, &row).await? });
        }
    }
    Ok(all)
}

async fn given(node: &Node, row: &ConsentRow) -> anyhow::Result<GivenConsent> {
    let organisation = |oin| super::organisation(node, oin);
    let terms = row.extract.as_deref().and_then(Extract::peek);
    let notices = node.core.store.consent_notices(row.key).await?;
    Ok(GivenConsent {
        id: row.key.id,
        houder: organisation(row.key.holder),
        stand: standing::standing(row, node.core.now()).as_str(),
        verleend_op: terms.as_ref().map(|terms| terms.given),
        geldig_tot: row.valid_until,
        ingetrokken_op: standing::withdrawn_on(row),
        verleend_aan: terms
            .iter()
            .flat_map(|terms| &terms.granted_to)
            .map(|oin| organisation(*oin))
            .collect(),
        doelen: terms.iter().flat_map(|terms| terms.purposes.clone()).collect(),
        gegevens: terms.iter().flat_map(|terms| &terms.data.categories).map(ToString::to_string).collect(),
        leefgebieden: terms
            .iter()
            .flat_map(|terms| &terms.data.life_domains)
            .map(ToString::to_string)
            .collect(),
        vastlegging: None,
        bewaard_op_grond_van: row.kept.clone(),
        organisaties: notices
            .iter()
            .map(|notice| Told {
                organisatie: organisation(notice.party),
                bevestigd_op: notice.confirmed,
                uitkomst: notice.done.map(exchange::consent::WhatWasDone::as_str),
                bewaard_op_grond_van: notice.kept.clone(),
            })
            .collect(),
        in_words: terms.as_ref().map(|terms| in_words(node, terms)).unwrap_or_default(),
        asked_here: row.key.holder == node.core.me,
    })
}

fn in_words(node: &Node, terms: &Terms) -> InWords {
    InWords {
        purposes: terms.purposes.iter().map(|purpose| purpose_in_words(node, purpose)).collect(),
        data: terms.data.categories.iter().map(|one| wording::category(*one)).collect(),
        domains: terms.data.life_domains.iter().map(|one| wording::life_domain(*one)).collect(),
    }
}

/// What a purpose is called, by the newest version that an agreement or the register has; its code when neither knows it.
fn purpose_in_words(node: &Node, name: &str) -> String {
    let rules = node.core.rules();
    let agreed = rules.purposes().map(AsRef::as_ref).filter(|purpose| purpose.content().doel == name);
    if let Some(newest) = agreed.max_by_key(|purpose| purpose.content().versie) {
        return newest.content().naam.clone();
    }
    let register = node.purposes().unwrap_or_default();
    let known = register.iter().find(|purpose| purpose.content().doel == name);
    known.map_or_else(|| name.to_owned(), |purpose| purpose.content().naam.clone())
}

/// What this organisation recorded; nothing when it was erased.
async fn recorded(node: &Node, row: &ConsentRow) -> anyhow::Result<Option<Recorded>> {
    let stored = node.core.store.consent_records(row.key).await?;
    let Some(days) = stored.iter().map(|one| one.keep_days).max() else { return Ok(None) };
    let mut versions = Vec::with_capacity(stored.len());
    for one in &stored {
        let record = ConsentRecord::from_stored(&one.text).ok().context(DAMAGED)?;
        let fields = schemas::readable(record.document());
        let resident = fields.into_iter().find(|field| field.name == "betrokkene").map(|field| field.holds);
        let resident = match resident {
            Some(Reading::Fields(fields)) => fields,
            _ => Vec::new(),
        };
        versions.push(Version { regel: one.index, toestemming: record.document().value().clone(), resident });
    }
    let ended = standing::ended_on(row, node.core.now());
    let until = ended.and_then(|at| at.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
    Ok(Some(Recorded { bewaartermijn_dagen: days, bewaard_tot: until, versies: versions }))
}
