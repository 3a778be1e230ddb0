//! The commands of `gateway/EVIDENCE.md` do what that page says, on bundles that the program made.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL},
};
use exchange::{
    agreement::{Agreement, AnswerKind},
    clock::Clock as _,
};
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use node::system::SystemClock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::processes::{
    CORPORATION, Letter, MUNICIPALITY, Node, Peer, Place, Serving, agree, conclude, export, introduce,
    proposal, until,
};
use transport::Request;

const SERVICE: &str = "00000099000000003000";
const PURPOSE: &str = "hulp-met-toestemming";

const DOCUMENT: &str = include_str!("../../gateway/EVIDENCE.md");
/// What the commands need; `tests/run` installs what is missing.
const TOOLS: &[&str] = &["bash", "jq", "openssl", "base64", "sha256sum", "awk", "sed", "od", "date"];

/// The commands of the page, in their order: before those about consent, those, and after them.
fn commands() -> (String, String, String) {
    let blocks = DOCUMENT.split("```bash\n").skip(1);
    let commands: Vec<&str> = blocks.map(|block| block.split("```").next().unwrap()).collect();
    assert!(commands.len() >= 8, "the page has its commands");
    let consent = commands.iter().position(|block| block.contains("commitment()")).unwrap();
    (commands[..consent].concat(), commands[consent].to_owned(), commands[consent + 1..].concat())
}

/// Runs the commands on a bundle, in a folder with nothing else in it.
fn run(bundle: &[u8]) -> Output {
    let (before, consent, after) = commands();
    bash(bundle, &[before, consent, after].concat()).1
}

/// What the commands about the consent say, as if the message said something else after its signature was checked: each a
/// filter of jq over the envelope. Nothing when they do not take it. What comes before is run once.
fn consents_for(bundle: &[u8], filters: &[&str]) -> Vec<Option<String>> {
    let (before, consent, _) = commands();
    let mut script = format!("{before}cp envelop.json heel.json\n");
    for (number, filter) in filters.iter().enumerate() {
        // Not in a condition: there a failure would not end the commands.
        write!(script,
            "set +e; (set -e; jq '{filter}' heel.json > envelop.json\n{consent}) > gezegd.{number}; echo $? > code.{number}; set -e\n"
        ).unwrap();
    }
    let (folder, done) = bash(bundle, &script);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str, number: usize| {
        fs::read_to_string(folder.path().join(format!("{name}.{number}"))).unwrap()
    };
    let said = |number| (read("code", number).trim() == "0").then(|| read("gezegd", number));
    (0..filters.len()).map(said).collect()
}

fn bash(bundle: &[u8], script: &str) -> (TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bewijs.json"), bundle).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-c", script]).current_dir(folder.path());
    let done = bash.output().expect("bash runs");
    (folder, done)
}

fn holds(bundle: &[u8]) -> String {
    let done = run(bundle);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    let last = said.lines().last().unwrap();
    assert!(
        last == "het bewijs klopt" || last.starts_with("wat er in het bewijs staat klopt; niet nagegaan: "),
        "{said}"
    );
    said
}

fn evidence(place: &Place, node: &Node, number: &Value) -> (PathBuf, Vec<u8>) {
    let path = place.path().join(format!("{}-{number}.json", node.oin));
    let _ = fs::remove_file(&path);
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
    what_was_erased_is_proven_still(&place, &municipality);
    the_form_is_judged_alike(&place, &of_receiver);
}

/// What the program does not take for a bundle the commands do not take either, and the other way round.
fn the_form_is_judged_alike(place: &Place, bundle: &[u8]) {
    let value: Value = serde_json::from_slice(bundle).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut other = value.clone();
        change(&mut other);
        other.to_string().into_bytes()
    };
    let twice = with(&|one| {
        let answers = one["antwoorden"].as_array_mut().unwrap();
        answers.push(answers[0].clone());
    });
    assert!(run(&twice).status.success(), "the same answer twice is one answer");
    assert_eq!(program(&place.file("dubbel.json", &twice), place, &[]).0, 0);
    let erased = |why: &'static str| {
        move |one: &mut Value| {
            one.as_object_mut().unwrap().remove("bericht");
            one["zonder_tekst"] = json!(why);
        }
    };
    for (what, bad) in [
        ("fewer answers than parties", with(&|one| drop(one["antwoorden"].as_array_mut().unwrap().pop()))),
        ("another kind", with(&|one| one["soort"] = json!("schakel-bewijs/2"))),
        ("an unknown member", with(&|one| one["opmerking"] = json!("x"))),
        ("a message, and why there is none", with(&|one| one["zonder_tekst"] = json!("gewist"))),
        ("no message, and not why", with(&|one| drop(one.as_object_mut().unwrap().remove("bericht")))),
        ("a reason that there is not", with(&erased("kwijt"))),
        ("another identifier of a key", with(&other_cosigner)),
    ] {
        assert!(!run(&bad).status.success(), "{what} is not noticed");
        assert_eq!(program(&place.file("veranderd.json", &bad), place, &[]).0, 1, "{what}: the program");
    }
}

