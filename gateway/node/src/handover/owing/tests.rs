use super::*;

#[test]
fn a_full_round_is_followed_by_a_short_pause() {
    assert_eq!(pause(true), BETWEEN_ROUNDS);
    assert_eq!(pause(false), INTERVAL);
    const { assert!(BETWEEN_ROUNDS.as_millis() > 0) };
}
