//! Desks: who takes what and when, a wrong one is refused before anything leaves, and at the receiver there is no wrong door.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use serde_json::{Value, json};
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, SIGNAL, Serving, agree, export, until};

const DESKS: &str = r#"
[[loketten]]
loket = "wmo"
naam = "Loket Wmo"
doelen = ["hulp-met-toestemming"]

[[loketten]]
loket = "schuldhulp"
naam = "Loket schuldhulp"
doelen = ["vroegsignalering-huur"]
berichttypen = ["nl.sociaaldomein.signalen.betalingsachterstand.v1"]
open = [
    { dag = "maandag", van = "09:00", tot = "17:00" },
    { dag = "dinsdag", van = "09:00", tot = "17:00" },
]
contact = "0100-000000"
"#;

fn publish(node: &Node, serving: Serving, desks: &str) -> Serving {
    let settings = node.path("schakel.toml");
    let before = fs::read_to_string(&settings).unwrap();
    let before = before.split("\n[[loketten]]").next().unwrap().trim_end().to_owned();
    fs::write(&settings, format!("{before}\n{desks}")).unwrap();
    serving.stop();
    node.serve()
}

fn listed(node: &Node, more: &[&str]) -> Value {
    node.cli(&[&["loketten", "--json"], more].concat()).json()
}

/// The desks of the municipality, as this node knows them.
fn theirs(node: &Node, more: &[&str]) -> Vec<String> {
    let listed = listed(node, &[more, &["--partner", MUNICIPALITY]].concat());
    let desks = listed["organisaties"][0]["loketten"].as_array().cloned().unwrap_or_default();
    desks.iter().map(|desk| desk["loket"]["loket"].as_str().unwrap().to_owned()).collect()
}

fn arrived_at(node: &Node) -> Vec<Value> {
    let mut desks: Vec<Value> = node.mailbox("in").0.iter().map(|row| row["loket"].clone()).collect();
    desks.sort_by_key(ToString::to_string);
    desks
}

/// Desks that cannot be right.
fn refuses_to_start(municipality: &Node) {
    let settings = municipality.path("schakel.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("opvolger = \"balie\"", "opvolger = \"nergens\"")).unwrap();
    let refused = municipality.cli(&["loketten"]).refused();
    assert!(refused.contains("`schuldhulp`") && refused.contains("`nergens`"), "{refused}");
    fs::write(&settings, text).unwrap();
}

#[test]
fn a_message_finds_the_desk_that_takes_it() {
    let place = Place::new();
    let (municipality, serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _other) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let nobody = corporation.cli(&["loketten", "--doel", "vroegsignalering-huur", "--json"]).expect(1).json();
    assert_eq!(nobody["zonder_loketten"], json!([CORPORATION, MUNICIPALITY]));
    // Nothing is known of desks: the mapping names one, and that is what the receiver sees.
    assert_eq!(corporation.send(&place.file("a.csv", &export::rows(1, 1)), MUNICIPALITY)["verzonden"], 1);
    corporation.settle();
    assert_eq!(arrived_at(&municipality), ["schuldhulp"]);

    // What it publishes is known to partners as soon as it is back.
    let serving = publish(&municipality, serving, DESKS);
    until("the corporation knows the desks", || (theirs(&corporation, &[]).len() == 2).then_some(()));
    assert_eq!(
        theirs(&corporation, &["--doel", "vroegsignalering-huur", "--bericht", SIGNAL]),
        ["schuldhulp"]
    );
    assert_eq!(theirs(&corporation, &["--bericht", "signaal-betalingsachterstand"]).len(), 2);
    assert_eq!(theirs(&corporation, &["--doel", "hulp-met-toestemming"]), ["wmo"]);
    let one = listed(&corporation, &["--doel", "vroegsignalering-huur", "--partner", MUNICIPALITY]);
    let one = one["organisaties"][0]["loketten"][0].clone();
    assert_eq!(one["uren"], "maandag tot en met dinsdag 9.00-17.00 uur");
    assert!(
        one["open"].is_boolean() && (one["open_tot"].is_string() || one["open_vanaf"].is_string()),
        "{one}"
    );
    let told = corporation.cli(&["loketten", "--doel", "vroegsignalering-huur"]).expect(0).stdout;
    assert!(told.contains("0100-000000") && told.contains("geleden gelezen"), "{told}");

    // A desk that does not take it: nothing leaves, and whoever sends hears which do.
    let mapping = corporation.path("koppelingen/woningcorporatie-achterstanden.toml");
    let right = fs::read_to_string(&mapping).unwrap();
    for wrong in ["wmo", "bestaat-niet"] {
        fs::write(&mapping, right.replace("loket = \"schuldhulp\"", &format!("loket = \"{wrong}\"")))
            .unwrap();
        let report = corporation.send(&place.file("b.csv", &export::rows(1, 2)), MUNICIPALITY);
        let held = &report["tegengehouden"][0];
        assert_eq!(
            (&held["reden"], &held["over"]),
            (&json!("loket-onjuist"), &json!(["schuldhulp"])),
            "{report}"
        );
    }
    fs::write(&mapping, &right).unwrap();
    assert_eq!(corporation.send(&place.file("b.csv", &export::rows(1, 2)), MUNICIPALITY)["verzonden"], 1);
    corporation.settle();
    assert_eq!(arrived_at(&municipality), ["schuldhulp", "schuldhulp"]);

    // Closed for good while messages are under way: they arrive at its successor, or at who takes them.
    let closed = DESKS.replace(
        "contact = \"0100-000000\"",
        "opgeheven = { per = \"2026-01-01\", opvolger = \"balie\" }\n\n[[loketten]]\nloket = \"balie\"\nnaam = \"Balie\"",
    );
    let serving = publish(&municipality, serving, &closed);
    until("the corporation knows the new desk", || (theirs(&corporation, &[]).len() == 3).then_some(()));
    assert_eq!(corporation.send(&place.file("c.csv", &export::rows(1, 3)), MUNICIPALITY)["verzonden"], 1);
    corporation.settle();
    assert_eq!(arrived_at(&municipality), ["balie", "schuldhulp", "schuldhulp"]);
    assert_eq!(theirs(&corporation, &["--doel", "vroegsignalering-huur"]), ["balie"]);

    refuses_to_start(&municipality);
    municipality.verified_log();
    drop(serving);
}

