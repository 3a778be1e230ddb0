//! A consent over three organisations: what rests on it goes along, is passed on, and is gone everywhere once the resident
//! says so, at whichever of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use exchange::clock::Clock as _;
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use node::system::SystemClock;
use serde_json::{Value, json};
use tests::processes::{Done, MUNICIPALITY, Node, Place, Serving, conclude, introduce, until};

const SERVICE: &str = "00000099000000003000";
const AGENCY: &str = "00000099000000005000";
/// In no agreement.
const STRANGER: &str = "00000099000000006000";
const PURPOSE: &str = "hulp-met-toestemming";
const WITHDRAWN: &str = "nl.sociaaldomein.toestemmingen.ingetrokken.v1";
const HANDOVER: &str = "nl.sociaaldomein.overdrachten.aangeboden.v1";
const ASKED: &str = "nl.sociaaldomein.overdrachten.aanvulling-gevraagd.v1";
const SUPPLEMENTED: &str = "nl.sociaaldomein.overdrachten.aangevuld.v1";

/// Who asked for the consent.
const HOLDER: usize = 0;
/// Who got a handover under it, and passed it on.
const BETWEEN: usize = 1;
/// To whom.
const LAST: usize = 2;

struct World {
    place: Place,
    nodes: [Node; 3],
    serving: [Option<Serving>; 3],
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let (holder, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let (between, second) = place.serving("dienst", SERVICE, "sociale-dienst");
        let (last, third) = place.serving("uwv", AGENCY, "uwv");
        let nodes = [holder, between, last];
        introduce(&nodes.each_ref());
        conclude(&place, &nodes.each_ref(), &agreement(&nodes));
        Self { place, nodes, serving: [Some(first), Some(second), Some(third)] }
    }

    /// The resident consents, as in the example that every node has; gives the number.
    fn grant(&self) -> String {
        let given = self.grant_with(|_| {}).expect(0).json();
        given["toestemming"].as_str().unwrap().to_owned()
    }

    fn grant_with(&self, change: impl FnOnce(&mut Value)) -> Done {
        let example = fs::read_to_string(self.nodes[HOLDER].path("toestemming.voorbeeld.json")).unwrap();
        let mut consent: Value = serde_json::from_str(&example).unwrap();
        let now = SystemClock.now();
        let terms = &mut consent["inhoud"];
        terms["verleend_aan"] = json!([SERVICE, AGENCY]);
        terms["verleend_op"] = json!(now);
        terms["geldig_tot"] = json!(now + SignedDuration::from_hours(240));
        change(&mut consent);
        let file = self.place.file("toestemming.json", consent.to_string().as_bytes());
        self.nodes[HOLDER].cli(&["toestemming", "verleen", file.to_str().unwrap(), "--json"])
    }

    /// A file with the resident, or with somebody who resembles them.
    fn person(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut person = handover("")["betrokkene"].take();
        change(&mut person);
        let file = self.place.file("persoon.json", person.to_string().as_bytes());
        file.to_str().unwrap().to_owned()
    }

    /// Sends a handover under the consent.
    fn send(&self, from: usize, to: usize, consent: &str) -> Done {
        let file =
            self.place.file(&format!("overdracht-{from}.json"), handover(consent).to_string().as_bytes());
        self.nodes[from].cli(&[
            "document",
            file.to_str().unwrap(),
            "--soort",
            "overdracht-aangeboden",
            "--doel",
            PURPOSE,
            "--aan",
            self.nodes[to].oin,
            "--json",
        ])
    }

    /// Hands over from the holder, and on from whom got it; both arrived.
    fn hand_over_and_on(&self, consent: &str) {
        for (from, to) in [(HOLDER, BETWEEN), (BETWEEN, LAST)] {
            self.send(from, to, consent).expect(0);
            self.nodes[from].settle();
            assert_eq!(self.nodes[to].mailbox("in").states(), [("toegelaten".to_owned(), 1)].into());
        }
    }

    /// The consent as a node shows it.
    fn shown(&self, node: usize, consent: &str) -> Value {
        let done = self.nodes[node].cli(&["toestemming", "tonen", consent, "--kenmerk", "Z-7", "--json"]);
        assert!(matches!(done.code, 0 | 1), "{done:?}");
        done.json()
    }

