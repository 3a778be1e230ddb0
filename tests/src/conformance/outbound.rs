//! Queueing, leasing and settling.

use anyhow::{Context as _, Result};
use exchange::{entry::Entry, message::Draft, receipt::MAX_LEAVES, tlog::Leaf};
use store::{
    BatchLimit, Direction, Enqueued, Filter, MAX_BATCH, MAX_LEAF_BYTES, Outgoing, PartnerDue, Priority,
    SentOutcome, State, Store, StoreError,
};

use super::{
    Database,
    agreed::{agreed, hold_back},
    given::{ALL, Maker, Offer as _, admit, checkpoint, indexes, later, lease, now, partner, queued, us},
};

/// Indexes are places in the log.
pub async fn gives_indexes_in_order(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(10);
    assert_eq!(queued(&store.queue(maker.outgoings(partner(1)?, 3)?).await?)?, [0, 1, 2]);
    assert_eq!(store.append(vec![Leaf::new(b"other".to_vec()); 2]).await?, 3);
    assert_eq!(queued(&store.queue(maker.outgoings(partner(2)?, 2)?).await?)?, [5, 6]);
    assert_eq!(store.queue(Vec::<Outgoing>::new()).await?, []);
    assert_eq!(store.log_size().await?, 7);
    Ok(())
}

/// What was held back is in the log and nowhere else.
pub async fn logs_what_was_held_back(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(32);
    let unmet =
        Draft { document: agreed()?.unmet.clone(), from: partner(1)?, to: us()?, ..maker.draft(us()?)? };
    let held_back = hold_back(unmet)?;
    let messages = vec![maker.outgoing(partner(1)?)?.into()];
    let enqueued = store.enqueue(store.rules_version().await?, messages, vec![held_back.clone()]).await?;
    assert_eq!(queued(&enqueued)?, [1]);
    assert_eq!(store.leaves(0, 1).await?, [held_back.leaf()]);
    assert!(matches!(Entry::of_leaf(&held_back.leaf())?, Entry::Tegengehouden { .. }));
    let rows = store.messages(Filter { limit: 10, ..Filter::default() }).await?;
    assert_eq!(rows.iter().map(|row| row.index).collect::<Vec<_>>(), [1]);
    Ok(())
}

/// Everything that was given comes back.
pub async fn keeps_what_was_queued(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let message = Maker::new(11).outgoing(partner(1)?)?;
    let index = queued(&store.queue(vec![message.clone()]).await?)?[0];
    let draft = message.draft();
    let message_type = draft.document.schema().message_type();
    let row = store.message(draft.id).await?.context("not there")?;
    assert_eq!((row.index, row.direction, row.state), (index, Direction::Outbound, State::Waiting));
    assert_eq!((row.id, row.case, row.partner), (Some(draft.id), Some(draft.case), draft.to));
    assert_eq!((row.message_type.as_deref(), row.purpose.as_ref()), (message_type, Some(&draft.purpose)));
    assert_eq!((row.agreement, row.digest), (Some(draft.agreement), message.digest()));
    assert_eq!((row.created, row.expires, row.finished), (draft.time, Some(draft.expires), None));
    assert_eq!((row.reason, row.desk), (None, None));
    assert_eq!(store.payload_for_machine_check(index).await?, message.compact());
    assert_eq!(store.leaves(index, 1).await?, [message.leaf()]);
    assert_eq!(store.receipt(index).await?, None);
    assert_eq!(store.message(Maker::new(12).id()).await?, None);
    Ok(())
}

