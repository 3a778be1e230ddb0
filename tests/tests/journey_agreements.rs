//! Agreements over their whole life: told, compared, replaced, and checked with tools that are not ours.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{fs, path::Path, process::Command};

use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, Serving, agree, export, proposal, until};

struct Two {
    place: Place,
    municipality: Node,
    corporation: Node,
    serving: [Serving; 2],
    first: String,
}

fn two() -> Two {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let first = agree(&place, &municipality, &corporation);
    Two { place, municipality, corporation, serving: [receiving, sending], first }
}

impl Two {
    /// Proposes the next version, changed, and gives its digest.
    fn propose(&self, version: u32, change: impl FnOnce(&mut Value)) -> String {
        let [first, second] =
            [&self.municipality, &self.corporation].map(|node| node.json(&["convenant", "partij"]));
        let mut text = proposal(&first, &second["partij"]);
        text["versie"] = json!(version);
        change(&mut text);
        let file = self.place.file("convenant.json", text.to_string().as_bytes());
        let proposed = self.municipality.json(&["convenant", "voorstellen", file.to_str().unwrap()]);
        proposed["convenant"].as_str().unwrap().to_owned()
    }
}

fn standing(node: &Node, digest: &str) -> String {
    let shown = node.json(&["convenant", "tonen", digest]);
    shown["convenanten"][0]["stand"].as_str().unwrap().to_owned()
}

#[test]
fn a_new_version_takes_the_place_of_the_old() {
    let two = two();
    let export = two.place.file("eerste.csv", &export::rows(5, 1));
    assert_eq!(two.corporation.send(&export, MUNICIPALITY)["verzonden"], 5);
    // The new version has no feedback any more.
    let second = two.propose(2, |text| drop(text["afspraken"].as_array_mut().unwrap().pop()));
    let shown = two.corporation.cli(&["convenant", "tonen"]).expect(0).stdout;
    assert!(shown.contains("neemt de plaats in van reis versie 1"), "{shown}");
    let told = two.corporation.json(&["convenant", "verschil", &two.first, &second]);
    let told: Vec<&str> =
        told["verschillen"].as_array().unwrap().iter().map(|one| one["tekst"].as_str().unwrap()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("was 1, wordt 2"), "{told:?}");
    assert!(told[1].contains("mag geen terugkoppelingen.gegeven"), "{told:?}");

    assert_eq!(standing(&two.corporation, &two.first), "in werking", "until all have accepted");
    two.corporation.cli(&["convenant", "aanvaarden", &second]).expect(0);
    for node in [&two.municipality, &two.corporation] {
        until("the old one is replaced", || {
            standing(node, &two.first).starts_with("vervangen door reis versie 2").then_some(())
        });
    }
    let row = &two.municipality.json(&["convenant", "tonen", &two.first])["convenanten"][0];
    assert_eq!((&row["vervangen_door"], &row["dagen_geldig"]), (&json!(second), &Value::Null));
    two.corporation.settle();
    let more = two.place.file("tweede.csv", &export::rows(5, 2));
    assert_eq!(two.corporation.send(&more, MUNICIPALITY)["verzonden"], 5);
    two.corporation.settle();
    let inbox = two.municipality.mailbox("in");
    assert_eq!(inbox.states(), [("toegelaten".to_owned(), 10)].into());
    let under = |digest: &str| inbox.0.iter().filter(|row| row["convenant"] == digest).count();
    assert_eq!((under(&two.first), under(&second)), (5, 5));

    // The end of the new one does not bring back the old one.
    two.municipality.cli(&["convenant", "opzeggen", &second, "--zeker"]).expect(0);
    until("the end is known", || standing(&two.corporation, &second).starts_with("opgezegd").then_some(()));
    let last = two.place.file("derde.csv", &export::rows(5, 3));
    assert_eq!(two.corporation.send(&last, MUNICIPALITY)["geweigerd"]["convenant-niet-geldig"], 5);
}

/// Who accepted cannot take it back: not of a version that is in force, nor of one that another took the place of.
#[test]
fn what_was_accepted_is_not_rejected_any_more() {
    let two = two();
    let refused = two.corporation.cli(&["convenant", "afwijzen", &two.first]).refused();
    assert!(refused.contains("al aanvaard") && refused.contains("schakel convenant opzeggen"), "{refused}");
    let second = two.propose(2, |_| {});
    two.corporation.cli(&["convenant", "aanvaarden", &second]).expect(0);
    for node in [&two.municipality, &two.corporation] {
        until("the old one is replaced", || {
            standing(node, &two.first).starts_with("vervangen").then_some(())
        });
        let refused = node.cli(&["convenant", "afwijzen", &two.first]).refused();
        assert!(refused.contains("al aanvaard"), "{refused}");
    }
}

