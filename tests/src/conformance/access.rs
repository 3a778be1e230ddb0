//! Making, opening and closing.

use anyhow::Result;
use store::{Filter, StoreError};

use super::{
    Database,
    given::{Maker, Offer as _, partner, queued},
};

/// Creating never touches what is there.
pub async fn is_made_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.queue(Maker::new(1).outgoings(partner(1)?, 3)?).await?;
    assert!(matches!(database.create().await.err(), Some(StoreError::AlreadyExists(_))));
    assert_eq!(store.log_size().await?, 3);
    Ok(())
}

/// A log never starts anew by accident.
pub async fn is_not_made_by_opening(database: &impl Database) -> Result<()> {
    assert!(matches!(database.open().await.err(), Some(StoreError::NoDatabase(_))));
    assert!(matches!(database.open().await.err(), Some(StoreError::NoDatabase(_))));
    Ok(())
}

/// Nobody goes on with somebody else's log.
pub async fn refuses_another_organisation(database: &impl Database) -> Result<()> {
    database.create().await?.close().await;
    let refused = database.open_as_another().await.err();
    assert!(matches!(refused, Some(StoreError::OtherOrganisation { .. })), "{refused:?}");
    Ok(())
}

/// Nothing is written that cannot be read with the key of the rest.
pub async fn refuses_another_key(database: &impl Database) -> Result<()> {
    database.create().await?.close().await;
    assert_eq!(database.open_with_another_key().await.err(), Some(StoreError::WrongKey));
    Ok(())
}

/// What was confirmed is there after a crash.
pub async fn survives_being_dropped(database: &impl Database) -> Result<()> {
    let maker = Maker::new(2);
    let mut size = 0;
    drop(database.create().await?);
    for _ in 0..5 {
        let store = database.open().await?;
        assert_eq!(store.log_size().await?, size);
        let messages = maker.outgoings(partner(1)?, 7)?;
        let last = messages.last().map(|message| message.compact().to_owned());
        let indexes = queued(&store.queue(messages).await?)?;
        size += 7;
        drop(store);
        let store = database.open().await?;
        assert_eq!(
            store.messages(Filter { limit: 500, ..Filter::default() }).await?.len(),
            usize::try_from(size)?
        );
        assert_eq!(Some(store.payload_for_machine_check(indexes[6]).await?), last);
    }
    Ok(())
}

/// Closing finishes what waits; after it the store says what is the matter.
pub async fn says_closed_after_closing(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let other = store.clone();
    let busy = tokio::spawn({
        let (store, messages) = (store.clone(), Maker::new(3).outgoings(partner(1)?, 100)?);
        async move { store.queue(messages).await }
    });
    let enqueued = busy.await??;
    store.close().await;
    assert_eq!(enqueued.len(), 100);
    assert_eq!(other.queue(Maker::new(4).outgoings(partner(1)?, 1)?).await, Err(StoreError::Closed));
    assert_eq!(other.log_size().await, Err(StoreError::Closed));
    assert_eq!(database.open().await?.log_size().await?, 100);
    Ok(())
}
