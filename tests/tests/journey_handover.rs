//! A resident handed over between three organisations: each of them says who holds the case, and they agree.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use exchange::clock::Clock as _;
use jiff::{SignedDuration, Timestamp};
use node::system::SystemClock;
use serde_json::{Value, json};
use tests::{
    offer::offer,
    processes::{
        Done, MUNICIPALITY, Node, Place, Serving, conclude,
        handover::{PURPOSE, agreement},
        introduce, until,
    },
};

const SERVICE: &str = "00000099000000003000";
const AGENCY: &str = "00000099000000005000";
struct World {
    place: Place,
    nodes: [Node; 3],
    serving: [Option<Serving>; 3],
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let (municipality, first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
        let (service, second) = place.serving("dienst", SERVICE, "sociale-dienst");
        let (agency, third) = place.serving("uwv", AGENCY, "uwv");
        let nodes = [municipality, service, agency];
        introduce(&nodes.each_ref());
        conclude(&place, &nodes.each_ref(), &agreement(&nodes.each_ref()));
        Self { place, nodes, serving: [Some(first), Some(second), Some(third)] }
    }

    fn offer(&self, from: usize, to: usize, case: Option<&str>) -> Done {
        self.offer_until(from, to, case, SystemClock.now() + SignedDuration::from_hours(24 * 14))
    }

    fn offer_until(&self, from: usize, to: usize, case: Option<&str>, before: Timestamp) -> Done {
        let file = self.place.file("overdracht.json", offer(before).to_string().as_bytes());
        let to = self.nodes[to].oin;
        let kind = "overdracht-aangeboden";
        let mut arguments = vec!["document", file.to_str().unwrap(), "--soort", kind, "--doel", PURPOSE];
        arguments.extend(["--aan", to, "--json"]);
        arguments.extend(case.iter().flat_map(|case| ["--dossier", *case]));
        self.nodes[from].cli(&arguments)
    }

    /// Says something about a case; `what` is the rest of the command.
    fn say(&self, node: usize, verb: &str, case: &str, what: &[&str]) -> Done {
        self.nodes[node].cli(&[&["overdracht", verb, case, "--json"], what].concat())
    }

    fn case(&self, node: usize, case: &str) -> Value {
        let done = self.nodes[node].cli(&["overdracht", "tonen", case, "--json"]);
        assert!(matches!(done.code, 0 | 1), "{done:?}");
        done.json()
    }

    /// Who holds the case according to a node.
    fn holder(&self, node: usize, case: &str) -> String {
        self.case(node, case)["regie"].as_str().unwrap().to_owned()
    }

    /// How the last offer stands that a node knows.
    fn state(&self, node: usize, case: &str) -> String {
        let offers = self.case(node, case)["aanbiedingen"].take();
        offers.as_array().unwrap().last().unwrap()["stand"].as_str().unwrap().to_owned()
    }

    fn settle(&self) {
        for node in &self.nodes {
            node.settle();
        }
    }
}

fn accepting() -> Vec<&'static str> {
    vec!["--functie", "consulent", "--naam", "K. de Boer", "--contact-voor", "2099-01-04"]
}

/// From the municipality to the social service, which says no and where to go; then to the social security agency, which takes
/// it over, is in contact with the resident and hands it on.
#[test]
fn a_case_is_held_by_one_and_all_agree_who() {
    let world = World::new();
    let offered = world.offer(0, 1, None).expect(0).json();
    let case = offered["dossier"].as_str().unwrap();
    world.settle();
    for node in [0, 1] {
        assert_eq!(
            (world.holder(node, case).as_str(), world.state(node, case).as_str()),
            (MUNICIPALITY, "aangeboden")
        );
    }

    // One open offer at a time, and nobody else can say anything about it.
    let second = world.offer(0, 2, Some(case)).expect(1).json();
    assert_eq!(second["reden"], "overdracht-niet-aan-zet");
    let elsewhere = ["--bij", "UWV Rivierenland", "--bij-oin", AGENCY];
    let wrong = ["--reden", "verkeerd-loket", "--toelichting", "Dit is werk voor het UWV."];
    world.say(1, "afwijzen", case, &[&wrong[..], &elsewhere[..]].concat()).expect(0);
    world.settle();
    assert_eq!((world.state(0, case), world.holder(0, case)), ("afgewezen".into(), MUNICIPALITY.into()));
    let late = world.say(1, "accepteren", case, &accepting()).expect(1).json();
    assert_eq!(late["reden"], "overdracht-al-beantwoord");

    world.offer(0, 2, Some(case)).expect(0);
    world.settle();
    world.say(2, "accepteren", case, &accepting()).expect(0);
    assert_eq!(world.holder(2, case), AGENCY, "from the moment that it is in its own log");
    world.settle();
    assert_eq!((world.holder(0, case), world.state(0, case)), (AGENCY.into(), "geaccepteerd".into()));
    assert_eq!(world.offer(0, 1, Some(case)).expect(1).json()["reden"], "regie-elders");

    let met = ["--datum", "2026-11-20", "--soort", "gesprek", "--samen", "--herkend"];
    world.say(2, "contact", case, &met).expect(0);
    world
        .say(2, "afronden", case, &["--datum", "2026-11-25", "--resultaat", "verder-overgedragen"])
        .expect(0);
    world.settle();
    let known = world.case(0, case)["aanbiedingen"][1].take();
    assert_eq!(
        (&known["eerste_contact"], &known["resultaat"]),
        (&json!("2026-11-20"), &json!("verder-overgedragen"))
    );

    world.offer(2, 1, Some(case)).expect(0);
    world.settle();
    world.say(1, "accepteren", case, &accepting()).expect(0);
    world.settle();
    for node in [1, 2] {
        assert_eq!(world.holder(node, case), SERVICE);
    }
    let list = world.nodes[1].json(&["overdracht", "lijst"]);
    assert_eq!(list["overdrachten"].as_array().unwrap().len(), 1);
    for node in [1, 2] {
        let known = world.case(node, case)["aanbiedingen"][1].take();
        let waits = (&known["aan_zet"], &known["wacht_op"], &known["geescaleerd"]);
        assert_eq!(waits, (&json!(SERVICE), &json!("eerste-contact"), &Value::Null));
    }
}

