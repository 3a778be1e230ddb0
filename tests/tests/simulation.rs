//! Two nodes, one clock, and everything that can go wrong between them.
//!
//! `SIMULATION_CASES=10000 SIMULATION_SEED=7 cargo test -p tests --test simulation` looks further.

use std::cell::Cell;

use tests::{
    property::Runs,
    simulation::{
        Coverage,
        operation::{Damage, Offer, Op, Rogue, Scenario, Side, scenarios},
        run,
    },
};

/// What fits in a minute on one core.
const CASES: u32 = 256;
/// After so many cases every kind of ending must have occurred.
const ENOUGH_CASES: u32 = 128;

#[test]
fn every_run_ends_known_at_both_sides() {
    let runs = Runs::of("SIMULATION", CASES);
    let total = Cell::new(Coverage::default());
    runs.hold(&scenarios(), |scenario| {
        let mut sum = total.get();
        sum += run(scenario)?;
        total.set(sum);
        Ok(())
    });
    let total = total.get();
    assert!(runs.cases < ENOUGH_CASES || is_everything(&total), "the runs left something out: {total:?}");
}

/// Whether every kind of thing that can happen did.
fn is_everything(total: &Coverage) -> bool {
    let Coverage {
        queued,
        offered_again,
        repaired,
        held_back,
        admitted,
        refused,
        expired,
        lapsed,
        asked,
        recognised,
        conflicts,
        failed,
        crashes,
        cut,
    } = *total;
    let counts = [
        queued,
        offered_again,
        repaired,
        held_back,
        admitted,
        refused,
        expired,
        lapsed,
        asked,
        recognised,
        conflicts,
        failed,
        crashes,
        cut,
    ];
    counts.iter().all(|count| *count > 0)
}

/// The sender's clock is ahead. A copy of the request lingers in the network until the message is no longer from the
/// future; by then its sender has heard that it is refused.
#[test]
fn a_refused_message_is_not_admitted_when_a_copy_comes_later() {
    let operations = vec![
        signals(1),
        PREPARE,
        Op::Duplicate(0),
        Op::Deliver(0),
        Op::Deliver(1),
        Op::Advance(600),
        Op::Deliver(0),
    ];
    let coverage = ends_well(Scenario { skews: [420, 0], operations });
    assert_eq!((coverage.refused, coverage.recognised), (1, 1));
}

/// The answer is lost, and the second attempt arrives when the message has expired.
#[test]
fn an_admitted_message_stays_admitted_when_it_expires_before_its_sender_knows() {
    let operations = vec![
        signals(1),
        PREPARE,
        Op::Deliver(0),
        Op::Drop(0),
        Op::Deliver(0),
        Op::Advance(LIFETIME - 1),
        PREPARE,
        Op::Advance(2),
        Op::Deliver(0),
        Op::Deliver(0),
    ];
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.recognised), (1, 1));
}

/// Either process dies at the worst moment: the receiver after it filed, the sender after it sent.
#[test]
fn a_process_that_dies_loses_nothing_and_repeats_nothing() {
    let operations = vec![
        signals(3),
        Op::Crash(Side::Corporation),
        PREPARE,
        Op::Crash(Side::Corporation),
        Op::Deliver(0),
        Op::Crash(Side::Municipality),
        Op::Drop(0),
        PREPARE,
        Op::Deliver(0),
        Op::Deliver(0),
        Op::Crash(Side::Corporation),
        again(3),
    ];
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.recognised, coverage.offered_again), (3, 6, 3));
}

/// Wherever in a step a process dies, the step is taken whole or not at all.
#[test]
fn a_step_that_is_cut_off_is_whole_or_never_happened() {
    for turns in (0..400).step_by(16) {
        let cut = |by| Op::CrashDuring { by, turns };
        let operations = vec![
            cut(Side::Corporation),
            signals(3),
            again(3),
            PREPARE,
            cut(Side::Municipality),
            Op::Deliver(0),
            Op::Deliver(0),
            PREPARE,
            Op::Deliver(0),
            cut(Side::Corporation),
            Op::Deliver(0),
        ];
        let coverage = ends_well(Scenario { operations, ..Scenario::default() });
        assert_eq!(coverage.admitted, 3);
        assert!(coverage.crashes >= 2, "{coverage:?}");
    }
}

/// More than one batch of one case.
#[test]
fn a_long_case_keeps_its_order() {
    let operations =
        vec![signals(150), PREPARE, signals(150), PREPARE, Op::Crash(Side::Corporation), PREPARE];
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.recognised), (300, 128));
}

