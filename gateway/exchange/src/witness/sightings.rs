//! The heads of one log that its receipts showed since it was last checked.
//!
//! A receipt proves that its entries are in the tree of its checkpoint, and with which tree that begins. Where one receipt
//! goes on from another, the later stands for both. What does not go on from anything that is known waits here until the
//! log is asked how it belongs to what was verified: so a log that shows another content once, and takes it back, is found
//! out, whichever of its receipts that was in.

use super::{Next, compare};
use crate::{
    receipt::VerifiedReceipt,
    tlog::{Checkpoint, Hash},
};

/// The most heads that wait for a check. Of more, some are left out by chance: a log cannot know which.
pub const MAX_SIGHTINGS: usize = 32;

/// What a receipt showed of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The checkpoint as it was signed.
    pub note: String,
    head: Checkpoint,
    /// The tree that this one begins with: its size and root.
    begins: (u64, Hash),
}

impl Sighting {
    /// What this receipt shows.
    pub fn of(receipt: &VerifiedReceipt) -> Self {
        let before = receipt.before();
        Self {
            note: receipt.note().to_owned(),
            head: receipt.checkpoint().clone(),
            begins: (before.size(), before.root()),
        }
    }

    /// Whether this tree begins with that one; nothing when the receipt does not say so.
    fn goes_on_from(&self, earlier: &Self) -> Option<bool> {
        (self.begins.0 == earlier.head.size).then(|| self.begins.1 == earlier.head.root)
    }
}

/// What follows from one more sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighted {
    /// Nothing that is not as it should be.
    Consistent,
    /// It does not go on from what was seen: the log is to be asked now.
    Doubtful,
    /// Another root was signed for the same size, in this note: the two are a proof.
    Split(String),
}

/// The heads that wait for a check, at most [`MAX_SIGHTINGS`].
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    waiting: Vec<Sighting>,
    doubtful: bool,
}

impl Sightings {
    /// Takes in what a receipt showed. `chance` says which makes room when there are too many.
    pub fn see(&mut self, seen: Sighting, chance: u8) -> Sighted {
        let mut place = None;
        for (index, known) in self.waiting.iter().enumerate() {
            match compare(Some(&known.head), &seen.head) {
                Next::Known => return Sighted::Consistent,
                Next::Contradicts => {
                    self.doubtful = true;
                    return Sighted::Split(known.note.clone());
                }
                Next::First | Next::Prove { .. } => {}
            }
            match (seen.goes_on_from(known), known.goes_on_from(&seen)) {
                // Receipts may come in another order than the log went.
                (_, Some(true)) => return Sighted::Consistent,
                (Some(true), _) => place = Some(index),
                (Some(false), _) | (_, Some(false)) => self.doubtful = true,
                (None, None) => {}
            }
        }
        let full = self.waiting.len() >= MAX_SIGHTINGS;
        let place = place.or_else(|| full.then(|| usize::from(chance) % MAX_SIGHTINGS));
        match place.and_then(|place| self.waiting.get_mut(place)) {
            Some(earlier) => *earlier = seen,
            None => self.waiting.push(seen),
        }
        if self.doubtful { Sighted::Doubtful } else { Sighted::Consistent }
    }

    /// The checkpoints that wait, as they were signed, in the order in which they came.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().map(|one| one.note.as_str())
    }

    /// Whether the log is to be asked now.
    pub const fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// The log was asked about all of what waits: it is asked again in its turn.
    pub const fn asked(&mut self) {
        self.doubtful = false;
    }

    /// This one was held against the log: it need not wait any longer.
    pub fn checked(&mut self, note: &str) {
        self.waiting.retain(|one| one.note != note);
    }
}

#[cfg(test)]
mod tests;
