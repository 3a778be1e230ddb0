//! Who calls a command that shows something about people, and why.

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use store::{Access, Decision, Deed, Reason, Why};
use uuid::Uuid;

use crate::{access, node::Node};

/// What the access log keeps of whoever calls.
#[derive(Debug, Clone, Args)]
pub(super) struct Caller {
    /// Uw naam of personeelsnummer, als meer mensen met dit account werken.
    #[arg(long, value_name = "NAAM")]
    medewerker: Option<String>,
    /// Waarom: dossier, inzageverzoek, correctieverzoek, wisverzoek, bezwaar, controle, incident, bewijs of beheer.
    #[arg(long)]
    reden: Option<Reason>,
    /// Waaronder uw organisatie dit kent, zoals een zaaknummer. Geen naam en geen BSN.
    #[arg(long)]
    kenmerk: Option<String>,
}

/// What the access log keeps of whoever decides something with a reason of its own.
#[derive(Debug, Args)]
pub(super) struct Decider {
    /// Uw naam of personeelsnummer, als meer mensen met dit account werken.
    #[arg(long, value_name = "NAAM")]
    medewerker: Option<String>,
    /// Waaronder uw organisatie dit kent, zoals een zaaknummer. Geen naam en geen BSN.
    #[arg(long)]
    kenmerk: Option<String>,
}

impl Decider {
    /// The decision.
    pub(super) fn decision(
        self,
        reason: Reason,
        case: Option<Uuid>,
        when: Timestamp,
    ) -> anyhow::Result<Access> {
        let Self { medewerker, kenmerk } = self;
        Caller { medewerker, reden: None, kenmerk }.access(Deed::Besluit, reason, case, when)
    }

    /// Keeps a decision about the running of the node, before it takes effect.
    pub(super) async fn record(self, node: &Node, decision: Decision) -> anyhow::Result<()> {
        let access = self.decision(Reason::Beheer, None, node.core.now())?;
        node.core.store.record_decision(access, decision, &[]).await?;
        Ok(())
    }
}

impl Caller {
    /// The access, for `usual` unless another reason was given.
    pub(super) fn access(
        &self,
        what: Deed,
        usual: Reason,
        case: Option<Uuid>,
        when: Timestamp,
    ) -> anyhow::Result<Access> {
        for (option, given) in [("--kenmerk", &self.kenmerk), ("--medewerker", &self.medewerker)] {
            if given.as_deref().is_some_and(access::holds_number) {
                bail!(
                    "zet geen BSN bij {option}: het staat dan in lijsten van processen, en blijft in het logboek. Gebruik een zaaknummer of personeelsnummer"
                );
            }
        }
        let who = access::operator(self.medewerker.as_deref()).context(NAME)?;
        let why = Why::new(self.reden.unwrap_or(usual), self.kenmerk.as_deref(), case).context(REFERENCE)?;
        Ok(Access { who, what, why, when })
    }

    /// The access to a person, who is only looked for with a reason that can be looked up.
    pub(super) fn access_to_person(&self, what: Deed, when: Timestamp) -> anyhow::Result<Access> {
        let reason = self.reden.context(
            "geef met --reden waarom u deze persoon zoekt: dossier, inzageverzoek, correctieverzoek, wisverzoek, bezwaar, controle, incident, bewijs of beheer",
        )?;
        self.reference()?;
        self.access(what, reason, None, when)
    }

    /// The same caller, for what the organisation knows as `reference` when nothing else was given.
    pub(super) fn or_for(&self, reference: Option<&str>) -> anyhow::Result<Self> {
        let given = self.reference().ok().or(reference.map(str::trim).filter(|one| !one.is_empty()));
        let kenmerk = given.map(str::to_owned);
        let caller = Self { kenmerk, ..self.clone() };
        caller.reference()?;
        Ok(caller)
    }

    /// By which the organisation knows why.
    pub(super) fn reference(&self) -> anyhow::Result<&str> {
        let given = self.kenmerk.as_deref().map(str::trim).filter(|given| !given.is_empty());
        given.context("geef met --kenmerk waaronder uw organisatie dit kent, zoals het zaaknummer")
    }
}

const NAME: &str = "geef bij --medewerker een naam van hooguit 100 tekens op één regel";
const REFERENCE: &str = "geef bij --kenmerk een kenmerk van hooguit 100 tekens op één regel";

#[cfg(test)]
mod tests;
