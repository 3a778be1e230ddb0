//! The purpose register as it stands on disk: one TOML file per purpose.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use exchange::purpose::{Purpose, Rule};

use crate::wording::short_type;

pub mod check;

/// The most purposes in one folder; a group has a few dozen.
const MAX_PURPOSES: usize = 1_000;

/// The purposes in a folder, by the name of their file.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Purpose>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} is niet te lezen", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_purpose = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let mut files: Vec<PathBuf> = paths.filter(is_purpose).take(MAX_PURPOSES + 1).collect();
    if files.len() > MAX_PURPOSES {
        bail!("in {} staan meer dan {MAX_PURPOSES} doelen. Haal weg wat niet meer geldt", folder.display())
    }
    files.sort();
    let read = |path: PathBuf| {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{} is niet te lezen", path.display()))?;
        Purpose::from_toml(&text).with_context(|| path.display().to_string())
    };
    files.into_iter().map(read).collect()
}

/// What somebody asks for is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No purpose has this name.
    #[error("er is geen doel `{name}`; kies uit: {known}")]
    Purpose {
        /// The name.
        name: String,
        /// Those that are there.
        known: String,
    },
    /// The purpose lets no messages of this type go.
    #[error("het doel `{purpose}` laat geen berichten van de soort `{name}` toe; kies uit: {known}")]
    Type {
        /// The purpose.
        purpose: String,
        /// The type.
        name: String,
        /// Those that it does.
        known: String,
    },
}

/// The newest purpose of this name.
pub fn newest<'a>(purposes: &'a [Purpose], name: &str) -> Result<&'a Purpose, Unknown> {
    let found = purposes.iter().filter(|one| one.content().doel == name);
    found.max_by_key(|one| one.content().versie).ok_or_else(|| {
        let names: Vec<&str> = purposes.iter().map(|one| one.content().doel.as_str()).collect();
        let known = if names.is_empty() { "er zijn er geen".to_owned() } else { names.join(", ") };
        Unknown::Purpose { name: name.to_owned(), known }
    })
}

/// The rules of a purpose by the short names of their types, for who must choose one.
pub(crate) fn types(purpose: &Purpose) -> String {
    let types = purpose.content().berichten.iter().map(|rule| short_type(&rule.message_type));
    types.collect::<Vec<_>>().join(", ")
}

/// The rule for a type, by its whole name or its short one.
pub fn rule_of<'a>(purpose: &'a Purpose, name: &str) -> Result<&'a Rule, Unknown> {
    let is_it = |rule: &&Rule| rule.message_type == name || short_type(&rule.message_type) == name;
    purpose.content().berichten.iter().find(is_it).ok_or_else(|| Unknown::Type {
        purpose: purpose.content().doel.clone(),
        name: name.to_owned(),
        known: types(purpose),
    })
}
