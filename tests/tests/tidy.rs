//! What a compiler does not see: who knows whom, what may stand where, and whether what is written is still true.
//!
//! Only files that are in the repository, or would be with the next commit, count.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/crates.rs"]
mod crates;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/layout.rs"]
mod layout;
#[path = "tidy/settings.rs"]
mod settings;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// A file of the repository.
struct Source {
    /// Its path from the root, with `/`.
    path: String,
    /// What it says; empty when that is no text.
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether it only takes part in tests, measurements and examples.
    fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts.iter().any(|part| ["tests", "tests.rs", "testing.rs", "examples", "benches"].contains(part))
    }

    /// Whether it is this test, which names what it forbids.
    fn is_this(&self) -> bool {
        self.path.starts_with("tests/tests/tidy")
    }

    /// Its lines with their numbers, as far as they are code.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(number, line)| (number + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

static FILES: LazyLock<Vec<Source>> = LazyLock::new(read);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read() -> Vec<Source> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root())
        .output()
        .expect("git is installed");
    assert!(listed.status.success(), "not a git repository: {}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).unwrap();
    let paths = paths.split_terminator('\0').map(str::to_owned);
    let file = |path: String| {
        // What was deleted and not committed yet is gone.
        let bytes = std::fs::read(root().join(&path)).ok()?;
        Some(Source { path, text: String::from_utf8(bytes).unwrap_or_default() })
    };
    paths.filter_map(file).collect()
}

fn rust_files() -> impl Iterator<Item = &'static Source> {
    FILES.iter().filter(|source| source.is_rust() && !source.is_this())
}

fn file(path: &str) -> &'static Source {
    FILES.iter().find(|source| source.path == path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// Fails with everything that is wrong, not only the first.
fn none(what: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Exceptions with their reason: files, or folders with `/` at the end, for which a rule does not hold. One that is no
/// longer needed has to go.
struct Exceptions(&'static [(&'static str, &'static str)]);

impl Exceptions {
    fn check(&self, what: &str, found: impl IntoIterator<Item = (&'static Source, String)>) {
        let found: Vec<_> = found.into_iter().collect();
        let wrong = found.iter().filter(|(source, _)| !self.0.iter().any(|(place, _)| is_in(source, place)));
        none(what, wrong.map(|(source, place)| format!("{}{place}", source.path)));
        let stale = self.0.iter().filter(|(place, _)| !found.iter().any(|(source, _)| is_in(source, place)));
        none("exceptions that are not needed any more", stale.map(|(path, why)| format!("{path}: {why}")));
    }
}

fn is_in(source: &Source, place: &str) -> bool {
    source.path == place || (place.ends_with('/') && source.path.starts_with(place))
}
