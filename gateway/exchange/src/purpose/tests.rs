#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::{Value, json};

use super::*;
use crate::testing::{ARREARS, purpose};

#[test]
fn toml_and_json_are_one_purpose() {
    let purpose = purpose();
    let value: Value = serde_json::from_str(purpose.text()).unwrap();
    let from_json = Purpose::from_json(&serde_json::to_string_pretty(&value).unwrap()).unwrap();
    assert_eq!(from_json.digest(), purpose.digest());
    assert_eq!(from_json.text(), purpose.text());
    assert_eq!(Digest::of(purpose.text().as_bytes()), purpose.digest());
    assert_eq!(Purpose::from_json(purpose.text()).unwrap().digest(), purpose.digest());
}

/// Whether a list is empty or absent is a difference of text, and the digest is of the text as it was written.
#[test]
fn what_is_left_out_is_not_filled_in() {
    let mut value: Value = serde_json::from_str(purpose().text()).unwrap();
    assert!(value["berichten"][0].get("bijzondere_gegevens").is_none());
    value["berichten"][0]["bijzondere_gegevens"] = json!([]);
    assert_ne!(Purpose::from_json(&value.to_string()).unwrap().digest(), purpose().digest());
}

#[test]
fn every_purpose_of_the_register_reads() {
    let register = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/doelen");
    let mut seen = 0;
    for file in register.read_dir().unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let purpose = Purpose::from_toml(&std::fs::read_to_string(&path).unwrap());
            let purpose = purpose.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().unwrap(), purpose.content().doel.as_str());
            seen += 1;
        }
    }
    assert!(seen >= 4);
}

#[test]
fn a_rule_is_found_by_its_type() {
    assert_eq!(purpose().rule(ARREARS).unwrap().message_type, ARREARS);
    assert!(purpose().rule("nl.sociaaldomein.signalen.overlast.v1").is_none());
}

#[test]
fn two_rules_for_one_type_are_refused() {
    let mut value: Value = serde_json::from_str(purpose().text()).unwrap();
    let mut second = value["berichten"][0].clone();
    second["bsn"] = json!(true);
    value["berichten"].as_array_mut().unwrap().push(second);
    assert!(matches!(Purpose::from_json(&value.to_string()), Err(PurposeError::Inconsistent(_))));
}

#[test]
fn what_is_no_purpose_is_refused() {
    let said = Purpose::from_toml("versie = 1\ndoel = ").unwrap_err().to_string();
    assert!(said.contains("geen TOML") && said.contains("regel 2, teken"), "{said}");
    assert!(matches!(Purpose::from_json("{"), Err(PurposeError::Syntax(_))));
    assert!(matches!(Purpose::from_toml("doel = \"a\""), Err(PurposeError::Schema(_))));
    assert!(matches!(Purpose::from_json("[]"), Err(PurposeError::Schema(_))));
    let large = format!("{}{}", " ".repeat(MAX_BYTES), purpose().text());
    assert!(matches!(Purpose::from_json(&large), Err(PurposeError::Inconsistent(_))));
    assert!(matches!(Purpose::from_toml(&" ".repeat(MAX_BYTES + 1)), Err(PurposeError::Inconsistent(_))));
}

#[test]
fn a_term_is_part_of_the_text_and_in_one_form() {
    let purpose = purpose();
    assert!(purpose.text().contains(r#""reactietermijn":{"crisis":{"werkdagen":3},"normaal":{"weken":4}}"#));
    let terms = purpose.rule(ARREARS).unwrap().reactietermijn.unwrap();
    assert_eq!((terms.normaal, terms.crisis), (Term::Weeks(4), Some(Term::WorkingDays(3))));
    let mut value: Value = serde_json::from_str(purpose.text()).unwrap();
    value["berichten"][0]["reactietermijn"]["normaal"] = json!({ "dagen": 28 });
    assert_ne!(Purpose::from_json(&value.to_string()).unwrap().digest(), purpose.digest());
}

#[test]
fn only_feedback_has_values_of_feedback() {
    let mut value: Value = serde_json::from_str(purpose().text()).unwrap();
    let told = |value: &Value| {
        Purpose::from_json(&value.to_string()).map(|purpose| purpose.content().berichten.len())
    };
    value["berichten"][1]["terugkoppeling"] = json!(["Geen reactie na eerder contact"]);
    told(&value).unwrap();
    value["berichten"][1]["terugkoppeling"] = json!(["Geen zin"]);
    assert!(matches!(told(&value), Err(PurposeError::Schema(_))), "a value that no feedback has");
    value["berichten"][1]["terugkoppeling"] = json!([]);
    value["berichten"][0]["terugkoppeling"] = json!(["Geen reactie na eerder contact"]);
    let said = told(&value).unwrap_err().to_string();
    assert!(said.contains("ander berichttype"), "{said}");
}

#[test]
fn terms_that_give_more_time_for_more_haste_are_refused() {
    let mut value: Value = serde_json::from_str(purpose().text()).unwrap();
    value["berichten"][0]["reactietermijn"] =
        json!({ "normaal": { "dagen": 2 }, "crisis": { "werkdagen": 2 } });
    let said = Purpose::from_json(&value.to_string()).unwrap_err().to_string();
    assert!(said.contains("meer haast"), "{said}");
}
