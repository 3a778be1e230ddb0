//! Two partners made by hand say about cases what no node would: each has its own outcome, proven to them by a receipt and
//! visible at the node.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use exchange::{clock::Clock as _, organisation::OrganisationKind};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use node::system::SystemClock;
use serde_json::{Value, json};
use tests::{
    offer::{about, offer},
    processes::{
        Letter, MUNICIPALITY, Node, Peer, Place, Serving, eventually,
        handover::{PURPOSE, between},
    },
};
use uuid::Uuid;

const ADMITTED: Option<&str> = None;
const UNKNOWN: Option<&str> = Some("overdracht-onbekend");
const ANSWERED: Option<&str> = Some("overdracht-al-beantwoord");
const OUT_OF_TURN: Option<&str> = Some("overdracht-niet-aan-zet");
const ELSEWHERE: Option<&str> = Some("regie-elders");
const TERM: Option<&str> = Some("termijn-onjuist");

struct Scene {
    place: Place,
    node: Node,
    serving: Serving,
    /// A social service.
    service: Peer,
    /// A social security agency.
    agency: Peer,
    agreement: String,
}

/// What was offered by the node.
struct Offered {
    case: Uuid,
    offer: Uuid,
}

impl Scene {
    /// A municipality that agreed with two partners. Those have no node: what is for them waits.
    async fn new() -> Self {
        let place = Place::new();
        let (node, serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let service = Peer::new(&place, &node, 3).of_kind(OrganisationKind::SocialService);
        let agency = Peer::new(&place, &node, 5).of_kind(OrganisationKind::Uwv);
        for peer in [&service, &agency] {
            let file = place.file("partner.jws", peer.descriptor().as_bytes());
            node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
            eventually("the node knows its partner", async || peer.log_size().await).await;
        }
        let party = node.json(&["convenant", "partij"]);
        let text = between(&party, &[party["partij"].clone(), service.party(), agency.party()]);
        for peer in [&service, &agency] {
            peer.propose(&node, &text).await;
        }
        let digest = node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].clone();
        let agreement = digest.as_str().unwrap().to_owned();
        // The partners have no node to bring the answer to.
        node.cli(&["convenant", "aanvaarden", &agreement]).expect(1);
        eventually("the running node knows its own answer", async || {
            (service.propose(&node, &text).await.len() == 3).then_some(())
        })
        .await;
        Self { place, node, serving, service, agency, agreement }
    }

    /// The node offers a new case.
    fn offer(&self, to: &Peer) -> Offered {
        let data = offer(SystemClock.now() + SignedDuration::from_hours(24 * 14));
        let file = self.place.file("overdracht.json", data.to_string().as_bytes());
        let (file, to) = (file.to_str().unwrap(), to.oin.to_string());
        let kind = "overdracht-aangeboden";
        let sent = ["document", file, "--soort", kind, "--doel", PURPOSE, "--aan", &to, "--json"];
        let sent = self.node.cli(&sent).expect(0).json();
        let id = |name: &str| sent[name].as_str().unwrap().parse().unwrap();
        Offered { case: id("dossier"), offer: id("bericht") }
    }

    /// The node takes its offer back; gives the message that says so.
    fn withdraw(&self, case: Uuid) -> Uuid {
        let case = case.to_string();
        let said = self.node.json(&["overdracht", "intrekken", &case, "--reden", "andere-oplossing"]);
        said["bericht"].as_str().unwrap().parse().unwrap()
    }

    /// A message of a partner in a case, not signed yet.
    fn letter(&self, from: &Peer, case: Uuid, (what, data): (&str, Value)) -> Letter {
        Letter::new(from, MUNICIPALITY, &self.agreement)
            .with("/type", json!(format!("nl.sociaaldomein.overdrachten.{what}.v1")))
            .with("/dataschema", json!(format!("urn:schakel:schema:overdracht-{what}:1")))
            .with("/doel", json!(PURPOSE))
            .with("/dossier", json!(case.urn().to_string()))
            .with("/data", data)
            .without("/loket")
    }

