//! The form of an OIN.

use proptest::prelude::*;

use super::is_valid;

#[test]
fn the_usual_ones_pass() {
    for oin in ["00000099000000001000", "00000001823288444000", "00000003ABC123456000"] {
        assert!(is_valid(oin), "{oin}");
    }
}

#[test]
fn other_forms_fail() {
    for text in
        ["", "0000009900000000100", "000000990000000010000", "0000009A000000001000", "00000099abc000001000"]
    {
        assert!(!is_valid(text), "{text}");
    }
}

proptest! {
    #[test]
    fn prefix_and_twelve_more_pass(oin in "[0-9]{8}[0-9A-Z]{12}") {
        prop_assert!(is_valid(&oin));
    }

    #[test]
    fn one_character_less_fails(oin in "[0-9]{8}[0-9A-Z]{12}", at in 0..20_usize) {
        let mut shorter = oin;
        shorter.remove(at);
        prop_assert!(!is_valid(&shorter));
    }

    #[test]
    fn one_foreign_character_fails(oin in "[0-9]{8}[0-9A-Z]{12}", at in 0..20_usize, foreign in "[^0-9A-Z]") {
        let mut changed = oin;
        changed.replace_range(at..=at, &foreign);
        prop_assert!(!is_valid(&changed));
    }

    #[test]
    fn any_text_is_judged(text in ".{0,24}") {
        let judged = is_valid(&text);
        prop_assert!(!judged || text.len() == 20);
    }
}
