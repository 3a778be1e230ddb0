//! A newcomer's first day: two nodes, an agreement, an export, proof of what arrived, and the end of the agreement.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a journey measured is read in its output")]

use std::{fs, path::Path};

use exchange::{
    digest::Digest,
    entry::{Entry, Outcome},
    tlog::{Leaf, LogVerifier, ProofFile},
};
use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, FIXTURE, MUNICIPALITY, Node, Place, Serving, agree, export, proposal, until,
};

struct Two {
    place: Place,
    municipality: Node,
    corporation: Node,
    _serving: [Serving; 2],
}

fn two() -> Two {
    let place = Place::new();
    let (municipality, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, second) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    Two { place, municipality, corporation, _serving: [first, second] }
}

#[test]
fn partners_get_to_know_each_other() {
    let Two { place, municipality, corporation, _serving } = two();
    assert_eq!(municipality.json(&["partner", "lijst"])["partners"], json!([]));
    let unknown = municipality.cli(&["partner", "test", CORPORATION]).refused();
    assert!(unknown.contains("voeg hem eerst toe"), "{unknown}");

    // By file, as it would come by mail, and by address.
    let file = place.path().join("corporatie.jws");
    corporation.cli(&["partner", "beschrijving", "--naar", file.to_str().unwrap()]).expect(0);
    municipality.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    corporation.cli(&["partner", "toevoegen", &municipality.address, "--oin", MUNICIPALITY]).expect(0);

    let found = municipality.json(&["partner", "test", CORPORATION]);
    assert_eq!(
        found,
        json!({ "bereikbaar": true, "naam": "Organisatie corporatie", "sleutels_gelijk": true })
    );
    let listed = municipality.json(&["partner", "lijst"]);
    assert_eq!(listed["partners"][0]["oin"], CORPORATION);
    assert_eq!(listed["partners"][0]["soort"], "woningcorporatie");

    // Where nobody answers, and where somebody else does.
    for (address, expected) in
        [("127.0.0.1:1", "is niet bereikbaar"), (municipality.address.as_str(), "antwoordt organisatie")]
    {
        let settings = corporation.path("schakel.toml");
        let right = fs::read_to_string(&settings).unwrap();
        fs::write(
            &settings,
            right.replace(&format!("adres = \"{}\"", corporation.address), &format!("adres = \"{address}\"")),
        )
        .unwrap();
        corporation.cli(&["partner", "beschrijving", "--naar", file.to_str().unwrap()]).expect(0);
        fs::write(&settings, right).unwrap();
        municipality.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
        let answer = municipality.cli(&["partner", "test", CORPORATION, "--json"]).expect(1).json();
        assert!(answer["fout"].as_str().unwrap().contains(expected), "{answer}");
        assert!(!answer["oplossing"].as_str().unwrap().is_empty());
        let told = municipality.cli(&["partner", "test", CORPORATION]).expect(1).stdout;
        assert!(told.contains(expected), "{told}");
    }

    // Who adds the wrong thing hears so.
    for (source, oin, expected) in [
        (corporation.address.as_str(), None, "--oin"),
        (corporation.address.as_str(), Some("00000099000000009000"), "antwoordt organisatie"),
        ("127.0.0.1:1", Some("00000099000000009000"), "niet bereikbaar"),
        ("geen-bestand.jws", None, "geen bestand met die naam"),
        ("corporatie/schakel.toml", None, "niet met een eigen sleutel ondertekend"),
        ("corporatie/schakel.db", None, "geen leesbare tekst"),
    ] {
        let mut arguments = vec!["partner", "toevoegen", source];
        arguments.extend(oin.iter().flat_map(|oin| ["--oin", oin]));
        let error = municipality.cli(&arguments).refused();
        assert!(error.contains(expected), "{source}: {error}");
    }
    let own = corporation.cli(&["partner", "toevoegen", file.to_str().unwrap()]).refused();
    assert!(own.contains("het eigen knooppunt"), "{own}");
}

