use proptest::prelude::*;

use super::*;

#[test]
fn a_key_is_plain() {
    for good in ["12345678", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "a_b.c~d-e"] {
        assert!(is_key(good), "{good}");
    }
    for bad in ["", "1234567", "met een spatie", "é1234567", "a\"b-12345", &"x".repeat(101)] {
        assert!(!is_key(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn only_plain_letters_pass(text in ".{0,120}") {
        let plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.~".contains(letter));
        prop_assert_eq!(is_key(&text), plain && (8..=100).contains(&text.len()));
    }
}
