use proptest::prelude::*;
use schemas::SchemaName;
use serde_json::{Value, json};

use super::{Identity, LookupKeys, Match, address, name};

fn subject(prefix: &str, surname: &str, initials: &str) -> Value {
    let mut subject = json!({
        "naam": { "achternaam": surname },
        "geboortedatum": "1974-01-20",
        "adres": { "straat": "Lindelaan", "huisnummer": 19, "huisnummertoevoeging": "hs", "postcode": "4906AN", "woonplaats": "Rivierstad" },
    });
    for (field, value) in [("voorvoegsel", prefix), ("voorletters", initials)] {
        if !value.is_empty() {
            subject["naam"][field] = value.into();
        }
    }
    subject
}

fn read(subject: &Value) -> Identity {
    Identity::read(subject).unwrap()
}

fn named(prefix: &str, surname: &str, initials: &str) -> Identity {
    read(&subject(prefix, surname, initials))
}

fn changed(field: &str, value: impl Into<Value>) -> Identity {
    let mut subject = subject("van den", "Brouwer", "E.");
    *subject.pointer_mut(field).unwrap() = value.into();
    read(&subject)
}

/// Each row holds ways to write one name: prefix, surname and initials.
const ONE_PERSON: &[&[(&str, &str, &str)]] = &[
    &[
        ("van den", "Brouwer", "E."),
        ("", "van den Brouwer", "E.J.M."),
        ("v.d.", "BROUWER", "e"),
        ("", "Brouwer, van den", "E J M"),
        ("Van Den", "brouwer", "Ernst"),
        ("vd", "Bróuwer", "É."),
    ],
    &[("'t", "Hart", "A."), ("", "‘t Hart", "A."), ("", "’T HART", "a.b."), ("het", "Hart", "A")],
    &[("van 't", "Hof", "P."), ("van het", "Hof", "P."), ("", "van ’t Hof", "P.")],
    &[
        ("", "Jansen-de Vries", "M."),
        ("", "JANSEN - DE VRIES", "M.A."),
        ("", "Jansen de Vries", "M."),
        ("", "Jansen–Vries", "M."),
    ],
    &[("", "Strauß", "K."), ("", "STRAUSS", "K."), ("", "strauss", "K.H.")],
    &[("", "Dijkstra", "IJ."), ("", "Dĳkstra", "Ĳ."), ("", "Dÿkstra", "Y."), ("", "DYKSTRA", "y")],
    &[("", "Sørensen", "Å."), ("", "Sorensen", "A."), ("", "SØRENSEN", "A\u{30a}.")],
    &[("", "Çınar", "Ş."), ("", "Cinar", "S."), ("", "ÇINAR", "s"), ("", "C\u{327}inar", "S.")],
    &[("", "Łukasiewicz", "Ż."), ("", "Lukasiewicz", "Z.")],
    &[("", "O'Brien", "D."), ("", "O’Brien", "D."), ("", "OBrien", "D."), ("", "O Brien", "D.")],
    &[("", "'s-Gravenzande", "W."), ("", "s Gravenzande", "W."), ("", "Gravenzande", "W.")],
    &[("uit den", "Bogaard", "H."), ("", "Uijt den Bogaard", "H."), ("uyt den", "Bogaard", "H.")],
    &[("", "Le", "T."), ("", "LE", "T.")],
    &[("", "Ævarsson", "Þ."), ("", "Aevarsson", "Th.")],
    &[("", "\u{ff2a}ansen", "B."), ("", "Jansen", "B.")],
    &[("", "Müller", ""), ("", "MULLER", "")],
];

#[test]
fn one_person_is_one_person_however_it_is_written() {
    for ways in ONE_PERSON {
        let first = named(ways[0].0, ways[0].1, ways[0].2);
        for (prefix, surname, initials) in *ways {
            let other = named(prefix, surname, initials);
            assert_eq!(other.person_key(), first.person_key(), "{prefix} {surname}, {initials}");
            assert_eq!(other.compare(&first), Match::Same, "{prefix} {surname}, {initials}");
        }
    }
}

#[test]
fn those_people_stay_apart() {
    let all: Vec<_> = ONE_PERSON.iter().map(|ways| named(ways[0].0, ways[0].1, ways[0].2)).collect();
    for (number, one) in all.iter().enumerate() {
        for other in &all[number + 1..] {
            assert_ne!(one.person_key(), other.person_key());
            assert_eq!(one.compare(other), Match::Different);
        }
    }
}

