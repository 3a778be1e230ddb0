//! Saying something about an offer.

use schemas::SchemaName;
use serde_json::json;
use store::Reason;

use super::{
    super::{Ending, Output},
    Said,
};
use crate::{
    handover::saying::{self, SayError, Saying},
    node::Node,
};

pub(super) async fn say(node: &Node, said: Said, output: Output) -> anyhow::Result<Ending> {
    let Said { case, schema, content, decider } = said;
    let access = decider.decision(Reason::Dossier, Some(case), node.core.now())?;
    let saying = Saying { case, offer: None, schema, content, source_record: None };
    match saying::say(&node.core, saying, &access).await {
        Ok(said) => {
            output.say(format!("{} Het bericht is op weg naar {}.", told(schema), node.name_of(said.to)));
            output.answer(&json!({ "bericht": said.message, "dossier": case }));
            Ok(Ending::Good)
        }
        Err(SayError::HeldBack(refusal)) => {
            output.say(format!("Dit kan nu niet ({}). {refusal}", refusal.reason.code()));
            output.answer(&json!({ "bericht": null, "reden": refusal.reason.code(), "over": refusal.about }));
            Ok(Ending::NotAllGood)
        }
        Err(error) => Err(error.into()),
    }
}

const fn told(schema: SchemaName) -> &'static str {
    match schema {
        SchemaName::HandoverAccepted => "Uw organisatie heeft nu de regie over dit dossier.",
        SchemaName::HandoverDeclined => "Het aanbod is afgewezen; de ander houdt de regie.",
        SchemaName::HandoverSupplementRequested => "De vragen zijn gesteld; de ander houdt de regie.",
        SchemaName::HandoverSupplemented => "De vragen zijn beantwoord; u houdt de regie.",
        SchemaName::HandoverWithdrawn => {
            "Het aanbod wordt teruggenomen. Het is weg zodra de ander zegt dat die het nog niet had geaccepteerd."
        }
        SchemaName::HandoverFirstContact => "Het contact is vastgelegd.",
        _ => "De overdracht is afgerond.",
    }
}
