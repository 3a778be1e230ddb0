//! A message from draft to filed, one type per stage. A stage can only be reached through the one before it:
//!
//! ```text
//! Draft ─permit→ PermittedDraft ─sign→ SignedMessage                 (sender; else HeldBack)
//! ReceivedMessage ─verify→ VerifiedMessage ─admit→ AdmittedMessage   (receiver; else RefusedMessage)
//! ```
//!
//! None of those after the first has a public constructor, and the store takes nothing else: what the rules did not
//! permit can reach neither the outbox nor the inbox.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::id;

mod receiving;
mod sending;
mod stored;

pub use receiving::{AdmittedMessage, Attributes, ReceivedMessage, RefusedMessage, VerifiedMessage};
pub use sending::{Draft, HeldBack, PermittedDraft, SignedMessage};
pub use stored::{StoredMessage, agreement_of, document_of, message_type_of, step_of};

/// How far a sender's clock may run ahead of the receiver's.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The longest a message may wait for delivery, counted from its time.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 92);

/// Whether the times of a message fit each other and its identifier, whatever the time is now. The sender asks this
/// before it signs, because every receiver asks it again.
fn times_fit(id: Uuid, time: Timestamp, expires: Timestamp) -> bool {
    let life = expires.duration_since(time);
    !life.is_negative() && life <= MAX_LIFETIME && id::belongs_to(id, time)
}

#[cfg(test)]
mod tests;
