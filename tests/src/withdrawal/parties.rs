//! The three organisations and what they agree on. Synthetic, and the same in every run.

use std::{path::Path, sync::LazyLock};

use anyhow::anyhow;
use exchange::{digest::Digest, organisation::OrganisationKind, purpose::Purpose};

use super::operation::Org;
use crate::simulation::{
    node::Place,
    three::parties::{Made, Name},
};

const ERASES: &str = include_str!("../../../config/doelen/hulp-met-toestemming.toml");

/// The purpose by which what came under consent is erased.
pub(crate) const ERASING: &str = "hulp-met-toestemming";
/// The same, but what came under consent is kept as a public task.
pub(super) const KEEPING: &str = "hulp-als-taak";

/// The seed of the keys of the first; those of the others follow.
const KEY_SEED: u64 = 40;

const NAMES: [Name; 3] = [
    ("00000099000000001000", "Gemeente Rivierstad", OrganisationKind::Municipality),
    ("00000099000000005000", "Zorg aan de Oever", OrganisationKind::CareProvider),
    ("00000099000000006000", "Welzijn Rivierstad", OrganisationKind::Welfare),
];

static MADE: LazyLock<Result<Made, String>> = LazyLock::new(|| {
    let made = purposes().and_then(|purposes| Made::make(NAMES, &purposes, KEY_SEED));
    made.map_err(|error| format!("{error:#}"))
});

fn made() -> anyhow::Result<&'static Made> {
    MADE.as_ref().map_err(|error| anyhow!("{error}"))
}

/// The place of a node in `folder`, with the agreement signed by all.
pub(super) fn place(org: Org, folder: &Path) -> anyhow::Result<Place> {
    made()?.place(org, folder)
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
