//! A resident asks what is held about them, and a privacy officer who looked.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use exchange::{clock::Clock as _, digest::Digest, entry::Entry};
use node::{
    node::Node as Program,
    system::{SystemClock, SystemRandom},
};
use serde_json::{Value, json};
use tests::processes::{CORPORATION, FIXTURE, MUNICIPALITY, Node, Place, Serving, agree};

/// As the municipality knows the tenant of the fourth line of the export.
fn tenant() -> Value {
    json!({
        "naam": { "voorletters": "R.M.", "achternaam": "van SORENSEN" },
        "geboortedatum": "1982-09-11",
        "adres": { "postcode": "4911 AR", "huisnummer": 183, "huisnummertoevoeging": "BIS" },
    })
}

/// A municipality that received the export of a corporation.
struct World {
    place: Place,
    municipality: Node,
    corporation: Node,
    serving: [Serving; 2],
    /// A file with the tenant.
    tenant: String,
    /// A file with somebody whom nobody knows.
    stranger: String,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let (municipality, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let (corporation, second) = place.serving("corporatie", CORPORATION, "woningcorporatie");
        agree(&place, &municipality, &corporation);
        corporation.send(&place.file("lijst.csv", FIXTURE), MUNICIPALITY);
        corporation.settle();
        let file = |name, person: Value| {
            place.file(name, person.to_string().as_bytes()).to_str().unwrap().to_owned()
        };
        let (tenant, stranger) =
            (file("huurder.json", tenant()), file("vreemde.json", json!({ "bsn": "999990342" })));
        Self { place, municipality, corporation, serving: [first, second], tenant, stranger }
    }

    fn path(&self, name: &str) -> String {
        self.place.path().join(name).to_str().unwrap().to_owned()
    }
}

fn accesses(node: &Node, arguments: &[&str]) -> Vec<Value> {
    let said = node.json(&[&["raadplegingen", "--medewerker", "FG"], arguments].concat());
    said["raadplegingen"].as_array().unwrap().clone()
}

/// Nobody is looked for without a reason, or by what stands in a list of processes.
#[test]
fn who_gives_no_reason_sees_nothing() {
    let world = World::new();
    let (node, tenant) = (&world.municipality, world.tenant.as_str());
    let logged = node.verified_log();
    for (arguments, missing) in [
        (&["zoek", "--persoon", tenant][..], "--reden"),
        (&["zoek", "--reden", "dossier", "--persoon", tenant], "--kenmerk"),
        (&["inzage", "--persoon", tenant], "--kenmerk"),
        (&["raadplegingen", "--persoon", tenant], "--reden"),
        (&["inzage", "--kenmerk", "AVG 999990342", "--persoon", tenant], "geen BSN"),
        (&["inzage", "--kenmerk", "AVG-1"], "geen persoon in JSON"),
    ] {
        let refused = node.cli(arguments).refused();
        assert!(refused.contains(missing), "{arguments:?}: {refused}");
    }
    assert_eq!(node.cli(&["zoek", "--bsn", "999990342"]).code, 2);
    assert_eq!(node.verified_log(), logged, "nobody saw anything");
}

#[test]
fn a_resident_gets_what_is_held_about_them() {
    let world = World::new();
    let node = &world.municipality;
    let (page, data) = (world.path("uit.html"), world.path("uit.json"));
    let said = node.json(&[
        "inzage",
        "--kenmerk",
        "AVG-1",
        "--persoon",
        &world.tenant,
        "--naar",
        &page,
        "--naar",
        &data,
    ]);
    assert_eq!(
        (&said["berichten"], &said["volledig"], &said["misschien"]),
        (&json!(1), &json!(true), &json!([]))
    );
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    let page = fs::read_to_string(page).unwrap();
    let parts = ["Sørensen", "€ 590,22", "Organisatie corporatie", "Vroegsignalering van huurachterstanden"];
    assert!(parts.iter().chain(&["fg@voorbeeld.test"]).all(|part| page.contains(part)), "{page}");
    let data: Value = serde_json::from_str(&fs::read_to_string(data).unwrap()).unwrap();
    let messages = data["berichten"].as_array().unwrap();
    assert_eq!((messages.len(), &messages[0]["van"]["oin"]), (1, &json!(CORPORATION)));
    assert_eq!(messages[0]["gegevens"]["betrokkene"]["geboortedatum"], "1982-09-11");
    let looks = data["raadplegingen"].as_array().unwrap();
    assert_eq!((looks.len(), &looks[0]["wat"], looks[0].get("account")), (1, &json!("uitvoer"), None));
    // Nothing about anybody else: two more tenants share the name.
    let others = ["33177", "1962-02-02", "2 februari 1962", "4916DN", "Zonnelaan", "Reenenplein", "1959"];
    assert!(others.iter().all(|other| !page.contains(other) && !data.to_string().contains(other)));

    // Whoever is not there, or not any more, hears so.
    let said = node.cli(&["inzage", "--kenmerk", "AVG-2", "--persoon", &world.stranger]).expect(1);
    assert!(said.stdout.contains("niets (meer)"), "{said:?}");
}

