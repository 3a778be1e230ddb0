//! The demonstration, as the README's first command and with everything people try next.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a journey measured is read in its output")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;
use tests::processes::{Done, FIXTURE, Place, Running, export, until};

fn demo(place: &Place, arguments: &[&str]) -> Running {
    Running::schakel(place.path(), [&["demo"], arguments].concat())
}

fn once(place: &Place, arguments: &[&str]) -> Done {
    demo(place, &[&["--once", "--json"], arguments].concat()).wait()
}

fn number(outcome: &Value, key: &str) -> u64 {
    outcome[key].as_u64().unwrap_or_else(|| panic!("{key} in {outcome}"))
}

fn adds_up(outcome: &Value) {
    let refused = outcome["geweigerd"].as_object().unwrap().values();
    let refused: u64 = refused.map(|count| count.as_u64().unwrap()).sum();
    let n = |key| number(outcome, key);
    assert_eq!(n("gelezen"), n("verzonden") + n("eerder_verzonden") + refused + n("afgekeurd"), "{outcome}");
    assert_eq!(n("toegelaten"), n("verzonden"), "{outcome}");
    assert_eq!(n("ontvangstbewijzen_geldig"), n("ontvangstbewijzen_verwacht"), "{outcome}");
    assert_eq!(outcome["klopt"], true, "{outcome}");
}

