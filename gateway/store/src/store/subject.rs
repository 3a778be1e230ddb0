//! Finding everything about a resident.

use std::collections::BTreeSet;

use exchange::person::{Identity, LookupKeys, Match};

use super::Store;
use crate::{
    error::StoreError,
    sqlite::{
        change::Change,
        read,
        subject::{self, Progress, RUN},
    },
    subject::Tokens,
};

/// Messages from before the lookup existed that are opened at once: some milliseconds of work.
const FILL_AT_ONCE: u64 = 128;

/// The most messages that one search opens. A resident has some dozens; more is a mistake in the data, or a search by
/// something that everybody shares.
pub const MAX_CANDIDATES: usize = 2000;

/// The most ways of writing one person that a search follows: more is a number that many people were given by mistake.
const MAX_WAYS: usize = 16;

/// How far the upkeep of the lookup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectUpkeep {
    /// There is more to do now.
    pub more: bool,
    /// Messages from before the lookup existed that still cannot be found, at most.
    pub to_fill: u64,
    /// The size of the log: how much it grows says how busy the node is.
    pub log_size: u64,
}

/// What was found of a person, not yet shown to anybody.
pub(super) struct Candidates {
    /// Certainly of this person.
    pub(super) same: BTreeSet<u64>,
    /// Perhaps.
    pub(super) perhaps: BTreeSet<u64>,
    /// How the person was described, and then each other way in which messages that are certainly theirs write who it is.
    pub(super) ways: Vec<Identity>,
    /// Whether everything was looked through.
    pub(super) complete: bool,
}

impl Store {
    pub(super) fn tokens(&self, subject: &LookupKeys) -> Tokens {
        self.0.tokeniser.of_message(subject)
    }

    /// Does one bounded piece of upkeep of the lookup: messages from before it existed get their tokens, and tokens
    /// are sorted. To be called until there is no more, and again after a while. Opens messages, and shows them to
    /// nobody.
    pub async fn keep_subjects(&self) -> Result<SubjectUpkeep, StoreError> {
        let progress = self.subject_progress().await?;
        if !progress.is_complete() {
            return self.fill(progress).await;
        }
        if progress.run_is_due() {
            self.change(Change::WriteSubjects { run: progress.runs }).await?;
            let more = (progress.runs + 2) * RUN <= progress.size;
            return Ok(SubjectUpkeep { more, to_fill: 0, log_size: progress.size });
        }
        Ok(SubjectUpkeep { more: false, to_fill: 0, log_size: progress.size })
    }

    async fn subject_progress(&self) -> Result<Progress, StoreError> {
        subject::progress(&mut *self.0.readers.acquire().await?).await
    }

    async fn fill(&self, progress: Progress) -> Result<SubjectUpkeep, StoreError> {
        self.refresh_keys();
        let through = (progress.filled + FILL_AT_ONCE).min(progress.fill_to);
        let mut reader = self.0.readers.acquire().await?;
        let mut tokens = Vec::new();
        for index in subject::to_fill(&mut reader, progress.filled, through).await? {
            let identity = match read::payload(&mut reader, &self.0.vault, index).await {
                Ok(message) => Identity::of_message(&message),
                // What nobody can read is about nobody.
                Err(StoreError::Erased | StoreError::NotFound(_)) => None,
                Err(StoreError::Corrupt(_)) => {
                    tracing::error!(index, "a message is damaged, and cannot be found by whom it is about");
                    None
                }
                Err(error) => return Err(error),
            };
            if let Some(identity) = identity {
                tokens.push((index, self.0.tokeniser.tokens(&identity)));
            }
        }
        drop(reader);
        self.change(Change::FillSubjects { tokens, through }).await?;
        Ok(SubjectUpkeep { more: true, to_fill: progress.fill_to - through, log_size: progress.size })
    }

    /// The messages that may be about this person. What is found by how others write them is perhaps about them: a number that
    /// somebody mistyped would otherwise bring one resident's messages to another.
    pub(super) async fn candidates(&self, person: &Identity) -> Result<Candidates, StoreError> {
        let mut found = self.written_as(person).await?;
        let mut tried = BTreeSet::from(self.0.tokeniser.tokens(person).all());
        for way in found.ways.iter().skip(1).take(MAX_WAYS) {
            let tokens = self.0.tokeniser.tokens(way).all();
            if tokens.iter().all(|token| tried.contains(token)) {
                continue;
            }
            tried.extend(tokens);
            let more = self.written_as(way).await?;
            found.complete &= more.complete;
            found.perhaps.extend(more.same.into_iter().chain(more.perhaps));
        }
        found.complete &= found.ways.len() <= MAX_WAYS + 1;
        found.ways.truncate(MAX_WAYS + 1);
        let Candidates { same, perhaps, .. } = &mut found;
        perhaps.retain(|index| !same.contains(index));
        Ok(found)
    }

    /// The messages that are found by this way of writing a person, opened and compared.
    async fn written_as(&self, person: &Identity) -> Result<Candidates, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let complete = subject::progress(&mut reader).await?.is_complete();
        let found = subject::find(&mut reader, self.0.tokeniser.tokens(person), MAX_CANDIDATES + 1).await?;
        let mut candidates = Candidates {
            same: BTreeSet::new(),
            perhaps: BTreeSet::new(),
            ways: vec![person.clone()],
            complete: complete && found.len() <= MAX_CANDIDATES,
        };
        for index in found.into_iter().take(MAX_CANDIDATES) {
            let content = match read::payload(&mut reader, &self.0.vault, index).await {
                Ok(content) => content,
                // Erased since it was found: there is nothing any more.
                Err(StoreError::Erased | StoreError::NotFound(_)) => continue,
                Err(StoreError::Corrupt(_)) => {
                    candidates.complete = false;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(other) = Identity::of_message(&content) else { continue };
            match other.compare(person) {
                Match::Same => {
                    candidates.same.insert(index);
                    if !candidates.ways.contains(&other) {
                        candidates.ways.push(other);
                    }
                }
                Match::Perhaps => drop(candidates.perhaps.insert(index)),
                Match::Different => {}
            }
        }
        Ok(candidates)
    }
}
