//! Systems that are told of what happens: in order, with a signature that they can check, also after a crash; and those that
//! take it badly, or lead elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Place, Serving, agree,
    api::{System, Systems, address, tokens, with_api},
    export,
    receiver::{Heard, Reaction, Receiver},
    until,
};

/// What an export has of people: none of it is told.
const PERSONAL: [&str; 8] =
    ["Aalbers", "Bouman", "Cornelisse", "Gracht", "Eikenhof", "Rivierstad", "voorbeeld.test", "A."];

/// A corporation that sends to a municipality that tells its systems.
struct World {
    place: Place,
    systems: Systems,
    municipality: Node,
    serving: Serving,
    corporation: Node,
    _sending: Serving,
}

/// A secret, in a file of the node.
fn secret(node: &Node, name: &str, byte: u8) -> String {
    let secret = format!("whsec_{}", STANDARD.encode([byte; 32]));
    fs::write(node.path(name), format!("{secret}\n")).unwrap();
    secret
}

fn hook(name: &str, address: &str, more: &str) -> String {
    format!("\n[[api.webhooks]]\nnaam = {name:?}\nadres = {address:?}\ngeheim = \"{name}.geheim\"\n{more}\n")
}

fn here(receiver: &Receiver) -> String {
    format!("http://127.0.0.1:{}/schakel?van=knooppunt", receiver.port())
}

impl World {
    fn new(hooks: &str) -> Self {
        Self::telling(|_| hooks.to_owned())
    }

    fn telling(hooks: impl FnOnce(&Systems) -> String) -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let hooks = hooks(&systems);
        let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
        fs::write(municipality.path("uitgever.json"), systems.jwks().to_string()).unwrap();
        with_api(&municipality, &systems, &(tokens("uitgever.json") + &hooks));
        for line in hooks.lines().filter_map(|line| line.strip_prefix("geheim = ")) {
            secret(&municipality, line.trim_matches('"'), 7);
        }
        let serving = municipality.serve();
        let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
        agree(&place, &municipality, &corporation);
        Self { place, systems, municipality, serving, corporation, _sending: sending }
    }

    fn send(&self, count: u32, series: u32) {
        let list = self.place.file(&format!("lijst-{series}.csv"), &export::rows(count, series));
        self.corporation.send(&list, MUNICIPALITY);
        self.corporation.settle();
    }

    fn bearing(&self, role: &str) -> System {
        let token = self.systems.token(&Systems::claims(Some("jdevries"), &[role]));
        System::new(&address(&self.serving), &self.systems, None).bearing(&token)
    }

    fn list(&self, code: i32) -> Value {
        self.municipality.cli(&["webhooks", "lijst", "--json"]).expect(code).json()
    }

    /// Waits until so much was put aside, and gives that.
    fn put_aside(&self, count: usize) -> Vec<Value> {
        until("events are put aside", || {
            let said = self.municipality.cli(&["webhooks", "lijst", "--json"]).json();
            let letters = said["opzijgezet"].as_array().unwrap().clone();
            (letters.len() == count).then_some(letters)
        })
    }
}

#[test]
fn a_system_is_told_in_order_and_again_until_it_takes_it() {
    let garbage = "\u{0}<html>".repeat(40_000);
    let receiver = Receiver::reacting([
        Reaction::Answer(500, "", "kapot".to_owned()),
        Reaction::Answer(200, "", garbage),
        Reaction::Answer(204, "", String::new()),
        Reaction::Hang,
    ]);
    let mut world = World::new(&hook("zaaksysteem", &here(&receiver), "intern = true"));
    let shared = secret(&world.municipality, "zaaksysteem.geheim", 9);
    world.send(3, 0);
    let mut heard: Vec<Heard> = (0..4).map(|_| receiver.next()).collect();
    // The first was told twice, and is the same; the last is not answered when the node is killed.
    assert_eq!((&heard[0].id, &heard[0].body), (&heard[1].id, &heard[1].body));
    world.serving.kill();
    world.serving = world.municipality.serve();
    heard.push(receiver.next());
    assert_eq!((&heard[3].id, &heard[3].body), (&heard[4].id, &heard[4].body));
    world.send(1, 1);
    heard.push(receiver.next());
    let ids: Vec<u64> = heard.iter().map(|one| one.id.parse().unwrap()).collect();
    let (mut sorted, mut different) = (ids.clone(), ids.clone());
    sorted.sort_unstable();
    different.dedup();
    assert_eq!((&ids, different.len()), (&sorted, 4));
    let arrived = world.municipality.mailbox("in");
    for one in &heard {
        assert_eq!(one.media_type, "application/cloudevents+json");
        let event = one.event();
        assert_eq!((&event["id"], &event["type"]), (&json!(one.id), &json!("nl.schakel.bericht.toegelaten")));
        assert!(arrived.ids().contains(&event["subject"].as_str().unwrap()), "{event}");
        assert!(PERSONAL.iter().all(|word| !one.body.contains(word)), "{}", one.body);
        assert!(one.is_signed_with(&shared));
        assert!(!one.is_signed_with(&format!("whsec_{}", STANDARD.encode([8; 32]))));
        assert!(
            !Heard { body: one.body.replace("toegelaten", "geweigerd"), ..one.clone() }
                .is_signed_with(&shared)
        );
    }
    // While a secret takes the place of another both hold, without a restart.
    let new = format!("whsec_{}", STANDARD.encode([4; 40]));
    fs::write(world.municipality.path("zaaksysteem.geheim"), format!("{new}\n{shared}\n")).unwrap();
    world.send(1, 2);
    let last = receiver.next();
    assert!(last.is_signed_with(&new) && last.is_signed_with(&shared));
    until("it is all told", || {
        let said = world.municipality.cli(&["webhooks", "lijst", "--json"]).json();
        (said["webhooks"][0]["verteld"] == 5 && said["webhooks"][0]["achter"] == 0).then_some(())
    });
    world.list(0);
    assert!(receiver.rest().is_empty());
}

