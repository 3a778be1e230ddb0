//! When nobody is writing a file any more. No clock, no disk: it is told what there is and when.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// Names renamed in that were not looked at yet; what is over waits like any other file.
const MAX_RENAMED: usize = 10_000;

/// What a writer changes about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Length in bytes.
    pub size: u64,
    /// Last change, where the file system knows it.
    pub modified: Option<SystemTime>,
}

impl Look {
    /// The look of a file.
    pub fn of(metadata: &Metadata) -> Look {
        Look { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// Follows files until they have not changed for a while, or were renamed in: then they are complete.
#[derive(Debug)]
pub struct Settling {
    quiet: Duration,
    renamed: BTreeSet<OsString>,
    seen: BTreeMap<OsString, (Look, Duration)>,
}

impl Settling {
    /// Files are complete when they did not change for `quiet`.
    pub fn new(quiet: Duration) -> Settling {
        Settling { quiet, renamed: BTreeSet::new(), seen: BTreeMap::new() }
    }

    /// Notes that `name` was renamed into place: whoever wrote it had finished.
    pub fn renamed_in(&mut self, name: OsString) {
        if self.renamed.len() < MAX_RENAMED {
            self.renamed.insert(name);
        }
    }

    /// Looks at all files there are at `elapsed` (time since any fixed moment); which are complete, in their order.
    pub fn observe(&mut self, elapsed: Duration, present: &[(OsString, Look)]) -> Vec<(OsString, Look)> {
        let mut seen = BTreeMap::new();
        let mut complete = Vec::new();
        for (name, look) in present {
            let since = match self.seen.get(name) {
                Some((before, since)) if before == look => *since,
                _ => elapsed,
            };
            seen.insert(name.clone(), (*look, since));
            if self.renamed.contains(name) || elapsed.saturating_sub(since) >= self.quiet {
                complete.push((name.clone(), *look));
            }
        }
        self.seen = seen;
        self.renamed.clear();
        complete
    }

    /// Starts anew with `name`: it turned out not to be complete.
    pub fn forget(&mut self, name: &OsString) {
        self.seen.remove(name);
    }

    /// Whether files are waiting to be found complete.
    pub fn is_waiting(&self) -> bool {
        !self.seen.is_empty()
    }
}

#[cfg(test)]
mod tests;