#[test]
fn whoever_differs_in_one_thing_is_another() {
    let person = named("van den", "Brouwer", "E.");
    let others = [
        (changed("/naam/achternaam", "Brouwers"), Match::Different),
        // Twins.
        (changed("/naam/voorletters", "A."), Match::Different),
        (changed("/geboortedatum", "1974-01-21"), Match::Different),
        (changed("/adres/postcode", "4906AP"), Match::Different),
        (changed("/adres/huisnummer", 91), Match::Different),
        (changed("/adres/huisnummertoevoeging", "2"), Match::Perhaps),
        (named("van den", "Brouwer", ""), Match::Perhaps),
        (named("", "Brouwer-Jansen", "E."), Match::Perhaps),
        (named("", "Jansen-van den Brouwer", ""), Match::Perhaps),
        (named("", "Brouwer-Jansen", "A."), Match::Different),
    ];
    for (number, (other, expected)) in others.iter().enumerate() {
        assert_ne!(person.person_key(), other.person_key(), "row {number}");
        assert_eq!((person.compare(other), other.compare(&person)), (*expected, *expected), "row {number}");
    }
}

#[test]
fn whoever_may_be_the_same_is_found_at_one_place() {
    let person = named("van den", "Brouwer", "E.");
    let there = [named("", "Brouwer-Jansen", ""), changed("/adres/huisnummertoevoeging", "2")];
    assert!(there.iter().all(|other| other.place_key() == person.place_key()));
    let elsewhere = [changed("/adres/postcode", "4906AP"), changed("/adres/huisnummer", 91)];
    assert!(elsewhere.iter().all(|other| other.place_key() != person.place_key()));
    assert_ne!(changed("/geboortedatum", "1974-01-21").place_key(), person.place_key());
}

#[test]
fn a_number_decides_where_both_have_one() {
    let with = |bsn: &str, surname: &str| {
        let mut subject = subject("", surname, "E.");
        subject["bsn"] = bsn.into();
        read(&subject)
    };
    let person = with("999990342", "Brouwer");
    assert_eq!(person.compare(&with("999990342", "Jansen")), Match::Same);
    assert_eq!(person.compare(&with("123456782", "Brouwer")), Match::Perhaps);
    assert_eq!(person.compare(&with("123456782", "Jansen")), Match::Different);
    assert_eq!(person.compare(&named("", "Brouwer", "E.")), Match::Same);
    let number_only = read(&json!({ "bsn": "999990342" }));
    assert_eq!(person.compare(&number_only), Match::Same);
    assert_eq!(number_only.compare(&named("", "Brouwer", "E.")), Match::Different);
    assert_eq!(number_only.bsn_key(), person.bsn_key());
    let keys = LookupKeys::read(&json!({ "bsn": "999990342" }));
    assert_eq!((keys.bsn.clone(), keys.place.clone()), (person.bsn_key(), None));
    assert_eq!((number_only.person_key(), number_only.place_key()), (None, None));
    assert_eq!(named("", "Brouwer", "E.").bsn_key(), None);
}

#[test]
fn additions_have_one_form() {
    const ONE: &[&[&str]] = &[
        &["A", "a", "-A", " a.", "À"],
        &["hs", "HS", "huis", "h", "-hs"],
        &["1", "I", "1-hoog", "1 hoog", "1HOOG", "-1", "1e"],
        &["II", "2", "2hoog", "ii"],
        &["A 2", "a2", "A-2", "A-II"],
        &["bis", "BIS"],
        &["A hs", "a-huis"],
        &[""],
        &["III", "3"],
    ];
    for (number, ways) in ONE.iter().enumerate() {
        for way in *ways {
            assert_eq!(address::addition(way), address::addition(ways[0]), "{way}");
            for other in ONE[number + 1..].iter().copied().flatten() {
                assert_ne!(address::addition(way), address::addition(other), "{way} and {other}");
            }
        }
    }
    assert_eq!(address::postal_code("4906 an"), "4906AN");
}

