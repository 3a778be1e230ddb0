#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::{Mutex, PoisonError};

use super::*;

/// Looks at these, the second of which cannot be dealt with; says which were dealt with, and where to go on.
async fn round(numbers: &[u64], full: usize) -> (Vec<u64>, Option<u64>) {
    let dealt_with = Mutex::new(Vec::new());
    let settle_one = |number: u64| {
        if number == 2 {
            return Err(StoreError::Corrupt("a step".into()));
        }
        dealt_with.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        Ok(())
    };
    let after = look_at(numbers, full, |number| std::future::ready(settle_one(number))).await;
    (dealt_with.into_inner().unwrap(), after)
}

#[tokio::test]
async fn one_that_cannot_be_dealt_with_holds_up_no_other() {
    assert_eq!(round(&[1, 2, 3], 3).await, (vec![1, 3], Some(3)));
    // Also when a round is full of those: the next goes on after them.
    assert_eq!(round(&[2], 1).await, (vec![], Some(2)));
    assert_eq!(round(&[3], 2).await, (vec![3], None), "then it begins anew");
    assert_eq!(round(&[], 2).await, (vec![], None));
}
