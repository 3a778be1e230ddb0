//! What local systems handed over: whose it is, what was answered, and page after page of it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    model::Direction,
    submission::{ANSWER_LIFETIME, Answered, EarlierAnswer, Listing, MAX_ANSWER_BYTES},
};

fn answered(store: &Store, name: &str, key: &str, content: &[u8], messages: Vec<u64>) -> Answered {
    let by = store.submitter(name);
    Answered {
        by,
        request: store.request_key(by, key),
        content: store.intake_key(content),
        answer: format!("{{\"of\":{}}}", content.len()),
        messages,
        when: now(),
    }
}

#[tokio::test]
async fn an_answer_is_remembered_for_who_asked_and_for_a_while() {
    let place = Place::new();
    let store = place.create().await;
    let first = answered(&store, "zaaksysteem", "sleutel-1", b"een", vec![]);
    store.remember_answer(first.clone()).await.unwrap();
    // Once more, with something else: what was answered stays.
    store.remember_answer(answered(&store, "zaaksysteem", "sleutel-1", b"twee!", vec![])).await.unwrap();
    let known = EarlierAnswer { content: store.intake_key(b"een"), answer: "{\"of\":3}".into() };
    assert_eq!(store.earlier_answer(first.request, now()).await.unwrap(), Some(known.clone()));

    let other = store.submitter("ander systeem");
    assert_ne!(store.request_key(other, "sleutel-1"), first.request);
    store.close().await;

    let store = place.open().await.unwrap();
    let almost = now() + ANSWER_LIFETIME - SignedDuration::from_secs(1);
    assert_eq!(store.earlier_answer(first.request, almost).await.unwrap(), Some(known));
    let later = now() + ANSWER_LIFETIME;
    assert_eq!(store.earlier_answer(first.request, later).await.unwrap(), None);
    // The key can be used again, for something else.
    let again = Answered { when: later, ..answered(&store, "zaaksysteem", "sleutel-1", b"nieuw", vec![]) };
    store.remember_answer(again.clone()).await.unwrap();
    let known = store.earlier_answer(first.request, later).await.unwrap().unwrap();
    assert_eq!(known.content, again.content);
    let mut bare = place.bare().await;
    let row = sqlx::query("SELECT count(*) FROM submission_answer").fetch_one(&mut bare).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 1);
}

#[tokio::test]
async fn an_answer_has_a_limit() {
    let place = Place::new();
    let store = place.create().await;
    let mut one = answered(&store, "a", "b", b"c", vec![]);
    one.answer = "x".repeat(MAX_ANSWER_BYTES + 1);
    assert!(matches!(store.remember_answer(one).await, Err(StoreError::TooLarge { .. })));
}

#[tokio::test]
async fn a_system_sees_what_it_handed_over() {
    let place = Place::new();
    let store = place.create().await;
    store.queue((0..6).map(|nr| outgoing(nr, 0)).collect()).await.unwrap();
    let mine = answered(&store, "mijn", "k", b"1", vec![0, 2, 5]);
    store.remember_answer(mine.clone()).await.unwrap();
    store.remember_answer(answered(&store, "ander", "k", b"1", vec![1])).await.unwrap();
    let listed = store.list(Listing { by: Some(mine.by), limit: 10, ..Listing::default() }).await.unwrap();
    assert_eq!(listed.rows.iter().map(|row| row.index).collect::<Vec<_>>(), [5, 2, 0]);
    assert_eq!(listed.more_before, None);
    assert!(store.is_submitted_by(mine.by, 2).await.unwrap());
    assert!(!store.is_submitted_by(mine.by, 1).await.unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Page by page one sees everything that passes, once, the newest first, whatever the size of a page.
    #[test]
    fn every_page_follows_on_the_one_before(count in 0_u128..40, limit in 1_usize..9, of in 0_u128..4) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let store = place.create().await;
            let case = |nr: u128| Uuid::from_u128(nr % 4 + 1);
            let all = (0..count).map(|nr| Outgoing { case: case(nr), ..outgoing(nr, 0) }).collect();
            store.queue(all).await.unwrap();
            let (mut seen, mut before) = (Vec::new(), None);
            loop {
                let listing = Listing {
                    case: Some(case(of)), direction: Some(Direction::Outbound), state: Some(State::Waiting), before, limit,
                    ..Listing::default()
                };
                let page = store.list(listing).await.unwrap();
                prop_assert!(page.rows.len() <= limit);
                seen.extend(page.rows.iter().map(|row| row.index));
                prop_assert!(page.more_before.is_none() || page.more_before < before.or(Some(u64::MAX)));
                before = page.more_before;
                if before.is_none() { break }
            }
            let mut expected: Vec<u64> = (0..u64::try_from(count).unwrap()).filter(|nr| u128::from(nr % 4) == of % 4).collect();
            expected.reverse();
            prop_assert_eq!(&seen, &expected);
            prop_assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
            Ok(())
        })?;
    }
}
