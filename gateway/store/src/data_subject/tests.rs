#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::key::{Keys, StorageKey};

fn keys(of: u8) -> Keys {
    Keys::derive(&StorageKey::from_bytes([of; 32])).unwrap()
}

fn by_number(number: &str) -> Identity {
    Identity::read(&json!({ "bsn": number })).unwrap()
}

fn by_name(surname: &str, house: u32) -> Option<Identity> {
    Identity::read(&json!({
        "naam": { "voorletters": "E.", "achternaam": surname },
        "geboortedatum": "1974-01-20",
        "adres": { "postcode": "4906AN", "huisnummer": house },
    }))
}

/// The organisation finds in its Logboek what was exported years ago.
#[test]
fn the_derivation_never_changes() {
    let named = name(&keys(1).data_subject, &by_number("999990342")).unwrap();
    assert_eq!(named[0].kind, SubjectKind::Bsn);
    assert_eq!(
        named[0].id,
        "24b30d3233737134e9c03297c5cf50db5237bf1f62cfef528b4f86ef5d1101714b82754e5a7914027249c82648f86bd117b3b3e6c8806d7b5aa046085561a45b884adfcf74267bf1170e930f771a5cf307a496e505a026aa9cc48e934458a8f2d329af617e72ed4b6c9a562d587c9168202676606e90e74b3c8924da65ab2b50cdb7a0f0cfcae9c22e7b28bdc5eaf8f1"
    );
}

#[test]
fn who_is_known_both_ways_is_named_both_ways() {
    let both = json!({
        "bsn": "999990342", "naam": { "voorletters": "E.", "achternaam": "Brouwer" }, "geboortedatum": "1974-01-20",
        "adres": { "postcode": "4906AN", "huisnummer": 19 },
    });
    let key = keys(1).data_subject;
    let named = name(&key, &Identity::read(&both).unwrap()).unwrap();
    assert_eq!(named[0], name(&key, &by_number("999990342")).unwrap()[0]);
    assert_eq!(named[1], name(&key, &by_name("brouwer", 19).unwrap()).unwrap()[0]);
    assert_eq!(named.len(), 2);
}

#[test]
fn a_name_does_not_show_by_its_length() {
    let key = keys(1).data_subject;
    let length = |surname| name(&key, &by_name(surname, 19).unwrap()).unwrap()[0].id.len();
    assert_eq!(length("Bo"), length("Brouwer Kwakkelstein"));
}

#[test]
fn nothing_else_opens() {
    let key = keys(1).data_subject;
    let real = name(&key, &by_number("999990342")).unwrap().remove(0);
    assert!(open(&keys(2).data_subject, &real).is_err(), "another organisation's key");
    assert!(open(&key, &DataSubject { kind: SubjectKind::Person, ..real.clone() }).is_err());
    for id in ["", "0", "zz", "é0", &real.id[2..], &"00".repeat(80), &"0".repeat(MAX_TEXT + 2)] {
        assert!(open(&key, &DataSubject { id: id.to_owned(), ..real.clone() }).is_err(), "{id:.20}");
    }
}

proptest! {
    #[test]
    fn the_same_person_and_no_other(one in "[0-9]{9}", other in "[0-9]{9}") {
        let key = keys(1).data_subject;
        let id = |number: &str| name(&key, &by_number(number)).unwrap().remove(0);
        prop_assert_eq!(id(&one), id(&one));
        prop_assert_eq!(one == other, id(&one) == id(&other));
        prop_assert_ne!(&id(&one), &name(&keys(2).data_subject, &by_number(&one)).unwrap()[0]);
        prop_assert_eq!(open(&key, &id(&one)).unwrap(), by_number(&one).bsn_key().unwrap());
        prop_assert!(!id(&one).id.contains(&one));
    }

    #[test]
    fn any_name_opens_again(surname in "\\PC{1,80}", house in 1..9999_u32) {
        let key = keys(1).data_subject;
        if let Some(person) = by_name(&surname, house) {
            let named = name(&key, &person).unwrap().remove(0);
            prop_assert_eq!(open(&key, &named).unwrap(), person.person_key().unwrap());
            prop_assert_eq!(&named, &name(&key, &person).unwrap()[0]);
            prop_assert_ne!(&named, &name(&key, &by_name(&surname, house + 1).unwrap()).unwrap()[0]);
        }
    }
}
