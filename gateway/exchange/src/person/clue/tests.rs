use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Clue, Clues};

#[test]
fn every_clue_has_a_name_and_a_sentence_of_its_own() {
    let names: BTreeSet<&str> = Clue::ALL.into_iter().map(Clue::as_str).collect();
    let sentences: BTreeSet<&str> = Clue::ALL.into_iter().map(Clue::sentence).collect();
    assert_eq!((names.len(), sentences.len()), (Clue::ALL.len(), Clue::ALL.len()));
    assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
    assert_eq!(Clue::Prefix.to_string(), "tussenvoegsel");
}

/// They stand in databases.
#[test]
fn numbers_of_clues_stay_what_they_are() {
    for (place, clue) in Clue::ALL.into_iter().enumerate() {
        assert_eq!(Clues::default().with(clue).bits(), 1 << place, "{clue}");
    }
    assert_eq!(Clues::from_bits(u32::MAX).iter().count(), Clue::ALL.len());
}

proptest! {
    #[test]
    fn clues_are_kept_as_a_number(some in proptest::sample::subsequence(Clue::ALL.to_vec(), 0..Clue::ALL.len())) {
        let clues: Clues = some.iter().copied().collect();
        prop_assert_eq!(clues.iter().collect::<Vec<_>>(), some);
        prop_assert_eq!(Clues::from_bits(clues.bits()), clues);
    }
}
