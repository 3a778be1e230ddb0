//! The embedded set is whole.

use super::*;

#[test]
fn every_schema_compiles_and_refers_only_to_the_embedded_set() {
    for schema in all() {
        assert!(validate(schema, &Value::Null).is_err(), "{schema}");
    }
}

#[test]
fn every_format_in_the_schemas_is_one_of_ours() {
    for text in all().map(source).chain([vocabulary()]) {
        for rest in text.split("\"format\": \"").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            assert!(crate::format::find(name).is_some(), "{name}");
        }
    }
}

#[test]
fn nothing_outside_the_set_is_found() {
    assert!(document("https://json-schema.org/draft/2020-12/schema").is_none());
    assert!(resolve("urn:schakel:schema:doel:1", "urn:schakel:schema:elders:1#/$defs/x").is_none());
    assert!(resolve("urn:schakel:schema:begrippen:1", "#/$defs/oin").is_some());
}
