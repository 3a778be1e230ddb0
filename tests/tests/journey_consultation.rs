//! An anonymous question between professionals: asked, found, answered, and in a case that can go on as a handover.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use serde_json::{Value, json};
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, agree_on_consultation, introduce, until};

const QUESTION: &str =
    "Een alleenstaande huurder reageert nergens meer op. Wat helpt om toch in gesprek te komen?";
const ANSWER: &str = "Ga langs met iemand die de huurder al kent, en begin niet over de schuld.";

fn consult(node: &Node, more: &[&str]) -> Value {
    node.json(&[&["consultatie"], more].concat())
}

fn listed(node: &Node, more: &[&str]) -> Vec<Value> {
    consult(node, &[&["lijst"], more].concat())["consultaties"].as_array().unwrap().clone()
}

#[test]
fn a_question_is_asked_and_answered_without_a_person() {
    let place = Place::new();
    let (municipality, _one) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _other) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    introduce(&[&municipality, &corporation]);
    let question = place.file("vraag.txt", QUESTION.as_bytes());
    let question = question.to_str().unwrap();
    let ask =
        ["vragen", question, "--aan", MUNICIPALITY, "--leefgebied", "wonen", "--leefgebied", "financien"];
    let without = corporation.cli(&[&["consultatie"][..], &ask].concat()).refused();
    assert!(without.contains("geen convenant met Organisatie gemeente"), "{without}");

    agree_on_consultation(&place, &municipality, &corporation);

    // What points to a person is not taken.
    let personal = place.file("te-veel.txt", b"Bel 0612345678 over de huurder die 12-03-1980 geboren is.");
    let refused = corporation.cli(&[
        "consultatie",
        "vragen",
        personal.to_str().unwrap(),
        "--aan",
        MUNICIPALITY,
        "--leefgebied",
        "wonen",
    ]);
    let refused = refused.refused();
    assert!(refused.contains("/inhoud/vraag") && !refused.contains("0612345678"), "{refused}");

    let asked = consult(&corporation, &ask);
    let case = asked["dossier"].as_str().unwrap();
    let open = until("the question is there", || listed(&municipality, &["--open"]).pop());
    assert_eq!((&open["dossier"], &open["beantwoord_met"]), (&json!(case), &Value::Null));
    let number = open["nummer"].to_string();
    let shown = consult(&municipality, &["tonen", &number]);
    assert_eq!(shown["berichten"][0]["inhoud"]["vraag"], QUESTION);
    let seen = municipality.json(&["raadplegingen", "--bericht", &number])["raadplegingen"][0].clone();
    assert_eq!((&seen["wat"], &seen["dossier"]), (&json!("inzien"), &json!(case)));

    let answer = place.file("antwoord.txt", ANSWER.as_bytes());
    let answer = ["beantwoorden", &number, answer.to_str().unwrap(), "--vervolg", "overdracht-aanbieden"];
    let answered = consult(&municipality, &answer);
    assert_eq!(answered["dossier"], case);
    let own = until("the answer is there", || {
        listed(&corporation, &[]).pop().filter(|one| one["beantwoord_met"].is_number())
    });
    assert_eq!(listed(&corporation, &["--open"]), Vec::<Value>::new());
    assert_eq!(listed(&municipality, &["--open"]), Vec::<Value>::new());
    let own = own["nummer"].to_string();
    let told = corporation.cli(&["consultatie", "tonen", &own]).expect(0).stdout;
    assert!(
        told.contains(QUESTION) && told.contains(ANSWER) && told.contains("overdracht-aanbieden"),
        "{told}"
    );

    // Only what was asked here is answered here.
    let mine = corporation.cli(&["consultatie", "beantwoorden", &own, question]).refused();
    assert!(mine.contains("geen vraag die hier binnenkwam"), "{mine}");
    assert!(corporation.cli(&["consultatie", "tonen", "0"]).refused().contains("geen vraag"));
    corporation.verified_log();
}
