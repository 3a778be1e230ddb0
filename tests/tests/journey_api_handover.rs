//! A resident handed over by the systems of two organisations, over the local API of each.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::too_many_lines, reason = "a journey is told from its beginning to its end")]

use std::fs;

use exchange::clock::Clock as _;
use jiff::SignedDuration;
use node::system::SystemClock;
use serde_json::{Value, json};
use tests::processes::{
    MUNICIPALITY, Node, Place, Serving,
    api::{Shown, System, Systems, address, client, tokens, with_api},
    conclude,
    handover::{self, PURPOSE},
    introduce, until,
};

const SERVICE: &str = "00000099000000003000";

/// A municipality that offers and a social service that answers.
struct World {
    systems: Systems,
    nodes: [Node; 2],
    serving: [Option<Serving>; 2],
    source: Shown,
    _place: Place,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let source = systems.certificate("zaaksysteem");
        let nodes = [("gemeente", MUNICIPALITY, "gemeente"), ("dienst", SERVICE, "sociale-dienst")]
            .map(|(name, oin, kind)| place.node(name, oin, kind));
        for node in &nodes {
            fs::write(node.path("uitgever.json"), systems.jwks().to_string()).unwrap();
            let more = client("zaaksysteem", &source, &["bronsysteem"]) + &tokens("uitgever.json");
            with_api(node, &systems, &more);
        }
        let serving = nodes.each_ref().map(|node| Some(node.serve()));
        introduce(&nodes.each_ref());
        conclude(&place, &nodes.each_ref(), &handover::agreement(&nodes.each_ref()));
        Self { systems, nodes, serving, source, _place: place }
    }

    fn address(&self, node: usize) -> String {
        address(self.serving[node].as_ref().unwrap())
    }

    /// Somebody with these roles, who says why.
    fn at(&self, node: usize, roles: &[&str]) -> System {
        let token = self.systems.token(&Systems::claims(Some("jdevries"), roles));
        System::new(&self.address(node), &self.systems, None).bearing(&token).because(
            None,
            "dossier",
            "Z-2026-0412",
        )
    }

    /// Offers a resident to the service, and gives the case once that has it.
    fn offered(&self, key: &str) -> String {
        let system = System::new(&self.address(0), &self.systems, Some(&self.source));
        let offer = json!({ "berichten": [{
            "aan": SERVICE, "doel": PURPOSE, "soort": "overdracht-aangeboden", "document": handover::document(),
        }]});
        let said = system.with("Idempotency-Key", key).post("/v1/berichten", &offer).expect(200);
        let case = said["berichten"][0]["dossier"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
        self.nodes[0].settle();
        case
    }

    fn case(&self, node: usize, case: &str) -> Value {
        self.at(node, &["medewerker"]).get(&format!("/v1/overdrachten/{case}")).expect(200)
    }
}

/// What somebody says about an offer.
fn about(offer: &Value, content: &Value) -> Value {
    json!({ "aanbod": offer, "inhoud": content })
}

/// A moment within what the purpose allows, as it is written.
fn in_days(days: i64) -> String {
    (SystemClock.now() + SignedDuration::from_hours(24 * days)).to_string()
}

fn accepting() -> Value {
    let director = json!({ "organisatie": "Sociale Dienst Rivierenland", "functie": "consulent" });
    json!({ "casusregisseur": director, "eerste_contact_voor": "2099-01-04" })
}