/// By message, by person and by name; reading that is on record as well.
#[test]
fn a_privacy_officer_sees_who_looked() {
    let world = World::new();
    let node = &world.municipality;
    let logged = node.verified_log();
    let found = node.json(&["zoek", "--reden", "dossier", "--kenmerk", "Z-1", "--persoon", &world.tenant]);
    let number = found["berichten"][0]["nummer"].to_string();
    assert_eq!((&found["volledig"], &found["raadpleging"]), (&json!(true), &json!(logged)));
    node.json(&["zoek", "--reden", "controle", "--kenmerk", "Z-2", "--persoon", &world.stranger]);

    let of_message = accesses(node, &["--bericht", &number]);
    let told = ["wat", "reden", "kenmerk"].map(|key| of_message[0][key].as_str().unwrap());
    assert_eq!((of_message.len(), told), (1, ["zoeken", "dossier", "Z-1"]));
    assert!(of_message[0]["account"].as_str().is_some_and(|account| !account.is_empty()));
    let by_person = ["--reden", "controle", "--kenmerk", "FG-17", "--persoon", &world.stranger];
    let of_stranger = accesses(node, &by_person);
    assert_eq!((of_stranger.len(), &of_stranger[0]["kenmerk"]), (1, &json!("Z-2")));
    let officer = accesses(node, &["--door", "FG"]);
    assert_eq!((officer.len(), &officer[0]["kenmerk"]), (2, &json!("FG-17")));

    // Every look is an entry of the log, which is whole; and what runs tells nothing of anybody.
    // What was decided before is on record too.
    let all = accesses(node, &["--aantal", "500"]);
    let counted = all.iter().filter(|one| one["wat"] != "besluit").count();
    assert_eq!(node.verified_log(), logged + u64::try_from(counted).unwrap() + 1);
    let [serving, _] = world.serving;
    let program = serving.stop();
    assert!(!program.contains("Sørensen") && !program.contains("999990342"), "{program}");
}

/// Taking out evidence shows a message, so it is on record too.
#[test]
fn evidence_is_taken_out_on_the_record() {
    let world = World::new();
    let node = &world.corporation;
    let number = node.mailbox("uit").0[0]["nummer"].to_string();
    let file = world.path("bewijs.json");
    node.json(&["logboek", "bewijs", &number, "--naar", &file, "--kenmerk", "klacht 4"]);
    let looks = accesses(node, &["--bericht", &number]);
    let told = ["wat", "reden", "kenmerk"].map(|key| looks[0][key].as_str().unwrap());
    assert_eq!((looks.len(), told), (2, ["uitvoer", "bewijs", "klacht 4"]));
    assert_eq!(looks[1]["besluit"], "versturen", "who sent it is about it too");
}