    /// What the holder knows of an organisation.
    fn of(&self, consent: &str, node: usize) -> Value {
        let shown = self.shown(HOLDER, consent);
        let all = shown["organisaties"].as_array().unwrap();
        all.iter().find(|one| one["oin"] == self.nodes[node].oin).cloned().unwrap_or_default()
    }

    fn confirmed(&self, consent: &str, node: usize) {
        until("it is confirmed", || (self.of(consent, node)["stand"] == "bevestigd").then_some(()));
        assert_eq!(self.of(consent, node)["uitkomst"], "gewist");
    }

    /// The resident who asks where it was withdrawn hears that it was.
    fn assert_told_to_the_resident(&self, consent: &str) {
        let (person, report) = (self.person(|_| {}), self.place.path().join("inzage.json"));
        let file = report.to_str().unwrap();
        self.nodes[LAST].json(&["inzage", "--kenmerk", "AVG-1", "--persoon", &person, "--naar", file]);
        let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
        let told = &report["toestemmingen"][0];
        assert_eq!((&told["id"], &told["stand"]), (&json!(consent), &json!("ingetrokken")));
        assert!(told["ingetrokken_op"].is_string(), "{told}");
    }

    /// Nothing of it can be read, passed on or sent anywhere.
    fn assert_gone(&self, consent: &str) {
        for node in [HOLDER, BETWEEN] {
            let held = self.send(node, LAST, consent).expect(1).json();
            assert_eq!(held["reden"], "toestemming-ingetrokken", "{held}");
        }
        for node in &self.nodes {
            for way in ["in", "uit"] {
                for row in node.mailbox(way).0.iter().filter(|row| row["type"] == HANDOVER) {
                    assert!(row["gewist"].is_u64(), "{row}");
                }
            }
        }
    }
}

impl World {
    /// Says something in a case that names nobody, on a consent.
    fn say(
        &self,
        (from, to): (usize, usize),
        kind: &str,
        (case, consent): (&str, &str),
        said: &Value,
    ) -> Done {
        let document = json!({ "grondslag": handover(consent)["grondslag"], "inhoud": said });
        let file = self.place.file("zonder-inwoner.json", document.to_string().as_bytes());
        let (file, to) = (file.to_str().unwrap(), self.nodes[to].oin);
        let what =
            ["document", file, "--soort", kind, "--doel", PURPOSE, "--aan", to, "--dossier", case, "--json"];
        self.nodes[from].cli(&what)
    }
}

/// What names nobody goes on a consent of the resident of its case only, whatever else that consent covers, and is let in on
/// no other.
#[test]
fn what_names_nobody_rests_on_the_consent_of_the_resident_of_its_case() {
    let world = World::new();
    let all = |consent: &mut Value| {
        consent["inhoud"]["gegevens"]["categorieen"] =
            json!(["identificatie", "adres", "contact", "situatie", "wens", "hulpverlening"]);
    };
    let number = |given: Done| given.expect(0).json()["toestemming"].as_str().unwrap().to_owned();
    let first = number(world.grant_with(all));
    let second = number(world.grant_with(all));
    let of_another = number(world.grant_with(|consent| {
        all(consent);
        consent["betrokkene"]["geboortedatum"] = json!("1981-02-28");
    }));
    world.send(HOLDER, BETWEEN, &first).expect(0);
    world.nodes[HOLDER].settle();
    let row = world.nodes[BETWEEN].mailbox("in").0[0].take();
    let (case, offer) = (row["dossier"].as_str().unwrap(), &row["id"]);

    let question = json!({
        "aanbod_id": offer, "vragen": [{ "nummer": 1, "vraag": "Wie is nu het aanspreekpunt?" }],
        "antwoord_voor": SystemClock.now() + SignedDuration::from_hours(24 * 13),
    });
    let ask = || {
        let kind = "overdracht-aanvulling-gevraagd";
        world.say((BETWEEN, HOLDER), kind, (case, &first), &question)
    };
    let asked = ask().expect(0).json()["bericht"].take();
    world.nodes[BETWEEN].settle();
    let answer = json!({
        "aanbod_id": offer, "vraag_id": asked, "antwoorden": [{ "nummer": 1, "antwoord": "De wijkverpleegkundige." }],
        "reageren_voor": SystemClock.now() + SignedDuration::from_hours(24 * 14),
    });
    let supplement = |case: &str, consent: &str| {
        world.say((HOLDER, BETWEEN), "overdracht-aangevuld", (case, consent), &answer)
    };
    let refused = supplement(case, &of_another).expect(1).json();
    assert_eq!(
        (&refused["reden"], &refused["over"]),
        (&json!("toestemming-ontbreekt"), &json!(["de toestemming is van een andere inwoner"]))
    );
    // Replayed in a case of nobody.
    let refused = supplement("7c9e6679-7425-40de-944b-e07fc1f90ae7", &first).expect(1).json();
    assert_eq!(refused["reden"], "toestemming-ontbreekt");

    // Another consent of the same resident is one of theirs; and who knows of no resident (any more) lets in nothing.
    supplement(case, &second).expect(0);
    world.nodes[HOLDER].settle();
    let states = || world.nodes[BETWEEN].mailbox("in").states();
    assert_eq!(states(), [("toegelaten".to_owned(), 2)].into());
    world.nodes[HOLDER].cli(&["wissen", "dossier", case, "--reden", "verzoek", "--zeker"]).expect(0);
    ask().expect(0);
    world.nodes[BETWEEN].settle();
    let sent = world.nodes[BETWEEN].mailbox("uit").0;
    let last = sent.iter().find(|row| row["stand"] == "geweigerd").unwrap();
    assert_eq!(last["reden"], "toestemming-ontbreekt");
}

