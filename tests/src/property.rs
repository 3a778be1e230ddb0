//! Runs that are made up: many of them, always the same for a seed, and made smaller when one fails.

use std::{env, fmt::Debug};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

/// A failure is made smaller in at most so many attempts,
const SHRINKING: u32 = 4096;
/// and at most this long, in milliseconds: what does not end takes its time.
const SHRINKING_MS: u32 = 60_000;

/// How many runs, and the seed of what is made up.
#[derive(Debug, Clone, Copy)]
pub struct Runs {
    /// How many.
    pub cases: u32,
    /// The seed.
    pub seed: u64,
}

impl Runs {
    /// So many with the first seed, unless the environment says otherwise (`NAME_CASES`, `NAME_SEED`).
    pub fn of(name: &str, cases: u32) -> Self {
        Self { cases: setting(&format!("{name}_CASES"), cases), seed: setting(&format!("{name}_SEED"), 1) }
    }

    /// Runs all; panics with the smallest scenario found that fails.
    ///
    /// # Panics
    ///
    /// That is what it is for.
    pub fn hold<T: Debug>(
        self,
        scenarios: &impl Strategy<Value = T>,
        run: impl Fn(&T) -> anyhow::Result<()>,
    ) {
        let Self { cases, seed } = self;
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
        let outcome = TestRunner::new_with_rng(config, rng).run(scenarios, |scenario| {
            run(&scenario).map_err(|error| TestCaseError::fail(format!("{error:#}")))
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(reason, scenario)) => panic!("seed {seed}: {reason}\n{scenario:#?}"),
            Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
        }
    }
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}
