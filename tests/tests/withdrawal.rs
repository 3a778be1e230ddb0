//! Three nodes and the consents of residents, and everything that can go wrong between them.
//!
//! `WITHDRAWAL_CASES=10000 WITHDRAWAL_SEED=7 cargo test -p tests --test withdrawal` looks further.

use std::{cell::Cell, env};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tests::withdrawal::{
    Coverage,
    operation::{Ground, Op, Org, Scenario, Way, scenarios, sent},
    run,
};

/// What fits in a minute on one core.
const CASES: u32 = 192;
/// A failure is made smaller in at most so many attempts,
const SHRINKING: u32 = 4096;
/// and at most this long, in milliseconds: what does not end takes its time.
const SHRINKING_MS: u32 = 60_000;
/// After so many cases everything must have occurred.
const ENOUGH_CASES: u32 = 128;

#[test]
fn every_withdrawal_reaches_every_copy() {
    let cases = setting("WITHDRAWAL_CASES", CASES);
    let seed = setting("WITHDRAWAL_SEED", 1_u64);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: SHRINKING,
        max_shrink_time: SHRINKING_MS,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let total = Cell::new([0; 19]);
    let outcome = TestRunner::new_with_rng(config, rng).run(&scenarios(), |scenario| {
        let coverage = run(&scenario).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let mut sum = total.get();
        for (sum, count) in sum.iter_mut().zip(coverage.counts()) {
            *sum += count;
        }
        total.set(sum);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, scenario)) => panic!("seed {seed}: {reason}\n{scenario:#?}"),
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
    let total = total.get();
    println!("{total:?}");
    assert!(cases < ENOUGH_CASES || !total.contains(&0), "the runs left something out: {total:?}");
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
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

const TO_CARE: Way = Way { from: Org::Holder, to: Org::Care };
const PASSED_ON: Way = Way { from: Org::Care, to: Org::Welfare };

const fn grant(consent: u8) -> Op {
    Op::Grant { consent, hours: 1000 }
}

fn ends_well(operations: Vec<Op>) -> Coverage {
    let scenario = Scenario { operations, ..Scenario::default() };
    run(&scenario).unwrap_or_else(|error| panic!("{error:#}\n{:#?}", scenario.operations))
}
