//! Filing.

use anyhow::{Context as _, Result};
use exchange::{message::Draft, receipt::ReceiptLeaf};
use store::{Direction, Filter, Order, State, StoreError};

use super::{
    Database,
    agreed::{agreed, receive, sign},
    given::{Maker, Offer as _, admitted, later, now, partner, refused, verified},
};

/// One signature proves the whole batch, and each batch after it.
pub async fn answers_with_a_receipt_that_verifies(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(40);
    let mut size = 0;
    for count in [1, 5, 128, 256, 2, 1] {
        let arrivals = maker.admitteds(partner(1)?, count)?;
        let receipt = store.take_in(arrivals.clone()).await?;
        let verified = verified(&receipt)?;
        assert_eq!(receipt.size_before, size);
        size += u64::try_from(count)?;
        assert_eq!(verified.checkpoint().size, size);
        for ((index, leaf), (place, arrival)) in verified.entries().zip(arrivals.iter().enumerate()) {
            assert_eq!((index, leaf), (receipt.size_before + u64::try_from(place)?, &arrival.leaf));
        }
    }
    Ok(())
}

/// Everything that was given comes back.
pub async fn keeps_what_was_admitted(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let message = sign(Maker::new(41).signal(partner(1)?)?)?;
    store.take_in(vec![admitted(&message, later(1))?]).await?;
    let draft = message.draft();
    let message_type = draft.document.schema().message_type();
    let row = store.message(draft.id).await?.context("not there")?;
    assert_eq!((row.direction, row.state, row.partner), (Direction::Inbound, State::Admitted, partner(1)?));
    assert_eq!((row.id, row.case, &row.desk), (Some(draft.id), Some(draft.case), &draft.desk));
    assert_eq!((row.message_type.as_deref(), row.purpose.as_ref()), (message_type, Some(&draft.purpose)));
    assert_eq!((row.agreement, row.digest), (Some(draft.agreement), message.digest()));
    assert_eq!((row.created, row.expires), (draft.time, Some(draft.expires)));
    assert_eq!((row.finished, row.reason), (Some(later(1)), None));
    assert_eq!(store.payload_for_machine_check(row.index).await?, message.compact());
    Ok(())
}

/// A message that comes again is answered with its own earlier leaf.
pub async fn files_each_message_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(42);
    let arrivals = maker.admitteds(partner(1)?, 10)?;
    store.take_in(arrivals.clone()).await?;
    let mut mixed = maker.admitteds(partner(1)?, 2)?;
    mixed.splice(1..1, arrivals.clone());
    let receipt = store.take_in(mixed.clone()).await?;
    let entries = verified(&receipt)?;
    let found: Vec<u64> = entries.entries().map(|(index, _)| index).collect();
    assert_eq!(found, [10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    for ((_, leaf), arrival) in entries.entries().zip(&mixed) {
        assert_eq!(leaf, &arrival.leaf);
    }
    let again = store.take_in(arrivals).await?;
    assert!(again.leaves.iter().all(|leaf| matches!(leaf, ReceiptLeaf::Known { .. })));
    assert_eq!(verified(&again)?.checkpoint().size, 12);
    assert_eq!(store.log_size().await?, 12);
    assert_eq!(store.counts().await?[0].count, 12);
    Ok(())
}

/// Who sent a message can ask what became of it, and nobody else; with a proof in the log as it is by then.
pub async fn tells_the_sender_what_became_of_a_message(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(49);
    store.take_in(maker.admitteds(partner(1)?, 40)?).await?;
    let message = sign(maker.signal(partner(1)?)?)?;
    let (id, digest) = (message.draft().id, message.digest());
    assert_eq!(store.receipt_for(partner(1)?, id, digest).await?, None);
    let arrival = admitted(&message, later(1))?;
    store.take_in(vec![arrival.clone()]).await?;
    store.take_in(maker.admitteds(partner(2)?, 250)?).await?;
    store.close().await;
    let store = database.open().await?;
    let receipt = store.receipt_for(partner(1)?, id, digest).await?.context("it was filed")?;
    let verified = verified(&receipt)?;
    assert_eq!(verified.entries().collect::<Vec<_>>(), [(40, &arrival.leaf)]);
    assert_eq!((receipt.size_before, verified.checkpoint().size), (291, 291));
    let other = sign(maker.signal(partner(1)?)?)?;
    for (from, id, digest) in [
        (partner(2)?, id, digest),
        (partner(1)?, other.draft().id, digest),
        (partner(1)?, id, other.digest()),
    ] {
        assert_eq!(store.receipt_for(from, id, digest).await?, None);
    }
    Ok(())
}

/// The same message twice in one batch is one message.
pub async fn recognises_a_message_within_its_batch(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(43);
    let (one, two) = (maker.admitted(partner(1)?)?, maker.admitted(partner(1)?)?);
    let batch = vec![one.clone(), two.clone(), one.clone(), two, one];
    let receipt = store.take_in(batch).await?;
    let found: Vec<u64> = verified(&receipt)?.entries().map(|(index, _)| index).collect();
    assert_eq!(found, [0, 1, 0, 1, 0]);
    assert_eq!(store.log_size().await?, 2);
    Ok(())
}

/// The receiver recognises what it has after a crash, which is when messages come again.
pub async fn recognises_messages_after_reopening(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let arrivals = Maker::new(44).admitteds(partner(1)?, 300)?;
    store.take_in(arrivals[..200].to_vec()).await?;
    drop(store);
    let store = database.open().await?;
    let receipt = store.take_in(arrivals[100..].to_vec()).await?;
    let found: Vec<u64> = verified(&receipt)?.entries().map(|(index, _)| index).collect();
    assert_eq!(found, (100..300).collect::<Vec<_>>());
    Ok(())
}

/// A refusal is final: the same message gets the same answer, whatever would be decided now.
pub async fn recognises_refusals(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(45);
    let message = sign(maker.signal(partner(1)?)?)?;
    let first = refused(&message)?;
    store.take_in(vec![first.clone()]).await?;
    let receipt = store.take_in(vec![admitted(&message, now())?]).await?;
    assert!(matches!(&receipt.leaves[0], ReceiptLeaf::Known { index: 0, leaf, .. } if *leaf == first.leaf));
    let row = store.message(message.draft().id).await?.context("not there")?;
    assert_eq!((row.state, row.reason.as_deref()), (State::Refused, Some("convenant-niet-geldig")));
    assert_eq!((row.case, row.message_type, row.created), (None, None, now()));
    assert!(matches!(store.payload_for_machine_check(0).await, Err(StoreError::NotFound(_))));
    Ok(())
}

/// The identifier stays with the message that had it first.
pub async fn refuses_other_content_under_a_known_identifier(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(46);
    let same_id = || {
        let first = maker.signal(partner(1)?)?;
        let second = Draft { id: first.id, ..maker.signal(partner(1)?)? };
        anyhow::Ok((admitted(&sign(first)?, now())?, admitted(&sign(second)?, now())?))
    };
    let (known, other) = same_id()?;
    store.take_in(vec![known.clone()]).await?;
    let receipt = store.take_in(vec![other.clone(), known.clone()]).await?;
    let entries = verified(&receipt)?;
    let leaves: Vec<_> = entries.entries().map(|(index, leaf)| (index, leaf.clone())).collect();
    assert_eq!(leaves, [(1, other.conflict_leaf.clone()), (0, known.leaf.clone())]);

    // Also when both come in one batch.
    let (first, second) = same_id()?;
    let receipt = store.take_in(vec![first.clone(), second.clone()]).await?;
    let leaves: Vec<_> = verified(&receipt)?.entries().map(|(_, leaf)| leaf.clone()).collect();
    assert_eq!(leaves, [first.leaf, second.conflict_leaf]);

    let refused = Filter { state: Some(State::Refused), limit: 10, ..Filter::default() };
    let rows = store.messages(refused).await?;
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row.id.is_none() && row.reason.as_deref() == Some("dubbel-met-andere-inhoud"))
    );
    assert_eq!(
        store.payload_for_machine_check(0).await?.len(),
        store.payload_for_machine_check(2).await?.len()
    );
    Ok(())
}

