//! What the program brings along, so that it works without its source: the purpose register, mappings and an export
//! to try.

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../config/", $folder, "/", $name)))),+]
    };
}

/// The purposes of the register, as files.
pub const PURPOSES: &[(&str, &str)] = files!(
    "doelen":
    "consultatie.toml",
    "hulp-met-toestemming.toml",
    "overdracht-werk-en-inkomen.toml",
    "vroegsignalering-energie.toml",
    "vroegsignalering-huur.toml",
);

/// Mappings for local systems, as files.
pub const MAPPINGS: &[(&str, &str)] = files!("adapters": "woningcorporatie-achterstanden.toml");

/// An arrears export as a housing corporation's system writes it, with synthetic people.
pub const ARREARS: &[u8] = include_bytes!("../../../adapters/fixtures/achterstanden.csv");
