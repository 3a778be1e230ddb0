//! What does not stand in code.

use crate::{Exceptions, Source, none, rust_files};

/// Tests that only another test starts.
const STARTED_BY_ANOTHER: Exceptions = Exceptions(&[(
    "gateway/transport/tests/it/limits.rs",
    "runs in a process of its own, started by the test after it with few file descriptors",
)]);

/// Where a test may let real time pass.
const SLEEPERS: Exceptions = Exceptions(&[
    ("gateway/store/examples/rates.rs", "measures at a steady rate"),
    ("gateway/transport/tests/it/limits.rs", "counts what happens in a second of pausing"),
    ("tests/src/bench/", "measures what passes in time"),
    ("tests/src/processes/wait.rs", "looks again until a deadline: the one way to wait for another process"),
    ("tests/tests/journey_crash.rs", "looks again until a deadline, many times a second"),
]);

/// Where an address with a port stands that nobody listens on.
const PORTS: Exceptions = Exceptions(&[
    ("gateway/node/src/config/tests.rs", "reads addresses"),
    ("gateway/transport/src/error/tests.rs", "shows addresses"),
    ("schemas/src/format/tests.rs", "reads addresses"),
    ("tests/tests/journey_trouble.rs", "tries to make a node and does not start it"),
]);

/// Ports that are asked of the system, and ports on which nobody may listen.
const NO_PORTS: &[&str] = &["0", "1", "9"];

/// Lines of code with one of these words, with where that is.
fn with<'a>(words: &'a [&'a str]) -> impl Iterator<Item = (&'static Source, String)> + 'a {
    rust_files().flat_map(move |source| {
        let lines = source.text.lines().enumerate();
        let found = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found.map(move |(number, line)| (source, format!(":{}: {}", number + 1, line.trim())))
    })
}

#[test]
fn nothing_is_left_for_later() {
    let found = with(&["todo!(", "unimplemented!(", "TODO", "FIXME", "XXX"]);
    none("left for later", found.map(|(source, place)| source.path.clone() + &place));
}

#[test]
fn no_test_is_skipped() {
    STARTED_BY_ANOTHER.check("skipped tests", with(&["#[ignore"]));
}

#[test]
fn nothing_is_unsafe() {
    let found = rust_files().flat_map(|source| {
        let lines = source.code().filter(|(_, line)| words(line).any(|word| word == "unsafe"));
        // Lints and the exports of fuzz targets name it without being it.
        let lines = lines.filter(|(_, line)| !line.contains("no_mangle") && !line.contains("unsafe_code"));
        lines.map(|(number, _)| format!("{}:{number}", source.path))
    });
    none("unsafe code", found);
}

#[test]
fn there_is_no_sql_outside_the_store() {
    const STATEMENTS: &[&str] =
        &["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM ", "\"CREATE ", "\"PRAGMA ", "sqlx::"];
    let outside = with(STATEMENTS).filter(|(source, _)| !source.path.starts_with("gateway/store/"));
    none("SQL outside gateway/store", outside.map(|(source, place)| source.path.clone() + &place));
}

/// Waiting for a while is not waiting for something: it is slow on one machine and too short on another.
#[test]
fn tests_do_not_sleep() {
    let sleeping = with(&["thread::sleep(", "time::sleep(", " sleep("]);
    SLEEPERS.check("sleeping tests", sleeping.filter(|(source, _)| source.is_test()));
}

/// Tests run beside each other, and beside whatever else the machine does.
#[test]
fn tests_take_no_fixed_port() {
    let tests = rust_files().filter(|source| source.is_test() || source.path.starts_with("tests/"));
    let found = tests.flat_map(|source| {
        let lines = source.code().filter(|(_, line)| has_fixed_port(line));
        lines.map(move |(number, line)| (source, format!(":{number}: {}", line.trim())))
    });
    PORTS.check("fixed ports", found);
}

fn has_fixed_port(line: &str) -> bool {
    ["127.0.0.1:", "localhost:", "[::1]:", "0.0.0.0:", "[::]:"].iter().any(|host| {
        line.match_indices(host).any(|(at, _)| {
            let rest = &line[at + host.len()..];
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            end > 0 && !NO_PORTS.contains(&&rest[..end])
        })
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

#[test]
fn fixed_ports_are_seen() {
    assert!(has_fixed_port("let a = \"127.0.0.1:8443\";"));
    assert!(!has_fixed_port("let a = \"127.0.0.1:0\"; let b = \"localhost:{port}\";"));
}