#[test]
fn a_case_is_asked_about_and_taken_over() {
    let mut world = World::new();
    let case = world.offered("aanbod-0001");
    let employee = world.at(1, &["medewerker"]);
    let list = employee.get("/v1/overdrachten?richting=in&stand=aangeboden&regie=ander").expect(200);
    let [one] = list["overdrachten"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&one["dossier"], &one["regie"]), (&json!(case), &json!(MUNICIPALITY)));
    assert!(!list.to_string().contains("999990342"), "{list}");
    for none in ["regie=wij", "richting=uit", "stand=geaccepteerd", "teLaat=true"] {
        let none = employee.get(&format!("/v1/overdrachten?{none}")).expect(200);
        assert_eq!((&none["overdrachten"], &none["volgende"]), (&json!([]), &json!(null)));
    }
    let offer = one["aanbiedingen"][0]["aanbod"].clone();
    let path = |what: &str| format!("/v1/overdrachten/{case}/{what}");
    let shown = employee.get(&path("inhoud")).expect(200);
    assert_eq!(shown["berichten"][0]["inhoud"]["betrokkene"]["bsn"], "999990342");

    // A question, and its answer by who offered.
    let question = json!({
        "vragen": [{ "nummer": 1, "vraag": "Loopt er al een aanvraag?" }], "antwoord_voor": in_days(13),
    });
    let say = |system: &System, key: &str, what: &str, content: &Value| {
        system.with("Idempotency-Key", key).post(&path(what), &about(&offer, content))
    };
    let asked = say(&employee, "vraag-0001", "vragen", &question).expect(200);
    world.nodes[1].settle();
    assert_eq!(world.case(0, &case)["aanbiedingen"][0]["vraag_open"], true);
    let answer = json!({
        "vraag_id": asked["bericht"], "antwoorden": [{ "nummer": 1, "antwoord": "Nee, nog niet." }],
        "reageren_voor": in_days(14),
    });
    let other = world.at(0, &["medewerker"]);
    // Who was asked does not answer for who offered.
    let wrong = say(&employee, "antwoord-0001", "aanvulling", &answer).expect(409);
    assert_eq!(wrong["type"], "urn:schakel:probleem:aanbod-onbekend");
    say(&other, "antwoord-0001", "aanvulling", &answer).expect(200);
    world.nodes[0].settle();
    assert_eq!(world.case(1, &case)["aanbiedingen"][0]["vraag_open"], false);

    // Accepted once, however often it is asked, also after the node was killed.
    let accepted = say(&employee, "besluit-0001", "acceptatie", &accepting());
    assert_eq!(accepted.expect(200)["aan"], MUNICIPALITY);
    assert_eq!(world.case(1, &case)["regie"], SERVICE);
    assert_eq!(say(&employee, "besluit-0001", "acceptatie", &accepting()).body, accepted.body);
    let mut other_day = accepting();
    other_day["eerste_contact_voor"] = "2099-01-05".into();
    for refused in [
        say(&employee, "besluit-0001", "acceptatie", &other_day),
        say(&employee, "besluit-0001", "afronding", &accepting()),
    ] {
        assert_eq!(refused.expect(409)["type"], "urn:schakel:probleem:sleutel-al-gebruikt");
    }
    world.serving[1].take().unwrap().kill();
    world.serving[1] = Some(world.nodes[1].serve());
    let employee = world.at(1, &["medewerker"]);
    assert_eq!(say(&employee, "besluit-0001", "acceptatie", &accepting()).body, accepted.body);

    // Who decides on what was, is told to look again.
    let declining = json!({ "reden": "geen-plek", "toelichting": "Er is geen plek." });
    let stale = say(&employee, "besluit-0002", "afwijzing", &declining).expect(409);
    assert_eq!(stale["type"], "urn:schakel:probleem:overdracht-al-beantwoord");
    assert!(stale["detail"].as_str().unwrap().contains(&format!("/v1/overdrachten/{case}")), "{stale}");
    until("the acceptance is known", || (world.case(0, &case)["regie"] == SERVICE).then_some(()));

    let met = json!({
        "datum": "2026-11-20", "soort": "gesprek", "samen_met_afzender": true, "vraag_bevestigd": true,
    });
    say(&employee, "contact-0001", "eerste-contact", &met).expect(200);
    let ended = json!({ "datum": "2026-11-25", "resultaat": "hulp-gestart" });
    say(&employee, "einde-0001", "afronding", &ended).expect(200);
    world.nodes[1].settle();
    let known = world.case(0, &case)["aanbiedingen"][0].take();
    assert_eq!(
        (&known["eerste_contact"], &known["resultaat"]),
        (&json!("2026-11-20"), &json!("hulp-gestart"))
    );

    // Every message is seen once, page by page.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = employee.get(&path(&format!("inhoud?limiet=2{cursor}"))).expect(200);
        let rows = page["berichten"].as_array().unwrap().clone();
        seen.extend(rows.iter().map(|row| row["bericht"]["nummer"].as_u64().unwrap()));
        let Some(next) = page["volgende"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(seen.is_sorted_by(|one, other| one < other));
    let looks = world.nodes[1].json(&["raadplegingen", "--dossier", &case]);
    let looks = looks["raadplegingen"].as_array().unwrap();
    assert!(looks.iter().all(|look| look["medewerker"] == "jdevries"), "{looks:?}");
    let log = world.serving[1].take().unwrap().stop();
    assert!(!log.contains("999990342") && !log.contains("aanvraag"), "{log}");
}