/// A consent of this person, as somebody fills it in.
fn consent(person: &Value) -> Value {
    let today = SystemClock.now();
    json!({
        "betrokkene": person,
        "inhoud": {
            "verleend_aan": [CORPORATION], "doelen": ["hulp-met-toestemming"],
            "gegevens": { "categorieen": ["identificatie"], "leefgebieden": [] },
            "verleend_op": today.to_string(), "geldig_tot": (today + jiff::SignedDuration::from_hours(240)).to_string(),
            "wijze": "schriftelijk", "waarom_toestemming": "De inwoner vroeg er zelf om.",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.", "hulp_hangt_ervan_af": false, "taal": "nl", "steun_aanwezig": true,
                "uitgelegd_door": { "organisatie": "Gemeente", "functie": "consulent" }, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    })
}

/// What a person decides about a consent is on record before it counts, and is told to the resident who asks.
#[test]
fn a_consent_is_found_and_told_with_who_decided() {
    let world = World::new();
    let node = &world.municipality;
    let mut person = tenant();
    (person["adres"]["straat"], person["adres"]["woonplaats"]) = (json!("Zonnelaan"), json!("Rivierstad"));
    person["adres"]["postcode"] = json!("4911AR");
    let consent = consent(&person);
    let file = world.place.file("toestemming.json", consent.to_string().as_bytes());
    let given = node.json(&[
        "toestemming",
        "verleen",
        file.to_str().unwrap(),
        "--medewerker",
        "Smit",
        "--kenmerk",
        "Z-7",
    ]);
    let id = given["toestemming"].as_str().unwrap();
    node.json(&["toestemming", "intrek", id, "--kenmerk", "Z-7", "--zeker", "--medewerker", "Jansen"]);
    let decided = |name| {
        let found = accesses(node, &["--door", name]);
        assert_eq!((found.len(), &found[0]["wat"]), (1, &json!("besluit")));
        assert_eq!((&found[0]["toestemmingen"], &found[0]["persoon_gezocht"]), (&json!([id]), &json!(false)));
        found[0]["nummer"].as_u64().unwrap()
    };
    assert!(decided("Smit") < decided("Jansen"));

    let found = node.json(&["zoek", "--reden", "dossier", "--kenmerk", "Z-7", "--persoon", &world.tenant]);
    assert_eq!(found["toestemmingen"], json!([id]));
    let data = world.path("uit.json");
    node.json(&["inzage", "--kenmerk", "AVG-1", "--persoon", &world.tenant, "--naar", &data]);
    let data: Value = serde_json::from_str(&fs::read_to_string(data).unwrap()).unwrap();
    let told = &data["toestemmingen"][0];
    assert_eq!((&told["id"], &told["stand"]), (&json!(id), &json!("ingetrokken")));
    assert_eq!(told["verleend_aan"][0]["oin"], CORPORATION);
    let decisions = data["raadplegingen"].as_array().unwrap().iter().filter(|look| look["wat"] == "besluit");
    assert_eq!(decisions.count(), 2);

    // What the holder keeps of it, and how long.
    let recorded = &told["vastlegging"];
    assert_eq!(recorded["bewaartermijn_dagen"], 1826, "the purpose does not say");
    assert!(recorded["bewaard_tot"].is_string(), "it ended");
    let version = &recorded["versies"][0]["toestemming"];
    assert_eq!(version["betrokkene"]["geboortedatum"], "1982-09-11");
    assert_eq!(version["inhoud"]["vrijheid"]["uitgelegd_door"]["functie"], "consulent");
    assert_eq!(version["inhoud"]["bewijs"]["kenmerk"], "TF-1");
    let page = world.path("uit.html");
    node.json(&["inzage", "--kenmerk", "AVG-2", "--persoon", &world.tenant, "--naar", &page]);
    let page = fs::read_to_string(page).unwrap();
    for part in ["schriftelijk", "De inwoner vroeg er zelf om.", "TF-1", "consulent, Gemeente", "vijf jaar"] {
        assert!(page.contains(part), "{part}");
    }
}

/// Of whom there is only a consent, nobody says that there is nothing.
#[test]
fn a_person_of_whom_only_a_consent_is_held_hears_of_it() {
    let world = World::new();
    let node = &world.municipality;
    let file =
        world.place.file("toestemming.json", consent(&json!({ "bsn": "999990342" })).to_string().as_bytes());
    node.json(&["toestemming", "verleen", file.to_str().unwrap(), "--kenmerk", "Z-7"]);
    let page = world.path("uit.html");
    let arguments = ["inzage", "--kenmerk", "AVG-1", "--persoon", &world.stranger, "--naar", &page];
    // By number alone whoever is written without it is not found: that is said, and is not all.
    let done = node.cli(&arguments).expect(1);
    assert!(done.stderr.contains("alleen op BSN gezocht"), "{done:?}");
    let said = done.stdout;
    assert!(said.contains("1 toestemming") && !said.contains("niets"), "{said}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Wij weten van één") && page.contains("deze toestemming geldt"), "{page}");
}

