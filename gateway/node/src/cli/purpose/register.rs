//! `schakel doel register`.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::{WIDTH, names};
use crate::{
    cli::{Ending, Output, shown},
    node::Node,
    processing::{self, Activity, Stand, sheet},
    wording::wrapped,
};

pub(super) async fn write(node: &Node, path: Option<&Path>, output: Output) -> anyhow::Result<Ending> {
    let register = processing::of_node(node).await?;
    let mut answer = serde_json::to_value(&register)?;
    if let Some(path) = path {
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => sheet::html(&register),
            Some("csv") => sheet::csv(&register),
            _ => bail!("geef bij --naar een bestand dat op .html of .csv eindigt"),
        };
        std::fs::write(path, text).with_context(|| format!("{} is niet te schrijven", path.display()))?;
        output.say(format!("Het register staat in {}.", path.display()));
        answer["bestand"] = shown(path).into();
    } else {
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
    output.answer(&answer);
    Ok(Ending::Good)
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
        let held = sheet::categories(flow);
        let held = if held.is_empty() { "alleen over de uitwisseling zelf".to_owned() } else { names(held) };
        let held = format!("gegevens: {held}");
        let to = format!("gaat naar: {}", names(flow.ontvangers.iter().map(|one| &one.naam)));
        let from = format!("komt van: {}", names(flow.bronnen.iter().map(|one| &one.naam)));
        let some = [(held, false), (to, flow.ontvangers.is_empty()), (from, flow.bronnen.is_empty())];
        for (text, _) in some.iter().filter(|(_, empty)| !empty) {
            for line in wrapped(text, WIDTH - 4) {
                output.say(format!("    {line}"));
            }
        }
    }
}
