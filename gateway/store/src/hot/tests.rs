#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use exchange::{digest::Digest, tlog::Leaf};
use jiff::Timestamp;
use uuid::Uuid;

use super::*;

fn oin(number: u8) -> Oin {
    format!("0000009900000{number:04}000").parse().unwrap()
}

fn message(to: Oin, bytes: usize) -> Outgoing {
    Outgoing {
        to,
        id: Uuid::from_u128(1),
        case: Uuid::from_u128(2),
        message_type: "",
        purpose: String::new(),
        agreement: Digest::of(b""),
        digest: Digest::of(b""),
        jws: "x".repeat(bytes),
        leaf: Leaf::new(Vec::new()),
        created: Timestamp::UNIX_EPOCH,
        expires: Timestamp::UNIX_EPOCH,
        priority: Priority::Normal,
        row: None,
        keep_until: jiff::Timestamp::MAX,
        consent: None,
        tells: None,
        step: None,
        subject: exchange::person::LookupKeys::default(),
        tokens: crate::subject::Tokens::default(),
    }
}

fn keep(hot: &Hot, to: Oin, index: u64, bytes: usize) {
    hot.keep(vec![message(to, bytes)], &[Enqueued::Queued { index }], 0, |_, _, _| false);
}

fn found(hot: &Hot, to: Oin, indexes: &[u64]) -> Vec<u64> {
    hot.take(to, indexes).into_iter().flatten().map(|message| message.index).collect()
}

#[test]
fn gives_each_message_once_to_its_own_partner() {
    let hot = Hot::default();
    keep(&hot, oin(1), 5, 10);
    assert!(found(&hot, oin(2), &[5]).is_empty());
    assert_eq!(found(&hot, oin(1), &[4, 5, 6]), [5]);
    assert!(found(&hot, oin(1), &[5]).is_empty());
    assert_eq!(hot.lock().bytes, 0);
}

#[test]
fn does_not_keep_what_was_not_queued_or_is_gone() {
    let hot = Hot::default();
    let messages = vec![message(oin(1), 10); 3];
    let enqueued =
        [Enqueued::AlreadyOffered { index: 1 }, Enqueued::Queued { index: 2 }, Enqueued::Queued { index: 3 }];
    hot.keep(messages, &enqueued, 0, |_, _, index| index == 3);
    assert_eq!(found(&hot, oin(1), &[1, 2, 3]), [2]);
    assert_eq!(hot.lock().bytes, 0);
}

#[test]
fn has_a_limit_for_each_partner_and_for_all() {
    let hot = Hot::default();
    let size = 60_000;
    for number in 1..=8 {
        for index in 0..200 {
            keep(&hot, oin(number), index, size);
        }
    }
    let state = hot.lock();
    assert!(state.bytes <= MAX_BYTES && state.bytes > MAX_BYTES - 2 * size);
    assert!(state.partners.values().all(|partner| partner.bytes <= MAX_PARTNER_BYTES));
    assert_eq!(state.bytes, state.partners.values().map(|partner| partner.bytes).sum::<usize>());
    drop(state);
    assert_eq!(found(&hot, oin(1), &[0, 1, 199]), [0, 1], "the oldest are wanted first");
}

#[test]
fn lets_go_of_a_partner() {
    let hot = Hot::default();
    keep(&hot, oin(1), 1, 10);
    keep(&hot, oin(2), 2, 10);
    hot.forget(oin(1));
    hot.forget(oin(3));
    assert_eq!((found(&hot, oin(1), &[1]), found(&hot, oin(2), &[2])), (vec![], vec![2]));
    assert_eq!(hot.lock().bytes, 0);
}

#[test]
fn forgets_what_was_erased_before_and_after_it_came() {
    let hot = Hot::default();
    keep(&hot, oin(1), 1, 10);
    keep(&hot, oin(1), 2, 10);
    let before = hot.erasures();
    hot.erase(&[(oin(1), 1), (oin(1), 9), (oin(2), 3)]);
    assert_eq!(found(&hot, oin(1), &[1, 2]), [2]);
    // Queued before the erasure and brought here after it.
    hot.keep(vec![message(oin(2), 10)], &[Enqueued::Queued { index: 3 }], before, |_, _, _| false);
    assert!(found(&hot, oin(2), &[3]).is_empty());
    hot.keep(vec![message(oin(2), 10)], &[Enqueued::Queued { index: 4 }], hot.erasures(), |_, _, _| false);
    assert_eq!(found(&hot, oin(2), &[4]), [4]);
    assert_eq!(hot.lock().bytes, 0);
}