/// An identifier only means something together with who sent it.
pub async fn keeps_senders_apart(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(47);
    let id = maker.id();
    store.queue(maker.changed(partner(1)?, 1, |draft| draft.id = id)?).await?;
    for number in 1..4 {
        let message = sign(Draft { id, ..maker.signal(partner(number)?)? })?;
        let receipt = store.take_in(vec![admitted(&message, now())?]).await?;
        assert!(matches!(receipt.leaves[0], ReceiptLeaf::New(_)));
    }
    assert_eq!(store.log_size().await?, 4);
    Ok(())
}

/// What cannot be verified cannot be recognised either; it is refused and logged every time.
pub async fn logs_each_unverified_arrival(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let garbage = receive("dit is geen bericht", partner(1)?, &agreed()?.rules, now())?;
    let receipt = store.take_in(vec![garbage.clone(), garbage.clone()]).await?;
    verified(&receipt)?;
    store.take_in(vec![garbage]).await?;
    assert_eq!(store.log_size().await?, 3);
    let count = &store.counts().await?[0];
    assert_eq!((count.count, count.reason.as_deref()), (3, Some("handtekening-ongeldig")));
    assert_eq!((count.direction, count.partner), (Direction::Inbound, partner(1)?));
    Ok(())
}

/// A batch without messages is answered with the head of the log.
pub async fn answers_an_empty_batch(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let receipt = store.take_in(Vec::new()).await?;
    assert_eq!(verified(&receipt)?.checkpoint().size, 0);
    store.take_in(Maker::new(49).admitteds(partner(1)?, 3)?).await?;
    let receipt = store.take_in(Vec::new()).await?;
    assert_eq!(verified(&receipt)?.checkpoint().size, 3);
    Ok(())
}

/// Listings go either way, page by page, and only hold what was asked for.
pub async fn lists_what_was_asked_for(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(50);
    for number in 0..30 {
        match number % 3 {
            0 => drop(store.queue(maker.outgoings(partner(1)?, 1)?).await?),
            1 => drop(store.take_in(maker.admitteds(partner(1)?, 1)?).await?),
            _ => drop(store.take_in(vec![maker.refused(partner(1)?)?]).await?),
        }
    }
    let everything = Filter { limit: 7, ..Filter::default() };
    let inbound = Filter { direction: Some(Direction::Inbound), ..everything };
    let refused = Filter { state: Some(State::Refused), ..everything };
    let admitted = Filter { state: Some(State::Admitted), ..everything };
    for (filter, remainders) in
        [(everything, &[0, 1, 2][..]), (inbound, &[1, 2]), (refused, &[2]), (admitted, &[1])]
    {
        let expected: Vec<u64> = (0..30).filter(|index| remainders.contains(&(index % 3))).collect();
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (mut found, mut filter) = (Vec::new(), Filter { order, ..filter });
            loop {
                let page = store.messages(filter).await?;
                let Some(last) = page.last() else { break };
                assert!(page.len() <= 7);
                filter.after = Some(last.index);
                found.extend(page.iter().map(|row| row.index));
            }
            if order == Order::NewestFirst {
                found.reverse();
            }
            assert_eq!(found, expected);
        }
    }
    Ok(())
}
