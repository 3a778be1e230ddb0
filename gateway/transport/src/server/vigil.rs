//! When a connection has to end.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rustls::pki_types::CertificateDer;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{Shared, Stage};

/// Why a connection is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server stops.
    Shutdown,
    /// Nothing happened for too long.
    Idle,
    /// The partner would not be let in now.
    Untrusted(String),
}

/// When something last happened on a connection.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    last: AtomicU64,
    expired: Notify,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0), expired: Notify::new() }
    }

    /// Something happens.
    pub(super) fn beat(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// The partner's certificate turned out to be past its end.
    pub(super) fn expire(&self) {
        self.expired.notify_one();
    }

    fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

/// Returns when the connection of the partner with this certificate chain has to end.
pub(super) async fn ending<H>(shared: &Shared<H>, chain: &[CertificateDer<'_>], pulse: &Pulse) -> Ending {
    tokio::select! {
        () = shared.reached(Stage::Draining) => Ending::Shutdown,
        () = idle(pulse, shared.limits.idle_time) => Ending::Idle,
        () = pulse.expired.notified() => Ending::Untrusted("certificate expired".into()),
        reason = distrusted(shared, chain) => Ending::Untrusted(reason),
    }
}

async fn idle(pulse: &Pulse, limit: Duration) {
    loop {
        let until = pulse.last() + limit;
        if until <= Instant::now() {
            return;
        }
        sleep_until(until).await;
    }
}

/// Judges the partner again at every reload of certificates and lists.
async fn distrusted<H>(shared: &Shared<H>, chain: &[CertificateDer<'_>]) -> String {
    let mut reloads = shared.tls.reloads();
    // One that happened between the handshake and here counts too.
    reloads.mark_changed();
    while reloads.changed().await.is_ok() {
        if let Err(error) = shared.tls.still_trusts(chain) {
            return error.to_string();
        }
    }
    std::future::pending().await
}
