//! `schakel verstuur`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use exchange::oin::Oin;

use super::{Ending, Output};
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
}

impl Send {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let connection = node.config.koppelingen.iter().find(|one| one.naam == self.koppeling);
        let path =
            connection.map_or_else(|| PathBuf::from(&self.koppeling), |one| node.folder.join(&one.mapping));
        let mapping = crate::drop_folders::mapping(&path)?;
        let named = mapping.recipient().map(str::parse::<Oin>).transpose()?;
        let Some(to) = self.aan.or(connection.map(|one| one.ontvanger)).or(named) else {
            bail!("geef met --aan het OIN van de ontvanger; de koppeling en de mapping noemen er geen")
        };
        let offer = Offer { mapping: &mapping, to, path: &self.bestand, rejects: None };
        let bar = output.progress(None, "regels");
        let taken = intake::take_in(&node.core, &offer, |rows| bar.set_position(rows)).await;
        bar.finish_and_clear();
        let report = taken.with_context(|| self.bestand.display().to_string())?;
        tell(&report, output);
        let all_went = report.held_back_total() == 0 && report.unreadable == 0;
        Ok(if all_went { Ending::Good } else { Ending::NotAllGood })
    }
}

fn tell(report: &Report, output: Output) {
    output.say(format!(
        "{} regels gelezen: {} op weg, {} al eerder verstuurd, {} tegengehouden, {} onleesbaar.",
        report.read,
        report.sent,
        report.sent_before,
        report.held_back_total(),
        report.unreadable
    ));
    for line in report.warnings.iter().map(|warning| format!("  let op: {warning}")) {
        output.say(line);
    }
    for problem in &report.problems {
        output.say(format!("  {problem}"));
    }
    if let Some(path) = &report.rejects {
        output.say(format!(
            "Wat niet ging staat met de reden in {}. Verbeter het daar en bied dat bestand aan.",
            path.display()
        ));
    }
    output.answer(&serde_json::json!({
        "gelezen": report.read,
        "verzonden": report.sent,
        "eerder_verzonden": report.sent_before,
        "geweigerd": report.held_back,
        "afgekeurd": report.unreadable,
        "waarschuwingen": report.warnings,
        "problemen": report.problems,
        "afkeurbestand": report.rejects,
    }));
}