/// First come, first served.
pub async fn leases_in_the_order_of_the_queue(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(13);
    let messages = maker.outgoings(partner(1)?, 20)?;
    store.queue(messages.clone()).await?;
    store.queue(maker.outgoings(partner(2)?, 5)?).await?;
    let lease = lease(&store, partner(1)?).await?;
    assert_eq!(indexes(&lease), (0..20).collect::<Vec<_>>());
    for (leased, given) in lease.messages().iter().zip(&messages) {
        let draft = given.draft();
        assert_eq!((leased.jws.as_str(), leased.id, leased.case), (given.compact(), draft.id, draft.case));
        assert_eq!((leased.digest, leased.expires), (given.digest(), draft.expires));
    }
    assert_eq!(lease.to(), partner(1)?);
    assert_eq!(store.due(now(), 10).await?, [PartnerDue { oin: partner(2)?, waiting: 5 }]);
    assert!(store.lease_due(partner(3)?, now(), ALL).await?.is_none());
    Ok(())
}

/// A withdrawal overtakes everything that waits for the same partner.
pub async fn leases_withdrawals_first(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(14);
    store.queue(maker.outgoings(partner(1)?, 3)?).await?;
    let withdrawals = maker.outgoings(partner(1)?, 2)?.into_iter();
    let first = |message| Outgoing::from(message).with_priority(Priority::First);
    store.queue(withdrawals.map(first).collect()).await?;
    let room = BatchLimit { count: 3, ..ALL };
    let lease = store.lease_due(partner(1)?, now(), room).await?.context("nothing is due")?;
    assert_eq!(indexes(&lease), [3, 4, 0]);
    Ok(())
}

