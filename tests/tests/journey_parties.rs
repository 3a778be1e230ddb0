//! Agreements of more than two: every answer reaches every party, also by way of another, and no message overtakes one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use exchange::organisation::OrganisationKind;
use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Peer, Place, Serving, Stopwatch, agree, export, introduce, proposal,
    until,
};
use transport::{Handler, Request, Response, Server};

const SERVICE: &str = "00000099000000003000";

/// Three nodes that serve and know each other.
struct Three {
    place: Place,
    nodes: [Node; 3],
    serving: [Option<Serving>; 3],
}

const RECEIVER: usize = 0;
const SENDER: usize = 1;
const THIRD: usize = 2;

impl Three {
    fn new() -> Self {
        let place = Place::new();
        let (receiver, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let (sender, second) = place.serving("corporatie", CORPORATION, "woningcorporatie");
        let (third, last) = place.serving("sociale-dienst", SERVICE, "sociale-dienst");
        introduce(&[&receiver, &sender, &third]);
        Self { place, nodes: [receiver, sender, third], serving: [Some(first), Some(second), Some(last)] }
    }

    /// The receiver proposes an agreement of the three; gives its digest.
    fn propose(&self) -> String {
        let [receiver, sender, third] = self.nodes.each_ref().map(|node| node.json(&["convenant", "partij"]));
        let mut text = proposal(&receiver, &sender["partij"]);
        text["partijen"].as_array_mut().unwrap().push(third["partij"].clone());
        let file = self.place.file("convenant.json", text.to_string().as_bytes());
        let file = file.to_str().unwrap();
        // The running nodes may not have noticed their new partners yet.
        let done = until("everybody has the proposal", || {
            let done = self.nodes[RECEIVER].cli(&["convenant", "voorstellen", file, "--json"]);
            (done.code == 0).then_some(done)
        });
        done.json()["convenant"].as_str().unwrap().to_owned()
    }

    fn standing(&self, node: usize, agreement: &str) -> String {
        let shown = self.nodes[node].json(&["convenant", "tonen", agreement]);
        shown["convenanten"][0]["stand"].as_str().unwrap().to_owned()
    }

    /// Lets the third party answer. Only the receiver, who is away, does not hear it.
    fn only_the_receiver_misses(&self, answer: &[&str]) {
        // The running sender may not have noticed its new partner yet.
        until("the sender hears it", || {
            let told = self.nodes[THIRD].cli(answer).expect(1).json();
            let missed = told["niet_bereikt"].as_array().unwrap();
            assert!(missed.iter().any(|one| one["oin"] == MUNICIPALITY), "{told}");
            (missed.len() == 1).then_some(())
        });
    }

    fn stop(&mut self, node: usize) {
        self.serving[node].take().unwrap().stop();
    }
}

/// The third party's answer reaches the sender and never the receiver: the receiver is away when it is given, and the
/// third party is gone for good when the receiver is back. The sender has every answer then, and messages waiting.
#[test]
fn a_receiver_that_missed_an_answer_refuses_nothing() {
    let mut three = Three::new();
    let agreement = three.propose();
    let list = three.place.file("lijst.csv", &export::rows(40, 1));
    three.nodes[SENDER].cli(&["convenant", "aanvaarden", &agreement]).expect(0);
    three.stop(RECEIVER);
    three.only_the_receiver_misses(&["convenant", "aanvaarden", &agreement, "--json"]);
    three.serving[THIRD].as_mut().unwrap().kill();
    assert_eq!(three.standing(SENDER, &agreement), "in werking");
    assert_eq!(three.nodes[SENDER].send(&list, MUNICIPALITY)["verzonden"], 40);
    assert!(three.standing(RECEIVER, &agreement).starts_with("wacht op"));

    three.serving[RECEIVER] = Some(three.nodes[RECEIVER].serve());
    three.nodes[SENDER].settle();
    let states = [("toegelaten".to_owned(), 40)].into();
    assert_eq!(three.nodes[SENDER].mailbox("uit").states(), states);
    assert_eq!(three.nodes[RECEIVER].mailbox("in").states(), states);
    assert_eq!(three.standing(RECEIVER, &agreement), "in werking");
}

/// A party that hears of an answer only from another one knows as much, also when it has nothing to receive.
#[test]
fn an_answer_reaches_who_was_away_by_way_of_another() {
    let mut three = Three::new();
    let agreement = three.propose();
    three.nodes[SENDER].cli(&["convenant", "aanvaarden", &agreement]).expect(0);
    three.stop(RECEIVER);
    three.only_the_receiver_misses(&["convenant", "afwijzen", &agreement, "--json"]);
    three.serving[THIRD].as_mut().unwrap().kill();
    three.serving[RECEIVER] = Some(three.nodes[RECEIVER].serve());
    until("the rejection is known", || {
        (three.standing(RECEIVER, &agreement) == "afgewezen door Organisatie sociale-dienst").then_some(())
    });
}

/// A receiver made by hand: what was asked of it, in order, and whether it takes agreements in.
#[derive(Clone, Default)]
struct Receiver {
    asked: Arc<Mutex<Vec<(String, usize)>>>,
    takes: Arc<AtomicBool>,
}

impl Receiver {
    /// How often a path was asked for.
    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }
}

