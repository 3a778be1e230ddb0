#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn typed(text: &str) -> bool {
    serde_json::from_str::<Envelope<'_>>(text).is_ok_and(|envelope| envelope.is_well_formed())
}

fn schema(value: &Value) -> bool {
    schemas::validate(SchemaName::Message, value).is_ok()
}

fn full() -> Value {
    serde_json::from_str(include_str!("../../../../schemas/fixtures/valid/bericht/met-loket-en-trace.json"))
        .unwrap()
}

const ATTRIBUTES: [&str; 15] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "datacontenttype",
    "dataschema",
    "ontvanger",
    "verlooptop",
    "convenant",
    "doel",
    "dossier",
    "loket",
    "traceparent",
    "data",
];

/// Beyond the schema the envelope wants times that are instants: within the calendar, to the nanosecond, and no leap
/// second.
fn has_odd_time(value: &Value) -> bool {
    ["time", "verlooptop"].into_iter().any(|name| {
        let text = value[name].as_str().unwrap_or_default();
        text.get(17..18) == Some("6") || text.parse::<Timestamp>().is_err()
    })
}

fn assert_agree(value: &Value) {
    let text = value.to_string();
    match (typed(&text), schema(value)) {
        (false, true) => assert!(has_odd_time(value), "only the schema accepts {text}"),
        (typed, schema) => assert_eq!(typed, schema, "{text}"),
    }
}

#[test]
fn every_fixture_is_judged_the_same_by_envelope_and_schema() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/fixtures");
    for (kind, good) in [("valid", true), ("invalid", false)] {
        let mut seen = 0;
        for file in fixtures.join(kind).join("bericht").read_dir().unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(typed(&text), good, "{}", path.display());
            assert_eq!(schema(&serde_json::from_str(&text).unwrap()), good, "{}", path.display());
            seen += 1;
        }
        assert!(seen >= 2, "there are {kind} fixtures");
    }
}

#[test]
fn the_attributes_are_those_of_the_schema() {
    let schema: Value = serde_json::from_str(schemas::source(SchemaName::Message)).unwrap();
    let mut published: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut ours = ATTRIBUTES.to_vec();
    published.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, published);
}

#[test]
fn an_envelope_is_written_as_it_is_read() {
    let text = full().to_string();
    let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&envelope).unwrap(), full());
}

/// What a tree cannot hold, and a schema over a tree cannot see.
#[test]
fn an_attribute_that_comes_twice_is_refused() {
    let text = full().to_string();
    for name in ATTRIBUTES {
        let again = format!(r#"{{"{name}":{},{}"#, full()[name], &text[1..]);
        assert!(!typed(&again), "{name}");
    }
}

#[test]
fn every_message_type_has_an_envelope_and_no_other() {
    for name in SchemaName::all() {
        let mut value = full();
        value["dataschema"] = json!(name.urn());
        value["type"] = json!(name.message_type().unwrap_or(name.as_str()));
        assert_eq!(typed(&value.to_string()), name.message_type().is_some(), "{name}");
        assert_agree(&value);
    }
}

#[test]
fn names_end_at_64_characters() {
    for (length, good) in [(0, false), (1, true), (64, true), (65, false)] {
        let name = "x".repeat(length);
        for attribute in ["doel", "loket"] {
            let mut value = full();
            value[attribute] = json!(name);
            assert_eq!(typed(&value.to_string()), good, "{attribute} of {length}");
            assert_agree(&value);
        }
        let mut value = full();
        value["source"] = json!(format!("urn:nld:oin:00000099000000001000:systeem:{name}"));
        assert_eq!(typed(&value.to_string()), good, "source of {length}");
        assert_agree(&value);
    }
}

#[test]
fn the_sender_is_the_organisation_of_the_source() {
    let text = full().to_string();
    let mut envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(envelope.sender(), Some("00000099000000001000".parse().unwrap()));
    for wrong in [
        "",
        "urn:nld:oin:00000099000000001000",
        "urn:nld:oin:00000099000000001000:systeem:A",
        "urn:nld:oin:1:systeem:a",
    ] {
        envelope.source = wrong.into();
        assert_eq!(envelope.sender(), None, "{wrong}");
    }
}

fn other_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{}])),
        ".{0,70}".prop_map(Value::from),
        "[a-z0-9-]{0,70}".prop_map(Value::from),
        "urn:schakel:schema:[a-z-]{0,8}:[0-9]{0,3}".prop_map(Value::from),
        "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(Value::from),
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(Value::from),
        "0[0-9a-f]-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}".prop_map(Value::from),
        "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?(Z|z|[+-][0-9]{2}:?[0-6][0-9])?"
            .prop_map(Value::from),
    ]
}

/// One edit of a text, at any place.
fn edited(text: &str, at: prop::sample::Index, with: char, how: u8) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = at.index(characters.len() + 1);
    match how {
        0 => characters.insert(place, with),
        _ if place == characters.len() => {}
        1 => drop(characters.remove(place)),
        _ => characters[place] = with,
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_missing_attribute_is_missed_by_both(name in prop::sample::select(&ATTRIBUTES[..])) {
        let mut value = full();
        value.as_object_mut().unwrap().remove(name);
        prop_assert_eq!(typed(&value.to_string()), matches!(name, "loket" | "traceparent"));
        assert_agree(&value);
    }

    #[test]
    fn an_attribute_more_is_refused_by_both(name in "[a-z]{1,12}", other in other_value()) {
        let mut value = full();
        let is_new = value.as_object_mut().unwrap().insert(name, other).is_none();
        prop_assert!(!is_new || !typed(&value.to_string()));
        assert_agree(&value);
    }

    #[test]
    fn another_value_is_judged_the_same(name in prop::sample::select(&ATTRIBUTES[..]), other in other_value()) {
        let mut value = full();
        value[name] = other;
        assert_agree(&value);
    }

    #[test]
    fn one_edit_is_judged_the_same(
        name in prop::sample::select(&ATTRIBUTES[..14]),
        at: prop::sample::Index,
        with in prop_oneof![any::<char>(), prop::char::range('-', 'z')],
        how in 0..3_u8,
    ) {
        let mut value = full();
        value[name] = json!(edited(value[name].as_str().unwrap(), at, with, how));
        assert_agree(&value);
    }

    #[test]
    fn any_object_is_judged_the_same(members in prop::collection::vec((prop::sample::select(&ATTRIBUTES[..]), other_value()), 0..15)) {
        let members: Map<String, Value> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_agree(&Value::Object(members));
    }

    #[test]
    fn any_text_is_read_without_harm(text in ".*") {
        prop_assert!(!typed(&text));
    }
}
