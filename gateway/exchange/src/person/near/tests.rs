use proptest::prelude::*;

use super::{distance, is_spelled_alike, one_apart, skeleton};

#[test]
fn counts_the_mistakes_of_a_typist() {
    for (one, other, expected) in [
        ("jansen", "jansen", 0),
        ("jansen", "janssen", 1),
        ("jansen", "jasnen", 1),
        ("jansen", "hansen", 1),
        ("visser", "visse", 1),
        ("brouwer", "bruwers", 2),
        ("ca", "abc", 3),
        ("", "ab", 2),
    ] {
        assert_eq!(distance(one, other, 3), expected, "{one} {other}");
    }
    assert_eq!(distance("jansen", "pietersen", 2), 3, "more than it was asked for");
    assert!(one_apart("4906AN", "4906NA") && one_apart("19", "91") && one_apart("19", "119"));
    assert!(!one_apart("19", "19") && !one_apart("1974-01-20", "1975-02-20"));
}

#[test]
fn names_that_sound_alike_are_spelled_alike() {
    for (one, other) in [
        ("jansen", "janssen"),
        ("claassen", "klaasen"),
        ("schmidt", "smit"),
        ("vischer", "visser"),
        ("dykstra", "dikstra"),
        ("pfeiffer", "pfeifer"),
        ("kuipers", "kuypers"),
        ("vermeulen", "vermuelen"),
    ] {
        assert!(is_spelled_alike(one, other) && is_spelled_alike(other, one), "{one} {other}");
    }
    for (one, other) in [("smit", "bakker"), ("vos", "bos"), ("jansen", "brouwer"), ("meyer", "mulder")] {
        assert!(!is_spelled_alike(one, other), "{one} {other}");
    }
    assert_eq!((skeleton("aa").as_str(), skeleton("h").as_str()), ("-", "h"));
}

proptest! {
    #[test]
    fn distance_goes_both_ways_and_stays_below_its_limit(one in "[a-d]{0,8}", other in "[a-d]{0,8}", most in 0_usize..4) {
        let found = distance(&one, &other, most);
        prop_assert_eq!(found, distance(&other, &one, most));
        prop_assert!(found <= most + 1);
        prop_assert_eq!(found == 0, one == other);
    }

    #[test]
    fn a_name_has_a_skeleton(name in "[a-z]{1,20}") {
        prop_assert!(!skeleton(&name).is_empty());
        prop_assert_eq!(skeleton(&name), skeleton(&name.replace('e', "ee")));
    }
}
