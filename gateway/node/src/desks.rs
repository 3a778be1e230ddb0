//! The desks of this organisation. They stand in `schakel.toml`, or in `loketten.toml` beside it: that file is read again when it
//! changes, and it is what the local API writes.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use exchange::{
    desk::{self, Desk},
    digest::Digest,
};
use serde::{Deserialize, Serialize};
use store::{Access, Decision, StoreError};

use crate::{
    config::{self, ConfigError},
    node::Node,
    upkeep::written,
};

/// The file beside `schakel.toml`.
pub const FILE: &str = "loketten.toml";

/// What the file begins with when this program wrote it.
const HEADING: &str = "# De loketten van deze organisatie. Het knooppunt leest dit bestand opnieuw zodra het verandert, en schrijft het\n\
                       # als een loket over de API wordt gewijzigd. Wat hier kan staan, staat in schakel.voorbeeld.toml uitgelegd.\n";

/// How often to look whether the file changed.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default)]
    loketten: Vec<Desk>,
}

/// The desks could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum DesksError {
    /// They stand in the file that only an operator writes.
    #[error(
        "de loketten staan in {}. Zet [[loketten]] over in {FILE}, ernaast; dan kunnen ze hier worden gewijzigd",
        config::FILE
    )]
    InConfiguration,
    /// There is no such desk.
    #[error("dit loket is er niet")]
    Unknown,
    /// Somebody changed them since whoever decides saw them.
    #[error("de loketten zijn intussen gewijzigd; vraag ze opnieuw op")]
    Outdated,
    /// Together they are not what partners accept; says why.
    #[error("{0}")]
    Mistaken(String),
    /// The file cannot be used as it is.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It cannot be written.
    #[error("{} is niet te schrijven: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The decision could not be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to become of one desk.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is there, and so.
    Put(Box<Desk>),
    /// It is not there any more.
    Remove(String),
}

/// The desks of the node in `folder`, of which these stand in its configuration.
pub fn read(folder: &Path, in_configuration: &[Desk]) -> Result<Vec<Desk>, ConfigError> {
    let path = folder.join(FILE);
    let Some(text) = config::text(&path)? else { return Ok(in_configuration.to_vec()) };
    let invalid = |message: String| ConfigError::Invalid { path: path.clone(), message };
    if !in_configuration.is_empty() {
        return Err(invalid(format!(
            "er staan ook loketten in {}, en dan is niet duidelijk welke gelden. Houd één van de twee",
            config::FILE
        )));
    }
    let Listed { loketten } =
        toml::from_str(&text).map_err(|error| invalid(config::explain(&text, &error)))?;
    desk::mistake(&loketten).map_or(Ok(loketten), |fault| Err(invalid(fault)))
}

/// By which a list of desks is told from another.
pub fn version(desks: &[Desk]) -> Digest {
    Digest::of(serde_json::to_string(desks).unwrap_or_default().as_bytes())
}

/// Changes one desk, if the desks are still those of the version that whoever decides saw. Gives the desks as they are then. The
/// decision is on record before anything changes.
pub async fn change(
    node: &Node,
    access: Access,
    change: Change,
    seen: Option<Digest>,
) -> Result<Arc<Vec<Desk>>, DesksError> {
    // One after the other: the second starts from what the first made.
    let _turn = node.core.changing_desks.lock().await;
    if !node.config.loketten.is_empty() {
        return Err(DesksError::InConfiguration);
    }
    let before = read(&node.folder, &[])?;
    if seen.is_some_and(|seen| seen != version(&before)) {
        return Err(DesksError::Outdated);
    }
    let after = changed(before, change)?;
    check(node, &after)?;
    node.core.store.record_decision(access, Decision::LokettenWijzigen(version(&after)), &[]).await?;
    write(&node.folder, &after)?;
    let after = Arc::new(after);
    node.core.desks.store(after.clone());
    Ok(after)
}

fn changed(mut desks: Vec<Desk>, change: Change) -> Result<Vec<Desk>, DesksError> {
    match change {
        Change::Put(desk) => match desks.iter_mut().find(|one| one.loket == desk.loket) {
            Some(place) => *place = *desk,
            None => desks.push(*desk),
        },
        Change::Remove(name) => {
            let place = desks.iter().position(|one| one.loket == name).ok_or(DesksError::Unknown)?;
            desks.remove(place);
        }
    }
    Ok(desks)
}

/// Whether partners would believe a node with these desks.
fn check(node: &Node, desks: &[Desk]) -> Result<(), DesksError> {
    desk::mistake(desks).map_or(Ok(()), |fault| Err(DesksError::Mistaken(fault)))?;
    let shown = node.descriptor_with(desks.to_vec()).sign(&*node.core.signer);
    shown.map(drop).map_err(|error| DesksError::Mistaken(error.to_string()))
}

/// Writes the file in one go: whoever reads it meanwhile sees the old or the new one, also after a power cut.
fn write(folder: &Path, desks: &[Desk]) -> Result<(), DesksError> {
    let path = folder.join(FILE);
    let listed = Listed { loketten: desks.to_vec() };
    let written = toml::to_string_pretty(&listed).map_err(io::Error::other).and_then(|text| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        write!(file, "{HEADING}\n{text}")?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        std::fs::File::open(folder)?.sync_all()
    });
    written.map_err(|source| DesksError::Unwritable { path, source })
}

/// Notices that the file was changed, until cancelled. What cannot be used changes nothing.
pub async fn watch(node: Node) {
    let path = node.folder.join(FILE);
    let mut known = written([&path]);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = written([&path]);
        if now == known {
            continue;
        }
        known = now;
        let desks = read(&node.folder, &node.config.loketten).map_err(DesksError::from);
        match desks.and_then(|desks| check(&node, &desks).map(|()| desks)) {
            Ok(desks) if desks == **node.core.desks.load() => {}
            Ok(desks) => {
                node.core.desks.store(Arc::new(desks));
                tracing::info!("the desks changed");
            }
            Err(error) => {
                tracing::error!(%error, "the changed desks cannot be used; the previous ones stay");
            }
        }
    }
}

#[cfg(test)]
mod tests;
