//! Validity against the published schemas, told in one sentence.

use schemas::{MAX_VIOLATIONS, ParseError, SchemaName, Violation};
use serde::{Deserialize as _, de::DeserializeOwned};
use serde_json::Value;

use crate::signature::PublicKey;

/// Reads a JSON text as a value. What is wrong is said in Dutch, and where.
pub(crate) fn json(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text)
        .map_err(|error| ParseError::NotJson { line: error.line(), column: error.column() }.to_string())
}

/// Reads a value that is valid by the schema as what the program works with. What is wrong is said field by field, in
/// Dutch.
pub(crate) fn read<T: DeserializeOwned>(schema: SchemaName, value: &Value) -> Result<T, String> {
    schemas::validate(schema, value).map_err(|violations| listed(&violations))?;
    T::deserialize(value).map_err(|_| {
        let mut found = Vec::new();
        unreadable(value, "", &mut found);
        if found.is_empty() {
            found.push(violation("", "is anders dan dit programma het leest", "dezelfde versie van Schakel"));
        }
        listed(&found)
    })
}

fn listed(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What the schemas let pass and the program does not: a key that is none, and a whole number that is not written as
/// one. As deep as the schemas allow, since the value is valid.
fn unreadable(value: &Value, place: &str, found: &mut Vec<Violation>) {
    if found.len() >= MAX_VIOLATIONS {
        return;
    }
    match value {
        Value::Number(number) if number.is_f64() => {
            let expected = "een geheel getal zonder punt of exponent";
            found.push(violation(place, "is geen geheel getal", expected));
        }
        Value::Object(members) if members.contains_key("kty") && PublicKey::deserialize(value).is_err() => {
            found.push(violation(
                place,
                "is geen bruikbare sleutel, of heeft een kid die er niet bij hoort",
                "een Ed25519-sleutel zoals `schakel convenant partij` hem geeft",
            ));
        }
        Value::Object(members) => {
            for (name, member) in members {
                unreadable(member, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                unreadable(item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn violation(field: &str, problem: &str, expected: &str) -> Violation {
    Violation { field: field.to_owned(), problem: problem.to_owned(), expected: expected.to_owned() }
}