#[test]
fn a_new_version_that_is_rejected_changes_nothing() {
    let two = two();
    let second = two.propose(2, |text| text["afspraken"] = json!([text["afspraken"][1]]));
    two.corporation.cli(&["convenant", "afwijzen", &second]).expect(0);
    for node in [&two.municipality, &two.corporation] {
        until("the rejection is known", || {
            standing(node, &second).starts_with("afgewezen door Organisatie corporatie").then_some(())
        });
        assert_eq!(standing(node, &two.first), "in werking");
        assert!(node.cli(&["convenant", "aanvaarden", &second]).refused().contains("afgewezen"));
    }
    let export = two.place.file("lijst.csv", &export::rows(3, 1));
    assert_eq!(two.corporation.send(&export, MUNICIPALITY)["verzonden"], 3);
    two.corporation.settle();
    assert_eq!(two.municipality.mailbox("in").states(), [("toegelaten".to_owned(), 3)].into());
}

#[test]
fn the_history_says_who_said_what_and_where_it_is_logged() {
    let two = two();
    two.corporation.cli(&["convenant", "opzeggen", &two.first, "--zeker"]).expect(0);
    until("the end is known", || {
        standing(&two.municipality, &two.first).starts_with("opgezegd").then_some(())
    });
    for which in ["reis", &two.first] {
        let told = two.municipality.json(&["convenant", "geschiedenis", which]);
        let told = told["antwoorden"].as_array().unwrap();
        let said: Vec<(&str, &str)> = told
            .iter()
            .map(|one| (one["door"].as_str().unwrap(), one["antwoord"].as_str().unwrap()))
            .collect();
        let expected = [(MUNICIPALITY, "aanvaard"), (CORPORATION, "aanvaard"), (CORPORATION, "opgezegd")];
        assert_eq!(said, expected);
        let lines: Vec<u64> = told.iter().map(|one| one["regel"].as_u64().unwrap()).collect();
        assert!(told.iter().all(|one| one["gezegd"].is_string()), "{told:?}");
        // The log began with its own beginning.
        let grows = lines.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(lines[0] > 0 && grows && lines[2] < two.municipality.verified_log(), "{lines:?}");
    }
    let shown = two.municipality.cli(&["convenant", "geschiedenis", "reis"]).expect(0).stdout;
    assert!(shown.contains("opgezegd   door Organisatie corporatie"), "{shown}");
    assert!(
        two.municipality.cli(&["convenant", "geschiedenis", "onbekend"]).refused().contains("geen convenant")
    );
}

#[test]
fn an_agreement_that_ends_soon_is_told() {
    let mut two = two();
    let days = |node: &Node, digest: &str| {
        node.json(&["convenant", "tonen", digest])["convenanten"][0]["dagen_geldig"].as_i64()
    };
    let left = days(&two.municipality, &two.first).unwrap();
    assert!((89..=91).contains(&left), "{left}");
    let said = two.municipality.cli(&["convenant", "tonen"]).expect(0).stdout;
    assert!(!said.contains("Let op"), "{said}");

    let soon = two.propose(2, |text| {
        let last: Date = text["geldig_tot"].as_str().unwrap().parse().unwrap();
        text["geldig_tot"] = json!(last.checked_sub(70.days()).unwrap());
    });
    two.corporation.cli(&["convenant", "aanvaarden", &soon]).expect(0);
    until("it is in force", || (standing(&two.municipality, &soon) == "in werking").then_some(()));
    let left = days(&two.municipality, &soon).unwrap();
    assert!((19..=21).contains(&left), "{left}");
    let said = two.municipality.cli(&["convenant", "tonen"]).expect(0).stdout;
    assert!(said.contains(&format!("Let op: reis versie 2 ({})", &soon[7..19])), "{said}");
    assert!(said.contains(&format!("over {left} dagen is de laatste dag")), "{said}");
    let [receiving, _] = &mut two.serving;
    receiving.kill();
    let again = two.municipality.serve();
    let ready: Value = serde_json::from_str(again.process.stdout().lines().next().unwrap()).unwrap();
    assert_eq!(ready["convenanten_die_eindigen"][0]["convenant"], json!(soon));
    until("it is in the log", || again.process.stderr().contains("an agreement ends").then_some(()));
}

/// The commands of the protocol, §5.7, as they stand there.
fn documented() -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/PROTOCOL.md")).unwrap();
    let (_, section) = text.split_once("### 5.7 ").expect("the section");
    let (_, commands) = section.split_once("```sh\n").expect("the commands");
    commands.split_once("```").expect("their end").0.to_owned()
}

