//! What a purpose lets go: tried before anything is sent, left out where the purpose says so, and shown to who asks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tests::processes::{CORPORATION, Done, MUNICIPALITY, Node, Place, agree, export};

const SIGNAL: &str = include_str!("../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");
const HANDOVER: &str = include_str!("../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");

fn config(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config").join(path);
    folder.to_str().unwrap().to_owned()
}

/// `schakel doel toets` with the purposes of the project.
fn check(place: &Place, data: &Value, purpose: &str, more: &[&str]) -> Done {
    let file = place.file("data.json", data.to_string().as_bytes());
    let purposes = config("doelen");
    let whole = ["doel", "toets", file.to_str().unwrap(), "--doel", purpose, "--doelen", &purposes];
    place.cli(&[&whole[..], more].concat())
}

fn signal() -> Value {
    serde_json::from_str(SIGNAL).unwrap()
}

/// The texts and numbers about the person in a document.
fn values(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() > 3 => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| values(item, found)),
        Value::Object(members) => members.values().for_each(|member| values(member, found)),
        _ => {}
    }
}

#[test]
fn a_document_is_tried_field_by_field() {
    let place = Place::new();
    let good = check(&place, &signal(), "vroegsignalering-huur", &["--json"]).expect(0).json();
    assert_eq!((&good["uitkomst"], &good["mag"]), (&json!("heel"), &json!(true)));

    let mut with_bsn = signal();
    with_bsn["betrokkene"]["bsn"] = json!("999990342");
    let done = check(&place, &with_bsn, "vroegsignalering-huur", &["--json"]).expect(1).json();
    let refused: Vec<&Value> =
        done["velden"].as_array().unwrap().iter().filter(|field| field["mag"] == false).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (&refused[0]["veld"], &refused[0]["redenen"][0]["over"]),
        (&json!("/betrokkene/bsn"), &json!("bsn"))
    );
    assert_eq!(done["uitkomst"], "niet");

    let mut unmet = signal();
    unmet["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(false);
    let done = check(&place, &unmet, "vroegsignalering-huur", &["--json"]).expect(1).json();
    assert_eq!(done["grondslag"]["reden"], "voorwaarde-niet-vervuld");
    assert_eq!(done["grondslag"]["over"], json!(["persoonlijk-contact"]));
    assert!(done["velden"].as_array().unwrap().iter().all(|field| field["mag"] == true));

    let mut invalid = signal();
    invalid["inhoud"].as_object_mut().unwrap().remove("bedrag_in_centen");
    let more = ["--json", "--type", "signalen.betalingsachterstand"];
    let done = check(&place, &invalid, "vroegsignalering-huur", &more).expect(1).json();
    assert!(done["fouten"][0].as_str().unwrap().starts_with("/inhoud/bedrag_in_centen"), "{done}");
}

#[test]
fn special_data_is_shown_with_its_exception_and_no_value_is() {
    let place = Place::new();
    let mut handover: Value = serde_json::from_str(HANDOVER).unwrap();
    let situation = handover["inhoud"]["situatie"].as_object_mut().unwrap();
    let one = situation.values().next().unwrap().clone();
    situation.insert("verslaving".into(), one);
    let more = ["--van", "gemeente", "--naar", "uwv"];
    let said = check(&place, &handover, "overdracht-werk-en-inkomen", &more).expect(1).stdout;
    assert!(said.contains("bijzonder, mag op grond van UAVG art. 30 lid 1 onder b"), "{said}");
    assert!(said.contains("/inhoud/situatie/verslaving/omschrijving"), "{said}");
    assert!(said.contains("AVG art. 9") && said.contains("Het bericht mag zo niet weg."), "{said}");
    let wide: Vec<&str> = said.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    let mut held = Vec::new();
    values(&handover["inhoud"], &mut held);
    values(&handover["betrokkene"], &mut held);
    // A value may be a word that also stands in the rules; a sentence or number cannot.
    let person: Vec<&String> =
        held.iter().filter(|text| text.contains([' ', '@', '.']) || text.len() == 9).collect();
    assert!(person.len() > 5);
    for text in person {
        assert!(!said.contains(text.as_str()), "{text}");
    }
}

#[test]
fn what_is_asked_wrong_is_explained() {
    let place = Place::new();
    let unknown = check(&place, &signal(), "iets", &[]).refused();
    assert!(unknown.contains("vroegsignalering-huur"), "{unknown}");
    let kind = check(&place, &signal(), "vroegsignalering-huur", &["--van", "uwv"]).refused();
    assert!(kind.contains("woningcorporatie"), "{kind}");
    let other = check(&place, &signal(), "vroegsignalering-huur", &["--type", "signalen.overlast"]).refused();
    assert!(other.contains("signalen.betalingsachterstand"), "{other}");
    let nothing = check(&place, &json!({}), "vroegsignalering-huur", &[]).refused();
    assert!(nothing.contains("--type"), "{nothing}");
    let file = place.file("data.json", SIGNAL.as_bytes());
    let nowhere = place.cli(&["doel", "toets", file.to_str().unwrap(), "--doel", "x"]).refused();
    assert!(nowhere.contains("--doelen"), "{nowhere}");
}

