//! The consents of a resident: what was agreed to, how it is with it, and who was told when it ended.

use std::collections::BTreeSet;

use exchange::consent::{ConsentKey, Extract};
use jiff::Timestamp;
use serde::Serialize;
use store::ConsentRow;

use super::Organisation;
use crate::{consent::standing, node::Node};

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
    /// Who was told that it ended, and what they did.
    pub organisaties: Vec<Told>,
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
}

/// These consents, as this node knows them.
pub(super) async fn gather(node: &Node, keys: BTreeSet<ConsentKey>) -> anyhow::Result<Vec<GivenConsent>> {
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(row) = node.core.store.consent(key).await? {
            all.push(given(node, &row).await?);
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
        organisaties: notices
            .iter()
            .map(|notice| Told {
                organisatie: organisation(notice.party),
                bevestigd_op: notice.confirmed,
                uitkomst: notice.done.map(exchange::consent::WhatWasDone::as_str),
            })
            .collect(),
    })
}
