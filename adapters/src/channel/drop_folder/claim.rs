//! A file that was taken, until it is finished one way or the other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{BUSY, DONE, DropFolderError, FAILED, unusable};
use crate::rejects;

/// Longest part of the original name that is kept, in bytes: with what is added it must fit the 255 of file systems.
const MAX_NAME_BYTES: usize = 150;

/// When a file was taken, in its name: in UTC, to the second.
pub(super) const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// The name of a file in `bezig/`: when it was taken, which one of that moment, how often, and what it was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimName {
    /// `20261121T093000Z-1`
    id: String,
    pub(super) attempt: u32,
    name: String,
}

impl ClaimName {
    pub(super) fn new(now: Timestamp, sequence: u64, name: &str) -> ClaimName {
        let id = format!("{}-{sequence}", now.strftime(STAMP));
        ClaimName { id, attempt: 1, name: shortened(name) }
    }

    /// Reads [`Self::in_busy`]; `None` for files that were not put there by us.
    pub(super) fn parse(text: &str) -> Option<ClaimName> {
        let (taken, name) = text.split_once('_')?;
        let (id, attempt) = taken.rsplit_once('-')?;
        let (stamp, sequence) = id.split_once('-')?;
        let ours =
            stamp.len() == "20261121T093000Z".len() && sequence.bytes().all(|byte| byte.is_ascii_digit());
        ours.then_some(())?;
        Some(ClaimName { id: id.to_owned(), attempt: attempt.parse().ok()?, name: name.to_owned() })
    }

    pub(super) fn next_attempt(&self) -> ClaimName {
        ClaimName { attempt: self.attempt.saturating_add(1), ..self.clone() }
    }

    pub(super) fn in_busy(&self) -> String {
        format!("{}-{}_{}", self.id, self.attempt, self.name)
    }

    fn when_finished(&self) -> String {
        format!("{}_{}", self.id, self.name)
    }
}

/// The start of a long name, with its extension.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = if extension.len() <= 10 { extension } else { "" };
    let mut length = MAX_NAME_BYTES - extension.len() - 1;
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}.{extension}", &name[..length])
}

/// A file that only we have. If neither [`Claim::done`] nor [`Claim::failed`] is called it stays in `bezig/`, and is
/// taken up again at the next start.
#[derive(Debug)]
pub struct Claim {
    root: PathBuf,
    taken: ClaimName,
    path: PathBuf,
}

impl Claim {
    pub(super) fn new(root: &Path, taken: ClaimName) -> Claim {
        let path = root.join(BUSY).join(taken.in_busy());
        Claim { root: root.to_owned(), taken, path }
    }

    /// Whether no earlier file has this name, in any of the folders it can be in.
    pub(super) fn is_free(&self) -> io::Result<bool> {
        let places = [self.path.clone(), self.finished(DONE), self.finished(FAILED)];
        for place in places {
            match fs::symlink_metadata(&place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Where the file is now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was called in the drop folder (shortened if it was very long).
    pub fn name(&self) -> &str {
        &self.taken.name
    }

    /// How often it was taken up, counted from 1: more than once after the program stopped in the middle of it.
    pub fn attempt(&self) -> u32 {
        self.taken.attempt
    }

    /// Where its rejects belong: beside it in `klaar/`.
    pub fn rejects_path(&self) -> PathBuf {
        rejects::path_beside(&self.finished(DONE))
    }

    /// Moves it to `klaar/`; where it is then.
    pub fn done(self) -> Result<PathBuf, DropFolderError> {
        self.finish(DONE)
    }

    /// Moves it to `fout/`, beside a message in Dutch that says what is wrong and what to do; where it is then.
    pub fn failed(self, message: &str) -> Result<PathBuf, DropFolderError> {
        let mut note = self.finished(FAILED).into_os_string();
        note.push(".melding.txt");
        let note = PathBuf::from(note);
        write_whole(&note, message).map_err(|source| unusable(&note, source))?;
        self.finish(FAILED)
    }

    fn finish(self, folder: &str) -> Result<PathBuf, DropFolderError> {
        let target = self.finished(folder);
        let moved = fs::rename(&self.path, &target)
            .and_then(|()| rejects::sync_folder(&target))
            .and_then(|()| rejects::sync_folder(&self.path));
        moved.map_err(|source| unusable(&target, source))?;
        Ok(target)
    }

    fn finished(&self, folder: &str) -> PathBuf {
        self.root.join(folder).join(self.taken.when_finished())
    }
}

/// For the account of this program only: it is about people.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Takes away from everybody else what was dropped: a whole list of people. Who owns it may be another account; then the
/// folder keeps others out.
#[cfg(unix)]
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    match File::open(path)?.set_permissions(fs::Permissions::from_mode(0o600)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(
                "a dropped file belongs to another account, which can still read it once it is done"
            );
            Ok(())
        }
        done => done,
    }
}

#[cfg(not(unix))]
pub(super) fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes a text that is there whole or not at all.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
    // Notepad on older Windows shows line feeds alone as one long line.
    file.write_all(text.replace('\n', "\r\n").as_bytes())?;
    file.write_all(b"\r\n")?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests;
