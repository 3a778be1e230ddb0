use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Clue, Clues, Identity, Resemblance};

/// Somebody, with these fields changed.
fn with(changes: &[(&str, &str)]) -> Value {
    let mut subject = json!({
        "naam": { "voorletters": "E.J.", "voorvoegsel": "van den", "achternaam": "Brouwer" },
        "geboortedatum": "1974-01-20",
        "adres": { "straat": "Lindelaan", "huisnummer": 19, "huisnummertoevoeging": "A", "postcode": "4906AN", "woonplaats": "Rivierstad" },
    });
    for (field, value) in changes {
        let (part, name) = field.split_once('/').unwrap_or(("", field));
        let part = if part.is_empty() { &mut subject } else { &mut subject[part] };
        match (name, *value) {
            (name, "") => drop(part.as_object_mut().unwrap().remove(name)),
            ("huisnummer", number) => part["huisnummer"] = number.parse::<u64>().unwrap().into(),
            (name, value) => part[name] = value.into(),
        }
    }
    subject
}

fn person(changes: &[(&str, &str)]) -> Identity {
    Identity::read(&with(changes)).unwrap()
}

fn compared(one: &[(&str, &str)], other: &[(&str, &str)]) -> Resemblance {
    let (one, other) = (person(one), person(other));
    let found = one.resemblance(&other);
    assert_eq!(found, other.resemblance(&one), "it goes both ways");
    if found != Resemblance::Different {
        let keys = other.near_keys();
        assert!(one.near_keys().iter().any(|key| keys.contains(key)), "what resembles is found");
    }
    found
}

fn perhaps(clues: &[Clue]) -> Resemblance {
    Resemblance::Perhaps(clues.iter().copied().collect())
}

#[test]
fn joins_what_is_written_the_same() {
    for other in [
        &[][..],
        &[("naam/achternaam", "BROUWER")],
        &[("naam/voorvoegsel", ""), ("naam/achternaam", "van den Brouwer")],
        &[("naam/voorletters", "EJ")],
        &[("naam/voorletters", "e. j.")],
        &[("naam/voorletters", ""), ("naam/voornamen", "Elisabeth Johanna")],
        &[("naam/voornamen", "Elisabeth Johanna")],
        &[("adres/huisnummertoevoeging", "-a")],
        &[("adres/straat", "Lindeln."), ("adres/postcode", "4906 an")],
        &[("bsn", "999990342")],
    ] {
        assert_eq!(compared(&[], other), Resemblance::Same, "{other:?}");
    }
}

#[test]
fn suggests_what_nearly_is_with_its_reason() {
    use Clue::*;
    for (other, clues) in [
        (&[("naam/achternaam", "Bróuwer")][..], &[Letters][..]),
        (&[("naam/voorvoegsel", "")], &[Prefix]),
        (&[("naam/voorvoegsel", "v.d.")], &[Prefix]),
        (&[("naam/voorvoegsel", "van"), ("naam/achternaam", "Bröuwer")], &[Letters, Prefix]),
        (&[("naam/achternaam", "Brower")], &[Spelling]),
        (&[("naam/achternaam", "Brouwer-Jansen")], &[PartnerName]),
        (&[("naam/achternaam", "Jansen")], &[OtherSurname]),
        (&[("naam/voorletters", "E.")], &[FewerInitials]),
        (&[("naam/voorletters", "")], &[FewerInitials]),
        (&[("naam/voorletters", "E.M.")], &[OtherInitials]),
        (&[("naam/voorletters", "L.")], &[OtherInitials, Household]),
        (&[("geboortedatum", "1974-01-21")], &[BirthDigit]),
        (&[("adres/huisnummertoevoeging", "")], &[Addition]),
        (&[("adres/huisnummertoevoeging", "B")], &[Addition]),
        (&[("adres/huisnummer", "91")], &[HouseNumber]),
        (&[("adres/postcode", "4906AM")], &[PostalCode]),
        (&[("adres/postcode", "1234ZZ")], &[OtherAddress]),
        (
            &[("naam/voorvoegsel", ""), ("naam/voorletters", "E."), ("adres/huisnummertoevoeging", "")],
            &[Prefix, FewerInitials, Addition],
        ),
        (&[("naam/achternaam", "Brower"), ("adres/postcode", "1234ZZ")], &[Spelling, OtherAddress]),
        (&[("naam/voorletters", "M."), ("geboortedatum", "1980-05-05")], &[Household]),
        (&[("naam/achternaam", "Visser"), ("geboortedatum", "1980-05-05")], &[Household]),
    ] {
        assert_eq!(compared(&[], other), perhaps(clues), "{other:?}");
    }
    let swapped = compared(&[("geboortedatum", "1974-02-01")], &[("geboortedatum", "1974-01-02")]);
    assert_eq!(swapped, perhaps(&[DayAndMonth]));
    let strauss = compared(&[("naam/achternaam", "Strauß")], &[("naam/achternaam", "Strauss")]);
    assert_eq!(strauss, perhaps(&[Letters]));
}

