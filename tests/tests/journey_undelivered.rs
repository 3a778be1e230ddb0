//! What does not arrive is never silent: it says for whom it waits and why, can be given up, and goes at once when its
//! receiver is there again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use exchange::{clock::Clock as _, delivery::LONGEST_WAIT};
use jiff::{SignedDuration, Timestamp};
use node::system::SystemClock;
use serde_json::{Value, json};
use tests::processes::{CORPORATION, Done, MUNICIPALITY, Node, Place, agree, export, until};

/// The corporation knows the municipality by an address where nobody answers.
fn lose(municipality: &Node, corporation: &Node, place: &Place) {
    let (settings, file) = (municipality.path("schakel.toml"), place.path().join("verhuisd.jws"));
    let right = fs::read_to_string(&settings).unwrap();
    let (before, after) = (format!("adres = \"{}\"", municipality.address), "adres = \"127.0.0.1:1\"");
    fs::write(&settings, right.replace(&before, after)).unwrap();
    municipality.cli(&["partner", "beschrijving", "--naar", file.to_str().unwrap()]).expect(0);
    fs::write(&settings, right).unwrap();
    corporation.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
}

fn find(municipality: &Node, corporation: &Node) {
    corporation.cli(&["partner", "toevoegen", &municipality.address, "--oin", MUNICIPALITY]).expect(0);
}

fn listed(node: &Node, more: &[&str]) -> Value {
    node.cli(&[&["bezorging", "lijst", "--json"], more].concat()).json()
}

/// Puts the next attempt so far away that what goes before it does not go because of it: what a partner gets that asks us to
/// come back much later. Waiting until the node's own waits are that long takes minutes.
fn long_wait(corporation: &Node) {
    until("the corporation waits between attempts", || {
        let queue = &listed(corporation, &[])["wachtrijen"][0];
        let next: Timestamp = queue["volgende_poging"].as_str()?.parse().ok()?;
        let wait = next.duration_since(SystemClock.now());
        if wait < LONGEST_WAIT / 2 && wait > SignedDuration::from_secs(2) {
            corporation.postpone(MUNICIPALITY, queue["storing"].as_str()?, LONGEST_WAIT);
        }
        (wait >= LONGEST_WAIT / 2).then_some(())
    });
}

/// Once the municipality shows itself, so many messages are there, long before the wait would have been over.
fn comes_back(
    (municipality, corporation): (&Node, &Node),
    arrived: usize,
    shows_itself: impl FnOnce() -> Done,
) {
    find(municipality, corporation);
    shows_itself().expect(0);
    corporation.settle();
    assert_eq!(municipality.mailbox("in").states()["toegelaten"], arrived);
}

#[test]
fn what_waits_is_told_given_up_and_goes_at_once() {
    let place = Place::new();
    let (municipality, _one) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _other) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    assert_eq!(corporation.json(&["bezorging", "lijst"])["wachtrijen"], json!([]));

    lose(&municipality, &corporation, &place);
    assert_eq!(corporation.send(&place.file("a.csv", &export::rows(4, 1)), MUNICIPALITY)["verzonden"], 4);
    long_wait(&corporation);
    let told = corporation.cli(&["bezorging", "lijst", "--json"]).expect(1).json();
    let queue = &told["wachtrijen"][0];
    assert_eq!((&queue["oin"], &queue["wachtend"]), (&json!(MUNICIPALITY), &json!(4)));
    let failure = queue["storing"].as_str().unwrap();
    assert!(
        failure.contains("niet bereikbaar") && failure.contains("vanzelf opnieuw geprobeerd"),
        "{failure}"
    );
    let rows = told["berichten"].as_array().unwrap();
    assert!(rows.len() == 4 && rows.iter().all(|row| row["waarom"] == queue["storing"]), "{told}");
    let said = corporation.cli(&["bezorging", "lijst"]).expect(1).stdout;
    assert!(said.contains("4 berichten wachten") && said.contains("Volgende poging"), "{said}");
    let of = |more: &[&str]| listed(&corporation, more)["berichten"].as_array().unwrap().len();
    assert_eq!(of(&["--stand", "wacht", "--doel", "vroegsignalering-huur", "--partner", MUNICIPALITY]), 4);
    assert_eq!(
        of(&["--doel", "iets-anders"]) + of(&["--partner", CORPORATION]) + of(&["--sinds", "2100-01-01"]),
        0
    );

    // One is given up, for good and on record; the others not without saying how many.
    let number = rows[0]["nummer"].to_string();
    let done = corporation.json(&["bezorging", "opgeven", &number, "--omdat", "anders-geregeld"]);
    assert_eq!(done, json!({ "gedaan": [rows[0]["nummer"]], "niet": [] }));
    let given_up = listed(&corporation, &["--stand", "opgegeven"]);
    assert!(given_up["berichten"][0]["waarom"].as_str().unwrap().contains("andere manier"), "{given_up}");
    let again = corporation.cli(&["berichten", "--opnieuw", &number]).refused();
    assert!(again.contains("opgegeven"), "{again}");
    corporation.cli(&["bezorging", "opnieuw", &number, "--json"]).expect(1);
    let on_record = corporation.json(&["raadplegingen", "--bericht", &number])["raadplegingen"][0].clone();
    assert_eq!(
        (&on_record["besluit"], &on_record["berichten"]),
        (&json!("opgeven"), &json!([rows[0]["nummer"]]))
    );
    let choice =
        ["bezorging", "opgeven", "--partner", MUNICIPALITY, "--stand", "wacht", "--omdat", "niet-meer-nodig"];
    let unsure = corporation.cli(&choice).refused();
    assert!(unsure.contains("--bevestig 3"), "{unsure}");
    assert!(
        corporation.cli(&[&choice[..], &["--bevestig", "4"]].concat()).refused().contains("--bevestig 3")
    );
    assert_eq!(listed(&corporation, &[])["wachtrijen"][0]["wachtend"], 3);

    // A partner that asks us something is there, and so is one that answers a question of another process.
    comes_back((&municipality, &corporation), 3, || municipality.cli(&["partner", "test", CORPORATION]));
    lose(&municipality, &corporation, &place);
    corporation.send(&place.file("b.csv", &export::rows(2, 2)), MUNICIPALITY);
    long_wait(&corporation);
    comes_back((&municipality, &corporation), 5, || corporation.cli(&["partner", "test", MUNICIPALITY]));
    assert_eq!(corporation.mailbox("uit").states()["onbestelbaar"], 1);
    corporation.verified_log();
}
