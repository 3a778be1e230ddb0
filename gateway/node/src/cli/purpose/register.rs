//! `schakel doel register`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::{WIDTH, names};
use crate::{
    cli::{Ending, Output, shown},
    node::Node,
    processing::{self, Activity, Register, Stand, sheet},
    wording::wrapped,
};

pub(super) async fn write(node: &Node, paths: &[PathBuf], output: Output) -> anyhow::Result<Ending> {
    let register = processing::of_node(node).await?;
    let mut answer = serde_json::to_value(&register)?;
    // Before anything is written: a file of another kind is no reason for half of them.
    let texts: Vec<(&Path, String)> = paths
        .iter()
        .map(|path| Ok((path.as_path(), text(path, &register)?)))
        .collect::<anyhow::Result<_>>()?;
    for (path, text) in &texts {
        std::fs::write(path, text).with_context(|| format!("{} is niet te schrijven", path.display()))?;
        output.say(format!("Het register staat in {}.", path.display()));
    }
    if texts.is_empty() {
        let owner = &register.verwerkingsverantwoordelijke;
        output.say(format!("Register van verwerkingsactiviteiten van {}", owner.naam));
        output.say(format!("Contact {}; FG {}", owner.contact, owner.fg));
        register.verwerkingen.iter().for_each(|activity| tell(activity, output));
        for own in &register.eigen_verwerkingen {
            output.say(format!("\n{}", own.naam));
            for line in wrapped(own.omschrijving, WIDTH - 2) {
                output.say(format!("  {line}"));
            }
        }
        output.say(format!("\nDoorgifte buiten de EU: {}", register.doorgifte_buiten_eu));
    }
    if register.verwerkingen.is_empty() {
        output.say("Er is geen convenant in werking waarin deze organisatie iets geeft of krijgt; `schakel convenant tonen` laat zien hoe het ermee staat.");
    }
    answer["bestanden"] = paths.iter().map(|path| shown(path)).collect();
    output.answer(&answer);
    Ok(Ending::Good)
}

/// The register in the form of this file.
fn text(path: &Path, register: &Register) -> anyhow::Result<String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => Ok(sheet::html(register)),
        Some("csv") => Ok(sheet::csv(register)),
        _ => bail!("geef bij --naar een bestand dat op .html of .csv eindigt"),
    }
}

fn tell(activity: &Activity, output: Output) {
    output.say(format!("\n{} ({}, versie {})", activity.naam, activity.doel, activity.versie));
    for line in wrapped(&activity.omschrijving, WIDTH - 2) {
        output.say(format!("  {line}"));
    }
    if activity.stand == Stand::Afgelopen {
        output.say(
            "  Het convenant is geëindigd; wat er nog is wordt bewaard tot de bewaartermijn voorbij is.",
        );
    }
    output.say(format!("  Bewaren: {} dagen na ontvangst", activity.bewaartermijn_dagen));
    for flow in &activity.berichten {
        output.say(format!("  {}", flow.naam));
        let basis = format!("grondslag: {}", names(flow.grondslagen.iter().map(sheet::basis)));
        let held = sheet::categories(flow);
        let held = if held.is_empty() { "alleen over de uitwisseling zelf".to_owned() } else { names(held) };
        let held = format!("gegevens: {held}");
        let to = format!("gaat naar: {}", names(flow.ontvangers.iter().map(|one| &one.naam)));
        let from = format!("komt van: {}", names(flow.bronnen.iter().map(|one| &one.naam)));
        let some = [
            (basis, false),
            (held, false),
            (to, flow.ontvangers.is_empty()),
            (from, flow.bronnen.is_empty()),
        ];
        for (text, _) in some.iter().filter(|(_, empty)| !empty) {
            for line in wrapped(text, WIDTH - 4) {
                output.say(format!("    {line}"));
            }
        }
    }
}
