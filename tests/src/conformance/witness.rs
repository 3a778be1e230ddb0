//! Checkpoints that were cosigned, and alarms that stay.

use anyhow::Result;
use exchange::tlog::Leaf;
use jiff::SignedDuration;
use store::{CosignedCheckpoint, RaisedAlarm, StoreError};

use super::{
    Database,
    given::{now, partner, us},
};

/// More than are kept of one witness.
const MANY: u64 = 200;

fn cosigned(size: u64, later: i64) -> Result<CosignedCheckpoint> {
    Ok(CosignedCheckpoint {
        log: partner(1)?,
        witness: us()?,
        key: "key".into(),
        size,
        note: format!("note of {size} at {later}"),
        at: now() + SignedDuration::from_secs(later),
    })
}

fn alarm(kept_size: u64) -> Result<(RaisedAlarm, Leaf)> {
    let evidence = format!("evidence of {kept_size}");
    let leaf = Leaf::new(evidence.clone().into_bytes());
    let (key, kind) = ("key".into(), "herschreven".into());
    Ok((RaisedAlarm { log: partner(1)?, key, kept_size, kind, evidence, noticed: now() }, leaf))
}

/// The last checkpoint that was verified of a log survives everything, and each log and witness has its own.
pub async fn keeps_the_last_checkpoint_that_was_verified(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (log, witness) = (partner(1)?, us()?);
    assert_eq!(store.last_cosigned(log, witness, "key").await?, None);
    store.put_cosigned(cosigned(5, 0)?).await?;
    store.put_cosigned(cosigned(9, 1)?).await?;
    // Answers overtake each other: an earlier state does not take the place of a later.
    store.put_cosigned(cosigned(7, 2)?).await?;
    store.put_cosigned(CosignedCheckpoint { key: "other".into(), ..cosigned(99, 0)? }).await?;
    store.put_cosigned(CosignedCheckpoint { witness: partner(2)?, ..cosigned(12, 0)? }).await?;
    store.put_cosigned(CosignedCheckpoint { log: partner(2)?, ..cosigned(50, 0)? }).await?;
    drop(store);
    let store = database.open().await?;
    assert_eq!(store.last_cosigned(log, witness, "key").await?, Some(cosigned(9, 1)?));
    // Cosigned again later it is fresher; an older cosignature that comes late is not taken.
    store.put_cosigned(cosigned(9, 8)?).await?;
    store.put_cosigned(cosigned(9, 4)?).await?;
    assert_eq!(store.last_cosigned(log, witness, "key").await?, Some(cosigned(9, 8)?));
    let all: Vec<u64> = store.cosigned(log, None).await?.iter().map(|one| one.size).collect();
    assert_eq!(all, [5, 7, 9, 12, 99]);
    Ok(())
}

/// Of very many checkpoints a bounded number is kept: the last ones, and some of all the time before.
pub async fn thins_out_old_checkpoints(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    for size in 1..=MANY {
        store.put_cosigned(cosigned(size * 10, 0)?).await?;
    }
    let kept: Vec<u64> = store.cosigned(partner(1)?, None).await?.iter().map(|one| one.size).collect();
    assert!((20..=48).contains(&kept.len()), "{kept:?}");
    assert_eq!(kept[kept.len() - 3..], [MANY * 10 - 20, MANY * 10 - 10, MANY * 10]);
    assert!(kept[0] <= 500, "nothing is left of the beginning: {kept:?}");
    assert!(kept.windows(2).all(|pair| pair[1] - pair[0] <= 600), "a gap: {kept:?}");
    Ok(())
}

/// An alarm is in the log and in the store or in neither, is raised once, and stays.
pub async fn keeps_alarms_for_good(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (first, leaf) = alarm(5)?;
    assert!(store.raise_alarm(first.clone(), leaf.clone()).await?);
    // The same contradiction, seen again.
    assert!(!store.raise_alarm(first.clone(), leaf.clone()).await?);
    assert_eq!(store.log_size().await?, 1);
    assert_eq!(store.leaves(0, 1).await?, [leaf]);
    drop(store);
    let store = database.open().await?;
    assert_eq!(store.alarms().await?, [(0, first)]);
    for kept_size in 6..60 {
        let (alarm, leaf) = alarm(kept_size)?;
        store.raise_alarm(alarm, leaf).await?;
    }
    let kept = store.alarms().await?.len();
    assert_eq!(kept, 16, "as many as are kept of one log");
    assert_eq!(store.log_size().await?, 16, "what is not kept is not logged");
    Ok(())
}

/// What is over the limits is refused before anything is written.
pub async fn refuses_alarms_that_are_too_large(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (alarm, _) = alarm(5)?;
    let refused = store.raise_alarm(alarm, Leaf::new(vec![0; 5000])).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    assert_eq!(store.log_size().await?, 0);
    Ok(())
}
