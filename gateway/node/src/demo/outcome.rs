//! What happened in the demonstration, and whether it adds up.

use std::{collections::BTreeMap, path::PathBuf};

use exchange::oin::Oin;
use serde::Serialize;
use store::{Count, Direction, State};

use super::{ConsentOutcome, HandoverOutcome, MUNICIPALITY, SOCIAL_SERVICE, UWV};
use crate::{intake::Report, logbook, node::Node};

/// The outcome, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Rows of the export that hold data.
    pub gelezen: u64,
    /// Signals that went to the municipality now.
    pub verzonden: u64,
    /// Rows that were sent in an earlier run.
    pub eerder_verzonden: u64,
    /// Signals that the municipality filed now.
    pub toegelaten: u64,
    /// Rows that the rules held back before they left, per reason.
    pub geweigerd: BTreeMap<String, u64>,
    /// Rows that cannot be read as what they should be.
    pub afgekeurd: u64,
    /// Feedback messages that went back now.
    pub terugkoppelingen: u64,
    /// Receipts, of all messages of this and earlier runs, that verify against the receiver's log.
    pub ontvangstbewijzen_geldig: u64,
    /// Receipts that there should be.
    pub ontvangstbewijzen_verwacht: u64,
    /// What became of the handovers.
    #[serde(flatten)]
    pub handovers: HandoverOutcome,
    /// Cases at the municipality of several signals about one household.
    pub meervoudige_signalen: u64,
    /// What happened to a resident's consent.
    pub toestemming: ConsentOutcome,
    /// The evidence of the handover that rested on it, a file to check with `schakel bewijs controleer`.
    pub bewijs: PathBuf,
    /// What the municipality held about that resident then, a page.
    pub inzage: PathBuf,
    /// Whether all of this adds up.
    pub klopt: bool,
    /// The organisations.
    pub organisaties: Vec<OrganisationOutcome>,
    /// What became of each row of the export.
    #[serde(skip)]
    pub report: Report,
}

/// An organisation after the exchange.
#[derive(Debug, Serialize)]
pub struct OrganisationOutcome {
    /// Its name.
    pub naam: String,
    /// Its OIN.
    pub oin: Oin,
    /// The number of entries in its log.
    pub logboek_grootte: u64,
    /// The signed checkpoint over them.
    pub checkpoint: String,
}

/// What was played besides the export.
pub(super) struct Told {
    /// The handovers.
    pub(super) handovers: HandoverOutcome,
    /// Cases of several signals.
    pub(super) joined: u64,
    /// The consent.
    pub(super) consent: ConsentOutcome,
    /// The file with the evidence of a handover.
    pub(super) proof: PathBuf,
    /// The file with the access report.
    pub(super) access_report: PathBuf,
}

/// What the corporation's node counted at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Totals {
    sent_and_admitted: u64,
    sent_otherwise: u64,
    received: u64,
}

impl Totals {
    /// The totals of `node` now.
    pub(super) async fn of(node: &Node) -> anyhow::Result<Self> {
        let counts = node.core.store.counts().await?;
        let total = |direction, admitted| {
            let same =
                |one: &&Count| one.direction == direction && (one.state == State::Admitted) == admitted;
            counts.iter().filter(same).map(|one| one.count).sum()
        };
        Ok(Self {
            sent_and_admitted: total(Direction::Outbound, true),
            sent_otherwise: total(Direction::Outbound, false),
            received: total(Direction::Inbound, true),
        })
    }
}

impl Outcome {
    /// Counts what the nodes have, not what was meant: `before` are the corporation's totals before the exchange.
    pub(super) async fn gather(
        nodes: &[Node],
        corporation: &Node,
        (before, report): (Totals, Report),
        told: Told,
    ) -> anyhow::Result<Self> {
        let Told { handovers, joined, consent: toestemming, proof, access_report } = told;
        let after = Totals::of(corporation).await?;
        let admitted = after.sent_and_admitted - before.sent_and_admitted;
        let feedback = after.received - before.received;
        let (mut valid, mut expected) = (0, 0);
        let mut organisations = Vec::new();
        for node in nodes {
            let (proven, should) = logbook::count_receipts(&node.core).await?;
            valid += proven;
            expected += should;
            let checkpoint = node.core.store.checkpoint().await?;
            let logboek_grootte = node.log_verifier()?.open(&checkpoint)?.size;
            let (naam, oin) = (node.config.organisatie.naam.clone(), node.core.me);
            organisations.push(OrganisationOutcome { naam, oin, logboek_grootte, checkpoint });
        }
        // Every row ended somewhere, every signal that left was admitted and answered, and every receipt holds.
        let klopt = report.adds_up()
            && admitted == report.sent
            && after.sent_otherwise == before.sent_otherwise
            && after.received == after.sent_and_admitted
            && valid == expected
            && expected >= after.sent_and_admitted + after.received
            && toestemming.adds_up()
            && handovers.adds_up([MUNICIPALITY, SOCIAL_SERVICE, UWV].map(|at| nodes[at].core.me))
            && joined > 0;
        Ok(Self {
            gelezen: report.read,
            verzonden: report.sent,
            eerder_verzonden: report.sent_before,
            toegelaten: admitted,
            geweigerd: report
                .held_back
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect(),
            afgekeurd: report.unreadable,
            terugkoppelingen: feedback,
            ontvangstbewijzen_geldig: valid,
            ontvangstbewijzen_verwacht: expected,
            handovers,
            meervoudige_signalen: joined,
            toestemming,
            bewijs: proof,
            inzage: access_report,
            klopt,
            organisaties: organisations,
            report,
        })
    }
}
