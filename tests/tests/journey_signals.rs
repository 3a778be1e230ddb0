//! Two landlords signal about the same residents: the municipality sees each once, and decides where it is not certain.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, FIXTURE, MUNICIPALITY, Node, Place, conclude, introduce, proposal, until,
};

const OTHER: &str = "00000099000000004000";

/// The same export with one letter more in one name.
fn misspelled() -> Vec<u8> {
    let (name, with) = (b"Wagenaar", b"Waagenaar");
    let place = FIXTURE.windows(name.len()).position(|window| window == name).unwrap();
    [&FIXTURE[..place], with, &FIXTURE[place + name.len()..]].concat()
}

fn list(node: &Node) -> (Vec<Value>, Vec<Value>) {
    let done = node.cli(&["signalen", "lijst", "--aantal", "500", "--json"]);
    let said = done.json();
    let of = |name: &str| said[name].as_array().unwrap().clone();
    let mut found = (of("meervoudige_signalen"), of("voorstellen"));
    // Terms are looked at a moment later.
    for one in &mut found.0 {
        one["termijn"].take();
        one["signalen"].as_array_mut().unwrap().iter_mut().for_each(|signal| drop(signal["termijn"].take()));
    }
    assert_eq!(done.code, i32::from(!found.1.is_empty()), "what is to be decided is not all good");
    found
}

fn senders(one: &Value) -> Vec<&str> {
    one["signalen"].as_array().unwrap().iter().map(|signal| signal["partner"].as_str().unwrap()).collect()
}

/// The resident is told what was brought together, and by whom it was decided.
fn resident_is_told(place: &Place, municipality: &Node) {
    let tenant = json!({
        "naam": { "voorletters": "R.M.", "achternaam": "van SORENSEN" }, "geboortedatum": "1982-09-11",
        "adres": { "postcode": "4911 AR", "huisnummer": 183, "huisnummertoevoeging": "BIS" },
    });
    let person = place.file("huurder.json", tenant.to_string().as_bytes());
    let (data, page) = (place.path().join("inzage.json"), place.path().join("inzage.html"));
    let [person, data, page] = [&person, &data, &page].map(|path| path.to_str().unwrap());
    municipality.json(&["inzage", "--kenmerk", "AVG-4", "--persoon", person, "--naar", data, "--naar", page]);
    let told: Value = serde_json::from_str(&std::fs::read_to_string(data).unwrap()).unwrap();
    let together = &told["samengebracht"][0];
    let from = |position: usize| together["signalen"][position]["van"]["oin"].clone();
    assert_eq!((from(0), from(1), &together["anderen"]), (json!(CORPORATION), json!(OTHER), &json!(0)));
    assert!(std::fs::read_to_string(page).unwrap().contains("Wat wij bij elkaar brachten"));
}

#[test]
fn two_landlords_signal_about_the_same_residents() {
    let place = Place::new();
    let (municipality, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (one, second) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let (other, third) = place.serving("andere", OTHER, "woningcorporatie");
    introduce(&[&municipality, &one, &other]);
    let [ours, theirs, others] =
        [&municipality, &one, &other].map(|node| node.json(&["convenant", "partij"]));
    let mut text = proposal(&ours, &theirs["partij"]);
    text["partijen"].as_array_mut().unwrap().push(others["partij"].clone());
    text["afspraken"][0]["van"] = json!([CORPORATION, OTHER]);
    text["afspraken"][1]["naar"] = json!([CORPORATION, OTHER]);
    conclude(&place, &[&municipality, &one, &other], &text);

    one.send(&place.file("een.csv", FIXTURE), MUNICIPALITY);
    one.settle();
    assert_eq!(list(&municipality), (vec![], vec![]), "one landlord is no signal of several");
    other.send(&place.file("ander.csv", &misspelled()), MUNICIPALITY);
    other.settle();
    let residents = other.mailbox("uit").states()["toegelaten"];
    let (multiple, suggestions) = until("all were held against each other", || {
        let found = list(&municipality);
        (found.0.len() + 1 == residents && !found.1.is_empty()).then_some(found)
    });
    assert!(multiple.iter().all(|one| senders(one) == [CORPORATION, OTHER]));
    assert!(multiple[0]["signalen"][0]["raadpleging"].is_null(), "it joined by itself");
    let [suggestion] = suggestions.as_slice() else { panic!("{suggestions:?}") };
    assert_eq!(suggestion["redenen"][0]["reden"], "spelling-achternaam");

    // Nobody is shown, asked or joined without a record of it.
    let [lower, higher] = ["een", "ander"].map(|side| suggestion[side]["nummer"].to_string());
    let said = municipality.json(&["signalen", "vergelijken", &lower, &higher, "--medewerker", "Jansen"]);
    assert_eq!(said["signalen"][1]["gegevens"]["betrokkene"]["naam"]["achternaam"], "Waagenaar");
    assert_eq!(said["redenen"], suggestion["redenen"]);
    municipality.json(&["signalen", "samenvoegen", &lower, &higher, "--medewerker", "Jansen"]);
    let (joined, left) = list(&municipality);
    assert_eq!((joined.len(), left.len()), (residents, 0));
    let number = joined[0]["nummer"].to_string();
    let shown = municipality.json(&["signalen", "tonen", &number, "--medewerker", "Jansen"]);
    assert_eq!(shown["signalen"].as_array().unwrap().len(), 2);
    municipality.json(&["signalen", "splitsen", &higher, "--medewerker", "Jansen"]);
    assert_eq!(list(&municipality), (multiple.clone(), vec![]), "and it is not asked again");
    municipality.cli(&["signalen", "afwijzen", &lower, &higher, "--medewerker", "Jansen"]).expect(0);
    let refused = municipality.cli(&["signalen", "tonen", &number]).refused();
    assert!(refused.contains("geen meervoudig signaal"), "{refused}");
    municipality.cli(&["signalen", "splitsen", &lower]).refused();
    let looks = municipality.json(&["raadplegingen", "--door", "Jansen"]);
    let what: Vec<&str> =
        looks["raadplegingen"].as_array().unwrap().iter().map(|look| look["wat"].as_str().unwrap()).collect();
    assert_eq!(what, ["besluit", "besluit", "inzien", "besluit", "inzien"]);

    resident_is_told(&place, &municipality);

    // Stopped and started again, it is as it was.
    first.stop();
    let again = municipality.serve();
    assert_eq!(list(&municipality), (multiple, vec![]));
    municipality.verified_log();
    for serving in [second, third, again] {
        serving.stop();
    }
}
