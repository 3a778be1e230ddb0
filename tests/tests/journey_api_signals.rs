//! Signals over the local API: joined and kept apart by a person, and answered with no more than the sender may know.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::too_many_lines, reason = "a journey is told from its beginning to its end")]

use std::fs;

use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Place, Serving,
    api::{Shown, System, Systems, address, client, tokens, with_api},
    conclude, introduce, proposal, until,
};

const SIGNAL: &str = include_str!("../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");
const OTHER: &str = "00000099000000004000";
const PURPOSE: &str = "vroegsignalering-huur";

/// A municipality and two landlords that agreed; the first two have an API.
struct World {
    place: Place,
    systems: Systems,
    nodes: [Node; 3],
    serving: [Serving; 3],
    landlord: Shown,
    stranger: Shown,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let [landlord, stranger] = ["woonsysteem", "ander"].map(|name| systems.certificate(name));
        let nodes = [
            place.node("gemeente", MUNICIPALITY, "gemeente"),
            place.node("corporatie", CORPORATION, "woningcorporatie"),
            place.node("andere", OTHER, "woningcorporatie"),
        ];
        for node in &nodes[..2] {
            fs::write(node.path("uitgever.json"), systems.jwks().to_string()).unwrap();
            let more = client("woonsysteem", &landlord, &["bronsysteem"])
                + &client("ander", &stranger, &["bronsysteem"])
                + &tokens("uitgever.json");
            with_api(node, &systems, &more);
        }
        let serving = nodes.each_ref().map(Node::serve);
        introduce(&nodes.each_ref());
        let [ours, theirs, others] = nodes.each_ref().map(|node| node.json(&["convenant", "partij"]));
        let mut text = proposal(&ours, &theirs["partij"]);
        text["partijen"].as_array_mut().unwrap().push(others["partij"].clone());
        text["afspraken"][0]["van"] = json!([CORPORATION, OTHER]);
        text["afspraken"][1]["naar"] = json!([CORPORATION, OTHER]);
        conclude(&place, &nodes.each_ref(), &text);
        Self { place, systems, nodes, serving, landlord, stranger }
    }

    fn source(&self, shown: &Shown) -> System {
        System::new(&address(&self.serving[1]), &self.systems, Some(shown))
    }

    /// Somebody at a node with these roles, who says why.
    fn at(&self, node: usize, roles: &[&str]) -> System {
        let token = self.systems.token(&Systems::claims(Some("jdevries"), roles));
        let system = System::new(&address(&self.serving[node]), &self.systems, None);
        system.bearing(&token).because(None, "dossier", "Z-2026-0412")
    }

    /// The first landlord signals; gives the identifier of the message once it was admitted.
    fn signalled(&self) -> String {
        let offer = json!({ "berichten": [{
            "aan": MUNICIPALITY, "doel": PURPOSE, "soort": "signaal-betalingsachterstand", "document": signal(),
        }]});
        let system = self.source(&self.landlord).with("Idempotency-Key", "signaal-0001");
        let said = system.post("/v1/berichten", &offer).expect(200);
        self.nodes[1].settle();
        said["berichten"][0]["bericht"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    /// The other landlord signals about somebody whose name is written almost the same.
    fn signalled_by_other(&self) {
        let mut document = signal();
        document["betrokkene"]["naam"]["achternaam"] = "Brouuwer".into();
        let file = self.place.file("signaal.json", document.to_string().as_bytes());
        let (file, kind) = (file.to_str().unwrap(), "signaal-betalingsachterstand");
        self.nodes[2].json(&["document", file, "--soort", kind, "--doel", PURPOSE, "--aan", MUNICIPALITY]);
        self.nodes[2].settle();
    }
}

fn signal() -> Value {
    serde_json::from_str(SIGNAL).unwrap()
}

#[test]
fn a_person_joins_signals_and_undoes_it() {
    let world = World::new();
    world.signalled();
    world.signalled_by_other();
    let employee = world.at(0, &["medewerker"]);
    let suggestion = until("it is suggested", || {
        employee.get("/v1/signaalvoorstellen").expect(200)["voorstellen"].get(0).cloned()
    });
    assert_eq!(suggestion["redenen"][0]["reden"], "spelling-achternaam");
    assert!(!suggestion.to_string().contains("Brou"), "{suggestion}");
    let pair = json!({ "signalen": [suggestion["een"]["nummer"], suggestion["ander"]["nummer"]] });
    let keyed = |key: &str| employee.with("Idempotency-Key", key);
    let joined = keyed("besluit-0001").post("/v1/meervoudige-signalen", &pair);
    assert_eq!(joined.expect(200)["stand"], "samengevoegd");
    assert_eq!(keyed("besluit-0001").post("/v1/meervoudige-signalen", &pair).body, joined.body);
    let again = keyed("besluit-0001").post("/v1/signaalafwijzingen", &pair).expect(409);
    assert_eq!(again["type"], "urn:schakel:probleem:sleutel-al-gebruikt");
    let twice = keyed("besluit-0002").post("/v1/meervoudige-signalen", &pair).expect(409);
    assert_eq!(twice["type"], "urn:schakel:probleem:signalen-veranderd");

    let list = employee.get("/v1/meervoudige-signalen").expect(200);
    let [one] = list["meervoudige_signalen"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert!(one["signalen"][1]["raadpleging"].is_u64(), "somebody joined it: {one}");
    assert!(!list.to_string().contains("Brou"), "{list}");
    let path = format!("/v1/meervoudige-signalen/{}", one["nummer"]);
    assert_eq!(&employee.get(&path).expect(200), one);
    let shown = employee.get(&format!("{path}/inhoud")).expect(200);
    assert_eq!(shown["signalen"][1]["inhoud"]["betrokkene"]["naam"]["achternaam"], "Brouuwer");
    assert_eq!(employee.get("/v1/signaalvoorstellen").expect(200)["voorstellen"], json!([]));

    // Who may not, cannot; and who says nothing of why sees nothing.
    for role in ["bronsysteem", "privacy", "beheer"] {
        let other = world.at(0, &[role]).with("Idempotency-Key", "sleutel-0001");
        for path in ["/v1/meervoudige-signalen", &path, &format!("{path}/inhoud"), "/v1/signaalvoorstellen"] {
            other.get(path).expect(403);
        }
        other.post("/v1/signaalsplitsingen", &pair).expect(403);
    }
    let token = world.systems.token(&Systems::claims(Some("jdevries"), &["medewerker"]));
    let silent = System::new(&address(&world.serving[0]), &world.systems, None).bearing(&token);
    silent.get(&format!("{path}/inhoud")).expect(400);
    for foreign in ["/v1/meervoudige-signalen/999", "/v1/meervoudige-signalen/x"] {
        employee.get(foreign).expect(404);
    }
    for query in ["limiet=201", "cursor=zz", "naam=x"] {
        employee.get(&format!("/v1/meervoudige-signalen?{query}")).expect(400);
        employee.get(&format!("/v1/signaalvoorstellen?{query}")).expect(400);
    }
    for body in
        [json!({}), json!({ "signalen": [] }), json!({ "signalen": ["x"] }), json!({ "signalen": [1] })]
    {
        keyed("besluit-0003").post("/v1/meervoudige-signalen", &body).expect(400);
    }

    let one = json!({ "signalen": [suggestion["ander"]["nummer"]] });
    keyed("besluit-0004").post("/v1/signaalsplitsingen", &one).expect(200);
    assert_eq!(employee.get("/v1/meervoudige-signalen").expect(200)["meervoudige_signalen"], json!([]));
    employee.get(&path).expect(404);
    assert_eq!(keyed("besluit-0005").post("/v1/signaalafwijzingen", &pair).expect(200)["stand"], "afgewezen");
    let looks = world.nodes[0].json(&["raadplegingen", "--door", "jdevries"]);
    let looks: Vec<_> =
        looks["raadplegingen"].as_array().unwrap().iter().map(|look| look["wat"].clone()).collect();
    // Also the decision that could not be carried out: it was decided before that was known.
    assert_eq!(looks, ["besluit", "besluit", "inzien", "besluit", "besluit"]);
}

#[test]
fn who_signalled_hears_what_came_of_it_and_no_more() {
    let world = World::new();
    let id = world.signalled();
    let path = format!("/v1/berichten/{id}/terugkoppelingen");
    let employee = world.at(0, &["medewerker"]);
    let keyed = |key: &str| employee.with("Idempotency-Key", key);
    let says = |content: Value| json!({ "inhoud": content });
    // More than a landlord needs: what help there was already, and who was called when.
    let known = json!({ "resultaat": "Inwoner al bekend bij schuldhulpverlening" });
    let called = json!({
        "opgepakt_op": "2026-11-20",
        "contactpogingen": [{ "soort": "Telefoon", "datum": "2026-11-20", "bereikt": false }],
    });
    for (content, about) in [(known, "terugkoppeling"), (called, "contact")] {
        let refused = keyed("antwoord-0001").post(&path, &says(content)).expect(409);
        assert_eq!(refused["type"], "urn:schakel:probleem:gegevens-niet-toegestaan");
        assert!(refused["detail"].as_str().unwrap().contains(about), "{refused}");
    }
    for content in
        [json!({}), json!({ "status": "Weg" }), json!({ "bericht_id": id, "opgepakt_op": "2026-11-20" })]
    {
        keyed("antwoord-0001").post(&path, &says(content)).expect(400);
    }
    let taken = says(json!({ "opgepakt_op": "2026-11-20" }));
    let first = keyed("antwoord-0001").post(&path, &taken);
    assert_eq!(first.expect(200)["aan"], CORPORATION);
    assert_eq!(keyed("antwoord-0001").post(&path, &taken).body, first.body);
    let ended = says(json!({ "resultaat": "Vervolghulp en/of verwijzing financieel" }));
    let other = keyed("antwoord-0001").post(&path, &ended).expect(409);
    assert_eq!(other["type"], "urn:schakel:probleem:sleutel-al-gebruikt");
    keyed("antwoord-0002").post(&path, &ended).expect(200);
    world.nodes[0].settle();

    // The system that signalled reads it, and so does an employee; at both sides the same.
    let source = world.source(&world.landlord).because(Some("pbakker"), "dossier", "H-17");
    for reader in [&source, &world.at(1, &["medewerker"]), &employee] {
        let said = reader.get(&path).expect(200);
        let said = said["terugkoppelingen"].as_array().unwrap().clone();
        let contents: Vec<&Value> = said.iter().map(|one| &one["inhoud"]["inhoud"]).collect();
        assert_eq!(contents.len(), 2, "{said:?}");
        assert_eq!(contents[0]["opgepakt_op"], "2026-11-20");
        assert_eq!(contents[1]["resultaat"], "Vervolghulp en/of verwijzing financieel");
    }
    world.source(&world.landlord).get(&path).expect(400);
    let stranger = world.source(&world.stranger).because(Some("pbakker"), "dossier", "H-17");
    stranger.get(&path).expect(404);
    for role in ["privacy", "beheer"] {
        world.at(1, &[role]).get(&path).expect(403);
        world.at(0, &[role]).with("Idempotency-Key", "sleutel-0001").post(&path, &taken).expect(403);
    }
    let back = world.at(1, &["medewerker"]).with("Idempotency-Key", "sleutel-0001").post(&path, &taken);
    assert_eq!(back.expect(409)["type"], "urn:schakel:probleem:geen-signaal");
    let foreign = "/v1/berichten/0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d/terugkoppelingen";
    keyed("antwoord-0003").post(foreign, &taken).expect(404);

    // The same by commands.
    let number = |node: &Node, direction: &str| {
        let rows = node.mailbox(direction).0;
        rows.iter().find(|row| row["id"] == id).unwrap()["nummer"].to_string()
    };
    let sent = number(&world.nodes[1], "uit");
    let told = world.nodes[1].json(&["terugkoppeling", "tonen", &sent, "--kenmerk", "H-17"]);
    assert_eq!(told["terugkoppelingen"].as_array().unwrap().len(), 2);
    let received = number(&world.nodes[0], "in");
    let refused = world.nodes[0].cli(&[
        "terugkoppeling",
        "geven",
        &received,
        "--status",
        "Inwoner is overleden",
        "--json",
    ]);
    assert_eq!(refused.expect(1).json()["reden"], "gegevens-niet-toegestaan");
    world.nodes[0].json(&[
        "terugkoppeling",
        "geven",
        &received,
        "--resultaat",
        "Geen reactie na eerder contact",
    ]);
    let shown = world.nodes[0].cli(&["terugkoppeling", "tonen", &received]).expect(0);
    assert!(shown.stdout.contains("Resultaat: Geen reactie na eerder contact"), "{shown:?}");
    let none = world.nodes[1].cli(&["terugkoppeling", "geven", &sent, "--status", "Nog niet opgepakt"]);
    assert!(none.refused().contains("geen signaal"));
}

/// What answers somebody, or belongs to a consent, is not handed over by a system as if it were data.
#[test]
fn a_source_hands_over_no_answers() {
    let world = World::new();
    let id = world.signalled();
    let source = world.source(&world.landlord);
    let offer = |kind: &str| {
        json!({ "berichten": [
            { "aan": MUNICIPALITY, "doel": PURPOSE, "soort": "signaal-betalingsachterstand", "document": signal() },
            { "aan": MUNICIPALITY, "doel": PURPOSE, "soort": kind, "document": { "inhoud": { "bericht_id": id } } },
        ]})
    };
    let answers = [
        "terugkoppeling",
        "overdracht-geaccepteerd",
        "overdracht-ingetrokken",
        "overdracht-intrekking-bevestigd",
        "consultatie-beantwoord",
        "toestemming",
        "toestemming-verlengd",
        "toestemming-ingetrokken",
        "toestemming-verwerkt",
    ];
    for kind in answers {
        let refused =
            source.with("Idempotency-Key", "aanbod-0001").post("/v1/berichten", &offer(kind)).expect(403);
        assert_eq!(refused["type"], "urn:schakel:probleem:soort-niet-toegestaan", "{kind}");
        assert_eq!(refused["fouten"][0]["veld"], "/berichten/1/soort");
    }
    assert_eq!(world.nodes[1].mailbox("uit").0.len(), 1, "nor does what came with it go");
    let employee = world.at(1, &["medewerker"]).with("Idempotency-Key", "aanbod-0001");
    for kind in &answers[5..] {
        employee.post("/v1/berichten", &offer(kind)).expect(403);
    }
    employee.post("/v1/berichten", &offer("terugkoppeling")).expect(200);
}
