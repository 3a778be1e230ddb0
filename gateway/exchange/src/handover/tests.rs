mod bad_input;
mod world;

use proptest::{prelude::*, strategy::ValueTree as _};

use super::Case;
use world::{Op, World, operations};

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_resident_is_held_by_exactly_one_whatever_happens(operations in prop::collection::vec(operations(), 1..80)) {
        let mut world = World::default();
        for operation in &operations {
            world.apply(operation);
            world.check_now();
        }
        world.settle();
        world.check_settled();
    }
}

#[test]
fn the_world_reaches_what_it_is_about() {
    let mut seen = world::Seen::default();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..3000 {
        let operations = prop::collection::vec(operations(), 1..80).new_tree(&mut runner).unwrap().current();
        let mut world = World::default();
        for operation in &operations {
            world.apply(operation);
        }
        world.settle();
        seen.add(&world.seen);
    }
    for (what, count) in seen.counts() {
        assert!(count >= 20, "{what} happened {count} times only");
    }
}

/// The acceptance and the withdrawal of an offer cross: the acceptance stands, and both know.
#[test]
fn an_acceptance_that_crosses_a_withdrawal_stands() {
    let mut world = World::default();
    for operation in [
        Op::Offer { from: 0, to: 1 },
        Op::Deliver { from: 0, to: 1 },
        Op::Answer { from: 0, to: 1 },
        Op::Withdraw(0),
        Op::Accept(1),
        Op::Deliver { from: 0, to: 1 },
        Op::Owe(1),
    ] {
        world.apply(&operation);
        world.check_now();
    }
    world.settle();
    world.check_settled();
    assert!(world.case(1).is_mine());
    assert_eq!(world.case(0).holder(), world.case(1).holder());
    assert!(world.case(0).open_offer().is_none());
}

/// Two organisations that know a case offer it to each other at once.
#[test]
fn of_two_offers_at_once_the_first_counts() {
    let mut world = World::default();
    for operation in [
        Op::Offer { from: 0, to: 1 },
        Op::Offer { from: 1, to: 0 },
        Op::Deliver { from: 0, to: 1 },
        Op::Deliver { from: 1, to: 0 },
    ] {
        world.apply(&operation);
        world.check_now();
    }
    world.settle();
    world.check_settled();
    assert!(world.case(0).is_mine());
    assert_eq!(world.case(1).holder(), world.case(0).holder());
    assert_eq!(world.case(0).open_offer(), world.case(1).open_offer());
}

#[test]
fn an_offer_that_a_rule_kept_out_leaves_the_case_with_who_offered() {
    let mut world = World::default();
    for operation in
        [Op::Offer { from: 0, to: 1 }, Op::Refuse { from: 0, to: 1 }, Op::Answer { from: 0, to: 1 }]
    {
        world.apply(&operation);
    }
    assert!(world.case(0).is_mine());
    assert!(world.case(0).open_offer().is_none(), "it may be offered to somebody else");
    assert_eq!(world.case(1), Case::new(world::oin(1)), "who refused knows nothing of it");
}
