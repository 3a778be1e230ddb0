//! Three nodes and the consents of residents, and everything that can go wrong between them.
//!
//! `WITHDRAWAL_CASES=10000 WITHDRAWAL_SEED=7 cargo test -p tests --test withdrawal` looks further.

use std::cell::Cell;

use tests::{
    property::Runs,
    simulation::operation::Damage,
    withdrawal::{
        Coverage,
        operation::{Ground, Op, Org, Scenario, Way, exchange, scenarios, sent},
        run,
    },
};

/// What fits in a minute on one core.
const CASES: u32 = 192;
/// After so many cases everything must have occurred.
const ENOUGH_CASES: u32 = 128;

#[test]
fn every_withdrawal_reaches_every_copy() {
    let runs = Runs::of("WITHDRAWAL", CASES);
    let total = Cell::new([0; 19]);
    runs.hold(&scenarios(), |scenario| {
        let mut sum = total.get();
        for (sum, count) in sum.iter_mut().zip(run(scenario)?.counts()) {
            *sum += count;
        }
        total.set(sum);
        Ok(())
    });
    let total = total.get();
    assert!(runs.cases < ENOUGH_CASES || !total.contains(&0), "the runs left something out: {total:?}");
}

/// The whole way: sent, passed on, withdrawn, erased everywhere, confirmed by all.
#[test]
fn a_withdrawal_follows_what_was_passed_on() {
    let operations = [
        vec![grant(0)],
        sent(0, TO_CARE, Ground::Consent),
        sent(0, PASSED_ON, Ground::Consent),
        vec![Op::Withdraw(0)],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.erased, coverage.via, coverage.withdrawn), (4, 1, 1));
}

/// Before the node came to erase it, a person had a message sent again.
#[test]
fn what_was_withdrawn_does_not_leave_when_it_is_sent_again() {
    let undeliverable = [
        Op::Prepare(TO_CARE),
        Op::Corrupt { pick: 0, damage: Damage::Blank },
        Op::Deliver(0),
        Op::Deliver(0),
    ];
    let again =
        [Op::Resend { by: Org::Holder, pick: 0 }, Op::Prepare(TO_CARE), Op::Deliver(0), Op::Deliver(0)];
    let operations = [
        vec![grant(0), send(0, TO_CARE)],
        undeliverable.to_vec(),
        undeliverable.to_vec(),
        vec![Op::Withdraw(0)],
        again.to_vec(),
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.withdrawn, coverage.stopped, coverage.erased), (1, 1, 1));
}

/// What its sender keeps on another basis was not sent on that: it does not leave again either.
#[test]
fn what_is_kept_on_another_basis_is_not_sent_again() {
    let operations = vec![
        grant(0),
        Op::Send { consent: 0, way: TO_CARE, ground: Ground::ConsentOrTask, count: 1 },
        Op::Withdraw(0),
        Op::CarryOut(Org::Holder),
        Op::Resend { by: Org::Holder, pick: 0 },
    ];
    let coverage = ends_well(operations);
    assert_eq!((coverage.withdrawn, coverage.kept, coverage.stopped), (1, 1, 1));
}

/// The withdrawal overtakes a message: the receiver had nothing, and does not take what comes after.
#[test]
fn a_message_that_comes_after_the_withdrawal_is_refused_for_that() {
    let operations = vec![
        grant(0),
        send(0, TO_CARE),
        Op::Prepare(TO_CARE),
        Op::Withdraw(0),
        Op::CarryOut(Org::Holder),
        Op::Prepare(TO_CARE),
        Op::Deliver(1),
        Op::CarryOut(Org::Care),
        Op::Deliver(0),
    ];
    let coverage = ends_well(operations);
    assert_eq!((coverage.refused, coverage.stopped), (1, 1));
}

