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
const PURPOSE: &str = "hulp-met-toestemming";
const HANDOVER: &str = "nl.sociaaldomein.overdrachten.aangeboden.v1";

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
        let example = fs::read_to_string(self.nodes[HOLDER].path("toestemming.voorbeeld.json")).unwrap();
        let mut consent: Value = serde_json::from_str(&example).unwrap();
        let now = SystemClock.now();
        let terms = &mut consent["inhoud"];
        terms["verleend_aan"] = json!([SERVICE, AGENCY]);
        terms["verleend_op"] = json!(now);
        terms["geldig_tot"] = json!(now + SignedDuration::from_hours(240));
        let file = self.place.file("toestemming.json", consent.to_string().as_bytes());
        let given = self.nodes[HOLDER].json(&["toestemming", "verleen", file.to_str().unwrap()]);
        given["toestemming"].as_str().unwrap().to_owned()
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
        let done = self.nodes[node].cli(&["toestemming", "tonen", consent, "--json"]);
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
            "berichttypen": [HANDOVER],
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
            "reageren_voor": "2036-12-05T16:00:00+01:00",
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

    let asked = world.nodes[HOLDER].json(&["toestemming", "intrek", &consent]);
    assert_eq!((&asked["uitgevoerd"], &asked["krijgen_bericht"]), (&json!(false), &json!([SERVICE])));
    assert_eq!(world.shown(HOLDER, &consent)["stand"], "geldig");
    world.nodes[HOLDER].json(&["toestemming", "intrek", &consent, "--zeker"]);
    world.serving[HOLDER].take().unwrap().kill();
    assert_eq!(world.shown(HOLDER, &consent)["stand"], "ingetrokken");
    world.serving[HOLDER] = Some(world.nodes[HOLDER].serve());
    world.confirmed(&consent, BETWEEN);
    let last = world.of(&consent, LAST);
    assert_eq!((&last["via"], &last["bevestigd_op"]), (&json!(SERVICE), &Value::Null), "{last}");
    assert_eq!(world.shown(BETWEEN, &consent)["organisaties"][0]["stand"], "bericht onderweg");

    world.serving[LAST] = Some(world.nodes[LAST].serve());
    world.confirmed(&consent, LAST);
    assert_eq!(world.of(&consent, LAST)["te_laat"], false);
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
    let unknown = world.nodes[LAST].cli(&["toestemming", "intrek", &consent, "--zeker"]).refused();
    assert!(unknown.contains("schakel toestemming tonen"), "{unknown}");
    world.hand_over_and_on(&consent);
    world.serving[HOLDER].take().unwrap().stop();

    let asked = world.nodes[LAST].json(&["toestemming", "intrek", &consent]);
    assert_eq!((&asked["uitgevoerd"], &asked["krijgen_bericht"]), (&json!(false), &json!([MUNICIPALITY])));
    world.nodes[LAST].json(&["toestemming", "intrek", &consent, "--zeker", "--medewerker", "Smit"]);
    let shown = world.shown(LAST, &consent);
    assert_eq!((&shown["stand"], &shown["houder"]), (&json!("ingetrokken"), &json!(MUNICIPALITY)));
    let decided = world.nodes[LAST].json(&["raadplegingen", "--door", "Smit"]);
    assert_eq!(decided["raadplegingen"][0]["toestemmingen"], json!([consent]));

    world.serving[HOLDER] = Some(world.nodes[HOLDER].serve());
    for node in [BETWEEN, LAST] {
        world.confirmed(&consent, node);
    }
    world.assert_gone(&consent);
    let again = world.nodes[LAST].json(&["toestemming", "intrek", &consent, "--zeker"]);
    assert_eq!(again["uitgevoerd"], false);
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
}
