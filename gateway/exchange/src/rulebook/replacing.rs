//! Which version of an agreement took the place of another.
//!
//! A later version of the same group takes the place of an earlier one between two organisations that are parties of
//! both, from the moment on which it came in force; also when it ended since. Who ends a new version does not so bring
//! back the terms of an old one.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::Rulebook;
use crate::{agreement::Agreement, oin::Oin};

/// How long after an agreement was replaced messages made under it are still admitted: so long a sender may not have
/// heard that the last party accepted the new one.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A version that took the place of another.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// The newest such version.
    pub by: &'a Arc<Agreement>,
    /// When the first such version came in force, by the times in the answers.
    pub since: Timestamp,
    /// The first instant of the first such version: who knows the answers makes nothing new from then on.
    pub begins: Timestamp,
}

/// The versions of each group that has more than one, oldest first.
pub(super) fn versions<'a>(
    agreements: impl Iterator<Item = &'a Arc<Agreement>>,
) -> HashMap<String, Vec<Arc<Agreement>>> {
    let mut groups: HashMap<String, Vec<Arc<Agreement>>> = HashMap::new();
    for agreement in agreements {
        groups.entry(agreement.content().groep.clone()).or_default().push(agreement.clone());
    }
    groups.retain(|_, versions| versions.len() > 1);
    for versions in groups.values_mut() {
        versions.sort_by_key(|one| (one.content().versie, one.digest()));
    }
    groups
}

impl Rulebook {
    /// The versions of a group, oldest first.
    pub fn versions(&self, group: &str) -> Vec<&Arc<Agreement>> {
        let known = self.versions.get(group).map(|versions| versions.iter().collect());
        known.unwrap_or_else(|| {
            self.agreements.values().filter(|agreement| agreement.content().groep == group).collect()
        })
    }

    /// What took the place of an agreement between two of its parties, or will by the answers that are known.
    pub fn replacement(&self, agreement: &Agreement, one: Oin, other: Oin) -> Option<Replacement<'_>> {
        let content = agreement.content();
        let versions = self.versions.get(&content.groep)?;
        let later = versions.iter().filter(|version| version.content().versie > content.versie);
        let of_both = later.filter(|version| version.party(one).is_some() && version.party(other).is_some());
        let mut found: Option<Replacement<'_>> = None;
        for version in of_both {
            let Some(since) = version.in_force_since() else { continue };
            let begins = version.begins();
            let first =
                found.map_or((since, begins), |known| (known.since.min(since), known.begins.min(begins)));
            found = Some(Replacement { by: version, since: first.0, begins: first.1 });
        }
        found
    }

    /// Whether at `now` an agreement is replaced between two of its parties: no new message is made under it.
    pub fn is_replaced(&self, agreement: &Agreement, one: Oin, other: Oin, now: Timestamp) -> bool {
        self.replacement(agreement, one, other).is_some_and(|replacement| replacement.begins <= now)
    }

    /// Whether a message that was made at `made` came too late under an agreement that is replaced.
    pub fn is_too_late(&self, agreement: &Agreement, one: Oin, other: Oin, made: Timestamp) -> bool {
        let replacement = self.replacement(agreement, one, other);
        replacement.is_some_and(|replacement| made.duration_since(replacement.since) > OVERLAP)
    }
}

#[cfg(test)]
mod tests;
