//! Three nodes that hand cases over, and everything that can go wrong between them.
//!
//! `HANDOVER_CASES=10000 HANDOVER_SEED=7 cargo test -p tests --test handover` looks further.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::cell::RefCell;

use exchange::handover::{Awaited, Notice};
use node::handover::terms;
use tests::{
    handover::{
        Coverage, World,
        operation::{Op, Org, Saying, Scenario, Way, exchange, given_up, scenarios},
        run,
    },
    property::Runs,
};

/// What fits in a minute on one core.
const CASES: u32 = 192;
/// After so many cases everything must have occurred.
const ENOUGH_CASES: u32 = 160;

const THERE: Way = Way { from: Org::Municipality, to: Org::Service };
const BACK: Way = Way { from: Org::Service, to: Org::Municipality };

const DAY: i32 = 24 * 60 * 60;

#[test]
fn a_resident_is_held_by_exactly_one_whatever_happens() {
    let runs = Runs::of("HANDOVER", CASES);
    let total = RefCell::new(Vec::new());
    runs.hold(&scenarios(), |scenario| {
        total.borrow_mut().push(run(scenario)?);
        Ok(())
    });
    if runs.cases < ENOUGH_CASES {
        return;
    }
    let total = total.into_inner();
    let sum = |count: fn(&Coverage) -> u64| total.iter().map(count).sum::<u64>();
    for (what, count) in [
        ("offered", sum(|one| one.offered)),
        ("held back", sum(|one| one.held_back)),
        ("refused", sum(|one| one.refused)),
        ("crossed", sum(|one| one.crossed)),
        ("handed over", sum(|one| one.handed_over)),
        ("told", sum(|one| one.told)),
        ("failed", sum(|one| one.failed)),
        ("sent again", sum(|one| one.sent_again)),
        ("crashes", sum(|one| one.crashes)),
        ("cut", sum(|one| one.cut)),
        ("accepted", sum(|one| said(one, Saying::Accept))),
        ("declined", sum(|one| said(one, Saying::Decline))),
        ("asked", sum(|one| said(one, Saying::Ask))),
        ("supplemented", sum(|one| said(one, Saying::Supplement))),
        ("withdrawn", sum(|one| said(one, Saying::Withdraw))),
        ("contacted", sum(|one| said(one, Saying::Contact))),
        ("completed", sum(|one| said(one, Saying::Complete))),
    ] {
        assert!(count > 0, "the runs left out that something is {what}");
    }
}

fn said(coverage: &Coverage, what: Saying) -> u64 {
    coverage.said.get(&what).copied().unwrap_or_default()
}

fn say(by: Org, what: Saying) -> Op {
    Op::Say { case: 0, by, what }
}

fn offered() -> Vec<Op> {
    [vec![Op::Offer { case: 0, way: THERE }], exchange(THERE)].concat()
}

fn look() -> [Op; 2] {
    [Op::CarryOut(Org::Municipality), Op::CarryOut(Org::Service)]
}

fn play(operations: &[Op]) -> World {
    let mut world = World::new(&Scenario::default()).unwrap();
    for operation in operations {
        world.apply(operation).unwrap();
    }
    world
}

/// The notices that both sides told of the case, in order; they told the same.
fn told(world: &World) -> Vec<Notice> {
    let of = |org| world.told(org, 0).unwrap().iter().map(|one| one.notice).collect::<Vec<_>>();
    assert_eq!(of(Org::Municipality), of(Org::Service));
    of(Org::Service)
}

/// Whether both sides show it as escalated, which they agree about.
fn shows_escalated(world: &World) -> bool {
    let of = |org| {
        let term = world.known(org, 0).unwrap().offers()[0].term.unwrap();
        term.told(Notice::Escalation, terms::moment(&world.told(org, 0).unwrap(), world.now(org)))
    };
    assert_eq!(of(Org::Municipality), of(Org::Service));
    of(Org::Service).is_some()
}

/// A message that was given up is sent again together with others of its case, some of which came before: all are answered.
#[test]
fn what_comes_again_with_what_follows_it_is_taken_in() {
    let to_agency = Way { from: Org::Service, to: Org::Agency };
    let operations = [
        offered(),
        vec![
            say(Org::Municipality, Saying::Withdraw),
            say(Org::Service, Saying::Accept),
            Op::Prepare(THERE),
            Op::Prepare(BACK),
            Op::Deliver(0),
            Op::Deliver(0),
            Op::CarryOut(Org::Service),
        ],
        given_up(to_agency),
        vec![Op::Offer { case: 0, way: BACK }],
        exchange(BACK),
        vec![say(Org::Municipality, Saying::Accept)],
    ];
    run(&Scenario { operations: operations.concat(), ..Scenario::default() }).unwrap();
}

