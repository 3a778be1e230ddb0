//! `schakel logboek`.

use std::{path::PathBuf, str::FromStr};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use exchange::{evidence::StepOutcome, oin::Oin};
use store::{Check, Deed, Reason, Verdict};
use uuid::Uuid;

use super::{Ending, Output, caller::Caller, shown};
use crate::{
    evidence,
    keys::{self, KeyError},
    logbook,
    node::Node,
    setup,
};

/// Het logboek: bewijs van wat er is gestuurd en ontvangen.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel logboek verify                           controleert het hele logboek\n  schakel logboek bewijs 1041 --naar bewijs.json   schrijft het bewijs van één bericht\n  schakel logboek partners                         laat zien of de logboeken van partners kloppen"
)]
pub(super) struct Logbook {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Controleer het hele logboek tegen het ondertekende controlepunt en alles wat erbij is opgeslagen.
    #[command(
        alias = "controleer",
        after_help = "Voorbeelden:\n  schakel logboek verify --partners\n  schakel logboek verify --zonder-inhoud --json\n\nExitcode 1: het logboek klopt niet, en er staat bij wat de eerste afwijking is; of een partner antwoordde niet."
    )]
    Verify {
        /// Open de berichten niet. Dat gaat sneller, en laat niet zien of elk bericht nog het bericht is waar het logboek
        /// over gaat.
        #[arg(long)]
        zonder_inhoud: bool,
        /// Vraag de partners welke controlepunten van dit logboek zij bewaren, en vergelijk die ook.
        #[arg(long)]
        partners: bool,
    },
    /// Laat zien hoe de logboeken van de partners ervoor staan, en wie dit logboek heeft gezien.
    #[command(
        after_help = "Voorbeelden:\n  schakel logboek partners\n  schakel logboek partners --nu --json\n\nExitcode 1: er is een alarm, of met --nu kon een logboek niet worden gecontroleerd."
    )]
    Partners {
        /// Vraag de partners nu, en wacht niet op de volgende controle van het draaiende knooppunt.
        #[arg(long)]
        nu: bool,
    },
    /// Schrijf de alarmen met hun bewijs in een bestand, om aan een ander te laten zien.
    #[command(
        after_help = "Voorbeeld:\n  schakel logboek alarm --naar alarm.json\n\nIeder kan het bestand controleren met `schakel bewijs controleer alarm.json`. Er staan geen persoonsgegevens in."
    )]
    Alarm {
        /// Het bestand.
        #[arg(long, value_name = "BESTAND")]
        naar: PathBuf,
    },
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
    /// Whether it checks the log, and so has to do with one that may be damaged.
    pub(super) const fn checks(&self) -> bool {
        matches!(self.what, What::Verify { .. })
    }

    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Verify { zonder_inhoud, partners } => verify(node, (zonder_inhoud, partners), output).await,
            What::Partners { nu } => super::witness::partners(node, nu, output).await,
            What::Alarm { naar } => super::witness::export(node, &naar, output).await,
            What::Bewijs { bericht, naar, caller } => {
                write_evidence(node, (bericht, naar), caller, output).await
            }
        }
    }
}

async fn verify(node: &Node, (closed, ask): (bool, bool), output: Output) -> anyhow::Result<Ending> {
    // The checkpoint is signed now: it says something only by the key that partners know the log by.
    setup::check_log_key(node)?;
    let mut anchors = node.core.store.anchors(node.core.me).await?;
    let mut silent = Vec::new();
    if ask {
        let (theirs, unanswered) = logbook::partners_anchors(&node.core, &node.link).await;
        anchors.extend(theirs);
        silent = unanswered;
    }
    let bar = output.progress(Some(0), "logboek");
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let verdict = node.core.store.verify(Check { anchors, closed }, progress).await?;
    bar.finish_and_clear();
    for oin in &silent {
        output.warn(format!(
            "{} ({oin}) antwoordt niet; wat deze partner van het logboek zag is niet vergeleken.",
            node.name_of(*oin)
        ));
    }
    Ok(tell(&verdict, (closed, &silent), output))
}

/// What a check by this node alone is worth.
const NOBODY_CONFIRMED: &str = "Geen partner bevestigde dit logboek, voor zover hier bewaard is. Wie de hele database kan herschrijven, kan ook dat wissen: `schakel logboek verify --partners` vraagt wat partners zelf bewaren.";

