//! What is written for people leads somewhere, and speaks of the program.

use std::path::{Component, Path, PathBuf};

use crate::{FILES, Source, none, root};

/// What tells of how the program came about, or of what it is not yet.
const STRANGE: &[&str] = &[
    "issue #",
    "session",
    "sessie",
    "todo",
    "fixme",
    "tbd",
    "wip",
    "lorem ipsum",
    "chatgpt",
    "claude",
    "copilot",
    "language model",
];

fn documents() -> impl Iterator<Item = &'static Source> {
    FILES.iter().filter(|source| source.has_extension("md"))
}

#[test]
fn documents_speak_of_the_program() {
    let found = documents().flat_map(|source| {
        source.text.lines().enumerate().filter_map(move |(number, line)| {
            let line = line.to_lowercase();
            let word = STRANGE.iter().find(|word| has_word(&line, word))?;
            Some(format!("{}:{}: {word}", source.path, number + 1))
        })
    });
    none("what does not belong in documents", found);
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let within = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        !within(before) && (word.ends_with('#') || !within(after))
    })
}

#[test]
fn links_lead_somewhere() {
    let found = documents().flat_map(|source| {
        let wrong = links(&source.text).into_iter().filter(|link| !leads_somewhere(source, link));
        wrong.map(|link| format!("{}: {link}", source.path))
    });
    none("links that lead nowhere", found);
}

/// The targets of inline links and of link definitions, those in code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            found.extend(rest.split_once(')').map(|(link, _)| link.trim().to_owned()));
        }
        if let Some((_, link)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            found.push(link.trim().to_owned());
        }
    }
    found
}

fn leads_somewhere(source: &Source, link: &str) -> bool {
    if ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        return true;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
    let target = if path.is_empty() { PathBuf::from(&source.path) } else { plain(&folder.join(path)) };
    let listed = FILES.iter().find(|file| Path::new(&file.path) == target);
    match (listed, anchor) {
        (Some(file), Some(anchor)) => headings(&file.text).any(|heading| heading == anchor),
        (Some(_), None) => true,
        (None, _) => FILES.iter().any(|file| Path::new(&file.path).starts_with(&target)),
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The anchors of the headings, as GitHub and GitLab make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.collect::<String>().replace(' ', "-")
    })
}

/// What the README tells to run exists.
#[test]
fn the_readme_names_what_is_there() {
    let readme = crate::file("README.md");
    assert!(readme.text.contains("cargo run --release -- demo"), "the README begins with the demonstration");
    assert!(root().join("tests/run").exists(), "the README's one command for all tests");
}
