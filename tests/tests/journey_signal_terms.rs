//! A signal asks for a first conversation within the term of its purpose: both sides know the same end, are reminded before it
//! and escalate after it, once, also when a node was down then or its clock is set back; and feedback that says so meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::sync::Arc;

use exchange::clock::ManualClock;
use jiff::{SignedDuration, Timestamp};
use node::{node::Node as Program, system::SystemRandom};
use serde_json::{Value, json};
use store::SignalTerm;
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, agree, eventually, export, until};

/// The signals of which a term runs, as a node lists them; whether one of them is late.
fn terms(node: &Node, with: &[&str]) -> (Vec<Value>, bool) {
    let done = node.cli(&[&["signalen", "termijnen", "--json"], with].concat());
    assert!(matches!(done.code, 0 | 1), "{done:?}");
    (done.json()["signalen"].as_array().unwrap().clone(), done.code == 1)
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Waits until a node lists so many terms, and gives them.
fn listed(node: &Node, count: usize) -> Vec<Value> {
    until("the terms are known", || {
        let found = terms(node, &[]).0;
        (found.len() == count).then_some(found)
    })
}

/// Lets a stopped node run at these moments, one after another, each time as if it started anew; gives what it knows then of the
/// terms of these signals.
fn run_at(node: &Node, moments: &[Timestamp], signals: &[u64]) -> Vec<SignalTerm> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut known = Vec::new();
        for moment in moments {
            let clock = Arc::new(ManualClock::at(*moment));
            let program = Program::open(&node.folder, clock, Arc::new(SystemRandom)).await.unwrap();
            let store = &program.core.store;
            let running = program.start().await.unwrap();
            eventually("nothing is left to be told", async || {
                let to_do = store.signal_terms_to_do(None, *moment, 10).await.unwrap();
                let due = store.signal_terms_due(None, *moment, 10).await.unwrap();
                (to_do.is_empty() && due.is_empty()).then_some(())
            })
            .await;
            running.stop().await;
            let terms = store.signal_terms_of(signals, *moment).await.unwrap();
            known = signals.iter().map(|index| terms[index]).collect();
        }
        known
    })
}

/// When a node reminded of all of these and escalated them, which must be the same for each.
fn told(terms: &[SignalTerm]) -> (Option<Timestamp>, Option<Timestamp>) {
    let told = (terms[0].reminded, terms[0].escalated);
    assert!(terms.iter().all(|term| (term.reminded, term.escalated) == told), "{terms:?}");
    told
}

fn numbers(terms: &[Value]) -> Vec<u64> {
    terms.iter().map(|one| one["nummer"].as_u64().unwrap()).collect()
}

/// What the sender knows of the terms of these signals, and what their receiver.
fn both_know_the_same(theirs: &[Value], ours: &[Value]) {
    for (sent, received) in theirs.iter().zip(ours) {
        assert_eq!(sent["id"], received["id"]);
        assert_eq!(sent["termijn"], received["termijn"], "both know the same");
        let term = &received["termijn"];
        assert_eq!((&term["stand"], &term["aan_zet"]), (&json!("loopt"), &json!(MUNICIPALITY)));
        let days =
            instant(&term["uiterlijk_voor"]).duration_since(instant(&received["afgerond"])).as_hours() / 24;
        assert!((28..=32).contains(&days), "four weeks, and to the end of a working day: {days}");
    }
}

