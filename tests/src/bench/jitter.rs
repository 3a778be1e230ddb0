//! How evenly this machine computes: what a message takes now and then is not all of the node's doing.

use std::{thread, time::Duration};

use exchange::digest::Digest;

use super::{clock, command::Times};

/// How often, and how long after each other: as messages come at the quiet rate.
const TIMES: usize = 250;
const PAUSE: Duration = Duration::from_millis(20);
/// What is computed each time: about what a message costs both nodes when they have nothing else to do.
const ROUNDS: usize = 32;
const BYTES: usize = 64 << 10;

/// How long the same computation takes each time.
pub(super) fn measure() -> Times {
    let text = vec![1; BYTES];
    let compute = || {
        let before = clock::now();
        for _ in 0..ROUNDS {
            std::hint::black_box(Digest::of(std::hint::black_box(&text)));
        }
        before.elapsed()
    };
    let took = (0..TIMES).map(|_| {
        thread::sleep(PAUSE);
        compute()
    });
    Times::of(took.collect())
}
