//! When to try again, and what a receipt says about what was sent.

use jiff::{SignedDuration, Timestamp};

use crate::{
    digest::Digest,
    entry::{Entry, Outcome},
    oin::Oin,
    random::Random,
    receipt::{Receipt, VerifiedReceipt},
    refusal::Reason,
    tlog::LogVerifier,
};

/// The first wait after a failure.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// The longest wait: a partner that comes back is found within five minutes even when it does not announce itself.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// Exponential backoff with full jitter between half and the whole of the wait, per partner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// After so many failures in a row.
    pub const fn after(failures: u32) -> Self {
        Self { failures }
    }

    /// Notes a failure and says when to try again; not before `no_sooner`, the partner's own `Retry-After`, if that
    /// stays within [`LONGEST_WAIT`].
    pub fn next(
        &mut self,
        now: Timestamp,
        no_sooner: Option<SignedDuration>,
        random: &dyn Random,
    ) -> Timestamp {
        let wait = (FIRST_WAIT * 2_i32.saturating_pow(self.failures.min(16))).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let mut byte = [0];
        random.fill(&mut byte);
        let jittered = wait / 2 + wait * i32::from(byte[0]) / 510;
        let wait = jittered.max(no_sooner.unwrap_or_default()).min(LONGEST_WAIT);
        now.saturating_add(wait).unwrap_or(now)
    }

    /// The partner was reached: the next failure starts anew.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How often it failed in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

/// What the receiver did with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It is in the inbox.
    Admitted,
    /// It is refused, for good.
    Refused(Reason),
}

/// The answer is not a receipt for what was sent. The partner is at fault, and the messages stay due.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Not readable, or its checkpoint, range or proofs do not hold.
    #[error("the receipt does not verify: {0}")]
    Unproven(String),
    /// It proves something, but not the reception of these messages.
    #[error("the receipt is about other messages")]
    OtherMessages,
}

/// Checks that `receipt` proves, under the partner's log key, the reception of exactly the messages `sent` by `me`,
/// in order, and tells how each ended.
pub fn check_receipt(
    receipt: &Receipt,
    sent: &[Digest],
    me: Oin,
    key: &LogVerifier,
) -> Result<(VerifiedReceipt, Vec<Delivered>), ReceiptFault> {
    let verified = receipt.verify(key).map_err(|error| ReceiptFault::Unproven(error.to_string()))?;
    let leaves: Vec<_> = verified.entries().collect();
    if leaves.len() != sent.len() {
        return Err(ReceiptFault::OtherMessages);
    }
    let outcomes = leaves
        .into_iter()
        .zip(sent)
        .map(|((_, leaf), digest)| match Entry::of_leaf(leaf) {
            Ok(Entry::Ontvangst(entry)) if entry.bericht == *digest && entry.van == me => {
                outcome(entry.uitkomst, entry.reden.map(|code| code.0)).ok_or(ReceiptFault::OtherMessages)
            }
            _ => Err(ReceiptFault::OtherMessages),
        })
        .collect::<Result<_, _>>()?;
    Ok((verified, outcomes))
}

fn outcome(outcome: Outcome, reason: Option<Reason>) -> Option<Delivered> {
    match (outcome, reason) {
        (Outcome::Toegelaten, None) => Some(Delivered::Admitted),
        (Outcome::Geweigerd, Some(reason)) => Some(Delivered::Refused(reason)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
