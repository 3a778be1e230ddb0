//! A message from draft to filed, one type per stage. A stage can only be reached through the one before it:
//!
//! ```text
//! Draft ─permit→ PermittedDraft ─sign→ SignedMessage           (sender)
//! ReceivedMessage ─verify→ VerifiedMessage ─admit→ AdmittedMessage   (receiver)
//! ```
//!
//! [`SignedMessage`] and [`AdmittedMessage`] have no public constructor, so what the rules did not permit can reach
//! neither the outbox nor the inbox.

use jiff::SignedDuration;

mod receiving;
mod sending;

pub use receiving::{AdmittedMessage, ReceivedMessage, RefusedMessage, VerifiedMessage};
pub use sending::{Draft, PermittedDraft, SignedMessage};

/// How far a sender's clock may run ahead of the receiver's.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The longest a message may wait for delivery, counted from its time.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 92);

#[cfg(test)]
mod tests;