const AGREEMENTS: &str = "/v1/convenanten";
const MESSAGES: &str = "/v1/berichten";

impl Handler for Receiver {
    async fn handle(&self, _: Arc<transport::Peer>, request: Request) -> Response {
        let package: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let answers = package["antwoorden"].as_array().map_or(0, Vec::len);
        self.asked.lock().unwrap().push((request.path.clone(), answers));
        if request.path == AGREEMENTS && self.takes.load(Ordering::SeqCst) {
            return Response::new(200, "application/json", package["antwoorden"].to_string());
        }
        Response::problem(503, "niet-beschikbaar", "Even niet beschikbaar", "Probeer het straks opnieuw.")
    }
}

/// A node with two partners made by hand, both of which signed an agreement with it and wait for its answer.
struct ByHand {
    place: Place,
    node: Node,
    /// What the first was asked; the second is wherever it says it is.
    asked: Receiver,
    first: Peer,
    digest: String,
    _serving: Serving,
    _listening: Server,
}

impl ByHand {
    /// The partners have these numbers; the second listens at this address.
    async fn new(first: u8, second: u8, address: &str) -> Self {
        let place = Place::new();
        let (node, serving) = place.serving("corporatie", CORPORATION, "woningcorporatie");
        let first = Peer::new(&place, &node, first).of_kind(OrganisationKind::Municipality);
        let second = Peer::new(&place, &node, second);
        let asked = Receiver::default();
        let listening = first.listen(asked.clone()).await;
        for description in
            [first.descriptor_at(&listening.tcp_addr().to_string()), second.descriptor_at(address)]
        {
            let file = place.file("partner.jws", description.as_bytes());
            node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
        }
        let own = node.json(&["convenant", "partij"]);
        let mut text = proposal(&json!({ "partij": first.party(), "doelen": own["doelen"] }), &own["partij"]);
        text["partijen"].as_array_mut().unwrap().push(second.party());
        for peer in [&first, &second] {
            // The running node may not have noticed its new partners yet.
            while peer.log_size().await.is_none() {
                tokio::task::yield_now().await;
            }
            peer.propose(&node, &text).await;
        }
        let digest = node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].clone();
        let digest = digest.as_str().unwrap().to_owned();
        Self { place, node, asked, first, digest, _serving: serving, _listening: listening }
    }
}

/// Until the receiver took in every answer the sender has, it gets no message, however it refuses; and the operator of
/// the sender sees why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_waits_until_the_receiver_has_every_answer() {
    let scene = ByHand::new(4, 5, "127.0.0.1:1").await;
    let ByHand { place, node: sender, asked, first: receiver, digest, .. } = &scene;
    sender.cli(&["convenant", "aanvaarden", digest]).expect(1);
    let list = place.file("lijst.csv", &export::rows(5, 1));
    let report = sender.send(&list, receiver.oin.as_str());
    assert_eq!(report["verzonden"], 5, "{report}");

    until("the sender waits", || {
        let partners = sender.json(&["partner", "lijst"]);
        let partners = partners["partners"].as_array().unwrap();
        let to = partners.iter().find(|one| one["oin"] == receiver.oin.as_str()).unwrap();
        to["storing"].as_str().is_some_and(|why| why.contains("antwoorden op het convenant")).then_some(())
    });
    let before = asked.asked(AGREEMENTS);
    until("it tried again", || (asked.asked(AGREEMENTS) > before + 1).then_some(()));
    assert_eq!(asked.asked(MESSAGES), 0, "{:?}", asked.asked.lock().unwrap());

    asked.takes.store(true, Ordering::SeqCst);
    until("the messages leave", || (asked.asked(MESSAGES) > 0).then_some(()));
    let order = asked.asked.lock().unwrap().clone();
    let first = order.iter().position(|(path, _)| path == MESSAGES).unwrap();
    let told = order[..first].iter().rfind(|(path, _)| path == AGREEMENTS).unwrap();
    assert_eq!(told.1, 3, "every answer, also that of the third party: {order:?}");
}