/// Who decides what of events that were put aside, and for what, by command and by the API.
fn is_on_record(node: &Node) {
    let looks = node.json(&["raadplegingen", "--aantal", "50"])["raadplegingen"].take();
    let told = |one: &Value| Some((one["besluit"].as_str()?.to_owned(), one["kenmerk"].clone()));
    let told: Vec<_> = looks.as_array().unwrap().iter().filter_map(told).collect();
    for (decision, reference) in
        [("gebeurtenissen-opnieuw", json!("B-2")), ("gebeurtenissen-opnieuw", json!("B-1"))]
    {
        assert!(told.contains(&(decision.to_owned(), reference)), "{told:?}");
    }
    assert!(told.iter().any(|(decision, _)| decision == "gebeurtenissen-opgeven"), "{told:?}");
}

#[test]
fn nobody_is_led_to_where_it_may_not_be_and_what_is_not_taken_is_put_aside() {
    let trap = Receiver::reacting([]);
    let elsewhere = format!("http://127.0.0.1:{}/latest/meta-data", trap.port());
    let redirect: &'static str = Box::leak(format!("Location: {elsewhere}\r\n").into_boxed_str());
    let receiver = Receiver::reacting([Reaction::Answer(302, redirect, String::new())]);
    let outside = format!("https://127.0.0.1:{}/", trap.port());
    let named = format!("https://localhost:{}/", trap.port());
    let hooks = hook("omweg", &here(&receiver), "intern = true\npogingen = 1")
        + &hook("buiten", &outside, "pogingen = 1\ngebeurtenissen = [\"bericht.toegelaten\"]")
        + &hook("op-naam", &named, "pogingen = 1")
        + &hook("wolk", "https://169.254.169.254/", "intern = true\npogingen = 1")
        + &hook("elders", &here(&trap), "intern = true\ngebeurtenissen = [\"bericht.geweigerd\"]");
    let world = World::new(&hooks);
    world.send(1, 0);
    let letters = world.put_aside(4);
    let of = |name: &str| letters.iter().find(|one| one["webhook"] == name).unwrap();
    assert!(of("omweg")["storing"].as_str().unwrap().contains("status 302"));
    for name in ["buiten", "op-naam", "wolk"] {
        assert!(of(name)["storing"].as_str().unwrap().contains("`intern = true`"), "{name}");
    }
    assert_eq!(trap.connections(), 0, "what it is led to is not asked");

    // Who runs the node sees it, and nobody else; once more under the same key is the same.
    let manager = world.bearing("beheer");
    world.bearing("medewerker").get("/v1/webhooks").expect(403);
    let shown = manager.get("/v1/webhooks").expect(200);
    let states: Vec<&Value> = shown["webhooks"].as_array().unwrap().iter().map(|one| &one["stand"]).collect();
    assert_eq!(states, ["storing", "goed", "storing", "storing", "storing"]);
    let page = manager.get("/v1/opzijgezette-gebeurtenissen?limiet=3").expect(200);
    let rest =
        format!("/v1/opzijgezette-gebeurtenissen?limiet=3&cursor={}", page["volgende"].as_str().unwrap());
    assert_eq!(manager.get(&rest).expect(200)["gebeurtenissen"].as_array().unwrap().len(), 1);
    manager.get("/v1/opzijgezette-gebeurtenissen?cursor=00").expect(400);
    manager.get("/v1/opzijgezette-gebeurtenissen?limiet=201").expect(400);
    let bare = manager.with("Idempotency-Key", "nog-een-keer-0");
    let manager = manager.because(None, "beheer", "B-1");
    let keyed = manager.with("Idempotency-Key", "nog-een-keer-1");
    let body = json!({ "nummers": [of("omweg")["nummer"]] });
    let again = "/v1/opzijgezette-gebeurtenissen/opnieuw";
    manager.post(again, &body).expect(400);
    assert!(bare.post(again, &body).expect(400)["detail"].as_str().unwrap().contains("Schakel-Reden"));
    assert_eq!(keyed.post(again, &body).expect(200), json!({ "aantal": 1 }));
    let first = receiver.next();
    assert_eq!(receiver.next().body, first.body);
    world.put_aside(3);
    assert_eq!(keyed.post(again, &body).expect(200), json!({ "aantal": 1 }));
    keyed.post(again, &json!({ "nummers": [of("wolk")["nummer"]] })).expect(409);
    keyed.post("/v1/opzijgezette-gebeurtenissen/opgave", &body).expect(409);
    manager.with("Idempotency-Key", "nog-een-keer-2").post(again, &json!({ "nummers": [] })).expect(400);

    let number = of("wolk")["nummer"].to_string();
    world.municipality.cli(&["webhooks", "opgeven", &number]).expect(0);
    world.municipality.cli(&["webhooks", "opgeven", &number]).expect(1);
    let decided = ["webhooks", "opnieuw", "--webhook", "buiten", "--kenmerk", "B-2"];
    world.municipality.cli(&decided).expect(0);
    is_on_record(&world.municipality);
    until("it is tried once more, in vain", || {
        let letters = world.put_aside(2);
        let of_it = letters.iter().find(|one| one["webhook"] == "buiten").unwrap();
        (of_it["pogingen"] == 2 && of_it["opnieuw"] == false).then_some(())
    });
    assert_eq!(trap.connections(), 0);
    world.list(1);
}

