//! What happened that the organisation's own systems want to know, and who was told of it.

use anyhow::{Context as _, Result};
use store::{
    DeadLetters, EventKind, GivenUp, MAX_DEAD_LETTERS, SentOutcome, Store, StoreError, Telling, Webhook,
};

use super::{
    Database,
    consented::Consented,
    given::{Maker, Offer as _, checkpoint, later, lease, now, partner},
    handed::Handed,
};

const HOOK: &str = "zaaksysteem";

/// What happened after an event: what, and at which message.
async fn happened(store: &Store, after: u64) -> Result<Vec<(EventKind, Option<u64>)>> {
    let events = store.events(after, &EventKind::ALL, 100).await?;
    Ok(events.iter().map(|event| (event.kind, event.message.as_ref().map(|row| row.index))).collect())
}

async fn hook(store: &Store) -> Result<Webhook> {
    store.webhooks().await?.into_iter().find(|one| one.name == HOOK).context("a system that is told")
}

fn told(next: u64) -> Telling {
    Telling::Told { told: true, next }
}

fn put_aside() -> Telling {
    Telling::PutAside { failure: "status 500".into() }
}

async fn letters(store: &Store) -> Result<Vec<u64>> {
    let found = store.dead_letters(DeadLetters { limit: 500, ..DeadLetters::default() }).await?;
    Ok(found.iter().map(|one| one.number).collect())
}

/// Whatever makes a change, its event is there when the change is, for every process; only while somebody wants that.
pub async fn keeps_what_happened_while_that_is_wanted(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(301);
    store.take_in(vec![maker.admitted(partner(1)?)?]).await?;
    assert_eq!((store.last_event().await?, happened(&store, 0).await?), (0, Vec::new()));
    store.keep_events(true).await?;
    let other_handle = database.open().await?;
    other_handle.take_in(vec![maker.admitted(partner(1)?)?, maker.refused(partner(1)?)?]).await?;
    store.queue(maker.outgoings(partner(2)?, 4)?).await?;
    let under_way = lease(&store, partner(2)?).await?;
    let outcomes = [SentOutcome::Admitted, SentOutcome::Refused { reason: "schema-ongeldig".into() }];
    let outcomes =
        outcomes.into_iter().chain([SentOutcome::Admitted, SentOutcome::Admitted]).collect::<Vec<_>>();
    store.record_receipt(&under_way, &outcomes, "receipt".into(), checkpoint(4), now()).await?;
    drop(under_way);
    store.queue(maker.outgoings(partner(3)?, 2)?).await?;
    other_handle.give_up(7, GivenUp::NotNeeded, later(1)).await?;
    let expected = vec![
        (EventKind::Admitted, Some(1)),
        (EventKind::Refused, Some(4)),
        (EventKind::Undeliverable, Some(7)),
    ];
    assert_eq!(happened(&store, 0).await?, expected);
    let events = store.events(0, &[EventKind::Undeliverable], 100).await?;
    let [given_up] = events.as_slice() else { anyhow::bail!("one of that kind: {events:?}") };
    assert_eq!((given_up.at, given_up.reason.as_deref()), (later(1), Some(GivenUp::NotNeeded.code())));
    assert_eq!(happened(&store, 1).await?, expected[1..]);
    store.keep_events(false).await?;
    other_handle.take_in(vec![maker.admitted(partner(1)?)?]).await?;
    assert_eq!(store.last_event().await?, 3);
    Ok(())
}

/// What is said in a handover, what of that does not arrive, and the end of a consent.
pub async fn keeps_what_happened_to_cases_and_consents(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.keep_events(true).await?;
    let mut handed = Handed::new(302);
    store.queue(vec![handed.offer(partner(0)?)?]).await?;
    store.take_in(vec![handed.declined(partner(0)?)?]).await?;
    store.queue(vec![handed.offer(partner(1)?)?]).await?;
    store.give_up(2, GivenUp::NotNeeded, later(1)).await?;
    let seen = happened(&store, 0).await?;
    let of_case: Vec<_> = seen.iter().filter(|one| one.0 == EventKind::Handover).map(|one| one.1).collect();
    assert_eq!(of_case, [Some(0), Some(1), Some(2), Some(2)], "{seen:?}");
    let last = store.last_event().await?;
    let (consent, theirs) = (Consented::ours(303)?, Consented::theirs(304)?);
    consent.record_in(&store).await??;
    assert_eq!(store.last_event().await?, last);
    consent.withdraw_in(&store).await?;
    consent.withdraw_in(&store).await?;
    let ended = store.events(last, &[EventKind::Withdrawn], 10).await?;
    assert_eq!(ended.iter().map(|event| event.consent).collect::<Vec<_>>(), [Some(consent.key)]);
    // One of which only the withdrawal comes.
    store.take_in(vec![theirs.withdrawal()?]).await?;
    let ended = store.events(ended[0].number, &[EventKind::Withdrawn], 10).await?;
    assert_eq!(ended.iter().map(|event| event.consent).collect::<Vec<_>>(), [Some(theirs.key)]);
    Ok(())
}

