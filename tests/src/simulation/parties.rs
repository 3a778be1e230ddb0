//! The two organisations and what they agree on. Synthetic, and the same in every run.

use std::sync::{Arc, LazyLock};

use anyhow::anyhow;
use exchange::{
    agreement::{Clause, Content, Party},
    descriptor::{Addresses, Descriptor},
    digest::Digest,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::{Purpose, Rule},
    random::SeededRandom,
    signature::{Ed25519Signer, Signer as _},
    tlog::LogSigner,
};
use jiff::{
    Timestamp,
    civil::{Date, date},
};
use node::{agreements, core::Core, keys};
use schemas::SchemaName;
use store::StorageKey;

use super::operation::Side;

const PURPOSE_TEXT: &str = include_str!("../../../config/doelen/vroegsignalering-huur.toml");

/// The last day of every version of the agreement.
const LAST_DAY: Date = date(2027, 10, 31);

/// The keys of a node.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) signer: Arc<Ed25519Signer>,
    pub(crate) log: Arc<LogSigner>,
    pub(crate) storage: StorageKey,
}

static KEYS: LazyLock<Result<[Keys; 2], String>> = LazyLock::new(|| {
    let make = |side: Side| make_keys(side as u64, oin(side)?);
    let made = Side::BOTH.map(make).into_iter().collect::<anyhow::Result<Vec<Keys>>>();
    let made = made.map_err(|error| format!("{error:#}"))?;
    made.try_into().map_err(|_| "two sides".to_owned())
});

/// The keys of a side.
pub(super) fn keys(side: Side) -> anyhow::Result<Keys> {
    let keys = KEYS.as_ref().map_err(|error| anyhow!("{error}"))?;
    Ok(keys[side as usize].clone())
}

/// The keys of an organisation, always the same for a seed.
pub(crate) fn make_keys(seed: u64, oin: Oin) -> anyhow::Result<Keys> {
    let folder = tempfile::tempdir()?;
    keys::create(folder.path(), &SeededRandom::new(seed))?;
    let made = keys::load(folder.path(), oin)?;
    Ok(Keys { signer: Arc::new(made.messages), log: made.log, storage: made.storage })
}

/// The organisation on a side.
pub(super) fn oin(side: Side) -> anyhow::Result<Oin> {
    let text = match side {
        Side::Corporation => "00000099000000002000",
        Side::Municipality => "00000099000000001000",
    };
    text.parse().map_err(|_| anyhow!("a made-up OIN"))
}

const fn name(side: Side) -> (&'static str, OrganisationKind) {
    match side {
        Side::Corporation => ("Woningcorporatie De Oever", OrganisationKind::HousingCorporation),
        Side::Municipality => ("Gemeente Rivierstad", OrganisationKind::Municipality),
    }
}

/// An organisation, as it stands in an agreement.
pub(crate) fn party(oin: Oin, (name, kind): (&str, OrganisationKind), keys: &Keys) -> Party {
    Party {
        oin,
        naam: name.into(),
        soort: kind,
        sleutels: vec![keys.signer.public_key().clone()],
        logsleutel: keys.log.verifier().to_string(),
        contact: "schakel@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    }
}

/// What the node of a side says of itself.
pub(super) fn descriptor(side: Side) -> anyhow::Result<String> {
    describe(oin(side)?, name(side), &keys(side)?)
}

/// What the node of an organisation says of itself.
pub(crate) fn describe(
    oin: Oin,
    (name, kind): (&str, OrganisationKind),
    keys: &Keys,
) -> anyhow::Result<String> {
    let types = SchemaName::all().filter_map(SchemaName::message_type);
    let descriptor = Descriptor {
        oin,
        naam: name.into(),
        soort: kind,
        adressen: Addresses { tcp: "schakel.voorbeeld.test:8443".into(), quic: None },
        sleutels: vec![keys.signer.public_key().clone()],
        logsleutel: keys.log.verifier().to_string(),
        berichttypen: types.map(str::to_owned).collect(),
        loketten: Vec::new(),
        protocolversies: vec!["1".into()],
    };
    Ok(descriptor.sign(&*keys.signer)?)
}

/// One party proposes a version of the agreement and signs it.
pub(super) async fn propose(core: &Core, version: usize) -> anyhow::Result<Digest> {
    let purpose = Purpose::from_toml(PURPOSE_TEXT)?;
    let content = Content {
        groep: "rivierenland".into(),
        versie: u32::try_from(version)?,
        partijen: Side::BOTH
            .into_iter()
            .map(|side| Ok(party(oin(side)?, name(side), &keys(side)?)))
            .collect::<anyhow::Result<_>>()?,
        geldig_van: date(2026, 11, 1),
        geldig_tot: LAST_DAY,
        afspraken: clauses(&purpose)?,
    };
    let text = serde_json::to_string(&content)?;
    Ok(agreements::propose(core, &text, &[purpose]).await?)
}

fn clauses(purpose: &Purpose) -> anyhow::Result<Vec<Clause>> {
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
    Ok(purpose.content().berichten.iter().map(clause).collect())
}

/// The moment every version of the agreement ends.
pub(super) fn end_of_agreement() -> anyhow::Result<Timestamp> {
    let next = LAST_DAY.tomorrow()?;
    Ok(next.to_zoned(exchange::calendar::dutch_time())?.timestamp())
}
