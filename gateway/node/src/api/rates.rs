//! How often clients ask: so many requests a second for longer than a moment, and more at once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

use super::limits;

/// How much each asked lately.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<String, Bucket>>);

/// What is left of a burst, and since when.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// In thousandths of a request.
    left: u64,
    at: Timestamp,
}

/// How often somebody may ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) rate: u32,
    pub(super) burst: u32,
}

/// A client that is known.
pub(super) const CLIENT: Pace = Pace { rate: limits::RATE, burst: limits::BURST };
/// An address from which somebody asks who is not.
pub(super) const STRANGER: Pace = Pace { rate: limits::STRANGER_RATE, burst: limits::STRANGER_BURST };

/// An address from which somebody asks what everybody may.
pub(super) const OPEN: Pace = Pace { rate: limits::OPEN_RATE, burst: limits::OPEN_BURST };

const THOUSAND: u64 = 1000;

impl Pace {
    const fn full(self) -> u64 {
        self.burst as u64 * THOUSAND
    }
}

impl Bucket {
    /// What came back since, with a clock that may also go back.
    fn refilled(self, now: Timestamp, pace: Pace) -> Self {
        let milliseconds = u64::try_from(now.duration_since(self.at).as_millis()).unwrap_or(0);
        let back = milliseconds.saturating_mul(u64::from(pace.rate));
        Self { left: self.left.saturating_add(back).min(pace.full()), at: now }
    }
}

impl Rates {
    /// Takes one request of somebody. When there is no room for it: in how many seconds there is.
    pub(super) fn take(&self, who: &str, now: Timestamp, pace: Pace) -> Result<(), u64> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= limits::REMEMBERED && !buckets.contains_key(who) {
            // Whoever asked nothing for a while is as one that never did.
            buckets.retain(|_, bucket| now.duration_since(bucket.at).as_secs().abs() < FORGET_SECONDS);
            if buckets.len() >= limits::REMEMBERED {
                return Err(1);
            }
        }
        let bucket = buckets.entry(who.to_owned()).or_insert(Bucket { left: pace.full(), at: now });
        *bucket = bucket.refilled(now, pace);
        match bucket.left.checked_sub(THOUSAND) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err((THOUSAND - bucket.left).div_ceil(u64::from(pace.rate) * THOUSAND).max(1)),
        }
    }
}

/// After so long a burst is full again.
const FORGET_SECONDS: i64 = 60;

#[cfg(test)]
mod tests;
