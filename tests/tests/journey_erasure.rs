//! Erasing over the real program: what was erased is gone for good, and everything else, the evidence too, stays.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use exchange::clock::{Clock as _, ManualClock};
use jiff::SignedDuration;
use node::{
    logbook,
    node::Node as Program,
    system::{SystemClock, SystemRandom},
};
use serde_json::{Value, json};
use store::Filter;
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, agree, export, until};

const KEY_FILE: &str = "sleutels/inhoud.sleutels";

/// How long the purpose of the signals allows to keep them.
const RETENTION_DAYS: i64 = 183;

/// The files of a node's database, with the keys of what is in it.
const FILES: [&str; 4] = ["schakel.db", "schakel.db-wal", "schakel.db-shm", KEY_FILE];

/// What stands in the files of a stopped node.
struct Backup(Vec<Option<Vec<u8>>>);

impl Backup {
    fn of(node: &Node) -> Self {
        Self(FILES.iter().map(|name| fs::read(node.path(name)).ok()).collect())
    }

    /// Puts the database back as it was, and of the keys what it holds unless `keys_too` is false.
    fn put_back(&self, node: &Node, keys_too: bool) {
        for (name, content) in FILES.iter().zip(&self.0).filter(|(name, _)| keys_too || **name != KEY_FILE) {
            match content {
                Some(content) => fs::write(node.path(name), content).unwrap(),
                None => drop(fs::remove_file(node.path(name))),
            }
        }
    }
}

/// A message as the list shows it.
fn message(node: &Node, direction: &str, id: &str) -> Value {
    node.mailbox(direction).0.into_iter().find(|row| row["id"] == id).unwrap()
}

/// Writes the evidence of a message, with what is in it.
fn evidence(place: &Place, node: &Node, id: &str) -> Result<Value, String> {
    let file = place.path().join("bewijs.json");
    let _ = fs::remove_file(&file);
    let done = node.cli(&["logboek", "bewijs", id, "--naar", file.to_str().unwrap()]);
    if done.code == 0 {
        return Ok(serde_json::from_slice(&fs::read(&file).unwrap()).unwrap());
    }
    assert!(!file.exists());
    Err(done.refused())
}

/// What is left is the evidence that it was there, without what it said.
fn is_gone(place: &Place, node: &Node, id: &str) {
    let left = evidence(place, node, id).unwrap();
    assert_eq!((&left["bericht"], &left["zonder_tekst"]), (&Value::Null, &json!("gewist")));
}

fn erase(node: &Node, case: &str) -> Value {
    node.json(&["wissen", "dossier", case, "--reden", "verzoek", "--zeker"])
}

/// How many receipts hold, and how many there should be.
fn receipts(folder: &Path) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let node = Program::open(folder, clock, random).await.unwrap();
        logbook::count_receipts(&node.core).await.unwrap()
    })
}

#[test]
fn what_was_erased_does_not_come_back() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", &export::rows(3, 1));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], 3);
    corporation.settle();
    receiving.stop();
    let before = Backup::of(&municipality);
    let receiving = municipality.serve();

    let sent = corporation.mailbox("uit").0;
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let (gone, kept) = (text(&sent[0], "id"), text(&sent[1], "id"));
    let case = text(&sent[0], "dossier");
    let asked = municipality.json(&["wissen", "dossier", &case]);
    assert_eq!((&asked["te_wissen"], &asked["uitgevoerd"]), (&1.into(), &false.into()));
    assert_eq!(evidence(&place, &municipality, &gone).unwrap()["soort"], "schakel-bewijs/1", "not yet");

    // While both serve, each at its own node.
    for (node, direction) in [(&municipality, "in"), (&corporation, "uit")] {
        let erased = erase(node, &case);
        assert_eq!((&erased["gewist"], &erased["uitgevoerd"]), (&1.into(), &true.into()));
        is_gone(&place, node, &gone);
        evidence(&place, node, &kept).unwrap();
        let row = message(node, direction, &gone);
        assert_eq!((&row["stand"], &row["gewist"]), (&"toegelaten".into(), &erased["regels"][0]));
        assert!(row["bewaren_tot"].is_string());
        assert_eq!(erase(node, &case)["gewist"], 0, "once");
        assert!(
            node.cli(&["wissen", "dossier", &case]).expect(0).stdout.contains("niets dat gewist kan worden")
        );
        assert_eq!(node.json(&["wissen", "verlopen"])["gewist"], 0, "nothing is that old");
        node.verified_log();
    }
    // It goes on.
    let more = place.file("meer.csv", &export::rows(1, 2));
    assert_eq!(corporation.send(&more, MUNICIPALITY)["verzonden"], 1);
    corporation.settle();
    until("it came in", || (municipality.mailbox("in").0.len() == 4).then_some(()));
    receiving.stop();
    sending.stop();
    assert_eq!(receipts(&corporation.folder), (4, 4), "of what was erased too");

    // The database of before, with the keys of now.
    let now = Backup::of(&municipality);
    before.put_back(&municipality, false);
    assert_eq!(
        message(&municipality, "in", &gone)["gewist"],
        Value::Null,
        "this database does not know of it"
    );
    is_gone(&place, &municipality, &gone);
    assert!(evidence(&place, &municipality, &kept).unwrap()["bericht"].is_string());
    // With the keys of then it could be read: the copy is a good one.
    before.put_back(&municipality, true);
    assert!(evidence(&place, &municipality, &gone).unwrap()["bericht"].is_string());

    now.put_back(&municipality, true);
    is_gone(&place, &municipality, &gone);
    assert!(evidence(&place, &municipality, &kept).unwrap()["bericht"].is_string());
    municipality.verified_log();
}