    /// A partner says something in a case; gives why it was refused, as its receipt proves.
    async fn say(&self, from: &Peer, case: Uuid, said: (&str, Value)) -> Option<&'static str> {
        from.receipt(&self.letter(from, case, said).signed(from)).await.reason()
    }

    /// Who holds a case by what the node knows, and how the last offer stands.
    fn known(&self, case: Uuid) -> (String, String) {
        let done = self.node.cli(&["overdracht", "tonen", &case.to_string(), "--json"]);
        assert!(matches!(done.code, 0 | 1), "{done:?}");
        let known = done.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&known["regie"]), text(&known["aanbiedingen"].as_array().unwrap().last().unwrap()["stand"]))
    }

    /// The node is as well as ever.
    fn well(self) {
        self.node.verified_log();
        let log = self.serving.stop();
        assert!(!log.contains("999990342"), "{log}");
    }
}

fn accepted(offer: Uuid) -> (&'static str, Value) {
    let director = json!({ "organisatie": "Sociale Dienst Rivierenland", "functie": "consulent" });
    let before = SystemClock.now().to_zoned(TimeZone::UTC).date().checked_add(7.days()).unwrap();
    ("geaccepteerd", about(offer, json!({ "casusregisseur": director, "eerste_contact_voor": before })))
}

fn declined(offer: Uuid) -> (&'static str, Value) {
    ("afgewezen", about(offer, json!({ "reden": "geen-plek", "toelichting": "Er is nu geen plek." })))
}

fn contacted(offer: Uuid) -> (&'static str, Value) {
    let content = json!({
        "datum": "2026-11-20", "soort": "gesprek", "samen_met_afzender": true, "vraag_bevestigd": true,
    });
    ("eerste-contact", about(offer, content))
}

fn confirmed(offer: Uuid, withdrawal: Uuid, outcome: &str) -> (&'static str, Value) {
    ("intrekking-bevestigd", about(offer, json!({ "intrekking_id": withdrawal, "uitkomst": outcome })))
}

fn offered(before: Timestamp) -> (&'static str, Value) {
    ("aangeboden", offer(before))
}

fn in_days(days: i64) -> Timestamp {
    SystemClock.now() + SignedDuration::from_hours(24 * days)
}