/// A request that the receiver cannot read at all is taken apart.
#[test]
fn a_batch_that_cannot_be_read_goes_message_by_message() {
    let blank = Op::Corrupt { pick: 0, damage: Damage::Blank };
    let operations = vec![
        signals(3),
        PREPARE,
        blank.clone(),
        Op::Deliver(0),
        Op::Deliver(0),
        PREPARE,
        blank,
        Op::Deliver(0),
        Op::Deliver(0),
    ];
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.failed), (3, 2));
}

/// An earlier answer, about one message, comes in the place of the answer about two.
#[test]
fn an_answer_about_less_is_no_answer() {
    let operations = vec![
        signals(1),
        PREPARE,
        Op::Deliver(0),
        Op::Drop(0),
        Op::Deliver(0),
        signals(1),
        PREPARE,
        Op::Deliver(0),
        Op::Corrupt { pick: 0, damage: Damage::Replay(0) },
        Op::Deliver(0),
    ];
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.failed), (2, 2));
}

/// The receiver lies about a message, the first time and when it recognises it.
#[test]
fn a_lie_about_a_message_is_not_believed() {
    let lie = || Op::Corrupt { pick: 0, damage: Damage::Lie };
    let deliver = [PREPARE, Op::Deliver(0), lie(), Op::Deliver(0)];
    let operations = [vec![signals(1)], deliver.to_vec(), deliver.to_vec()].concat();
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.failed, coverage.recognised), (1, 2, 2));
}

/// The receiver filed the message, and something between the two answers otherwise.
#[test]
fn a_wrong_answer_is_not_the_last() {
    for status in [400, 403, 404, 413, 429, 500, 503] {
        let answer = Op::Corrupt { pick: 0, damage: Damage::Status(status) };
        let operations = vec![signals(2), PREPARE, Op::Deliver(0), answer, Op::Deliver(0), PREPARE];
        let coverage = ends_well(Scenario { operations, ..Scenario::default() });
        assert_eq!((coverage.admitted, coverage.failed, coverage.recognised), (2, 1, 2), "HTTP {status}");
    }
}

/// A message expires while it is on its way: the receiver has the last word.
#[test]
fn what_is_under_way_does_not_expire() {
    for (after, refused) in [(LIFETIME - 1, 0), (LIFETIME + 1, 1)] {
        let operations = vec![
            signals(1),
            PREPARE,
            Op::Advance(after),
            Op::Deliver(0),
            Op::Advance(2),
            Op::Expire(Side::Corporation),
            Op::Deliver(0),
        ];
        let coverage = ends_well(Scenario { operations, ..Scenario::default() });
        assert_eq!((coverage.refused, coverage.admitted), (refused, 1 - refused));
    }
}

/// A person has two messages sent again, the later one first; nothing else happens in between.
#[test]
fn what_is_sent_again_leaves_again() {
    let mut operations = vec![signals(1), Op::Submit { by: Side::Corporation, offers: vec![OTHER_CASE] }];
    // The receiver's node says of both that they cannot be read.
    operations.push(PREPARE);
    let unreadable = [Op::Corrupt { pick: 0, damage: Damage::Status(400) }, Op::Deliver(0)];
    for step in [vec![Op::Deliver(0)], unreadable.to_vec()].concat() {
        operations.push(step);
    }
    for _ in 0..2 {
        operations.extend([PREPARE, Op::Deliver(0)]);
        operations.extend(unreadable.clone());
    }
    for pick in [1, 0] {
        let again = Op::Resend { by: Side::Corporation, pick };
        operations.extend([again, PREPARE, Op::Deliver(0), Op::Deliver(0)]);
    }
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.admitted, coverage.failed, coverage.recognised), (2, 3, 4));
}

/// A message that was refused, or that expired, is repaired by offering its record again, once. While it is under way its
/// end is not known, and the record waits with it.
#[test]
fn what_was_refused_or_not_delivered_goes_when_it_is_offered_again() {
    let by = Side::Corporation;
    let under_way = [signals(1), PREPARE, again(1)];
    let refused = [Op::EndAgreement(by.other()), Op::Deliver(0), Op::Deliver(0), Op::RenewAgreement];
    let repaired = [again(1), again(1), PREPARE, Op::Deliver(0), again(1), Op::Deliver(0), again(1)];
    let operations = under_way.into_iter().chain(refused).chain(repaired.clone()).collect();
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.refused, coverage.admitted, coverage.repaired), (1, 1, 1));
    assert_eq!((coverage.offered_again, coverage.queued), (4, 2));

    let expired = [signals(1), Op::Advance(LIFETIME + 1), again(1), Op::Expire(by), Op::Crash(by)];
    let operations = expired.into_iter().chain(repaired).collect();
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.expired, coverage.admitted, coverage.repaired), (1, 1, 1));
    assert_eq!((coverage.offered_again, coverage.queued), (4, 2));
}

