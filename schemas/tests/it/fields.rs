//! A document seen field by field, and with fields taken away.

use std::collections::BTreeSet;

use proptest::prelude::*;
use schemas::{Document, ParseError, SchemaName};
use serde_json::Value;

use crate::{files, folder};

/// Every valid document among the fixtures.
fn documents() -> Vec<Document> {
    let messages = schemas::all().filter(|schema| schema.message_type().is_some());
    let of_schema = |schema: SchemaName| {
        let texts = files(&folder("fixtures/valid").join(schema.as_str()));
        texts.into_iter().map(move |(_, text)| Document::parse(schema, text.as_bytes()).unwrap())
    };
    messages.flat_map(of_schema).collect()
}

/// A document, and which of its fields to take away.
fn cut() -> impl Strategy<Value = (Document, BTreeSet<String>)> {
    proptest::sample::select(documents()).prop_flat_map(|document| {
        let pointers: Vec<String> = document.fields().into_iter().map(|field| field.pointer).collect();
        let most = pointers.len();
        let some = proptest::sample::subsequence(pointers, 0..=most.min(6));
        (Just(document), some.prop_map(|some| some.into_iter().collect()))
    })
}

fn values(document: &Document, gone: &BTreeSet<String>) -> Vec<Value> {
    let kept = document.fields().into_iter().filter(|field| !gone.contains(&field.pointer));
    kept.map(|field| document.value().pointer(&field.pointer).unwrap().clone()).collect()
}

#[test]
fn the_fields_together_hold_what_the_document_holds() {
    for document in documents() {
        let fields = document.fields();
        assert!(fields.len() > 1);
        let categories: BTreeSet<_> = fields.iter().flat_map(|one| one.uses.categories.clone()).collect();
        let domains: BTreeSet<_> = fields.iter().flat_map(|one| one.uses.life_domains.clone()).collect();
        assert_eq!(categories, document.uses().categories);
        assert_eq!(domains, document.uses().life_domains);
        assert_eq!(fields.iter().any(|one| one.uses.bsn), document.uses().bsn);
        let places: BTreeSet<_> = fields.iter().map(|one| &one.pointer).collect();
        assert_eq!(places.len(), fields.len(), "every field once");
        for field in &fields {
            assert!(document.value().pointer(&field.pointer).is_some(), "{}", field.pointer);
            assert_eq!(field.uses.categories.len(), 1, "{}", field.pointer);
        }
    }
}

proptest! {
    /// What is left are exactly the other fields, with their values, in the same order; or it is not valid any more.
    #[test]
    fn what_is_taken_away_is_gone_and_nothing_else((document, gone) in cut()) {
        match document.without(gone.iter().map(String::as_str)) {
            Ok(left) => {
                prop_assert_eq!(values(&left, &BTreeSet::new()), values(&document, &gone));
                prop_assert_eq!(left.schema(), document.schema());
                let again = Document::parse(left.schema(), left.json().as_bytes()).unwrap();
                prop_assert_eq!(again.value(), left.value());
            }
            Err(ParseError::Invalid(violations)) => prop_assert!(!gone.is_empty() && !violations.is_empty()),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

#[test]
fn an_object_that_is_emptied_goes_with_what_was_in_it() {
    let text = std::fs::read(folder("fixtures/valid/signaal-betalingsachterstand/huur.json")).unwrap();
    let signal = Document::parse(SchemaName::PaymentArrears, &text).unwrap();
    let contact = signal.fields().into_iter().map(|field| field.pointer);
    let contact: Vec<String> = contact.filter(|one| one.starts_with("/betrokkene/contact/")).collect();
    assert!(!contact.is_empty());
    let left = signal.without(contact.iter().map(String::as_str)).unwrap();
    assert_eq!(left.value().pointer("/betrokkene/contact"), None);
    assert!(left.value().pointer("/betrokkene/adres").is_some());
}

#[test]
fn what_the_schema_asks_for_cannot_be_taken_away() {
    let text = std::fs::read(folder("fixtures/valid/signaal-betalingsachterstand/huur.json")).unwrap();
    let signal = Document::parse(SchemaName::PaymentArrears, &text).unwrap();
    let Err(ParseError::Invalid(violations)) = signal.without(["/inhoud/bedrag_in_centen"]) else {
        panic!("an amount is required");
    };
    assert_eq!(violations[0].field, "/inhoud/bedrag_in_centen");
    let all: Vec<String> = signal.fields().into_iter().map(|field| field.pointer).collect();
    assert!(signal.without(all.iter().map(String::as_str)).is_err());
}

#[test]
fn a_pointer_to_nowhere_takes_nothing() {
    for document in documents() {
        let left = document.without(["/nergens", "/inhoud/0", "nergens"]).unwrap();
        assert_eq!(left.value(), document.value());
    }
}
