//! The eleven-test catches what it is made for: one wrong digit.

use proptest::prelude::*;

use super::is_valid;

#[test]
fn the_test_persons_pass() {
    for bsn in ["999990342", "123456782", "111222333"] {
        assert!(is_valid(bsn), "{bsn}");
    }
}

#[test]
fn other_forms_fail() {
    for text in
        ["", "000000000", "123456789", "12345678", "0123456782", "12345678a", "1234 56782", "１23456782"]
    {
        assert!(!is_valid(text), "{text}");
    }
}

/// A valid number: eight digits and the ninth that makes it so, where there is one.
fn valid() -> impl Strategy<Value = String> {
    (10_000_000_u32..100_000_000).prop_filter_map("no ninth digit makes this valid", |eight| {
        (0..10).map(|ninth| format!("{eight}{ninth}")).find(|text| is_valid(text))
    })
}

proptest! {
    #[test]
    fn one_changed_digit_breaks_it(bsn in valid(), at in 0..9_usize, add in 1..10_u8) {
        let mut digits = bsn.clone().into_bytes();
        digits[at] = b'0' + (digits[at] - b'0' + add) % 10;
        prop_assert!(!is_valid(std::str::from_utf8(&digits).unwrap()));
    }

    #[test]
    fn at_most_one_ninth_digit_fits(eight in 0_u32..100_000_000) {
        let fitting = (0..10).filter(|ninth| is_valid(&format!("{eight:08}{ninth}"))).count();
        prop_assert!(fitting <= 1);
    }

    #[test]
    fn any_text_is_judged(text in ".{0,12}") {
        let judged = is_valid(&text);
        prop_assert!(!judged || (text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit())));
    }
}
