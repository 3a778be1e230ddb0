//! The published schemas, their fixtures and the purpose register, held together.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod consultation;
mod fields;
mod fixtures;
mod properties;
mod published;
mod purposes;

use std::path::{Path, PathBuf};

/// A folder of this crate.
fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files in a folder, with their text, in a fixed order.
fn files(path: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}
