//! A folder that a local system writes files into, and what has been done with each.
//!
//! A file is taken when nobody is writing it any more, by renaming it into `bezig/`, which only one can do. From
//! there it goes to `klaar/`, with the rejects beside it, or to `fout/` with a message that says why. What was being
//! done when the program stopped is found in `bezig/` at the next start and done again.
//!
//! Hidden files, those that end in `.tmp`, `.part` or `.filepart`, and rejects are passed over. Links are not followed:
//! they go to `fout/`. Folders are left alone.

mod claim;
mod clearing;
mod settling;
mod watch;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::rejects;
pub use claim::Claim;
use claim::ClaimName;
pub use clearing::{Keep, clear};
pub use settling::{Look, Settling};
pub use watch::Watch;

const BUSY: &str = "bezig";
/// The folder of what was taken in.
pub const DONE: &str = "klaar";
/// The folder of what a person must look at.
pub const FAILED: &str = "fout";
/// Most files considered at a time; what is over waits for the next look.
const MAX_CANDIDATES: usize = 10_000;
/// How often a file is taken up again after the program stopped in the middle of it. A file that stops it every time
/// must not keep the others waiting for ever.
const MAX_ATTEMPTS: u32 = 20;

/// Why a drop folder cannot be used. Dutch, for who set it up.
#[derive(Debug, thiserror::Error)]
pub enum DropFolderError {
    /// A folder or file in it cannot be read or written.
    #[error("de map {} is niet te gebruiken: {}", path.display(), rejects::advice(source))]
    Unusable {
        /// What could not be used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process takes files from it.
    #[error("een ander programma leest de map {} al. Stop dat eerst, of geef elk een eigen map.", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder, in steps: each looks once and returns. [`Watch`] takes them at the right moments.
#[derive(Debug)]
pub struct DropFolder {
    root: PathBuf,
    settling: Settling,
    sequence: u64,
    /// How many entries were left alone at the last look, to tell about it once.
    odd: usize,
    /// Held as long as this exists; see [`DropFolder::open`].
    _lock: File,
}

/// What was found in the folder.
#[derive(Default)]
struct Listing {
    files: Vec<(OsString, Look)>,
    links: Vec<OsString>,
    odd: usize,
}

impl DropFolder {
    /// Opens the folder `root`, which must be there, and makes the folders in it, for this process alone. A file is taken when it did not
    /// change for `quiet`.
    pub fn open(root: &Path, quiet: Duration) -> Result<DropFolder, DropFolderError> {
        for folder in [BUSY, DONE, FAILED] {
            let path = root.join(folder);
            // Not the folder itself: a mistake in its path must not make a new one that nobody looks into.
            match private_folders().create(&path) {
                Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(unusable(&path, source));
                }
                _ => {}
            }
        }
        let path = root.join(BUSY).join(".slot");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|source| unusable(&path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DropFolderError::InUse { path: root.to_owned() }),
            Err(TryLockError::Error(source)) if source.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!("the drop folder cannot be locked; make sure only one program reads it");
            }
            Err(TryLockError::Error(source)) => return Err(unusable(&path, source)),
        }
        for folder in [DONE, FAILED] {
            remove_unfinished(&root.join(folder)).map_err(|source| unusable(&root.join(folder), source))?;
        }
        let settling = Settling::new(quiet);
        Ok(DropFolder { root: root.to_owned(), settling, sequence: 0, odd: 0, _lock: lock })
    }

    /// What was being done when the program stopped, to be done again. Call once, before the first [`Self::scan`].
    pub fn recover(&mut self) -> Result<Vec<Claim>, DropFolderError> {
        let busy = self.root.join(BUSY);
        let mut names: Vec<_> = fs::read_dir(&busy)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>())
            .map_err(|source| unusable(&busy, source))?;
        names.sort_unstable();
        let mut claims = Vec::new();
        for name in names {
            let Some(known) = name.to_str().and_then(ClaimName::parse) else { continue };
            let again = known.next_attempt();
            let (from, to) = (busy.join(&name), busy.join(again.in_busy()));
            fs::rename(&from, &to).map_err(|source| unusable(&from, source))?;
            let attempt = again.attempt;
            let claim = Claim::new(&self.root, again);
            if attempt > MAX_ATTEMPTS {
                tracing::error!(attempt, "a dropped file stopped the program too often; put aside");
                claim.failed(TOO_OFTEN)?;
            } else {
                claims.push(claim);
            }
        }
        Ok(claims)
    }

    /// Notes that `name` was renamed into the folder, so that it is complete.
    pub fn renamed_in(&mut self, name: OsString) {
        self.settling.renamed_in(name);
    }

    /// Looks once and takes what is complete. `elapsed` is the time since any fixed moment, by a clock that does not
    /// jump; `now` is only for names.
    pub fn scan(&mut self, elapsed: Duration, now: Timestamp) -> Result<VecDeque<Claim>, DropFolderError> {
        let listing = list(&self.root).map_err(|source| unusable(&self.root, source))?;
        if listing.odd != self.odd {
            self.odd = listing.odd;
            tracing::warn!(count = listing.odd, "folders or devices in the drop folder are left alone");
        }
        for link in listing.links {
            if let Some(claim) = self.take(&link, now)? {
                claim.failed(NO_LINKS)?;
            }
        }
        let mut claims = VecDeque::new();
        for (name, look) in self.settling.observe(elapsed, &listing.files) {
            let Some(claim) = self.take(&name, now)? else { continue };
            match still(claim, look, &self.root.join(&name))? {
                Some(claim) => claims.push_back(claim),
                None => self.settling.forget(&name),
            }
        }
        Ok(claims)
    }

    /// Renames `name` into `bezig/`; `None` if it is gone.
    fn take(&mut self, name: &OsString, now: Timestamp) -> Result<Option<Claim>, DropFolderError> {
        let from = self.root.join(name);
        let claim = loop {
            self.sequence += 1;
            let claim = Claim::new(&self.root, ClaimName::new(now, self.sequence, &name.to_string_lossy()));
            if claim.is_free().map_err(|source| unusable(&self.root, source))? {
                break claim;
            }
        };
        match fs::rename(&from, claim.path()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unusable(&from, source)),
        }
        rejects::sync_folder(claim.path()).map_err(|source| unusable(&self.root.join(BUSY), source))?;
        Ok(Some(claim))
    }
}

