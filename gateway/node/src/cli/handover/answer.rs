//! Saying something about an offer.

use anyhow::{Context as _, bail};
use exchange::handover::Offer;
use schemas::{Document, SchemaName};
use serde_json::json;
use store::Reason;

use super::{
    super::{Ending, Output},
    Said,
};
use crate::{
    handover::{self, answering},
    node::Node,
    outbound::{self, Submission, Submitted},
};

const UNKNOWN: &str =
    "dit dossier is niet overgedragen. `schakel overdracht lijst` laat zien welke dossiers dat zijn";

pub(super) async fn say(node: &Node, said: Said, output: Output) -> anyhow::Result<Ending> {
    let Said { case, schema, mut content, decider } = said;
    let (known, steps) = handover::case(&node.core, case).await?.context(UNKNOWN)?;
    let mine = |offer: &&Offer| {
        let own = if schema == SchemaName::HandoverWithdrawn { offer.from } else { offer.to };
        own == node.core.me
    };
    let Some(offer) = known.offers().iter().rev().find(mine) else {
        bail!(
            "er is in dit dossier geen aanbod waarover u dit kunt zeggen. `schakel overdracht tonen {case}` laat zien wat er is"
        );
    };
    let to = if offer.from == node.core.me { offer.to } else { offer.from };
    content["aanbod_id"] = json!(offer.id);
    let index = steps.iter().find(|step| step.step.message == offer.id).map(|step| step.index);
    let row = node.core.store.logged(index.context(UNKNOWN)?).await?.context(UNKNOWN)?;
    let Some(document) = answering::document(&node.core, &row, (schema, &content)).await? else {
        // Checked once more on a basis that is always valid, so that what is wrong can be named.
        let value = json!({ "grondslag": { "soort": "publieke-taak" }, "inhoud": content });
        Document::parse(schema, value.to_string().as_bytes()).map_err(|error| anyhow::anyhow!("{error}"))?;
        bail!("het doel laat dit bericht niet toe. Bekijk met `schakel doel tonen` wat er is afgesproken");
    };
    let access = decider.decision(Reason::Dossier, Some(case), node.core.now())?;
    let purpose = row.purpose.unwrap_or_default();
    let submission = Submission { to, purpose, case: Some(case), desk: None, document, source_record: None };
    match outbound::submit_decided(&node.core, vec![submission], &access).await?.pop() {
        Some(Submitted::Queued(id) | Submitted::QueuedWithout { id, .. }) => {
            output.say(format!("{} Het bericht is op weg naar {}.", told(schema), node.name_of(to)));
            output.answer(&json!({ "bericht": id, "dossier": case }));
            Ok(Ending::Good)
        }
        Some(Submitted::HeldBack(refusal)) => {
            output.say(format!("Dit kan nu niet ({}). {refusal}", refusal.reason.code()));
            output.answer(&json!({ "bericht": null, "reden": refusal.reason.code(), "over": refusal.about }));
            Ok(Ending::NotAllGood)
        }
        Some(Submitted::AlreadyOffered) | None => {
            bail!("het bericht is niet aangenomen. Probeer het opnieuw")
        }
    }
}

const fn told(schema: SchemaName) -> &'static str {
    match schema {
        SchemaName::HandoverAccepted => "Uw organisatie heeft nu de regie over dit dossier.",
        SchemaName::HandoverDeclined => "Het aanbod is afgewezen; de ander houdt de regie.",
        SchemaName::HandoverWithdrawn => {
            "Het aanbod wordt teruggenomen. Het is weg zodra de ander zegt dat die het nog niet had geaccepteerd."
        }
        SchemaName::HandoverFirstContact => "Het contact is vastgelegd.",
        _ => "De overdracht is afgerond.",
    }
}
