//! `schakel logboek`.

use std::{path::PathBuf, str::FromStr};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use store::{Deed, Reason};
use uuid::Uuid;

use super::{Ending, Output, caller::Caller, shown};
use crate::{
    keys::{self, KeyError},
    logbook::{self, Verdict},
    node::Node,
    setup,
};

/// Het logboek: bewijs van wat er is gestuurd en ontvangen.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel logboek verify                           controleert het hele logboek\n  schakel logboek bewijs 1041 --naar bewijs.json   schrijft het bewijs van één bericht"
)]
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
        after_help = "Voorbeeld:\n  schakel logboek bewijs 1041\n  schakel logboek bewijs 019368b2-0000-7000-8000-000000000000 --naar bewijs.json\n\nHet bestand bevat de gegevens uit het bericht. Geef het alleen aan wie die mag zien."
    )]
    Bewijs {
        /// Het nummer van het bericht uit `schakel berichten`, of zijn id zoals `schakel berichten --json` het geeft.
        #[arg(value_name = "NUMMER|ID")]
        bericht: Which,
        /// Het bestand; zonder deze optie ID.bewijs.json.
        #[arg(long, value_name = "BESTAND")]
        naar: Option<PathBuf>,
        #[command(flatten)]
        caller: Caller,
    },
}

/// How a message is named.
#[derive(Debug, Clone, Copy)]
enum Which {
    Number(u64),
    Id(Uuid),
}

impl FromStr for Which {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().map(Self::Number);
        number
            .or_else(|_| text.parse().map(Self::Id))
            .map_err(|_| "geef het nummer of het id van een bericht")
    }
}

impl Logbook {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Verify => verify(node, output).await,
            What::Bewijs { bericht, naar, caller } => evidence(node, bericht, naar, caller, output).await,
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
            output.say(format!(
                "Het logboek is heel: {}, elk onder het ondertekende controlepunt.",
                super::lines(size)
            ));
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

async fn evidence(
    node: &Node,
    which: Which,
    path: Option<PathBuf>,
    caller: Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let id = match which {
        Which::Id(id) => id,
        Which::Number(number) => identifier(node, number).await?,
    };
    let evidence = {
        let access = caller.access(Deed::Uitvoer, Reason::Bewijs, None, node.core.now())?;
        logbook::evidence(&node.core, id, access).await?
    };
    let path = path.unwrap_or_else(|| format!("{id}.bewijs.json").into());
    match keys::write_private(&path, &serde_json::to_string_pretty(&evidence)?) {
        Err(KeyError::File { source, .. }) => {
            return Err(source)
                .with_context(|| format!("het bewijs is niet te schrijven in {}", path.display()));
        }
        written => written?,
    }
    output.say(format!(
        "Het bewijs staat in {}. Het bevat de gegevens uit het bericht: bewaar het zorgvuldig.",
        path.display()
    ));
    output.answer(&serde_json::json!({ "bewijs": shown(&path), "logsleutel": evidence.logsleutel }));
    Ok(Ending::Good)
}

/// The identifier of the message with this number.
async fn identifier(node: &Node, number: u64) -> anyhow::Result<Uuid> {
    let row = super::messages::numbered(node, number).await?;
    row.and_then(|row| row.id).with_context(|| {
        format!("er is geen bericht {number} met een id; `schakel berichten` toont de nummers")
    })
}
