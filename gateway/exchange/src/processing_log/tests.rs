#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::{
    agreement::AnswerKind,
    digest::Digest,
    entry::{ErasureCause, MAX_ERASED_PER_ENTRY, ReasonCode, Reception},
    refusal::Reason,
};

fn me() -> Oin {
    "00000099000000001000".parse().unwrap()
}

fn reception(outcome: Outcome) -> Entry {
    Entry::Ontvangst(Reception {
        bericht: Digest::of(b"a"),
        id: None,
        reden: None,
        regels: None,
        tijd: Timestamp::UNIX_EPOCH,
        toestemming: None,
        uitkomst: outcome,
        van: me(),
    })
}

fn sending(id: u128) -> Entry {
    Entry::Verzending {
        bericht: Digest::of(b"a"),
        id: Uuid::from_u128(id),
        naar: me(),
        regels: Digest::of(b"b"),
        tijd: Timestamp::UNIX_EPOCH,
        toestemming: None,
    }
}

fn consent(happened: ConsentHappening, number: u128) -> Entry {
    Entry::Toestemming {
        bewijs: None,
        gebeurtenis: happened,
        houder: me(),
        tijd: Timestamp::UNIX_EPOCH,
        toestemming: Uuid::from_u128(number),
        uitkomst: None,
    }
}

fn erasure(messages: Vec<u64>) -> Entry {
    Entry::Wissing { gewist: messages, reden: ErasureCause::Request, tijd: Timestamp::UNIX_EPOCH }
}

fn access() -> Entry {
    Entry::Raadpleging { bewijs: Digest::of(b"a"), tijd: Timestamp::UNIX_EPOCH }
}

fn held_back() -> Entry {
    Entry::Tegengehouden {
        doel: Some("zorg".into()),
        naar: me(),
        reden: ReasonCode(Reason::PurposeNotAllowed),
        tijd: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn what_is_about_no_resident_is_no_operation() {
    let agreement = Entry::Convenant {
        antwoord: AnswerKind::Accepted,
        bewijs: Digest::of(b"a"),
        convenant: Digest::of(b"b"),
        door: me(),
        tijd: Timestamp::UNIX_EPOCH,
    };
    for entry in [Entry::Begin { oin: me(), tijd: Timestamp::UNIX_EPOCH }, agreement] {
        assert_eq!(operations(7, &entry), []);
    }
}

#[test]
fn what_was_not_done_is_recorded_as_failed() {
    let status = |entry: Entry| operations(7, &entry)[0].status;
    assert_eq!(status(reception(Outcome::Toegelaten)), Status::Ok);
    assert_eq!(status(reception(Outcome::Geweigerd)), Status::Error);
    assert_eq!(status(held_back()), Status::Error);
    assert_eq!(status(sending(1)), Status::Ok);
}

#[test]
fn every_message_that_was_erased_is_an_operation_of_its_own() {
    let messages: Vec<u64> = (0..MAX_ERASED_PER_ENTRY as u64).collect();
    let found = operations(900, &erasure(messages.clone()));
    assert_eq!(found.len(), messages.len());
    let about: Vec<About> = found.iter().map(|one| one.about.clone()).collect();
    assert_eq!(about, messages.iter().map(|index| About::Message(*index)).collect::<Vec<_>>());
}

/// What a receiver refers to is what the sender records.
#[test]
fn the_sending_is_recorded_under_what_travels_with_the_message() {
    let id = Uuid::from_u128(77);
    let operation = &operations(3, &sending(77))[0];
    assert_eq!(operation.context(me(), Some(id)), TraceContext::of_message(me(), id));
}

#[test]
fn what_happens_to_a_message_later_is_in_its_trace() {
    let id = Uuid::from_u128(77);
    let sent = operations(3, &sending(77))[0].context(me(), Some(id));
    let erased = operations(9, &erasure(vec![3, 4]));
    assert_eq!(erased[0].context(me(), Some(id)).trace, sent.trace);
    assert_ne!(erased[0].context(me(), Some(id)).operation, sent.operation);
    let arrived = operations(4, &reception(Outcome::Toegelaten))[0].context(me(), None);
    assert_eq!(erased[1].context(me(), None).trace, arrived.trace);
    assert_ne!(arrived.trace, sent.trace);
}

#[test]
fn what_happens_to_a_consent_is_one_trace() {
    let given = operations(3, &consent(ConsentHappening::Verleend, 1))[0].context(me(), None);
    let withdrawn = operations(8, &consent(ConsentHappening::Ingetrokken, 1))[0].context(me(), None);
    let another = operations(9, &consent(ConsentHappening::Verleend, 2))[0].context(me(), None);
    assert_eq!(given.trace, withdrawn.trace);
    assert_ne!(given.trace, another.trace);
    assert_eq!(HashSet::from([given.operation, withdrawn.operation, another.operation]).len(), 3);
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        any::<u128>().prop_map(sending),
        Just(reception(Outcome::Toegelaten)),
        Just(reception(Outcome::Geweigerd)),
        Just(held_back()),
        Just(access()),
        (prop::sample::select(&ConsentHappening::ALL[..]), 0..3_u128)
            .prop_map(|(what, of)| consent(what, of)),
        prop::collection::hash_set(0..40_u64, 0..8).prop_map(|set| erasure(set.into_iter().collect())),
    ]
}

proptest! {
    /// In a whole log no two operations have one identifier, none is all zero, and again is the same.
    #[test]
    fn identifiers_are_unique_and_the_same_each_time(log in prop::collection::vec(entry(), 1..40)) {
        let ids = |log: &[Entry]| -> Vec<TraceContext> {
            let sent = |index: u64| match log.get(usize::try_from(index).unwrap()) {
                Some(Entry::Verzending { id, .. }) => Some(*id),
                _ => None,
            };
            let found = log.iter().enumerate().flat_map(|(index, entry)| operations(index as u64, entry));
            found
                .map(|one| {
                    let id = if let About::Message(index) = one.about { sent(index) } else { None };
                    one.context(me(), id)
                })
                .collect()
        };
        let found = ids(&log);
        prop_assert_eq!(&found, &ids(&log));
        let distinct: HashSet<_> = found.iter().map(|one| one.operation).collect();
        prop_assert_eq!(distinct.len(), found.len());
        for one in found {
            prop_assert!(one.trace.as_bytes() != &[0; 16] && one.operation.as_bytes() != &[0; 8]);
        }
    }
}
