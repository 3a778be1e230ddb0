//! What a link remembers of one partner.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Carrier, Connection, Endpoint};
use crate::{LinkError, LinkOptions, body::Buffer};

/// Answers kept in memory per partner: a few of the largest, or very many of the usual.
const LARGEST_ANSWERS: usize = 4;

#[derive(Debug)]
pub(super) struct Partner {
    state: Mutex<State>,
    /// Only one task connects; the others wait for what comes of it.
    connecting: AsyncMutex<Option<LinkError>>,
    attempts: AtomicU64,
    turns: Semaphore,
    buffer: Buffer,
}

#[derive(Debug, Default)]
struct State {
    live: Option<Arc<Connection>>,
    /// Until then QUIC is not tried.
    avoid_quic: Option<Instant>,
}

impl Partner {
    pub(super) fn new(options: &LinkOptions) -> Self {
        let room = options.response_body.saturating_mul(LARGEST_ANSWERS);
        Self {
            state: Mutex::default(),
            connecting: AsyncMutex::default(),
            attempts: AtomicU64::new(0),
            turns: Semaphore::new(options.requests_per_partner),
            buffer: Buffer::new(Arc::new(Semaphore::new(room)), room),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may be in flight.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, LinkError> {
        self.turns.acquire().await.map_err(|_| LinkError::Shutdown)
    }

    pub(super) const fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The connection, if it is not known to be dead.
    pub(super) fn live(&self) -> Option<Arc<Connection>> {
        self.state().live.clone().filter(|connection| !connection.is_closed())
    }

    /// The connection, if it goes where the endpoint says, under the certificates of now.
    pub(super) fn usable(&self, endpoint: &Endpoint, generation: u64) -> Option<Arc<Connection>> {
        let mut state = self.state();
        let usable = state.live.as_ref().is_some_and(|connection| {
            !connection.is_closed() && connection.generation() == generation && connection.goes_to(endpoint)
        });
        if usable {
            state.live.clone()
        } else {
            // What is in flight on it holds on to it.
            state.live = None;
            None
        }
    }

    pub(super) fn keep(&self, connection: Arc<Connection>) {
        self.state().live = Some(connection);
    }

    /// Forgets this connection, unless another took its place.
    pub(super) fn discard(&self, connection: &Arc<Connection>) {
        let mut state = self.state();
        if state.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, connection)) {
            state.live = None;
        }
    }

    /// A request on this connection got no answer in time.
    pub(super) fn suspect(&self, connection: &Arc<Connection>, quic_retry: Duration) {
        self.discard(connection);
        if connection.carrier() == Carrier::Quic {
            self.avoid_quic(quic_retry);
        }
    }

    pub(super) fn avoid_quic(&self, during: Duration) {
        self.state().avoid_quic = Some(Instant::now() + during);
    }

    pub(super) fn may_try_quic(&self) -> bool {
        self.state().avoid_quic.is_none_or(|until| until <= Instant::now())
    }

    /// Like [`may_try_quic`](Self::may_try_quic), but says yes to one asker only per `retry`.
    pub(super) fn claim_quic(&self, retry: Duration) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        let free = state.avoid_quic.is_none_or(|until| until <= now);
        if free {
            state.avoid_quic = Some(now + retry);
        }
        free
    }

    pub(super) fn quic_works(&self) {
        self.state().avoid_quic = None;
    }

    /// How many attempts to connect ended.
    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Acquire)
    }

    /// Waits to be the one that connects.
    pub(super) async fn connecting(&self) -> AsyncMutexGuard<'_, Option<LinkError>> {
        self.connecting.lock().await
    }

    /// An attempt to connect ended so. Only with the lock of [`connecting`](Self::connecting).
    pub(super) fn attempted(&self, last: &mut Option<LinkError>, outcome: Option<LinkError>) {
        *last = outcome;
        self.attempts.fetch_add(1, Ordering::AcqRel);
    }
}