/// What its receiver was about to pass on does not leave any more (the run checks that at once).
#[test]
fn what_waits_to_be_passed_on_does_not_leave() {
    let operations = [
        vec![grant(0)],
        sent(0, TO_CARE, Ground::Consent),
        vec![
            Op::Send { consent: 0, way: PASSED_ON, ground: Ground::ConsentOrTask, count: 2 },
            Op::Withdraw(0),
        ],
        vec![Op::CarryOut(Org::Holder)],
        exchange(TO_CARE),
        vec![Op::Prepare(PASSED_ON), Op::Resend { by: Org::Care, pick: 0 }, Op::Prepare(PASSED_ON)],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.passed_on, coverage.erased, coverage.kept, coverage.stopped), (2, 2, 2, 1));
}

/// The other way round: the message was filed a moment before the withdrawal.
#[test]
fn a_message_that_comes_before_the_withdrawal_is_erased() {
    for ground in [Ground::Consent, Ground::ConsentOrTask] {
        let operations = vec![
            grant(0),
            Op::Send { consent: 0, way: TO_CARE, ground, count: 1 },
            Op::Prepare(TO_CARE),
            Op::Withdraw(0),
            Op::CarryOut(Org::Holder),
            Op::Deliver(0),
        ];
        let coverage = ends_well(operations);
        let (erased, kept) = if ground == Ground::Consent { (2, 0) } else { (0, 2) };
        assert_eq!((coverage.refused, coverage.erased, coverage.kept), (0, erased, kept));
    }
}

/// What rests on another basis is none of its business, also in the same case.
#[test]
fn another_basis_in_the_same_case_stays() {
    let operations = [
        vec![grant(0)],
        sent(0, TO_CARE, Ground::Consent),
        sent(0, TO_CARE, Ground::Task),
        sent(1, TO_CARE, Ground::Task),
        vec![Op::Withdraw(0)],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.on_task, coverage.erased, coverage.kept), (2, 2, 0));
}

/// Twice is once, and what was withdrawn is not extended (the run checks that it is refused).
#[test]
fn a_withdrawal_is_final() {
    let twice = vec![Op::Withdraw(0), Op::Extend { consent: 0, hours: 500 }, Op::Withdraw(0)];
    let operations = [vec![grant(0)], sent(0, TO_CARE, Ground::Consent), twice.clone(), twice].concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.withdrawn, coverage.extended, coverage.erased), (1, 0, 2));
}

/// The consent ran out while the message was on its way, and while it waited.
#[test]
fn a_consent_that_ran_out_covers_nothing_any_more() {
    let hour = Op::Advance(60 * 60 + 1);
    let on_its_way = vec![
        Op::Grant { consent: 0, hours: 1 },
        send(0, TO_CARE),
        Op::Prepare(TO_CARE),
        hour.clone(),
        Op::Deliver(0),
        Op::Deliver(0),
        Op::Advance(24 * 60 * 60),
    ];
    let waited = vec![
        Op::Grant { consent: 0, hours: 1 },
        send(0, TO_CARE),
        hour,
        Op::CarryOut(Org::Holder),
        Op::Prepare(TO_CARE),
        Op::Advance(24 * 60 * 60),
    ];
    for operations in [on_its_way, waited] {
        let coverage = ends_well(operations);
        assert_eq!(
            (coverage.sent, coverage.expired, coverage.erased),
            (1, 1, 1),
            "only the sender's own copy"
        );
    }
}

/// It ran out, and was extended before anything was erased.
#[test]
fn an_extension_that_crosses_the_end_leaves_everything() {
    let operations = [
        vec![Op::Grant { consent: 0, hours: 1 }],
        sent(0, TO_CARE, Ground::Consent),
        vec![
            Op::Advance(60 * 60 + 1),
            Op::CarryOut(Org::Holder),
            Op::CarryOut(Org::Care),
            Op::Extend { consent: 0, hours: 2000 },
        ],
        sent(0, TO_CARE, Ground::Consent),
        vec![Op::CarryOut(Org::Holder), Op::CarryOut(Org::Care), Op::Advance(48 * 60 * 60)],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.extended, coverage.sent, coverage.expired, coverage.erased), (1, 2, 0, 0));
}

