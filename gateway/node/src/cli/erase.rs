//! `schakel wissen`.

use clap::{Args, Subcommand, ValueEnum};
use exchange::entry::ErasureCause;
use store::{Access, Reason};
use uuid::Uuid;

use super::{Ending, Output, caller::Decider};
use crate::{
    drop_folders::Results,
    keys,
    node::Node,
    retention::{self, Applied},
};

mod person;

/// Wis berichten, zodat niemand ze meer kan lezen: ook niet uit een reservekopie van de database. Het logboek blijft
/// heel en laat zien dat en waarom er is gewist.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel wissen dossier 019368b2-0000-7000-8000-000000000000           laat zien wat er gewist zou worden\n  schakel wissen dossier 019368b2-0000-7000-8000-000000000000 --zeker   wist het\n  schakel wissen persoon --kenmerk AVG-2026-018                         laat zien wat er over een persoon gewist zou worden\n  schakel wissen verlopen                                               wist wat de bewaartermijn voorbij is\n\nDit kan terwijl het knooppunt draait. Wissen is niet terug te draaien."
)]
pub(super) struct Erase {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Wis alle berichten van één dossier.
    #[command(
        after_help = "Voorbeelden:\n  schakel wissen dossier 019368b2-0000-7000-8000-000000000000\n  schakel wissen dossier 019368b2-0000-7000-8000-000000000000 --reden intrekking --zeker\n\nHet dossier van een bericht staat in `schakel berichten --json`. Redenen: verzoek, intrekking."
    )]
    Dossier {
        /// Het dossier.
        #[arg(value_name = "DOSSIER")]
        dossier: Uuid,
        /// Waarom er wordt gewist, voor het logboek; zonder deze optie verzoek.
        #[arg(long, value_enum, default_value = "verzoek")]
        reden: Reden,
        /// Wis echt. Zonder deze optie staat er alleen wat er gewist zou worden.
        #[arg(long)]
        zeker: bool,
        #[command(flatten)]
        decider: Decider,
    },
    Persoon(person::ErasePerson),
    /// Wis nu wat de bewaartermijn van zijn doel voorbij is, ook van het bewijs van toestemmingen. Een draaiend knooppunt doet dit zelf elk uur.
    #[command(after_help = "Voorbeeld:\n  schakel wissen verlopen --json")]
    Verlopen,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reden {
    Verzoek,
    Intrekking,
}

impl Erase {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Dossier { dossier, reden, zeker: true, decider } => {
                let (cause, reason) = match reden {
                    Reden::Verzoek => (ErasureCause::Request, Reason::Wisverzoek),
                    Reden::Intrekking => (ErasureCause::Withdrawal, Reason::Dossier),
                };
                let access = decider.decision(reason, Some(dossier), node.core.now())?;
                case(node, (dossier, cause), access, output).await
            }
            What::Dossier { dossier, .. } => preview(node, dossier, output).await,
            What::Persoon(person) => person.run(node, output).await,
            What::Verlopen => expired(node, output).await,
        }
    }
}

async fn preview(node: &Node, case: Uuid, output: Output) -> anyhow::Result<Ending> {
    let count = node.core.store.count_case(case).await?;
    if count == 0 {
        output.say(format!("In dossier {case} staat niets dat gewist kan worden."));
    } else {
        output.say(format!(
            "In dossier {case} {} gewist worden. Er is nog niets gewist. Weet u het zeker? Geef de opdracht opnieuw, met --zeker.",
            messages(count, "zou", "zouden")
        ));
    }
    output.answer(&serde_json::json!({ "dossier": case, "te_wissen": count, "uitgevoerd": false }));
    Ok(Ending::Good)
}

async fn case(
    node: &Node,
    (case, why): (Uuid, ErasureCause),
    access: Access,
    output: Output,
) -> anyhow::Result<Ending> {
    let erased = node.core.store.erase_case_decided(access, case, why).await?;
    if erased.messages == 0 {
        output.say(format!("In dossier {case} staat niets dat gewist kan worden."));
    } else {
        let places: Vec<String> = erased.evidence.iter().map(u64::to_string).collect();
        output.say(format!(
            "In dossier {case} {} gewist. Het bewijs staat in het logboek bij {} {}.",
            messages(erased.messages, "is", "zijn"),
            if places.len() == 1 { "regel" } else { "regels" },
            places.join(", ")
        ));
        output.say("Wat partners ervan ontvingen staat nog bij hen. Vraag hen om het ook te wissen.");
        remind(node, output);
    }
    output.answer(&serde_json::json!({
        "dossier": case,
        "gewist": erased.messages,
        "regels": erased.evidence,
        "uitgevoerd": true,
    }));
    Ok(Ending::Good)
}

async fn expired(node: &Node, output: Output) -> anyhow::Result<Ending> {
    let erased @ Applied { messages: count, consent_records } = retention::apply(&node.core).await?;
    let files = Results::of(&node.folder, &node.config).clear(node.core.now()).await;
    if erased == Applied::default() && files == 0 {
        output.say("Er is niets dat de bewaartermijn voorbij is.");
    } else {
        if count > 0 {
            let them = messages(count, "is", "zijn");
            output.say(format!("Er {them} gewist waarvan de bewaartermijn voorbij was."));
        }
        if consent_records > 0 {
            output.say(format!(
                "Van geëindigde toestemmingen {} gewist: de termijn van het bewijs was voorbij.",
                person::records(consent_records)
            ));
        }
        if files > 0 {
            output.say(format!("Uit `klaar` en `fout` van uw koppelingen: {files} bestanden weggehaald."));
        }
        if erased != Applied::default() {
            remind(node, output);
        }
    }
    output.answer(
        &serde_json::json!({ "gewist": count, "vastleggingen": consent_records, "bestanden": files }),
    );
    Ok(Ending::Good)
}

/// An old copy of the key file undoes it.
fn remind(node: &Node, output: Output) {
    let file = node.folder.join(&node.config.opslag.sleutels).join(keys::ENTRIES);
    output.say(format!(
        "Vervang nu de reservekopie van {} door het bestand zoals het nu is: met een oudere kopie zijn de gewiste berichten nog te lezen.",
        file.display()
    ));
}

fn messages(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("{one} 1 bericht") } else { format!("{many} {count} berichten") }
}
