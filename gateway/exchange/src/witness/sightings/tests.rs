#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;

use super::*;
use crate::{
    receipt::{Receipt, ReceiptLeaf},
    testing::{log_signer, municipality},
    tlog::{CompactRange, Leaf},
};

/// An entry, which may be another than the log has.
fn leaf(number: usize, is_other: bool) -> Leaf {
    Leaf::new(format!("{is_other} {number}").into_bytes())
}

/// The receipt of entries `from..to`, of a log of which the entries in `other` are not as usual.
fn sighting(from: usize, to: usize, other: &[usize]) -> Sighting {
    let log = log_signer(2);
    let leaf = |number| leaf(number, other.contains(&number));
    let mut range = CompactRange::default();
    (0..from).for_each(|number| range.append(leaf(number).hash()));
    let (size_before, range_before) = (range.size(), range.roots().to_vec());
    (from..to).for_each(|number| range.append(leaf(number).hash()));
    let head = Checkpoint { origin: municipality().log_origin(), size: to as u64, root: range.root() };
    let leaves = (from..to).map(|number| ReceiptLeaf::New(leaf(number))).collect();
    let receipt = Receipt { checkpoint: log.sign(&head), size_before, range_before, leaves };
    Sighting::of(&receipt.verify(&log.verifier()).unwrap())
}

fn waiting(sightings: &Sightings) -> Vec<u64> {
    sightings.waiting.iter().map(|one| one.head.size).collect()
}

#[test]
fn a_receipt_that_goes_on_from_another_stands_for_both() {
    let mut seen = Sightings::default();
    for (from, to, left) in [
        (0, 3, vec![3]),
        (3, 5, vec![5]),
        // Entries of others came in between: nothing says how it belongs to what was seen.
        (8, 9, vec![5, 9]),
        // Late, and known by now.
        (3, 5, vec![5, 9]),
        (6, 8, vec![5, 9]),
        (5, 6, vec![6, 9]),
        (9, 12, vec![6, 12]),
    ] {
        assert_eq!(seen.see(sighting(from, to, &[]), 0), Sighted::Consistent, "{from} {to}");
        assert_eq!(waiting(&seen), left, "{from} {to}");
    }
    assert!(!seen.is_doubtful());
    let note = seen.notes().next().unwrap().to_owned();
    seen.checked(&note);
    assert_eq!(waiting(&seen), [12]);
}

#[test]
fn two_contents_of_one_size_are_a_proof_at_once() {
    let mut seen = Sightings::default();
    let first = sighting(0, 4, &[]);
    seen.see(first.clone(), 0);
    assert_eq!(seen.see(sighting(2, 4, &[3]), 0), Sighted::Split(first.note));
    assert!(seen.is_doubtful());
}

/// The middle one of three shows another content: what came before and after does not know it.
#[test]
fn a_content_that_is_shown_once_waits_to_be_asked_about() {
    for other in [&[0][..], &[3], &[4]] {
        let mut seen = Sightings::default();
        assert_eq!(seen.see(sighting(0, 4, &[]), 0), Sighted::Consistent);
        let shown = sighting(4, 5, other);
        let at_once = seen.see(shown.clone(), 0);
        let after = seen.see(sighting(5, 6, &[]), 0);
        assert_eq!(after, Sighted::Doubtful, "{other:?}");
        assert_eq!(at_once == Sighted::Doubtful, other != [4], "{other:?}");
        assert!(seen.notes().any(|note| note == shown.note), "{other:?}");
        seen.asked();
        assert!(!seen.is_doubtful());
    }
}

#[test]
fn what_waits_is_bounded_and_the_log_does_not_choose() {
    let mut seen = Sightings::default();
    for number in 0..10 * MAX_SIGHTINGS {
        seen.see(sighting(3 * number + 1, 3 * number + 2, &[]), u8::try_from(number % 251).unwrap());
        assert!(seen.notes().count() <= MAX_SIGHTINGS);
    }
    assert_eq!(seen.notes().count(), MAX_SIGHTINGS);
    assert!(!seen.is_doubtful());
    let gone = sighting(9001, 9002, &[]);
    seen.see(gone.clone(), 7);
    assert_eq!(seen.waiting[7], gone);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// An honest log is never doubted, in whatever order its receipts come; one that shows something else once has that
    /// waiting, or is doubted.
    #[test]
    fn an_honest_log_is_never_doubted(
        cuts in prop::collection::btree_set(1_usize..60, 2..12),
        order in any::<u64>(),
        fork in any::<prop::sample::Index>(),
    ) {
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let mut spans: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        spans.sort_by_key(|span| crate::digest::Digest::of(format!("{order} {span:?}").as_bytes()));
        let mut honest = Sightings::default();
        for (from, to) in &spans {
            prop_assert_eq!(honest.see(sighting(*from, *to, &[]), 0), Sighted::Consistent);
        }
        prop_assert!(!honest.is_doubtful() && !honest.waiting.is_empty());
        let forked = fork.index(spans.len());
        let mut other = Sightings::default();
        let mut note = String::new();
        for (place, (from, to)) in spans.iter().enumerate() {
            let entries = if place == forked { vec![to - 1] } else { vec![] };
            let seen = sighting(*from, *to, &entries);
            if place == forked {
                note.clone_from(&seen.note);
            }
            other.see(seen, 0);
        }
        prop_assert!(other.is_doubtful() || other.notes().any(|one| one == note));
    }
}