/// The last cosignature names another key: the identifier is its first four bytes.
fn other_cosigner(bundle: &mut Value) {
    let text = bundle["ontvangstbewijs"].as_str().unwrap();
    let (head, line) = text.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = BASE64.decode(line).unwrap();
    bytes[0] ^= 1;
    bundle["ontvangstbewijs"] = json!(format!("{head} {}\n", BASE64.encode(bytes)));
}

/// Without the text the rest is still proven, and still has to hold.
fn what_was_erased_is_proven_still(place: &Place, municipality: &Node) {
    let row = &municipality.mailbox("in").0[3];
    let case = row["dossier"].as_str().unwrap();
    municipality.cli(&["wissen", "dossier", case, "--reden", "verzoek", "--zeker"]).expect(0);
    let (path, erased) = evidence(place, municipality, &row["nummer"]);
    assert!(holds(&erased).contains("let op: zonder tekst, gewist"));
    assert_eq!(program(&path, place, &[]).0, 0);
    for (pointer, change) in [
        ("/blad", (|text| text.replace("2026", "2027")) as fn(&str) -> String),
        ("/doelen/0/naam", |text| format!("{text}x")),
        ("/antwoorden/1", bent),
    ] {
        assert!(!run(&changed(&erased, pointer, change)).status.success(), "{pointer} is not noticed");
    }
}

/// A municipality and a social service, with an agreement that lets the first hand over on a consent.
fn on_consent(place: &Place) -> ([Node; 2], [Serving; 2]) {
    let (holder, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (other, second) = place.serving("dienst", SERVICE, "sociale-dienst");
    let nodes = [holder, other];
    introduce(&nodes.each_ref());
    let parties: Vec<Value> = nodes.iter().map(|node| node.json(&["convenant", "partij"])).collect();
    let purposes = parties[0]["doelen"].as_array().unwrap();
    let purpose = purposes.iter().find(|one| one["doel"] == PURPOSE).unwrap();
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let agreement = json!({
        "groep": "hulp", "versie": 1, "partijen": parties.iter().map(|one| &one["partij"]).collect::<Vec<_>>(),
        "geldig_van": today.checked_sub(2.days()).unwrap(), "geldig_tot": today.checked_add(90.days()).unwrap(),
        "afspraken": [{
            "doel": PURPOSE, "doel_digest": purpose["doel_digest"], "van": [MUNICIPALITY], "naar": [SERVICE],
            "berichttypen": ["nl.sociaaldomein.overdrachten.aangeboden.v1"],
        }],
    });
    conclude(place, &nodes.each_ref(), &agreement);
    (nodes, [first, second])
}

/// The resident of the example consents, and a handover goes under it; gives the number of the consent.
fn hand_over(place: &Place, holder: &Node) -> String {
    let read = |name: &str| fs::read_to_string(holder.path(name)).unwrap();
    let mut consent: Value = serde_json::from_str(&read("toestemming.voorbeeld.json")).unwrap();
    let now = SystemClock.now();
    consent["betrokkene"]["adres"]["huisnummertoevoeging"] = json!("hs");
    consent["inhoud"]["verleend_aan"] = json!([SERVICE]);
    consent["inhoud"]["verleend_op"] = json!(now);
    consent["inhoud"]["geldig_tot"] = json!(now + SignedDuration::from_hours(240));
    let file = place.file("toestemming.json", consent.to_string().as_bytes());
    let given = holder.json(&["toestemming", "verleen", file.to_str().unwrap()]);
    let number = given["toestemming"].as_str().unwrap().to_owned();
    let file = place.file("overdracht.json", handover(&number).to_string().as_bytes());
    let file = file.to_str().unwrap();
    let sent =
        ["document", file, "--soort", "overdracht-aangeboden", "--doel", PURPOSE, "--aan", SERVICE, "--json"];
    holder.cli(&sent).expect(0);
    holder.settle();
    number
}

fn handover(consent: &str) -> Value {
    json!({
        "grondslag": {
            "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": consent },
        },
        "betrokkene": {
            "naam": { "voorletters": "A.B.", "voorvoegsel": "van", "achternaam": "Voorbeeld" },
            "geboortedatum": "1980-02-29",
            "adres": {
                "straat": "Voorbeeldstraat", "huisnummer": 1, "huisnummertoevoeging": "hs",
                "postcode": "1234AB", "woonplaats": "Rivierstad",
            },
        },
        "inhoud": {
            "aanleiding": "Het huis wordt verkocht en er is nog geen ander.",
            "wens": { "eigen_woorden": "Eén keer mijn verhaal vertellen." },
            "wat_kan_het_verschil_maken": "Eén aanspreekpunt.",
            "situatie": { "wonen": { "omschrijving": "Er is hulp bij gevraagd." } },
            "vraagverheldering": {
                "vraag": "Wie helpt met het zoeken naar een ander huis?",
                "verhelderd_door": { "organisatie": "Gemeente", "functie": "consulent" },
                "verhelderd_op": "2026-11-12",
            },
            "urgentie": "normaal",
            "warmte": { "soort": "schriftelijk" },
            "casusregisseur": { "organisatie": "Gemeente", "functie": "casusregisseur" },
            "reageren_voor": SystemClock.now() + SignedDuration::from_hours(24 * 14),
        },
    })
}

