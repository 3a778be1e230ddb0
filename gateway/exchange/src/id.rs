//! Identifiers that sort by time.

use jiff::{SignedDuration, Timestamp};
use uuid::{Builder, Uuid, Version};

use crate::random::Random;

/// How far the instant inside an identifier may lie from the time of its message. Identifiers in the order of time
/// keep the index on them small and quick, whoever chose them.
pub const MAX_DRIFT: SignedDuration = SignedDuration::from_hours(1);

/// A new UUIDv7 (RFC 9562) for `now`.
pub fn new(now: Timestamp, random: &dyn Random) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    Builder::from_unix_timestamp_millis(u64::try_from(now.as_millisecond()).unwrap_or(0), &bytes).into_uuid()
}

/// Whether `id` is a UUIDv7 made within [`MAX_DRIFT`] of `time`.
pub fn belongs_to(id: Uuid, time: Timestamp) -> bool {
    let Some(made) = made_at(id) else { return false };
    made.duration_since(time).abs() <= MAX_DRIFT
}

/// The instant inside a UUIDv7, to the millisecond; nothing of another identifier. Whoever has the identifier reads the same.
pub fn made_at(id: Uuid) -> Option<Timestamp> {
    if id.get_version() != Some(Version::SortRand) {
        return None;
    }
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

#[cfg(test)]
mod tests;
