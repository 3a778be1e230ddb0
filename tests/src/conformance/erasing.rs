//! Erasing a case.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result};
use exchange::{
    entry::{Entry, ErasureCause, MAX_ERASED_PER_ENTRY},
    message::Draft,
    tlog::verify_inclusion,
};
use jiff::Timestamp;
use store::{
    BatchLimit, Enqueued, Erased, Filter, MAX_BATCH, Outgoing, PartnerDue, State, Store, StoreError, Swept,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    Database,
    agreed::sign,
    given::{ALL, Maker, Offer as _, admit, admitted, indexes, later, lease, now, partner, queued, verified},
};

/// The states and reasons of all messages.
async fn states(store: &Store) -> Result<Vec<(State, Option<String>)>> {
    let rows = store.messages(Filter { limit: 500, ..Filter::default() }).await?;
    Ok(rows.into_iter().map(|row| (row.state, row.reason)).collect())
}

fn erased() -> (State, Option<String>) {
    (State::Undeliverable, Some("gewist".to_owned()))
}

/// Erases a case on request; says whether there was anything to erase.
async fn erase_case(store: &Store, case: Uuid, at: Timestamp) -> Result<bool> {
    Ok(store.erase_case(case, ErasureCause::Request, at).await?.messages > 0)
}

/// After erasing a case nobody reads it.
pub async fn erases_a_case(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(51);
    let case = maker.id();
    let of_case = || sign(Draft { case, ..maker.signal(partner(1)?)? });
    store.take_in(vec![admitted(&of_case()?, now())?, maker.admitted(partner(1)?)?]).await?;
    assert!(erase_case(&store, case, now()).await?);
    assert!(!erase_case(&store, case, now()).await?);
    assert!(!erase_case(&store, maker.id(), now()).await?);
    assert_eq!(store.payload_for_machine_check(0).await, Err(StoreError::Erased));
    store.payload_for_machine_check(1).await?;

    // The case may live on.
    let next = of_case()?;
    store.take_in(vec![admitted(&next, now())?]).await?;
    assert_eq!(store.payload_for_machine_check(3).await?, next.compact());
    assert_eq!(store.payload_for_machine_check(0).await, Err(StoreError::Erased));
    Ok(())
}

/// What waits in the case does not leave any more, at once and after reopening; everything else does.
pub async fn ends_what_waits_in_the_case(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(52);
    let case = maker.id();
    let of_case = |draft: &mut Draft| draft.case = case;
    store.queue(maker.changed(partner(1)?, 2, of_case)?).await?;
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    store.queue(maker.changed(partner(2)?, 1, of_case)?).await?;
    assert!(erase_case(&store, case, later(1)).await?);

    let waits = (State::Waiting, None);
    assert_eq!(states(&store).await?, [erased(), erased(), waits, erased()]);
    let row = &store.messages(Filter { limit: 1, ..Filter::default() }).await?[0];
    assert_eq!((row.finished, row.case), (Some(later(1)), Some(case)));
    let counts: Vec<_> =
        store.counts().await?.into_iter().map(|count| (count.partner, count.state, count.count)).collect();
    let (one, two) = (partner(1)?, partner(2)?);
    let gone = State::Undeliverable;
    assert_eq!(counts, [(one, State::Waiting, 1), (one, gone, 2), (two, gone, 1)]);
    assert_eq!(store.due(now(), 10).await?, [PartnerDue { oin: one, waiting: 1 }]);
    assert_eq!(store.resend(0, now()).await, Err(StoreError::Erased), "nobody can read it");
    // What comes later in the case goes.
    store.queue(maker.changed(one, 1, of_case)?).await?;
    drop(store);

    let store = database.open().await?;
    assert_eq!(indexes(&lease(&store, one).await?), [2, 5]);
    assert!(store.lease_due(two, now(), ALL).await?.is_none());
    assert_eq!(store.payload_for_machine_check(0).await, Err(StoreError::Erased));
    Ok(())
}