/// What is under way is nobody else's.
pub async fn leases_nothing_twice(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(15);
    store.queue(maker.outgoings(partner(1)?, 10)?).await?;
    let room = BatchLimit { count: 4, ..ALL };
    let mut held = Vec::new();
    let mut seen = Vec::new();
    while let Some(lease) = store.lease_due(partner(1)?, now(), room).await? {
        seen.extend(indexes(&lease));
        held.push(lease);
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    assert_eq!(store.due(now(), 10).await?, []);
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    assert_eq!(indexes(&lease(&store, partner(1)?).await?), [10]);
    Ok(())
}

/// Within a case nothing overtakes.
pub async fn keeps_the_order_of_a_case(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(16);
    let case = maker.id();
    store.queue(maker.changed(partner(1)?, 4, |draft| draft.case = case)?).await?;
    let room = BatchLimit { count: 2, ..ALL };
    let under_way = store.lease_due(partner(1)?, now(), room).await?.context("nothing is due")?;
    assert_eq!(indexes(&under_way), [0, 1]);
    assert!(store.lease_due(partner(1)?, now(), room).await?.is_none());
    drop(under_way);
    let again = store.lease_due(partner(1)?, now(), room).await?.context("nothing is due")?;
    assert_eq!(indexes(&again), [0, 1]);
    admit(&store, &again).await?;
    drop(again);
    assert_eq!(indexes(&lease(&store, partner(1)?).await?), [2, 3]);
    Ok(())
}

/// Only its own case waits for a message that is under way.
pub async fn lets_others_overtake_a_case(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(17);
    let case = maker.id();
    for _ in 0..3 {
        let mut messages = maker.changed(partner(1)?, 1, |draft| draft.case = case)?;
        messages.extend(maker.outgoings(partner(1)?, 1)?);
        store.queue(messages).await?;
    }
    let one = BatchLimit { count: 1, ..ALL };
    let under_way = store.lease_due(partner(1)?, now(), one).await?.context("nothing is due")?;
    let others = lease(&store, partner(1)?).await?;
    assert_eq!((indexes(&under_way), indexes(&others)), (vec![0], vec![1, 3, 5]));
    admit(&store, &others).await?;
    drop(others);
    assert!(store.lease_due(partner(1)?, now(), ALL).await?.is_none());
    drop(under_way);
    assert_eq!(indexes(&lease(&store, partner(1)?).await?), [0, 2, 4]);
    Ok(())
}

/// A batch is as large as asked and no larger; a single message always fits.
pub async fn keeps_to_the_limits_of_a_batch(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let messages = Maker::new(18).outgoings(partner(1)?, 10)?;
    let three: usize = messages[..3].iter().map(|message| message.compact().len() + 1).sum();
    store.queue(messages).await?;
    for (bytes, expected) in [(three, 3), (three - 1, 2), (three + 1, 3), (1, 1), (0, 1)] {
        let room = BatchLimit { count: 256, bytes };
        let lease = store.lease_due(partner(1)?, now(), room).await?.context("nothing is due")?;
        assert_eq!(lease.messages().len(), expected, "in {bytes} bytes");
    }
    assert!(store.lease_due(partner(1)?, now(), BatchLimit { count: 0, ..ALL }).await?.is_none());
    Ok(())
}

/// The same row of a source is sent once: in one operation, in the next, and after reopening.
pub async fn sends_no_row_of_a_source_twice(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(19);
    let offer = |store: &Store, rows: &[&str]| -> Result<Vec<Outgoing>> {
        let message = |row: &&str| {
            Ok(Outgoing::from(maker.outgoing(partner(1)?)?).of_row(store.intake_key(row.as_bytes())))
        };
        rows.iter().map(message).collect()
    };
    let first = store.queue(offer(&store, &["a", "b", "a"])?).await?;
    let (a, b) = (Enqueued::Queued { index: 0 }, Enqueued::Queued { index: 1 });
    assert_eq!(first, [a, b, Enqueued::AlreadyOffered { index: 0 }]);
    drop(store);

    let store = database.open().await?;
    let second = store.queue(offer(&store, &["b", "c"])?).await?;
    assert_eq!(second, [Enqueued::AlreadyOffered { index: 1 }, Enqueued::Queued { index: 2 }]);
    assert_eq!(store.log_size().await?, 3);
    Ok(())
}

/// A row whose message was refused or could not be delivered is sent again when it is offered again, and once. What
/// waits, is under way or was admitted is not.
pub async fn repairs_what_was_not_taken(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(33);
    let to = partner(1)?;
    let offer = |store: &Store, expires| -> Result<Vec<Outgoing>> {
        let messages = maker.changed(to, 6, |draft| draft.expires = expires)?;
        let rows = ["admitted", "refused", "undeliverable", "expired", "waiting", "under way"];
        let rows = messages.into_iter().zip(rows);
        Ok(rows
            .map(|(message, row)| Outgoing::from(message).of_row(store.intake_key(row.as_bytes())))
            .collect())
    };
    let mut first = offer(&store, later(5))?;
    first.swap(3, 5);
    let late = maker.changed(to, 3, |draft| draft.expires = later(1))?;
    let late = late.into_iter().next().context("a message")?;
    first[5] = Outgoing::from(late).of_row(store.intake_key(b"expired"));
    store.queue(first).await?;
    let answered =
        store.lease_due(to, now(), BatchLimit { count: 2, ..ALL }).await?.context("nothing is due")?;
    let outcomes = [SentOutcome::Admitted, SentOutcome::Refused { reason: "nee".into() }];
    store.record_receipt(&answered, &outcomes, "{}".into(), checkpoint(1), now()).await?;
    let one = BatchLimit { count: 1, ..ALL };
    let given_up = store.lease_due(to, now(), one).await?.context("nothing is due")?;
    store.record_undeliverable(&given_up, "niet-bereikbaar", now()).await?;
    let under_way = store.lease_due(to, now(), one).await?.context("nothing is due")?;
    assert_eq!((indexes(&given_up), indexes(&under_way)), (vec![2], vec![3]));
    assert_eq!(store.expire(later(2)).await?, 1);

    let (known, new) = (|index| Enqueued::AlreadyOffered { index }, |index| Enqueued::Queued { index });
    let again = store.queue(offer(&store, later(6))?).await?;
    assert_eq!(again, [known(0), new(6), new(7), new(8), known(4), known(3)]);
    let again = store.queue(offer(&store, later(6))?).await?;
    assert_eq!(again, [known(0), known(6), known(7), known(8), known(4), known(3)]);
    assert!(matches!(store.resend(2, now()).await, Err(StoreError::NotFound(_))), "another took its place");
    drop(under_way);
    drop(store);

    let store = database.open().await?;
    let again = store.queue(offer(&store, later(7))?).await?;
    assert_eq!(again, [known(0), known(6), known(7), known(8), known(4), known(3)]);
    assert!(matches!(store.resend(2, now()).await, Err(StoreError::NotFound(_))));
    let due = lease(&store, to).await?;
    assert_eq!(indexes(&due), [3, 4, 6, 7, 8]);
    store.record_undeliverable(&due, "niet-bereikbaar", now()).await?;
    drop(due);
    let again = store.queue(offer(&store, later(7))?).await?;
    assert_eq!(again, [known(0), new(9), new(10), new(11), new(12), new(13)]);
    Ok(())
}

/// Whoever breaks a rule fails alone, also when it shares its transaction with others.
pub async fn refuses_an_identifier_in_use_and_nothing_else(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(20);
    let message = maker.outgoing(partner(1)?)?;
    store.queue(vec![message.clone()]).await?;
    let mut waiting = Vec::new();
    for number in 0..40 {
        let mut messages = maker.outgoings(partner(1)?, 2)?;
        if number % 4 == 1 {
            messages.extend(maker.changed(partner(1)?, 1, |draft| draft.id = message.draft().id)?);
        }
        let store = store.clone();
        waiting.push(tokio::spawn(async move { store.queue(messages).await }));
    }
    for (number, result) in waiting.into_iter().enumerate() {
        let failed = matches!(result.await?, Err(StoreError::Conflict(_)));
        assert_eq!(failed, number % 4 == 1, "operation {number}");
    }
    assert_eq!(store.log_size().await?, 61);
    assert_eq!(store.due(now(), 10).await?, [PartnerDue { oin: partner(1)?, waiting: 61 }]);
    Ok(())
}

/// Outcomes, receipt and checkpoint belong to the messages of the lease.
pub async fn records_outcomes(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(21).outgoings(partner(1)?, 5)?).await?;
    let lease = lease(&store, partner(1)?).await?;
    let refused = |reason: &str| SentOutcome::Refused { reason: reason.into() };
    let outcomes = [SentOutcome::Admitted, refused("a"), SentOutcome::Admitted, refused("b"), refused("a")];
    store.record_receipt(&lease, &outcomes, "{}".into(), checkpoint(7), later(1)).await?;
    drop(lease);

    let rows = store.messages(Filter { limit: 10, ..Filter::default() }).await?;
    for (row, outcome) in rows.iter().zip(&outcomes) {
        let expected = match outcome {
            SentOutcome::Admitted => (State::Admitted, None),
            SentOutcome::Refused { reason } => (State::Refused, Some(reason.clone())),
        };
        assert_eq!((row.state, row.reason.clone()), expected);
        assert_eq!(row.finished, Some(later(1)));
        assert_eq!(store.receipt(row.index).await?.as_deref(), Some("{}"));
    }
    let counts: Vec<_> =
        store.counts().await?.into_iter().map(|count| (count.state, count.reason, count.count)).collect();
    let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
    assert_eq!(counts, [(State::Admitted, None, 2), (State::Refused, a, 2), (State::Refused, b, 1)]);
    assert_eq!(store.partner_checkpoint(partner(1)?).await?, Some(checkpoint(7)));
    assert_eq!(store.partner_state(partner(1)?).await?.last_contact, Some(later(1)));
    assert!(store.lease_due(partner(1)?, now(), ALL).await?.is_none());
    Ok(())
}

