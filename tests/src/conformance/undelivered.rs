//! What was sent and did not arrive.

use anyhow::Result;
use exchange::message::Draft;
use store::{
    Direction, Filter, GivenUp, IntakeKey, Outgoing, Pending, Queue, SentOutcome, State, Store, StoreError,
    Undelivered,
};

use super::{
    Database,
    given::{ALL, Maker, Offer as _, admit, checkpoint, indexes, later, lease, now, partner},
};

const WHY: GivenUp = GivenUp::ArrangedOtherwise;

fn all(pending: Pending) -> Undelivered {
    Undelivered { pending, partner: None, purpose: None, since: None, after: None, limit: 10 }
}

async fn found(store: &Store, which: Undelivered) -> Result<(Vec<u64>, Option<u64>)> {
    let found = store.undelivered(which).await?;
    Ok((found.rows.iter().map(|row| row.index).collect(), found.more_after))
}

/// By how it is with them, for whom, for what, since when; a page at a time, the oldest first.
pub async fn lists_what_did_not_arrive(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(70);
    let key: IntakeKey = store.intake_key(b"a row");
    let of_row = |message| Outgoing::from(message).of_row(key);
    store.queue(vec![of_row(maker.outgoing(partner(1)?)?)]).await?;
    store.queue(maker.outgoings(partner(1)?, 2)?).await?;
    let under_way = lease(&store, partner(1)?).await?;
    store.record_undeliverable(&under_way, "niet-bereikbaar", now()).await?;
    drop(under_way);
    // In the place of the first.
    store.queue(vec![of_row(maker.outgoing(partner(1)?)?)]).await?;
    store.queue(maker.outgoings(partner(2)?, 3)?).await?;
    let refused = lease(&store, partner(2)?).await?;
    let refusals = vec![SentOutcome::Refused { reason: "schema-ongeldig".into() }; 3];
    store.record_receipt(&refused, &refusals, "receipt".into(), checkpoint(3), now()).await?;
    drop(refused);
    store.take_in(vec![maker.refused(partner(3)?)?]).await?;
    store.queue(maker.outgoings(partner(2)?, 1)?).await?;

    assert_eq!(found(&store, all(Pending::Undeliverable)).await?, (vec![1, 2], None));
    assert_eq!(found(&store, all(Pending::Refused)).await?, (vec![4, 5, 6], None));
    assert_eq!(found(&store, all(Pending::Waiting)).await?, (vec![3, 8], None));
    assert_eq!(found(&store, all(Pending::GivenUp)).await?, (vec![], None));
    let to = |number| {
        Ok::<_, anyhow::Error>(Undelivered { partner: Some(partner(number)?), ..all(Pending::Waiting) })
    };
    assert_eq!(found(&store, to(2)?).await?.0, [8]);
    assert_eq!(found(&store, to(9)?).await?.0, [0; 0]);
    let purpose = maker.draft(partner(1)?)?.purpose;
    let for_purpose = |purpose: &str| Undelivered { purpose: Some(purpose.into()), ..all(Pending::Refused) };
    assert_eq!(found(&store, for_purpose(&purpose)).await?.0, [4, 5, 6]);
    assert_eq!(found(&store, for_purpose("iets-anders")).await?.0, [0; 0]);
    let since = |since| Undelivered { since: Some(since), ..all(Pending::Refused) };
    assert_eq!(found(&store, since(now())).await?.0, [4, 5, 6]);
    assert_eq!(found(&store, since(later(1))).await?.0, [0; 0]);
    let page = Undelivered { limit: 2, ..all(Pending::Refused) };
    assert_eq!(found(&store, page.clone()).await?, (vec![4, 5], Some(5)));
    assert_eq!(found(&store, Undelivered { after: Some(5), ..page }).await?, (vec![6], None));
    Ok(())
}