fn agreement(nodes: &[Node]) -> Value {
    let parties: Vec<Value> = nodes.iter().map(|node| node.json(&["convenant", "partij"])).collect();
    let purposes = parties[0]["doelen"].as_array().unwrap();
    let purpose = purposes.iter().find(|one| one["doel"] == PURPOSE).unwrap();
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let everybody = [MUNICIPALITY, SERVICE, AGENCY];
    json!({
        "groep": "hulp", "versie": 1,
        "partijen": parties.iter().map(|one| &one["partij"]).collect::<Vec<_>>(),
        "geldig_van": today.checked_sub(2.days()).unwrap(), "geldig_tot": today.checked_add(90.days()).unwrap(),
        "afspraken": [{
            "doel": PURPOSE, "doel_digest": purpose["doel_digest"], "van": everybody, "naar": everybody,
            "berichttypen": [HANDOVER, ASKED, SUPPLEMENTED],
        }],
    })
}

fn handover(consent: &str) -> Value {
    json!({
        "grondslag": {
            "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": consent },
        },
        "betrokkene": {
            "naam": { "voorletters": "A.B.", "voorvoegsel": "van", "achternaam": "Voorbeeld" },
            "geboortedatum": "1980-02-29",
            "adres": { "straat": "Voorbeeldstraat", "huisnummer": 1, "postcode": "1234AB", "woonplaats": "Rivierstad" },
        },
        "inhoud": {
            "aanleiding": "Het huis wordt verkocht en er is nog geen ander.",
            "wens": { "eigen_woorden": "Eén keer mijn verhaal vertellen." },
            "wat_kan_het_verschil_maken": "Eén aanspreekpunt.",
            "situatie": { "wonen": { "omschrijving": "Er is hulp bij gevraagd." } },
            "vraagverheldering": {
                "vraag": "Wie helpt met het zoeken naar een ander huis?",
                "verhelderd_door": { "organisatie": "Gemeente", "functie": "consulent" },
                "verhelderd_op": "2026-11-12",
            },
            "urgentie": "normaal",
            "warmte": { "soort": "schriftelijk" },
            "casusregisseur": { "organisatie": "Gemeente", "functie": "casusregisseur" },
            "reageren_voor": SystemClock.now() + SignedDuration::from_hours(24 * 14),
        },
    })
}

