//! The purpose register as it stands on disk: one TOML file per purpose.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use exchange::purpose::Purpose;

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
