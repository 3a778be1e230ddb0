//! Two nodes that know each other: made once, and copied for every run.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use anyhow::{Context as _, anyhow};
use exchange::{
    agreement::AnswerKind,
    clock::{Clock as _, ManualClock},
    digest::Digest,
    entry::Entry,
    random::SeededRandom,
};
use jiff::Timestamp;
use node::{
    agreements::{self, Package},
    core::Core,
    partners,
};
use store::{Options, Store};
use tempfile::TempDir;

use super::{
    node::Place,
    operation::Side,
    parties::{self, Keys},
};

/// When every run begins.
const START: &str = "2026-11-21T09:30:00Z";

/// The endings of the files of a database that was closed. What was written last may still stand in the second; the
/// third holds the keys of what it keeps.
const PARTS: [&str; 3] = ["db", "db-wal", "db-sleutels"];

/// The files of a database, with their endings.
pub(crate) type Database = Vec<(&'static str, Vec<u8>)>;

static TEMPLATE: LazyLock<Result<[Database; 2], String>> =
    LazyLock::new(|| make().map_err(|error| format!("{error:#}")));

/// The moment every run begins.
pub(crate) fn start() -> anyhow::Result<Timestamp> {
    Ok(START.parse()?)
}

/// A folder of its own for a run, in memory where the machine has such a place: what is simulated is that processes
/// die, not that disks forget.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    Ok(made?)
}

/// The place of a side in `folder`, with the agreement signed by both.
pub(super) fn place(side: Side, folder: &Path) -> anyhow::Result<Place> {
    let template = TEMPLATE.as_ref().map_err(|error| anyhow!("{error}"))?;
    let name = format!("{side:?}");
    let database = write(&template[side as usize], folder, &name)?;
    Ok(Place { oin: parties::oin(side)?, keys: parties::keys(side)?, database, seed: 100 + side as u64 })
}

/// Puts a database in `folder`; returns its path.
pub(crate) fn write(database: &Database, folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    for (ending, content) in database {
        fs::write(path(folder, name, ending), content)?;
    }
    Ok(path(folder, name, PARTS[0]))
}

/// Reads a database that was closed.
pub(crate) fn read(folder: &Path, name: &str) -> anyhow::Result<Database> {
    let files = PARTS.map(|ending| (ending, path(folder, name, ending))).into_iter();
    files.filter(|(_, path)| path.exists()).map(|(ending, path)| Ok((ending, fs::read(path)?))).collect()
}

fn path(folder: &Path, name: &str, ending: &str) -> PathBuf {
    folder.join(format!("{name}.{ending}"))
}

fn make() -> anyhow::Result<[Database; 2]> {
    let folder = folder()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let [corporation, municipality] =
            [begin(Side::Corporation, &folder).await?, begin(Side::Municipality, &folder).await?];
        let digest = parties::propose(&corporation, 1).await?;
        bring(&corporation, &municipality).await?;
        agreements::answer(&municipality, digest, AnswerKind::Accepted).await?;
        bring(&municipality, &corporation).await?;
        corporation.store.close().await;
        municipality.store.close().await;
        anyhow::Ok(())
    })?;
    let read = |side: Side| read(folder.path(), &format!("{side:?}"));
    Ok([read(Side::Corporation)?, read(Side::Municipality)?])
}

async fn begin(side: Side, folder: &TempDir) -> anyhow::Result<Core> {
    let database = path(folder.path(), &format!("{side:?}"), PARTS[0]);
    let place =
        Place { oin: parties::oin(side)?, keys: parties::keys(side)?, database, seed: 10 + side as u64 };
    create(place, &[parties::descriptor(side.other())?]).await
}

/// Makes a node with these partners.
pub(crate) async fn create(place: Place, descriptors: &[String]) -> anyhow::Result<Core> {
    let Place { oin: me, keys: Keys { signer, log, storage }, database, seed } = place;
    let random = Arc::new(SeededRandom::new(seed));
    let clock = Arc::new(ManualClock::at(start()?));
    let store = Store::create(Options::new(database, me, storage, log, random.clone())).await?;
    store.append(vec![Entry::Begin { oin: me, tijd: clock.now() }.leaf()]).await?;
    let core = Core::new(me, store, signer, clock, random).await?;
    for descriptor in descriptors {
        partners::add(&core, descriptor, false).await?;
    }
    Ok(core)
}

/// Brings every agreement and answer that `from` knows to `to`, as `POST /v1/convenanten` does.
pub(crate) async fn bring(from: &Core, to: &Core) -> anyhow::Result<()> {
    let rules = from.rules();
    for agreement in rules.agreements() {
        let digests: BTreeSet<Digest> =
            agreement.content().afspraken.iter().map(|clause| clause.doel_digest).collect();
        let purposes = digests.into_iter().map(|digest| {
            let purpose = rules.purpose(digest).context("a purpose of an agreement")?;
            Ok(serde_json::from_str(purpose.text())?)
        });
        let package = Package {
            convenant: serde_json::from_str(agreement.text())?,
            doelen: purposes.collect::<anyhow::Result<_>>()?,
            antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        };
        agreements::receive(to, from.me, &serde_json::to_vec(&package)?).await?;
    }
    Ok(())
}
