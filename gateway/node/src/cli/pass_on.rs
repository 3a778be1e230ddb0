//! `schakel doorgeven`.

use clap::Args;
use serde_json::json;
use store::Reason;

use super::{Ending, Output, caller::Decider};
use crate::{node::Node, passing_on};

/// Geef een binnengekomen bericht door aan een ander loket van uw organisatie. Het blijft in hetzelfde dossier.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeeld:\n  schakel doorgeven 1041 --naar wmo\n\nHet knooppunt kijkt opnieuw of het bericht nog gebruikt mag worden en of dat loket het aanneemt. Wie het doorgaf staat in de raadplegingen.\nNaar een andere organisatie: bied het dossier aan met `schakel document --soort overdracht-aangeboden --dossier DOSSIER`, of stuur zo een ander bericht; het knooppunt toetst dan opnieuw of dat mag."
)]
pub(super) struct PassOn {
    /// Het nummer van het bericht.
    nummer: u64,
    /// Het loket dat het krijgt.
    #[arg(long, value_name = "LOKET")]
    naar: String,
    #[command(flatten)]
    decider: Decider,
}

impl PassOn {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let access = self.decider.decision(Reason::Dossier, None, node.core.now())?;
        let row = passing_on::to_desk(&node.core, access, self.nummer, &self.naar).await?;
        output.say(format!("Bericht {} is nu bij het loket {}.", self.nummer, self.naar));
        output.answer(&json!({
            "nummer": self.nummer, "dossier": row.case, "loket": self.naar, "kwam_van_loket": row.desk,
        }));
        Ok(Ending::Good)
    }
}
