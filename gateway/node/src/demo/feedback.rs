//! The municipality answers every signal: that it was picked up, and no more than that.

use exchange::{oin::Oin, refusal::Refusal};
use schemas::{Document, SchemaName};
use store::{Deed, Direction, Filter, MessageRow, Reason, State};

use super::access;
use crate::{
    node::Node,
    outbound::{self, MAX_SUBMISSIONS, Submission, Submitted},
};

/// Sends feedback on every signal from `to` that did not get it yet.
pub(super) async fn give(node: &Node, to: Oin) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let filter = Filter {
            direction: Some(Direction::Inbound),
            state: Some(State::Admitted),
            after,
            limit: MAX_SUBMISSIONS,
            ..Filter::default()
        };
        let rows = node.core.store.messages(filter).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.index);
        let signals = rows.iter().filter(|row| row.partner == to);
        let submissions = signals.map(|row| submission(node, row)).collect::<anyhow::Result<Vec<_>>>()?;
        let access = access(node, Deed::Besluit, Reason::Dossier)?;
        for outcome in outbound::submit_decided(&node.core, submissions, &access).await? {
            if let Submitted::HeldBack(refusal) = outcome {
                return Err(held_back(&refusal));
            }
        }
    }
}

fn held_back(refusal: &Refusal) -> anyhow::Error {
    anyhow::anyhow!("de terugkoppeling werd tegengehouden: {refusal}")
}

fn submission(node: &Node, row: &MessageRow) -> anyhow::Result<Submission> {
    let id = row.id.unwrap_or_default();
    let today = node.core.now().to_zoned(exchange::calendar::dutch_time()).date();
    let data = serde_json::json!({
        "grondslag": { "soort": "publieke-taak", "artikelen": ["Wgs art. 3 lid 1 onder b", "AVG art. 6 lid 1 onder e"] },
        "inhoud": { "bericht_id": id, "opgepakt_op": today },
    });
    let document = Document::parse(SchemaName::Feedback, data.to_string().as_bytes())
        .map_err(|error| anyhow::anyhow!("de terugkoppeling is niet geldig: {error}"))?;
    Ok(Submission {
        to: row.partner,
        purpose: row.purpose.clone().unwrap_or_default(),
        case: row.case,
        desk: None,
        document,
        source_record: Some(format!("terugkoppeling\n{id}").into_bytes()),
    })
}
