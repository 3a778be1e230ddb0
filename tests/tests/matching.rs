//! Signals of several senders, recognised: how good that is on residents who look alike and on what people do to names.

use std::{sync::Arc, time::Duration};

use exchange::random::SeededRandom;
use store::{Options, StorageKey, Store};
use tests::{
    conformance::given,
    matching::{Quality, Signals, match_all},
};

/// Residents of each town: some twins, fathers and sons, namesakes and neighbours with one surname among them.
const RESIDENTS: usize = 350;
/// Of what is about one person, so much is joined or suggested.
const LEAST_RECALL: f64 = 0.97;
/// Of what is suggested as one person, so much is right.
const LEAST_PRECISION: f64 = 0.85;
/// Mistakes that are always seen through when there is no other.
const NEVER_MISSED: &[&str] = &[
    "PlainLetters",
    "Prefix",
    "Initials",
    "Addition",
    "DayAndMonth",
    "BirthDigit",
    "HouseNumber",
    "PostalCode",
    "Moved",
];

async fn quality_of(seed: u64) -> anyhow::Result<Quality> {
    let folder = tempfile::tempdir()?;
    let key = StorageKey::from_bytes(given::STORAGE_KEY);
    let (log, random) = (Arc::new(given::log_signer()?), Arc::new(SeededRandom::new(seed)));
    let store =
        Store::create(Options::new(folder.path().join("a.db"), given::us()?, key, log, random)).await?;
    let mut signals = Signals::of_town(RESIDENTS, seed);
    signals.take_in(&store).await?;
    match_all(&store, store::MAX_MATCHED, || Duration::ZERO).await?;
    let quality = signals.quality(&store).await?;
    store.close().await;
    Ok(quality)
}

/// Nobody joins by themselves with somebody else, hardly anybody is missed, and what is asked is worth asking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recognises_residents_across_senders() -> anyhow::Result<()> {
    for seed in [1, 2] {
        let quality = quality_of(seed).await?;
        assert_eq!(quality.joined.right, quality.joined.of, "exact joins are right: {quality:#?}");
        assert!(quality.joined.of > 50, "something joined: {quality:#?}");
        assert!(quality.recall.part() >= LEAST_RECALL, "{quality:#?}");
        assert!(quality.suggested.part() >= LEAST_PRECISION, "{quality:#?}");
        for mistake in NEVER_MISSED {
            let share = quality.by_mistake.get(*mistake).copied().unwrap_or_default();
            assert_eq!(share.right, share.of, "{mistake}: {quality:#?}");
        }
    }
    Ok(())
}