/// Everybody here is somebody else, however alike.
#[test]
fn joins_nobody_with_another() {
    use Clue::*;
    let (twin, other_twin) = (
        [("naam/voornamen", "Jan"), ("naam/voorletters", "J.")],
        [("naam/voornamen", "Joost"), ("naam/voorletters", "J.")],
    );
    assert_eq!(compared(&twin, &other_twin), perhaps(&[OtherGivenNames, Household]));
    let (twin, other_twin) = ([("naam/voorletters", "J.")], [("naam/voorletters", "J.P.")]);
    assert_eq!(compared(&twin, &other_twin), perhaps(&[FewerInitials]));
    // Father and son with the same initials at one address.
    assert_eq!(compared(&[], &[("geboortedatum", "2001-07-03")]), perhaps(&[Household]));
    // Nobody knows whether two without initials are one.
    let without = [("naam/voorletters", "")];
    assert_eq!(compared(&without, &without), perhaps(&[FewerInitials]));
    // Neighbours in one building.
    let neighbour =
        [("adres/huisnummertoevoeging", "B"), ("naam/achternaam", "Visser"), ("geboortedatum", "1980-05-05")];
    assert_eq!(compared(&[], &neighbour), Resemblance::Different);
    for others in [
        &[("adres/postcode", "1234ZZ"), ("geboortedatum", "1974-01-21")][..],
        &[("adres/postcode", "1234ZZ"), ("naam/voorletters", "L.")],
        &[("adres/postcode", "1234ZZ"), ("naam/achternaam", "Visser")],
        &[("adres/huisnummer", "91"), ("geboortedatum", "1980-05-05")],
    ] {
        assert_eq!(compared(&[], others), Resemblance::Different, "{others:?}");
    }
}

#[test]
fn a_number_joins_unless_the_rest_contradicts_it() {
    use Clue::*;
    let number = [("bsn", "999990342")];
    let but = |field, value| compared(&number, &[("bsn", "999990342"), (field, value)]);
    assert_eq!(but("naam/achternaam", "Jansen"), Resemblance::Same);
    assert_eq!(but("adres/postcode", "1234ZZ"), Resemblance::Same);
    assert_eq!(but("naam/voorletters", "L."), perhaps(&[OtherInitials, SameNumber]));
    assert_eq!(but("geboortedatum", "1980-05-05"), perhaps(&[SameNumber]));
    let another = |field, value| compared(&number, &[("bsn", "123456782"), (field, value)]);
    assert_eq!(another("naam/achternaam", "BROUWER"), perhaps(&[OtherNumber]));
    assert_eq!(another("naam/voorletters", "L."), perhaps(&[Household]));
    assert_eq!(another("adres/postcode", "1234ZZ"), Resemblance::Different);
    let only = Identity::read(&json!({ "bsn": "999990342" })).unwrap();
    assert_eq!(only.resemblance(&person(&number)), Resemblance::Same);
    assert_eq!(only.resemblance(&person(&[])), Resemblance::Different);
    assert_eq!(only.near_keys(), [only.bsn_key().unwrap()]);
}

/// Changing what a key is made of is a new version of it.
#[test]
fn keys_stay_what_they_are() {
    let keys = person(&[("naam/achternaam", "Brouwer-Jansen")]).near_keys();
    let text = |key: &Vec<u8>| String::from_utf8(key.clone()).unwrap().replace('\0', "|");
    assert_eq!(
        keys.iter().map(text).collect::<Vec<_>>(),
        [
            "schakel/gelijkenis/geboortedatum-adres/1|1974-01-20|4906AN|19",
            "schakel/gelijkenis/naam-geboortedatum/1|brfr|1974-01-20",
            "schakel/gelijkenis/naam-geboortedatum/1|jnsn|1974-01-20",
            "schakel/gelijkenis/naam-adres/1|brfr|4906AN|19",
            "schakel/gelijkenis/naam-adres/1|jnsn|4906AN|19",
            "schakel/gelijkenis/adres/1|4906AN|19",
        ]
    );
}

proptest! {
    #[test]
    fn everybody_resembles_themselves_and_it_goes_both_ways(
        one in proptest::collection::vec("[A-Za-zé]{2,8}( [a-z]{2,8})?", 2),
        other in "[A-Za-z]{2,8}",
        initials in "[A-HJ-Z](\\.[A-Z]){0,3}",
        born in "19[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
        house in 1_u64..300,
    ) {
        let house = house.to_string();
        let all = [("naam/achternaam", one[0].as_str()), ("naam/voorletters", initials.as_str()), ("geboortedatum", born.as_str()), ("adres/huisnummer", house.as_str())];
        let (me, you) = (person(&all), person(&[("naam/achternaam", &other)]));
        prop_assert_eq!(me.resemblance(&me), Resemblance::Same);
        prop_assert_eq!(me.resemblance(&you), you.resemblance(&me));
        if let Resemblance::Perhaps(clues) = me.resemblance(&you) {
            prop_assert_ne!(clues, Clues::default());
        }
    }
}