/// What was said after the time ran out says nothing of the withdrawal that comes later.
#[test]
fn a_withdrawal_after_an_end_is_confirmed_by_itself() {
    let operations = [
        vec![Op::Grant { consent: 0, hours: 1 }],
        sent(0, TO_CARE, Ground::Consent),
        vec![Op::Advance(25 * 60 * 60 + 1), Op::CarryOut(Org::Care), Op::CarryOut(Org::Care)],
        exchange(Way { from: Org::Care, to: Org::Holder }),
        vec![Op::Extend { consent: 0, hours: 2000 }],
        sent(0, TO_CARE, Ground::ConsentOrTask),
        vec![Op::Withdraw(0)],
    ]
    .concat();
    let coverage = ends_well(operations);
    // The first was erased and the second kept, which only the last confirmation can say.
    assert_eq!((coverage.erased, coverage.kept), (2, 2));
}

/// The resident says it to who got the data, before and after that one passed it on.
#[test]
fn a_withdrawal_at_a_receiver_reaches_everybody() {
    let report = |by| Op::Report { consent: 0, by };
    for by in Org::OTHERS {
        let operations = [
            vec![grant(0), report(by)],
            sent(0, TO_CARE, Ground::Consent),
            sent(0, PASSED_ON, Ground::ConsentOrTask),
            vec![report(by), send(0, PASSED_ON), Op::Extend { consent: 0, hours: 2000 }],
        ]
        .concat();
        let coverage = ends_well(operations);
        assert_eq!((coverage.reported, coverage.erased), (1, if by == Org::Care { 2 } else { 3 }), "{by:?}");
    }
}

/// What tells the holder so is lost or refused. The node says it again by itself, until the holder withdraws.
#[test]
fn a_withdrawal_at_a_receiver_is_not_lost() {
    let back = Way { from: Org::Care, to: Org::Holder };
    let report = Op::Report { consent: 0, by: Org::Care };
    let month = Op::Advance(30 * 24 * 60 * 60 + 1);
    let expired = vec![month, Op::Expire(Org::Care)];
    // Damaged twice, it is tried by itself, and given up.
    let damaged = vec![
        Op::Prepare(back),
        Op::Corrupt { pick: 0, damage: Damage::Blank },
        Op::Deliver(0),
        Op::Deliver(0),
    ];
    let refused = [damaged.clone(), damaged].concat();
    for lost in [expired, refused] {
        let operations = [
            vec![grant(0)],
            sent(0, TO_CARE, Ground::Consent),
            sent(0, PASSED_ON, Ground::Consent),
            vec![report.clone(), report.clone()],
            lost,
            // Nobody has to say so once more; who does, changes nothing.
            vec![report.clone()],
        ]
        .concat();
        let coverage = ends_well(operations);
        assert_eq!((coverage.reported, coverage.erased, coverage.via), (1, 4, 1));
    }
}

/// Who passes back to the holder what it got is part of it: the holder's copy goes as well.
#[test]
fn what_the_holder_got_back_is_erased_too() {
    let back = Way { from: Org::Care, to: Org::Holder };
    let operations = [
        vec![grant(0)],
        sent(0, TO_CARE, Ground::Consent),
        sent(0, back, Ground::Consent),
        vec![Op::Withdraw(0)],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.passed_on, coverage.erased), (1, 4));
}