/// What is in our folders is for the account of this program, until who runs it decides otherwise.
fn private_folders() -> fs::DirBuilder {
    let mut folders = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders
}

/// The message with a file that was tried too often.
const TOO_OFTEN: &str = "Het programma is te vaak gestopt terwijl het met dit bestand bezig was. Vraag de beheerder om in het logboek te kijken, en bied het bestand daarna opnieuw aan.";
/// The message with a link.
const NO_LINKS: &str = "Dit is een snelkoppeling en geen bestand. Zet het bestand zelf in de map.";

/// The claim, if the file is still as it was when it was found complete; else it goes back to wait.
fn still(claim: Claim, look: Look, origin: &Path) -> Result<Option<Claim>, DropFolderError> {
    let found = fs::symlink_metadata(claim.path()).map_err(|source| unusable(claim.path(), source))?;
    if found.is_symlink() {
        claim.failed(NO_LINKS)?;
        return Ok(None);
    }
    if Look::of(&found) == look || fs::symlink_metadata(origin).is_ok() {
        match claim::make_private(claim.path()) {
            // Whoever takes it in says that it cannot be read.
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
                return Err(unusable(claim.path(), error));
            }
            _ => {}
        }
        return Ok(Some(claim));
    }
    fs::rename(claim.path(), origin).map_err(|source| unusable(origin, source))?;
    Ok(None)
}

fn list(root: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        if passed_over(&name.to_string_lossy()) || listing.files.len() + listing.links.len() == MAX_CANDIDATES
        {
            continue;
        }
        // Of the entry itself: a link is not followed.
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if metadata.is_symlink() {
            listing.links.push(name);
        } else if metadata.is_file() {
            listing.files.push((name, Look::of(&metadata)));
        } else {
            listing.odd += 1;
        }
    }
    listing.files.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    Ok(listing)
}

/// Names that are not, or not yet, something to take; and our own folders.
fn passed_over(name: &str) -> bool {
    let name = name.to_lowercase();
    [BUSY, DONE, FAILED].contains(&name.as_str())
        || name.starts_with(['.', '~'])
        || [".tmp", ".part", ".filepart", rejects::SUFFIX].iter().any(|end| name.ends_with(end))
}

/// Removes what a killed process was still writing.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn unusable(path: &Path, source: io::Error) -> DropFolderError {
    DropFolderError::Unusable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
