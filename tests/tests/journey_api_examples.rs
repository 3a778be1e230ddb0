//! The examples of `gateway/node/API.md`, run as they stand against a real node.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Place, agree,
    api::{Systems, address, client, tokens, with_api},
};

/// The blocks of shell of the document, in its order.
fn examples() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/node/API.md");
    let text = fs::read_to_string(path).unwrap();
    text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Runs one; gives what it says.
fn run(example: &str, place: &Place, env: [(&str, String); 3]) -> Value {
    let done = Command::new("sh")
        .args(["-eu", "-c", example])
        .current_dir(place.path())
        .envs(env)
        .output()
        .expect("sh and curl are installed");
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{example}\n{said}\n{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{example}\n{error}: {said}"))
}

#[test]
fn every_example_works() {
    let place = Place::new();
    let systems = Systems::new(place.path());
    let source = systems.certificate("woonsysteem");
    let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
    let corporation = place.node("corporatie", CORPORATION, "woningcorporatie");
    fs::write(corporation.path("uitgever.json"), systems.jwks().to_string()).unwrap();
    let more = client("woonsysteem", &source, &["bronsysteem"]) + &tokens("uitgever.json");
    with_api(&corporation, &systems, &more);
    let _partner = municipality.serve();
    let serving = corporation.serve();
    agree(&place, &municipality, &corporation);
    let token = |roles| systems.token(&Systems::claims(Some("jdevries"), roles));
    let answers: Vec<Value> = examples()
        .iter()
        .map(|example| {
            let env = [
                ("API", format!("https://{}/v1", address(&serving))),
                ("TOKEN", token(&["medewerker"])),
                ("PRIVACY", token(&["privacy"])),
            ];
            run(example, &place, env)
        })
        .collect();
    let [
        health,
        handed_over,
        listed,
        checked,
        found,
        looks,
        offers,
        suggestions,
        desks,
        own_desks,
        figures,
        questions,
        stream,
        signature,
    ] = answers.as_slice()
    else {
        panic!("an example more or less: say here what comes of it")
    };
    assert_eq!(health, &json!({ "status": "goed" }));
    assert_eq!(handed_over["berichten"][0]["uitkomst"], "in-wachtrij");
    assert_eq!(listed["berichten"][0]["id"], handed_over["berichten"][0]["bericht"]);
    assert_eq!((&checked["mag"], checked["fouten"].as_array().unwrap().is_empty()), (&json!(false), false));
    assert_eq!(found["berichten"], json!([]));
    assert_eq!(looks["raadplegingen"][0]["wat"], "zoeken");
    assert_eq!((&offers["overdrachten"], &offers["volgende"]), (&json!([]), &json!(null)));
    assert_eq!((&suggestions["voorstellen"], &suggestions["volgende"]), (&json!([]), &json!(null)));
    assert!(desks["zonder_loketten"].as_array().unwrap().contains(&json!(MUNICIPALITY)), "{desks}");
    assert_eq!(own_desks, &json!({ "loketten": [] }));
    assert_eq!(figures["kleinste"], 5);
    assert_eq!(questions, &json!({ "volledig": true, "consultaties": [] }));
    assert_eq!(stream, &json!({ "opnieuw_na": 2000 }));
    // As the specification has it.
    let signed = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(signature, &json!({ "webhook-signature": signed }));
    corporation.settle();
    assert_eq!(municipality.mailbox("in").0.len(), 1);
}
