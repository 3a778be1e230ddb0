//! A clock that the demonstration can move ahead, so that a term ends while somebody looks on.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use exchange::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// The clock of all nodes of a demonstration.
pub(super) struct DemoClock {
    real: Arc<dyn Clock>,
    ahead_ms: AtomicI64,
}

impl DemoClock {
    /// Not moved.
    pub(super) const fn new(real: Arc<dyn Clock>) -> Self {
        Self { real, ahead_ms: AtomicI64::new(0) }
    }

    /// Shows at least this moment, until what comes of this is dropped: then the clock is right again.
    pub(super) fn show(&self, moment: Timestamp) -> Moved<'_> {
        let ahead = self.real.now().duration_until(moment).as_millis();
        let ahead = i64::try_from(ahead).unwrap_or(0).max(0);
        // What is left of a millisecond counts: a term ends when its last moment came.
        self.ahead_ms.store(ahead.saturating_add(1), Ordering::Relaxed);
        Moved(self)
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        let now = self.real.now();
        now.saturating_add(ahead).unwrap_or(now)
    }
}

/// While it lives the clock is ahead.
pub(super) struct Moved<'c>(&'c DemoClock);

impl Drop for Moved<'_> {
    fn drop(&mut self) {
        self.0.ahead_ms.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use exchange::clock::ManualClock;

    use super::*;

    #[test]
    fn it_is_ahead_while_it_is_shown_and_right_after_that() {
        let begin: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
        let clock = DemoClock::new(Arc::new(ManualClock::at(begin)));
        assert_eq!(clock.now(), begin);
        let moment = begin + SignedDuration::from_hours(4);
        let moved = clock.show(moment);
        assert!(clock.now() >= moment && clock.now() < moment + SignedDuration::from_secs(1));
        drop(moved);
        assert_eq!(clock.now(), begin);
        // A moment that passed moves nothing back.
        let _moved = clock.show(begin - SignedDuration::from_hours(4));
        assert!(clock.now() >= begin);
    }
}
