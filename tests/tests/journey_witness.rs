//! Partners watch each other's logs: an honest one is never accused, whatever crashes; one that puts back an older
//! database and goes on differently always is, for good, with evidence that anybody can check.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ed25519_dalek::SigningKey;
use exchange::{
    clock::Clock as _,
    digest::Digest,
    entry::{Entry, Outcome, Reception},
    oin::Oin,
    organisation::OrganisationKind,
    receipt::{Receipt, ReceiptLeaf},
    tlog::{
        Checkpoint, CompactRange, Hash, Leaf, LogSigner, LogVerifier, NodeId, NoteError, plan_consistency,
    },
    witness::{Alarm, Contradiction, Proven},
};
use jiff::SignedDuration;
use node::{delivery::RECEIPT, system::SystemClock};
use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Peer, Place, Serving, agree, conclude, export, introduce, proposal,
    until,
};
use transport::{Handler, Request, Response};

struct Pair {
    municipality: Node,
    corporation: Node,
    receiving: Option<Serving>,
    _sending: Serving,
    place: Place,
}

impl Pair {
    fn new() -> Self {
        let place = Place::new();
        let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
        agree(&place, &municipality, &corporation);
        Self { municipality, corporation, receiving: Some(receiving), _sending: sending, place }
    }

    /// The corporation sends so many messages, others in each series, and waits until all of them are receipted.
    fn exchange(&self, count: u32, series: u32) {
        let list = self.place.file(&format!("lijst-{series}.csv"), &export::rows(count, series));
        let report = self.corporation.send(&list, MUNICIPALITY);
        assert_eq!(report["verzonden"], count, "{report}");
        self.corporation.settle();
    }

    fn stop(&mut self) {
        self.receiving.take().unwrap().stop();
    }

    fn start(&mut self) {
        self.receiving = Some(self.municipality.serve());
    }

    fn database(&self) -> PathBuf {
        self.municipality.path("schakel.db")
    }
}

/// What a node says of the logs of its partners after asking them, and its exit code.
fn look(node: &Node) -> (Value, i32) {
    let done = node.cli(&["logboek", "partners", "--nu", "--json"]);
    (done.json(), done.code)
}

/// Looks until the partner answers; gives what is known of it.
fn seen(node: &Node) -> (Value, i32) {
    until("a partner answers", || {
        let (answer, code) = look(node);
        let partner = answer["partners"][0].clone();
        let waits = partner["alarmen"].as_array().unwrap().is_empty() && !partner["probleem"].is_null();
        (!waits).then_some((partner, code))
    })
}

