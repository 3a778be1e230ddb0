//! Three nodes that know each other, with an agreement that all signed: made once, and copied for every run.

use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use exchange::{
    agreement::{AnswerKind, Clause, Content},
    digest::Digest,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::Purpose,
};
use jiff::civil::date;
use node::agreements;

use super::Organisation;
use crate::simulation::{
    node::Place,
    parties::{Keys, describe, make_keys, party},
    setup::{self, Database},
};

/// An organisation: its number and name, and what kind it is.
pub(crate) type Name = (&'static str, &'static str, OrganisationKind);

/// The three with what they agreed on.
pub(crate) struct Made {
    names: [Name; 3],
    keys: [Keys; 3],
    databases: [Database; 3],
    /// The agreement.
    pub(crate) agreement: Digest,
}

fn oin((oin, ..): Name) -> anyhow::Result<Oin> {
    oin.parse().map_err(|_| anyhow!("a made-up OIN"))
}

impl Made {
    /// Makes them, with keys that follow from a seed.
    pub(crate) fn make(names: [Name; 3], purposes: &[Purpose], seed: u64) -> anyhow::Result<Self> {
        let keys: Vec<Keys> = names
            .into_iter()
            .zip(seed..)
            .map(|(name, seed)| make_keys(seed, oin(name)?))
            .collect::<anyhow::Result<_>>()?;
        let keys: [Keys; 3] = keys.try_into().map_err(|_| anyhow!("three organisations"))?;
        let folder = setup::folder()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let agreement = runtime.block_on(agree((&names, &keys), purposes, folder.path()))?;
        let databases: Vec<Database> =
            (0..3).map(|number| setup::read(folder.path(), &file(number))).collect::<anyhow::Result<_>>()?;
        let databases = databases.try_into().map_err(|_| anyhow!("three databases"))?;
        Ok(Self { names, keys, databases, agreement })
    }

    /// The place of a node in `folder`, with the agreement signed by all.
    pub(crate) fn place(&self, org: impl Organisation, folder: &Path) -> anyhow::Result<Place> {
        let number = org.number();
        let database = setup::write(&self.databases[number], folder, &file(number))?;
        let (oin, keys) = (oin(self.names[number])?, self.keys[number].clone());
        Ok(Place { oin, keys, database, seed: 200 + number as u64 })
    }
}

fn file(number: usize) -> String {
    format!("knooppunt-{number}")
}

async fn agree(
    (names, keys): (&[Name; 3], &[Keys; 3]),
    purposes: &[Purpose],
    folder: &Path,
) -> anyhow::Result<Digest> {
    let mut cores = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let database = folder.join(format!("{}.db", file(number)));
        let place =
            Place { oin: oin(*name)?, keys: keys[number].clone(), database, seed: 20 + number as u64 };
        let others = names.iter().zip(keys).enumerate().filter(|(other, _)| *other != number);
        let descriptors: Vec<String> = others
            .map(|(_, (name, keys))| describe(oin(*name)?, (name.1, name.2), keys))
            .collect::<anyhow::Result<_>>()?;
        cores.push(setup::create(place, &descriptors).await?);
    }
    let digest = agreements::propose(&cores[0], &content(names, keys, purposes)?, purposes).await?;
    for core in &cores[1..] {
        setup::bring(&cores[0], core).await?;
        agreements::answer(core, digest, AnswerKind::Accepted).await?;
        setup::bring(core, &cores[0]).await?;
    }
    setup::bring(&cores[0], &cores[1]).await?;
    for core in cores {
        let rules = core.rules();
        let answers = rules.agreement(digest).context("the agreement")?.answers().len();
        ensure!(answers == names.len(), "{answers} answers");
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

fn content(names: &[Name; 3], keys: &[Keys; 3], purposes: &[Purpose]) -> anyhow::Result<String> {
    let everybody: Vec<Oin> = names.iter().map(|name| oin(*name)).collect::<anyhow::Result<_>>()?;
    let content = Content {
        groep: "rivierenland".into(),
        versie: 1,
        partijen: names
            .iter()
            .zip(keys)
            .map(|(name, keys)| Ok(party(oin(*name)?, (name.1, name.2), keys)))
            .collect::<anyhow::Result<_>>()?,
        geldig_van: date(2026, 11, 1),
        geldig_tot: date(2029, 10, 31),
        afspraken: purposes.iter().map(|purpose| among(&everybody, purpose)).collect(),
    };
    Ok(serde_json::to_string(&content)?)
}
