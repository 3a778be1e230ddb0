use super::*;

fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

#[test]
fn the_name_in_busy_can_be_read_back() {
    for name in ["lijst.csv", "lijst_van-1_mei.csv", "Ŝtrange ñame", "_"] {
        let taken = ClaimName::new(now(), 12, name);
        assert_eq!(taken.in_busy(), format!("20261121T093000Z-12-1_{name}"));
        assert_eq!(taken.when_finished(), format!("20261121T093000Z-12_{name}"));
        assert_eq!(ClaimName::parse(&taken.in_busy()), Some(taken.clone()));
        assert_eq!(ClaimName::parse(&taken.next_attempt().in_busy()).unwrap().attempt, 2);
    }
}

#[test]
fn names_of_others_are_not_ours() {
    for name in [".slot", "lijst.csv", "a-1_lijst.csv", "20261121T093000Z-x-1_a", "20261121T093000Z-1-x_a"] {
        assert_eq!(ClaimName::parse(name), None, "{name}");
    }
}

#[test]
fn long_names_are_shortened_and_keep_their_extension() {
    let long = ClaimName::new(now(), 1, &format!("{}.csv", "é".repeat(120)));
    assert!(long.name.len() <= MAX_NAME_BYTES && long.name.ends_with("é.csv"), "{}", long.name);
    let odd = ClaimName::new(now(), 1, &format!("a.{}", "x".repeat(200)));
    assert!(odd.name.len() <= MAX_NAME_BYTES);
}