/// Nothing but the evidence, which is for after the demonstration.
fn nothing_is_left(place: &Place) {
    let left = fs::read_dir(place.path().join("tmp")).unwrap().map(|entry| entry.unwrap().file_name());
    let paper = |name: &str| name.ends_with(".bewijs.json") || name.ends_with(".inzage.html");
    let left: Vec<_> = left.filter(|name| !paper(&name.to_string_lossy())).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A resident's consent was relied on, passed on and withdrawn, and the evidence of it holds without a node.
fn consent_held(place: &Place, outcome: &Value) {
    let consent = &outcome["toestemming"];
    let n = |key| number(consent, key);
    assert_eq!(
        (n("overdrachten"), n("geinformeerd"), n("bevestigd"), n("nog_leesbaar")),
        (2, 2, 2, 0),
        "{consent}"
    );
    assert_eq!(consent["tegengehouden"], serde_json::json!({ "gegevens-niet-toegestaan": 1 }));
    assert_eq!(consent["daarna_tegengehouden"], serde_json::json!({ "toestemming-ingetrokken": 1 }));
    let report =
        place.cli(&["bewijs", "controleer", outcome["bewijs"].as_str().unwrap(), "--json"]).expect(0).json();
    assert_eq!(report["klopt"], true, "{report}");
    let steps = report["stappen"].as_array().unwrap();
    let step = steps.iter().find(|step| step["stap"] == "toestemming").unwrap();
    assert_eq!(step["uitkomst"], "bewezen", "{step}");
}

/// Every case has one holder, at both sides the same; a term that was left to end was told of once at each side; and signals of
/// two senders became one case.
fn residents_were_handed_over(outcome: &Value) {
    let states = serde_json::json!({ "aangeboden": 1, "afgewezen": 1, "geaccepteerd": 4 });
    assert_eq!(outcome["overdrachten"], states, "{outcome}");
    let (town, service, uwv) = ("00000099000000001000", "00000099000000003000", "00000099000000004000");
    let expected = [
        ("warm", uwv, [service, uwv]),
        ("andere-deur", service, [town, service]),
        ("gekruist", service, [town, service]),
        ("te-laat", town, [town, uwv]),
    ];
    let holdings = outcome["regie"].as_array().unwrap();
    assert_eq!(holdings.len(), expected.len(), "{outcome}");
    for (holding, (story, holder, sides)) in holdings.iter().zip(expected) {
        assert_eq!((&holding["verhaal"], &holding["regie"]), (&story.into(), &holder.into()), "{holding}");
        let sides: serde_json::Map<_, _> =
            sides.map(|side| (side.to_owned(), Value::from(holder))).into_iter().collect();
        assert_eq!((&holding["volgens"], &holding["gelijk"]), (&sides.into(), &true.into()), "{holding}");
    }
    assert_eq!((number(outcome, "herinnerd"), number(outcome, "geescaleerd")), (2, 2), "{outcome}");
    assert_eq!(number(outcome, "meervoudige_signalen"), 1, "{outcome}");
}

/// What the nodes themselves say of it afterwards, with a clock that is right again and after a second run.
fn the_nodes_say_the_same(place: &Place, outcome: &Value) {
    for holding in outcome["regie"].as_array().unwrap() {
        for (folder, oin) in [
            ("gemeente", "00000099000000001000"),
            ("sociale-dienst", "00000099000000003000"),
            ("uwv", "00000099000000004000"),
        ] {
            if holding["volgens"].get(oin).is_none() {
                continue;
            }
            let (case, map) = (holding["dossier"].as_str().unwrap(), format!("proef/{folder}"));
            let is_late = holding["verhaal"] == "te-laat";
            let shown = place.cli(&["overdracht", "tonen", case, "--json", "--map", &map]);
            let shown = shown.expect(i32::from(is_late)).json();
            assert_eq!(shown["regie"], holding["regie"], "{shown}");
            let last = shown["aanbiedingen"].as_array().unwrap().last().unwrap();
            assert_eq!(last["geescaleerd"].is_string(), is_late, "{shown}");
        }
    }
    let joined = place.cli(&["signalen", "lijst", "--json", "--map", "proef/gemeente"]).json();
    let cases = joined["meervoudige_signalen"].as_array().unwrap();
    assert_eq!(cases.len(), 1, "{joined}");
    let senders = cases[0]["signalen"].as_array().unwrap().iter().map(|signal| signal["partner"].as_str());
    let senders: BTreeSet<_> = senders.flatten().collect();
    assert_eq!(senders, BTreeSet::from(["00000099000000002000", "00000099000000005000"]), "{joined}");
}

#[test]
fn it_runs_twice_in_a_row_and_beside_another() {
    let place = Place::new();
    let (first, second) = (demo(&place, &["--once", "--json"]), demo(&place, &["--once", "--json"]));
    let first = first.wait().expect(0).json();
    let second = second.wait().expect(0).json();
    let third = once(&place, &[]).expect(0).json();
    for outcome in [&first, &second, &third] {
        adds_up(outcome);
        consent_held(&place, outcome);
        residents_were_handed_over(outcome);
        assert_eq!(number(outcome, "gelezen"), 40);
        assert_eq!(number(outcome, "eerder_verzonden"), 0);
        assert!(number(outcome, "verzonden") > 0 && outcome["geweigerd"]["voorwaarde-niet-vervuld"].is_u64());
        let organisations = outcome["organisaties"].as_array().unwrap();
        assert_eq!(organisations.len(), 5);
        for organisation in organisations {
            let oin = organisation["oin"].as_str().unwrap();
            assert_eq!(oin.len(), 20);
            let checkpoint = organisation["checkpoint"].as_str().unwrap();
            let size = number(organisation, "logboek_grootte");
            assert!(checkpoint.starts_with(&format!("schakel/{oin}\n{size}\n")), "{checkpoint}");
            assert!(!organisation["naam"].as_str().unwrap().is_empty());
        }
    }
    assert_ne!(first["organisaties"], second["organisaties"], "each has keys of its own");
    nothing_is_left(&place);
}

#[test]
fn a_kept_folder_can_be_looked_into_and_used_again() {
    let place = Place::new();
    let map = ["--map", "proef"];
    let first = once(&place, &map).expect(0).json();
    adds_up(&first);
    let sent = number(&first, "verzonden");
    for folder in ["gemeente", "woningcorporatie", "sociale-dienst", "uwv", "energieleverancier"] {
        let map = format!("proef/{folder}");
        let verdict = place.cli(&["logboek", "verify", "--json", "--map", &map]).expect(0).json();
        assert_eq!(verdict["heel"], true);
        assert_eq!(
            place.cli(&["partner", "lijst", "--json", "--map", &map]).json()["partners"]
                .as_array()
                .unwrap()
                .len(),
            4
        );
        let agreements = place.cli(&["convenant", "tonen", "--json", "--map", &map]).expect(0).json();
        assert_eq!(agreements["convenanten"][0]["stand"], "in werking");
    }
    let inbox =
        place.cli(&["berichten", "--json", "--richting", "in", "--map", "proef/gemeente"]).expect(0).json();
    let signals = inbox["berichten"].as_array().unwrap().iter();
    let signals = signals.filter(|row| row["type"] == "nl.sociaaldomein.signalen.betalingsachterstand.v1");
    // Those of the list, and those of the landlord and the supplier about one household.
    assert_eq!(signals.count() as u64, sent + 2);

    // The same export sends nothing twice, and its own copy of it, given again, is the same export.
    for again in [&map[..], &["--map", "proef", "--invoer", "proef/achterstanden.csv"]] {
        let again = once(&place, again).expect(0).json();
        assert_eq!((number(&again, "verzonden"), number(&again, "eerder_verzonden")), (0, sent), "{again}");
        assert_eq!(number(&again, "gelezen"), 40);
        assert_eq!(again["klopt"], true, "{again}");
        residents_were_handed_over(&again);
        the_nodes_say_the_same(&place, &again);
        the_nodes_say_the_same(&place, &first);
    }
    assert_eq!(fs::read(place.path().join("proef/achterstanden.csv")).unwrap(), FIXTURE);
    nothing_is_left(&place);
}

#[test]
fn what_somebody_else_put_there_stays_as_it_is() {
    let place = Place::new();
    fs::create_dir_all(place.path().join("eigen/gemeente")).unwrap();
    place.file("eigen/achterstanden.csv", b"van mij");
    let error = once(&place, &["--map", "eigen"]).refused();
    assert!(error.contains("in eigen staat al iets") && error.contains("lege map"), "{error}");
    assert_eq!(fs::read_dir(place.path().join("eigen")).unwrap().count(), 2);
    assert_eq!(fs::read(place.path().join("eigen/achterstanden.csv")).unwrap(), b"van mij");

    fs::create_dir(place.path().join("leeg")).unwrap();
    adds_up(&once(&place, &["--map", "leeg"]).expect(0).json());
    // In its own folder too a list of the same name stays.
    place.file("leeg/achterstanden.csv", b"van mij");
    for _ in 0..2 {
        adds_up(&once(&place, &["--map", "leeg"]).expect(0).json());
        assert_eq!(fs::read(place.path().join("leeg/achterstanden.csv")).unwrap(), b"van mij");
        assert_eq!(fs::read(place.path().join("leeg/achterstanden-2.csv")).unwrap(), FIXTURE);
    }
    assert!(!place.path().join("leeg/achterstanden-3.csv").exists());
    nothing_is_left(&place);
}

/// The members in the tables of the document about JSON, by the command or list they are of.
fn documented(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let code =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    let row = |(name, members): (&str, &str)| {
        let members = code(members).into_iter().map(|member| member.trim_end_matches("[]").to_owned());
        (name.split('`').next().unwrap_or_default().to_owned(), members.collect())
    };
    rows.map(row).collect()
}

#[test]
fn answers_have_the_members_that_are_documented() {
    let documented = documented(include_str!("../../gateway/node/JSON.md"));
    let place = Place::new();
    let holds = |name: &str, answer: &Value| {
        let members: BTreeSet<String> = answer.as_object().unwrap().keys().cloned().collect();
        assert_eq!(Some(&members), documented.get(name), "{name}: {answer}");
    };
    let outcome = once(&place, &["--map", "proef"]).expect(0).json();
    holds("demo --once", &outcome);
    holds("organisaties", &outcome["organisaties"][0]);
    holds("tegengehouden", &outcome["tegengehouden"][0]);
    holds("regie van demo --once", &outcome["regie"][0]);
    let ask = |command: &[&str]| {
        let arguments = [command, &["--json", "--map", "proef/gemeente"]].concat();
        place.cli(&arguments).json()
    };
    let messages = ask(&["berichten"]);
    holds("berichten", &messages["berichten"][0]);
    let partners = ask(&["partner", "lijst"]);
    holds("partners", &partners["partners"][0]);
    let agreements = ask(&["convenant", "tonen"]);
    holds("convenanten", &agreements["convenanten"][0]);
    holds("antwoorden", &agreements["convenanten"][0]["antwoorden"][0]);
    holds("logboek bewijs", &ask(&["logboek", "bewijs", &messages["berichten"][0]["nummer"].to_string()]));
    let logs = ask(&["logboek", "partners"]);
    holds("logboek partners", &logs);
    holds("partners of logboek partners", &logs["partners"][0]);
    holds("logboek alarm", &ask(&["logboek", "alarm", "--naar", "alarm.json"]));
    holds("convenant partij", &ask(&["convenant", "partij"]));
    holds("partner beschrijving", &ask(&["partner", "beschrijving"]));
}

#[test]
fn another_export_goes_just_as_well() {
    let place = Place::new();
    let list = place.file("mijn lijst.csv", &export::rows(300, 3));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o444);
    fs::set_permissions(&list, mode).unwrap();
    let arguments = ["--map", "proef", "--invoer", "mijn lijst.csv"];
    let outcome = once(&place, &arguments).expect(0).json();
    adds_up(&outcome);
    assert_eq!((number(&outcome, "gelezen"), number(&outcome, "verzonden")), (300, 300), "{outcome}");
    let again = once(&place, &arguments).expect(0).json();
    assert_eq!(number(&again, "eerder_verzonden"), 300, "{again}");
    assert!(!Path::new("mijn lijst.afgekeurd.csv").exists());
    let beside: Vec<_> =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().contains("afgekeurd")), "{beside:?}");
}