/// It was withdrawn at a receiver after its time ran out, and may not come back by an extension.
#[test]
fn a_withdrawal_at_a_receiver_counts_after_the_end_too() {
    let operations = [
        vec![Op::Grant { consent: 0, hours: 1 }],
        sent(0, TO_CARE, Ground::Consent),
        vec![Op::Advance(60 * 60 + 1), Op::CarryOut(Org::Holder), Op::Report { consent: 0, by: Org::Care }],
        exchange(Way { from: Org::Care, to: Org::Holder }),
        vec![Op::Extend { consent: 0, hours: 2000 }],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.reported, coverage.extended, coverage.erased), (1, 0, 2));
}

/// Nobody answers for longer than a message lives: it is told again, and so is what was done.
#[test]
fn what_could_not_be_told_is_told_again() {
    let month = [Op::Advance(30 * 24 * 60 * 60 + 1), Op::Expire(Org::Holder), Op::Expire(Org::Care)];
    let told = [vec![Op::Withdraw(0), Op::CarryOut(Org::Holder)], exchange(TO_CARE)].concat();
    let lost_notice = [vec![Op::Withdraw(0), Op::CarryOut(Org::Holder)], month.to_vec()].concat();
    let lost_answer = [told, vec![Op::CarryOut(Org::Care)], month.to_vec()].concat();
    // When the answer was lost, so was what tells the other whom the consent names.
    for (lost, reminded) in [(lost_notice, 1), (lost_answer, 2)] {
        let begin = [vec![grant(0)], sent(0, TO_CARE, Ground::Consent)].concat();
        let coverage = ends_well([begin, lost].concat());
        assert_eq!((coverage.reminded, coverage.erased), (reminded, 2));
    }
}

/// Who ended the agreement is still told, and still does what it must.
#[test]
fn a_withdrawal_reaches_who_ended_the_agreement() {
    let operations = [
        vec![grant(0)],
        sent(0, TO_CARE, Ground::Consent),
        sent(0, PASSED_ON, Ground::Consent),
        vec![Op::EndAgreement(Org::Care), Op::Withdraw(0)],
    ]
    .concat();
    let coverage = ends_well(operations);
    assert_eq!((coverage.ended, coverage.erased, coverage.via), (1, 4, 1));
}

/// Wherever a process dies, everything is done in the end, and what was kept is not said to be erased.
#[test]
fn a_withdrawal_survives_a_crash_anywhere() {
    for power in 0..11 {
        let turns = (1 << power) - 1;
        let cut = |by| Op::CrashDuring { by, turns };
        let cuts = |by| vec![cut(by), Op::CarryOut(by), cut(by), Op::CarryOut(by), cut(by), Op::CarryOut(by)];
        let operations = [
            vec![grant(0)],
            sent(0, TO_CARE, Ground::Consent),
            sent(0, TO_CARE, Ground::ConsentOrTask),
            sent(0, PASSED_ON, Ground::ConsentOrTask),
            vec![cut(Org::Holder), Op::Withdraw(0), Op::Withdraw(0)],
            cuts(Org::Holder),
            vec![Op::Prepare(TO_CARE), cut(Org::Care), Op::Deliver(0), Op::Deliver(0), Op::Prepare(TO_CARE)],
            vec![Op::Deliver(0), Op::Deliver(0)],
            cuts(Org::Care),
        ]
        .concat();
        let coverage = ends_well(operations);
        assert_eq!((coverage.erased, coverage.kept), (2, 4), "{turns} turns");
    }
}

const TO_CARE: Way = Way { from: Org::Holder, to: Org::Care };
const PASSED_ON: Way = Way { from: Org::Care, to: Org::Welfare };

/// To care, on consent alone.
const fn send(consent: u8, way: Way) -> Op {
    Op::Send { consent, way, ground: Ground::Consent, count: 1 }
}

const fn grant(consent: u8) -> Op {
    Op::Grant { consent, hours: 1000 }
}

fn ends_well(operations: Vec<Op>) -> Coverage {
    let scenario = Scenario { operations, ..Scenario::default() };
    run(&scenario).unwrap_or_else(|error| panic!("{error:#}\n{:#?}", scenario.operations))
}
