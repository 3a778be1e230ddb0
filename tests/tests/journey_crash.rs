//! kill -9 in the middle of a thousand messages, of either side and of both in turn: every message arrives, once, with
//! a receipt that holds.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a journey measured is read in its output")]

use std::{path::PathBuf, time::Duration};

use tests::processes::{CORPORATION, MUNICIPALITY, Node, Peer, Place, Serving, agree, export, until};

/// Messages of an export.
const MESSAGES: u32 = 1_000;
/// From starting a killed node to its serving again. The limit of the design is two seconds on a quiet machine.
const BACK_WITHIN: Duration = Duration::from_secs(2);

struct Scene {
    municipality: Node,
    corporation: Node,
    list: PathBuf,
    /// Looks at the municipality's log while messages come in.
    observer: Peer,
    /// The municipality's log before the first message.
    before: u64,
    place: Place,
}

async fn scene() -> (Scene, Serving, Serving) {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", &export::rows(MESSAGES, 0));
    let observer = Peer::new(&place, &municipality, 77);
    let file = place.file("waarnemer.jws", observer.descriptor().as_bytes());
    municipality.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    let scene = Scene { before: 0, municipality, corporation, list, observer, place };
    let before = scene.look_until(1).await;
    (Scene { before, ..scene }, sending, receiving)
}