#[test]
fn an_offer_is_declined_with_a_better_door_or_taken_back() {
    let world = World::new();
    let (employee, other) = (world.at(1, &["medewerker"]), world.at(0, &["medewerker"]));
    let case = world.offered("aanbod-0001");
    let offer = world.case(1, &case)["aanbiedingen"][0]["aanbod"].clone();
    let path = |case: &str, what: &str| format!("/v1/overdrachten/{case}/{what}");
    let keyed = employee.with("Idempotency-Key", "besluit-0001");
    let wrong = json!({ "reden": "verkeerd-loket", "toelichting": "Dit is werk voor het UWV." });
    let said = keyed.post(&path(&case, "afwijzing"), &about(&offer, &wrong)).expect(400);
    assert!(said["fouten"][0]["veld"].as_str().unwrap().starts_with("/inhoud"), "{said}");
    let mut right = wrong;
    right["doorverwijzing"] = json!({ "organisatie": "UWV Rivierenland", "oin": "00000099000000005000" });
    // What was refused is not remembered: the same key says it right.
    keyed.post(&path(&case, "afwijzing"), &about(&offer, &right)).expect(200);
    world.nodes[1].settle();
    assert_eq!(world.case(0, &case)["aanbiedingen"][0]["stand"], "afgewezen");

    let second = world.offered("aanbod-0002");
    let list = other.get("/v1/overdrachten?limiet=1").expect(200);
    assert_eq!(list["overdrachten"][0]["dossier"], case);
    let next = list["volgende"].as_str().unwrap();
    let list = other.get(&format!("/v1/overdrachten?limiet=1&cursor={next}")).expect(200);
    assert_eq!((&list["overdrachten"][0]["dossier"], &list["volgende"]), (&json!(second), &json!(null)));
    // A cursor belongs to its list.
    other.get(&format!("/v1/overdrachten?limiet=1&regie=wij&cursor={next}")).expect(400);
    other.get(&format!("/v1/berichten?cursor={next}")).expect(400);
    let offer = world.case(0, &second)["aanbiedingen"][0]["aanbod"].clone();
    let back = about(&offer, &json!({ "reden": "andere-oplossing" }));
    other.with("Idempotency-Key", "intrek-0001").post(&path(&second, "intrekking"), &back).expect(200);
    until("it is taken back", || {
        (world.case(0, &second)["aanbiedingen"][0]["stand"] == "ingetrokken").then_some(())
    });
    let late = employee.with("Idempotency-Key", "besluit-0002");
    let late = late.post(&path(&second, "acceptatie"), &about(&offer, &accepting())).expect(409);
    assert_eq!(late["type"], "urn:schakel:probleem:overdracht-al-beantwoord");
}