#[test]
fn it_stays_up_until_it_is_asked_to_stop() {
    let place = Place::new();
    let mut running = demo(&place, &["--json"]);
    let outcome: Value = serde_json::from_str(&running.first_line().unwrap()).unwrap();
    adds_up(&outcome);
    assert!(!running.has_ended());
    let mut inside = fs::read_dir(place.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path());
    let inside = inside.find(|path| path.is_dir()).unwrap();
    let town = inside.join("gemeente");
    place.cli(&["berichten", "--map", town.to_str().unwrap()]).expect(0);
    running.terminate().expect(0);
    nothing_is_left(&place);
}

#[test]
fn stopped_halfway_it_cleans_up_too() {
    let place = Place::new();
    let running = demo(&place, &["--once"]);
    until("it has begun", || (!running.stdout().is_empty()).then_some(()));
    let done = running.terminate();
    // It may have been quicker than the signal.
    assert!(matches!(done.code, 0 | 3), "{done:?}");
    nothing_is_left(&place);
}

#[test]
fn an_input_that_is_no_export_is_refused_in_so_many_words() {
    let place = Place::new();
    place.file("leeg.csv", b"");
    let noise: Vec<u8> =
        (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    place.file("ruis.csv", &noise);
    place.file("anders.csv", b"Naam;Bedrag\r\nJansen;12,00\r\n");
    fs::create_dir(place.path().join("map.csv")).unwrap();
    for (input, expected) in [
        ("er-is-niets.csv", "bestaat niet"),
        ("map.csv", "map en geen bestand"),
        ("leeg.csv", "leeg"),
        ("ruis.csv", "geen tekstbestand"),
        ("anders.csv", "kopregel"),
    ] {
        let done = once(&place, &["--invoer", input]);
        let answer = done.json();
        let error = done.refused();
        assert!(error.contains(expected) && error.contains(input), "{input}: {error}");
        assert!(answer["fout"].as_str().unwrap().contains(expected), "{answer}");
        assert!(!error.contains("schakel-demo-"), "a folder that is gone: {error}");
    }
    nothing_is_left(&place);
}
