#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::{Mutex, PoisonError};

use super::*;

fn cases(numbers: &[u128]) -> Vec<HandoverCase> {
    numbers
        .iter()
        .map(|number| HandoverCase { case: Uuid::from_u128(*number), changes: 1, due: None })
        .collect()
}

/// Looks at these cases, the second of which cannot be dealt with; says which were dealt with, and where to go on.
async fn round(numbers: &[u128], full: usize) -> (Vec<u128>, Option<u128>) {
    let dealt_with = Mutex::new(Vec::new());
    let settle_one = |case: Uuid| {
        if case.as_u128() == 2 {
            return Err(StoreError::Corrupt("a step".into()));
        }
        dealt_with.lock().unwrap_or_else(PoisonError::into_inner).push(case.as_u128());
        Ok(())
    };
    let after = look_at(&cases(numbers), full, |case| std::future::ready(settle_one(case))).await;
    (dealt_with.into_inner().unwrap(), after.map(|seen| seen.case.as_u128()))
}

#[tokio::test]
async fn one_that_cannot_be_dealt_with_holds_up_no_other() {
    assert_eq!(round(&[1, 2, 3], 3).await, (vec![1, 3], Some(3)));
    // Also when a round is full of those: the next goes on after them.
    assert_eq!(round(&[2], 1).await, (vec![], Some(2)));
    assert_eq!(round(&[3], 2).await, (vec![3], None), "then it begins anew");
    assert_eq!(round(&[], 2).await, (vec![], None));
}

#[test]
fn a_full_round_is_followed_by_a_short_pause() {
    assert_eq!(pause(true), BETWEEN_ROUNDS);
    assert_eq!(pause(false), INTERVAL);
    const { assert!(BETWEEN_ROUNDS.as_millis() > 0) };
}