/// Both remind once and escalate once, whatever they were doing in between: looking often, starting anew, a clock that is set
/// back.
#[test]
fn a_term_is_told_of_once_at_both_sides() {
    let mut world = play(&offered());
    let restart = [Op::Crash(Org::Municipality), Op::Crash(Org::Service)];
    let mut apply = |operations: &[Op]| {
        for operation in operations {
            world.apply(operation).unwrap();
        }
        told(&world)
    };
    assert_eq!(apply(&look()), []);
    assert_eq!(apply(&[&[Op::Advance(5 * DAY)], &look()[..]].concat()), [Notice::Reminder]);
    assert_eq!(apply(&[&look()[..], &restart[..], &look()[..]].concat()), [Notice::Reminder]);
    assert_eq!(
        apply(&[&[Op::Advance(-5 * DAY)], &look()[..], &restart[..], &look()[..]].concat()),
        [Notice::Reminder]
    );
    let both = [Notice::Reminder, Notice::Escalation];
    assert_eq!(apply(&[&[Op::Advance(8 * DAY)], &look()[..]].concat()), both);
    assert_eq!(apply(&[&restart[..], &look()[..], &[Op::Advance(-2 * DAY)], &look()[..]].concat()), both);
    assert_eq!(apply(&[&[Op::Advance(15 * DAY), Op::Advance(-15 * DAY)], &look()[..]].concat()), both);
    assert!(shows_escalated(&world));
}

/// A node that was down while a term ended escalates when it is there again, and does not remind of what is over.
#[test]
fn a_term_that_ended_while_the_node_was_down_is_escalated() {
    let operations = [offered(), look().to_vec(), vec![Op::Advance(9 * DAY)]].concat();
    let mut world = play(&operations);
    world.apply(&Op::Crash(Org::Service)).unwrap();
    assert!(world.told(Org::Service, 0).unwrap().is_empty());
    for operation in look() {
        world.apply(&operation).unwrap();
    }
    assert_eq!(told(&world), [Notice::Escalation]);
    assert!(shows_escalated(&world));
}

/// The holder escalates since no answer came, and hears later that it was answered in time: then both say that it was.
#[test]
fn an_answer_that_was_given_in_time_counts_however_late_it_comes() {
    let operations = [
        offered(),
        look().to_vec(),
        vec![say(Org::Service, Saying::Accept), Op::Advance(8 * DAY), Op::CarryOut(Org::Municipality)],
    ];
    let mut world = play(&operations.concat());
    let told = world.told(Org::Municipality, 0).unwrap();
    assert_eq!(told.iter().map(|one| one.notice).collect::<Vec<_>>(), [Notice::Escalation]);
    for operation in exchange(BACK).iter().chain(&look()) {
        world.apply(operation).unwrap();
    }
    for org in [Org::Municipality, Org::Service] {
        let known = world.known(org, 0).unwrap();
        let term = known.offers()[0].term.unwrap();
        assert!(known.offers()[0].is_accepted() && term.awaited == Awaited::FirstContact);
    }
}

/// A question stops the term of the offer: it is the holder's turn, and its term that is told of.
#[test]
fn a_question_makes_it_the_turn_of_the_holder() {
    let asked = [offered(), vec![say(Org::Service, Saying::Ask)], exchange(BACK), look().to_vec()].concat();
    let mut world = play(&asked);
    let awaited = |world: &World, org| {
        let term = world.known(org, 0).unwrap().offers()[0].term.unwrap();
        (term.awaited, term.is_running())
    };
    for org in [Org::Municipality, Org::Service] {
        assert_eq!(awaited(&world, org), (Awaited::Supplement, true));
    }
    let late = [&[Op::Advance(8 * DAY)], &look()[..]].concat();
    let answered =
        [vec![say(Org::Municipality, Saying::Supplement)], exchange(THERE), look().to_vec()].concat();
    for operation in late.iter().chain(&answered) {
        world.apply(operation).unwrap();
    }
    assert_eq!(told(&world), [Notice::Escalation], "of the question");
    for org in [Org::Municipality, Org::Service] {
        assert_eq!(awaited(&world, org), (Awaited::Answer, true), "the offer has a new term");
    }
    assert!(!shows_escalated(&world));
}