/// A message that is under way can still be filed by its receiver, and then the receipt says so. If not, it does not go
/// again.
pub async fn lets_a_receipt_have_the_last_word(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(53);
    let case = maker.id();
    let to = partner(1)?;
    let of_case = |draft: &mut Draft| draft.case = case;
    store.queue(maker.changed(to, 2, of_case)?).await?;
    store.queue(maker.outgoings(to, 1)?).await?;
    let one = BatchLimit { count: 1, ..ALL };
    let under_way = store.lease_due(to, now(), one).await?.context("nothing is due")?;
    assert!(erase_case(&store, case, now()).await?);
    assert_eq!(states(&store).await?, [erased(), erased(), (State::Waiting, None)]);
    assert_eq!(store.due(now(), 10).await?, [PartnerDue { oin: to, waiting: 1 }]);
    admit(&store, &under_way).await?;
    drop(under_way);
    assert_eq!(states(&store).await?, [(State::Admitted, None), erased(), (State::Waiting, None)]);
    assert_eq!(store.payload_for_machine_check(0).await, Err(StoreError::Erased));

    // No answer: it is not due again, nor anything else but a reason.
    for give_back in [true, false] {
        let case = maker.id();
        let index = queued(&store.queue(maker.changed(to, 1, |draft| draft.case = case)?).await?)?[0];
        let both = lease(&store, to).await?;
        assert_eq!(indexes(&both), [2, index]);
        assert!(erase_case(&store, case, now()).await?);
        if give_back {
            store.release(both);
        } else {
            store.record_undeliverable(&both, "niet-bereikbaar", now()).await?;
            drop(both);
            store.resend(2, now()).await?;
        }
        let again = lease(&store, to).await?;
        assert_eq!(indexes(&again), [2]);
        let row = &store.messages(Filter { after: Some(index - 1), limit: 1, ..Filter::default() }).await?[0];
        assert_eq!((row.state, row.reason.clone()), erased());
        drop(again);
        assert_eq!(store.due(now(), 10).await?, [PartnerDue { oin: to, waiting: 1 }]);
    }
    Ok(())
}

/// Another process erases, while this one delivers and has what it queued at hand.
pub async fn sees_what_another_process_erased(database: &impl Database) -> Result<()> {
    let (store, other) = (database.create().await?, database.open().await?);
    let maker = Maker::new(54);
    let case = maker.id();
    let to = partner(1)?;
    store.queue(maker.changed(to, 1, |draft| draft.case = case)?).await?;
    store.queue(maker.outgoings(to, 1)?).await?;
    assert!(erase_case(&other, case, now()).await?);
    assert_eq!(indexes(&lease(&store, to).await?), [1]);
    assert_eq!(states(&store).await?, [erased(), (State::Waiting, None)]);
    Ok(())
}