/// What is under way waits, too.
pub async fn tells_who_waits_longest(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(71);
    assert_eq!(store.queues().await?, []);
    store.queue(maker.outgoings(partner(2)?, 1)?).await?;
    let earlier = |draft: &mut Draft| draft.time = later(-10);
    store.queue(maker.changed(partner(1)?, 2, earlier)?).await?;
    let _under_way = lease(&store, partner(1)?).await?;
    let queue = |to, waiting, oldest| Queue { to, waiting, oldest };
    let (first, second) = (queue(partner(1)?, 2, later(-10)), queue(partner(2)?, 1, now()));
    assert_eq!(store.queues().await?, [first, second]);
    Ok(())
}

/// It is not sent any more, and stays what it is.
pub async fn gives_up_for_good(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(72).outgoings(partner(1)?, 3)?).await?;
    store.give_up(0, WHY, later(1)).await?;
    let under_way = lease(&store, partner(1)?).await?;
    assert_eq!(indexes(&under_way), [1, 2]);
    store.record_undeliverable(&under_way, "niet-bereikbaar", now()).await?;
    drop(under_way);
    store.give_up(1, GivenUp::NotNeeded, later(1)).await?;

    let row = &store.messages(Filter { limit: 1, ..Filter::default() }).await?[0];
    assert_eq!((row.state, row.reason.as_deref()), (State::Undeliverable, Some(WHY.code())));
    assert_eq!(row.finished, Some(later(1)));
    for given_up in [0, 1] {
        assert!(matches!(store.resend(given_up, now()).await, Err(StoreError::NotFound(_))));
        assert!(matches!(store.give_up(given_up, WHY, now()).await, Err(StoreError::NotFound(_))));
    }
    assert_eq!(found(&store, all(Pending::GivenUp)).await?.0, [0, 1]);
    assert_eq!(found(&store, all(Pending::Undeliverable)).await?.0, [2]);
    let counts = store.counts().await?;
    let counts: Vec<_> = counts.iter().map(|one| (one.reason.as_deref(), one.count)).collect();
    assert!(
        counts.contains(&(Some(WHY.code()), 1)) && counts.contains(&(Some("niet-bereikbaar"), 1)),
        "{counts:?}"
    );
    assert_eq!(store.due(later(2), 10).await?, []);
    store.resend(2, now()).await?;
    assert_eq!(indexes(&lease(&store, partner(1)?).await?), [2]);
    Ok(())
}

/// Its receiver may file what was under way.
pub async fn believes_a_receipt_after_giving_up(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(73).outgoings(partner(1)?, 2)?).await?;
    let under_way = lease(&store, partner(1)?).await?;
    store.give_up(0, WHY, now()).await?;
    store.give_up(1, WHY, now()).await?;
    admit(&store, &under_way).await?;
    drop(under_way);
    let counts: Vec<_> = store.counts().await?.into_iter().map(|count| (count.state, count.count)).collect();
    assert_eq!(counts, [(State::Admitted, 2)]);

    store.queue(Maker::new(74).outgoings(partner(1)?, 1)?).await?;
    let under_way = lease(&store, partner(1)?).await?;
    store.give_up(2, WHY, now()).await?;
    drop(under_way);
    assert!(store.lease_due(partner(1)?, now(), ALL).await?.is_none());
    Ok(())
}

/// What arrived, what was refused and what came in stay as they are.
pub async fn gives_up_what_did_not_arrive_and_nothing_else(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(75);
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    admit(&store, &lease(&store, partner(1)?).await?).await?;
    store.take_in(vec![maker.admitted(partner(1)?)?]).await?;
    for index in [0, 1, 99] {
        assert!(matches!(store.give_up(index, WHY, now()).await, Err(StoreError::NotFound(_))), "{index}");
    }
    let rows = store.messages(Filter { limit: 10, ..Filter::default() }).await?;
    let rows: Vec<_> = rows.iter().map(|row| (row.direction, row.state)).collect();
    assert_eq!(rows, [(Direction::Outbound, State::Admitted), (Direction::Inbound, State::Admitted)]);
    Ok(())
}