/// A receipt says something about every message, or it is not recorded.
pub async fn wants_an_outcome_for_each(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(22).outgoings(partner(1)?, 2)?).await?;
    let lease = lease(&store, partner(1)?).await?;
    let short =
        store.record_receipt(&lease, &[SentOutcome::Admitted], "{}".into(), checkpoint(1), now()).await;
    assert!(matches!(short, Err(StoreError::NotFound(_))));
    admit(&store, &lease).await
}

/// An attempt that failed leaves everything as it was.
pub async fn makes_due_again_what_was_given_back(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(23).outgoings(partner(1)?, 3)?).await?;
    for _ in 0..3 {
        let lease = lease(&store, partner(1)?).await?;
        assert_eq!(indexes(&lease), [0, 1, 2]);
        store.release(lease);
        assert_eq!(store.due(now(), 10).await?, [PartnerDue { oin: partner(1)?, waiting: 3 }]);
    }
    Ok(())
}

/// What was under way when the process died is due again.
pub async fn makes_due_again_what_was_leased_in_a_crash(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(24).outgoings(partner(1)?, 3)?).await?;
    let room = BatchLimit { count: 1, ..ALL };
    let done = store.lease_due(partner(1)?, now(), room).await?.context("nothing is due")?;
    admit(&store, &done).await?;
    let _under_way = lease(&store, partner(1)?).await?;
    drop(store);
    let store = database.open().await?;
    assert_eq!(indexes(&lease(&store, partner(1)?).await?), [1, 2]);
    Ok(())
}