#[test]
fn a_message_is_passed_on_and_counted() {
    let place = Place::new();
    let (municipality, serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _other) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let desks = format!("{DESKS}\n[[loketten]]\nloket = \"balie\"\nnaam = \"Balie\"\n");
    let _serving = publish(&municipality, serving, &desks);
    agree(&place, &municipality, &corporation);
    corporation.send(&place.file("a.csv", &export::rows(7, 1)), MUNICIPALITY);
    corporation.settle();

    let first = municipality.mailbox("in").0.last().unwrap().clone();
    let number = first["nummer"].to_string();
    let refused = municipality.cli(&["doorgeven", &number, "--naar", "wmo"]).refused();
    assert!(refused.contains("`wmo`") && refused.contains("schuldhulp, balie"), "{refused}");
    assert!(municipality.cli(&["doorgeven", &number, "--naar", "schuldhulp"]).refused().contains("al bij"));
    let passed = municipality.json(&["doorgeven", &number, "--naar", "balie", "--kenmerk", "Z-12"]);
    let expected = json!({
        "nummer": first["nummer"], "dossier": first["dossier"], "loket": "balie", "kwam_van_loket": "schuldhulp",
    });
    assert_eq!(passed, expected);
    let now = municipality.mailbox("in").0.last().unwrap().clone();
    assert_eq!(
        (&now["loket"], &now["dossier"], &now["bericht"]),
        (&json!("balie"), &first["dossier"], &first["bericht"])
    );
    let on_record = municipality.json(&["raadplegingen", "--bericht", &number])["raadplegingen"][0].clone();
    assert_eq!((&on_record["besluit"], &on_record["kenmerk"]), (&json!("doorgeven"), &json!("Z-12")));
    let sent = corporation.mailbox("uit").0[0]["nummer"].to_string();
    assert!(
        corporation.cli(&["doorgeven", &sent, "--naar", "balie"]).refused().contains("niet binnengekomen")
    );
    municipality.cli(&["wissen", "dossier", first["dossier"].as_str().unwrap(), "--zeker"]).expect(0);
    assert!(municipality.cli(&["doorgeven", &number, "--naar", "schuldhulp"]).refused().contains("gewist"));
    municipality.verified_log();

    // What was erased still counts; a small number does not stand there.
    let figures = municipality.json(&["cijfers"])["cijfers"].clone();
    let line = &figures[0]["regels"][0];
    assert_eq!((&figures[0]["richting"], &figures[0]["totaal"]), (&json!("in"), &json!(7)));
    assert_eq!(
        (&line["oin"], &line["aantal"], &line["beantwoord"]),
        (&json!(CORPORATION), &json!(7), &json!(0))
    );
    assert_eq!(municipality.json(&["cijfers", "--tot", "2020-01-01"])["cijfers"], json!([]));
    let csv = municipality.cli(&["cijfers", "--csv"]).expect(0).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("\"richting\";\"doel\"") && lines.len() == 2, "{csv}");
    assert!(
        lines[1].contains("\"vroegsignalering-huur\"")
            && lines[1].contains("\"toegelaten\";\"7\";\"7\";\"0\""),
        "{csv}"
    );
}
