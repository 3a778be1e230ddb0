//! Recognising residents across senders: how good it is on a labelled town, and how long a new signal takes among the
//! signals of very many people, on the real store.

use std::{io::Write as _, path::Path, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use exchange::random::SeededRandom;
use serde_json::json;
use store::{MAX_MATCHED, Options, StorageKey, Store};

use super::{clock, command::Times, options::MatchingOptions, tell};
use crate::{
    conformance::given::{self, Offer as _},
    matching::{Quality, Signals, match_all},
};

/// Signals that are taken in at once while filling.
const DELIVERY: usize = 256;
/// The seeds of the two towns.
const QUALITY_SEED: u64 = 1;
const TIMING_SEED: u64 = 2;

async fn make(folder: &Path) -> anyhow::Result<Store> {
    let key = StorageKey::from_bytes(given::STORAGE_KEY);
    let (log, random) = (Arc::new(given::log_signer()?), Arc::new(SeededRandom::new(1)));
    Ok(Store::create(Options::new(folder.join("a.db"), given::us()?, key, log, random)).await?)
}

/// Measures both.
pub(super) async fn run(options: &MatchingOptions) -> anyhow::Result<()> {
    let place = || match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir_in(std::env::current_exe()?.parent().ok_or(std::io::ErrorKind::NotFound)?),
    };
    let folder = place()?;
    let store = make(folder.path()).await?;
    let quality = quality(&store, options.quality).await?;
    store.close().await;
    let folder = place()?;
    let store = make(folder.path()).await?;
    let (filled, took) = timing(&store, options).await?;
    store.close().await;
    report(options, &quality, (filled, took))?;
    ensure!(quality.joined.right == quality.joined.of, "somebody was joined with somebody else");
    Ok(())
}

async fn quality(store: &Store, residents: usize) -> anyhow::Result<Quality> {
    tell("a labelled town");
    let mut signals = Signals::of_town(residents, QUALITY_SEED);
    signals.take_in(store).await?;
    let start = clock::now();
    match_all(store, MAX_MATCHED, || start.elapsed()).await?;
    signals.quality(store).await
}

/// How many signals a second are held against all before them while there are many to do, and how long one takes when it is
/// the only one.
async fn timing(store: &Store, options: &MatchingOptions) -> anyhow::Result<(f64, Times)> {
    tell("a signal about each of very many people");
    let mut signals = Signals::of_town(options.people, TIMING_SEED);
    let mut waiting = Vec::with_capacity(DELIVERY);
    for number in 1..=options.people {
        waiting.extend(signals.next_resident(1)?);
        if waiting.len() == DELIVERY || number == options.people {
            store.take_in(std::mem::take(&mut waiting)).await?;
        }
    }
    let start = clock::now();
    match_all(store, MAX_MATCHED, || start.elapsed()).await?;
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    let rate = options.people as f64 / start.elapsed().as_secs_f64();
    tell("new signals, one by one");
    let mut took = Vec::with_capacity(options.probes);
    for _ in 0..options.probes {
        store.take_in(signals.next_resident(1)?).await?;
        took.push(one(store, clock::now()).await?);
    }
    Ok((rate, Times::of(took)))
}

async fn one(store: &Store, start: Instant) -> anyhow::Result<std::time::Duration> {
    let took = match_all(store, 1, || start.elapsed()).await?;
    took.into_iter().next().context("one signal was held against the others")
}

fn report(options: &MatchingOptions, quality: &Quality, (rate, took): (f64, Times)) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if options.json {
        let report = json!({
            "quality": quality,
            "exact_join_precision": quality.joined.part(),
            "exact_join_recall": quality.joined_recall.part(),
            "precision_of_suggestions": quality.suggested.part(),
            "precision_of_households": quality.households.part(),
            "recall": quality.recall.part(),
            "people": options.people,
            "filled_per_s": rate,
            "new_signal": took,
        });
        writeln!(out, "{report}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{} signals: exact join precision {:.4}, recall {:.4}; with suggestions recall {:.4}, their precision {:.4}",
        quality.signals,
        quality.joined.part(),
        quality.joined_recall.part(),
        quality.recall.part(),
        quality.suggested.part()
    )?;
    writeln!(out, "a household: precision {:.4} of {}", quality.households.part(), quality.households.of)?;
    for (mistake, share) in &quality.by_mistake {
        writeln!(out, "  {mistake:<14} recall {:.4} of {}", share.part(), share.of)?;
    }
    let people = options.people;
    writeln!(
        out,
        "a new signal among {people} people: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms; {rate:.0}/s while filling",
        took.p50_ms, took.p99_ms, took.max_ms
    )?;
    Ok(())
}
