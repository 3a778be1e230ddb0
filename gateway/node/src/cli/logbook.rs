//! `schakel logboek`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{Ending, Output, shown};
use crate::{
    keys,
    logbook::{self, Verdict},
    node::Node,
    setup,
};

/// Het logboek: bewijs van wat er is gestuurd en ontvangen.
#[derive(Debug, Args)]
pub(super) struct Logbook {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Controleer het hele logboek tegen het ondertekende controlepunt en de opgeslagen berichten.
    #[command(
        alias = "controleer",
        after_help = "Voorbeeld:\n  schakel logboek verify --json\n\nExitcode 1: het logboek klopt niet; er staat bij wat de eerste afwijking is."
    )]
    Verify,
    /// Schrijf het bewijs van één bericht: het ondertekende bericht, het ontvangstbewijs, het convenant en de sleutels.
    #[command(
        after_help = "Voorbeeld:\n  schakel logboek bewijs 019368b2-0000-7000-8000-000000000000 --naar bewijs.json\n\nHet bestand bevat de gegevens uit het bericht. Geef het alleen aan wie die mag zien."
    )]
    Bewijs {
        /// Het id van het bericht, zoals `schakel berichten --json` het geeft.
        id: Uuid,
        /// Het bestand; zonder deze optie ID.bewijs.json.
        #[arg(long, value_name = "BESTAND")]
        naar: Option<PathBuf>,
    },
}

impl Logbook {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Verify => verify(node, output).await,
            What::Bewijs { id, naar } => evidence(node, id, naar, output).await,
        }
    }
}

async fn verify(node: &Node, output: Output) -> anyhow::Result<Ending> {
    // The checkpoint is signed now: it says something only by the key that partners know the log by.
    setup::check_log_key(node)?;
    let bar = output.progress(Some(0), "logboek");
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let verdict = logbook::verify(&node.core.store, &node.log_verifier()?, progress).await?;
    bar.finish_and_clear();
    match verdict {
        Verdict::Whole { size, checkpoint } => {
            output
                .say(format!("Het logboek is heel: {size} regels, elk onder het ondertekende controlepunt."));
            output.say(checkpoint.trim_end());
            output.answer(&serde_json::json!({ "heel": true, "grootte": size, "checkpoint": checkpoint }));
            Ok(Ending::Good)
        }
        Verdict::Broken { index, what } => {
            let at = index.map_or_else(String::new, |index| format!(" bij regel {index}"));
            output.say(format!("Het logboek klopt niet{at}: {what}."));
            output.say("Bewaar een kopie van de database en waarschuw de privacy officer en de partners: hun controlepunten laten zien wat er eerst stond.");
            output.answer(&serde_json::json!({ "heel": false, "regel": index, "afwijking": what }));
            Ok(Ending::NotAllGood)
        }
    }
}

async fn evidence(node: &Node, id: Uuid, path: Option<PathBuf>, output: Output) -> anyhow::Result<Ending> {
    let evidence = logbook::evidence(&node.core, id).await?;
    let path = path.unwrap_or_else(|| format!("{id}.bewijs.json").into());
    keys::write_private(&path, &serde_json::to_string_pretty(&evidence)?)
        .with_context(|| format!("{} bestaat al of is niet te schrijven", path.display()))?;
    output.say(format!(
        "Het bewijs staat in {}. Het bevat de gegevens uit het bericht: bewaar het zorgvuldig.",
        path.display()
    ));
    output.answer(&serde_json::json!({ "bewijs": shown(&path), "logsleutel": evidence.logsleutel }));
    Ok(Ending::Good)
}
