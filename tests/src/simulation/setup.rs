//! Two organisations that know each other: made once, and copied for every run.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use anyhow::{Context as _, anyhow};
use exchange::{
    agreement::{AnswerKind, Clause, Content, Party},
    clock::{Clock as _, ManualClock},
    descriptor::{Addresses, Descriptor},
    digest::Digest,
    entry::Entry,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::{Purpose, Rule},
    random::SeededRandom,
    signature::Signer as _,
};
use jiff::{
    Timestamp,
    civil::{Date, date},
};
use node::{
    agreements::{self, Package},
    core::Core,
    keys::{self, Keys},
    partners,
};
use schemas::SchemaName;
use store::{Options, Store};
use tempfile::TempDir;

use super::operation::Side;

/// When every run begins.
pub(super) const START: &str = "2026-11-21T09:30:00Z";

const PURPOSE_TEXT: &str = include_str!("../../../config/doelen/vroegsignalering-huur.toml");
/// The last day of every version of the agreement.
const LAST_DAY: Date = date(2027, 10, 31);
const DATABASE: &str = "schakel.db";

static TEMPLATE: LazyLock<Result<TempDir, String>> =
    LazyLock::new(|| make().map_err(|error| format!("{error:#}")));

/// The organisation on a side.
pub(super) fn oin(side: Side) -> anyhow::Result<Oin> {
    let text = match side {
        Side::Corporation => "00000099000000002000",
        Side::Municipality => "00000099000000001000",
    };
    text.parse().map_err(|_| anyhow!("a made-up OIN"))
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
    let (from, to) = (template.path().join(format!("{side:?}")), folder.join(format!("{side:?}")));
    std::fs::create_dir(&to)?;
    // What was written last may still stand in the write-ahead log.
    for file in [DATABASE.to_owned(), format!("{DATABASE}-wal")] {
        if from.join(&file).exists() {
            std::fs::copy(from.join(&file), to.join(&file))?;
        }
    }
    Ok(to.join(DATABASE))
}

/// The keys of a side, the same in every run.
pub(super) fn keys(side: Side) -> anyhow::Result<Keys> {
    let template = TEMPLATE.as_ref().map_err(|error| anyhow!("{error}"))?;
    Ok(keys::load(&template.path().join(format!("{side:?}")), oin(side)?)?)
}

fn make() -> anyhow::Result<TempDir> {
    let folder = folder()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let [corporation, municipality] =
            [begin(Side::Corporation, &folder).await?, begin(Side::Municipality, &folder).await?];
        let digest = propose(&corporation, &agreement(1)?).await?;
        bring(&corporation, &municipality).await?;
        agreements::answer(&municipality, digest, AnswerKind::Accepted).await?;
        bring(&municipality, &corporation).await?;
        corporation.store.close().await;
        municipality.store.close().await;
        anyhow::Ok(())
    })?;
    Ok(folder)
}

async fn begin(side: Side, folder: &TempDir) -> anyhow::Result<Core> {
    let (folder, me) = (folder.path().join(format!("{side:?}")), oin(side)?);
    let random = Arc::new(SeededRandom::new(side as u64));
    keys::create(&folder, &*random)?;
    let keys = keys::load(&folder, me)?;
    let clock = Arc::new(ManualClock::at(START.parse()?));
    let options = Options::new(folder.join(DATABASE), me, keys.storage, keys.log, random.clone());
    let store = Store::create(options).await?;
    store.append(vec![Entry::Begin { oin: me, tijd: clock.now() }.leaf()]).await?;
    let core = Core::new(me, store, Arc::new(keys.messages), clock, random).await?;
    partners::add(&core, &descriptor(side.other())?).await?;
    Ok(core)
}

/// The JSON of a version of the agreement.
pub(super) fn agreement(version: u32) -> anyhow::Result<String> {
    let purpose = Purpose::from_toml(PURPOSE_TEXT)?;
    let (corporation, municipality) = (oin(Side::Corporation)?, oin(Side::Municipality)?);
    let clause = |rule: &Rule| {
        let by_corporation = rule.van.contains(&OrganisationKind::HousingCorporation);
        let (from, to) =
            if by_corporation { (corporation, municipality) } else { (municipality, corporation) };
        Clause {
            doel: purpose.content().doel.clone(),
            doel_digest: purpose.digest(),
            van: vec![from],
            naar: vec![to],
            berichttypen: vec![rule.message_type.clone()],
        }
    };
    let content = Content {
        groep: "rivierenland".into(),
        versie: version,
        partijen: vec![party(Side::Corporation)?, party(Side::Municipality)?],
        geldig_van: date(2026, 11, 1),
        geldig_tot: LAST_DAY,
        afspraken: purpose.content().berichten.iter().map(clause).collect(),
    };
    Ok(serde_json::to_string(&content)?)
}

/// The keys that a side begins with. While the template is being made they are not at hand there yet.
fn first_keys(side: Side) -> anyhow::Result<Keys> {
    let folder = tempfile::tempdir()?;
    keys::create(folder.path(), &SeededRandom::new(side as u64))?;
    Ok(keys::load(folder.path(), oin(side)?)?)
}

fn name(side: Side) -> (&'static str, OrganisationKind) {
    match side {
        Side::Corporation => ("Woningcorporatie De Oever", OrganisationKind::HousingCorporation),
        Side::Municipality => ("Gemeente Rivierstad", OrganisationKind::Municipality),
    }
}

fn party(side: Side) -> anyhow::Result<Party> {
    let (keys, (name, kind)) = (first_keys(side)?, name(side));
    Ok(Party {
        oin: oin(side)?,
        naam: name.into(),
        soort: kind,
        sleutels: vec![keys.messages.public_key().clone()],
        logsleutel: keys.log.verifier().to_string(),
        contact: "schakel@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    })
}

/// What the node of a side says of itself.
fn descriptor(side: Side) -> anyhow::Result<String> {
    let (keys, (name, kind)) = (first_keys(side)?, name(side));
    let descriptor = Descriptor {
        oin: oin(side)?,
        naam: name.into(),
        soort: kind,
        adressen: Addresses { tcp: "schakel.voorbeeld.test:8443".into(), quic: None },
        sleutels: vec![keys.messages.public_key().clone()],
        logsleutel: keys.log.verifier().to_string(),
        berichttypen: SchemaName::all()
            .filter_map(|schema| schema.message_type().map(str::to_owned))
            .collect(),
        loketten: Vec::new(),
        protocolversies: vec!["1".into()],
    };
    Ok(descriptor.sign(&keys.messages)?)
}

/// One party proposes an agreement and signs it.
pub(super) async fn propose(core: &Core, agreement: &str) -> anyhow::Result<Digest> {
    Ok(agreements::propose(core, agreement, &[Purpose::from_toml(PURPOSE_TEXT)?]).await?)
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

/// The moment every run begins.
pub(super) fn start() -> anyhow::Result<Timestamp> {
    Ok(START.parse()?)
}

/// The moment the agreement ends.
pub(super) fn end() -> anyhow::Result<Timestamp> {
    let next = LAST_DAY.tomorrow()?;
    Ok(next.to_zoned(exchange::agreement::dutch_time())?.timestamp())
}
