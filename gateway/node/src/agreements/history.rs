//! Who said what to an agreement and when: from the log, which cannot be changed unseen.

use std::collections::BTreeSet;

use exchange::{agreement::AnswerKind, digest::Digest, entry::Entry, oin::Oin};
use jiff::Timestamp;
use serde::Serialize;

use super::AgreementFault;
use crate::core::Core;

/// Entries that are read at once.
const PAGE: u64 = 1_000;
/// The most events that are told: every party says at most three things to an agreement. Beyond that somebody else
/// filled the log.
const MAX_EVENTS: usize = 10_000;

/// A party said something to an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The agreement.
    pub convenant: Digest,
    /// What was said.
    pub antwoord: AnswerKind,
    /// By whom.
    pub door: Oin,
    /// When, by the clock of who said it. Not known of an agreement that was forgotten.
    pub gezegd: Option<Timestamp>,
    /// When it became known here.
    pub bekend: Timestamp,
    /// The digest of the signed answer.
    pub bewijs: Digest,
    /// The number of the entry in this node's log.
    pub regel: u64,
}

/// What was said to these agreements, in the order in which it became known here. `progress` hears how many entries
/// were read, and how many there are.
pub async fn history(
    core: &Core,
    agreements: &BTreeSet<Digest>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Vec<Event>, AgreementFault> {
    let rules = core.rules();
    let size = core.store.log_size().await?;
    let (mut events, mut index) = (Vec::new(), 0);
    while index < size && events.len() < MAX_EVENTS {
        let leaves = core.store.leaves(index, usize::try_from(PAGE).unwrap_or(usize::MAX)).await?;
        if leaves.is_empty() {
            break;
        }
        for leaf in leaves {
            let regel = index;
            index += 1;
            // What cannot be read is for `logboek verify` to tell.
            let Ok(Entry::Convenant { antwoord, bewijs, convenant, door, tijd }) = Entry::of_leaf(&leaf)
            else {
                continue;
            };
            if agreements.contains(&convenant) {
                let known = rules.agreement(convenant);
                let answer = known.and_then(|known| {
                    known.answers().iter().find(|one| Digest::of(one.jws.as_bytes()) == bewijs)
                });
                let gezegd = answer.map(|answer| answer.at);
                events.push(Event { convenant, antwoord, door, gezegd, bekend: tijd, bewijs, regel });
            }
        }
        progress(index, size);
    }
    Ok(events)
}
