//! What a document holds follows from the schema alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;
use crate::name::SchemaName;
use crate::registry::compiled;

fn leaves(at: &str, node: &Annotations, found: &mut Vec<(String, Marks)>) {
    let children = node.properties.iter().map(|(name, child)| (name.as_str(), child));
    let inner = node.items.as_deref().map(|child| ("[]", child));
    let other = node.other.as_deref().map(|child| ("*", child));
    let mut leaf = true;
    for (name, child) in children.chain(inner).chain(other) {
        leaf = false;
        leaves(&format!("{at}/{name}"), child, found);
    }
    if leaf {
        found.push((at.to_owned(), node.marks));
    }
}

#[test]
fn every_place_where_a_document_can_hold_something_has_one_category() {
    for schema in SchemaName::all().filter(|schema| schema.message_type().is_some()) {
        let mut found = Vec::new();
        leaves("", &compiled(schema).annotations, &mut found);
        assert!(found.len() > 5, "{schema}");
        for (place, marks) in found {
            assert_eq!(marks.categories.count_ones(), 1, "{schema} {place}");
            assert!(marks.life_domains.count_ones() <= 1, "{schema} {place}");
        }
    }
}

#[test]
fn a_consultation_has_no_place_for_data_about_a_person() {
    let process = 1 << (Category::Process as usize);
    for schema in [SchemaName::ConsultationAsked, SchemaName::ConsultationAnswered] {
        let mut found = Vec::new();
        leaves("", &compiled(schema).annotations, &mut found);
        for (place, marks) in found {
            assert_eq!(marks.categories, process, "{schema} {place}");
        }
    }
}

#[test]
fn special_life_domains_are_special_data() {
    let special = |domain: LifeDomain| {
        matches!(
            domain,
            LifeDomain::PhysicalHealth
                | LifeDomain::MentalHealth
                | LifeDomain::Addiction
                | LifeDomain::Justice
        )
    };
    for domain in LifeDomain::ALL {
        let document = json!({ "inhoud": { "situatie": { domain.as_str(): { "omschrijving": "x" } } } });
        let uses = compiled(SchemaName::HandoverOffered).annotations.uses(&document);
        assert!(uses.life_domains.contains(&domain), "{domain}");
        assert_eq!(uses.categories.iter().any(|category| category.is_special()), special(domain), "{domain}");
    }
}

#[test]
fn only_what_is_there_counts() {
    let annotations = &compiled(SchemaName::PaymentArrears).annotations;
    assert_eq!(annotations.uses(&json!({})), DataUse::default());
    let uses = annotations.uses(&json!({ "betrokkene": { "bsn": "999990342" } }));
    assert!(uses.bsn);
    assert_eq!(uses.categories, BTreeSet::from([Category::CitizenNumber]));
    let uses = annotations.uses(&json!({ "inhoud": { "bedrag_in_centen": 1 } }));
    assert!(!uses.bsn);
    assert_eq!(uses.life_domains, BTreeSet::from([LifeDomain::Finances]));
}

#[test]
fn the_nearest_category_wins() {
    // An e-mail address is contact data of a resident, but not that of a professional.
    let document = json!({ "inhoud": { "casusregisseur": { "email": "x@voorbeeld.test" } } });
    let uses = compiled(SchemaName::HandoverAccepted).annotations.uses(&document);
    assert_eq!(uses.categories, BTreeSet::from([Category::Support]));
}

/// Otherwise a list would have to be seen as a whole before its items are, and what a document holds would not be what
/// its fields hold together.
#[test]
fn only_fields_have_a_category() {
    fn look(place: &str, node: &Annotations) {
        let inner = node.items.iter().chain(&node.other).map(|child| ("*", child.as_ref()));
        let mut children =
            node.properties.iter().map(|(name, child)| (name.as_str(), child)).chain(inner).peekable();
        if children.peek().is_some() {
            assert_eq!(node.marks.categories, 0, "{place}");
        }
        children.for_each(|(name, child)| look(&format!("{place}/{name}"), child));
    }
    for schema in SchemaName::all().filter(|schema| schema.message_type().is_some()) {
        look(schema.as_str(), &compiled(schema).annotations);
    }
}

#[test]
fn a_field_is_named_by_its_place_with_what_is_above_it() {
    let document = json!({ "inhoud": {
        "situatie": { "verslaving": { "omschrijving": "x" } },
        "eerdere_hulp": [{ "wat": "x" }, { "wat": "x" }],
        "clientsysteem": [],
    } });
    let fields = compiled(SchemaName::HandoverOffered).annotations.fields(&document);
    let shown: Vec<(&str, Vec<Category>, Vec<LifeDomain>)> = fields
        .iter()
        .map(|field| {
            let uses = &field.uses;
            let (categories, domains) = (uses.categories.iter().copied(), uses.life_domains.iter().copied());
            (field.pointer.as_str(), categories.collect(), domains.collect())
        })
        .collect();
    let expected = [
        ("/inhoud/clientsysteem", vec![], vec![]),
        ("/inhoud/eerdere_hulp/0/wat", vec![Category::Support], vec![]),
        ("/inhoud/eerdere_hulp/1/wat", vec![Category::Support], vec![]),
        ("/inhoud/situatie/verslaving/omschrijving", vec![Category::Addiction], vec![LifeDomain::Addiction]),
    ];
    assert_eq!(shown, expected);
}