/// A connection that took in a list once; what the node left of it, and what somebody put beside it.
fn connection_with_results(node: &Node) -> (PathBuf, PathBuf) {
    let path = node.path("schakel.toml");
    let mut settings = fs::read_to_string(&path).unwrap();
    let _ = write!(
        settings,
        "\n[[koppelingen]]\nnaam = \"lijst\"\nmapping = \"lijst.toml\"\nontvanger = \"{CORPORATION}\"\nmap = \"in\"\n"
    );
    fs::write(path, settings).unwrap();
    fs::create_dir_all(node.path("in/klaar")).unwrap();
    let file = |name: &str| {
        let path = node.path(name);
        fs::write(&path, "999990342").unwrap();
        path
    };
    (file("in/klaar/20261121T093000Z-1_lijst.csv"), file("in/klaar/eigen.csv"))
}

/// A node that runs erases by itself what its purpose does not allow to be kept any longer.
#[test]
fn a_running_node_applies_retention() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", &export::rows(5, 1));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], 5);
    corporation.settle();
    receiving.stop();
    sending.stop();
    let size = municipality.verified_log();
    let (ours, another) = connection_with_results(&municipality);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let later = SystemClock.now() + SignedDuration::from_hours(24 * (RETENTION_DAYS + 1));
    let opened =
        Program::open(&municipality.folder, Arc::new(ManualClock::at(later)), Arc::new(SystemRandom));
    let program = runtime.block_on(opened).unwrap();
    let running = runtime.block_on(program.start()).unwrap();
    until("it erased what is over", || {
        let rows = runtime.block_on(program.core.store.messages(Filter { limit: 10, ..Filter::default() }));
        let rows = rows.unwrap();
        assert_eq!(rows.len(), 5);
        rows.iter().all(|row| row.erased.is_some()).then_some(())
    });
    until("it cleared what a connection left behind", || (!ours.exists()).then_some(()));
    assert!(another.exists(), "what is not its own stays");
    runtime.block_on(running.stop());
    drop((program, runtime));
    assert_eq!(municipality.verified_log(), size + 1, "one entry says so");
    for row in municipality.mailbox("in").0 {
        is_gone(&place, &municipality, row["id"].as_str().unwrap());
    }
    let corporation = corporation.json(&["wissen", "verlopen"]);
    assert_eq!(corporation["gewist"], 0, "each by its own clock");
}

/// A node whose keys are gone says so, and does not begin anew.
#[test]
fn a_key_file_that_is_missing_or_of_another() {
    let place = Place::new();
    let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
    let other = place.node("corporatie", CORPORATION, "woningcorporatie");
    let path = municipality.path(KEY_FILE);
    let kept = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let refused = municipality.cli(&["berichten"]).refused();
    assert!(
        refused.contains("reservekopie van het sleutelbestand") && refused.contains(KEY_FILE),
        "{refused}"
    );
    assert!(!path.exists());
    fs::write(&path, fs::read(other.path(KEY_FILE)).unwrap()).unwrap();
    let refused = municipality.cli(&["berichten"]).refused();
    assert!(refused.contains("sleutelbestand terug dat bij deze database"), "{refused}");
    fs::write(&path, kept).unwrap();
    municipality.cli(&["berichten"]).expect(0);
}