#[test]
fn both_sides_remind_and_escalate_once_and_feedback_meets_the_term() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    corporation.send(&place.file("lijst.csv", &export::rows(2, 1)), MUNICIPALITY);
    corporation.settle();
    let (theirs, ours) = (listed(&corporation, 2), listed(&municipality, 2));
    both_know_the_same(&theirs, &ours);
    let shown = municipality.cli(&["signalen", "termijnen", "--richting", "in"]).expect(0);
    assert!(shown.stdout.contains("aan zet: wij (eerste gesprek of uitkomst, voor "), "{shown:?}");
    assert!(terms(&municipality, &["--termijn", "te-laat"]).0.is_empty());
    assert!(terms(&municipality, &["--richting", "uit"]).0.is_empty());
    sending.stop();
    receiving.stop();

    // The municipality is reminded; it is down over the end at one side, and at the other its clock is set back after it.
    let [remind, end] =
        ["herinneren_op", "uiterlijk_voor"].map(|name| instant(&ours.last().unwrap()["termijn"][name]));
    let minute = SignedDuration::from_mins(1);
    let (here, there) = (numbers(&ours), numbers(&theirs));
    let known = run_at(&municipality, &[remind - minute], &here);
    assert_eq!(told(&known), (None, None), "not before the moment of the reminder");
    let known = run_at(&municipality, &[remind, remind - minute, remind + minute], &here);
    assert_eq!(told(&known), (Some(remind), None), "once");
    let known = run_at(&municipality, &[end - minute, end, remind, end + minute], &here);
    assert_eq!(told(&known), (Some(remind), Some(end)), "once");
    let later = end + SignedDuration::from_hours(48);
    let known = run_at(&corporation, &[later, later + minute], &there);
    assert_eq!(told(&known), (None, Some(later)), "a reminder after the end is of no use");
    assert!(known.iter().all(|term| term.deadline.unwrap().respond_before == end), "it does not move");

    // With a clock that is right again (and so set back) both say that they are late.
    let (sending, receiving) = (corporation.serve(), municipality.serve());
    for node in [&municipality, &corporation] {
        let (late, is_late) = terms(node, &["--termijn", "te-laat"]);
        assert_eq!((late.len(), is_late), (2, true));
        assert_eq!(late[0]["termijn"]["geescaleerd"], late[0]["termijn"]["uiterlijk_voor"]);
        let shown = node.cli(&["signalen", "termijnen"]).expect(1);
        assert!(shown.stdout.contains("TE LAAT, opgeschaald naar de procesregisseurs"), "{shown:?}");
    }

    // That somebody took it up is not enough; a first conversation is, and both sides see that.
    let give = |number: u64, said: &[&str]| {
        let number = number.to_string();
        let arguments = [&["terugkoppeling", "geven", &number, "--medewerker", "Jansen"], said].concat();
        municipality.cli(&arguments).expect(0);
        municipality.settle();
    };
    give(here[0], &["--opgepakt-op", "2026-11-20"]);
    give(here[1], &["--eerste-gesprek-op", "2026-11-24"]);
    let left = [listed(&municipality, 1), listed(&corporation, 1)];
    assert_eq!((numbers(&left[0]), numbers(&left[1])), (vec![here[0]], vec![there[0]]));
    give(here[0], &["--resultaat", "Inwoner hoeft geen hulp vanuit vroegsignalering"]);
    for node in [&municipality, &corporation] {
        listed(node, 0);
        node.verified_log();
    }
    for serving in [sending, receiving] {
        let log = serving.stop();
        assert!(!log.contains("ended without a first conversation"), "it was told before: {log}");
    }
}

/// Signals that were erased are not reminded of, and what was there before is.
#[test]
fn nothing_is_told_of_what_was_erased() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    corporation.send(&place.file("lijst.csv", &export::rows(2, 1)), MUNICIPALITY);
    corporation.settle();
    let found = listed(&municipality, 2);
    let case = found[0]["dossier"].as_str().unwrap();
    municipality.json(&["wissen", "dossier", case, "--reden", "verzoek", "--zeker"]);
    let left = listed(&municipality, 1);
    sending.stop();
    receiving.stop();
    let end = instant(&left[0]["termijn"]["uiterlijk_voor"]);
    let known = run_at(&municipality, &[end], &numbers(&found));
    let escalated: Vec<u64> =
        known.iter().filter(|term| term.escalated.is_some()).map(|term| term.index).collect();
    assert_eq!(escalated, numbers(&left));
    assert_eq!(known.iter().filter(|term| term.stands).count(), 1);
    municipality.verified_log();
}
