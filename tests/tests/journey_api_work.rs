//! Desks, what did not arrive, and figures by the local API: the same as the commands say and do, for who may.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Place, Serving, agree,
    api::{System, Systems, address, tokens, with_api},
    export, until,
};

const DESKS: &str = "\n[[loketten]]\nloket = \"balie\"\nnaam = \"Balie\"\n\n[[loketten]]\nloket = \"schuldhulp\"\nnaam = \"Schuldhulp\"\ndoelen = [\"vroegsignalering-huur\"]\nopen = [{ dag = \"maandag\", van = \"09:00\", tot = \"17:00\" }]\n\n[[loketten]]\nloket = \"jeugd\"\nnaam = \"Jeugd\"\ndoelen = [\"iets-anders\"]\n";

/// A municipality and a corporation that agreed, each with the API.
struct World {
    place: Place,
    systems: Systems,
    municipality: (Node, Serving),
    corporation: (Node, Serving),
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let made = [
            place.node("gemeente", MUNICIPALITY, "gemeente"),
            place.node("corporatie", CORPORATION, "woningcorporatie"),
        ];
        for node in &made {
            fs::write(node.path("uitgever.json"), systems.jwks().to_string()).unwrap();
            with_api(node, &systems, &tokens("uitgever.json"));
        }
        let [municipality, corporation] = made;
        let path = municipality.path("schakel.toml");
        let text = fs::read_to_string(&path).unwrap() + DESKS;
        fs::write(path, text).unwrap();
        let serving = [municipality.serve(), corporation.serve()];
        agree(&place, &municipality, &corporation);
        let [first, second] = serving;
        Self { place, systems, municipality: (municipality, first), corporation: (corporation, second) }
    }

    fn bearing(&self, serving: &Serving, role: &str) -> System {
        let token = self.systems.token(&Systems::claims(Some("jdevries"), &[role]));
        let system = System::new(&address(serving), &self.systems, None).bearing(&token);
        system.because(None, "beheer", "B-1")
    }

    fn send(&self, count: u32, series: u32) {
        let list = self.place.file(&format!("lijst-{series}.csv"), &export::rows(count, series));
        self.corporation.0.send(&list, MUNICIPALITY);
    }
}

fn keyed(system: &System, key: &str) -> System {
    system.with("Idempotency-Key", key)
}

