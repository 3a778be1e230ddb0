//! Waiting for something that will happen, and no longer than it may take.

use std::time::{Duration, Instant};

/// How long anything in a journey may take before it counts as never. Generous: two cores may be doing other things.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look.
const LOOK: Duration = Duration::from_millis(4);

/// Measures how long a step takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "journeys run against the machine's clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// What passed since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Looks until there is something to see, and gives it.
///
/// # Panics
/// When it takes longer than [`PATIENCE`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(watch.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(LOOK);
    }
}

/// The same for what is asked of others meanwhile.
///
/// # Panics
/// When it takes longer than [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}
