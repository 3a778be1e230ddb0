//! Two nodes that know each other: made once, and copied for every run.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use anyhow::{Context as _, anyhow};
use exchange::{
    agreement::AnswerKind,
    clock::{Clock as _, ManualClock},
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
    operation::Side,
    parties::{self, Keys},
};

/// When every run begins.
const START: &str = "2026-11-21T09:30:00Z";

/// The endings of the files of a database that was closed. What was written last may still stand in the second; the
/// third holds the keys of what it keeps.
const PARTS: [&str; 3] = ["db", "db-wal", "db-sleutels"];

/// The files of a database, with their endings.
type Database = Vec<(&'static str, Vec<u8>)>;

static TEMPLATE: LazyLock<Result<[Database; 2], String>> =
    LazyLock::new(|| make().map_err(|error| format!("{error:#}")));

/// The moment every run begins.
pub(super) fn start() -> anyhow::Result<Timestamp> {
    Ok(START.parse()?)
}

/// A folder of its own for a run, in memory where the machine has such a place: what is simulated is that processes
/// die, not that disks forget.
pub(super) fn folder() -> anyhow::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    Ok(made?)
}

/// Puts the database of a side, with the agreement signed by both, in `folder`; returns its path.
pub(super) fn database(side: Side, folder: &Path) -> anyhow::Result<PathBuf> {
    let template = TEMPLATE.as_ref().map_err(|error| anyhow!("{error}"))?;
    for (ending, content) in &template[side as usize] {
        fs::write(path(side, folder, ending), content)?;
    }
    Ok(path(side, folder, PARTS[0]))
}

fn path(side: Side, folder: &Path, ending: &str) -> PathBuf {
    folder.join(format!("{side:?}.{ending}"))
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
    let read = |side: Side| {
        let files = PARTS.map(|ending| (ending, path(side, folder.path(), ending))).into_iter();
        let files = files.filter(|(_, path)| path.exists());
        files.map(|(ending, path)| Ok((ending, fs::read(path)?))).collect::<anyhow::Result<Database>>()
    };
    Ok([read(Side::Corporation)?, read(Side::Municipality)?])
}

async fn begin(side: Side, folder: &TempDir) -> anyhow::Result<Core> {
    let (me, Keys { signer, log, storage }) = (parties::oin(side)?, parties::keys(side)?);
    let random = Arc::new(SeededRandom::new(10 + side as u64));
    let clock = Arc::new(ManualClock::at(start()?));
    let options = Options::new(path(side, folder.path(), PARTS[0]), me, storage, log, random.clone());
    let store = Store::create(options).await?;
    store.append(vec![Entry::Begin { oin: me, tijd: clock.now() }.leaf()]).await?;
    let core = Core::new(me, store, signer, clock, random).await?;
    partners::add(&core, &parties::descriptor(side.other())?, false).await?;
    Ok(core)
}

/// Brings every agreement and answer that `from` knows to `to`, as `POST /v1/convenanten` does.
pub(super) async fn bring(from: &Core, to: &Core) -> anyhow::Result<()> {
    let rules = from.rules();
    for agreement in rules.agreements() {
        let clauses = &agreement.content().afspraken;
        let purpose = rules.purpose(clauses[0].doel_digest).context("the purpose of an agreement")?;
        let package = Package {
            convenant: serde_json::from_str(agreement.text())?,
            doelen: vec![serde_json::from_str(purpose.text())?],
            antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        };
        agreements::receive(to, from.me, &serde_json::to_vec(&package)?).await?;
    }
    Ok(())
}