#[test]
fn desks_are_found_and_work_goes_from_one_to_another() {
    let world = World::new();
    let (node, serving) = &world.municipality;
    let employee = world.bearing(serving, "medewerker");
    let names = |listed: &Value| -> Vec<String> {
        let desks = listed["organisaties"][0]["loketten"].as_array().unwrap();
        let mut names: Vec<String> =
            desks.iter().map(|one| one["loket"]["loket"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let all = employee.get("/v1/loketten").expect(200);
    assert_eq!(names(&all), ["balie", "jeugd", "schuldhulp"]);
    assert_eq!(all["zonder_loketten"], json!([CORPORATION]));
    let kind = "signalen.betalingsachterstand";
    let sought = format!("/v1/loketten?doel=vroegsignalering-huur&type={kind}&organisatie={MUNICIPALITY}");
    assert_eq!(names(&employee.get(&sought).expect(200)), ["balie", "schuldhulp"]);
    // The partner sees the same, as it was shown to it.
    let partner = world.bearing(&world.corporation.1, "bronsysteem");
    until("the partner knows the desks", || {
        let seen = partner.get(&format!("/v1/loketten?organisatie={MUNICIPALITY}")).expect(200);
        (names(&seen).len() == 3).then_some(())
    });
    for wrong in ["type=x", "organisatie=99", "loket=balie", "doel=a&doel=b"] {
        employee.get(&format!("/v1/loketten?{wrong}")).expect(400);
    }

    world.send(1, 0);
    world.corporation.0.settle();
    let row = node.mailbox("in").0[0].clone();
    let path = format!("/v1/berichten/{}/doorgifte", row["nummer"]);
    let (here, there) =
        if row["loket"] == "balie" { ("balie", "schuldhulp") } else { ("schuldhulp", "balie") };
    let to = |desk: &str| json!({ "loket": desk });
    let manager = world.bearing(serving, "beheer");
    keyed(&manager, "doorgifte-1").post(&path, &to(there)).expect(403);
    employee.post(&path, &to(there)).expect(400);
    let first = keyed(&employee, "doorgifte-1").post(&path, &to(there)).expect(200);
    assert_eq!((&first["loket"], &first["dossier"]), (&json!(there), &row["dossier"]));
    assert_eq!(keyed(&employee, "doorgifte-1").post(&path, &to(there)).expect(200), first);
    keyed(&employee, "doorgifte-1").post(&path, &to(here)).expect(409);
    for (key, desk) in [("doorgifte-2", "jeugd"), ("doorgifte-3", "bestaat-niet"), ("doorgifte-4", there)] {
        keyed(&employee, key).post(&path, &to(desk)).expect(409);
    }
    keyed(&employee, "doorgifte-5").post("/v1/berichten/999999/doorgifte", &to(here)).expect(404);
    assert_eq!(node.mailbox("in").0[0]["loket"], there);
    // Who decided is on record.
    let officer = world.bearing(serving, "privacy");
    let looks = officer.get("/v1/raadplegingen?limiet=10").expect(200);
    let decided = looks["raadplegingen"].as_array().unwrap().iter().any(|one| one["besluit"] == "doorgeven");
    assert!(decided, "{looks}");
}

/// Puts the desks of the municipality where the API may change them, and waits until the node has read them.
fn move_desks(world: &World) {
    let node = &world.municipality.0;
    let settings = node.path("schakel.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.split("\n[[loketten]]").next().unwrap()).unwrap();
    fs::write(node.path("loketten.toml"), DESKS).unwrap();
}

#[test]
fn desks_are_changed_without_a_restart_and_on_record() {
    let mut world = World::new();
    let manager = world.bearing(&world.municipality.1, "beheer");
    let path = "/v1/eigen-loketten/balie";
    let desk = |naam: &str| json!({ "loket": "balie", "naam": naam });
    let refused = manager.put(path, &desk("Balie")).expect(409);
    assert!(refused["type"].as_str().unwrap().ends_with("loketten-in-configuratie"), "{refused}");
    move_desks(&world);
    world.municipality.1.kill();
    world.municipality.1 = world.municipality.0.serve();
    let (node, serving) = &world.municipality;
    let manager = world.bearing(serving, "beheer");

    let seen = manager.get("/v1/eigen-loketten");
    let version = seen.header("etag").unwrap().to_owned();
    let names = |listed: &Value| -> Vec<String> {
        let desks = listed["loketten"].as_array().unwrap();
        desks.iter().map(|one| one["naam"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&seen.expect(200)), ["Balie", "Schuldhulp", "Jeugd"]);
    world.bearing(serving, "medewerker").put(path, &desk("Balie")).expect(403);
    let changed = manager.with("If-Match", &version).put(path, &desk("Balie Centrum")).expect(200);
    assert_eq!(names(&changed), ["Balie Centrum", "Schuldhulp", "Jeugd"]);
    // Whoever saw what it was before changes nothing.
    manager.with("If-Match", &version).put(path, &desk("Balie Oost")).expect(412);
    manager.with("If-Match", "x").put(path, &desk("Balie Oost")).expect(400);
    for wrong in [
        json!({ "loket": "ander", "naam": "X" }),
        json!({ "loket": "balie", "naam": "" }),
        json!({ "naam": "X" }),
    ] {
        manager.put(path, &wrong).expect(400);
    }
    let missing = json!({ "loket": "balie", "naam": "Balie", "opgeheven": { "per": "2026-01-01", "opvolger": "nergens" } });
    let refused = manager.put(path, &missing).expect(400);
    assert!(refused["detail"].as_str().unwrap().contains("`nergens`"), "{refused}");
    let made = manager.put("/v1/eigen-loketten/wijk", &json!({ "loket": "wijk", "naam": "Wijkteam" }));
    assert_eq!(made.header("location"), Some("/v1/eigen-loketten/wijk"));
    assert_eq!(names(&made.expect(201)).len(), 4);
    manager.delete("/v1/eigen-loketten/jeugd").expect(200);
    manager.delete("/v1/eigen-loketten/jeugd").expect(404);

    // The commands and the partner see the same; it outlives the process.
    let listed = node.json(&["loketten"])["organisaties"][0]["loketten"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    let officer = world.bearing(serving, "privacy");
    let looks = officer.get("/v1/raadplegingen?limiet=20").expect(200);
    let decided = looks["raadplegingen"].as_array().unwrap().iter();
    assert_eq!(decided.filter(|one| one["besluit"] == "loketten-wijzigen").count(), 3, "{looks}");

    // Somebody edits the file: the node reads it without a restart, unless it cannot be right.
    let file = node.path("loketten.toml");
    fs::write(&file, "[[loketten]]\nloket = \"balie\"\nopvolger = 3\n").unwrap();
    manager.put(path, &desk("Balie")).expect(409);
    fs::write(&file, "[[loketten]]\nloket = \"balie\"\nnaam = \"Met de hand\"\n").unwrap();
    until("the node reads its desks again", || {
        (names(&manager.get("/v1/eigen-loketten").expect(200)) == ["Met de hand"]).then_some(())
    });
    let partner = world.bearing(&world.corporation.1, "bronsysteem");
    world.municipality.1.kill();
    let _serving = world.municipality.0.serve();
    until("the partner knows the desk", || {
        let seen = partner.get(&format!("/v1/loketten?organisatie={MUNICIPALITY}")).expect(200);
        (seen["organisaties"][0]["loketten"][0]["loket"]["naam"] == "Met de hand").then_some(())
    });
}

#[test]
fn what_does_not_arrive_is_seen_sent_again_and_given_up() {
    let mut world = World::new();
    world.municipality.1.kill();
    world.send(3, 0);
    let manager = world.bearing(&world.corporation.1, "beheer");
    world.bearing(&world.corporation.1, "medewerker").get("/v1/bezorging").expect(403);
    let waiting = manager.get("/v1/bezorging?stand=wacht&limiet=2").expect(200);
    assert_eq!(
        (waiting["wachtrijen"][0]["oin"].as_str(), &waiting["wachtrijen"][0]["wachtend"]),
        (Some(MUNICIPALITY), &json!(3))
    );
    assert_eq!(waiting["berichten"].as_array().unwrap().len(), 2);
    let cursor = waiting["volgende"].as_str().unwrap();
    let rest = manager.get(&format!("/v1/bezorging?stand=wacht&limiet=2&cursor={cursor}")).expect(200);
    assert_eq!(rest["berichten"].as_array().unwrap().len(), 1);
    for wrong in [
        format!("stand=onbestelbaar&cursor={cursor}"),
        "stand=x".to_owned(),
        "limiet=201".to_owned(),
        "limiet=0".to_owned(),
        "cursor=zz".to_owned(),
    ] {
        manager.get(&format!("/v1/bezorging?{wrong}")).expect(400);
    }
    let numbers: Vec<&Value> =
        waiting["berichten"].as_array().unwrap().iter().map(|one| &one["nummer"]).collect();
    let giving_up = json!({ "nummers": [numbers[0], 999_999], "omdat": "anders-geregeld" });
    let (path, again) = ("/v1/bezorging/opgave", "/v1/bezorging/opnieuw");
    let done = keyed(&manager, "opgave-0001").post(path, &giving_up).expect(200);
    assert_eq!((&done["gedaan"], &done["niet"][0]["nummer"]), (&json!([numbers[0]]), &json!(999_999)));
    assert_eq!(keyed(&manager, "opgave-0001").post(path, &giving_up).expect(200), done);
    keyed(&manager, "opgave-0001").post(again, &json!({ "nummers": [numbers[0]] })).expect(409);
    let sentence = json!({ "nummers": [numbers[1]], "omdat": "mevrouw belde" });
    keyed(&manager, "opgave-0002").post(path, &sentence).expect(400);
    keyed(&manager, "opgave-0003")
        .post(path, &json!({ "nummers": [], "omdat": "anders-geregeld" }))
        .expect(400);
    let many: Vec<u64> = (0..257).collect();
    keyed(&manager, "opnieuw-0001").post(again, &json!({ "nummers": many })).expect(400);
    // What was given up does not go again.
    let refused =
        keyed(&manager, "opnieuw-0002").post(again, &json!({ "nummers": [numbers[0]] })).expect(200);
    assert_eq!((&refused["gedaan"], refused["niet"].as_array().unwrap().len()), (&json!([]), 1));
    let given_up = manager.get("/v1/bezorging?stand=opgegeven").expect(200);
    assert_eq!(given_up["berichten"][0]["reden"], "opgegeven-anders-geregeld");
    world.municipality.1 = world.municipality.0.serve();
    world.corporation.0.settle();
    assert_eq!(world.municipality.0.mailbox("in").0.len(), 2);
}

#[test]
fn figures_leave_small_numbers_out_as_json_and_as_csv() {
    let world = World::new();
    world.send(6, 0);
    world.corporation.0.settle();
    let (node, serving) = &world.corporation;
    let manager = world.bearing(serving, "beheer");
    world.bearing(serving, "bronsysteem").get("/v1/cijfers").expect(403);
    let counted = manager.get("/v1/cijfers").expect(200);
    assert_eq!(counted, node.json(&["cijfers"]));
    assert_eq!(counted["cijfers"][0]["totaal"], 6);
    let table = |path: &str| {
        let system = manager.with("Accept", "text/csv, application/json;q=0.5");
        let answered = system.connect().ask_unchecked("GET", path);
        assert_eq!(answered.header("content-type"), Some("text/csv; charset=utf-8"));
        String::from_utf8(answered.body).unwrap()
    };
    assert_eq!(table("/v1/cijfers").trim_end(), node.cli(&["cijfers", "--csv"]).expect(0).stdout.trim_end());
    // In a period in which nothing was.
    assert_eq!(manager.get("/v1/cijfers?van=2020-01-01&tot=2020-12-31").expect(200)["cijfers"], json!([]));
    let json_first = manager.with("Accept", "application/json, text/csv").get("/v1/cijfers").expect(200);
    assert_eq!(json_first, counted);
    for wrong in ["van=gisteren", "tot=2026-13-01", "maand=1"] {
        manager.get(&format!("/v1/cijfers?{wrong}")).expect(400);
    }
    // Two are too few to say.
    let few = World::new();
    few.send(2, 0);
    few.corporation.0.settle();
    let counted = few.bearing(&few.corporation.1, "privacy").get("/v1/cijfers").expect(200);
    assert_eq!(counted["cijfers"][0]["regels"][0]["aantal"], json!(null));
}
