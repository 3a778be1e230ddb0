//! Who may know whom. The table in ARCHITECTURE.md, kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use crate::{file, none, root};

/// Every crate of ours with those it may use.
const KNOWS: &[(&str, &[&str])] = &[
    ("schemas", &[]),
    ("adapters", &["schemas"]),
    ("exchange", &["schemas"]),
    ("store", &["exchange"]),
    ("transport", &["exchange"]),
    ("node", &["adapters", "exchange", "schemas", "store", "transport"]),
    ("tests", &["adapters", "exchange", "node", "schemas", "store", "transport"]),
    ("fuzz", &["adapters", "exchange", "schemas"]),
];

/// What the rules do not know: sockets, databases, clocks and chance come in as parameters.
const NOT_IN_EXCHANGE: &[&str] =
    &["getrandom", "h2", "hyper", "quinn", "rand", "rusqlite", "rustls", "sqlx", "tokio"];

/// What we do not ship, with the reason. `deny.toml` says the same.
const FORBIDDEN: &[(&str, &str)] = &[
    ("figment", "unmaintained"),
    ("h3", "experimental; quinn streams are used directly"),
    ("josekit", "brings OpenSSL"),
    ("native-tls", "rustls is the only TLS"),
    ("openssl-sys", "one crypto provider: aws-lc-rs"),
    ("ring", "one crypto provider: aws-lc-rs"),
];

/// Asks cargo, without the network and without changing anything.
fn cargo(arguments: &[&str]) -> Vec<u8> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Our own crates by name, with the names of all they use, in whatever way.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let found: Value =
        serde_json::from_slice(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let package = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        let names = dependencies.iter().map(|one| text(one, "name").to_owned()).collect();
        (text(package, "name").to_owned(), names)
    };
    found["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn every_crate_knows_only_what_it_may() {
    let crates = crates();
    let ours: BTreeSet<&str> = crates.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> = KNOWS.iter().map(|(name, _)| *name).collect();
    let unlisted = ours.difference(&listed);
    none("crates that nobody placed in this table and in ARCHITECTURE.md", unlisted.map(ToString::to_string));
    for (name, may) in KNOWS {
        let Some(uses) = crates.get(*name) else { continue };
        let known = uses.iter().filter(|used| ours.contains(used.as_str()) && used != name);
        let wrong = known.filter(|used| !may.contains(&used.as_str()));
        none(&format!("`{name}` may not know"), wrong.cloned());
    }
}

#[test]
fn the_rules_do_no_input_or_output() {
    let crates = crates();
    let wrong = crates["exchange"].iter().filter(|name| NOT_IN_EXCHANGE.contains(&name.as_str()));
    none("`exchange` is sans-IO and may not use", wrong.cloned());
}

#[test]
fn only_the_store_speaks_to_a_database() {
    let crates = crates();
    let others = crates.iter().filter(|(name, _)| *name != "store");
    let wrong = others.filter(|(_, uses)| uses.iter().any(|used| used == "sqlx" || used == "rusqlite"));
    none("crates with a database driver, besides `store`", wrong.map(|(name, _)| name.clone()));
}

/// What cargo builds for the machine it runs on. The lock file names more: what other platforms would need.
#[test]
fn nothing_forbidden_is_built() {
    let tree = cargo(&["tree", "--workspace", "--prefix", "none", "--format", "{p}"]);
    let tree = String::from_utf8(tree).unwrap();
    let built: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(built.contains("aws-lc-rs"), "what cargo tells is understood");
    let wrong = FORBIDDEN.iter().filter(|(name, _)| built.contains(name));
    none("forbidden dependencies", wrong.map(|(name, reason)| format!("{name}: {reason}")));
}

/// Two lists that say the same stay the same.
#[test]
fn deny_toml_forbids_the_same() {
    let deny: toml::Table = file("deny.toml").text.parse().unwrap();
    let named = deny["bans"]["deny"].as_array().unwrap();
    let denied: BTreeSet<&str> = named.iter().filter_map(|one| one["crate"].as_str()).collect();
    let here: BTreeSet<&str> = FORBIDDEN.iter().map(|(name, _)| *name).collect();
    assert_eq!(denied, here);
}

/// A crate that does not take part in the lints of the workspace could hold anything.
#[test]
fn every_crate_keeps_the_lints() {
    let workspace: toml::Table = file("Cargo.toml").text.parse().unwrap();
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let manifest = |member: &toml::Value| format!("{}/Cargo.toml", member.as_str().unwrap());
    let without = members.iter().map(manifest).filter(|path| {
        let manifest: toml::Table = file(path).text.parse().unwrap();
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        inherits.and_then(toml::Value::as_bool) != Some(true)
    });
    // Its targets export a C symbol, which `forbid` does not allow.
    none("crates without the lints of the workspace", without.filter(|path| path != "tests/fuzz/Cargo.toml"));
}
