//! Many at the same time.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Result;
use exchange::tlog::CompactRange;
use store::{BatchLimit, Direction, Enqueued, LogState, Outgoing, State, Store, StoreError};
use tokio::task::JoinSet;

use super::{
    Database,
    given::{ALL, Maker, Offer as _, admit, indexes, log_verifier, now, partner, queued, verified},
};

/// The root that follows from the leaves is the root of the log.
async fn check_log(store: &Store) -> Result<LogState> {
    let mut range = CompactRange::default();
    loop {
        let leaves = store.leaves(range.size(), 500).await?;
        if leaves.is_empty() {
            break;
        }
        for leaf in leaves {
            range.append(leaf.hash());
        }
    }
    let state = store.log_state().await?;
    assert_eq!(state, LogState { size: range.size(), root: range.root() });
    Ok(state)
}

async fn join(mut tasks: JoinSet<Result<()>>) -> Result<()> {
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

/// Everybody gets their own answer, and together they make one log.
pub async fn enqueues_and_files_at_the_same_time(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(70);
    let mut tasks = JoinSet::new();
    for number in 0..24 {
        let (store, maker) = (store.clone(), Arc::clone(&maker));
        tasks.spawn(async move {
            for round in 0..10 {
                if number % 2 == 0 {
                    let arrivals = maker.admitteds(partner(number)?, 1 + round)?;
                    let receipt = store.take_in(arrivals.clone()).await?;
                    let entries = verified(&receipt)?;
                    for ((_, leaf), arrival) in entries.entries().zip(&arrivals) {
                        assert_eq!(leaf, &arrival.leaf);
                    }
                } else {
                    let messages = maker.outgoings(partner(number)?, 1 + round)?;
                    let indexes = queued(&store.queue(messages.clone()).await?)?;
                    assert!(indexes.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                    assert_eq!(store.leaves(indexes[0], 1).await?, [messages[0].leaf()]);
                }
            }
            Ok(())
        });
    }
    join(tasks).await?;
    assert_eq!(check_log(&store).await?.size, 24 * 55);
    let total: u64 = store.counts().await?.iter().map(|count| count.count).sum();
    assert_eq!(total, 24 * 55);
    Ok(())
}

/// A sender that repeats itself before it has an answer is filed once.
pub async fn answers_the_same_batch_sent_many_times_at_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let arrivals = Maker::new(71).admitteds(partner(1)?, 50)?;
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        // Overlapping, and each in another order.
        let mut batch = arrivals.clone();
        batch.rotate_left(number * 3);
        batch.truncate(40);
        tasks.spawn(async move {
            let receipt = store.take_in(batch.clone()).await?;
            let entries = verified(&receipt)?;
            for ((_, leaf), arrival) in entries.entries().zip(&batch) {
                assert_eq!(leaf, &arrival.leaf);
            }
            Ok(())
        });
    }
    join(tasks).await?;
    assert_eq!(check_log(&store).await?.size, 50);
    Ok(())
}

/// However many ask, a message is leased once.
pub async fn leases_each_message_to_one(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(72);
    store.queue(maker.outgoings(partner(1)?, 300)?).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut held = Vec::new();
            while let Some(lease) =
                store.lease_due(partner(1)?, now(), BatchLimit { count: 7, ..ALL }).await?
            {
                held.push(lease);
            }
            anyhow::Ok(held)
        });
    }
    let mut held = Vec::new();
    while let Some(task) = tasks.join_next().await {
        held.extend(task??);
    }
    let seen: Vec<u64> = held.iter().flat_map(indexes).collect();
    assert_eq!(seen.len(), 300);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), 300);
    Ok(())
}

