//! Clearing what was finished long enough ago: those are whole lists of people, in plain text.
//!
//! Only what a [`Claim`](super::Claim) put there is removed, known by its name, which says when it was taken. What a person
//! or another program put in these folders stays, and so do links and folders.

use std::fs;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{DONE, DropFolderError, FAILED, claim, unusable};
use crate::rejects;

/// Most entries looked at in one folder at a time; what is over is for the next time.
const MAX_ENTRIES: usize = 100_000;

/// How long results are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// What was taken in.
    pub done: SignedDuration,
    /// What somebody has to look at: what could not be taken in, with its message, and the rejects of what could.
    pub failed: SignedDuration,
}

/// Removes from the folder `root` the results that were taken before they may be kept any longer; says how many files. A
/// folder that is not there has none.
pub fn clear(root: &Path, keep: Keep, now: Timestamp) -> Result<u64, DropFolderError> {
    let mut removed = 0;
    for folder in [DONE, FAILED] {
        let path = root.join(folder);
        removed += clear_one(&path, folder == FAILED, keep, now).map_err(|source| unusable(&path, source))?;
    }
    Ok(removed)
}

fn clear_one(folder: &Path, failed: bool, keep: Keep, now: Timestamp) -> io::Result<u64> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => {}
        // Somewhere else, which is not ours to clear.
        Ok(_) => return Ok(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    }
    let mut removed = 0;
    for entry in fs::read_dir(folder)?.take(MAX_ENTRIES) {
        let entry = entry?;
        let name = entry.file_name();
        let Some(taken) = name.to_str().and_then(taken_at) else { continue };
        let for_a_person = failed || name.to_str().is_some_and(|name| name.ends_with(rejects::SUFFIX));
        let keep = if for_a_person { keep.failed } else { keep.done };
        // Of the entry itself: a link is not followed, and stays.
        if now.duration_since(taken) < keep || !entry.file_type()?.is_file() {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done.map(|()| removed += 1)?,
        }
    }
    if removed > 0 {
        rejects::sync_folder(&folder.join(DONE))?;
    }
    Ok(removed)
}

/// When a result was taken, by its name; nothing when no claim gave it that name.
fn taken_at(name: &str) -> Option<Timestamp> {
    let (id, _) = name.split_once('_')?;
    let (stamp, sequence) = id.split_once('-')?;
    let numbered = !sequence.is_empty() && sequence.bytes().all(|byte| byte.is_ascii_digit());
    let stamp = DateTime::strptime(claim::STAMP, stamp).ok().filter(|_| numbered && stamp.len() == 16)?;
    Some(stamp.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests;
