//! `schakel inzage`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use store::{Deed, Reason};

use super::{
    Ending, Output, ask,
    caller::Caller,
    find::{INCOMPLETE, ONLY_BY_NUMBER},
    messages, shown,
};
use crate::{
    drop_folders::Results,
    keys::{self, KeyError},
    listing,
    node::Node,
    subject_report,
};

/// The file when none is named.
const USUAL_FILE: &str = "inzage.html";

/// Maak het overzicht voor een inwoner die vraagt welke gegevens er over hem of haar zijn (AVG artikel 15). Wie het is vraagt
/// het programma, of leest het uit een bestand. Stel eerst vast dat de vraag van de inwoner zelf komt.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel inzage --kenmerk AVG-2026-017\n  schakel inzage --kenmerk AVG-2026-017 --persoon persoon.json --naar overzicht.html --naar overzicht.json\n  schakel inzage --kenmerk AVG-2026-017 --persoon persoon.json --ook 1041\n\nDe persoon in JSON: {\"bsn\":\"999990342\"}, of naam, geboortedatum en adres zoals in een bericht.\nHet bestand bevat persoonsgegevens: geef het alleen aan de inwoner zelf.\nExitcode 1: er is niet alles doorzocht, er is alleen op BSN gezocht, of er zijn berichten of toestemmingen die misschien van deze persoon zijn."
)]
pub(super) struct SubjectAccess {
    /// Een bestand met de persoon in JSON; zonder deze optie, of met -, van standaardinvoer of uit uw antwoorden.
    #[arg(long, value_name = "BESTAND")]
    persoon: Option<PathBuf>,
    /// Het bestand voor het overzicht: op .html om te lezen, op .json voor programma's. Mag vaker; zonder deze optie
    /// inzage.html.
    #[arg(long, value_name = "BESTAND")]
    naar: Vec<PathBuf>,
    /// Een bericht dat misschien over deze persoon gaat, en waarvan u hebt vastgesteld dat het zo is. Mag vaker.
    #[arg(long, value_name = "NUMMER")]
    ook: Vec<u64>,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Clone, Copy)]
enum Form {
    Html,
    Json,
}

impl SubjectAccess {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        self.caller.reference()?;
        let files = self.files()?;
        let access = self.caller.access(Deed::Uitvoer, Reason::Inzageverzoek, None, node.core.now())?;
        let (person, said) = ask::person(self.persoon.as_deref())?;
        let report = subject_report::gather(node, access, (&person, said), &self.ook).await?;
        for (file, form) in &files {
            let text = match form {
                Form::Html => subject_report::html(&report),
                Form::Json => serde_json::to_string_pretty(&report)?,
            };
            match keys::write_private(file, &text) {
                Err(KeyError::File { source, .. }) => {
                    return Err(source).with_context(|| {
                        format!("het overzicht is niet te schrijven in {}", file.display())
                    });
                }
                written => written?,
            }
        }
        tell(node, &report, &files, output);
        for folder in Results::of(&node.folder, &node.config).not_searched() {
            output.warn(format!(
                "Let op: in {} kan nog een lijst staan met gegevens van deze persoon. Die staat niet in het overzicht; kijk daar zelf.",
                shown(&folder)
            ));
        }
        let only_by_number = person.place_key().is_none();
        if only_by_number {
            output.warn(ONLY_BY_NUMBER);
        }
        output.answer(&serde_json::json!({
            "bestanden": files.iter().map(|(file, _)| shown(file)).collect::<Vec<_>>(),
            "berichten": report.berichten.len(),
            "toestemmingen": report.toestemmingen.iter().map(|consent| consent.id).collect::<Vec<_>>(),
            "raadplegingen": report.raadplegingen.len(),
            "toestemmingen_misschien":
                report.toestemmingen_misschien.iter().map(|key| key.id).collect::<Vec<_>>(),
            "misschien": report.misschien.iter().map(listing::message).collect::<Vec<_>>(),
            "volledig": report.volledig,
            "alleen_op_bsn": only_by_number,
        }));
        let all_good = !only_by_number
            && report.volledig
            && report.misschien.is_empty()
            && report.toestemmingen_misschien.is_empty();
        Ok(if all_good { Ending::Good } else { Ending::NotAllGood })
    }

    /// Where to write what, known before anything is looked up.
    fn files(&self) -> anyhow::Result<Vec<(PathBuf, Form)>> {
        if self.naar.is_empty() {
            return Ok(vec![(USUAL_FILE.into(), Form::Html)]);
        }
        let form = |file: &PathBuf| {
            let form = match file.extension().and_then(|extension| extension.to_str()) {
                Some("html" | "htm") => Form::Html,
                Some("json") => Form::Json,
                _ => bail!("geef bij --naar een bestand dat eindigt op .html of .json"),
            };
            Ok((file.clone(), form))
        };
        self.naar.iter().map(form).collect()
    }
}

fn tell(node: &Node, report: &subject_report::SubjectReport, files: &[(PathBuf, Form)], output: Output) {
    match report.berichten.len() {
        0 if report.toestemmingen.is_empty() => {
            output.say("Er is niets (meer) over deze persoon. Het overzicht legt dat uit.");
        }
        0 => output.say("Er zijn geen berichten (meer) over deze persoon."),
        1 => output.say("Er is 1 bericht over deze persoon."),
        count => output.say(format!("Er zijn {count} berichten over deze persoon.")),
    }
    match report.toestemmingen.len() {
        0 => {}
        1 => output.say("Deze persoon gaf 1 toestemming."),
        count => output.say(format!("Deze persoon gaf {count} toestemmingen.")),
    }
    for (file, _) in files {
        output.say(format!("Het overzicht staat in {}.", file.display()));
    }
    if !report.misschien.is_empty() {
        output.say(
            "\nMisschien gaan ook deze over deze persoon; ze staan niet in het overzicht. Controleer ze zelf, en neem ze op met --ook NUMMER:",
        );
        for row in &report.misschien {
            output.say(messages::line(node, row));
        }
    }
    for key in &report.toestemmingen_misschien {
        output.say(format!(
            "Misschien is toestemming {} van deze persoon; zij staat niet in het overzicht. Controleer dit zelf.",
            key.id
        ));
    }
    if !report.volledig {
        output.warn(INCOMPLETE);
    }
}