/// The holder takes the offer back while the other cannot be reached and has accepted it. The acceptance stands, both nodes say
/// so, and nobody had to do anything for that; also when both started anew in between.
#[test]
fn an_acceptance_that_crosses_a_withdrawal_stands() {
    let mut world = World::new();
    let offered = world.offer(0, 1, None).expect(0).json();
    let case = offered["dossier"].as_str().unwrap().to_owned();
    world.settle();
    for serving in [0, 1] {
        world.serving[serving].take().unwrap().stop();
    }
    world.say(1, "accepteren", &case, &accepting()).expect(0);
    world.say(0, "intrekken", &case, &["--reden", "geen-reactie"]).expect(0);
    assert_eq!(world.holder(0, &case), MUNICIPALITY, "it does not know better");
    for node in [0, 1] {
        world.serving[node] = Some(world.nodes[node].serve());
    }
    let said = |node: usize| {
        let steps = world.case(node, &case)["stappen"].take();
        let steps = steps.as_array().unwrap().clone();
        steps.iter().any(|step| step["stap"] == "intrekking-bevestigd" && step["stand"] == "toegelaten")
    };
    until("the withdrawal is answered", || (said(0) && said(1)).then_some(()));
    for node in [0, 1] {
        assert_eq!(
            (world.holder(node, &case), world.state(node, &case)),
            (SERVICE.into(), "geaccepteerd".into())
        );
    }
}

/// Both sides know whose turn it is and until when, by the same messages; and an offer leaves time to answer it.
#[test]
fn both_sides_know_whose_turn_it_is() {
    let world = World::new();
    let now = SystemClock.now();
    for (asked, hint) in
        [(SignedDuration::from_hours(4), "vanaf"), (SignedDuration::from_hours(24 * 200), "tot en met")]
    {
        let done = world.offer_until(0, 1, None, now + asked);
        let refused = done.expect(1).json();
        assert_eq!(refused["reden"], "termijn-onjuist");
        assert!(refused["over"][0].as_str().unwrap().contains(hint), "{refused}");
    }
    let before = now + SignedDuration::from_hours(24 * 14);
    let offered = world.offer_until(0, 1, None, before).expect(0).json();
    let case = offered["dossier"].as_str().unwrap();
    world.settle();
    for node in [0, 1] {
        let known = world.case(node, case)["aanbiedingen"][0].take();
        let waits = (&known["aan_zet"], &known["wacht_op"], &known["uiterlijk_voor"]);
        assert_eq!(waits, (&json!(SERVICE), &json!("antwoord"), &json!(before)));
        assert_eq!((&known["herinnerd"], &known["geescaleerd"]), (&Value::Null, &Value::Null));
    }
    let shown = world.nodes[1].cli(&["overdracht", "lijst"]).expect(0);
    assert!(shown.stdout.contains("aan zet: wij (antwoord, voor "), "{shown:?}");
}

/// Taken back in time: who was asked cannot accept any more, and the holder offers it to somebody else.
#[test]
fn what_was_taken_back_is_offered_to_somebody_else() {
    let world = World::new();
    let offered = world.offer(0, 1, None).expect(0).json();
    let case = offered["dossier"].as_str().unwrap();
    world.settle();
    world.say(0, "intrekken", case, &["--reden", "andere-oplossing"]).expect(0);
    until("it is taken back", || (world.state(0, case) == "ingetrokken").then_some(()));
    assert_eq!(
        world.say(1, "accepteren", case, &accepting()).expect(1).json()["reden"],
        "overdracht-al-beantwoord"
    );
    world.offer(0, 2, Some(case)).expect(0);
    world.settle();
    assert_eq!(world.state(2, case), "aangeboden");
    assert_eq!(world.holder(2, case), MUNICIPALITY);

    // What is wrong with what somebody types is said, and nothing is sent.
    let unknown = world.say(2, "afwijzen", case, &["--reden", "geen-zin", "--toelichting", "Nee."]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
    assert!(unknown.stderr.contains("reden"), "{unknown:?}");
    let none = world.say(1, "accepteren", "0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d", &accepting());
    assert!(none.code == 3 && none.stderr.contains("niet overgedragen"), "{none:?}");
}
