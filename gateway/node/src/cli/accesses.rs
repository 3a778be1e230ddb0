//! `schakel raadplegingen`.

use std::{fmt::Display, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::{ToSpan as _, civil::Date};
use store::{AccessFilter, AccessRecord, Decision, Deed, Reason};
use uuid::Uuid;

use super::{Ending, Output, ask, caller::Caller, dutch_time};
use crate::{access::start_of, agreements, listing, node::Node};

/// Laat zien wie wanneer wat heeft ingezien, gezocht of uitgevoerd, en waarom. Dat u dit bekijkt, komt er ook bij.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel raadplegingen --vanaf 2026-11-01 --tot 2026-11-30\n  schakel raadplegingen --bericht 1041\n  schakel raadplegingen --dossier 019368b2-0000-7000-8000-000000000000\n  schakel raadplegingen --persoon --reden controle --kenmerk FG-17\n  schakel raadplegingen --door jdevries --json\n\nExitcode 1: er ontbreekt een verslag van een raadpleging die in het logboek staat."
)]
pub(super) struct AccessLog {
    /// Alleen wie dit bericht zag, met het nummer uit `schakel berichten`.
    #[arg(long, value_name = "NUMMER")]
    bericht: Option<u64>,
    /// Alleen wie iets uit dit dossier zag.
    #[arg(long, value_name = "UUID")]
    dossier: Option<Uuid>,
    /// Alleen wie deze persoon zocht of iets over die persoon zag. Met een bestand in JSON; zonder bestand vraagt het
    /// programma wie het is, of leest het van standaardinvoer. Vraagt om --reden en --kenmerk.
    #[arg(long, value_name = "BESTAND", num_args = 0..=1, default_missing_value = "-")]
    persoon: Option<PathBuf>,
    /// Alleen van deze medewerker of dit account.
    #[arg(long, value_name = "NAAM")]
    door: Option<String>,
    /// Alleen vanaf deze dag.
    #[arg(long, value_name = "DAG")]
    vanaf: Option<Date>,
    /// Alleen tot en met deze dag.
    #[arg(long, value_name = "DAG")]
    tot: Option<Date>,
    /// Hoeveel, de nieuwste eerst; zonder deze optie 50, hooguit 500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    aantal: u16,
    /// Ga verder met wat vóór dit nummer in het logboek staat.
    #[arg(long, value_name = "NUMMER")]
    voor: Option<u64>,
    #[command(flatten)]
    caller: Caller,
}

impl AccessLog {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let now = node.core.now();
        let access = match self.persoon {
            Some(_) => self.caller.access_to_person(Deed::Raadplegingen, now)?,
            None => self.caller.access(Deed::Raadplegingen, Reason::Controle, self.dossier, now)?,
        };
        let filter = self.filter()?;
        let found = node.core.store.accesses(access, filter).await?;
        if found.records.is_empty() {
            output.say("Er zijn geen raadplegingen die hieraan voldoen.");
        }
        for record in &found.records {
            output.say(line(record));
        }
        if let Some(place) = found.more_before {
            output.say(format!("Er kunnen er meer zijn: ga verder met --voor {place}."));
        }
        let missing = node.core.store.missing_accesses().await?;
        if let Some(first) = missing.first() {
            output.warn(format!(
                "Let op: deze lijst is niet volledig. Bij regel {first} van het logboek{} hoort een raadpleging waarvan het verslag weg is. Waarschuw de privacy officer; `schakel logboek verify` controleert het hele logboek.",
                if missing.len() > 1 { " en bij andere regels" } else { "" }
            ));
        }
        output.answer(&serde_json::json!({
            "ontbreekt": missing,
            "raadplegingen": found.records.iter().map(listing::access).collect::<Vec<_>>(),
            "verder_voor": found.more_before,
        }));
        Ok(if missing.is_empty() { Ending::Good } else { Ending::NotAllGood })
    }

    fn filter(&self) -> anyhow::Result<AccessFilter> {
        let person = match &self.persoon {
            Some(file) => Some(ask::person(Some(file))?.0),
            None => None,
        };
        let until =
            self.tot.map(|day| day.checked_add(1.day()).context("--tot ligt te ver weg")).transpose()?;
        Ok(AccessFilter {
            message: self.bericht,
            case: self.dossier,
            person,
            by: self.door.clone(),
            from: self.vanaf.map(start_of).transpose()?,
            until: until.map(start_of).transpose()?,
            before: self.voor,
            limit: self.aantal.into(),
        })
    }
}

fn line(record: &AccessRecord) -> String {
    let who = record.who.employee().map_or_else(
        || record.who.account().to_owned(),
        |employee| format!("{employee} ({})", record.who.account()),
    );
    let reference = record.why.reference().map_or_else(String::new, |reference| format!(" {reference}"));
    let case = record.why.case.map_or_else(String::new, |case| format!(" dossier {case}"));
    let about = about(record);
    format!(
        "{:>7}  {}  {who:<30}  {:<13}  {}{reference}{case}  {about}",
        record.index,
        dutch_time(record.when),
        record.what,
        record.why.reason,
    )
}

/// What it was about, in words.
fn about(record: &AccessRecord) -> String {
    let mut about: Vec<String> = record.decision.map(decided).into_iter().collect();
    about.extend(counted(&record.messages, "bericht", "berichten"));
    about.extend(counted(&record.consents, "toestemming", "toestemmingen"));
    let perhaps = |what: String| format!("misschien over deze persoon: {what}");
    about.extend(counted(&record.perhaps, "bericht", "berichten").map(perhaps));
    about.extend(counted(&record.consents_perhaps, "toestemming", "toestemmingen").map(perhaps));
    if about.is_empty() && record.searched_person {
        let nothing = "persoon gezocht, niets gevonden";
        let read = record.what == Deed::Raadplegingen;
        about.push(if read { "over een persoon" } else { nothing }.to_owned());
    }
    about.join(", ")
}

/// Which one, or how many.
fn counted(all: &[impl Display], one: &str, many: &str) -> Option<String> {
    match all {
        [] => None,
        [single] => Some(format!("{one} {single}")),
        _ => Some(format!("{} {many}", all.len())),
    }
}

/// A decision, in words.
fn decided(decision: Decision) -> String {
    let convenant = |digest, what: &str| format!("convenant {} {what}", agreements::start(digest));
    match decision {
        Decision::Versturen => "gegevens versturen".to_owned(),
        Decision::OpnieuwVersturen => "opnieuw versturen".to_owned(),
        Decision::Doorgeven => "doorgeven".to_owned(),
        Decision::Opgeven => "opgeven".to_owned(),
        Decision::Wissen => "wissen".to_owned(),
        Decision::ConvenantVoorstellen(digest) => convenant(digest, "voorstellen"),
        Decision::ConvenantAanvaarden(digest) => convenant(digest, "aanvaarden"),
        Decision::ConvenantAfwijzen(digest) => convenant(digest, "afwijzen"),
        Decision::ConvenantOpzeggen(digest) => convenant(digest, "opzeggen"),
        Decision::GebeurtenissenOpnieuw => "gebeurtenissen opnieuw vertellen".to_owned(),
        Decision::GebeurtenissenOpgeven => "gebeurtenissen opgeven".to_owned(),
        Decision::WebhookHervatten => "webhook hervatten".to_owned(),
        Decision::LokettenWijzigen(_) => "loketten wijzigen".to_owned(),
        Decision::PartnerToevoegen(oin) => format!("partner {oin} toevoegen"),
        Decision::PartnerVerwijderen(oin) => format!("partner {oin} verwijderen"),
    }
}

#[cfg(test)]
mod tests;