/// A person has a message sent again, or its record is offered again: whichever comes first, the other changes nothing.
#[test]
fn a_record_is_not_repaired_twice() {
    let by = Side::Corporation;
    let unreadable =
        [PREPARE, Op::Deliver(0), Op::Corrupt { pick: 0, damage: Damage::Status(400) }, Op::Deliver(0)];
    let resend = Op::Resend { by, pick: 0 };
    for (repairs, repaired) in [([again(1), resend.clone()], 1), ([resend, again(1)], 0)] {
        let operations = [signals(1)].into_iter().chain(unreadable.clone()).chain(repairs).collect();
        let coverage = ends_well(Scenario { operations, ..Scenario::default() });
        assert_eq!((coverage.repaired, coverage.offered_again), (repaired, 1 - repaired));
        assert_eq!(coverage.admitted, 1);
    }
}

/// Whoever uses an identifier first has it, at both sides.
#[test]
fn an_identifier_stands_for_one_message() {
    for stolen_first in [true, false] {
        let steal = Op::Rogue { by: Side::Corporation, how: Rogue::StolenId(0) };
        let deliver = Op::Deliver(u8::from(stolen_first));
        let operations = vec![signals(1), PREPARE, steal, deliver, Op::Deliver(0)];
        let coverage = ends_well(Scenario { operations, ..Scenario::default() });
        assert_eq!((coverage.refused, coverage.conflicts), (u64::from(stolen_first), 1));
    }
}

/// One party ends the agreement while a message is on its way, and the other has one more waiting when it hears.
#[test]
fn nothing_is_admitted_or_sent_after_the_agreement_ended() {
    let operations = vec![
        signals(1),
        PREPARE,
        Op::EndAgreement(Side::Municipality),
        Op::Deliver(0),
        signals(1),
        Op::SpreadAgreements(Side::Municipality),
        signals(1),
        Op::RenewAgreement,
        signals(1),
    ];
    let coverage = ends_well(Scenario { operations, ..Scenario::default() });
    assert_eq!((coverage.refused, coverage.held_back), (1, 1));
    assert_eq!((coverage.lapsed, coverage.asked, coverage.admitted), (1, 1, 1));
}

/// A message arrives, its answer is lost, and then the agreement ends: the sender finds out what became of it.
#[test]
fn what_arrived_before_the_agreement_ended_is_known_to_have_arrived() {
    for side in [Side::Corporation, Side::Municipality] {
        let arrived = [signals(1), PREPARE, Op::Deliver(0), Op::Drop(0), Op::Deliver(0)];
        let ended = [Op::EndAgreement(side), Op::SpreadAgreements(side)];
        let operations = arrived.into_iter().chain(ended).collect();
        let coverage = ends_well(Scenario { operations, ..Scenario::default() });
        assert_eq!((coverage.admitted, coverage.lapsed, coverage.asked), (1, 0, 1), "{side:?}");
    }
}

/// The next batch of the corporation.
const PREPARE: Op = Op::Prepare { by: Side::Corporation };
/// A signal about another case.
const OTHER_CASE: Offer = Offer::Fresh { case: 1, flaw: None };
/// How long a message waits for its receiver, in seconds.
const LIFETIME: u32 = 30 * 24 * 60 * 60;

/// New signals about one case.
fn signals(count: usize) -> Op {
    Op::Submit { by: Side::Corporation, offers: vec![Offer::Fresh { case: 0, flaw: None }; count] }
}

/// The first signals of all once more.
fn again(count: u8) -> Op {
    Op::Submit { by: Side::Corporation, offers: (0..count).map(Offer::Again).collect() }
}

#[expect(clippy::needless_pass_by_value, reason = "scenarios are made where they are run")]
fn ends_well(scenario: Scenario) -> Coverage {
    run(&scenario).unwrap_or_else(|error| panic!("{error:#}"))
}