/// The messages of one kind, those that were admitted.
fn of_kind(node: &Node, way: &str, kind: &str) -> Vec<Value> {
    let rows = node.mailbox(way).0.into_iter();
    rows.filter(|row| row["type"].as_str().unwrap().contains(kind) && row["stand"] == "toegelaten").collect()
}

/// The consent of a message is checked by its holder's signature: in the message while that is there, from the bundle when
/// it was withdrawn, and so are the messages that say so, of which the agreement names none.
#[test]
fn the_commands_of_the_page_check_a_consent() {
    let place = Place::new();
    let (nodes, _serving) = on_consent(&place);
    let [holder, other] = &nodes;
    let consent = hand_over(&place, holder);
    let number = |node: &Node, way| of_kind(node, way, "overdrachten")[0]["nummer"].clone();
    for (node, way) in [(holder, "uit"), (other, "in")] {
        let (path, bundle) = evidence(&place, node, &number(node, way));
        let said = holds(&bundle);
        assert!(said.contains(&format!("toestemming {consent} van {MUNICIPALITY}")), "{said}");
        assert!(said.contains("de toestemming is van de inwoner in het bericht"), "{said}");
        let (code, report) = program(&path, &place, &[]);
        assert_eq!((code, outcome(&report, "toestemming")), (0, "bewezen"), "{report}");
    }
    assert_only_this_resident(&evidence(&place, other, &number(other, "in")).1);
    let day = (SystemClock.now().to_zoned(TimeZone::UTC).date() + 60.days()).to_string();
    let how = ["--tot", &day, "--wijze", "mondeling", "--bewijs", "gespreksverslag:GV-2"];
    holder.json(&[&["toestemming", "verleng", &consent], &how[..]].concat());
    until("it is extended there", || {
        (!of_kind(other, "in", "toestemmingen.verlengd").is_empty()).then_some(())
    });

    // Another, that is withdrawn as it was given.
    let withdrawn = hand_over(&place, holder);
    let rows = |node: &Node, way| of_kind(node, way, "overdrachten");
    let whole = evidence(&place, other, &rows(other, "in")[0]["nummer"]).1;
    for number in [&consent, &withdrawn] {
        holder.json(&["toestemming", "intrek", number, "--kenmerk", "Z-7", "--zeker"]);
    }
    until("both are confirmed", || {
        (of_kind(holder, "in", "toestemmingen.verwerkt").len() == 2).then_some(())
    });
    for (node, way) in [(holder, "uit"), (other, "in")] {
        let (path, bundle) = evidence(&place, node, &rows(node, way)[0]["nummer"]);
        let said = holds(&bundle);
        assert!(said.contains("let op: zonder tekst") && said.contains("ingetrokken op"), "{said}");
        let (code, report) = program(&path, &place, &[]);
        assert_eq!((code, outcome(&report, "toestemming")), (0, "bewezen"), "{report}");
        assert_tampering_is_noticed(&place, &bundle, &whole);
        // Of the one that was extended the extract that decided is there, and not the newest.
        let (path, bundle) = evidence(&place, node, &rows(node, way)[1]["nummer"]);
        let said = holds(&bundle);
        assert!(
            said.contains(&format!("toestemming {consent} van")) && said.contains("ingetrokken op"),
            "{said}"
        );
        let (code, report) = program(&path, &place, &[]);
        assert_eq!((code, outcome(&report, "toestemming")), (0, "bewezen"), "{report}");
        assert_eq!(report["niet_gecontroleerd"].as_array().unwrap().len(), 2, "{report}");
    }
    for (node, way, kind) in [
        (other, "in", "toestemmingen.verlengd"),
        (other, "in", "toestemmingen.ingetrokken"),
        (holder, "in", "toestemmingen.verwerkt"),
        (other, "uit", "toestemmingen.verwerkt"),
    ] {
        let (path, bundle) = evidence(&place, node, &of_kind(node, way, kind)[0]["nummer"]);
        holds(&bundle);
        assert_eq!(program(&path, &place, &[]).0, 0, "{kind}");
    }
}

