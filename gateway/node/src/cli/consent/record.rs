//! Recording that a resident consented, or consented again.

use std::{io::Read as _, path::Path};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use exchange::consent::HowGiven;
use jiff::civil::Date;
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{Ending, Output, caller::Caller, dutch_time},
    decision,
};
use crate::{
    consent::{ending, reaching, register},
    node::Node,
};

/// The largest file with a consent, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// How a resident consented.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Wijze {
    Schriftelijk,
    Mondeling,
    Digitaal,
}

pub(super) async fn grant(
    node: &Node,
    path: &Path,
    caller: &Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let text = read(path)?;
    let evidence = register::evidence_of(&text);
    evidence.as_deref().map_or(Ok(()), register::check_evidence)?;
    let (kind, purposes) = (node.config.organisatie.soort, node.purposes()?);
    let record =
        register::grant(&node.core, decision(node, caller, evidence.as_deref())?, &text, (kind, &purposes))
            .await?;
    let names: Vec<String> = record.granted_to().iter().map(|oin| node.name_of(*oin)).collect();
    output.say(format!("Toestemming {} is vastgelegd.", record.id()));
    output.say(format!("  mag iets krijgen: {}", names.join(", ")));
    output.say(format!("  voor: {}", record.purposes().join(", ")));
    output.say(format!("  tot: {}", dutch_time(record.valid_until())));
    let strangers: Vec<_> = record
        .granted_to()
        .iter()
        .filter(|oin| {
            let joined = || reaching::was_joined(&node.core, &node.core.rules(), (**oin, node.core.now()));
            **oin != node.core.me && !joined()
        })
        .collect();
    for oin in &strangers {
        output.warn(format!(
            "Let op: er is geen convenant met {}. Zonder convenant kan die organisatie niets krijgen; controleer het nummer, of sluit er eerst een.",
            node.name_of(**oin)
        ));
    }
    let never = record.never_allowed(&purposes);
    if !never.is_empty() {
        output.warn(format!(
            "Let op: het doel laat deze gegevens niet toe, ook niet met toestemming: {}. Ze gaan nooit mee. Vraag de inwoner alleen wat nodig is, of spreek met de partners een nieuwe versie van het doel af.",
            never.join(", ")
        ));
    }
    output.say(
        "Noem dit nummer in documenten die op de toestemming steunen; het knooppunt voegt het bewijs toe.",
    );
    output.answer(&json!({
        "toestemming": record.id(), "verleend_aan": record.granted_to(), "doelen": record.purposes(),
        "geldig_tot": record.valid_until(), "zonder_convenant": strangers, "nooit_toegestaan": never,
    }));
    Ok(Ending::Good)
}

/// What is in a file that somebody names, or on standard input.
pub(in crate::cli) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    let unreadable = || format!("{} is niet te lezen", path.display());
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut text).with_context(unreadable)?;
    } else {
        let file = std::fs::File::open(path).with_context(unreadable)?;
        file.take(MAX_FILE + 1).read_to_end(&mut text).with_context(unreadable)?;
    }
    if text.len() as u64 > MAX_FILE {
        bail!("{} is te groot; hooguit {} KiB", path.display(), MAX_FILE / 1024);
    }
    Ok(text)
}

pub(super) async fn extend(
    node: &Node,
    id: Uuid,
    (until, wijze, evidence): (Date, Wijze, &str),
    caller: &Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let Some((kind, reference)) = evidence.split_once(':').filter(|(_, reference)| !reference.is_empty())
    else {
        bail!("geef het bewijs als SOORT:KENMERK, bijvoorbeeld formulier:TF-901")
    };
    register::check_evidence(reference)?;
    let access = decision(node, caller, Some(reference))?;
    let how = HowGiven {
        wijze: format!("{wijze:?}").to_lowercase(),
        bewijs_soort: kind.to_owned(),
        bewijs_kenmerk: reference.to_owned(),
    };
    let end = until.tomorrow().and_then(|day| day.to_zoned(exchange::calendar::dutch_time()));
    let end = end.context("deze dag bestaat niet in de kalender")?.timestamp();
    let (own_kind, purposes) = (node.config.organisatie.soort, node.purposes()?);
    let record = register::extend(&node.core, (access, id), (end, &how), (own_kind, &purposes)).await?;
    ending::carry_out(&node.core).await?;
    output.say(format!("Toestemming {id} geldt nu tot en met {}.", until.strftime("%d-%m-%Y")));
    output.answer(&json!({ "toestemming": id, "geldig_tot": record.valid_until() }));
    Ok(Ending::Good)
}
