//! Terms of signals over any order of clocks that move, restarts, crashes and feedback: the end never moves, each is told once, and
//! both sides say the same.
//!
//! `TERMS_CASES=2000 TERMS_SEED=7 cargo test -p tests --test signal_terms` looks further.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::cell::Cell;

use tests::{
    property::Runs,
    simulation::{
        operation::{Side, TermMove, term_moves},
        terms::run,
    },
};

const CASES: u32 = 48;
const DAY: i32 = 24;

#[test]
fn an_end_never_moves_and_each_is_told_once() {
    let runs = Runs::of("TERMS", CASES);
    let total = Cell::new([0; 2]);
    runs.hold(&term_moves(), |moves| {
        let told = run(moves)?;
        let [reminded, escalated] = total.get();
        total.set([reminded + told[0], escalated + told[1]]);
        Ok(())
    });
    let [reminded, escalated] = total.get();
    assert!(runs.cases < CASES || (reminded > 0 && escalated > reminded), "{reminded} {escalated}");
}

/// Both are told of, in their order, by a node that is always there; of what is met in time neither is.
#[test]
fn a_node_that_is_there_reminds_and_escalates() {
    let look = TermMove::Look(Side::Municipality);
    let days = |days: i32| TermMove::Clock(days * DAY);
    assert_eq!(run(&[days(20), look, days(20), look]).unwrap(), [3, 3]);
    assert_eq!(
        run(&[days(20), look, days(-19), look, TermMove::Crash(Side::Municipality), look]).unwrap(),
        [3, 3]
    );
    assert_eq!(run(&[days(40)]).unwrap(), [0, 3], "it was down until after the end");
    // Of the feedback with an odd number only that it was taken up is said.
    let feedback = |signal| TermMove::Feedback(signal);
    assert_eq!(run(&[feedback(0), days(40), look]).unwrap(), [0, 3]);
    assert_eq!(run(&[feedback(0), feedback(0), days(20), look, days(20)]).unwrap(), [2, 2]);
}
