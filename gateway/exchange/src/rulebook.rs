//! What a node decides by: its agreements with their answers, and the purposes they name.

use std::{collections::HashMap, sync::Arc};

mod replacing;

pub use replacing::{OVERLAP, Replacement};

use crate::{agreement::Agreement, digest::Digest, oin::Oin, purpose::Purpose};

/// A snapshot of the rules. It never changes: when an answer or a purpose comes in, a new one takes its place.
#[derive(Debug, Clone, Default)]
pub struct Rulebook {
    agreements: HashMap<Digest, Arc<Agreement>>,
    purposes: HashMap<Digest, Arc<Purpose>>,
    /// The versions of each group that has more than one, oldest first.
    versions: HashMap<String, Vec<Arc<Agreement>>>,
}

impl Rulebook {
    /// The rules made of these agreements and purposes.
    pub fn new(
        agreements: impl IntoIterator<Item = Agreement>,
        purposes: impl IntoIterator<Item = Purpose>,
    ) -> Self {
        let agreements: HashMap<Digest, Arc<Agreement>> =
            agreements.into_iter().map(|one| (one.digest(), Arc::new(one))).collect();
        Self {
            versions: replacing::versions(agreements.values()),
            agreements,
            purposes: purposes.into_iter().map(|one| (one.digest(), Arc::new(one))).collect(),
        }
    }

    /// The agreement with this digest.
    pub fn agreement(&self, digest: Digest) -> Option<&Arc<Agreement>> {
        self.agreements.get(&digest)
    }

    /// Every agreement, in no particular order.
    pub fn agreements(&self) -> impl Iterator<Item = &Arc<Agreement>> {
        self.agreements.values()
    }

    /// The purpose with this digest.
    pub fn purpose(&self, digest: Digest) -> Option<&Arc<Purpose>> {
        self.purposes.get(&digest)
    }

    /// Every purpose, in no particular order.
    pub fn purposes(&self) -> impl Iterator<Item = &Arc<Purpose>> {
        self.purposes.values()
    }

    /// The agreements under which `from` may send `to` messages of this type for this purpose, in force or not, the
    /// newest version first.
    pub fn agreements_for(
        &self,
        from: Oin,
        to: Oin,
        purpose: &str,
        message_type: &str,
    ) -> Vec<&Arc<Agreement>> {
        let covers = |agreement: &&Arc<Agreement>| {
            agreement.content().afspraken.iter().any(|clause| clause.covers(from, to, purpose, message_type))
        };
        let mut found: Vec<_> = self.agreements.values().filter(covers).collect();
        found.sort_by_key(|agreement| std::cmp::Reverse((agreement.content().versie, agreement.digest())));
        found
    }
}

#[cfg(test)]
mod tests;