/// One who has a copy is away, and the holder is killed: what is owed is told when they are back.
#[test]
fn a_withdrawal_reaches_every_copy() {
    let mut world = World::new();
    let consent = world.grant();
    world.hand_over_and_on(&consent);
    world.serving[LAST].take().unwrap().kill();
    world.send(HOLDER, LAST, &consent).expect(0);
    let before = |node: usize| world.of(&consent, node)["stand"].as_str().unwrap().to_owned();
    assert_eq!([before(BETWEEN), before(LAST)], ["kreeg-gegevens", "gegevens-onderweg"]);

    let asked = world.nodes[HOLDER].json(&["toestemming", "intrek", &consent, "--kenmerk", "Z-7"]);
    assert_eq!((&asked["uitgevoerd"], &asked["krijgen_bericht"]), (&json!(false), &json!([SERVICE, AGENCY])));
    assert_eq!(world.shown(HOLDER, &consent)["stand"], "geldig");
    world.nodes[HOLDER].json(&["toestemming", "intrek", &consent, "--kenmerk", "Z-7", "--zeker"]);
    world.serving[HOLDER].take().unwrap().kill();
    assert_eq!(world.shown(HOLDER, &consent)["stand"], "ingetrokken");
    let ended = world.nodes[HOLDER].mailbox("uit").0;
    let ended = ended.iter().find(|row| row["reden"] == "toestemming-ingetrokken").unwrap();
    let again = world.nodes[HOLDER].cli(&["berichten", "--opnieuw", &ended["nummer"].to_string()]);
    assert!(again.refused().contains(&consent), "it says which consent ended it");
    world.serving[HOLDER] = Some(world.nodes[HOLDER].serve());
    world.confirmed(&consent, BETWEEN);
    let last = world.of(&consent, LAST);
    assert_eq!((&last["via"], &last["bevestigd_op"]), (&json!(SERVICE), &Value::Null), "{last}");
    // Told by both: by who passed it on, and by the holder.
    assert_eq!(
        (&last["stand"], &last["gegevens"]),
        (&json!("bericht-onderweg"), &json!("gegevens-niet-aangekomen"))
    );
    assert_eq!(world.shown(BETWEEN, &consent)["organisaties"][0]["stand"], "bericht-onderweg");

    world.serving[LAST] = Some(world.nodes[LAST].serve());
    world.confirmed(&consent, LAST);
    assert_eq!(world.of(&consent, LAST)["te_laat"], false);
    // Who passed it on hears nothing of that: it is said to the holder, and needs nobody here.
    let between = until("it knows", || {
        let between = world.shown(BETWEEN, &consent);
        (between["organisaties"][0]["stand"] == "geinformeerd").then_some(between)
    });
    assert_eq!((&between["organisaties"][0]["te_laat"], &between["aandacht"]), (&json!(false), &json!([])));
    world.assert_gone(&consent);
    let refused = world.nodes[HOLDER].cli(&[
        "toestemming",
        "verleng",
        &consent,
        "--tot",
        "2027-01-01",
        "--wijze",
        "mondeling",
        "--bewijs",
        "formulier:F-2",
    ]);
    assert!(refused.refused().contains("ingetrokken"));
}

/// The resident says so at an organisation that got it passed on. Nothing leaves there any more, at once; the holder does
/// the rest. An organisation that knows nothing of the consent says so.
#[test]
fn a_resident_withdraws_where_it_was_passed_on_to() {
    let mut world = World::new();
    let consent = world.grant();
    let unknown =
        world.nodes[LAST].cli(&["toestemming", "intrek", &consent, "--kenmerk", "Z-7", "--zeker"]).refused();
    assert!(unknown.contains("schakel toestemming tonen"), "{unknown}");
    world.hand_over_and_on(&consent);
    world.serving[HOLDER].take().unwrap().stop();

    let asked = world.nodes[LAST].json(&["toestemming", "intrek", &consent, "--kenmerk", "Z-7"]);
    assert_eq!((&asked["uitgevoerd"], &asked["krijgen_bericht"]), (&json!(false), &json!([MUNICIPALITY])));
    world.nodes[LAST].json(&[
        "toestemming",
        "intrek",
        &consent,
        "--kenmerk",
        "Z-7",
        "--zeker",
        "--medewerker",
        "Smit",
    ]);
    let shown = world.shown(LAST, &consent);
    assert_eq!((&shown["stand"], &shown["houder"]), (&json!("ingetrokken"), &json!(MUNICIPALITY)));
    assert_eq!((&shown["melding"]["stand"], &shown["aandacht"]), (&json!("bericht-onderweg"), &json!([])));
    let decided = world.nodes[LAST].json(&["raadplegingen", "--door", "Smit"]);
    assert_eq!(decided["raadplegingen"][0]["toestemmingen"], json!([consent]));
    let again = world.nodes[LAST].json(&["toestemming", "intrek", &consent, "--kenmerk", "Z-7", "--zeker"]);
    assert_eq!(again["uitgevoerd"], false);
    let reports = world.nodes[LAST].mailbox("uit").0;
    assert_eq!(reports.iter().filter(|row| row["type"] == WITHDRAWN).count(), 1, "the holder is told once");
    world.assert_told_to_the_resident(&consent);

    world.serving[HOLDER] = Some(world.nodes[HOLDER].serve());
    for node in [BETWEEN, LAST] {
        world.confirmed(&consent, node);
    }
    world.assert_gone(&consent);
    let again = world.nodes[LAST].json(&["toestemming", "intrek", &consent, "--kenmerk", "Z-7", "--zeker"]);
    assert_eq!(again["uitgevoerd"], false);
}