#[test]
fn reads_whom_a_document_is_about() {
    let document = crate::testing::document(&crate::testing::data());
    let identity = Identity::of(&document).unwrap();
    assert_eq!(identity, read(&document.value()["betrokkene"]));
    let signed = crate::testing::signed(crate::testing::draft_of(&crate::testing::data()));
    assert_eq!(Identity::of_message(signed.compact()), Some(identity.clone()));
    assert_eq!(Identity::of_message("no.message.this"), None);
    let keys = LookupKeys::of(&document);
    assert_eq!((keys.bsn.clone(), keys.place.clone()), (identity.bsn_key(), identity.place_key()));
    assert_eq!((format!("{identity:?}"), format!("{keys:?}")), ("Identity".into(), "LookupKeys".into()));
    let without = json!({ "grondslag": document.value()["grondslag"], "inhoud": {} });
    assert!(schemas::validate(SchemaName::PaymentArrears, &without).is_err());
    assert_eq!(Identity::read(&json!({ "naam": { "achternaam": "Brouwer" } })), None);
    assert_eq!(Identity::read(&subject("", "---", "E.")), None);
}

/// What consents commit to must not change by accident.
#[test]
fn keys_stay_what_they_are() {
    let mut subject = subject("van den", "Brouwer", "E.J.");
    subject["bsn"] = "999990342".into();
    let identity = read(&subject);
    let text = |key: Option<Vec<u8>>| String::from_utf8(key.unwrap()).unwrap();
    assert_eq!(text(identity.bsn_key()), "schakel/betrokkene/bsn/1\x00999990342");
    assert_eq!(
        text(identity.person_key()),
        "schakel/betrokkene/persoon/1\0brouwer\0e\x001974-01-20\x004906AN\x0019\0hs"
    );
    assert_eq!(
        text(identity.place_key()),
        "schakel/betrokkene/geboortedatum-adres/1\x001974-01-20\x004906AN\x0019"
    );
}

/// A surname of one to three words, one of which is no prefix.
fn surnames() -> impl Strategy<Value = String> {
    proptest::collection::vec("[A-Za-zÀ-ÖØ-öø-ÿŁłŞşĲĳß]{2,12}", 1..4).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in any::<String>()) {
        let once = name::words(&text);
        prop_assert_eq!(name::words(&once.join(" ")), once);
    }

    #[test]
    fn an_addition_read_again_is_the_same(text in "[ -~À-ſ]{0,12}|[ -.0-9a-eg-jors-v]{0,6}(hoog)?") {
        let once = address::addition(&text);
        prop_assert_eq!(address::addition(&once), once);
    }

    #[test]
    fn a_surname_read_again_is_the_same(surname in surnames()) {
        let once = name::Name::read(&json!({ "achternaam": surname })).unwrap().surname();
        let again = name::Name::read(&json!({ "achternaam": once.clone() })).unwrap().surname();
        prop_assert_eq!(again, once);
    }

    #[test]
    fn how_it_is_written_does_not_matter(
        surname in surnames(),
        initials in "[A-HJ-Z](\\.[A-Z]){0,4}",
        prefix in proptest::sample::select(vec!["van", "van den", "de", "'t", "v.d.", "op de", "ten"]),
        between in proptest::sample::select(vec!["-", " - ", "  ", "–", "'"]),
    ) {
        prop_assume!(name::words(&surname).iter().all(|word| word.len() > 4));
        let person = named("", &surname, &initials);
        let ways = [
            named("", &surname.to_uppercase(), &initials),
            named("", &surname.to_lowercase(), &initials.to_lowercase()),
            named("", &surname.replace(' ', between), &initials),
            named(prefix, &surname, &initials),
            named("", &format!("{prefix} {surname}"), &initials),
            named("", &format!("{surname}, {prefix}"), &initials),
            named("", &surname, &initials[..1]),
        ];
        for way in ways {
            prop_assert_eq!(way.person_key(), person.person_key());
            prop_assert_eq!(way.compare(&person), Match::Same);
        }
    }

    /// One letter more or another one is another name.
    #[test]
    fn another_name_is_another_person(surname in "[a-z]{5,12}", place in 0_usize..5, letter in "[a-h]") {
        let mut other = surname.clone();
        other.replace_range(place..=place, &letter);
        prop_assume!(name::words(&other) != name::words(&surname));
        prop_assert_ne!(named("", &surname, "E.").person_key(), named("", &other, "E.").person_key());
    }

    #[test]
    fn comparing_goes_both_ways(one in surnames(), other in surnames(), initials in "[A-Z]?") {
        let (one, other) = (named("", &one, "E."), named("", &other, &initials));
        prop_assert_eq!(one.compare(&other), other.compare(&one));
        prop_assert_eq!(one.compare(&other) == Match::Same, one.person_key() == other.person_key());
    }
}
