//! The three organisations and what they agree on. Synthetic, and the same in every run.

use std::{path::Path, sync::LazyLock};

use anyhow::anyhow;
use exchange::{organisation::OrganisationKind, purpose::Purpose};

use super::operation::Org;
use crate::simulation::{
    node::Place,
    three::parties::{Made, Name},
};

/// The purpose of every message.
pub(super) const PURPOSE: &str = "overdracht-werk-en-inkomen";

const PURPOSE_TEXT: &str = include_str!("../../../config/doelen/overdracht-werk-en-inkomen.toml");

/// The seed of the keys of the first; those of the others follow.
const KEY_SEED: u64 = 50;

const NAMES: [Name; 3] = [
    ("00000099000000001000", "Gemeente Rivierstad", OrganisationKind::Municipality),
    ("00000099000000003000", "Sociale Dienst Rivierenland", OrganisationKind::SocialService),
    ("00000099000000005000", "UWV Rivierenland", OrganisationKind::Uwv),
];

static MADE: LazyLock<Result<Made, String>> = LazyLock::new(|| {
    let purpose = Purpose::from_toml(PURPOSE_TEXT).map_err(|error| error.to_string())?;
    Made::make(NAMES, &[purpose], KEY_SEED).map_err(|error| format!("{error:#}"))
});

/// The place of a node in `folder`, with the agreement signed by all.
pub(super) fn place(org: Org, folder: &Path) -> anyhow::Result<Place> {
    MADE.as_ref().map_err(|error| anyhow!("{error}"))?.place(org, folder)
}
