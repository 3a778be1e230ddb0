#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::{Value, json};

use super::*;

fn document(schema: SchemaName, text: &str, field: &str, value: Value) -> Document {
    let mut content: Value = serde_json::from_str(text).unwrap();
    content["inhoud"][field] = value;
    Document::parse(schema, content.to_string().as_bytes()).unwrap()
}

#[test]
fn the_words_are_those_of_the_schema_and_of_the_table() {
    let vocabulary: Value = serde_json::from_str(schemas::vocabulary()).unwrap();
    assert_eq!(vocabulary["$defs"]["urgentie"]["enum"], json!(Urgency::ALL.map(Urgency::as_str)));
    let table = include_str!("../../../../schemas/README.md");
    for urgency in Urgency::ALL {
        assert_eq!(serde_json::to_value(urgency).unwrap(), urgency.as_str());
        assert!(table.contains(&format!("| `{urgency:?}` | `{urgency}` |")), "{urgency}");
    }
    assert!(Urgency::ALL.is_sorted());
}

#[test]
fn a_handover_and_a_concern_say_it_themselves() {
    let offer = include_str!("../../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");
    let concern = include_str!("../../../../schemas/fixtures/valid/signaal-zorgsignaal/kou-in-huis.json");
    for urgency in Urgency::ALL {
        let said = json!(urgency.as_str());
        let offer = document(SchemaName::HandoverOffered, offer, "urgentie", said.clone());
        assert_eq!(Urgency::of(&offer), urgency);
        assert_eq!(Urgency::of(&document(SchemaName::CareConcern, concern, "urgentie", said)), urgency);
    }
}

#[test]
fn arrears_are_a_crisis_when_they_say_so() {
    let arrears = include_str!("../../../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");
    for (said, urgency) in [(true, Urgency::Crisis), (false, Urgency::Normal)] {
        let document = document(SchemaName::PaymentArrears, arrears, "crisis", json!(said));
        assert_eq!(Urgency::of(&document), urgency);
    }
}

#[test]
fn a_threat_is_a_crisis_by_its_nature_and_the_rest_is_not() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/fixtures/valid");
    let says_itself = [SchemaName::HandoverOffered, SchemaName::CareConcern, SchemaName::PaymentArrears];
    let threats = [SchemaName::EvictionThreat, SchemaName::DisconnectionThreat];
    let mut seen = 0;
    for schema in schemas::all().filter(|one| one.message_type().is_some() && !says_itself.contains(one)) {
        for file in folder.join(schema.as_str()).read_dir().unwrap() {
            let document = Document::parse(schema, &std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            assert_eq!(Urgency::of(&document) == Urgency::Crisis, threats.contains(&schema), "{schema}");
            assert_ne!(Urgency::of(&document), Urgency::High, "{schema}");
            seen += 1;
        }
    }
    assert!(seen > 30);
}
