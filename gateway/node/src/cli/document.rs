//! `schakel document`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use exchange::{oin::Oin, refusal::Refusal};
use schemas::{Document, SchemaName};
use serde_json::json;
use store::Reason;
use uuid::Uuid;

use super::{Ending, Output, caller::Decider};
use crate::{
    node::Node,
    outbound::{self, Submission, Submitted},
};

/// Stuur één document: JSON met `grondslag`, `betrokkene` en `inhoud` volgens het schema van het berichttype.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel document overdracht.json --soort overdracht-aangeboden --doel hulp-met-toestemming --aan 00000099000000003000\n  schakel document vraag.json --soort consultatie-gevraagd --doel consultatie --aan 00000099000000004000 --loket wijkteam-noord\n\nDe soorten zijn de namen van de schema's in schemas/v1. Steunt het document op toestemming, noem dan alleen haar nummer in `grondslag.toestemming.id`; het knooppunt voegt het bewijs toe.\nExitcode 1: het document mag niet weg, met de reden."
)]
pub(super) struct SendDocument {
    /// Het bestand; - leest van de standaardinvoer.
    bestand: PathBuf,
    /// Het soort document.
    #[arg(long = "soort", value_name = "DOCUMENTSOORT")]
    soort: SchemaName,
    /// Het doel.
    #[arg(long)]
    doel: String,
    /// Het OIN van de ontvanger.
    #[arg(long, value_name = "OIN")]
    aan: Oin,
    /// Het dossier waar het bij hoort; zonder deze optie een nieuw.
    #[arg(long, value_name = "DOSSIER")]
    dossier: Option<Uuid>,
    /// Het loket van de ontvanger.
    #[arg(long)]
    loket: Option<String>,
    #[command(flatten)]
    decider: Decider,
}

impl SendDocument {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let text = super::consent::read(&self.bestand)?;
        let document = Document::parse(self.soort, &text)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| self.bestand.display().to_string())?;
        let case = self.dossier.unwrap_or_else(|| node.core.new_id());
        let access = self.decider.decision(Reason::Dossier, Some(case), node.core.now())?;
        let submission = Submission {
            to: self.aan,
            purpose: self.doel,
            case: Some(case),
            desk: self.loket,
            document,
            source_record: None,
        };
        let submitted = outbound::submit_decided(&node.core, vec![submission], &access).await?.pop();
        tell(node, submitted, (self.aan, case), output)
    }
}

/// Tells what became of one document.
pub(super) fn tell(
    node: &Node,
    submitted: Option<Submitted>,
    (to, case): (Oin, Uuid),
    output: Output,
) -> anyhow::Result<Ending> {
    match submitted {
        Some(Submitted::QueuedWithout { id, left_out }) => {
            output.say(format!("Het document is op weg naar {}, als bericht {id} in dossier {case}. Wat het doel niet toelaat is weggelaten: {}.", node.name_of(to), left_out.join(", ")));
            output.answer(&json!({ "bericht": id, "dossier": case, "weggelaten": left_out }));
            Ok(Ending::Good)
        }
        Some(Submitted::Queued(id)) => {
            output.say(format!(
                "Het document is op weg naar {}, als bericht {id} in dossier {case}.",
                node.name_of(to)
            ));
            output.answer(&json!({ "bericht": id, "dossier": case, "weggelaten": [] }));
            Ok(Ending::Good)
        }
        Some(Submitted::HeldBack(refusal)) => Ok(held_back(&refusal, output)),
        Some(Submitted::AlreadyOffered) | None => {
            bail!("het document is niet aangenomen. Probeer het opnieuw")
        }
    }
}

fn held_back(refusal: &Refusal, output: Output) -> Ending {
    output.say(format!("Het document mag niet weg ({}). {refusal}", refusal.reason.code()));
    output.answer(&json!({ "bericht": null, "reden": refusal.reason.code(), "over": refusal.about }));
    Ending::NotAllGood
}