#[test]
fn a_whole_message_and_a_row_of_an_export_can_be_tried_too() {
    let place = Place::new();
    let message = json!({
        "doel": "vroegsignalering-huur", "type": "nl.sociaaldomein.signalen.betalingsachterstand.v1", "data": signal(),
    });
    let file = place.file("bericht.json", message.to_string().as_bytes());
    let purposes = config("doelen");
    let whole = place.cli(&["doel", "toets", file.to_str().unwrap(), "--doelen", &purposes, "--json"]);
    assert_eq!(whole.expect(0).json()["uitkomst"], "heel");
    let export = place.file("export.csv", &export::rows(2, 1));
    let mapping = config("adapters/woningcorporatie-achterstanden.toml");
    let row =
        ["doel", "toets", export.to_str().unwrap(), "--mapping", &mapping, "--doelen", &purposes, "--json"];
    assert_eq!(place.cli(&row).expect(0).json()["doel"], "vroegsignalering-huur");
    let beyond = place.cli(&[&row[..7], &["--regel", "90"]].concat()).refused();
    assert!(beyond.contains("regel 90"), "{beyond}");
}

/// Takes contact data out of the purpose of a node, and has it left out.
fn narrow(node: &Node) {
    let path = node.path("doelen/vroegsignalering-huur.toml");
    let text = fs::read_to_string(&path).unwrap();
    let all = "gegevens = [\"identificatie\", \"adres\", \"contact\", \"financieel\"]";
    assert!(text.contains(all));
    let fewer = "gegevens = [\"identificatie\", \"adres\", \"financieel\"]\nte_veel = \"weglaten\"";
    fs::write(path, text.replace(all, fewer)).unwrap();
}

#[test]
fn what_a_purpose_does_not_allow_is_left_out_and_reported() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    narrow(&municipality);
    narrow(&corporation);
    agree(&place, &municipality, &corporation);
    let file = place.file("data.json", SIGNAL.as_bytes());
    let tried =
        corporation.json(&["doel", "toets", file.to_str().unwrap(), "--doel", "vroegsignalering-huur"]);
    assert_eq!((&tried["uitkomst"], &tried["mag"]), (&json!("zonder"), &json!(true)));
    let fields = tried["velden"].as_array().unwrap().iter();
    let told: Vec<&str> = fields.filter_map(|field| field["redenen"][0]["uitleg"].as_str()).collect();
    assert!(!told.is_empty() && told.iter().all(|why| why.contains("laat het zelf weg")), "{told:?}");

    let export = place.file("lijst.csv", &export::rows(3, 1));
    let report = corporation.send(&export, MUNICIPALITY);
    assert_eq!((&report["verzonden"], &report["verzonden_zonder"]), (&json!(3), &json!(3)));
    let fields = json!(["/betrokkene/contact/email", "/betrokkene/contact/telefoon"]);
    assert_eq!(report["weggelaten"][0]["velden"], fields);
    assert!(!report.to_string().contains("voorbeeld.test"), "no value");
    let again = corporation.send(&export, MUNICIPALITY);
    assert_eq!(again["eerder_verzonden"], 3, "the row is the same row");
    corporation.settle();
    assert_eq!(municipality.mailbox("in").states(), [("toegelaten".to_owned(), 3)].into());

    let register = municipality.json(&["doel", "register"]);
    assert_eq!(register["verwerkingen"][0]["doel"], "vroegsignalering-huur");
    assert_eq!(register["verwerkingen"][0]["berichten"][0]["bronnen"][0]["oin"], CORPORATION);
    let page = place.path().join("register.html");
    let sheet = place.path().join("register.csv");
    let both = ["doel", "register", "--naar", page.to_str().unwrap(), "--naar", sheet.to_str().unwrap()];
    assert_eq!(municipality.json(&both)["bestanden"].as_array().unwrap().len(), 2);
    for file in [page, sheet] {
        assert!(fs::read_to_string(file).unwrap().contains("Organisatie corporatie"));
    }
    let told = municipality.cli(&["doel", "register"]).expect(0).stdout;
    assert!(told.contains("grondslag: wettelijke verplichting"), "{told}");
    assert!(municipality.cli(&["doel", "register", "--naar", "register.pdf"]).refused().contains(".csv"));
    let shown = municipality.cli(&["doel", "tonen", "vroegsignalering-huur"]).expect(0).stdout;
    assert!(shown.contains("laat het knooppunt dat weg"), "{shown}");
    receiving.stop();
    sending.stop();
}
