//! What stands where, and how large it may be.

use std::collections::BTreeSet;

use crate::{Exceptions, FILES, none, rust_files};

/// What a newcomer sees first. Everything else belongs in one of these.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "adapters",
    "clippy.toml",
    "config",
    "deny.toml",
    "gateway",
    "publiccode.yml",
    "rustfmt.toml",
    "schemas",
    "tests",
];
/// A file above this is to be taken apart at the next occasion.
const LONG_FILE: usize = 400;
/// A file above this is refused.
const MAX_FILE: usize = 800;
/// A function above this is refused. Clippy asks for less (`clippy.toml`), and not of everything.
const MAX_FUNCTION: usize = 100;

const LONG_FUNCTIONS: Exceptions = Exceptions(&[(
    "gateway/exchange/examples/cost.rs",
    "one measurement after the other, from top to bottom",
)]);

#[test]
fn the_top_of_the_repository_stays_readable() {
    let top: BTreeSet<&str> = FILES.iter().filter_map(|file| file.path.split('/').next()).collect();
    let is_notice = |name: &str| {
        name.strip_suffix(".md").is_some_and(|stem| stem.bytes().all(|byte| byte.is_ascii_uppercase()))
    };
    let strangers =
        top.iter().filter(|name| !TOP.contains(name) && !name.starts_with('.') && !is_notice(name));
    none("at the top of the repository", strangers.map(ToString::to_string));
}

#[test]
#[expect(clippy::print_stderr, reason = "a report for people, shown with --no-capture")]
fn files_are_short() {
    let lengths = rust_files().map(|file| (file.text.lines().count(), file.path.as_str()));
    let mut long: Vec<(usize, &str)> = lengths.filter(|(length, _)| *length > LONG_FILE).collect();
    long.sort_unstable_by_key(|(length, _)| std::cmp::Reverse(*length));
    for (length, path) in &long {
        eprintln!("{length} lines: {path}");
    }
    let too_long = long.iter().filter(|(length, _)| *length > MAX_FILE);
    none("files over 800 lines", too_long.map(|(length, path)| format!("{path}: {length}")));
}

#[test]
fn functions_are_short() {
    let found = rust_files().flat_map(|file| {
        let too_long = functions(&file.text).into_iter().filter(|(_, length)| *length > MAX_FUNCTION);
        too_long.map(move |(line, length)| (file, format!(":{line}: {length} lines")))
    });
    LONG_FUNCTIONS.check("functions over 100 lines", found);
}

/// Where functions begin and how many lines they take. The code is formatted: a function ends at the first brace that
/// closes as far from the margin as it began.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let margin = line.len() - line.trim_start().len();
        let code = line.trim();
        if is_function(code) && !code.ends_with(';') && !code.ends_with('}') {
            open.push((margin, number));
        } else if code.starts_with('}')
            && let Some((_, start)) = open.pop_if(|(start, _)| *start == margin)
        {
            found.push((start + 1, number - start + 1));
        }
    }
    found
}

fn is_function(code: &str) -> bool {
    let words = code.split(' ').take_while(|word| {
        word.starts_with("pub") || ["const", "async", "unsafe", "extern", "fn", "in"].contains(word)
    });
    words.into_iter().any(|word| word == "fn")
}

#[test]
fn functions_are_measured() {
    let text = "fn one() {}\n\nimpl A {\n    pub(crate) async fn two() {\n        if x {\n        }\n    }\n\n    fn three(\n        a: A,\n    ) -> B {\n        a\n    }\n}\n";
    assert_eq!(functions(text), [(4, 4), (9, 5)]);
}