/// Whom the consent names and with whom there is no agreement can have got nothing: that is said, and needs nobody.
#[test]
fn who_is_in_no_agreement_got_nothing() {
    let world = World::new();
    let given = world.grant_with(|consent| {
        consent["inhoud"]["verleend_aan"] = json!([SERVICE, STRANGER]);
    });
    assert!(given.stderr.contains("geen convenant"), "{given:?}");
    let given = given.expect(0).json();
    assert_eq!(given["zonder_convenant"], json!([STRANGER]));
    let consent = given["toestemming"].as_str().unwrap();
    // What came back to who asked for it is there because of the consent, too.
    world.send(HOLDER, BETWEEN, consent).expect(0);
    world.nodes[HOLDER].settle();
    world.send(BETWEEN, HOLDER, consent).expect(0);
    world.nodes[BETWEEN].settle();
    let refused = world.send(HOLDER, LAST, consent).expect(1).json();
    assert_eq!(refused["over"], json!(["de toestemming noemt de ontvanger niet"]));

    world.nodes[HOLDER].json(&["toestemming", "intrek", consent, "--kenmerk", "Z-7", "--zeker"]);
    world.confirmed(consent, BETWEEN);
    let shown = world.nodes[HOLDER].json(&["toestemming", "tonen", consent, "--kenmerk", "Z-7"]);
    let stranger = &shown["organisaties"][1];
    assert_eq!(
        (&stranger["oin"], &stranger["stand"]),
        (&json!(STRANGER), &json!("geen-convenant")),
        "{shown}"
    );
    let again = world.nodes[HOLDER].json(&["toestemming", "intrek", consent, "--kenmerk", "Z-7", "--zeker"]);
    assert_eq!((&again["uitgevoerd"], &again["krijgen_bericht"]), (&json!(false), &json!([])));
    let all = world.nodes[HOLDER].json(&["toestemming", "tonen"]);
    assert_eq!(all["toestemmingen"][0]["aandacht"], json!([]));
    let back = world.nodes[HOLDER].mailbox("in").0;
    assert!(back.iter().filter(|row| row["type"] == HANDOVER).all(|row| row["gewist"].is_u64()), "{back:?}");
}

