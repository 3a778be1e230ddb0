//! An anonymous question between professionals by the local API: asked, found, read and answered, once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Place, agree_on_consultation,
    api::{System, Systems, address, tokens, with_api},
    introduce, until,
};

const QUESTION: &str =
    "Een alleenstaande huurder reageert nergens meer op. Wat helpt om in gesprek te komen?";
const ANSWER: &str = "Ga langs met iemand die de huurder al kent.";

/// It is not taken, and not repeated; nor under a key that was used for another.
fn refuses_what_points_to_a_person(landlord: &System, question: &Value) {
    let mut personal = question.clone();
    personal["inhoud"]["vraag"] = "Bel 0612345678 over de huurder die 12-03-1980 geboren is.".into();
    let post = |key| landlord.with("Idempotency-Key", key).post("/v1/consultaties", &personal);
    let refused = post("vraag-0002").expect(400);
    assert_eq!(refused["fouten"][0]["veld"], "/inhoud/vraag");
    assert!(!refused.to_string().contains("0612345678"), "{refused}");
    post("vraag-0004").expect(409);
}

#[test]
fn a_question_is_asked_and_answered_once() {
    let place = Place::new();
    let systems = Systems::new(place.path());
    let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
    let corporation = place.node("corporatie", CORPORATION, "woningcorporatie");
    for node in [&municipality, &corporation] {
        fs::write(node.path("uitgever.json"), systems.jwks().to_string()).unwrap();
        with_api(node, &systems, &tokens("uitgever.json"));
    }
    let (one, other) = (municipality.serve(), corporation.serve());
    introduce(&[&municipality, &corporation]);
    let bearing = |serving, role: &str| {
        let token = systems.token(&Systems::claims(Some("jdevries"), &[role]));
        let nobody = System::new(&address(serving), &systems, None);
        nobody.bearing(&token).because(None, "dossier", "Z-1")
    };
    let (landlord, answerer) = (bearing(&other, "medewerker"), bearing(&one, "medewerker"));
    let keyed = |system: &System, key: &str| system.with("Idempotency-Key", key);
    let question = json!({ "aan": MUNICIPALITY, "inhoud": { "vraag": QUESTION, "leefgebieden": ["wonen"] } });
    let path = "/v1/consultaties";
    let without = keyed(&landlord, "vraag-0001").post(path, &question).expect(409);
    assert_eq!(without["type"], "urn:schakel:probleem:geen-convenant");
    agree_on_consultation(&place, &municipality, &corporation);

    let asked = until("the agreement is known", || {
        let said = keyed(&landlord, "vraag-0004").post(path, &question);
        (said.status == 200).then(|| said.json())
    });
    assert_eq!(keyed(&landlord, "vraag-0004").post(path, &question).expect(200), asked);
    refuses_what_points_to_a_person(&landlord, &question);
    for role in ["bronsysteem", "privacy", "beheer"] {
        keyed(&bearing(&other, role), "vraag-0003").post(path, &question).expect(403);
    }

    let open = until("the question is there", || {
        let found = answerer.get("/v1/consultaties?open=true").expect(200);
        found["consultaties"].as_array().unwrap().first().cloned()
    });
    assert_eq!((&open["dossier"], &open["beantwoord_met"]), (&asked["dossier"], &Value::Null));
    let of_question = |what: &str| format!("{path}/{}/{what}", open["nummer"]);
    let read = answerer.get(&of_question("inhoud")).expect(200);
    assert_eq!(read["berichten"][0]["inhoud"]["inhoud"]["vraag"], QUESTION);
    let answer = json!({ "inhoud": { "antwoord": ANSWER, "vervolg": "zelf-verder" } });
    let named = json!({ "inhoud": { "antwoord": ANSWER, "vraag_id": asked["bericht"] } });
    keyed(&answerer, "antwoord-1").post(&of_question("antwoord"), &named).expect(400);
    let said = keyed(&answerer, "antwoord-2").post(&of_question("antwoord"), &answer).expect(200);
    assert_eq!((&said["dossier"], said["aan"].as_str()), (&asked["dossier"], Some(CORPORATION)));
    assert_eq!(keyed(&answerer, "antwoord-2").post(&of_question("antwoord"), &answer).expect(200), said);
    // Only what came in is answered, and what is no question is not there.
    let own = format!("{path}/{}", asked["nummer"]);
    keyed(&landlord, "antwoord-3").post(&format!("{own}/antwoord"), &answer).expect(404);
    landlord.get("/v1/consultaties/999999/inhoud").expect(404);
    let shown = until("the answer is there", || {
        let read = landlord.get(&format!("{own}/inhoud")).expect(200);
        (read["berichten"].as_array().unwrap().len() == 2).then_some(read)
    });
    assert_eq!(shown["berichten"][1]["inhoud"]["inhoud"]["antwoord"], ANSWER);
    assert_eq!(landlord.get("/v1/consultaties?open=true").expect(200)["consultaties"], json!([]));
    assert_eq!(municipality.mailbox("uit").0.len(), 1);
    landlord.get("/v1/consultaties?open=ja").expect(400);
    landlord.get("/v1/consultaties?limiet=201").expect(400);
}