#[test]
fn nobody_else_sees_or_decides() {
    let world = World::new();
    let case = world.offered("aanbod-0001");
    let offer = world.case(1, &case)["aanbiedingen"][0]["aanbod"].clone();
    let foreign = "0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d";
    let employee = world.at(1, &["medewerker"]);
    let accept = about(&offer, &accepting());
    for role in ["bronsysteem", "medewerker", "privacy", "beheer"] {
        let system = world.at(1, &[role]).with("Idempotency-Key", "sleutel-0001");
        let reads = ["medewerker", "privacy"].contains(&role);
        for path in ["/v1/overdrachten".to_owned(), format!("/v1/overdrachten/{case}")] {
            assert_eq!(system.get(&path).status, if reads { 200 } else { 403 }, "{role}: {path}");
        }
        if role != "medewerker" {
            system.get(&format!("/v1/overdrachten/{case}/inhoud")).expect(403);
            system.post(&format!("/v1/overdrachten/{case}/acceptatie"), &accept).expect(403);
        }
    }
    let keyed = employee.with("Idempotency-Key", "sleutel-0001");
    for case in [foreign, "geen-dossier"] {
        employee.get(&format!("/v1/overdrachten/{case}")).expect(404);
        employee.get(&format!("/v1/overdrachten/{case}/inhoud")).expect(404);
        keyed.post(&format!("/v1/overdrachten/{case}/acceptatie"), &accept).expect(404);
    }
    let unsaid =
        keyed.post(&format!("/v1/overdrachten/{case}/acceptatie"), &about(&json!(foreign), &accepting()));
    assert_eq!(unsaid.expect(409)["type"], "urn:schakel:probleem:aanbod-onbekend");
    for query in
        ["limiet=201", "limiet=0", "cursor=zz", "cursor=", "stand=weg", "regie=ik", "teLaat=ja", "naam=x"]
    {
        employee.get(&format!("/v1/overdrachten?{query}")).expect(400);
    }
    employee.get(&format!("/v1/overdrachten/{case}/inhoud?limiet=201")).expect(400);
    // Without a key, without saying why, and with what is not asked for.
    employee.post(&format!("/v1/overdrachten/{case}/acceptatie"), &accept).expect(400);
    let token = world.systems.token(&Systems::claims(Some("jdevries"), &["medewerker"]));
    let silent = System::new(&world.address(1), &world.systems, None).bearing(&token);
    silent.get(&format!("/v1/overdrachten/{case}/inhoud")).expect(400);
    let mut twice = accept.clone();
    twice["inhoud"]["aanbod_id"] = offer.clone();
    let mut more = accept;
    more["bsn"] = "999990342".into();
    for body in [twice, more, json!({}), json!([])] {
        let said = keyed.post(&format!("/v1/overdrachten/{case}/acceptatie"), &body).expect(400);
        assert!(!said.to_string().contains("999990342"), "{said}");
    }
    assert_eq!(world.case(1, &case)["regie"], MUNICIPALITY, "nothing of all that did anything");
}

/// The same questions and answers by commands, for who has no system.
#[test]
fn questions_are_asked_and_answered_by_commands() {
    let world = World::new();
    let case = world.offered("aanbod-0001");
    let [first, second] = world.nodes.each_ref();
    let file = |node: &Node, text: &str| {
        let path = node.path("regels.txt");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let questions = file(second, "Loopt er al een aanvraag?\n\nWie is de begeleider?\n");
    let early = first.cli(&["overdracht", "aanvullen", &case, &questions, "--reageren-voor", &in_days(14)]);
    assert!(early.refused().contains("niets gevraagd"));
    second.json(&["overdracht", "vragen", &case, &questions, "--antwoord-voor", &in_days(13)]);
    second.settle();
    let answers = file(first, "Nee, nog niet.\nMevrouw De Boer.\n");
    first.json(&["overdracht", "aanvullen", &case, &answers, "--reageren-voor", &in_days(14)]);
    first.settle();
    let known = world.case(1, &case);
    let steps: Vec<&str> =
        known["stappen"].as_array().unwrap().iter().map(|step| step["stap"].as_str().unwrap()).collect();
    assert_eq!(steps, ["aangeboden", "aanvulling-gevraagd", "aangevuld"]);
    let empty = file(second, "\n");
    let refused = second.cli(&["overdracht", "vragen", &case, &empty, "--antwoord-voor", &in_days(13)]);
    assert!(refused.refused().contains("is leeg"));
}
