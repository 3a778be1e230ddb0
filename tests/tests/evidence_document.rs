//! The commands of `gateway/EVIDENCE.md` do what that page says, on bundles that the program made.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, agree, export};

const DOCUMENT: &str = include_str!("../../gateway/EVIDENCE.md");
/// What the commands need; `tests/run` installs what is missing.
const TOOLS: &[&str] = &["bash", "jq", "openssl", "base64", "sha256sum", "awk", "sed", "od"];

/// The commands of the page, in their order.
fn commands() -> String {
    let blocks = DOCUMENT.split("```bash\n").skip(1);
    let commands: Vec<&str> = blocks.map(|block| block.split("```").next().unwrap()).collect();
    assert!(commands.len() >= 6, "the page has its commands");
    commands.concat()
}

/// Runs the commands on a bundle, in a folder with nothing else in it.
fn run(bundle: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bewijs.json"), bundle).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-c", &commands()]).current_dir(folder.path());
    bash.output().expect("bash runs")
}

fn holds(bundle: &[u8]) -> String {
    let done = run(bundle);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.ends_with("het bewijs klopt\n"), "{said}");
    said
}

fn evidence(place: &Place, node: &Node, number: &Value) -> (PathBuf, Vec<u8>) {
    let path = place.path().join(format!("{}-{number}.json", node.oin));
    node.cli(&["logboek", "bewijs", &number.to_string(), "--naar", path.to_str().unwrap()]).expect(0);
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

/// With one member of the bundle changed.
fn changed(bundle: &[u8], pointer: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(bundle).unwrap();
    let place = value.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let text = place.as_str().unwrap().to_owned();
    let other = change(&text);
    assert_ne!(other, text, "{pointer} is changed");
    *place = other.into();
    value.to_string().into_bytes()
}

/// A letter that base64 has in the middle of a text becomes another.
fn bent(text: &str) -> String {
    let middle = text.len() / 2;
    let letter = if text.as_bytes()[middle] == b'A' { "B" } else { "A" };
    format!("{}{letter}{}", &text[..middle], &text[middle + 1..])
}

/// A JWS whose signature is another.
fn bent_signature(text: &str) -> String {
    let (signed, signature) = text.rsplit_once('.').unwrap();
    format!("{signed}.{}", bent(signature))
}

fn program(path: &Path, place: &Place, more: &[&str]) -> (i32, Value) {
    let arguments = [&["bewijs", "controleer", path.to_str().unwrap(), "--json"], more].concat();
    let done = place.cli(&arguments);
    (done.code, done.json())
}

fn outcome<'a>(report: &'a Value, step: &str) -> &'a str {
    let steps = report["stappen"].as_array().unwrap();
    steps.iter().find(|one| one["stap"] == step).unwrap()["uitkomst"].as_str().unwrap()
}

#[test]
fn the_commands_of_the_page_check_a_bundle() {
    for tool in TOOLS {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap();
        assert!(
            found.status.success(),
            "{tool} is missing; install it (apt-get install jq openssl) or use tests/run"
        );
    }
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let agreement = agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", &export::rows(9, 1));
    corporation.send(&list, MUNICIPALITY);
    corporation.settle();
    corporation.cli(&["logboek", "partners", "--nu"]).expect(0);

    // Made by the sender of the receipt, and by the receiver of its own log, which the sender cosigned.
    let sent = &corporation.mailbox("uit").0[4]["nummer"];
    let (path, of_sender) = evidence(&place, &corporation, sent);
    assert!(!holds(&of_sender).contains("medeondertekend"));
    let received = &municipality.mailbox("in").0[4]["nummer"];
    let (other_path, of_receiver) = evidence(&place, &municipality, received);
    let said = holds(&of_receiver);
    assert!(said.contains(&format!("medeondertekend door schakel/{CORPORATION}")), "{said}");
    assert!(said.contains(&agreement), "{said}");

    the_program_says_the_same(&place, &path, &other_path, &agreement);
    for (pointer, change) in [
        ("/bericht", bent as fn(&str) -> String),
        ("/bericht", bent_signature),
        ("/antwoorden/0", bent_signature),
        ("/blad", |text| text.replace("toegelaten", "geweigerd")),
        ("/blad", |text| text.replace("2026", "2027")),
        ("/ontvangstbewijs", |text| text.replace("index ", "index 1")),
        ("/ontvangstbewijs", |text| {
            let (head, line) = text.trim_end().rsplit_once(' ').unwrap();
            format!("{head} {}\n", bent(line))
        }),
        ("/logsleutel", bent),
        ("/convenant/groep", |text| format!("{text}x")),
        ("/convenant/partijen/0/logsleutel", bent),
        ("/antwoorden/1", bent),
        ("/doelen/0/naam", |text| format!("{text}x")),
    ] {
        let bad = changed(&of_receiver, pointer, change);
        assert!(!run(&bad).status.success(), "{pointer} is not noticed");
        let file = place.file("veranderd.json", &bad);
        assert_eq!(program(&file, &place, &[]).0, 1, "{pointer} is not noticed by the program");
    }
    // Fewer answers than parties.
    let mut fewer: Value = serde_json::from_slice(&of_receiver).unwrap();
    fewer["antwoorden"].as_array_mut().unwrap().pop();
    assert!(!run(fewer.to_string().as_bytes()).status.success());
}

/// On a machine without a node: the place of these tests is none.
fn the_program_says_the_same(place: &Place, sent: &Path, received: &Path, agreement: &str) {
    for (path, witnesses) in [(sent, "niet-gecontroleerd"), (received, "bewezen")] {
        let (code, report) = program(path, place, &["--convenant", agreement]);
        assert_eq!((code, &report["klopt"]), (0, &Value::Bool(true)), "{report}");
        assert_eq!(outcome(&report, "getuigen"), witnesses, "{report}");
        assert_eq!(outcome(&report, "sleutels"), "bewezen", "{report}");
        let (code, report) = program(path, place, &["--convenant", &agreement.replace(':', ":0")[..71]]);
        assert_eq!((code, outcome(&report, "sleutels")), (1, "onjuist"), "{report}");
    }
    let said = place.cli(&["bewijs", "controleer", sent.to_str().unwrap()]).expect(0).stdout;
    assert!(said.contains("Dit bewijst het bestand niet:") && said.contains("--convenant"), "{said}");
    let nowhere = place.cli(&["bewijs", "controleer", "bestaat-niet.json"]).refused();
    assert!(nowhere.contains("bestaat niet"), "{nowhere}");
    let file = place.file("geen-bewijs.json", b"{}");
    assert_eq!(program(&file, place, &[]).0, 1);
}