#[test]
fn an_agreement_works_once_everybody_signed() {
    let Two { place, municipality, corporation, _serving } = two();
    let first = municipality.json(&["convenant", "partij"]);
    let second = corporation.json(&["convenant", "partij"]);
    let text = proposal(&first, &second["partij"]);
    let file = place.file("convenant.json", text.to_string().as_bytes());
    let file = file.to_str().unwrap();

    // Whose node one does not know, that one's keys cannot be checked.
    let error = municipality.cli(&["convenant", "voorstellen", file]).refused();
    assert!(error.contains("nog geen partner"), "{error}");
    municipality.cli(&["partner", "toevoegen", &corporation.address, "--oin", CORPORATION]).expect(0);
    // The other does not know us yet: proposed and signed here, and said to be not there yet.
    let proposed = municipality.cli(&["convenant", "voorstellen", file, "--json"]).expect(1).json();
    let digest = proposed["convenant"].as_str().unwrap();
    let problem = proposed["niet_bereikt"][0]["probleem"].as_str().unwrap();
    assert!(problem.contains("kent dit knooppunt nog niet"), "{problem}");
    corporation.cli(&["partner", "toevoegen", &municipality.address, "--oin", MUNICIPALITY]).expect(0);
    // Proposing it again is the same proposal, and brings it there once the other has noticed its new partner.
    until("the proposal is at the other party", || {
        let again = municipality.cli(&["convenant", "voorstellen", file, "--json"]);
        assert_eq!(again.json()["convenant"], digest);
        corporation.cli(&["convenant", "tonen", digest]).code.eq(&0).then_some(())
    });
    let shown = corporation.json(&["convenant", "tonen", &digest[..20]]);
    assert_eq!(shown["convenanten"][0]["inhoud"], text);
    assert!(shown["convenanten"][0]["stand"].as_str().unwrap().starts_with("wacht op"));

    // Before the last signature nothing leaves.
    let list = place.file("lijst.csv", FIXTURE);
    let report = corporation.send(&list, MUNICIPALITY);
    assert_eq!(report["verzonden"], 0, "{report}");
    assert!(report["geweigerd"]["convenant-niet-geldig"].as_u64().unwrap() > 0, "{report}");

    corporation.cli(&["convenant", "aanvaarden", digest]).expect(0);
    for node in [&municipality, &corporation] {
        until("the agreement is in force", || {
            (node.json(&["convenant", "tonen"])["convenanten"][0]["stand"] == "in werking").then_some(())
        });
    }
    let error = municipality.cli(&["convenant", "tonen", "sha256:ffffffffffffffff"]).refused();
    assert!(error.contains("geen convenant dat zo begint"), "{error}");
    let error = municipality.cli(&["convenant", "voorstellen", "corporatie.csv"]).refused();
    assert!(error.contains("bestaat niet"), "{error}");
    let error = municipality.cli(&["convenant", "voorstellen", list.to_str().unwrap()]).refused();
    assert!(error.contains("UTF-8") || error.contains("schema"), "{error}");
}

#[test]
fn an_export_arrives_with_proof_and_after_the_end_nothing_does() {
    let Two { place, municipality, corporation, _serving } = two();
    let agreement = agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", FIXTURE);
    let report = corporation.send(&list, MUNICIPALITY);
    adds_up(&report);
    let sent = usize::try_from(report["verzonden"].as_u64().unwrap()).unwrap();
    assert!(sent > 0 && report["geweigerd"]["voorwaarde-niet-vervuld"].as_u64().unwrap() > 0, "{report}");
    rejects_hold_what_did_not_go(&place, &report);

    corporation.settle();
    let (out, inbox) = (corporation.mailbox("uit"), municipality.mailbox("in"));
    assert_eq!(out.states(), [("toegelaten".to_owned(), sent)].into());
    assert_eq!(out.digests(), inbox.digests());
    assert_eq!(inbox.0[0]["loket"], "schuldhulp");
    assert_eq!(inbox.0[0]["convenant"], agreement.as_str());
    let again = corporation.send(&list, MUNICIPALITY);
    assert_eq!(
        (again["verzonden"].as_u64(), again["eerder_verzonden"].as_u64()),
        (Some(0), report["verzonden"].as_u64())
    );

    let (corporation_log, municipality_log) = (corporation.verified_log(), municipality.verified_log());
    assert!(corporation_log > sent as u64 && municipality_log > sent as u64);
    let id = out.0[0]["id"].as_str().unwrap();
    for node in [&corporation, &municipality] {
        evidence_stands_by_itself(&place, node, id, &municipality);
    }

    municipality.cli(&["convenant", "opzeggen", &agreement, "--zeker"]).expect(0);
    nothing_passes_any_more(&place, &municipality, &corporation, sent);
    let error = corporation.cli(&["convenant", "aanvaarden", &agreement]).refused();
    assert!(error.contains("nieuwe versie"), "{error}");
}