/// Each system goes on where it was; of two who say how telling ended, the first counts.
pub async fn remembers_who_was_told(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.keep_events(true).await?;
    let maker = Maker::new(305);
    store.take_in(maker.admitteds(partner(1)?, 2)?).await?;
    store.begin_webhook(HOOK).await?;
    store.take_in(maker.admitteds(partner(1)?, 3)?).await?;
    store.begin_webhook(HOOK).await?;
    assert_eq!(hook(&store).await?.next, 3, "from when it began");
    assert!(store.note_telling(HOOK, (3, 3), told(4), now()).await?);
    assert!(!store.note_telling(HOOK, (3, 3), told(4), now()).await?);
    let failed = |at| Telling::Failed { failure: "status 500".into(), next_attempt: at };
    assert!(store.note_telling(HOOK, (4, 4), failed(later(1)), now()).await?);
    drop(store);
    let store = database.open().await?;
    let known = hook(&store).await?;
    assert_eq!((known.next, known.attempts, known.next_attempt), (4, 1, Some(later(1))));
    assert_eq!((known.told, known.last_success, known.last_failure), (1, Some(now()), Some(now())));
    assert!(store.note_telling(HOOK, (4, 4), told(5), later(2)).await?);
    let known = hook(&store).await?;
    assert_eq!((known.attempts, known.next_attempt, known.failure), (0, None, None));
    assert!(
        store.note_telling(HOOK, (5, 5), Telling::Stopped { failure: "status 410".into() }, now()).await?
    );
    assert_eq!(hook(&store).await?.stopped, Some(now()));
    assert!(store.resume_webhook(HOOK).await?);
    assert!(!store.resume_webhook(HOOK).await?);
    assert_eq!(hook(&store).await?.next, 5, "it gets what it did not take");
    Ok(())
}

/// What was not taken stays until somebody decides, and so does its event; there is a most of it.
pub async fn keeps_what_was_not_taken(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.keep_events(true).await?;
    store.begin_webhook(HOOK).await?;
    let maker = Maker::new(306);
    store.take_in(maker.admitteds(partner(1)?, 4)?).await?;
    assert!(store.note_telling(HOOK, (1, 1), put_aside(), now()).await?);
    assert!(store.note_telling(HOOK, (2, 2), told(3), now()).await?);
    assert_eq!((letters(&store).await?, hook(&store).await?.dead_letters), (vec![1], 1));
    // It passed the first three; the first is still to be told.
    assert_eq!(store.forget_events(now(), vec![HOOK.into()]).await?, 0, "not so long ago");
    assert_eq!(store.forget_events(later(1), vec![HOOK.into()]).await?, 1);
    assert_eq!(happened(&store, 0).await?.len(), 3);
    assert_eq!(store.retry_dead_letters(vec![1, 9], now()).await?, 1);
    let again = DeadLetters { again: true, hook: Some(HOOK.into()), limit: 10, after: None };
    let found = store.dead_letters(again.clone()).await?;
    assert_eq!((found[0].attempts, found[0].event.number, found[0].event.kind), (1, 1, EventKind::Admitted));
    store.note_dead_letter(1, "status 503".into(), later(1)).await?;
    assert_eq!(store.dead_letters(again).await?, []);
    let found = store.dead_letters(DeadLetters { limit: 10, ..DeadLetters::default() }).await?;
    assert_eq!((found[0].attempts, found[0].failure.as_str(), found[0].at), (2, "status 503", later(1)));
    assert_eq!(store.remove_dead_letters(vec![1]).await?, 1);
    assert_eq!(store.forget_events(later(1), vec![HOOK.into()]).await?, 1);
    assert_eq!(store.last_event().await?, 4, "numbers are not used again");

    for _ in 0..MAX_DEAD_LETTERS {
        // The same event over and over: which it is does not matter here.
        assert!(store.note_telling(HOOK, (3, 3), put_aside(), now()).await?);
        assert!(store.note_telling(HOOK, (4, 4), told(3), now()).await?);
    }
    assert!(!store.note_telling(HOOK, (3, 3), put_aside(), now()).await?);
    assert_eq!(hook(&store).await?.next, 3);
    let too_many = store.retry_dead_letters(vec![1; store::MAX_BATCH + 1], now()).await;
    assert!(matches!(too_many, Err(StoreError::TooLarge { .. })));
    Ok(())
}
