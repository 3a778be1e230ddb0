//! The purposes in `config/doelen` are valid, and allow what they are meant for and no more.

use std::collections::BTreeSet;

use schemas::{Document, SchemaName, validate};
use serde_json::Value;

use crate::{files, folder};

fn purposes() -> Vec<(String, Value)> {
    files(&folder("../config/doelen"))
        .into_iter()
        .map(|(path, text)| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), toml::from_str(&text).unwrap())
        })
        .collect()
}

fn rule(purpose: &str, message_type: &str) -> Value {
    let (_, purpose) = purposes().into_iter().find(|(name, _)| name == purpose).unwrap();
    let mut rules = purpose["berichten"].as_array().unwrap().iter();
    rules.find(|rule| rule["type"] == message_type).unwrap().clone()
}

fn words(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

fn fixture(schema: SchemaName, case: &str) -> Document {
    let path = folder("fixtures/valid").join(schema.as_str()).join(format!("{case}.json"));
    Document::parse(schema, &std::fs::read(path).unwrap()).unwrap()
}

/// Whether the rule allows the kinds of data and life domains of the document.
fn allows(rule: &Value, document: &Document) -> bool {
    let special: BTreeSet<&str> = rule["bijzondere_gegevens"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["categorie"].as_str().unwrap())
        .collect();
    let allowed = words(&rule["gegevens"]);
    let uses = document.uses();
    uses.categories.iter().all(|category| match category.as_str() {
        "proces" => true,
        "bsn" => rule["bsn"] == true,
        other => allowed.contains(other) || special.contains(other),
    }) && uses.life_domains.iter().all(|domain| words(&rule["leefgebieden"]).contains(domain.as_str()))
}

#[test]
fn every_purpose_is_valid_and_named_after_its_file() {
    let purposes = purposes();
    assert_eq!(purposes.len(), 5);
    for (name, purpose) in purposes {
        assert_eq!(validate(SchemaName::Purpose, &purpose), Ok(()), "{name}");
        assert_eq!(purpose["doel"], name.as_str());
    }
}

#[test]
fn every_message_type_is_once_in_a_purpose_and_has_a_schema() {
    for (name, purpose) in purposes() {
        let types: Vec<&str> = purpose["berichten"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["type"].as_str().unwrap())
            .collect();
        assert_eq!(types.len(), types.iter().collect::<BTreeSet<_>>().len(), "{name}");
        assert!(types.iter().all(|one| SchemaName::of_message_type(one).is_some()), "{name}");
    }
}

#[test]
fn a_rent_signal_fits_its_purpose_and_a_bsn_does_not() {
    let rule = rule("vroegsignalering-huur", "nl.sociaaldomein.signalen.betalingsachterstand.v1");
    let signal = fixture(SchemaName::PaymentArrears, "huur");
    assert!(allows(&rule, &signal));
    let with_bsn = signal.json().replace(r#""betrokkene":{"#, r#""betrokkene":{"bsn":"999990342","#);
    let with_bsn = Document::parse(SchemaName::PaymentArrears, with_bsn.as_bytes()).unwrap();
    assert!(!allows(&rule, &with_bsn));
    let conditions: BTreeSet<&str> = words(&rule["grondslagen"][0]["voorwaarden"]);
    assert_eq!(conditions, signal.basis().conditions.keys().map(String::as_str).collect());
}

#[test]
fn feedback_to_a_landlord_tells_that_and_how_it_ended_but_not_how_the_resident_was_reached() {
    let rule = rule("vroegsignalering-huur", "nl.sociaaldomein.terugkoppelingen.gegeven.v1");
    for case in ["opgepakt", "niet-opgepakt", "resultaat"] {
        assert!(allows(&rule, &fixture(SchemaName::Feedback, case)), "{case}");
    }
    assert!(!allows(&rule, &fixture(SchemaName::Feedback, "met-contactpogingen")));
}

#[test]
fn a_handover_may_hold_health_by_name_but_not_addiction() {
    let rule = rule("overdracht-werk-en-inkomen", "nl.sociaaldomein.overdrachten.aangeboden.v1");
    let handover = fixture(SchemaName::HandoverOffered, "volledig");
    assert!(allows(&rule, &handover));
    let addiction = handover.json().replace(r#""psychische-gezondheid""#, r#""verslaving""#);
    let addiction = Document::parse(SchemaName::HandoverOffered, addiction.as_bytes()).unwrap();
    assert!(!allows(&rule, &addiction));
}

#[test]
fn every_fixture_of_a_handover_or_consultation_fits_its_purpose() {
    for (purpose, prefix) in [("overdracht-werk-en-inkomen", "overdracht-"), ("consultatie", "consultatie-")]
    {
        for schema in schemas::all().filter(|schema| schema.as_str().starts_with(prefix)) {
            let rule = rule(purpose, schema.message_type().unwrap());
            for (path, text) in files(&folder("fixtures/valid").join(schema.as_str())) {
                let document = Document::parse(schema, text.as_bytes()).unwrap();
                assert!(allows(&rule, &document), "{}", path.display());
            }
        }
    }
}