/// The commands know the resident however the name is written, and take nobody else for them.
fn assert_only_this_resident(bundle: &[u8]) {
    let same = [
        ".data.betrokkene.adres.woonplaats = \"Elders\"",
        ".data.betrokkene.naam = {\"voorletters\": \"a.\", \"achternaam\": \"VAN VOORBEELD\"}",
        ".data.betrokkene.naam.voorvoegsel = \"v.d.\"",
        ".data.betrokkene.adres.huisnummertoevoeging = \"huis\"",
        ".data.betrokkene.adres.huisnummertoevoeging = \"-H\"",
    ];
    for (filter, said) in same.iter().zip(consents_for(bundle, &same)) {
        let said = said.unwrap_or_else(|| panic!("{filter}"));
        assert!(said.contains("de toestemming is van de inwoner in het bericht"), "{said}");
    }
    // What it cannot tell it does not say.
    let unsure = [".data.betrokkene.naam.achternaam = \"Vóórbeeld\"", "del(.data.betrokkene)"];
    for (filter, said) in unsure.iter().zip(consents_for(bundle, &unsure)) {
        let said = said.unwrap_or_else(|| panic!("{filter}"));
        assert!(said.contains("let op") && !said.contains("de toestemming is van"), "{said}");
    }
    let others = [
        ".data.betrokkene.naam.achternaam = \"Voorbeelden\"",
        ".data.betrokkene.naam.voorletters = \"C.\"",
        ".data.betrokkene.geboortedatum = \"1980-02-28\"",
        ".data.betrokkene.adres.huisnummer = 2",
        ".data.betrokkene.adres.huisnummertoevoeging = \"A\"",
        ".data.betrokkene.adres.huisnummertoevoeging = \"hs-A\"",
        ".data.betrokkene.adres.huisnummertoevoeging = \"2-hoog\"",
        "del(.data.betrokkene.adres.huisnummertoevoeging)",
        ".data.grondslag.toestemming.zout.persoon |= \"A\" + .[1:-1] + \"A\"",
        "del(.data.grondslag.toestemming.zout)",
        ".data.grondslag.toestemming.zout.bsn = .data.grondslag.toestemming.zout.persoon",
        ".data.grondslag.toestemming.id = \"7c9e6679-7425-40de-944b-e07fc1f90ae7\"",
        "del(.data.grondslag.toestemming.uittreksel)",
        ".data.grondslag.soort = \"publieke-taak\"",
    ];
    for (filter, said) in others.iter().zip(consents_for(bundle, &others)) {
        assert_eq!(said, None, "{filter}");
    }
}

