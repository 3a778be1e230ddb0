//! The embedded schemas and what is compiled from them, once, at first use.

use std::sync::OnceLock;

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use serde_json::Value;

use crate::annotation::Annotations;
use crate::format::FORMATS;
use crate::name::SchemaName;
use crate::violation::{self, Violation};

/// Definitions that several schemas share (`begrippen`). No document is valid against it alone, so
/// it has no [`SchemaName`].
const VOCABULARY: &str = include_str!("../v1/begrippen.schema.json");
const VOCABULARY_URN: &str = "urn:schakel:schema:begrippen:1";

/// Every schema, in a fixed order.
pub fn all() -> impl ExactSizeIterator<Item = SchemaName> {
    SchemaName::all()
}

/// The text of a schema as published.
pub fn source(schema: SchemaName) -> &'static str {
    schema.source()
}

/// The text of `begrippen`, the definitions the other schemas refer to.
pub fn vocabulary() -> &'static str {
    VOCABULARY
}

/// Checks `value` against `schema`; at most [`crate::MAX_VIOLATIONS`] are reported.
///
/// For what is not a message: an envelope, agreement, purpose or node descriptor. The `data` of a
/// message becomes a [`crate::Document`].
pub fn validate(schema: SchemaName, value: &Value) -> Result<(), Vec<Violation>> {
    let compiled = compiled(schema);
    // The quick answer first: explaining costs far more than deciding.
    if compiled.validator.is_valid(value) {
        return Ok(());
    }
    Err(violation::explain(compiled.validator.iter_errors(value)))
}

/// A schema made ready for use.
pub(crate) struct Compiled {
    validator: Validator,
    pub(crate) annotations: Annotations,
}

/// The compiled form of `schema`.
pub(crate) fn compiled(schema: SchemaName) -> &'static Compiled {
    static COMPILED: [OnceLock<Compiled>; SchemaName::COUNT] = [const { OnceLock::new() }; SchemaName::COUNT];
    COMPILED[schema as usize].get_or_init(|| compile(parsed(schema)))
}

#[expect(clippy::expect_used, reason = "the schemas are part of the program and a test compiles each")]
fn compile(root: &'static Value) -> Compiled {
    let mut options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_retriever(Embedded)
        // Patterns meet hostile text: the engine that takes linear time.
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false);
    for format in &FORMATS {
        if let Some(check) = format.check {
            options = options.with_format(format.name, check);
        }
    }
    let validator = options.build(root).expect("an embedded schema compiles");
    Compiled { validator, annotations: Annotations::of(root) }
}

/// Answers references from the embedded set; nothing is ever fetched.
struct Embedded;

impl Retrieve for Embedded {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        document(uri.as_str()).cloned().ok_or_else(|| "not an embedded schema".into())
    }
}

/// The embedded schema with this `$id`.
pub(crate) fn document(urn: &str) -> Option<&'static Value> {
    static VOCABULARY_PARSED: OnceLock<Value> = OnceLock::new();
    if urn == VOCABULARY_URN {
        return Some(VOCABULARY_PARSED.get_or_init(|| parse(VOCABULARY)));
    }
    SchemaName::of_urn(urn).map(parsed)
}

fn parsed(schema: SchemaName) -> &'static Value {
    static PARSED: [OnceLock<Value>; SchemaName::COUNT] = [const { OnceLock::new() }; SchemaName::COUNT];
    PARSED[schema as usize].get_or_init(|| parse(schema.source()))
}

#[expect(clippy::expect_used, reason = "the schemas are part of the program and a test parses each")]
fn parse(source: &'static str) -> Value {
    serde_json::from_str(source).expect("an embedded schema is JSON")
}

/// Where `reference` (a `$ref`) points, seen from the schema with `$id` `base`: the `$id` it ends up
/// in, and the subschema.
pub(crate) fn resolve<'a>(base: &'a str, reference: &'a str) -> Option<(&'a str, &'static Value)> {
    let (urn, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let urn = if urn.is_empty() { base } else { urn };
    Some((urn, document(urn)?.pointer(fragment)?))
}

#[cfg(test)]
mod tests;