/// Nothing leaves after it has expired, and it ends in a known state.
pub async fn expires_what_waited_too_long(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(25);
    let short = |draft: &mut Draft| draft.expires = later(1);
    store.queue(maker.changed(partner(1)?, 2, short)?).await?;
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    store.queue(maker.changed(partner(2)?, 1, short)?).await?;
    assert_eq!(store.expire(now()).await?, 0);
    let lease = store.lease_due(partner(1)?, later(1), ALL).await?.context("nothing is due")?;
    assert_eq!(indexes(&lease), [2]);
    assert_eq!(store.expire(later(1)).await?, 3);
    assert_eq!(store.expire(later(1)).await?, 0);
    let row = &store.messages(Filter { limit: 1, ..Filter::default() }).await?[0];
    assert_eq!((row.state, row.reason.as_deref()), (State::Undeliverable, Some("verlopen")));
    assert_eq!(row.finished, Some(later(1)));
    let stuck = Filter { state: Some(State::Undeliverable), limit: 10, ..Filter::default() };
    assert_eq!(store.messages(stuck).await?.len(), 3);
    Ok(())
}

/// Whether a message that is under way has expired is for the receiver to say.
pub async fn leaves_alone_what_is_under_way(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(26).outgoings(partner(1)?, 2)?).await?;
    let lease = lease(&store, partner(1)?).await?;
    assert_eq!(store.expire(later(60)).await?, 0);
    admit(&store, &lease).await?;
    drop(lease);
    assert_eq!(store.expire(later(60)).await?, 0);
    Ok(())
}

/// A message can be filed by its receiver while we already gave it up.
pub async fn believes_a_receipt_that_comes_late(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(27).outgoings(partner(1)?, 3)?).await?;
    let lease = lease(&store, partner(1)?).await?;
    store.record_undeliverable(&lease, "niet-bereikbaar", later(1)).await?;
    admit(&store, &lease).await?;
    let counts: Vec<_> = store.counts().await?.into_iter().map(|count| (count.state, count.count)).collect();
    assert_eq!(counts, [(State::Admitted, 3)]);
    Ok(())
}

/// A person can have a message sent again, as long as it has not expired.
pub async fn sends_again_what_was_not_delivered(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(28);
    store.queue(maker.outgoings(partner(1)?, 3)?).await?;
    let given_up = lease(&store, partner(1)?).await?;
    store.record_undeliverable(&given_up, "niet-bereikbaar", now()).await?;
    drop(given_up);
    assert!(store.lease_due(partner(1)?, now(), ALL).await?.is_none());
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    let newer = lease(&store, partner(1)?).await?;

    store.resend(1, now()).await?;
    assert!(matches!(store.resend(1, now()).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.resend(0, later(60)).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.resend(99, now()).await, Err(StoreError::NotFound(_))));
    let again = lease(&store, partner(1)?).await?;
    assert_eq!((indexes(&newer), indexes(&again)), (vec![3], vec![1]));
    let row = &store.messages(Filter { after: Some(0), limit: 1, ..Filter::default() }).await?[0];
    assert_eq!((row.state, row.reason.clone(), row.finished), (State::Waiting, None, None));
    Ok(())
}

