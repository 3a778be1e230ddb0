//! Watching the log of a partner: does each checkpoint it signs extend those before? And what is kept when one does not.
//!
//! Pure: [`compare`] says what to ask the partner, [`judge`] what its answer means. An [`Alarm`] is evidence that stands
//! by itself: two checkpoints that the partner signed and cannot make one log of.

mod sightings;

pub use sightings::{MAX_SIGHTINGS, Sighted, Sighting, Sightings};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    oin::Oin,
    tlog::{Checkpoint, Hash, LogVerifier, MAX_PROOF_HASHES, NoteError, verify_consistency},
};

/// The `soort` of an alarm as it is written.
pub const ALARM: &str = "schakel-alarm/1";

/// The longest alarm that is read, in bytes: two notes, a proof and little else.
pub const MAX_ALARM_BYTES: usize = 256 * 1024;

/// How a log contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contradiction {
    /// Two checkpoints of one size have different roots: the two signatures alone prove it.
    Gesplitst,
    /// What the log shows as proof that the larger tree begins with the smaller does not prove it.
    Herschreven,
    /// The log says that it has fewer entries than it signed for.
    Ingekort,
}

impl Contradiction {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gesplitst => "gesplitst",
            Self::Herschreven => "herschreven",
            Self::Ingekort => "ingekort",
        }
    }

    /// What happened, for a person: `log` is whose log it is about.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Gesplitst => "het logboek heeft bij één grootte twee verschillende inhouden ondertekend",
            Self::Herschreven => "het logboek is veranderd nadat het was ondertekend",
            Self::Ingekort => "het logboek heeft minder regels dan het eerder ondertekende",
        }
    }
}

/// What to do with a checkpoint that the log signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing of this log was verified before: keep it, and hold what comes later against it.
    First,
    /// It is the one that is kept.
    Known,
    /// Ask for the proof that the tree of `to` leaves begins with that of `from` leaves. A smaller tree than the one
    /// that is kept is no contradiction by itself: answers overtake each other.
    Prove {
        /// The smaller size.
        from: u64,
        /// The larger.
        to: u64,
    },
    /// One size, two roots.
    Contradicts,
}

/// Holds a checkpoint against the last one that was verified. Both must have been opened with the log's key.
pub fn compare(kept: Option<&Checkpoint>, shown: &Checkpoint) -> Next {
    let Some(kept) = kept else { return Next::First };
    match kept.size == shown.size {
        true if kept.root == shown.root => Next::Known,
        true => Next::Contradicts,
        false => Next::Prove { from: kept.size.min(shown.size), to: kept.size.max(shown.size) },
    }
}

/// What the log answered when it was asked for a proof of consistency. No answer, or one that cannot be read, is not an
/// answer: it is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// These hashes.
    Proof(&'a [Hash]),
    /// It says that it has no tree of the larger size.
    Beyond,
}

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The checkpoint extends what was verified before, and takes its place.
    Extends,
    /// It is an earlier state of the log that was verified: nothing new.
    Older,
    /// The log contradicts itself.
    Contradicts(Contradiction),
}

/// Judges the answer to [`Next::Prove`].
pub fn judge(kept: &Checkpoint, shown: &Checkpoint, answer: Answer<'_>) -> Verdict {
    let Answer::Proof(proof) = answer else { return Verdict::Contradicts(Contradiction::Ingekort) };
    let (small, large) = if kept.size <= shown.size { (kept, shown) } else { (shown, kept) };
    match verify_consistency(small.size, large.size, proof, &small.root, &large.root) {
        Ok(()) if kept.size < shown.size => Verdict::Extends,
        Ok(()) => Verdict::Older,
        Err(_) => Verdict::Contradicts(Contradiction::Herschreven),
    }
}

/// Evidence that a log contradicts itself, for whoever wants to see it. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Always [`ALARM`].
    pub soort: String,
    /// How.
    pub aard: Contradiction,
    /// Whose log.
    pub logboek: Oin,
    /// The key it signed with (C2SP vkey).
    pub logsleutel: String,
    /// The signed checkpoint that was verified before.
    pub gezien: String,
    /// The signed checkpoint that does not go with it.
    pub getoond: String,
    /// The proof of consistency that the log gave; none when it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub antwoord: Option<Vec<Hash>>,
    /// Who noticed.
    pub door: Oin,
    /// When.
    pub tijd: Timestamp,
}

/// An alarm that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AlarmError {
    /// It is not an alarm of this version.
    #[error("dit is geen alarm dat dit programma kent")]
    Kind,
    /// The key is none, or of another organisation's log.
    #[error("de logsleutel in het alarm is niet leesbaar of hoort bij een andere organisatie")]
    Key,
    /// One of the checkpoints is not signed with that key.
    #[error("een van de twee controlepunten is niet met de logsleutel ondertekend ({0})")]
    Note(#[from] NoteError),
    /// The two go together, or what is said of them is something else.
    #[error("de twee controlepunten spreken elkaar niet tegen zoals het alarm zegt")]
    NoContradiction,
}

/// What an alarm proves to somebody who trusts the log key and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proven {
    /// All of it: nobody but the holder of the key can have made both signatures, and no log has both trees.
    Contradiction,
    /// That both checkpoints were signed, and that the proof which was given between them does not hold. Whoever
    /// doubts it asks the log for a proof between these two sizes: an honest one can always give it.
    Unproven,
}

impl Alarm {
    /// Checks what an alarm claims.
    pub fn check(&self) -> Result<Proven, AlarmError> {
        if self.soort != ALARM {
            return Err(AlarmError::Kind);
        }
        let key: LogVerifier = self.logsleutel.parse().map_err(|_| AlarmError::Key)?;
        if key.origin() != self.logboek.log_origin() {
            return Err(AlarmError::Key);
        }
        let (kept, shown) = (key.open(&self.gezien)?, key.open(&self.getoond)?);
        let proof = self.antwoord.as_deref().unwrap_or_default();
        if proof.len() > MAX_PROOF_HASHES {
            return Err(AlarmError::NoContradiction);
        }
        let contradicts = match (self.aard, compare(Some(&kept), &shown)) {
            (Contradiction::Gesplitst, next) => return self.split(next),
            (Contradiction::Ingekort, Next::Prove { .. }) => self.antwoord.is_none(),
            (Contradiction::Herschreven, Next::Prove { .. }) => {
                self.antwoord.is_some()
                    && judge(&kept, &shown, Answer::Proof(proof)) == Verdict::Contradicts(self.aard)
            }
            _ => false,
        };
        if contradicts { Ok(Proven::Unproven) } else { Err(AlarmError::NoContradiction) }
    }

    fn split(&self, next: Next) -> Result<Proven, AlarmError> {
        let proven = next == Next::Contradicts && self.antwoord.is_none();
        if proven { Ok(Proven::Contradiction) } else { Err(AlarmError::NoContradiction) }
    }
}

#[cfg(test)]
mod tests;
