//! Violations point at the field, speak Dutch and keep values to themselves.

use serde_json::json;

use super::*;
use crate::name::SchemaName;
use crate::registry::validate;

fn violations(schema: SchemaName, document: &Value) -> Vec<Violation> {
    validate(schema, document).err().unwrap_or_default()
}

fn one(schema: SchemaName, document: &Value) -> (String, String, String) {
    let found = violations(schema, document);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].field.clone(), found[0].problem.clone(), found[0].expected.clone())
}

fn strings(field: &str, problem: &str, expected: &str) -> (String, String, String) {
    (field.to_owned(), problem.to_owned(), expected.to_owned())
}

#[test]
fn a_missing_field_says_what_belongs_there() {
    let expected = strings(
        "/soort",
        "ontbreekt",
        "één van: toestemming, overeenkomst, wettelijke-verplichting, vitaal-belang, publieke-taak, gerechtvaardigd-belang",
    );
    assert_eq!(one(SchemaName::LegalBasis, &json!({})), expected);
}

#[test]
fn a_choice_says_what_the_choices_are() {
    let expected = strings("", "is niet volledig", "een BSN, of naam, geboortedatum en adres samen");
    assert_eq!(one(SchemaName::Subject, &json!({})), expected);
}

#[test]
fn a_wrong_bsn_is_explained_and_not_shown() {
    let expected = strings("/bsn", "is geen geldig BSN", "negen cijfers die aan de elfproef voldoen");
    assert_eq!(one(SchemaName::Subject, &json!({ "bsn": "999990343" })), expected);
}

#[test]
fn an_unknown_field_is_named_unless_it_looks_like_data() {
    let (field, problem, _) = one(SchemaName::Subject, &json!({ "bsn": "999990342", "geslacht": "x" }));
    assert_eq!((field.as_str(), problem.as_str()), ("/geslacht", "hoort hier niet"));
    for name in ["Jansen", "123456782", "el jansen", "j".repeat(41).as_str()] {
        let (field, problem, _) = one(SchemaName::Subject, &json!({ "bsn": "999990342", name: "x" }));
        assert_eq!((field.as_str(), problem.as_str()), ("", "heeft een veld dat hier niet hoort"));
    }
}

#[test]
fn a_map_with_data_for_a_key_does_not_show_it() {
    let document = json!({ "soort": "publieke-taak", "voorwaarden": { "123456782": "x", "12345": 1 } });
    for violation in violations(SchemaName::LegalBasis, &document) {
        assert_eq!(violation.field.replace("/12345", ""), "/voorwaarden", "{violation}");
        assert!(!violation.to_string().contains("123456782"));
    }
}

#[test]
fn a_wrong_length_and_form_is_told_once() {
    let mut adres = json!({ "straat": "A", "huisnummer": 1, "postcode": "4906 AN", "woonplaats": "B" });
    let document = |adres: &Value| json!({ "bsn": "999990342", "adres": adres });
    assert_eq!(one(SchemaName::Subject, &document(&adres)).0, "/adres/postcode");
    adres["postcode"] = json!("49o6AN");
    assert_eq!(one(SchemaName::Subject, &document(&adres)).1, "heeft niet de juiste vorm");
}

#[test]
fn there_are_never_more_than_the_limit() {
    let fields: serde_json::Map<String, Value> =
        (0..100).map(|n| ("abcdefghij"[..=n / 10].to_owned() + &"z".repeat(n % 10 + 1), json!(n))).collect();
    assert_eq!(violations(SchemaName::Subject, &Value::Object(fields)).len(), MAX_VIOLATIONS);
}

#[test]
fn a_violation_reads_as_a_sentence() {
    let violation = Violation { field: String::new(), problem: "ontbreekt".into(), expected: "iets".into() };
    assert_eq!(violation.to_string(), "het document ontbreekt; verwacht: iets");
}
