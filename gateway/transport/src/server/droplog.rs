//! Says why connections were dropped, without letting strangers fill the disk.

use std::{
    collections::HashMap,
    fmt::Display,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use crate::Carrier;

/// Lines per reason and [`WINDOW`]: enough to see who and what, and that it goes on.
const LINES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// Why a connection was dropped. The kinds are few, so that counting per kind is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Why {
    /// The system gave no connection: no file descriptors left, mostly.
    Accept,
    /// TLS, QUIC or the certificate.
    Handshake,
    /// It took too long.
    HandshakeTime,
    /// Another protocol inside TLS.
    Alpn,
    /// A limit on connections.
    Limit,
    /// The certificate was good and is no longer.
    Untrusted,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accepting failed",
            Self::Handshake => "handshake failed",
            Self::HandshakeTime => "handshake took too long",
            Self::Alpn => "no common protocol",
            Self::Limit => "limit reached",
            Self::Untrusted => "certificate no longer trusted",
        }
    }
}

#[derive(Debug)]
struct Window {
    since: Instant,
    lines: u32,
    suppressed: u64,
}

/// Logs dropped connections, at most [`LINES`] per reason and minute; the next line tells how many were left out.
#[derive(Debug, Default)]
pub(super) struct DropLog(Mutex<HashMap<Why, Window>>);

impl DropLog {
    pub(super) fn dropped(
        &self,
        carrier: Carrier,
        remote: Option<SocketAddr>,
        why: Why,
        detail: &dyn Display,
    ) {
        let Some(suppressed) = self.admit(why, Instant::now()) else { return };
        let remote = remote.map(|address| address.ip().to_canonical().to_string());
        let reason = why.as_str();
        warn!(%carrier, remote, reason, %detail, suppressed, "connection dropped");
    }

    /// How many lines were left out before this one, or nothing when this one is left out too.
    fn admit(&self, why: Why, now: Instant) -> Option<u64> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(why).or_insert(Window { since: now, lines: 0, suppressed: 0 });
        if now.duration_since(window.since) >= WINDOW {
            window.since = now;
            window.lines = 0;
        }
        if window.lines == LINES {
            window.suppressed += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_reason_is_cut_and_counted() {
        let log = DropLog::default();
        let start = Instant::now();
        let logged = (0..1000).filter(|_| log.admit(Why::Handshake, start).is_some()).count();
        assert_eq!(logged, 10);
        assert_eq!(log.admit(Why::Limit, start), Some(0), "another reason has its own count");
        assert_eq!(log.admit(Why::Handshake, start + WINDOW), Some(990));
        assert_eq!(log.admit(Why::Handshake, start + WINDOW), Some(0));
    }
}