/// Whoever takes connections and says nothing holds up only itself, whatever the order: the others hear at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_that_is_silent_delays_no_other() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let scene = ByHand::new(5, 4, &silent.local_addr().unwrap().to_string()).await;
    let ByHand { node, asked, digest, .. } = &scene;
    asked.takes.store(true, Ordering::SeqCst);
    for (number, answer) in
        [&["aanvaarden", digest][..], &["opzeggen", digest, "--zeker"]].into_iter().enumerate()
    {
        let watch = Stopwatch::start();
        let _answering = node.start(&[&["convenant"], answer].concat());
        // Both others accepted before.
        until("the answer is heard", || {
            let told = asked.asked.lock().unwrap();
            told.iter().any(|(_, answers)| *answers == 3 + number).then_some(())
        });
        assert!(watch.elapsed() < Duration::from_secs(4), "{answer:?}: {:?}", watch.elapsed());
    }
}

/// A partner goes when nothing rests on it: each refusal says what to do first, and doing that helps.
#[test]
fn a_partner_is_removed_when_nothing_rests_on_it() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    let remove = |more: &[&str]| corporation.cli(&[&["partner", "verwijderen", MUNICIPALITY], more].concat());
    assert!(remove(&[]).refused().contains("is geen partner"));
    let agreement = agree(&place, &municipality, &corporation);
    let error = remove(&["--zeker"]).refused();
    assert!(error.contains("reis versie 1") && error.contains("schakel convenant opzeggen"), "{error}");

    for serving in [receiving, sending] {
        serving.stop();
    }
    let list = place.file("lijst.csv", &export::rows(3, 1));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], 3);
    assert_eq!(corporation.json(&["partner", "lijst"])["partners"][0]["wachtend"], 3);
    corporation.cli(&["convenant", "opzeggen", &agreement, "--zeker"]).expect(1);
    let error = remove(&["--zeker"]).refused();
    assert!(error.contains("wachten nog berichten") && error.contains("(3)"), "{error}");

    let (_receiving, sending) = (municipality.serve(), corporation.serve());
    corporation.settle();
    assert_eq!(corporation.mailbox("uit").states(), [("onbestelbaar".to_owned(), 3)].into());
    let (own, other) =
        (municipality.json(&["convenant", "partij"]), corporation.json(&["convenant", "partij"]));
    let mut text = proposal(&own, &other["partij"]);
    text["versie"] = json!(2);
    let file = place.file("convenant.json", text.to_string().as_bytes());
    municipality.cli(&["convenant", "voorstellen", file.to_str().unwrap()]).expect(0);
    let done = remove(&["--json"]);
    assert!(done.json()["fout"].as_str().unwrap().contains("--zeker"), "{done:?}");
    assert!(done.refused().contains("het voorstel reis versie 2"));

    sending.stop();
    let removed = remove(&["--zeker", "--json"]).expect(0).json();
    assert_eq!((&removed["oin"], &removed["verwijderd"]), (&json!(MUNICIPALITY), &json!(true)));
    assert_eq!(corporation.json(&["partner", "lijst"])["partners"], json!([]));
    assert_eq!(corporation.mailbox("uit").0.len(), 3, "what was exchanged stays");
    let _sending = corporation.serve();
    let told = municipality.cli(&["convenant", "opzeggen", &text_digest(&text), "--zeker"]).expect(1);
    assert!(told.stdout.contains("nog niet als partner"), "{told:?}");
    // Added again, it is as before.
    corporation.cli(&["partner", "toevoegen", &municipality.address, "--oin", MUNICIPALITY]).expect(0);
    until("the end is known", || {
        let shown = corporation.json(&["convenant", "tonen", &text_digest(&text)]);
        shown["convenanten"][0]["stand"].as_str().unwrap().starts_with("opgezegd").then_some(())
    });
    remove(&[]).expect(0);
}

fn text_digest(agreement: &Value) -> String {
    exchange::agreement::Agreement::parse(&agreement.to_string()).unwrap().digest().to_string()
}
