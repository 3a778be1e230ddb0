//! How quickly the whole log is proven: leaves per second, with everything opened and with nothing opened, and memory.

use std::io::Write as _;

use anyhow::{Context as _, ensure};
use exchange::random::SeededRandom;
use store::{Check, Deed, MAX_BATCH, Options, StorageKey, Store, Verdict};

use super::{clock, options::VerifyOptions, process, tell};
use crate::conformance::{
    agreed::{Incoming, agreed, receive},
    given::{self, Maker, Offer as _},
    person::somebody,
};

/// Messages in one delivery.
const DELIVERY: usize = 256;
/// Of so many deliveries one has messages that are admitted. Those take a hundred times as long to make as what cannot
/// be verified, and their rows and leaves are of the same kind and a little longer.
const ADMITTED_IN: u64 = 8;
/// How often somebody looks at what was admitted in one delivery.
const LOOKS: u64 = 64;

/// Fills a log and proves it.
pub(super) async fn run(options: &VerifyOptions) -> anyhow::Result<()> {
    let folder = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir_in(std::env::current_exe()?.parent().context("a folder")?)?,
    };
    let key = StorageKey::from_bytes(given::STORAGE_KEY);
    let log = std::sync::Arc::new(given::log_signer()?);
    let random = std::sync::Arc::new(SeededRandom::new(1));
    let store =
        Store::create(Options::new(folder.path().join("log.db"), given::us()?, key, log, random)).await?;
    fill(&store, options.leaves).await?;
    let before = process::resident(std::process::id())?;
    for closed in [true, false] {
        measure(&store, options, closed).await?;
    }
    let after = process::resident(std::process::id())?;
    writeln!(
        std::io::stdout(),
        "resident memory: {:.0} MB before, {:.0} MB after, {:.0} MB at most with the filling",
        before.now,
        after.now,
        after.peak
    )?;
    store.close().await;
    Ok(())
}

async fn fill(store: &Store, leaves: u64) -> anyhow::Result<()> {
    let maker = Maker::new(9);
    agree(store).await?;
    let from = given::partner(1)?;
    let mut deliveries = 0;
    while store.log_size().await? < leaves {
        let delivery: Vec<Incoming> = if deliveries % ADMITTED_IN == 0 {
            maker.admitteds(from, DELIVERY)?
        } else {
            let line = |_| receive(&maker.id().to_string(), from, &agreed()?.rules, given::now());
            (0..DELIVERY).map(line).collect::<anyhow::Result<_>>()?
        };
        store.take_in(delivery).await?;
        if deliveries % ADMITTED_IN == 0 {
            look(store).await?;
        }
        deliveries += 1;
        if deliveries % 400 == 0 {
            tell(&format!("{} leaves are made", store.log_size().await?));
        }
    }
    ensure!(DELIVERY <= MAX_BATCH, "a delivery is one operation");
    Ok(())
}

/// Keeps the agreement that the messages rest on, with the text of a purpose for each of its clauses.
async fn agree(store: &Store) -> anyhow::Result<()> {
    for agreement in agreed()?.rules.agreements() {
        let text = |digest| agreed().ok()?.rules.purpose(digest).map(|one| (digest, one.text().to_owned()));
        let clauses = agreement.content().afspraken.iter();
        let purposes = clauses.map(|clause| text(clause.doel_digest)).collect::<Option<_>>();
        let purposes = purposes.context("the purposes of the agreement")?;
        store.put_agreement(agreement.digest(), agreement.text().to_owned(), purposes, given::now()).await?;
    }
    Ok(())
}

/// Somebody looks at the last messages, which stands in the log as well.
async fn look(store: &Store) -> anyhow::Result<()> {
    let last = store.log_size().await?;
    let mut looks = tokio::task::JoinSet::new();
    for number in 1..=LOOKS {
        let (store, access) = (store.clone(), somebody(Deed::Inzien)?);
        looks.spawn(async move { store.view(access, &[last - number]).await });
    }
    while let Some(look) = looks.join_next().await {
        look??;
    }
    Ok(())
}

async fn measure(store: &Store, options: &VerifyOptions, closed: bool) -> anyhow::Result<()> {
    let (cpu, start) = (process::own_cpu()?, clock::now());
    let anchors = store.anchors(given::us()?).await?;
    let verdict = store.verify(Check { anchors, closed }, |_, _| {}).await?;
    let (took, cpu) = (start.elapsed(), process::own_cpu_since(cpu)?);
    let Verdict::Whole { size, .. } = verdict else { anyhow::bail!("{verdict:?}") };
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    let (per_core, per_second) = (size as f64 / cpu.as_secs_f64(), size as f64 / took.as_secs_f64());
    let what = if closed { "nothing opened" } else { "every message opened" };
    writeln!(
        std::io::stdout(),
        "{size} leaves, {what}: {per_core:.0} leaves/s of one core ({per_second:.0} on the clock, {took:.1?})"
    )?;
    // What people get who ask for nothing else; it is done on as many cores as there are.
    let least = options.least.filter(|_| !closed);
    ensure!(least.is_none_or(|least| per_second >= least), "fewer than {least:?} leaves per second");
    Ok(())
}