impl Scene {
    /// Waits until the municipality's log holds so many entries.
    async fn look_until(&self, size: u64) -> u64 {
        let look = async {
            loop {
                // Refused until the running node has noticed that the observer is a partner.
                if let Some(found) = self.observer.log_size().await.filter(|found| *found >= size) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(tests::processes::PATIENCE, look).await.expect("messages arrive")
    }

    /// Waits until more than `count` messages arrived.
    async fn arrived(&self, count: u64) {
        self.look_until(self.before + count).await;
    }

    /// How many messages are filed at the municipality.
    fn filed(&self) -> usize {
        self.municipality.mailbox("in").0.len()
    }

    /// Every message arrived, exactly once, with a receipt that holds.
    async fn is_complete(&self) {
        self.corporation.settle();
        let (out, inbox) = (self.corporation.mailbox("uit"), self.municipality.mailbox("in"));
        let all = MESSAGES as usize;
        assert_eq!(out.states(), [("toegelaten".to_owned(), all)].into());
        assert_eq!(inbox.states(), [("toegelaten".to_owned(), all)].into());
        assert_eq!(out.digests(), inbox.digests());
        assert_eq!(out.ids(), inbox.ids());
        let mut once = inbox.digests();
        once.dedup();
        assert_eq!(once.len(), all);

        self.corporation.verified_log();
        let size = self.municipality.verified_log();
        assert_eq!(size, self.before + u64::from(MESSAGES), "every message has one entry");
        let sender = node::cli::open(&self.corporation.folder).await.unwrap();
        let receipts = node::logbook::count_receipts(&sender.core).await.unwrap();
        assert_eq!(receipts, (MESSAGES.into(), MESSAGES.into()));

        let again = self.corporation.send(&self.list, MUNICIPALITY);
        assert_eq!(
            (again["verzonden"].as_u64(), again["eerder_verzonden"].as_u64()),
            (Some(0), Some(MESSAGES.into()))
        );
        assert_eq!(self.filed(), all);
        assert!(self.place.path().exists());
    }
}

/// A node that was killed serves again, soon.
fn again(node: &Node) -> Serving {
    let serving = node.serve();
    eprintln!("{} served again after {:?}", node.oin, serving.started);
    assert!(serving.started < BACK_WITHIN, "{:?}", serving.started);
    serving
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_killed_loses_and_doubles_nothing() {
    let (scene, _sending, mut receiving) = scene().await;
    let offering = scene.corporation.start_sending(&scene.list, MUNICIPALITY);
    scene.arrived(100).await;
    receiving.kill();
    let filed = scene.filed();
    assert!((1..MESSAGES as usize).contains(&filed), "{filed} is not the middle");
    eprintln!("killed the receiver at {filed}");
    let _receiving = again(&scene.municipality);
    let report = offering.wait().expect(0).json();
    assert_eq!(report["verzonden"], MESSAGES, "{report}");
    scene.is_complete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_is_killed_loses_and_doubles_nothing() {
    let (scene, mut sending, _receiving) = scene().await;
    let mut offering = scene.corporation.start_sending(&scene.list, MUNICIPALITY);
    scene.arrived(100).await;
    // The node and the command that offers the list, both.
    sending.kill();
    offering.kill();
    let filed = scene.filed();
    assert!((1..MESSAGES as usize).contains(&filed), "{filed} is not the middle");
    eprintln!("killed the sender at {filed}");
    let _sending = again(&scene.corporation);
    let report = scene.corporation.send(&scene.list, MUNICIPALITY);
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(number("verzonden") + number("eerder_verzonden"), u64::from(MESSAGES), "{report}");
    assert!(number("eerder_verzonden") >= filed as u64, "{report}");
    scene.is_complete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_killed_in_turn_lose_and_double_nothing() {
    let (scene, mut sending, mut receiving) = scene().await;
    let offering = scene.corporation.start_sending(&scene.list, MUNICIPALITY);
    let mut kills = Vec::new();
    for share in 1..=6 {
        scene.arrived(share * 128).await;
        if share % 2 == 0 {
            receiving.kill();
            kills.push(scene.filed());
            receiving = again(&scene.municipality);
        } else {
            sending.kill();
            kills.push(scene.filed());
            sending = again(&scene.corporation);
        }
    }
    eprintln!("killed at {kills:?}");
    offering.wait().expect(0);
    scene.is_complete().await;
    drop((sending, receiving));
}

#[test]
fn an_offer_that_is_killed_is_finished_by_offering_it_again() {
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let rejects = place.path().join("lijst.afgekeurd.csv");
    let list = (0..5).find_map(|series| {
        let mut list = export::rows(MESSAGES, series);
        // A row that cannot be read, so that there is something to reject.
        let at = list.windows(6).position(|window| window == b";J;J;J").unwrap();
        list[at + 1] = b'?';
        let list = place.file("lijst.csv", &list);
        let before = corporation.mailbox("uit").0.len();
        let mut offering = corporation.start_sending(&list, MUNICIPALITY);
        until("something was sent", || (corporation.mailbox("uit").0.len() > before).then_some(()));
        let done = offering.kill();
        // On a quick machine it may be finished by then; the next may not.
        if done.stdout.is_empty() {
            return Some(list);
        }
        std::fs::remove_file(&rejects).unwrap();
        None
    });
    let list = list.expect("an offer that takes longer than looking at the outbox");
    assert!(!rejects.exists(), "half a rejects file");

    let report = corporation.try_send(&list, MUNICIPALITY).expect(1).json();
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(number("verzonden") + number("eerder_verzonden"), u64::from(MESSAGES) - 1, "{report}");
    assert!(number("eerder_verzonden") > 0, "{report}");
    assert_eq!(number("afgekeurd"), 1);
    assert!(rejects.exists());
    corporation.settle();
    assert_eq!(corporation.mailbox("uit").digests(), municipality.mailbox("in").digests());
    assert_eq!(municipality.mailbox("in").0.len() % (MESSAGES as usize - 1), 0);
    let left: Vec<_> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".tmp") || name.contains("afgekeurd"))
        .collect();
    assert_eq!(left, ["lijst.afgekeurd.csv"], "the offer that was killed left nothing behind");
}

#[test]
fn a_dropped_file_that_was_being_taken_in_is_taken_up_again() {
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    sending.stop();
    let settings = corporation.path("schakel.toml");
    let connection = format!(
        "\n[[koppelingen]]\nnaam = \"achterstanden\"\nmapping = \"koppelingen/woningcorporatie-achterstanden.toml\"\nontvanger = \"{MUNICIPALITY}\"\nmap = \"aanleveren\"\n"
    );
    std::fs::write(&settings, std::fs::read_to_string(&settings).unwrap() + &connection).unwrap();
    std::fs::create_dir(corporation.path("aanleveren")).unwrap();
    std::fs::write(corporation.path("aanleveren/lijst.csv"), export::rows(MESSAGES, 9)).unwrap();
    // Not the rejects that are being written, which are hidden.
    let done = || {
        let entries = std::fs::read_dir(corporation.path("aanleveren/klaar")).into_iter().flatten();
        entries
            .filter(|entry| !entry.as_ref().unwrap().file_name().as_encoded_bytes().starts_with(b"."))
            .count()
    };
    let mut serving = corporation.serve();
    let claimed =
        || std::fs::read_dir(corporation.path("aanleveren/bezig")).into_iter().flatten().count() > 1;
    let written =
        || std::fs::metadata(corporation.path("schakel.db-wal")).and_then(|data| data.modified()).ok();
    until("the file is claimed", || claimed().then_some(()));
    let before = written();
    until("its first rows are stored", || (written() != before).then_some(()));
    serving.kill();
    assert_eq!(done(), 0, "not the middle");
    let sent = corporation.mailbox("uit").0.len();
    assert!(sent < MESSAGES as usize, "{sent} is not the middle");
    eprintln!("killed the intake at {sent}");
    let _serving = corporation.serve();
    until("the file is done", || (done() == 1).then_some(()));
    corporation.settle();
    assert_eq!(municipality.mailbox("in").0.len(), MESSAGES as usize);
    assert_eq!(corporation.mailbox("uit").digests(), municipality.mailbox("in").digests());
    corporation.verified_log();
}