/// Erased on request by who somebody is, and then asked for again by search, report and erasure: each says that there is
/// nothing. What holds or is not certain stays, and is named.
#[test]
fn an_erased_person_asked_for_again_is_not_there() {
    let world = World::new();
    let node = &world.municipality;
    let mut person = tenant();
    (person["adres"]["straat"], person["adres"]["woonplaats"]) = (json!("Zonnelaan"), json!("Rivierstad"));
    person["adres"]["postcode"] = json!("4911AR");
    let file = world.place.file("toestemming.json", consent(&person).to_string().as_bytes());
    let given = node.json(&["toestemming", "verleen", file.to_str().unwrap(), "--kenmerk", "Z-7"]);
    let id = given["toestemming"].as_str().unwrap();
    let erase = |more: &[&str]| {
        let arguments = ["wissen", "persoon", "--kenmerk", "AVG-9", "--persoon", &world.tenant, "--json"];
        node.cli(&[&arguments[..], more].concat())
    };

    // It holds, so its record stays; nothing is erased without being sure.
    let holds = erase(&[]).expect(1).json();
    assert_eq!((&holds["uitgevoerd"], &holds["blijft"]["toestemmingen"]), (&json!(false), &json!([id])));
    assert_eq!(holds["berichten"].as_array().unwrap().len(), 1);
    node.json(&["toestemming", "intrek", id, "--kenmerk", "Z-7", "--zeker"]);
    let kept = erase(&["--houd-bewijs"]).expect(1).json();
    assert_eq!((&kept["toestemmingen"], &kept["blijft"]["toestemmingen"]), (&json!([]), &json!([id])));
    let refused = erase(&["--ook", "0", "--zeker"]);
    assert!(refused.code == 3 && refused.stderr.contains("bericht 0"), "{refused:?}");
    let before = node.mailbox("in").0.len();

    let erased = erase(&["--zeker"]).expect(0).json();
    assert_eq!((&erased["uitgevoerd"], &erased["toestemmingen"]), (&json!(true), &json!([id])));
    assert_eq!(erased["berichten"], holds["berichten"]);
    assert!(!erased["regels"].as_array().unwrap().is_empty());
    // Others may have said meanwhile what they did after the withdrawal.
    assert!(node.mailbox("in").0.len() >= before, "that there was a message stays");

    let found =
        node.json(&["zoek", "--reden", "wisverzoek", "--kenmerk", "AVG-9", "--persoon", &world.tenant]);
    for list in ["berichten", "misschien", "toestemmingen"] {
        assert_eq!(found[list], json!([]), "{list}");
    }
    let data = world.path("weg.json");
    let said = node.json(&["inzage", "--kenmerk", "AVG-9", "--persoon", &world.tenant, "--naar", &data]);
    assert_eq!((&said["berichten"], &said["toestemmingen"]), (&json!(0), &json!([])));
    let again = erase(&["--zeker"]).expect(0).json();
    let nothing = ["berichten", "toestemmingen", "regels"].map(|key| again[key].clone());
    assert_eq!(nothing, [json!([]), json!([]), json!([])]);
    // Another is still there.
    assert!(node.mailbox("in").0.iter().filter(|row| row["gewist"].is_null()).count() > 0);
    node.verified_log();
}

/// Who sent, saw and erased what was about a resident is found by that resident when nothing is left of it.
#[test]
fn who_decided_and_looked_is_found_when_all_was_erased() {
    let world = World::new();
    for (node, direction) in [(&world.corporation, "uit"), (&world.municipality, "in")] {
        let about = ["zoek", "--reden", "dossier", "--kenmerk", "Z-1", "--persoon", &world.tenant];
        let number = node.json(&about)["berichten"][0]["nummer"].clone();
        let row = node.mailbox(direction).0.into_iter().find(|row| row["nummer"] == number).unwrap();
        let case = row["dossier"].as_str().unwrap();
        let file = world.path(&format!("{direction}.json"));
        node.json(&["logboek", "bewijs", &number.to_string(), "--naar", &file, "--kenmerk", "klacht 4"]);
        let erase = ["wissen", "dossier", case, "--zeker", "--medewerker", "Smit", "--kenmerk", "WV-3"];
        assert_eq!(node.json(&erase)["gewist"], 1);
        let logged = node.verified_log();
        assert_eq!(node.json(&erase)["gewist"], 0);
        assert_eq!(node.verified_log(), logged, "there was nothing to decide");

        let by_person = ["--reden", "controle", "--kenmerk", "FG-17", "--persoon", &world.tenant];
        let looks = accesses(node, &by_person);
        let deeds: Vec<_> =
            looks.iter().map(|look| (look["wat"].as_str().unwrap(), look["besluit"].as_str())).collect();
        let mut expected = vec![("besluit", Some("wissen")), ("uitvoer", None), ("zoeken", None)];
        if direction == "uit" {
            expected.push(("besluit", Some("versturen")));
            let sent = looks[3]["berichten"].as_array().unwrap();
            assert!(sent.contains(&number) && sent.len() > 1, "the list as a whole: {sent:?}");
        }
        assert_eq!(deeds, expected);
        let told = ["medewerker", "kenmerk"].map(|key| looks[0][key].as_str().unwrap());
        assert_eq!((told, &looks[0]["berichten"]), (["Smit", "WV-3"], &json!([number])));
    }
}

