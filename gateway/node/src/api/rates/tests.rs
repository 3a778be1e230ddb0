#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

const PACE: Pace = Pace { rate: 10, burst: 20 };

fn start() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

#[test]
fn after_a_burst_it_goes_on_at_its_pace() {
    let rates = Rates::default();
    let taken = |at| (0..100).filter(|_| rates.take("a", at, PACE).is_ok()).count();
    assert_eq!(taken(start()), 20);
    assert_eq!(rates.take("a", start(), PACE), Err(1));
    // Somebody else is not held up.
    rates.take("b", start(), PACE).unwrap();
    assert_eq!(taken(start() + SignedDuration::from_secs(1)), 10);
    assert_eq!(taken(start() + SignedDuration::from_hours(1)), 20);
    // A clock that is set back gives nothing, and takes nothing for ever.
    assert_eq!(taken(start()), 0);
    assert_eq!(taken(start() + SignedDuration::from_secs(1)), 10);
}

#[test]
fn so_many_are_remembered() {
    let rates = Rates::default();
    for number in 0..limits::REMEMBERED {
        rates.take(&number.to_string(), start(), PACE).unwrap();
    }
    assert_eq!(rates.take("nieuw", start(), PACE), Err(1));
    rates.take("nieuw", start() + SignedDuration::from_secs(FORGET_SECONDS), PACE).unwrap();
}

proptest! {
    /// In no stretch of time more goes than a burst and the rate together.
    #[test]
    fn never_more_than_a_burst_and_the_rate(steps in prop::collection::vec(0_i64..300, 1..200)) {
        let rates = Rates::default();
        let (mut now, mut taken) = (start(), 0_i64);
        for step in steps {
            now += SignedDuration::from_millis(step);
            taken += i64::from(rates.take("a", now, PACE).is_ok());
        }
        let milliseconds = i64::try_from(now.duration_since(start()).as_millis()).unwrap();
        prop_assert!(taken <= 20 + milliseconds * 10 / 1000 + 1);
    }
}