#[test]
fn a_system_that_hangs_is_tried_again_and_one_that_is_gone_is_left_alone() {
    let slow = Receiver::reacting([Reaction::Hang]);
    let gone = Receiver::reacting([Reaction::Answer(410, "", String::new())]);
    let hooks = hook("traag", &here(&slow), "intern = true") + &hook("weg", &here(&gone), "intern = true");
    let world = World::new(&hooks);
    world.send(1, 0);
    let told = gone.next();
    let state = |name: &str| {
        let said = world.municipality.cli(&["webhooks", "lijst", "--json"]).json();
        said["webhooks"].as_array().unwrap().iter().find(|one| one["naam"] == name).unwrap().clone()
    };
    until("it is left alone", || (state("weg")["stand"] == "gestopt").then_some(()));
    // One that hangs holds up no other; it is told the same once more.
    let first = slow.next();
    assert_eq!(slow.next().body, first.body);
    world.send(1, 1);
    slow.next();
    assert!(gone.rest().is_empty());
    let manager = world.bearing("beheer").because(None, "beheer", "B-3");
    assert_eq!(manager.post("/v1/webhooks/weg/hervatting", &json!({})).expect(200)["stand"], "storing");
    manager.post("/v1/webhooks/onbekend/hervatting", &json!({})).expect(404);
    assert_eq!(gone.next().body, told.body);
    gone.next();
    until("it has everything", || (state("weg")["stand"] == "goed").then_some(()));
    world.list(0);
}

/// A system in a network of the organisation: known by its own authority, and it knows the node by the certificate that this shows.
/// Whoever shows none, or is not known, gets nothing.
#[test]
fn a_system_is_told_over_tls_by_who_it_knows() {
    let (mut receiver, mut strict) = (None, None);
    let world = World::telling(|systems| {
        let listening = || systems.listening(&systems.certificate("zaaksysteem"));
        let told = receiver.insert(Receiver::secured([], listening()));
        let unknown = strict.insert(Receiver::secured([], listening()));
        let secure = |one: &Receiver| format!("https://127.0.0.1:{}/schakel", one.port());
        let (certificate, key) = systems.certificate("knooppunt").files;
        let trusted = format!("intern = true\npogingen = 1\nvertrouwensankers = {:?}", systems.anchors());
        let shown = format!("{trusted}\ncertificaat = {certificate:?}\nsleutel = {key:?}");
        hook("zaaksysteem", &secure(told), &shown)
            + &hook("zonder", &secure(unknown), &trusted)
            + &hook("vreemd", &secure(unknown), "intern = true\npogingen = 1")
    });
    world.send(1, 0);
    let heard = receiver.unwrap().next();
    assert_eq!(heard.event()["type"], "nl.schakel.bericht.toegelaten");
    let mut refused: Vec<String> =
        world.put_aside(2).iter().map(|one| one["webhook"].as_str().unwrap().to_owned()).collect();
    refused.sort_unstable();
    assert_eq!(refused, ["vreemd", "zonder"]);
    assert!(strict.unwrap().rest().is_empty());
}
