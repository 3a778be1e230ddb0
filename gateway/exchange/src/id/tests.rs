#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use uuid::Variant;

use super::*;
use crate::random::SeededRandom;

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap()
}

#[test]
fn an_identifier_is_a_version_7_of_its_moment() {
    // RFC 9562 appendix A.6: 2022-02-22 14:22:22.00 GMT-05:00 is 017F22E279B0 in milliseconds.
    let id = new("2022-02-22T19:22:22Z".parse().unwrap(), &SeededRandom::new(1));
    assert!(id.to_string().starts_with("017f22e2-79b0-7"), "{id}");
    assert_eq!((id.get_version(), id.get_variant()), (Some(Version::SortRand), Variant::RFC4122));
}

#[test]
fn identifiers_of_one_moment_differ() {
    let random = SeededRandom::new(1);
    assert_ne!(new(at(0), &random), new(at(0), &random));
}

#[test]
fn an_identifier_belongs_to_its_hour() {
    let time = at(1_795_253_400_123);
    let id = new(time, &SeededRandom::new(1));
    assert!(belongs_to(id, time));
    assert!(belongs_to(id, time + MAX_DRIFT) && belongs_to(id, time - MAX_DRIFT));
    let more = MAX_DRIFT + SignedDuration::from_nanos(1);
    assert!(!belongs_to(id, time + more) && !belongs_to(id, time - more));
}

#[test]
fn only_version_7_has_a_moment() {
    for other in [
        "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "00000000-0000-0000-0000-000000000000",
        "1ec9414c-232a-6b00-b3c8-9f6bdeced846",
    ] {
        let id: Uuid = other.parse().unwrap();
        assert_eq!(made_at(id), None);
        assert!(!belongs_to(id, at(0)));
    }
}

proptest! {
    #[test]
    fn identifiers_sort_by_time(early in 0..1_i64 << 47, later in 1..1_i64 << 40, seeds: (u64, u64)) {
        let first = new(at(early), &SeededRandom::new(seeds.0));
        let second = new(at(early + later), &SeededRandom::new(seeds.1));
        prop_assert!(first < second);
        prop_assert_eq!(made_at(first), Some(at(early)));
    }

    #[test]
    fn any_uuid_is_judged_without_harm(bits: u128, second in -377_705_023_201_i64..253_402_207_200) {
        let _ = belongs_to(Uuid::from_u128(bits), Timestamp::from_second(second).unwrap());
    }
}
