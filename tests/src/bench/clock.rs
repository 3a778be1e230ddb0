//! The benchmark's own clock. Nothing that is measured reads it.

use std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "measuring time is what a benchmark is for")]
pub(super) fn now() -> Instant {
    Instant::now()
}