/// What is not looked at when nothing is opened, for programs and for people.
const NOT_LOOKED_AT: &str = "inhoud";
const CLOSED: &str = "De berichten zijn niet geopend: niet gecontroleerd is of elk bericht nog het bericht is waar het logboek over gaat, en of zijn soort, dossier, loket en toestemming en de persoon waarbij het te vinden is kloppen. Zonder --zonder-inhoud wordt dat ook gecontroleerd.";

fn tell(verdict: &Verdict, (closed, silent): (bool, &[Oin]), output: Output) -> Ending {
    let not_looked_at: &[&str] = if closed { &[NOT_LOOKED_AT] } else { &[] };
    match verdict {
        Verdict::Whole { size, checkpoint, anchors, confirmed } => {
            output.say(format!(
                "Het logboek is heel: {}, elk onder het ondertekende controlepunt. Ook {} klopt.",
                super::lines(*size),
                match anchors {
                    1 => "1 eerder ondertekend controlepunt".to_owned(),
                    many => format!("elk van de {many} eerder ondertekende controlepunten"),
                }
            ));
            output.say(match confirmed {
                0 => NOBODY_CONFIRMED.to_owned(),
                confirmed => format!(
                    "Een partner bevestigde het logboek tot en met regel {}. Wat daarna kwam kent alleen dit knooppunt.",
                    confirmed - 1
                ),
            });
            if closed {
                output.say(CLOSED);
            }
            output.say(checkpoint.trim_end());
            output.answer(&serde_json::json!({
                "heel": true, "grootte": size, "checkpoint": checkpoint, "eerdere_controlepunten": anchors,
                "bevestigd": confirmed,
                "niet_bereikt": silent, "niet_gecontroleerd": not_looked_at,
            }));
            if silent.is_empty() { Ending::Good } else { Ending::NotAllGood }
        }
        Verdict::Broken { index, last, what } => {
            let at = match last {
                Some(last) if last > index => format!("tussen regel {index} en regel {last}"),
                _ => format!("bij regel {index}"),
            };
            output.say(format!("Het logboek klopt niet {at}: {}", sentence(what)));
            output.say("Bewaar een kopie van de database en waarschuw de privacy officer en de partners: hun controlepunten laten zien wat er eerst stond.");
            output.answer(&serde_json::json!({
                "heel": false, "regel": index, "regel_tot": last, "afwijking": what, "niet_bereikt": silent,
                "niet_gecontroleerd": not_looked_at,
            }));
            Ending::NotAllGood
        }
    }
}

/// With one sign at its end.
fn sentence(what: &str) -> String {
    let what = what.trim_end_matches('.');
    if what.ends_with('?') { what.to_owned() } else { format!("{what}.") }
}

async fn write_evidence(
    node: &Node,
    (which, path): (Which, Option<PathBuf>),
    caller: Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let row =
        match which {
            Which::Id(id) => node.core.store.message(id).await?.with_context(|| {
                format!("er is geen bericht {id}; `schakel berichten` laat zien welke er zijn")
            })?,
            Which::Number(number) => node.core.store.logged(number).await?.with_context(|| {
                format!("er is geen bericht {number}; `schakel berichten` toont de nummers")
            })?,
        };
    let access = caller.access(Deed::Uitvoer, Reason::Bewijs, row.case, node.core.now())?;
    let (bundle, report) = evidence::take(&node.core, &row, access).await?;
    let name = row.id.map_or_else(|| row.index.to_string(), |id| id.to_string());
    let path = path.unwrap_or_else(|| format!("{name}.bewijs.json").into());
    match keys::write_private(&path, &serde_json::to_string_pretty(&bundle)?) {
        Err(KeyError::File { source, .. }) => {
            return Err(source)
                .with_context(|| format!("het bewijs is niet te schrijven in {}", path.display()));
        }
        written => written?,
    }
    for step in report.stappen.iter().filter(|step| step.uitkomst == StepOutcome::Onjuist) {
        output.warn(format!("Let op: {}", step.uitleg));
    }
    output.say(match bundle.zonder_tekst {
        None => format!(
            "Het bewijs staat in {}. Het bevat de gegevens uit het bericht: bewaar het zorgvuldig.",
            path.display()
        ),
        Some(_) => format!(
            "Het bewijs staat in {}. De tekst van het bericht is hier niet (meer) en staat er niet in.",
            path.display()
        ),
    });
    output.answer(&serde_json::json!({
        "bewijs": shown(&path), "logsleutel": bundle.logsleutel, "klopt": report.holds(),
        "zonder_tekst": bundle.zonder_tekst,
    }));
    Ok(if report.holds() { Ending::Good } else { Ending::NotAllGood })
}

#[cfg(test)]
mod tests;