/// By the law the same may go as another message of the purpose: an authority says why it asks for consent all the same.
#[test]
fn the_law_goes_first() {
    let place = Place::new();
    let node = place.node("gemeente", MUNICIPALITY, "gemeente");
    let purpose = fs::read_to_string(node.path("doelen/hulp-met-toestemming.toml")).unwrap();
    let (consent, law) = ("soort = \"toestemming\"", "soort = \"publieke-taak\"");
    let signal = purpose.find("zorgsignaal.v1").unwrap();
    let purpose = format!("{}{}", &purpose[..signal], purpose[signal..].replacen(consent, law, 1))
        .replace(PURPOSE, "hulp-en-wet")
        .replace("[\"AVG art. 6 lid 1 onder a\"]", "[\"Wmo 2015 art. 2.3.2\"]");
    fs::write(node.path("doelen/hulp-en-wet.toml"), purpose).unwrap();
    let grant = |why: Option<&str>| {
        let example = fs::read_to_string(node.path("toestemming.voorbeeld.json")).unwrap();
        let mut record: Value = serde_json::from_str(&example).unwrap();
        let (now, terms) = (SystemClock.now(), &mut record["inhoud"]);
        (terms["doelen"], terms["verleend_op"]) = (json!(["hulp-en-wet"]), json!(now));
        terms["geldig_tot"] = json!(now + SignedDuration::from_hours(240));
        terms.as_object_mut().unwrap().remove("waarom_toestemming");
        terms.as_object_mut().unwrap().extend(why.map(|why| ("waarom_toestemming".to_owned(), json!(why))));
        let file = place.file("toestemming.json", record.to_string().as_bytes());
        node.cli(&["toestemming", "verleen", file.to_str().unwrap()])
    };
    let refused = grant(None).refused();
    assert!(refused.contains("wettelijke grondslag") && refused.contains("Wmo 2015 art. 2.3.2"), "{refused}");
    grant(Some("De inwoner wil zelf bepalen wie het weet.")).expect(0);
}

/// Who has something under a consent hears that it holds longer, and passes that on.
#[test]
fn an_extension_reaches_every_copy() {
    let world = World::new();
    let consent = world.grant();
    world.hand_over_and_on(&consent);
    let before = world.shown(LAST, &consent)["geldig_tot"].clone();
    let day = (SystemClock.now().to_zoned(TimeZone::UTC).date() + 60.days()).to_string();
    let longer = world.nodes[HOLDER].json(&[
        "toestemming",
        "verleng",
        &consent,
        "--tot",
        &day,
        "--wijze",
        "mondeling",
        "--bewijs",
        "gespreksverslag:GV-2",
    ]);
    assert_ne!(longer["geldig_tot"], before);
    for node in [BETWEEN, LAST] {
        until("it is known", || {
            (world.shown(node, &consent)["geldig_tot"] == longer["geldig_tot"]).then_some(())
        });
    }
    world.send(BETWEEN, LAST, &consent).expect(0);
    let shorter = [
        "toestemming",
        "verleng",
        &consent,
        "--tot",
        &day,
        "--wijze",
        "mondeling",
        "--bewijs",
        "formulier:F-3",
    ];
    assert!(world.nodes[HOLDER].cli(&shorter).refused().contains("geldt al tot die dag"));
    is_only_seen_for_a_case(&world, &consent);
    is_shown_as_given(&world, &consent);
    is_on_record_by_resident(&world, &consent);
    is_found_by_who_resembles(&world, &consent);
}

/// Who looks at it.
const SHOWN_BY: &str = "Jansen";

/// Whoever looks at one or decides about it says for which case; of a new one that is the reference of its evidence, which is
/// never a citizen service number.
fn is_only_seen_for_a_case(world: &World, consent: &str) {
    let holder = &world.nodes[HOLDER];
    for what in ["tonen", "intrek"] {
        let refused = holder.cli(&["toestemming", what, consent]).refused();
        assert!(refused.contains("--kenmerk"), "{refused}");
    }
    let until = ["--tot", "2027-09-01", "--wijze", "mondeling", "--bewijs", "formulier:999990342"];
    let refused = holder.cli(&[&["toestemming", "verleng", consent], &until[..]].concat()).refused();
    assert!(refused.contains("kenmerk van het bewijs"), "{refused}");
    let looks = holder.json(&["raadplegingen", "--aantal", "50"])["raadplegingen"].take();
    let of_it = |one: &&Value| one["wat"] == "besluit" && one["toestemmingen"][0] == consent;
    let references: Vec<&Value> =
        looks.as_array().unwrap().iter().filter(of_it).map(|one| &one["kenmerk"]).collect();
    assert!(references.contains(&&json!("GV-2")), "{references:?}");
}

