//! Nothing makes the reader panic, and no message repeats a value.

use proptest::prelude::*;
use schemas::{Document, MAX_VIOLATIONS, ParseError, SchemaName, validate};
use serde_json::{Map, Value, json};

use crate::{files, folder};

fn any_schema() -> impl Strategy<Value = SchemaName> {
    proptest::sample::select(schemas::all().collect::<Vec<_>>())
}

/// Values that can be recognised wherever they turn up.
fn marked() -> impl Strategy<Value = Value> {
    let marker = "[A-Z]{3}[0-9]{6}";
    let leaf = prop_oneof![
        marker.prop_map(Value::String),
        (700_000_000_000_u64..800_000_000_000).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Names the schemas know, and names that are data in the wrong place.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "grondslag",
        "soort",
        "voorwaarden",
        "betrokkene",
        "bsn",
        "naam",
        "inhoud",
        "situatie",
        "toestemming",
    ];
    prop_oneof![
        proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        "[A-Z]{3}[0-9]{6}",
        "[0-9]{9}",
    ]
}

/// Every marker in a value, names of fields included if they are no field name.
fn markers(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|item| markers(item, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.bytes().any(|b| b.is_ascii_digit()) {
                    found.push(name.clone());
                }
                markers(field, found);
            }
        }
        _ => {}
    }
}

/// A valid document with one of its values replaced.
fn spoiled() -> impl Strategy<Value = (SchemaName, Value, Value)> {
    any_schema().prop_flat_map(|schema| {
        let fixtures = files(&folder("fixtures/valid").join(schema.as_str()));
        let documents: Vec<Value> =
            fixtures.iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
        (Just(schema), proptest::sample::select(documents), marked(), any::<prop::sample::Index>()).prop_map(
            |(schema, mut document, spoil, index)| {
                let mut pointers = Vec::new();
                list_pointers("", &document, &mut pointers);
                let pointer = index.get(&pointers).clone();
                *document.pointer_mut(&pointer).unwrap() = spoil.clone();
                (schema, document, spoil)
            },
        )
    })
}

fn list_pointers(at: &str, value: &Value, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| list_pointers(&format!("{at}/{name}"), field, found));
        }
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, item)| list_pointers(&format!("{at}/{index}"), item, found));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(schema in any_schema(), bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Document::parse(schema, &bytes);
    }

    #[test]
    fn arbitrary_json_like_text_never_panics(
        schema in any_schema(),
        text in r#"[\[\]{}",:0-9a-e.\\ntu \-]{0,64}"#,
    ) {
        let _ = Document::parse(schema, text.as_bytes());
    }

    #[test]
    fn a_cut_document_never_panics_nor_passes(cut in any::<prop::sample::Index>()) {
        let text = std::fs::read(folder("fixtures/valid/overdracht-aangeboden/volledig.json")).unwrap();
        let text = text.trim_ascii_end();
        let end = cut.index(text.len());
        prop_assert!(Document::parse(SchemaName::HandoverOffered, &text[..end]).is_err());
    }

    #[test]
    fn a_message_never_repeats_a_value((schema, document, spoil) in spoiled()) {
        let Err(violations) = validate(schema, &document) else { return Ok(()) };
        prop_assert!(!violations.is_empty() && violations.len() <= MAX_VIOLATIONS);
        let mut values = Vec::new();
        markers(&spoil, &mut values);
        for violation in violations {
            let message = format!("{violation} {violation:?}");
            for value in &values {
                prop_assert!(!message.contains(value.as_str()), "{message} repeats {value}");
            }
        }
    }

    #[test]
    fn many_unknown_fields_stay_within_the_limit(count in 0_usize..2000) {
        let fields: Map<String, Value> = (0..count).map(|n| (format!("x{}", "y".repeat(n % 30)) + &n.to_string(), json!(n))).collect();
        if let Err(violations) = validate(SchemaName::Subject, &Value::Object(fields)) {
            prop_assert!(violations.len() <= MAX_VIOLATIONS);
        }
    }

    #[test]
    fn whitespace_changes_nothing(index in any::<prop::sample::Index>()) {
        let fixtures = files(&folder("fixtures/valid/overdracht-aangeboden"));
        let (_, text) = index.get(&fixtures);
        let pretty = Document::parse(SchemaName::HandoverOffered, text.as_bytes()).unwrap();
        let compact = Document::parse(SchemaName::HandoverOffered, pretty.json().as_bytes()).unwrap();
        prop_assert_eq!(pretty.json(), compact.json());
        prop_assert_eq!(pretty.value(), compact.value());
        prop_assert_eq!(pretty.uses(), compact.uses());
        let same: Value = serde_json::from_str(text).unwrap();
        prop_assert_eq!(&same, pretty.value());
    }
}

#[test]
fn only_a_message_becomes_a_document() {
    for schema in schemas::all().filter(|schema| schema.message_type().is_none()) {
        assert!(matches!(Document::parse(schema, b"{}"), Err(ParseError::Invalid(_))), "{schema}");
    }
}
