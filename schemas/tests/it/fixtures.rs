//! Every fixture is as valid, or as invalid, as it says.

use std::collections::BTreeSet;

use schemas::{Document, ParseError, SchemaName, Violation, validate};
use serde_json::Value;

use crate::{files, folder};

/// Enough to show what a schema is for, and how it goes wrong.
const FEWEST_VALID: usize = 2;
const FEWEST_INVALID: usize = 4;

fn check(schema: SchemaName, document: &Value) -> Result<(), Vec<Violation>> {
    if schema.message_type().is_none() {
        return validate(schema, document);
    }
    match Document::parse(schema, document.to_string().as_bytes()) {
        Ok(_) => Ok(()),
        Err(ParseError::Invalid(violations)) => Err(violations),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn valid_fixtures_are_valid() {
    for schema in schemas::all() {
        let fixtures = files(&folder("fixtures/valid").join(schema.as_str()));
        assert!(fixtures.len() >= FEWEST_VALID, "{schema}");
        for (path, text) in fixtures {
            let document: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(check(schema, &document), Ok(()), "{}", path.display());
        }
    }
}

#[test]
fn invalid_fixtures_are_refused_for_the_stated_reasons() {
    let mut wrong = Vec::new();
    for schema in schemas::all() {
        let fixtures = files(&folder("fixtures/invalid").join(schema.as_str()));
        assert!(fixtures.len() >= FEWEST_INVALID, "{schema}");
        for (path, text) in fixtures {
            let fixture: Value = serde_json::from_str(&text).unwrap();
            let stated = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
            let expected: BTreeSet<(String, String)> = fixture["verwacht"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| (stated(one, "veld"), stated(one, "probleem")))
                .collect();
            let violations = check(schema, &fixture["document"]).err().unwrap_or_default();
            let found: BTreeSet<(String, String)> =
                violations.into_iter().map(|violation| (violation.field, violation.problem)).collect();
            if found != expected {
                wrong.push(format!("{}\n  expected {expected:?}\n  found    {found:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_no_fixtures_of_what_is_not_a_schema() {
    for kind in ["valid", "invalid"] {
        for entry in std::fs::read_dir(folder("fixtures").join(kind)).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(name.to_str().unwrap().parse::<SchemaName>().is_ok(), "{}", name.display());
        }
    }
}
