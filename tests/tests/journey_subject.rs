//! A resident asks what is held about them, and a privacy officer who looked.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use tests::processes::{CORPORATION, FIXTURE, MUNICIPALITY, Node, Place, agree};

/// As the municipality knows the tenant of the fourth line of the export.
fn tenant() -> Value {
    json!({
        "naam": { "voorletters": "R.M.", "achternaam": "van SORENSEN" },
        "geboortedatum": "1982-09-11",
        "adres": { "postcode": "4911 AR", "huisnummer": 183, "huisnummertoevoeging": "BIS" },
    })
}

fn accesses(node: &Node, arguments: &[&str]) -> Vec<Value> {
    let said = node.json(&[&["raadplegingen", "--medewerker", "FG"], arguments].concat());
    said["raadplegingen"].as_array().unwrap().clone()
}

#[test]
fn a_resident_gets_what_is_held_about_them() {
    let place = Place::new();
    let (municipality, serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    corporation.send(&place.file("lijst.csv", FIXTURE), MUNICIPALITY);
    corporation.settle();
    let (person, stranger) = (
        place.file("persoon.json", tenant().to_string().as_bytes()),
        place.file("vreemde.json", br#"{"bsn":"999990342"}"#),
    );
    let (person, stranger) = (person.to_str().unwrap(), stranger.to_str().unwrap());
    let logged = municipality.verified_log();

    // Nobody is looked for without a reason, or by what stands in a list of processes.
    let refused = municipality.cli(&["zoek", "--persoon", person]).refused();
    assert!(refused.contains("--reden"), "{refused}");
    let refused = municipality.cli(&["zoek", "--reden", "dossier", "--persoon", person]).refused();
    assert!(refused.contains("--kenmerk"), "{refused}");
    let refused = municipality.cli(&["inzage", "--kenmerk", "AVG 999990342", "--persoon", person]).refused();
    assert!(refused.contains("geen BSN"), "{refused}");
    assert_eq!(municipality.cli(&["zoek", "--bsn", "999990342"]).code, 2);
    let refused = municipality.cli(&["inzage", "--kenmerk", "AVG-1"]).refused();
    assert!(refused.contains("geen persoon in JSON"), "{refused}");
    assert_eq!(municipality.verified_log(), logged, "nobody saw anything");

    let found = municipality.json(&["zoek", "--reden", "dossier", "--kenmerk", "Z-1", "--persoon", person]);
    let number = found["berichten"][0]["nummer"].as_u64().unwrap();
    assert_eq!((found["berichten"].as_array().unwrap().len(), &found["volledig"]), (1, &json!(true)));
    assert_eq!(found["raadpleging"], logged);

    let (page, data) = (place.path().join("uit.html"), place.path().join("uit.json"));
    let (page_name, data_name) = (page.to_str().unwrap(), data.to_str().unwrap());
    let said = municipality.json(&[
        "inzage",
        "--kenmerk",
        "AVG-1",
        "--persoon",
        person,
        "--naar",
        page_name,
        "--naar",
        data_name,
    ]);
    assert_eq!(
        (&said["berichten"], &said["volledig"], &said["misschien"]),
        (&json!(1), &json!(true), &json!([]))
    );
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    let page = fs::read_to_string(page).unwrap();
    for part in [
        "Sørensen",
        "€ 590,22",
        "Organisatie corporatie",
        "Vroegsignalering van huurachterstanden",
        "fg@voorbeeld.test",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let data: Value = serde_json::from_str(&fs::read_to_string(data).unwrap()).unwrap();
    assert_eq!(data["berichten"].as_array().unwrap().len(), 1);
    assert_eq!(data["berichten"][0]["nummer"], number);
    assert_eq!(data["berichten"][0]["van"]["oin"], CORPORATION);
    assert_eq!(data["berichten"][0]["gegevens"]["betrokkene"]["geboortedatum"], "1982-09-11");
    let looks: Vec<&str> =
        data["raadplegingen"].as_array().unwrap().iter().map(|look| look["wat"].as_str().unwrap()).collect();
    assert_eq!(looks, ["uitvoer", "zoeken"]);
    // Nothing about anybody else: two more tenants share the name.
    let others = ["33177", "1962-02-02", "2 februari 1962", "4916DN", "Zonnelaan", "Reenenplein", "1959"];
    assert!(others.iter().all(|other| !page.contains(other) && !data.to_string().contains(other)));

    // Whoever is not there, or not any more, hears so.
    let said = municipality.cli(&["inzage", "--kenmerk", "AVG-2", "--persoon", stranger]).expect(0);
    assert!(said.stdout.contains("niets (meer)"), "{said:?}");

    // Who looked, by message and by person; reading that is in it as well.
    let of_message = accesses(&municipality, &["--bericht", &number.to_string()]);
    let deeds: Vec<_> = of_message.iter().map(|one| (&one["wat"], &one["kenmerk"])).collect();
    assert_eq!(deeds, [(&json!("uitvoer"), &json!("AVG-1")), (&json!("zoeken"), &json!("Z-1"))]);
    assert!(of_message.iter().all(|one| one["account"].as_str().is_some_and(|account| !account.is_empty())));
    let by_person = ["--reden", "controle", "--kenmerk", "FG-17", "--persoon", stranger];
    let of_stranger = accesses(&municipality, &by_person);
    let reasons: Vec<_> = of_stranger.iter().map(|one| (&one["wat"], &one["reden"])).collect();
    assert_eq!(
        reasons,
        [("raadplegingen", "inzageverzoek"), ("uitvoer", "inzageverzoek")]
            .map(|(deed, why)| (json!(deed), json!(why)))
            .each_ref()
            .map(|(deed, why)| (deed, why))
    );
    let officer = accesses(&municipality, &["--door", "FG"]);
    assert_eq!((officer.len(), &officer[0]["kenmerk"]), (2, &json!("FG-17")));
    assert!(municipality.cli(&["raadplegingen", "--persoon", person]).refused().contains("--reden"));

    // Every look is an entry of the log, which is whole; and what runs tells nothing of anybody.
    let counted = accesses(&municipality, &["--aantal", "500"]).len();
    assert_eq!(municipality.verified_log(), logged + u64::try_from(counted).unwrap() + 1);
    let program = serving.stop();
    assert!(!program.contains("Sørensen") && !program.contains("999990342"), "{program}");
}

/// Taking out evidence shows a message, so it is on record too.
#[test]
fn evidence_is_taken_out_on_the_record() {
    let place = Place::new();
    let (municipality, _serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    corporation.send(&place.file("lijst.csv", FIXTURE), MUNICIPALITY);
    corporation.settle();
    let number = corporation.mailbox("uit").0[0]["nummer"].to_string();
    let file = place.path().join("bewijs.json");
    corporation.json(&[
        "logboek",
        "bewijs",
        &number,
        "--naar",
        file.to_str().unwrap(),
        "--kenmerk",
        "klacht 4",
    ]);
    let looks = accesses(&corporation, &["--bericht", &number]);
    let told: Vec<_> = ["wat", "reden", "kenmerk"].map(|key| looks[0][key].as_str().unwrap()).into();
    assert_eq!((looks.len(), told), (1, vec!["uitvoer", "bewijs", "klacht 4"]));
}