/// Runs them in a folder; gives what they said when they found nothing wrong.
fn check(folder: &Path) -> Option<String> {
    let done = Command::new("sh").args(["-c", &documented()]).current_dir(folder).output().unwrap();
    done.status.success().then(|| String::from_utf8(done.stdout).unwrap())
}

/// A copy of a folder with one text in one file replaced.
fn spoiled(from: &Path, to: &Path, file: &str, text: &str, by: &str) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    let before = fs::read_to_string(to.join(file)).unwrap();
    assert!(before.contains(text), "{text} is not in {file}");
    fs::write(to.join(file), before.replacen(text, by, 1)).unwrap();
}

/// An acceptance that is missing or comes twice is noticed, and an end is told.
fn not_everybody_once(two: &Two, folder: &Path) {
    let copy = |name: &str| {
        let copy = two.place.path().join(name);
        spoiled(folder, &copy, "convenant.json", "{", "{");
        copy
    };
    let accepted = format!("antwoord-{CORPORATION}-aanvaard.jws");
    let missing = copy("ontbreekt");
    fs::remove_file(missing.join(&accepted)).unwrap();
    assert_eq!(check(&missing), None, "an acceptance is missing");
    let twice = copy("dubbel");
    fs::copy(twice.join(&accepted), twice.join("antwoord-nog-een.jws")).unwrap();
    assert_eq!(check(&twice), None, "an acceptance comes twice");
    let instead = copy("in-plaats-van");
    let other = instead.join(format!("antwoord-{MUNICIPALITY}-aanvaard.jws"));
    fs::copy(instead.join(&accepted), other).unwrap();
    assert_eq!(check(&instead), None, "one acceptance stands for two");

    two.municipality.cli(&["convenant", "opzeggen", &two.first, "--zeker"]).expect(0);
    let ended = two.place.path().join("opgezegd");
    let to = ended.to_str().unwrap();
    two.municipality.json(&["convenant", "exporteren", &two.first, "--naar", to]);
    let said = check(&ended).expect("it was signed by all");
    assert!(said.contains(&format!("let op, het is ten einde: opgezegd {MUNICIPALITY} ")), "{said}");
    let refused = two.propose(2, |_| {});
    two.corporation.cli(&["convenant", "afwijzen", &refused]).expect(0);
    let rejected = two.place.path().join("afgewezen");
    two.corporation.json(&["convenant", "exporteren", &refused, "--naar", rejected.to_str().unwrap()]);
    assert_eq!(check(&rejected), None, "it was rejected");
}

#[test]
fn an_agreement_is_checked_with_the_documented_commands() {
    let two = two();
    let folder = two.place.path().join("convenant");
    let to = folder.to_str().unwrap();
    let written = two.municipality.json(&["convenant", "exporteren", &two.first, "--naar", to]);
    assert_eq!(written["bestanden"].as_array().unwrap().len(), 4);
    let said = check(&folder).expect("the commands find nothing wrong");
    assert_eq!(said.lines().last(), Some(two.first.as_str()));
    assert!(
        said.contains(&format!("aanvaard {MUNICIPALITY} "))
            && said.contains(&format!("aanvaard {CORPORATION} "))
            && !said.contains("let op"),
        "{said}"
    );
    assert!(
        two.municipality
            .cli(&["convenant", "exporteren", &two.first, "--naar", to])
            .refused()
            .contains("bestaat al")
    );

    let answer = format!("antwoord-{CORPORATION}-aanvaard.jws");
    let jws = fs::read_to_string(folder.join(&answer)).unwrap();
    let signature = jws.rsplit_once('.').unwrap().1;
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let cases = [
        ("convenant.json", "fg@voorbeeld.test", "fg@iemand-anders.test"),
        ("doel-vroegsignalering-huur.json", "\"bewaartermijn_dagen\":183", "\"bewaartermijn_dagen\":365"),
        (answer.as_str(), signature, &format!("{other}{}", &signature[1..])),
    ];
    for (number, (file, text, by)) in cases.into_iter().enumerate() {
        let copy = two.place.path().join(format!("bedorven-{number}"));
        spoiled(&folder, &copy, file, text, by);
        assert_eq!(check(&copy), None, "{file}");
    }
    not_everybody_once(&two, &folder);
    // Laid out anew it is the same agreement, and another digest of the file.
    let copy = two.place.path().join("opgemaakt");
    spoiled(&folder, &copy, "convenant.json", "{", "{ ");
    assert_eq!(check(&copy), None, "the file itself is no longer the text");
}
