//! When a partner that shows itself is tried.

use exchange::random::SeededRandom;

use super::*;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn after(seconds: i64) -> Timestamp {
    START.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// A partner that could not be reached `times` times, and now waits long.
fn failing(times: u32) -> PartnerState {
    let mut state = PartnerState::default();
    for _ in 0..times {
        state.backoff.next(START, None, &SeededRandom::new(1));
    }
    state.not_before = after(300);
    state
}

#[test]
fn who_does_not_wait_is_not_tried_because_it_shows_itself() {
    assert_eq!(failing(0).heard(START), Heard::Nothing);
}

#[test]
fn who_shows_itself_while_it_comes_up_is_tried_again_soon() {
    let mut state = failing(1);
    assert_eq!(state.heard(after(10)), Heard::TryNow);
    assert_eq!(state.heard(after(11)), Heard::TryAt(after(15)), "the first attempt may have been too early");
    assert!(state.may_try(after(15)) && !state.may_try(after(14)));
    assert_eq!(state.heard(after(14)), Heard::TryAt(after(15)));
    assert_eq!(state.heard(after(15)), Heard::TryNow);
    assert_eq!(state.heard(after(16)), Heard::TryAt(after(20)));
}

#[test]
fn a_clock_that_was_set_back_holds_up_nothing() {
    let mut state = failing(3);
    assert_eq!(state.heard(after(1_000)), Heard::TryNow);
    assert_eq!(state.heard(after(10)), Heard::TryNow);
}
