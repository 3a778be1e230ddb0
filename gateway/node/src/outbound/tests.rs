#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::agreement::{Agreement, AnswerKind};

use super::*;
use crate::agreements::tests::{LAST_DAY, oin, purpose, signer, text};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A version of a group between parties 0 and 1, with what both said of it.
fn agreement(group: &str, version: u32, answers: &[AnswerKind]) -> Agreement {
    let text =
        text(2, version, LAST_DAY).replacen("\"groep\":\"groep\"", &format!("\"groep\":\"{group}\""), 1);
    let mut agreement = Agreement::parse(&text).unwrap();
    for kind in answers {
        for number in 0..2 {
            let jws = agreement.answer(*kind, at("2026-11-20T09:00:00Z"), &signer(number)).unwrap();
            agreement.add_answer(&jws).unwrap();
        }
    }
    agreement
}

fn chosen(agreements: &[&Agreement]) -> Digest {
    let rules = Rulebook::new(agreements.iter().copied().cloned(), [purpose()]);
    let message_type = "nl.sociaaldomein.signalen.betalingsachterstand.v1";
    let now = at("2026-11-21T09:00:00Z");
    choose_agreement(&rules, oin(1), oin(0), &purpose().content().doel, message_type, now)
}

#[test]
fn a_message_goes_under_the_newest_that_is_in_force_and_was_not_replaced() {
    use AnswerKind::{Accepted, Ended};
    let old = agreement("rivierland", 5, &[Accepted]);
    let new = agreement("rivierland", 6, &[Accepted]);
    let proposed = agreement("rivierland", 7, &[]);
    assert_eq!(chosen(&[&old, &proposed]), old.digest());
    assert_eq!(chosen(&[&old, &proposed, &new]), new.digest());
    // Another cooperation of the same two goes on, whatever its version.
    let ended = agreement("rivierland", 6, &[Accepted, Ended]);
    let other = agreement("een-andere", 1, &[Accepted]);
    assert_eq!(chosen(&[&old, &ended, &other]), other.digest());
    assert_eq!(chosen(&[&old, &ended]), ended.digest(), "so that it says what is the matter");
    assert_eq!(chosen(&[]), Digest::of(b""));
}
