//! What happened in the demonstration, and whether it adds up.

use std::collections::BTreeMap;

use exchange::oin::Oin;
use serde::Serialize;
use store::{Direction, State};

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
    /// Signals of this and earlier runs that the municipality filed.
    pub toegelaten: u64,
    /// Rows that the rules held back before they left, per reason.
    pub geweigerd: BTreeMap<String, u64>,
    /// Rows that cannot be read as what they should be.
    pub afgekeurd: u64,
    /// Feedback messages that went back, of this and earlier runs.
    pub terugkoppelingen: u64,
    /// Receipts, of all messages, that verify against the receiver's log.
    pub ontvangstbewijzen_geldig: u64,
    /// Receipts that there should be.
    pub ontvangstbewijzen_verwacht: u64,
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

impl Outcome {
    /// Counts what the nodes have, not what was meant.
    pub(super) async fn gather(
        nodes: &[Node],
        corporation: &Node,
        report: Report,
        feedback: u64,
    ) -> anyhow::Result<Self> {
        let sent = count(corporation, Direction::Outbound).await?;
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
        let returned = count(corporation, Direction::Inbound).await?;
        let klopt = report.adds_up()
            && sent.admitted == report.sent + report.sent_before
            && sent.others == 0
            && returned.admitted == feedback
            && feedback == sent.admitted
            && valid == expected
            && expected == sent.admitted + feedback;
        Ok(Self {
            gelezen: report.read,
            verzonden: report.sent,
            eerder_verzonden: report.sent_before,
            toegelaten: sent.admitted,
            geweigerd: report
                .held_back
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect(),
            afgekeurd: report.unreadable,
            terugkoppelingen: feedback,
            ontvangstbewijzen_geldig: valid,
            ontvangstbewijzen_verwacht: expected,
            klopt,
            organisaties: organisations,
            report,
        })
    }
}

struct Counted {
    admitted: u64,
    others: u64,
}

async fn count(node: &Node, direction: Direction) -> anyhow::Result<Counted> {
    let counts = node.core.store.counts().await?;
    let total = |admitted: bool| {
        let same = counts
            .iter()
            .filter(|one| one.direction == direction && (one.state == State::Admitted) == admitted);
        same.map(|one| one.count).sum()
    };
    Ok(Counted { admitted: total(true), others: total(false) })
}