/// What is queued while its case is erased comes before that or after it: it is erased, or it goes and can be read.
pub async fn erases_wholly_or_not_at_all(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(55);
    let to = partner(1)?;
    let cases: Arc<Vec<Uuid>> = Arc::new((0..8).map(|_| maker.id()).collect());
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let (store, maker, cases) = (store.clone(), Arc::clone(&maker), Arc::clone(&cases));
        tasks.spawn(async move {
            for round in 0..12 {
                let case = cases[(number + round) % cases.len()];
                queued(&store.queue(maker.changed(to, 2, |draft| draft.case = case)?).await?)?;
                if number % 4 == 0 {
                    erase_case(&store, case, now()).await?;
                }
                if number % 4 == 1 {
                    // Given back at once: what of it was erased is not due again.
                    drop(store.lease_due(to, now(), BatchLimit { count: 5, ..ALL }).await?);
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let gone = || (State::Undeliverable, Some("gewist".to_owned()), Err(StoreError::Erased));
    let mut waiting = BTreeSet::new();
    for row in store.messages(Filter { limit: 500, ..Filter::default() }).await? {
        let payload = store.payload_for_machine_check(row.index).await;
        if row.state == State::Waiting {
            payload?;
            waiting.insert(row.index);
        } else {
            assert_eq!((row.state, row.reason, payload), gone(), "message {}", row.index);
        }
    }
    let counted = |state| {
        let store = &store;
        async move {
            let counts = store.counts().await?.into_iter().filter(|count| count.state == state);
            anyhow::Ok(counts.map(|count| count.count).sum::<u64>())
        }
    };
    assert_eq!(counted(State::Waiting).await?, u64::try_from(waiting.len())?);
    assert_eq!(counted(State::Undeliverable).await?, 16 * 12 * 2 - u64::try_from(waiting.len())?);
    let mut leased = BTreeSet::new();
    while let Some(lease) = store.lease_due(to, now(), ALL).await? {
        leased.extend(indexes(&lease));
        admit(&store, &lease).await?;
    }
    assert!(waiting.len() < 16 * 12 * 2, "something was erased");
    assert_eq!(leased, waiting);
    Ok(())
}

/// A row of a source whose message was erased is not offered: it can be sent again.
pub async fn forgets_the_rows_of_what_it_erased(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(56);
    let case = maker.id();
    let row = store.intake_key(b"row");
    let offer = |at: Timestamp| {
        let message = maker.changed(partner(1)?, 1, |draft| (draft.case, draft.expires) = (case, at))?;
        anyhow::Ok(message.into_iter().map(|message| Outgoing::from(message).of_row(row)).collect())
    };
    assert_eq!(store.queue::<Outgoing>(offer(later(5))?).await?, [Enqueued::Queued { index: 0 }]);
    erase_case(&store, case, now()).await?;
    assert_eq!(store.queue::<Outgoing>(offer(later(6))?).await?, [Enqueued::Queued { index: 2 }]);
    assert_eq!(indexes(&lease(&store, partner(1)?).await?), [2]);
    Ok(())
}

/// The log says what was erased, why and when, and goes on to prove what it held.
pub async fn proves_what_it_erased(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(57);
    let from = partner(1)?;
    let many = MAX_ERASED_PER_ENTRY + 10;
    let known = maker.admitted(from)?;
    store.take_in(vec![known.clone()]).await?;
    store.take_in(maker.admitteds(from, 200)?).await?;
    store.take_in(maker.admitteds(from, many - 201)?).await?;
    let all: Vec<u64> = (0..u64::try_from(many)?).collect();
    let first = all.len() as u64;
    let leaves = store.leaves(0, 1).await?;
    let erased = store.erase(all.clone(), ErasureCause::Withdrawal, later(3)).await?;
    assert_eq!(erased, Erased { messages: first, evidence: vec![first, first + 1] });
    let entries = store.leaves(first, 10).await?;
    let entries: Vec<Entry> = entries.iter().map(Entry::of_leaf).collect::<Result<_, _>>()?;
    let evidence = |gewist: &[u64]| Entry::Wissing {
        gewist: gewist.to_vec(),
        reden: ErasureCause::Withdrawal,
        tijd: later(3),
    };
    let (one, two) = all.split_at(MAX_ERASED_PER_ENTRY);
    assert_eq!(entries, [evidence(one), evidence(two)]);
    let rows = store.messages(Filter { limit: 500, ..Filter::default() }).await?;
    let places: BTreeSet<Option<u64>> = rows.iter().map(|row| row.erased).collect();
    assert_eq!(places, [Some(first), Some(first + 1)].into());
    assert!(rows.iter().all(|row| row.state == State::Admitted), "how it ended does not change");

    let log = store.log_state().await?;
    for index in [0, first - 1, first, first + 1] {
        let leaf = store.leaves(index, 1).await?.pop().context("a leaf")?;
        let proof = store.inclusion(index, log.size).await?;
        verify_inclusion(index, log.size, &leaf.hash(), &proof, &log.root)?;
    }
    assert_eq!(store.leaves(0, 1).await?, leaves);
    // Its sender asks once more, in both ways.
    let again = verified(&store.take_in(vec![known.clone()]).await?)?;
    assert_eq!(
        again.entries().map(|(index, leaf)| (index, leaf.clone())).collect::<Vec<_>>(),
        [(0, known.leaf)]
    );
    let id = known.id.context("an identifier")?;
    let receipt = store.receipt_for(from, id, known.digest).await?.context("a receipt")?;
    assert_eq!(verified(&receipt)?.entries().next().context("an entry")?.0, 0);
    Ok(())
}

/// Once each, whatever is asked; what waits is left to its own end by retention.
pub async fn erases_what_is_there(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(58);
    let to = partner(1)?;
    store.queue(maker.outgoings(to, 2)?).await?;
    store.take_in(vec![maker.admitted(to)?, maker.refused(to)?]).await?;
    let erase = |indexes: Vec<u64>, cause| store.erase(indexes, cause, now());
    let request = ErasureCause::Request;
    assert_eq!(erase(vec![], request).await?, Erased::default());
    assert_eq!(
        erase(vec![3, 4, 1000, u64::MAX], request).await?,
        Erased::default(),
        "nothing is kept of those"
    );
    assert_eq!(erase(vec![0, 1], ErasureCause::Retention).await?, Erased::default());
    assert_eq!(store.log_size().await?, 4);
    // More than one statement takes, so that the last is not seen beside the first.
    let often = [2, 0, 2, 9].into_iter().chain(1000..1200).chain([0, 2]).collect();
    assert_eq!(erase(often, request).await?, Erased { messages: 2, evidence: vec![4] });
    assert_eq!(erase(vec![0, 2], request).await?, Erased::default());
    assert_eq!(indexes(&lease(&store, to).await?), [1]);
    let too_many = erase((0..=MAX_BATCH as u64).collect(), request).await;
    assert!(matches!(too_many, Err(StoreError::TooLarge { .. })), "{too_many:?}");
    Ok(())
}

/// A message is kept as long as its purpose allows, counted from when it came, or was made to be sent.
pub async fn keeps_no_longer_than_the_purpose_allows(database: &impl Database) -> Result<()> {
    const DAY: i64 = 24 * 60;
    let store = database.create().await?;
    let maker = Maker::new(59);
    let to = partner(1)?;
    store.queue(maker.outgoings(to, 1)?).await?;
    admit(&store, &lease(&store, to).await?).await?;
    store.take_in(vec![admitted(&sign(maker.signal(to)?)?, later(30))?]).await?;
    let ends: Vec<_> = store.messages(Filter { limit: 9, ..Filter::default() }).await?;
    let ends: Vec<_> = ends.iter().map(|row| row.keep_until).collect();
    assert_eq!(ends, [Some(later(183 * DAY)), Some(later(183 * DAY + 30))]);
    let nothing = Swept { erased: 0, next: None };
    assert_eq!(store.erase_expired(0, later(183 * DAY - 1)).await?, nothing);
    assert_eq!(store.erase_expired(0, later(183 * DAY)).await?, Swept { erased: 1, next: None });
    assert_eq!(store.payload_for_machine_check(0).await, Err(StoreError::Erased));
    store.payload_for_machine_check(1).await?;
    drop(store);
    let store = database.open().await?;
    assert_eq!(store.erase_expired(0, later(184 * DAY)).await?.erased, 1);
    assert_eq!(store.erase_expired(0, later(184 * DAY)).await?, nothing);
    let last = store.leaves(3, 1).await?.pop().context("a leaf")?;
    let (gewist, reden, tijd) = (vec![1], ErasureCause::Retention, later(184 * DAY));
    assert_eq!(Entry::of_leaf(&last)?, Entry::Wissing { gewist, reden, tijd });
    Ok(())
}
