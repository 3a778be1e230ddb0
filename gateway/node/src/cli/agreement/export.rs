//! `schakel convenant exporteren`: the exact texts that digests and signatures are over, as files.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context as _;

use super::find;
use crate::{
    agreements,
    cli::{Ending, Output, shown},
    node::Node,
};

pub(super) fn write(node: &Node, which: &str, folder: &Path, output: Output) -> anyhow::Result<Ending> {
    let rules = node.core.rules();
    let digest = find(node, which)?;
    let agreement = rules.agreement(digest).context("dit convenant is intussen vergeten")?;
    let mut files = vec![("convenant.json".to_owned(), agreement.text().to_owned())];
    let purposes: BTreeSet<_> = agreement.content().afspraken.iter().map(|one| one.doel_digest).collect();
    for one in purposes {
        let purpose = rules.purpose(one).with_context(|| {
            format!("de tekst van het doel met controlegetal {one} ontbreekt in de database. Zet een reservekopie van de database terug; er is niets geschreven")
        })?;
        files.push((format!("doel-{}.json", purpose.content().doel), purpose.text().to_owned()));
    }
    for answer in agreement.answers() {
        files.push((format!("antwoord-{}-{}.jws", answer.by, answer.kind.as_str()), answer.jws.clone()));
    }
    fs::create_dir(folder).with_context(|| format!("de map {} is niet te maken", folder.display()))?;
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("{} is niet te schrijven", path.display()))?;
    }
    output.say(format!(
        "{} ({}) staat in {}, in {} bestanden.",
        agreements::title(agreement),
        agreements::start(digest),
        folder.display(),
        files.len()
    ));
    let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
    output.answer(&serde_json::json!({ "convenant": digest, "map": shown(folder), "bestanden": names }));
    Ok(Ending::Good)
}