/// A person has a message sent again while its row is offered again, more than once: one of all those goes.
pub async fn repeats_a_row_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(75);
    let to = partner(1)?;
    let row = store.intake_key(b"row");
    let offer = || anyhow::Ok(vec![Outgoing::from(maker.outgoing(to)?).of_row(row)]);
    let mut index = queued(&store.queue(offer()?).await?)?[0];
    for round in 0..20 {
        let given_up = super::given::lease(&store, to).await?;
        assert_eq!(indexes(&given_up), [index], "round {round}");
        store.record_undeliverable(&given_up, "niet-bereikbaar", now()).await?;
        drop(given_up);
        let (one, two) = (offer()?, offer()?);
        let (resent, one, two) = tokio::join!(store.resend(index, now()), store.queue(one), store.queue(two));
        let new = [one?, two?].concat().into_iter().filter_map(|enqueued| match enqueued {
            Enqueued::Queued { index } => Some(index),
            Enqueued::AlreadyOffered { .. } => None,
        });
        let mut goes: Vec<u64> = new.collect();
        match resent {
            Ok(()) => goes.push(index),
            Err(error) => assert!(matches!(error, StoreError::NotFound(_)), "{error}"),
        }
        assert_eq!(goes.len(), 1, "round {round}");
        index = goes[0];
    }
    Ok(())
}

/// A command writes while the node runs: one log, and both see everything.
pub async fn writes_from_two_handles(database: &impl Database) -> Result<()> {
    let one = database.create().await?;
    let two = database.open().await?;
    let maker = Maker::new(73);
    let mut tasks = JoinSet::new();
    for store in [one.clone(), two.clone()] {
        let maker = Arc::clone(&maker);
        tasks.spawn(async move {
            for round in 0..30 {
                store.queue(maker.outgoings(partner(round % 5)?, 3)?).await?;
                let receipt = store.take_in(maker.admitteds(partner(round % 5)?, 4)?).await?;
                verified(&receipt)?;
            }
            Ok(())
        });
    }
    join(tasks).await?;
    assert_eq!(check_log(&one).await?, check_log(&two).await?);
    assert_eq!(one.log_size().await?, 2 * 30 * 7);
    assert_eq!(one.counts().await?, two.counts().await?);
    let note = two.checkpoint().await?;
    assert_eq!(one.checkpoint().await?, note);
    assert_eq!(log_verifier()?.open(&note)?.size, 420);

    // What one gives out the other has put in, also after messages were given out before.
    let lease = super::given::lease(&one, partner(1)?).await?;
    let from_two = queued(&two.queue(maker.outgoings(partner(1)?, 2)?).await?)?;
    let next = super::given::lease(&one, partner(1)?).await?;
    assert_eq!((lease.messages().len(), indexes(&next)), (36, from_two));
    Ok(())
}

/// Leasing, settling and giving back at the same time: each message ends once, in order within its case.
pub async fn loses_no_message_between_lease_and_receipt(database: &impl Database) -> Result<()> {
    const MESSAGES: usize = 400;
    let store = database.create().await?;
    let maker = Maker::new(74);
    let to = partner(1)?;
    let cases: Vec<_> = (0..20).map(|_| maker.id()).collect();
    let ended = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let (store, maker, ended) = (store.clone(), Arc::clone(&maker), Arc::clone(&ended));
        tasks.spawn(async move {
            while ended.lock().map_or(0, |ended| ended.len()) < MESSAGES {
                let count = usize::try_from(1 + maker.below(20))?;
                let Some(lease) = store.lease_due(to, now(), BatchLimit { count, ..ALL }).await? else {
                    tokio::task::yield_now().await;
                    continue;
                };
                if maker.below(3) == 0 {
                    store.release(lease);
                    continue;
                }
                // Before the outcome is stored: once it is, the next of the case may go.
                if let Ok(mut ended) = ended.lock() {
                    ended.extend(lease.messages().iter().map(|message| (message.case, message.index)));
                }
                admit(&store, &lease).await?;
            }
            Ok(())
        });
    }
    for number in 0..MESSAGES {
        store.queue(maker.changed(to, 1, |draft| draft.case = cases[number % cases.len()])?).await?;
    }
    join(tasks).await?;
    let ended = ended.lock().map(|ended| ended.clone()).unwrap_or_default();
    for case in &cases {
        let of_case: Vec<u64> = ended.iter().filter(|(of, _)| of == case).map(|(_, index)| *index).collect();
        assert!(of_case.windows(2).all(|pair| pair[0] < pair[1]), "out of order: {of_case:?}");
    }
    let counts = store.counts().await?;
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].direction, counts[0].state), (Direction::Outbound, State::Admitted));
    assert_eq!(counts[0].count, u64::try_from(MESSAGES)?);
    Ok(())
}