/// What people decide about the running of a node is on record, in words.
#[test]
fn decisions_about_the_node_are_on_record() {
    let world = World::new();
    let node = &world.municipality;
    let id = node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].as_str().unwrap().to_owned();
    let decisions = |node: &Node| -> Vec<(String, Value)> {
        let all = accesses(node, &["--aantal", "500"]).into_iter().filter(|one| one["wat"] == "besluit");
        all.map(|one| (one["besluit"].as_str().unwrap_or_default().to_owned(), one["besluit_over"].clone()))
            .collect()
    };
    let (ours, theirs) = (decisions(node), decisions(&world.corporation));
    let has = |decisions: &[(String, Value)], what: &str, about: &str| {
        assert!(decisions.contains(&(what.to_owned(), json!(about))), "{what} {about}: {decisions:?}");
    };
    has(&ours, "partner-toevoegen", CORPORATION);
    has(&theirs, "partner-toevoegen", MUNICIPALITY);
    let proposer = ours.iter().chain(&theirs).find(|(what, _)| what == "convenant-voorstellen");
    assert_eq!(proposer.map(|(_, about)| about), Some(&json!(id)));
    assert!(ours.iter().chain(&theirs).any(|one| *one == ("convenant-aanvaarden".to_owned(), json!(id))));
    assert!(theirs.contains(&("versturen".to_owned(), Value::Null)));

    node.cli(&["convenant", "opzeggen", &id, "--zeker", "--medewerker", "Smit"]);
    has(&decisions(node), "convenant-opzeggen", &id);
    node.cli(&["partner", "verwijderen", CORPORATION, "--zeker"]);
    has(&decisions(node), "partner-verwijderen", CORPORATION);
    let said = node.cli(&["raadplegingen", "--door", "Smit"]).expect(0).stdout;
    assert!(said.contains("convenant") && said.contains("opzeggen"), "{said}");
    // Looking at the register of consents is on record too.
    node.json(&["toestemming", "tonen", "--medewerker", "Bakker"]);
}

/// A look that the log knows of and of which there is no record makes the list incomplete, and that is said.
#[test]
fn a_record_that_is_gone_is_missed() {
    let world = World::new();
    let node = &world.corporation;
    node.cli(&["raadplegingen"]).expect(0);
    let [_, serving] = world.serving;
    serving.stop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = runtime.block_on(async {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let program = Program::open(&node.folder, clock, random).await.unwrap();
        let leaf = Entry::Raadpleging { bewijs: Digest::of(b"wie het was"), tijd: SystemClock.now() }.leaf();
        let place = program.core.store.append(vec![leaf]).await.unwrap();
        program.core.store.clone().close().await;
        place
    });
    let said = node.cli(&["raadplegingen", "--json"]).expect(1);
    assert_eq!(said.json()["ontbreekt"], json!([place]));
    assert!(
        said.stderr.contains("niet volledig") && said.stderr.contains(&format!("regel {place} ")),
        "{said:?}"
    );
    let verified = node.cli(&["logboek", "verify"]).expect(1);
    assert!(
        verified.stdout.contains(&format!("bij regel {place}: het verslag van de raadpleging")),
        "{verified:?}"
    );
}

/// An agreement that was changed in the database keeps a node from starting, and not from finding out what was changed.
#[test]
fn rules_that_were_changed_are_named() {
    let world = World::new();
    let node = &world.municipality;
    let group = node.json(&["convenant", "tonen"])["convenanten"][0]["groep"].as_str().unwrap().to_owned();
    let [serving, _] = world.serving;
    serving.stop();
    node.verified_log();
    let (from, to) = (format!("\"groep\":\"{group}\""), format!("\"groep\":\"{}\"", "z".repeat(group.len())));
    let file = node.path("schakel.db");
    let mut database = fs::read(&file).unwrap();
    let at = database.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
    database[at..at + to.len()].copy_from_slice(to.as_bytes());
    fs::write(&file, database).unwrap();
    node.cli(&["berichten"]).refused();
    let said = node.cli(&["logboek", "verify"]).expect(1).stdout;
    assert!(said.contains("bij regel") && said.contains("de tekst van het convenant"), "{said}");
}