fn alarms(partner: &Value) -> Vec<String> {
    let alarms = partner["alarmen"].as_array().unwrap().iter();
    alarms.map(|alarm| alarm["aard"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_honest_pair_is_never_accused() {
    let mut pair = Pair::new();
    let list = pair.place.file("lijst.csv", &export::rows(600, 7));
    let sending = pair.corporation.start_sending(&list, MUNICIPALITY);
    for _ in 0..3 {
        // Each asks the other while messages go and the receiver dies; no answer is no accusation.
        for node in [&pair.corporation, &pair.municipality] {
            let (answer, _) = look(node);
            assert!(alarms(&answer["partners"][0]).is_empty(), "{answer}");
            assert_eq!(answer["eigen_alarmen"].as_array().unwrap().len(), 0, "{answer}");
        }
        pair.receiving.as_mut().unwrap().kill();
        pair.start();
    }
    sending.wait().expect(0);
    pair.corporation.settle();
    for (node, other) in [(&pair.corporation, &pair.municipality), (&pair.municipality, &pair.corporation)] {
        let (partner, code) = seen(node);
        assert_eq!(code, 0, "{partner}");
        let size = other.verified_log();
        assert_eq!(partner["gecontroleerd"]["grootte"], size, "{partner}");
        // The other has the testimony, and knows whose it is.
        let (of_us, _) = seen(other);
        assert_eq!(of_us["medeondertekend"]["grootte"], size, "{of_us}");
    }
}

/// Nothing is kept that this log did not sign, or that nobody cosigned who may.
#[tokio::test]
async fn a_testimony_is_looked_at() {
    let pair = Pair::new();
    let peer = tests::processes::Peer::new(&pair.place, &pair.municipality, 77);
    let file = pair.place.file("waarnemer.jws", peer.descriptor().as_bytes());
    pair.municipality.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    until("the observer is a partner", || {
        let lists = pair.municipality.json(&["partner", "lijst"]);
        (lists["partners"].as_array().unwrap().len() == 2).then_some(())
    });
    let size = loop {
        if let Some(size) = peer.log_size().await {
            break size;
        }
        tokio::task::yield_now().await;
    };
    let head = peer.ask(Request::get("/v1/logboek/checkpoint")).await.unwrap();
    let head = String::from_utf8(head.body.to_vec()).unwrap();
    let testify = async |note: String| {
        let request = Request::post("/v1/logboek/getuigenis", "text/plain; charset=utf-8", note);
        peer.ask(request).await.unwrap().status
    };
    let mine = peer.cosigned(&head);
    for wrong in [
        String::new(),
        head.clone(),
        mine.replace(&format!("\n{size}\n"), &format!("\n{}\n", size + 1)),
        pair.municipality.json(&["convenant", "partij"]).to_string(),
        peer.cosigned(&peer.own_checkpoint(3)),
    ] {
        assert_eq!(testify(wrong.clone()).await, 400, "{wrong}");
    }
    assert_eq!(testify(mine.clone()).await, 204);
    assert_eq!(testify(mine).await, 204, "twice is the same as once");
    let served = peer.ask(Request::get("/v1/logboek/checkpoint")).await.unwrap();
    let served = String::from_utf8(served.body.to_vec()).unwrap();
    if served.starts_with(head.split_once("\n\n").unwrap().0) {
        assert!(peer.cosigner().find(&served).is_ok(), "served with who saw it: {served}");
    }
    // Who shares no agreement with the corporation learns nothing of its log.
    let query = format!("van={CORPORATION}");
    let others = peer.ask(Request::get("/v1/logboek/getuigenis").with_query(query)).await.unwrap();
    assert_eq!((others.status, &others.body[..]), (200, &b"[]"[..]));
}

/// What a municipality does that puts back an older database: says so, is caught, and stays caught.
fn rewrite(grown_before: u32, grown_after: u32, expected: Contradiction) {
    let mut pair = Pair::new();
    pair.exchange(5, 1);
    pair.stop();
    let copy = pair.place.path().join("kopie.db");
    fs::copy(pair.database(), &copy).unwrap();
    pair.start();
    pair.exchange(grown_before, 2);
    let (partner, code) = seen(&pair.corporation);
    assert_eq!((code, alarms(&partner).len()), (0, 0), "{partner}");

    pair.stop();
    put_back(&copy, &pair.database());
    let lost = fs::read(&copy).unwrap();
    assert!(!lost.is_empty());
    if grown_after > 0 {
        pair.start();
        pair.exchange(grown_after, 3);
    } else {
        pair.start();
    }
    let (partner, code) = seen(&pair.corporation);
    assert_eq!(code, 1, "{partner}");
    assert!(alarms(&partner).contains(&expected.as_str().to_owned()), "{expected:?}: {partner}");
    evidence_holds(&pair, expected);

    // Its own node knows as well: a partner holds what it signed.
    let own = until("the municipality knows", || {
        let done = pair.municipality.cli(&["logboek", "partners", "--json"]);
        let answer = done.json();
        (!answer["eigen_alarmen"].as_array().unwrap().is_empty()).then_some((answer, done.code))
    });
    assert_eq!(own.1, 1, "{}", own.0);
    stays(&pair);
}

/// Puts the whole database of an earlier moment in the place of the one that is there.
fn put_back(copy: &Path, database: &Path) {
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", database.display()));
    }
    fs::copy(copy, database).unwrap();
}

/// The exported alarm proves itself to somebody who has the log key from the agreement and nothing else.
fn evidence_holds(pair: &Pair, expected: Contradiction) {
    let path = pair.place.path().join("alarm.json");
    pair.corporation.cli(&["logboek", "alarm", "--naar", path.to_str().unwrap()]).expect(0);
    let alarms: Vec<Alarm> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let alarm = alarms.iter().find(|alarm| alarm.aard == expected).unwrap();
    let key = pair.municipality.json(&["convenant", "partij"])["partij"]["logsleutel"].clone();
    assert_eq!(alarm.logsleutel, key);
    let proven = alarm.check().unwrap();
    assert_eq!(proven == Proven::Contradiction, expected == Contradiction::Gesplitst);
    let key: LogVerifier = alarm.logsleutel.parse().unwrap();
    assert!(key.open(&alarm.gezien).is_ok() && key.open(&alarm.getoond).is_ok());
    let checked = |path: &Path| pair.place.cli(&["bewijs", "controleer", path.to_str().unwrap(), "--json"]);
    let said = checked(&path).expect(0).json();
    assert_eq!(
        (said["klopt"].as_bool(), said["alarmen"].as_array().unwrap().len()),
        (Some(true), alarms.len())
    );
    let forged = Alarm { getoond: alarm.getoond.replacen('\n', "\n1", 1), ..alarm.clone() };
    assert_eq!(forged.check().unwrap_err(), exchange::witness::AlarmError::Note(NoteError::BadSignature));
    let file = pair.place.file("vals-alarm.json", &serde_json::to_vec(&forged).unwrap());
    assert_eq!(checked(&file).expect(1).json()["klopt"], false);
}

/// The alarm is in the log of who noticed, every command says so, and nothing makes it go away.
fn stays(pair: &Pair) {
    let done = pair.corporation.cli(&["berichten", "--json"]).expect(0);
    assert!(done.stderr.contains("ALARM"), "{done:?}");
    let said = pair.corporation.cli(&["logboek", "partners"]).expect(1);
    assert!(said.stdout.contains("Bel de beheerder van"), "{said:?}");
    assert_eq!(pair.corporation.cli(&["logboek", "partners"]).expect(1).stdout, said.stdout);
    assert!(pair.corporation.verified_log() > 0, "the log of who noticed is whole");
    // A case is not left lying because of it.
    pair.exchange(2, 4);
}

/// Who never saw the log as it was hears it from those who did: two logs cannot be shown to two partners.
#[test]
fn a_log_that_is_shown_differently_to_others_is_caught() {
    const SERVICE: &str = "00000099000000003000";
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let (service, _other) = place.serving("sociale-dienst", SERVICE, "sociale-dienst");
    introduce(&[&municipality, &corporation, &service]);
    agree_all(&place, &[&municipality, &corporation, &service]);
    let mut pair = Pair { municipality, corporation, receiving: Some(receiving), _sending: sending, place };
    pair.exchange(2, 1);
    let of_municipality = |answer: &Value| {
        let partners = answer["partners"].as_array().unwrap();
        partners.iter().find(|one| one["oin"] == MUNICIPALITY).unwrap().clone()
    };
    until("the service has seen the log", || {
        let partner = of_municipality(&look(&service).0);
        assert!(alarms(&partner).is_empty(), "{partner}");
        (!partner["gecontroleerd"].is_null()).then_some(())
    });
    pair.stop();
    let copy = pair.place.path().join("kopie.db");
    fs::copy(pair.database(), &copy).unwrap();
    pair.start();
    pair.exchange(3, 2);
    until("the corporation has seen the log", || {
        (of_municipality(&look(&pair.corporation).0)["probleem"].is_null()).then_some(())
    });

    pair.stop();
    put_back(&copy, &pair.database());
    pair.start();
    pair.exchange(9, 3);
    let partner = until("the service knows", || {
        let partner = of_municipality(&look(&service).0);
        (!alarms(&partner).is_empty()).then_some(partner)
    });
    assert!(alarms(&partner).contains(&"herschreven".to_owned()), "{partner}");
}

/// Lets all of these accept one agreement.
fn agree_all(place: &Place, nodes: &[&Node]) {
    let parties: Vec<Value> = nodes.iter().map(|node| node.json(&["convenant", "partij"])).collect();
    let mut text = proposal(&parties[0], &parties[1]["partij"]);
    let others = parties[2..].iter().map(|one| one["partij"].clone());
    text["partijen"].as_array_mut().unwrap().extend(others);
    conclude(place, nodes, &text);
}

/// A damaged end does not keep anybody from finding out what is damaged, and what partners keep is asked for.
#[test]
fn a_log_is_checked_against_what_partners_keep() {
    let mut pair = Pair::new();
    pair.exchange(6, 1);
    seen(&pair.corporation);
    pair.stop();
    let copy = pair.place.path().join("kopie.db");
    fs::copy(pair.database(), &copy).unwrap();
    pair.start();
    pair.exchange(6, 2);
    let (partner, _) = seen(&pair.corporation);
    let size = partner["gecontroleerd"]["grootte"].as_u64().unwrap();
    let whole = pair.municipality.json(&["logboek", "verify", "--partners"]);
    assert!(whole["eerdere_controlepunten"].as_u64().unwrap() >= 2, "{whole}");
    assert_eq!(whole["niet_gecontroleerd"], serde_json::json!([]));
    // Who asks for less is told what was not looked at.
    let quick = pair.municipality.json(&["logboek", "verify", "--zonder-inhoud"]);
    assert_eq!(
        (&quick["heel"], &quick["niet_gecontroleerd"]),
        (&true.into(), &serde_json::json!(["inhoud"]))
    );
    let said = &pair.municipality.cli(&["logboek", "verify", "--zonder-inhoud"]).expect(0).stdout;
    assert!(said.contains("De berichten zijn niet geopend"), "{said}");
    pair.stop();
    put_back(&copy, &pair.database());
    let verdict = pair.municipality.cli(&["logboek", "verify", "--json"]).expect(0).json();
    assert_eq!(verdict["heel"], true, "by itself an old copy is whole: {verdict}");
    let verdict = pair.municipality.cli(&["logboek", "verify", "--partners", "--json"]).expect(1).json();
    assert_eq!((verdict["heel"].as_bool(), verdict["regel"].as_u64().unwrap() < size), (Some(false), true));
    let what = verdict["afwijking"].as_str().unwrap();
    assert!(what.contains(CORPORATION) && what.contains("oudere kopie"), "{what}");
}

/// What a node refused it did not keep, and of that there is evidence as well.
#[tokio::test]
async fn a_refusal_can_be_shown() {
    let pair = Pair::new();
    let peer = tests::processes::Peer::new(&pair.place, &pair.municipality, 78);
    let file = pair.place.file("ander.jws", peer.descriptor().as_bytes());
    pair.municipality.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    let letter = tests::processes::Letter::new(&peer, MUNICIPALITY, &Digest::of(b"unknown").to_string());
    let message = letter.signed(&peer);
    while peer.deliver(message.clone()).await.status != 200 {
        tokio::task::yield_now().await;
    }
    let number = pair.municipality.mailbox("in").0[0]["nummer"].to_string();
    let path = pair.place.path().join("weigering.json");
    let answer = pair.municipality.json(&["logboek", "bewijs", &number, "--naar", path.to_str().unwrap()]);
    assert_eq!(
        (&answer["zonder_tekst"], &answer["klopt"]),
        (&"niet-bewaard".into(), &true.into()),
        "{answer}"
    );
    let report = pair.place.cli(&["bewijs", "controleer", path.to_str().unwrap()]).expect(0).stdout;
    let digest = Digest::of(message.as_bytes()).to_string();
    assert!(report.contains(&digest) && report.contains("convenant-onbekend"), "{report}");
}

#[test]
fn a_log_that_was_put_back_is_caught() {
    rewrite(4, 0, Contradiction::Ingekort);
}

#[test]
fn a_log_that_was_put_back_and_grew_further_is_caught() {
    rewrite(3, 9, Contradiction::Herschreven);
}

#[test]
fn a_log_that_was_put_back_and_grew_as_far_is_caught() {
    rewrite(4, 4, Contradiction::Gesplitst);
}

/// A receiver made by hand, which shows another content of its log in its second receipt and never again.
#[derive(Clone)]
struct TwoFaced {
    me: Oin,
    log: Arc<LogSigner>,
    entries: Arc<Mutex<Vec<Leaf>>>,
}

impl TwoFaced {
    fn of(peer: &Peer) -> Self {
        let key = SigningKey::from_bytes(&[peer.number + 100; 32]);
        let log = Arc::new(LogSigner::new(peer.oin.log_origin(), key).unwrap());
        Self { me: peer.oin, log, entries: Arc::default() }
    }

    fn range(entries: &[Leaf]) -> CompactRange {
        let mut range = CompactRange::default();
        for entry in entries {
            range.append(entry.hash());
        }
        range
    }

    fn signed(&self, range: &CompactRange) -> String {
        self.log.sign(&Checkpoint { origin: self.me.log_origin(), size: range.size(), root: range.root() })
    }

    fn receipt(&self, message: &str) -> Receipt {
        let entry = |tijd| {
            let said = Reception {
                bericht: Digest::of(message.as_bytes()),
                id: None,
                reden: None,
                regels: None,
                tijd,
                toestemming: None,
                uitkomst: Outcome::Toegelaten,
                van: CORPORATION.parse().unwrap(),
            };
            Entry::Ontvangst(said).leaf()
        };
        let now = SystemClock.now();
        let mut entries = self.entries.lock().unwrap();
        let before = Self::range(&entries);
        entries.push(entry(now));
        let shown = if entries.len() == 2 { entry(now - SignedDuration::from_secs(1)) } else { entry(now) };
        let mut range = before.clone();
        range.append(shown.hash());
        Receipt {
            checkpoint: self.signed(&range),
            size_before: before.size(),
            range_before: before.roots().to_vec(),
            leaves: vec![ReceiptLeaf::New(shown)],
        }
    }

    fn consistency(&self, query: &str) -> Vec<Hash> {
        let number = |name: &str| {
            let value = query.split('&').find_map(|part| part.strip_prefix(name)).unwrap();
            value.parse::<u64>().unwrap()
        };
        let entries = self.entries.lock().unwrap();
        let plan = plan_consistency(number("van="), number("tot=")).unwrap();
        let root = |node: &NodeId| {
            let count = 1_usize << node.level;
            let start = usize::try_from(node.index).unwrap() * count;
            Self::range(&entries[start..start + count]).root()
        };
        let hashes: Vec<Hash> = plan.nodes().iter().map(root).collect();
        plan.fold(&hashes).unwrap()
    }
}

impl Handler for TwoFaced {
    async fn handle(&self, _: Arc<transport::Peer>, request: Request) -> Response {
        let body = String::from_utf8_lossy(&request.body);
        match request.path.as_str() {
            "/v1/convenanten" => {
                let package: Value = serde_json::from_str(&body).unwrap();
                Response::new(200, "application/json", package["antwoorden"].to_string())
            }
            "/v1/berichten" => {
                let receipt = serde_json::to_string(&self.receipt(body.trim_end())).unwrap();
                Response::new(200, RECEIPT, receipt)
            }
            "/v1/logboek/checkpoint" => {
                let range = Self::range(&self.entries.lock().unwrap());
                Response::new(200, "text/plain; charset=utf-8", self.signed(&range))
            }
            "/v1/logboek/consistentie" => {
                let proof = self.consistency(request.query.as_deref().unwrap_or_default());
                Response::new(200, "application/json", serde_json::to_string(&proof).unwrap())
            }
            _ => Response::empty(204),
        }
    }
}

/// The receipt before and the one after know nothing of it, and the log answers every question honestly again. The sender
/// notices by the receipt that goes on from something else, and asks at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_shows_something_else_in_one_receipt_is_found_out() {
    let place = Place::new();
    let (node, _serving) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let peer = Peer::new(&place, &node, 4).of_kind(OrganisationKind::Municipality);
    let listening = peer.listen(TwoFaced::of(&peer)).await;
    let description = peer.descriptor_at(&listening.tcp_addr().to_string());
    let file = place.file("partner.jws", description.as_bytes());
    node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    let own = node.json(&["convenant", "partij"]);
    let text = proposal(&json!({ "partij": peer.party(), "doelen": own["doelen"] }), &own["partij"]);
    // The running node may not have noticed its new partner yet.
    while peer.log_size().await.is_none() {
        tokio::task::yield_now().await;
    }
    peer.propose(&node, &text).await;
    let digest = node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].clone();
    node.cli(&["convenant", "aanvaarden", digest.as_str().unwrap()]).expect(0);
    let told = || alarms(&node.cli(&["logboek", "partners", "--json"]).json()["partners"][0]);
    for series in 1..=3 {
        // After the second it may be found out by the checkpoint that is asked for now and then, too.
        assert!(series == 3 || told().is_empty(), "{series}");
        let list = place.file(&format!("lijst-{series}.csv"), &export::rows(1, series));
        assert_eq!(node.send(&list, peer.oin.as_str())["verzonden"], 1);
        node.settle();
    }
    let found = until("it is found out", || Some(told()).filter(|told| !told.is_empty()));
    assert!(found == ["herschreven"] || found == ["gesplitst"], "{found:?}");
    assert_eq!(look(&node).1, 1);
}