fn adds_up(report: &Value) {
    let number = |key: &str| report[key].as_u64().unwrap();
    let refused: u64 =
        report["geweigerd"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(
        number("gelezen"),
        number("verzonden") + number("eerder_verzonden") + refused + number("afgekeurd"),
        "{report}"
    );
}

fn rejects_hold_what_did_not_go(place: &Place, report: &Value) {
    let path = report["afkeurbestand"].as_str().unwrap();
    assert_eq!(Path::new(path).file_name().unwrap(), "lijst.afgekeurd.csv");
    let text = fs::read(place.path().join(path)).unwrap();
    let text: String = text.iter().copied().map(char::from).collect();
    let refused: u64 =
        report["geweigerd"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(text.matches("mag niet weg").count() as u64, refused);
    assert!(text.contains("Contractnr") && text.contains("Oplossing"), "{text}");
    for error in report["problemen"].as_array().unwrap() {
        let line = error.as_str().unwrap().split(',').next().unwrap().trim_start_matches("regel ");
        assert!(line.parse::<u64>().is_ok(), "{error}");
    }
}

/// Reads the evidence as somebody else would, years later: with nothing but the file and the keys in the agreement.
fn evidence_stands_by_itself(place: &Place, node: &Node, id: &str, receiver: &Node) {
    let path = place.path().join(format!("bewijs-{}.json", node.oin));
    node.cli(&["logboek", "bewijs", id, "--naar", path.to_str().unwrap()]).expect(0);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "evidence holds personal data");
    let again = node.cli(&["logboek", "bewijs", id, "--naar", path.to_str().unwrap()]).refused();
    assert!(
        again.contains("het bewijs") && again.contains("het bestaat al. Kies een andere naam"),
        "{again}"
    );

    let evidence: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let agreement = exchange::agreement::Agreement::parse(&evidence["convenant"].to_string()).unwrap();
    let key: &LogVerifier = agreement.log_key(receiver.oin.parse().unwrap()).unwrap();
    assert_eq!(evidence["logsleutel"], key.to_string());
    let proof: ProofFile = evidence["ontvangstbewijs"].as_str().unwrap().parse().unwrap();
    let leaf = Leaf::new(evidence["blad"].as_str().unwrap().into());
    proof.verify(&leaf, key).unwrap();
    let Entry::Ontvangst(said) = Entry::of_leaf(&leaf).unwrap() else { panic!("{evidence}") };
    let message = evidence["bericht"].as_str().unwrap();
    assert_eq!(said.bericht, Digest::of(message.as_bytes()));
    assert_eq!((said.uitkomst, said.id.unwrap().to_string().as_str()), (Outcome::Toegelaten, id));
    let jws = exchange::jws::Unverified::parse(exchange::jws::MESSAGE, message).unwrap();
    jws.verify(agreement.key(CORPORATION.parse().unwrap(), jws.kid()).unwrap()).unwrap();
    let mut signed = agreement.clone();
    for answer in evidence["antwoorden"].as_array().unwrap() {
        signed.add_answer(answer.as_str().unwrap()).unwrap();
    }
    assert_eq!(signed.answers().len(), 2);
    // And it proves nothing else.
    let other = Leaf::new(evidence["blad"].as_str().unwrap().replace("toegelaten", "geweigerd").into());
    assert!(proof.verify(&other, key).is_err());
}

fn nothing_passes_any_more(place: &Place, municipality: &Node, corporation: &Node, sent: usize) {
    for node in [municipality, corporation] {
        until("the end is known", || {
            let stand = node.json(&["convenant", "tonen"])["convenanten"][0]["stand"].clone();
            stand.as_str().unwrap().starts_with("opgezegd").then_some(())
        });
    }
    let list = place.file("daarna.csv", &export::rows(20, 7));
    let report = corporation.send(&list, MUNICIPALITY);
    assert_eq!(report["verzonden"], 0, "{report}");
    assert_eq!(report["geweigerd"]["convenant-niet-geldig"], 20, "{report}");
    assert_eq!(corporation.mailbox("uit").0.len(), sent);
    assert_eq!(municipality.mailbox("in").0.len(), sent);
    assert_eq!(municipality.verified_log() > 0, corporation.verified_log() > 0);
}

#[test]
fn a_drop_folder_takes_files_and_gives_back_what_did_not_go() {
    let place = Place::new();
    let (municipality, _first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, second) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    second.stop();
    let settings = corporation.path("schakel.toml");
    let connection = format!(
        "\n[[koppelingen]]\nnaam = \"achterstanden\"\nmapping = \"koppelingen/woningcorporatie-achterstanden.toml\"\nontvanger = \"{MUNICIPALITY}\"\nmap = \"aanleveren\"\n"
    );
    fs::write(&settings, fs::read_to_string(&settings).unwrap() + &connection).unwrap();
    // What was laid there before the node starts counts too.
    fs::create_dir(corporation.path("aanleveren")).unwrap();
    fs::write(corporation.path("aanleveren/eerst.csv"), export::rows(3, 1)).unwrap();
    let serving = corporation.serve();
    fs::write(corporation.path("aanleveren/leeg.csv"), "").unwrap();
    fs::write(corporation.path("aanleveren/lijst.csv"), FIXTURE).unwrap();

    let names = |folder: &str| {
        let entries = fs::read_dir(corporation.path("aanleveren").join(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    };
    until("every file is taken", || (names("klaar").len() == 3 && names("fout").len() == 2).then_some(()));
    assert!(names("bezig").is_empty());
    assert!(names("klaar").iter().any(|name| name.contains("lijst") && name.ends_with(".afgekeurd.csv")));
    let told = names("fout").into_iter().find(|name| !name.ends_with("leeg.csv")).unwrap();
    let told = fs::read_to_string(corporation.path("aanleveren/fout").join(told)).unwrap();
    assert!(told.contains("leeg"), "{told}");

    corporation.settle();
    let inbox = municipality.mailbox("in");
    assert_eq!(corporation.mailbox("uit").digests(), inbox.digests());
    // By command the connection has the same name, and knows what came by folder.
    let list = place.file("zelfde.csv", FIXTURE);
    let report =
        corporation.cli(&["verstuur", "achterstanden", list.to_str().unwrap(), "--json"]).expect(1).json();
    assert_eq!(report["verzonden"], 0, "{report}");
    assert_eq!(report["eerder_verzonden"].as_u64().unwrap(), inbox.0.len() as u64 - 3);
    let log = serving.stop();
    for personal in ["Kloosterman", "Eikenhof", "@voorbeeld.test", "1.499,64"] {
        assert!(!log.contains(personal), "a name, street or amount in the log:\n{log}");
    }
}

#[test]
fn over_quic_it_is_the_same() {
    let place = Place::new();
    let nodes = [
        place.node("gemeente", MUNICIPALITY, "gemeente"),
        place.node("corporatie", CORPORATION, "woningcorporatie"),
    ];
    for node in &nodes {
        let settings = fs::read_to_string(node.path("schakel.toml")).unwrap();
        fs::write(node.path("schakel.toml"), settings.replace("quic = false", "quic = true")).unwrap();
    }
    let _serving = nodes.each_ref().map(Node::serve);
    let [municipality, corporation] = &nodes;
    agree(&place, municipality, corporation);
    let list = place.file("lijst.csv", &export::rows(300, 2));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], 300);
    corporation.settle();
    assert_eq!(corporation.mailbox("uit").states(), [("toegelaten".to_owned(), 300)].into());
    assert_eq!(corporation.mailbox("uit").digests(), municipality.mailbox("in").digests());
}

#[test]
fn whoever_asks_for_json_gets_json() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let place = Place::new();
    let (municipality, _first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _second) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let agreement = agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", FIXTURE);
    let mapping = corporation.path("koppelingen/woningcorporatie-achterstanden.toml");
    let mapping = mapping.to_str().unwrap();
    let nobody = "01a20000-0000-7000-8000-000000000000";
    for (code, arguments) in [
        (0, vec!["partner", "lijst"]),
        (0, vec!["partner", "beschrijving"]),
        (3, vec!["partner", "verwijderen", MUNICIPALITY]),
        (2, vec!["partner", "verwijderen", "niemand"]),
        (0, vec!["partner", "test", MUNICIPALITY]),
        (3, vec!["partner", "test", "00000099000000009000"]),
        (3, vec!["partner", "toevoegen", "127.0.0.1:1", "--oin", MUNICIPALITY]),
        (0, vec!["convenant", "tonen"]),
        (0, vec!["convenant", "tonen", &agreement]),
        (0, vec!["convenant", "partij"]),
        (0, vec!["convenant", "aanvaarden", &agreement]),
        (3, vec!["convenant", "afwijzen", "sha256:00"]),
        (1, vec!["verstuur", mapping, list.to_str().unwrap(), "--aan", MUNICIPALITY]),
        (3, vec!["verstuur", "onbekend", list.to_str().unwrap()]),
        (3, vec!["verstuur", mapping, list.to_str().unwrap()]),
        (0, vec!["berichten"]),
        (0, vec!["berichten", "--richting", "uit", "--stand", "wacht", "--aantal", "1", "--na", "5"]),
        (0, vec!["logboek", "verify"]),
        (0, vec!["logboek", "verify", "--partners"]),
        (0, vec!["logboek", "partners"]),
        (0, vec!["logboek", "partners", "--nu"]),
        (0, vec!["logboek", "alarm", "--naar", "geen-alarm.json"]),
        (2, vec!["logboek", "alarm"]),
        (3, vec!["logboek", "bewijs", nobody]),
        (2, vec!["logboek", "bewijs", "x"]),
        (2, vec!["partner"]),
        (2, vec!["verzend"]),
        (2, vec!["berichten", "--aantal", "0"]),
    ] {
        let done = corporation.cli(&[&arguments[..], &["--json"]].concat()).expect(code);
        assert_eq!(done.stdout.lines().count(), 1, "{arguments:?}: {done:?}");
        let answer = done.json();
        assert!(answer.is_object(), "{arguments:?}: {answer}");
        assert_eq!(answer["fout"].is_string(), code > 1, "{arguments:?}: {answer}");
        assert_eq!(done.stderr.contains("Fout: "), code > 1, "{arguments:?}: {done:?}");
    }
    // Also when a name is in another encoding.
    let odd = place.path().join(OsStr::from_bytes(b"lijst-\xeb.csv"));
    fs::write(&odd, FIXTURE).unwrap();
    let arguments =
        ["verstuur", mapping, "--aan", MUNICIPALITY, "--json", "--map", "corporatie"].map(OsStr::new);
    let arguments = arguments.into_iter().chain([odd.as_os_str()]);
    let report = tests::processes::Running::schakel(place.path(), arguments).wait().expect(1).json();
    assert!(report["afkeurbestand"].as_str().unwrap().ends_with(".afgekeurd.csv"), "{report}");
}

#[test]

fn what_waits_does_not_leave_after_the_end() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let agreement = agree(&place, &municipality, &corporation);
    receiving.stop();
    let list = place.file("lijst.csv", &export::rows(20, 1));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], 20);
    corporation.cli(&["convenant", "opzeggen", &agreement, "--zeker"]).expect(1);
    let _receiving = municipality.serve();
    until("the other party knows of the end", || {
        let stand = municipality.json(&["convenant", "tonen"])["convenanten"][0]["stand"].clone();
        stand.as_str().unwrap().starts_with("opgezegd").then_some(())
    });
    corporation.settle();
    assert_eq!(corporation.mailbox("uit").states().get("toegelaten"), None);
    assert!(municipality.mailbox("in").0.is_empty(), "not even refused: it should not have left");
}
