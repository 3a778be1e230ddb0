//! At which desk a message is, and what figures are made of.

use anyhow::Result;
use store::{Direction, MAX_COUNTED, Moved, State, Store, StoreError};

use super::{
    Database,
    given::{Maker, Offer as _, admit, later, lease, now, partner},
};

async fn desk(store: &Store, index: u64) -> Result<Option<String>> {
    Ok(store.logged(index).await?.and_then(|row| row.desk))
}

/// Only from where it is, and only what came in.
pub async fn passes_on_from_where_it_is(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(80);
    let mut arrived = maker.admitted(partner(1)?)?;
    arrived.arrival = arrived.arrival.at_desk(Some("schuldhulp".into()));
    store.take_in(vec![arrived, maker.admitted(partner(1)?)?, maker.refused(partner(1)?)?]).await?;
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    assert_eq!(desk(&store, 0).await?.as_deref(), Some("schuldhulp"));
    let to = |name: &str| name.to_owned();
    store.pass_on(0, Some(to("schuldhulp")), to("wmo")).await?;
    let again = store.pass_on(0, Some(to("schuldhulp")), to("balie")).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "somebody was first");
    assert_eq!(desk(&store, 0).await?.as_deref(), Some("wmo"));
    for index in [2, 3, 99] {
        let refused = store.pass_on(index, None, to("wmo")).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{index}");
        assert_eq!(desk(&store, index).await?, None);
    }
    let from_none = desk(&store, 1).await?;
    store.pass_on(1, from_none, to("balie")).await?;
    assert_eq!(desk(&store, 1).await?.as_deref(), Some("balie"));
    Ok(())
}

/// What moved, a bounded part at a time, by the clock of this node.
pub async fn tells_what_moved(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    assert_eq!(store.moved(0).await?, (vec![], None));
    let maker = Maker::new(81);
    store.queue(maker.outgoings(partner(1)?, 1)?).await?;
    store.take_in(vec![maker.admitted(partner(2)?)?, maker.refused(partner(3)?)?]).await?;
    let (moved, next) = store.moved(0).await?;
    let seen: Vec<_> = moved.iter().map(|one| (one.direction, one.partner, one.state)).collect();
    let expected = [
        (Direction::Outbound, partner(1)?, State::Waiting),
        (Direction::Inbound, partner(2)?, State::Admitted),
        (Direction::Inbound, partner(3)?, State::Refused),
    ];
    assert_eq!((seen.as_slice(), next), (&expected[..], None));
    assert!(
        moved[..2]
            .iter()
            .all(|one| one.purpose.is_some() && one.case.is_some() && one.message_type.is_some())
    );
    let Moved { purpose, case, message_type, .. } = &moved[2];
    assert_eq!((purpose, case, message_type), (&None, &None, &None));
    assert!(moved.iter().all(|one| one.at >= now() && one.at < later(1)));
    admit(&store, &lease(&store, partner(1)?).await?).await?;
    assert_eq!(store.moved(0).await?.0[0].state, State::Admitted);
    assert_eq!(store.moved(1).await?.0.len(), 2);

    let mut expected = 3;
    while expected <= MAX_COUNTED {
        store.queue(maker.outgoings(partner(1)?, 1000)?).await?;
        expected += 1000;
    }
    let (first, next) = store.moved(0).await?;
    assert_eq!((first.len(), next), (MAX_COUNTED, Some(u64::try_from(MAX_COUNTED)?)));
    let (rest, next) = store.moved(next.unwrap_or_default()).await?;
    assert_eq!((rest.len(), next), (expected - MAX_COUNTED, None));
    Ok(())
}
