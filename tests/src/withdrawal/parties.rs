//! The three organisations and what they agree on. Synthetic, and the same in every run.

use std::{path::Path, sync::LazyLock};

use anyhow::{Context as _, anyhow};
use exchange::{
    agreement::{AnswerKind, Clause, Content},
    digest::Digest,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::Purpose,
};
use jiff::civil::date;
use node::agreements;

use super::operation::Org;
use crate::simulation::{
    node::Place,
    parties::{Keys, describe, make_keys, party},
    setup::{self, Database},
};

const ERASES: &str = include_str!("../../../config/doelen/hulp-met-toestemming.toml");

/// The purpose by which what came under consent is erased.
pub(crate) const ERASING: &str = "hulp-met-toestemming";
/// The same, but what came under consent is kept as a public task.
pub(super) const KEEPING: &str = "hulp-als-taak";

/// The seed of the keys of the first; those of the others follow.
const KEY_SEED: u64 = 40;

struct Made {
    keys: [Keys; 3],
    databases: [Database; 3],
    agreement: Digest,
}

static MADE: LazyLock<Result<Made, String>> = LazyLock::new(|| make().map_err(|error| format!("{error:#}")));

fn made() -> anyhow::Result<&'static Made> {
    MADE.as_ref().map_err(|error| anyhow!("{error}"))
}

/// An organisation.
pub(super) fn oin(org: Org) -> anyhow::Result<Oin> {
    let text = match org {
        Org::Holder => "00000099000000001000",
        Org::Care => "00000099000000005000",
        Org::Welfare => "00000099000000006000",
    };
    text.parse().map_err(|_| anyhow!("a made-up OIN"))
}

const fn name(org: Org) -> (&'static str, OrganisationKind) {
    match org {
        Org::Holder => ("Gemeente Rivierstad", OrganisationKind::Municipality),
        Org::Care => ("Zorg aan de Oever", OrganisationKind::CareProvider),
        Org::Welfare => ("Welzijn Rivierstad", OrganisationKind::Welfare),
    }
}

/// The place of a node in `folder`, with the agreement signed by all.
pub(super) fn place(org: Org, folder: &Path) -> anyhow::Result<Place> {
    let made = made()?;
    let number = org as usize;
    let database = setup::write(&made.databases[number], folder, &format!("{org:?}"))?;
    Ok(Place { oin: oin(org)?, keys: made.keys[number].clone(), database, seed: 200 + number as u64 })
}

/// The agreement of the three.
pub(super) fn agreement() -> anyhow::Result<Digest> {
    Ok(made()?.agreement)
}

/// The purposes that they agreed on.
pub(crate) fn purposes() -> anyhow::Result<[Purpose; 2]> {
    let basis = "[[berichten.grondslagen]]\nsoort = \"toestemming\"";
    let task =
        "[[berichten.grondslagen]]\nsoort = \"publieke-taak\"\nartikelen = [\"Wmo 2015 art. 2.3.2\"]\n\n";
    // That there is another basis is not enough to keep something: the purpose must say so.
    let erases = ERASES.replace(basis, &format!("{task}{basis}"));
    let keeps = erases
        .replace(&format!("doel = \"{ERASING}\""), &format!("doel = \"{KEEPING}\""))
        .replace("bij_intrekking = \"wissen\"", "bij_intrekking = \"andere-grondslag\"");
    Ok([Purpose::from_toml(&erases)?, Purpose::from_toml(&keeps)?])
}

fn make() -> anyhow::Result<Made> {
    let all: Vec<Keys> = Org::ALL
        .into_iter()
        .map(|org| make_keys(KEY_SEED + org as u64, oin(org)?))
        .collect::<anyhow::Result<_>>()?;
    let keys: [Keys; 3] = all.try_into().map_err(|_| anyhow!("three organisations"))?;
    let folder = setup::folder()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let agreement = runtime.block_on(agree(&keys, folder.path()))?;
    let databases: Vec<Database> = Org::ALL
        .into_iter()
        .map(|org| setup::read(folder.path(), &format!("{org:?}")))
        .collect::<anyhow::Result<_>>()?;
    let databases = databases.try_into().map_err(|_| anyhow!("three databases"))?;
    Ok(Made { keys, databases, agreement })
}

async fn agree(keys: &[Keys; 3], folder: &Path) -> anyhow::Result<Digest> {
    let mut cores = Vec::new();
    for org in Org::ALL {
        let number = org as usize;
        let database = folder.join(format!("{org:?}.db"));
        let place = Place { oin: oin(org)?, keys: keys[number].clone(), database, seed: 20 + number as u64 };
        let others = Org::ALL.into_iter().filter(|other| *other != org);
        let descriptors: Vec<String> = others
            .map(|other| describe(oin(other)?, name(other), &keys[other as usize]))
            .collect::<anyhow::Result<_>>()?;
        cores.push(setup::create(place, &descriptors).await?);
    }
    let purposes = purposes()?;
    let digest = agreements::propose(&cores[0], &content(keys, &purposes)?, &purposes).await?;
    for core in &cores[1..] {
        setup::bring(&cores[0], core).await?;
        agreements::answer(core, digest, AnswerKind::Accepted).await?;
        setup::bring(core, &cores[0]).await?;
    }
    setup::bring(&cores[0], &cores[1]).await?;
    for core in cores {
        let rules = core.rules();
        let answers = rules.agreement(digest).context("the agreement")?.answers().len();
        anyhow::ensure!(answers == Org::ALL.len(), "{answers} answers");
        core.store.close().await;
    }
    Ok(digest)
}

/// That everybody may send everybody all that a purpose knows.
pub(crate) fn among(everybody: &[Oin], purpose: &Purpose) -> Clause {
    Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: everybody.to_vec(),
        naar: everybody.to_vec(),
        berichttypen: purpose.content().berichten.iter().map(|rule| rule.message_type.clone()).collect(),
    }
}

fn content(keys: &[Keys; 3], purposes: &[Purpose]) -> anyhow::Result<String> {
    let everybody: Vec<Oin> = Org::ALL.into_iter().map(oin).collect::<anyhow::Result<_>>()?;
    let content = Content {
        groep: "rivierenland".into(),
        versie: 1,
        partijen: Org::ALL
            .into_iter()
            .map(|org| Ok(party(oin(org)?, name(org), &keys[org as usize])))
            .collect::<anyhow::Result<_>>()?,
        geldig_van: date(2026, 11, 1),
        geldig_tot: date(2029, 10, 31),
        afspraken: purposes.iter().map(|purpose| among(&everybody, purpose)).collect(),
    };
    Ok(serde_json::to_string(&content)?)
}
