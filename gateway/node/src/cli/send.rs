//! `schakel verstuur`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use exchange::{oin::Oin, refusal::Reason};

use super::{Ending, Output, caller::Decider, shown};
use crate::{
    intake::{self, Offer, Report},
    node::Node,
};

/// Bied een bestand van een bronsysteem aan. Goede regels gaan op weg, de andere komen met de reden in een
/// afkeurbestand naast het bestand. Hetzelfde bestand nog eens aanbieden verstuurt niets dubbel.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel verstuur achterstanden export.csv          met de koppeling `achterstanden` uit schakel.toml\n  schakel verstuur mapping.toml export.csv --aan 00000099000000001000\n\nHet draaiende knooppunt (`schakel serve`) bezorgt de berichten; `schakel berichten` laat zien hoe het ermee staat.\nExitcode 1: er zijn regels die niet zijn verstuurd."
)]
pub(super) struct Send {
    /// De naam van een koppeling uit schakel.toml, of een mappingbestand.
    koppeling: String,
    /// Het bestand.
    bestand: PathBuf,
    /// Het OIN van de ontvanger, als de koppeling of de mapping die niet noemt.
    #[arg(long, value_name = "OIN")]
    aan: Option<Oin>,
    #[command(flatten)]
    decider: Decider,
}

impl Send {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let connection = node.config.koppelingen.iter().find(|one| one.naam == self.koppeling);
        let path =
            connection.map_or_else(|| PathBuf::from(&self.koppeling), |one| node.folder.join(&one.mapping));
        let mapping =
            crate::drop_folders::mapping(&path).with_context(|| not_a_connection(node, &self.koppeling))?;
        let named = mapping.recipient().map(str::parse::<Oin>).transpose()?;
        let Some(to) = self.aan.or(connection.map(|one| one.ontvanger)).or(named) else {
            bail!("geef met --aan het OIN van de ontvanger; de koppeling en de mapping noemen er geen")
        };
        let by = self.decider.decision(store::Reason::Dossier, None, node.core.now())?;
        let offer = Offer { mapping: &mapping, to, path: &self.bestand, rejects: None, by: &by };
        let bar = output.progress(None, "regels");
        let taken = intake::take_in(&node.core, &offer, |rows| bar.set_position(rows)).await;
        bar.finish_and_clear();
        let report = taken.with_context(|| self.bestand.display().to_string())?;
        tell(&report, output);
        let all_went = report.held_back_total() == 0 && report.unreadable == 0;
        Ok(if all_went { Ending::Good } else { Ending::NotAllGood })
    }
}

/// What could have been meant.
fn not_a_connection(node: &Node, name: &str) -> String {
    let names: Vec<&str> = node.config.koppelingen.iter().map(|one| one.naam.as_str()).collect();
    if names.contains(&name) {
        return format!("de koppeling `{name}` heeft geen bruikbare mapping");
    }
    let known = if names.is_empty() { "er staat er nog geen in".into() } else { names.join(", ") };
    format!("`{name}` is geen koppeling uit schakel.toml ({known}) en geen bruikbaar mappingbestand")
}

fn tell(report: &Report, output: Output) {
    let rows = if report.read == 1 { "regel" } else { "regels" };
    output.say(format!("{} {rows} gelezen.", report.read));
    tell_rows(report, output);
    if let Some(path) = &report.rejects {
        output.say(format!(
            "Wat niet ging staat met de reden in {}. Neem weg wat er in de weg stond, in dat bestand of in het convenant, en bied dat bestand aan.",
            path.display()
        ));
    }
    output.answer(&serde_json::json!({
        "gelezen": report.read,
        "verzonden": report.sent,
        "verzonden_zonder": report.trimmed,
        "weggelaten": weggelaten(report),
        "eerder_verzonden": report.sent_before,
        "geweigerd": report.held_back,
        "afgekeurd": report.unreadable,
        "waarschuwingen": report.warnings,
        "problemen": report.problems,
        "tegengehouden": tegengehouden(report),
        "afkeurbestand": report.rejects.as_deref().map(shown),
    }));
}

/// What became of the rows, for people.
pub(super) fn tell_rows(report: &Report, output: Output) {
    let sent = if report.sent == 1 { "signaal is" } else { "signalen zijn" };
    output.say(format!("  {:>3} {sent} op weg", report.sent));
    if report.trimmed > 0 {
        let went = if report.trimmed == 1 { "daarvan is" } else { "daarvan zijn" };
        output.say(format!(
            "  {:>3} {went} zonder enkele gegevens gegaan: het doel laat die niet toe en zegt ze weg te laten",
            report.trimmed
        ));
        for (line, fields) in &report.left_out {
            output.say(format!("        regel {line}: {}", fields.join(", ")));
        }
    }
    if report.sent_before > 0 {
        let sent_before = if report.sent_before == 1 { "was" } else { "waren" };
        let never_twice = if report.sent_before == 1 { "gaat" } else { "gaan" };
        output.say(format!(
            "  {:>3} {sent_before} al eerder verstuurd en {never_twice} niet nog eens",
            report.sent_before
        ));
    }
    for (code, count) in &report.held_back {
        let reason = Reason::of_code(code);
        output.say(format!("  {count:>3} mogen niet weg ({code}). {}", reason.map_or("", Reason::sentence)));
        let lines = report.refusals.iter().filter(|(_, refusal)| Some(refusal.reason) == reason);
        let mut without_names = Vec::new();
        for (line, refusal) in lines {
            if refusal.about.is_empty() {
                without_names.push(line.to_string());
            } else {
                output.say(format!("        regel {line}: {}", refusal.about.join(", ")));
            }
        }
        if !without_names.is_empty() {
            output.say(format!("        regels {}", without_names.join(", ")));
        }
    }
    if report.unreadable > 0 {
        let unreadable = if report.unreadable == 1 { "is" } else { "zijn" };
        output.say(format!("  {:>3} {unreadable} niet te lezen", report.unreadable));
    }
    for problem in &report.problems {
        output.say(format!("        {problem}"));
    }
    if !report.warnings.is_empty() {
        output.say("  Let op:");
    }
    for warning in &report.warnings {
        output.say(format!("        {warning}"));
    }
}

/// The rows that went without some of their fields, for programs.
fn weggelaten(report: &Report) -> Vec<serde_json::Value> {
    let row = |(line, fields): &(u64, Vec<String>)| serde_json::json!({ "regel": line, "velden": fields });
    report.left_out.iter().map(row).collect()
}

/// The rows held back, for programs.
pub(super) fn tegengehouden(report: &Report) -> Vec<serde_json::Value> {
    let row = |(line, refusal): &(u64, exchange::refusal::Refusal)| serde_json::json!({ "regel": line, "reden": refusal.reason.code(), "over": refusal.about });
    report.refusals.iter().map(row).collect()
}
