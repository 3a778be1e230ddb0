//! A consultation has no room for a person: what is free in it holds no mark of one, and the rest is chosen from lists.

use proptest::prelude::*;
use schemas::{Document, SchemaName};
use serde_json::{Value, json};

/// A question and an answer with this text, on a basis with this in it.
fn both(text: &str, basis: &Value) -> [(SchemaName, Value); 2] {
    let mut whole = json!({ "soort": "publieke-taak" });
    for (name, value) in basis.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    let asked = json!({ "vraag": text, "leefgebieden": ["wonen"] });
    let answered = json!({ "vraag_id": "01936f2a-4c1e-7b3a-9c5d-2f6e8a1b4c70", "antwoord": text });
    [
        (SchemaName::ConsultationAsked, json!({ "grondslag": whole, "inhoud": asked })),
        (SchemaName::ConsultationAnswered, json!({ "grondslag": whole, "inhoud": answered })),
    ]
}

fn is_taken((schema, document): &(SchemaName, Value)) -> bool {
    Document::parse(*schema, document.to_string().as_bytes()).is_ok()
}

/// A number that passes the eleven-test, with its digits apart as people write them.
fn bsn() -> impl Strategy<Value = String> {
    let digits = prop::collection::vec(0..10_u32, 8).prop_filter_map("has a check digit", |digits| {
        let sum: u32 = digits.iter().zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
        (sum % 11 < 10).then(|| digits.iter().chain([&(sum % 11)]).map(u32::to_string).collect::<Vec<_>>())
    });
    (digits, prop::collection::vec(prop::sample::select(vec!["", ".", " ", "-", "–", "\u{2009}"]), 9))
        .prop_map(|(digits, marks)| {
            let apart = digits.iter().zip(marks).flat_map(|(digit, mark)| [digit.as_str(), mark]);
            apart.collect()
        })
}

/// What points at one person.
fn mark() -> impl Strategy<Value = String> {
    prop_oneof![
        bsn(),
        "[1-9][0-9]{3} ?[A-Z]{2} [1-9][0-9]{0,2}",
        "[1-9][0-9]{3}[a-z]{2}",
        "[a-z]{1,8}@[a-z]{1,8}\\.test",
        "06[ -]?[1-9][0-9]{7}",
        "\\(0[1-9][0-9]\\) ?[1-9][0-9]{2} [0-9]{2} [0-9]{2}",
        "([1-9]|[12][0-9])[-/.](0[1-9]|1[0-2])[-/.]19[0-9]{2}",
        "([1-9]|[12][0-9]) (januari|mrt|MEI|oktober|dec\\.) 19[0-9]{2}",
    ]
}

#[test]
fn what_is_asked_for_is_taken() {
    for one in both("Wie helpt bij hoarding?", &json!({ "artikelen": ["AVG art. 6 lid 1 onder e"] })) {
        assert!(is_taken(&one), "{}", one.0);
    }
}

proptest! {
    #[test]
    fn no_mark_of_a_person_passes_in_its_text(
        before in "([A-Za-z]{2,8} ){0,4}",
        mark in mark(),
        after in "( [a-z]{3,8}){0,4}",
    ) {
        let text = format!("{before}{mark}{after}");
        for one in both(&text, &json!({})) {
            prop_assert!(!is_taken(&one), "{}: {text}", one.0);
        }
    }

    #[test]
    fn no_word_of_anybody_passes_in_its_basis(name in "[a-z]{1,12}(-[a-z0-9]{1,9}){0,4}", law in "[A-Z][a-z]{1,9} art\\. [0-9]{1,9}") {
        for basis in [json!({ "voorwaarden": { name: true } }), json!({ "artikelen": [law] })] {
            for one in both("Wie helpt bij hoarding?", &basis) {
                prop_assert!(!is_taken(&one), "{}: {basis}", one.0);
            }
        }
    }
}