/// A partner that does not answer is left alone until it is time, or until it shows itself.
pub async fn leaves_a_silent_partner_alone(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let to = partner(1)?;
    store.queue(Maker::new(29).outgoings(to, 1)?).await?;
    store.note_partner_failure(to, "geen-verbinding", now(), later(5)).await?;
    store.note_partner_failure(to, "tijd-verstreken", later(1), later(10)).await?;
    assert_eq!(store.due(later(9), 10).await?, []);
    assert_eq!(store.due(later(10), 10).await?.len(), 1);
    let state = store.partner_state(to).await?;
    assert_eq!((state.failures, state.failure.as_deref()), (2, Some("tijd-verstreken")));
    assert_eq!((state.last_failure, state.next_attempt), (Some(later(1)), Some(later(10))));

    for (at, next) in [(later(11), later(10)), (later(8), later(8)), (later(9), later(8))] {
        store.try_partner_sooner(to, at).await?;
        assert_eq!(store.partner_state(to).await?.next_attempt, Some(next), "never later than it was");
    }
    store.note_partner_reached(to, later(2)).await?;
    store.try_partner_sooner(to, later(3)).await?;
    assert_eq!(store.due(later(2), 10).await?.len(), 1);
    assert_eq!(store.due(later(2), 0).await?, []);
    let state = store.partner_state(to).await?;
    assert_eq!((state.failures, state.failure, state.next_attempt), (0, None, None));
    assert_eq!(store.partner_state(partner(9)?).await?, store::PartnerState::default());
    Ok(())
}

/// When there is not room for all partners, withdrawals go first and then who waits longest.
pub async fn serves_who_waits_longest(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(31);
    for number in [3, 1, 2, 3] {
        store.queue(maker.outgoings(partner(number)?, 1)?).await?;
    }
    let first = Outgoing::from(maker.outgoing(partner(2)?)?).with_priority(Priority::First);
    store.queue(vec![first]).await?;
    let due: Vec<_> = store.due(now(), 2).await?.into_iter().map(|due| (due.oin, due.waiting)).collect();
    assert_eq!(due, [(partner(2)?, 2), (partner(3)?, 2)]);
    Ok(())
}

/// Limits hold before anything is written.
pub async fn refuses_what_is_too_large(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(30);
    let too_many = vec![maker.outgoing(partner(1)?)?; MAX_BATCH + 1];
    assert!(matches!(store.queue(too_many).await, Err(StoreError::TooLarge { .. })));
    let too_many = vec![maker.admitted(partner(1)?)?; MAX_LEAVES + 1];
    assert!(matches!(store.take_in(too_many).await, Err(StoreError::TooLarge { .. })));
    let too_many = vec![Leaf::new(Vec::new()); MAX_BATCH + 1];
    assert!(matches!(store.append(too_many).await, Err(StoreError::TooLarge { .. })));
    let too_long = vec![Leaf::new(vec![1; MAX_LEAF_BYTES + 1])];
    assert!(matches!(store.append(too_long).await, Err(StoreError::TooLarge { .. })));
    assert_eq!(store.log_size().await?, 0);
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    store.append(vec![Leaf::new(vec![1]); MAX_BATCH]).await?;
    assert_eq!(store.log_size().await?, 1 + u64::try_from(MAX_BATCH)?);
    Ok(())
}

/// Answers overtake each other; the checkpoint of the largest log counts.
pub async fn keeps_the_latest_checkpoint_of_a_partner(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    assert_eq!(store.partner_checkpoint(partner(1)?).await?, None);
    for (given, kept) in [(5, 5), (9, 9), (7, 9), (9, 9), (10, 10)] {
        store.put_partner_checkpoint(partner(1)?, checkpoint(given)).await?;
        assert_eq!(store.partner_checkpoint(partner(1)?).await?, Some(checkpoint(kept)));
    }
    Ok(())
}
