//! The folder of a demonstration: nobody's own files are taken for the demonstration's, or written over.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::PARTICIPANTS;
use crate::{assets, config::Config};

/// How many lists of one name but with another content fit in a folder.
const MAX_LISTS: u32 = 100;
/// How much of two files is compared at a time, bytes.
const CHUNK: u64 = 64 * 1024;

/// Refuses a folder that holds anything but an earlier demonstration.
pub fn check_place(root: &Path) -> anyhow::Result<()> {
    let mut entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("de map {} is niet te lezen", root.display()));
        }
    };
    if entries.next().is_none() || is_ours(root) {
        return Ok(());
    }
    bail!(
        "in {} staat al iets, en het is niet de map van een eerdere demo. Kies met --map een lege map, of een die er nog niet is.",
        root.display()
    )
}

/// Whether a demonstration made the folder: it has the authority and every organisation.
fn is_ours(root: &Path) -> bool {
    let is_there = |folder: &str, oin: &str| {
        Config::load(&root.join(folder)).is_ok_and(|config| config.organisatie.oin.as_str() == oin)
    };
    root.join(super::AUTHORITY).is_dir() && PARTICIPANTS.iter().all(|one| is_there(one.folder, one.oin))
}

/// Puts the export to send in `root`: a copy of the given file, or the one that comes with the program. What does not
/// go is then written there, and not beside somebody's own file.
pub fn place_export(root: &Path, given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let mut file = tempfile::NamedTempFile::new_in(root)
        .with_context(|| format!("in {} is niet te schrijven", root.display()))?;
    let copied = match given {
        Some(given) => {
            let unreadable = || format!("{} is niet te lezen", given.display());
            let mut content = File::open(given).with_context(unreadable)?;
            if content.metadata().with_context(unreadable)?.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory)).with_context(unreadable);
            }
            io::copy(&mut content, &mut file).map(|_| ())
        }
        None => file.write_all(assets::ARREARS),
    };
    let name = Path::new(given.and_then(Path::file_name).unwrap_or("achterstanden.csv".as_ref()));
    let unwritable = || format!("{} is niet te schrijven", root.join(name).display());
    copied.with_context(unwritable)?;
    for number in 1..=MAX_LISTS {
        let path = root.join(numbered(name, number));
        if fs::symlink_metadata(&path).is_err() {
            file.persist_noclobber(&path).map_err(|error| error.error).with_context(unwritable)?;
            return Ok(path);
        }
        // The file of an earlier run, given again, is the same export.
        if same(&path, file.path()).unwrap_or(false) {
            return Ok(path);
        }
    }
    bail!(
        "in {} staan al {MAX_LISTS} lijsten die {} heten. Haal er een paar weg, of geef de lijst een andere naam.",
        root.display(),
        name.display()
    )
}

/// The name of the first, second, … file of this name.
fn numbered(name: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return name.to_owned();
    }
    let mut numbered = name.file_stem().unwrap_or_default().to_owned();
    numbered.push(format!("-{number}"));
    if let Some(extension) = name.extension() {
        numbered.push(".");
        numbered.push(extension);
    }
    numbered.into()
}

/// Whether two files hold the same.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    loop {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        io::Read::by_ref(&mut one).take(CHUNK).read_to_end(&mut left)?;
        io::Read::by_ref(&mut other).take(CHUNK).read_to_end(&mut right)?;
        if left != right || left.is_empty() {
            return Ok(left == right);
        }
    }
}