fn held(oin: &(impl ToString + ?Sized), state: &str) -> (String, String) {
    (oin.to_string(), state.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_from_others_out_of_order_or_twice_move_nothing() {
    let scene = Scene::new().await;
    let (service, agency) = (&scene.service, &scene.agency);
    let Offered { case, offer } = scene.offer(service);
    let waiting = held(MUNICIPALITY, "aangeboden");
    for (from, said, expected) in [
        // Who was not asked.
        (agency, accepted(offer), OUT_OF_TURN),
        (agency, declined(offer), OUT_OF_TURN),
        // About something that was never offered.
        (service, accepted(service.new_id(SystemClock.now())), UNKNOWN),
        // Before what it follows on.
        (service, contacted(offer), OUT_OF_TURN),
        (service, confirmed(offer, service.new_id(SystemClock.now()), "ingetrokken"), OUT_OF_TURN),
    ] {
        assert_eq!(scene.say(from, case, said.clone()).await, expected, "{said:?}");
        assert_eq!(scene.known(case), waiting, "{said:?}");
    }
    // In another case than that of the offer nobody knows of it.
    assert_eq!(scene.say(service, service.new_id(SystemClock.now()), accepted(offer)).await, UNKNOWN);

    // The same message twice is one; another that says the same is refused, and so is one that says otherwise.
    let acceptance = scene.letter(service, case, accepted(offer)).signed(service);
    let first = service.receipt(&acceptance).await;
    assert_eq!((first.reason(), first.known), (ADMITTED, false));
    let again = service.receipt(&acceptance).await;
    assert_eq!((again.reason(), again.known, again.index), (ADMITTED, true, first.index));
    let taken_over = held(&service.oin, "geaccepteerd");
    assert_eq!(scene.known(case), taken_over);
    for (from, said, expected) in [
        (service, accepted(offer), ANSWERED),
        (service, declined(offer), ANSWERED),
        (agency, contacted(offer), OUT_OF_TURN),
        (service, contacted(offer), ADMITTED),
        (service, contacted(offer), ANSWERED),
    ] {
        assert_eq!(scene.say(from, case, said.clone()).await, expected, "{said:?}");
        assert_eq!(scene.known(case), taken_over, "{said:?}");
    }
    scene.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_offers_at_once_one_counts() {
    let scene = Scene::new().await;
    let (service, agency) = (&scene.service, &scene.agency);
    let case = service.new_id(SystemClock.now());
    let first = scene.letter(service, case, offered(in_days(14))).signed(service);
    let mut second = offered(in_days(14));
    second.1["inhoud"]["eerste_aanbod_id"] = json!(Letter::id_of(&first));
    let second = scene.letter(service, case, second).signed(service);
    // In one delivery, by the same.
    let logged = service.receipted(&[&first, &second]).await;
    let reasons: Vec<_> = logged.iter().map(tests::processes::Logged::reason).collect();
    assert_eq!(reasons, [ADMITTED, OUT_OF_TURN]);
    let waiting = held(&service.oin, "aangeboden");
    assert_eq!(scene.known(case), waiting);
    // By another, who says that the case began there, and later.
    assert_eq!(scene.say(agency, case, offered(in_days(14))).await, ELSEWHERE);
    assert_eq!(scene.known(case), waiting);
    // The node does not offer what another holds.
    let file = scene.place.file("overdracht.json", offer(in_days(14)).to_string().as_bytes());
    let (file, to, dossier) = (file.to_str().unwrap(), agency.oin.to_string(), case.to_string());
    let arguments =
        ["--soort", "overdracht-aangeboden", "--doel", PURPOSE, "--aan", &to, "--dossier", &dossier];
    let held_back = scene.node.cli(&[&["document", file, "--json"], &arguments[..]].concat()).expect(1);
    assert_eq!(held_back.json()["reden"].as_str(), ELSEWHERE);
    scene.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acceptance_and_a_withdrawal_that_cross_have_one_outcome() {
    let scene = Scene::new().await;
    let service = &scene.service;
    // The partner accepted before it heard that the offer was taken back.
    let Offered { case, offer } = scene.offer(service);
    let withdrawal = scene.withdraw(case);
    assert_eq!(scene.known(case), held(MUNICIPALITY, "aangeboden"), "until the other says what became of it");
    assert_eq!(scene.say(service, case, accepted(offer)).await, ADMITTED);
    assert_eq!(scene.known(case), held(&service.oin, "geaccepteerd"));
    for (said, expected) in [
        (confirmed(offer, withdrawal, "ingetrokken"), OUT_OF_TURN),
        (confirmed(offer, withdrawal, "was-al-geaccepteerd"), ADMITTED),
        (confirmed(offer, withdrawal, "was-al-geaccepteerd"), ANSWERED),
    ] {
        assert_eq!(scene.say(service, case, said.clone()).await, expected, "{said:?}");
        assert_eq!(scene.known(case), held(&service.oin, "geaccepteerd"));
    }
    // It heard first, and then accepts all the same.
    let Offered { case, offer } = scene.offer(service);
    let withdrawal = scene.withdraw(case);
    assert_eq!(scene.say(service, case, confirmed(offer, withdrawal, "ingetrokken")).await, ADMITTED);
    assert_eq!(scene.say(service, case, accepted(offer)).await, ANSWERED);
    assert_eq!(scene.known(case), held(MUNICIPALITY, "ingetrokken"));
    // The acceptance itself got lost: the confirmation is as good.
    let Offered { case, offer } = scene.offer(service);
    let withdrawal = scene.withdraw(case);
    assert_eq!(scene.say(service, case, confirmed(offer, withdrawal, "was-al-geaccepteerd")).await, ADMITTED);
    assert_eq!(scene.known(case), held(&service.oin, "geaccepteerd"));
    scene.well();
}

/// What is absurd is refused; what is merely shorter than agreed counts as it stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_asked_for_within_bounds() {
    let scene = Scene::new().await;
    let service = &scene.service;
    for absurd in [in_days(-1), in_days(120), "9999-01-01T00:00:00Z".parse().unwrap()] {
        let case = service.new_id(SystemClock.now());
        assert_eq!(scene.say(service, case, offered(absurd)).await, TERM, "{absurd}");
        let unknown = scene.node.cli(&["overdracht", "tonen", &case.to_string()]);
        assert_eq!(unknown.code, 3, "{unknown:?}");
    }
    let case = service.new_id(SystemClock.now());
    let soon = SystemClock.now() + SignedDuration::from_mins(10);
    assert_eq!(scene.say(service, case, offered(soon)).await, ADMITTED);
    let known = scene.node.json(&["overdracht", "tonen", &case.to_string()])["aanbiedingen"][0].take();
    assert_eq!((&known["uiterlijk_voor"], &known["aan_zet"]), (&json!(soon), &json!(MUNICIPALITY)));
    scene.well();
}