/// How it was given, and not as if all of it was said again.
fn is_shown_as_given(world: &World, consent: &str) {
    let shown = ["toestemming", "tonen", consent, "--kenmerk", "Z-7", "--medewerker", SHOWN_BY];
    let versions = world.nodes[HOLDER].json(&shown)["versies"].take();
    assert_eq!(
        (&versions[0]["zoals_in_regel"], &versions[1]["zoals_in_regel"]),
        (&Value::Null, &versions[0]["regel"])
    );
    assert_eq!(versions[0]["vrijheid"]["gewezen_op_intrekken"], true);
    assert_eq!((&versions[1]["vrijheid"], &versions[1]["bewijs"]["kenmerk"]), (&Value::Null, &json!("GV-2")));
    let text = world.nodes[HOLDER]
        .cli(&["toestemming", "tonen", consent, "--kenmerk", "Z-7"])
        .expect(0)
        .stdout
        .clone();
    assert!(text.contains(&format!("zoals in regel {}", versions[0]["regel"])), "{text}");
    assert!(!text.contains("Voorbeeld"), "not who it is: {text}");
}

/// Whoever looks at a consent is found by whose it is, also where somebody else asked for it.
fn is_on_record_by_resident(world: &World, consent: &str) {
    let shown = ["toestemming", "tonen", consent, "--kenmerk", "Z-7", "--medewerker", SHOWN_BY];
    let person = world.person(|_| {});
    for node in [HOLDER, BETWEEN] {
        world.nodes[node].json(&shown);
        let looks = world.nodes[node].json(&[
            "raadplegingen",
            "--persoon",
            &person,
            "--reden",
            "controle",
            "--kenmerk",
            "FG-1",
            "--door",
            SHOWN_BY,
        ]);
        assert_eq!(
            looks["raadplegingen"][0]["toestemmingen"],
            json!([consent]),
            "whose consent it is: {looks}"
        );
        assert_eq!(looks["raadplegingen"][0]["wat"], "inzien");
    }
}

/// Who resembles the resident may be the resident: a person decides.
fn is_found_by_who_resembles(world: &World, consent: &str) {
    let resembles =
        world.person(|person| drop(person["naam"].as_object_mut().unwrap().remove("voorletters")));
    let search = ["zoek", "--reden", "dossier", "--kenmerk", "Z-1", "--persoon", &resembles, "--json"];
    let found = world.nodes[HOLDER].cli(&search).expect(1).json();
    assert_eq!((&found["toestemmingen"], &found["toestemmingen_misschien"]), (&json!([]), &json!([consent])));
    let report = world.place.path().join("inzage.json");
    let report = [
        "inzage",
        "--kenmerk",
        "AVG-1",
        "--persoon",
        &resembles,
        "--naar",
        report.to_str().unwrap(),
        "--json",
    ];
    let told = world.nodes[HOLDER].cli(&report).expect(1).json();
    assert_eq!(told["toestemmingen_misschien"], json!([consent]));
    are_on_record(world, (&found, &told), consent);
}

/// What was shown as perhaps is on record so, and found by the resident it is about and by each of the messages.
fn are_on_record(world: &World, (found, told): (&Value, &Value), consent: &str) {
    let node = &world.nodes[HOLDER];
    let person = world.person(|_| {});
    let numbers = |answer: &Value| -> Vec<u64> {
        answer["misschien"].as_array().unwrap().iter().map(|row| row["nummer"].as_u64().unwrap()).collect()
    };
    let (searched, reported) = (numbers(found), numbers(told));
    assert!(!searched.is_empty() && searched == reported, "{found} {told}");
    let message = searched[0].to_string();
    for filter in [["--persoon", &person], ["--bericht", &message]] {
        let mut log = vec!["raadplegingen", "--reden", "controle", "--kenmerk", "FG-1"];
        log.extend(filter);
        let looks = node.json(&log);
        for what in ["zoeken", "uitvoer"] {
            let rows = looks["raadplegingen"].as_array().unwrap();
            let shown =
                |row: &&Value| row["wat"] == what && row["toestemmingen_misschien"] == json!([consent]);
            let look = rows.iter().find(shown).unwrap_or_else(|| panic!("{filter:?} {what}: {looks}"));
            assert_eq!((&look["berichten"], &look["berichten_misschien"]), (&json!([]), &json!(searched)));
        }
    }
    let log = ["raadplegingen", "--bericht", message.as_str()];
    let text = node.cli(&log).expect(0).stdout.clone();
    assert!(text.contains("misschien over deze persoon: "), "{text}");
}