/// Neither the commands nor the program take another extract or withdrawal for this one.
fn assert_tampering_is_noticed(place: &Place, bundle: &[u8], whole: &[u8]) {
    let payload = |jws: &str| -> Value {
        serde_json::from_slice(&BASE64URL.decode(jws.split('.').nth(1).unwrap()).unwrap()).unwrap()
    };
    let of = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).unwrap() };
    let value = of(bundle);
    let withdrawal = value["intrekking"].as_str().unwrap().to_owned();
    let extract = value["uittreksel"].as_str().unwrap().to_owned();
    assert_eq!(payload(&extract)["toestemming"], payload(&withdrawal)["toestemming"]);
    let mut cases = vec![
        changed(bundle, "/uittreksel", bent),
        changed(bundle, "/uittreksel", bent_signature),
        changed(bundle, "/intrekking", bent),
        changed(bundle, "/intrekking", bent_signature),
        changed(bundle, "/uittreksel", |_| withdrawal.clone()),
        changed(bundle, "/intrekking", |_| extract.clone()),
    ];
    // With the text the extract is in it: what the sender signed once cannot be changed, nor can there be another beside it.
    let mut beside = of(whole);
    beside["uittreksel"] = json!(extract);
    cases.push(beside.to_string().into_bytes());
    let mut alone = value;
    alone.as_object_mut().unwrap().remove("uittreksel");
    cases.push(alone.to_string().into_bytes());
    for (number, bad) in cases.iter().enumerate() {
        assert!(!run(bad).status.success(), "{number} is not noticed");
        let file = place.file("veranderd.json", bad);
        assert_eq!(program(&file, place, &[]).0, 1, "{number} is not noticed by the program");
    }
}

/// A party that dates the end of an agreement before a message that was admitted takes nothing from the evidence of it, by
/// whatever name it ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_dated_back_breaks_no_evidence() {
    for kind in [AnswerKind::Rejected, AnswerKind::Ended] {
        let place = Place::new();
        let (node, _serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let peer = Peer::new(&place, &node, 3);
        let file = place.file("partner.jws", peer.descriptor().as_bytes());
        node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
        while peer.log_size().await.is_none() {
            tokio::task::yield_now().await;
        }
        let text = proposal(&node.json(&["convenant", "partij"]), &peer.party());
        peer.propose(&node, &text).await;
        let digest = node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].clone();
        let digest = digest.as_str().unwrap();
        // The partner has no node to bring the answer to.
        node.cli(&["convenant", "aanvaarden", digest]).expect(1);
        // Not even a moment later does the running node take its own answer for somebody else's.
        assert_eq!(peer.propose(&node, &text).await.len(), 2);
        let letter = Letter::new(&peer, MUNICIPALITY, digest).signed(&peer);
        assert_eq!(peer.receipt(&letter).await.reason(), None);

        let agreement = Agreement::parse(&text.to_string()).unwrap();
        let long_ago = SystemClock.now() - SignedDuration::from_hours(24 * 30);
        let end = agreement.answer(kind, long_ago, &peer.signer).unwrap();
        let package = json!({ "convenant": text, "doelen": [], "antwoorden": [end] });
        let request = Request::post("/v1/convenanten", "application/json", package.to_string());
        assert_eq!(peer.ask(request).await.unwrap().status, 200);
        let shown = node.json(&["convenant", "tonen", digest]);
        let standing = shown["convenanten"][0]["stand"].as_str().unwrap();
        assert!(standing.starts_with("opgezegd door"), "{standing}");
        let later = Letter::new(&peer, MUNICIPALITY, digest).signed(&peer);
        assert_eq!(peer.receipt(&later).await.reason(), Some("convenant-niet-geldig"));

        let rows = node.mailbox("in").0;
        let admitted = rows.iter().find(|row| row["stand"] == "toegelaten").unwrap();
        let (path, bundle) = evidence(&place, &node, &admitted["nummer"]);
        let said = holds(&bundle);
        assert!(said.contains(&format!("let op: {} zette bij {}", peer.oin, kind.as_str())), "{said}");
        let (code, report) = program(&path, &place, &[]);
        assert_eq!((code, outcome(&report, "geldigheid")), (0, "niet-gecontroleerd"), "{report}");
    }
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
    let (code, report) = program(&file, place, &[]);
    assert_eq!(code, 1);
    let said = report["stappen"][0]["uitleg"].as_str().unwrap();
    assert!(said.contains("`blad`") && said.contains("ontbreekt"), "{said}");
}
