//! The side that sends requests: one warm connection per partner.

use std::{
    collections::HashMap,
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use exchange::oin::Oin;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};
use tracing::debug;

use crate::{
    LinkError, LinkOptions, Request, Response, Side, Tls,
    limits::PARTNERS,
    quic::{self as carrier, CLOSE_DONE, transport},
};

mod address;
mod connect;
mod connection;
mod partner;
mod quic;
mod tcp;

use connection::{Connection, Failure};
use partner::Partner;

/// A warm connection that turned out dead is replaced, and a fresh QUIC connection that does is replaced by TCP.
const ATTEMPTS: usize = 3;

/// What carries requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// HTTP/2 over TLS over TCP.
    Tcp,
    /// Streams over QUIC.
    Quic,
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        })
    }
}

/// Where a partner's node is, and who must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Must be in the certificate, or nothing is sent.
    pub oin: Oin,
    /// `host:port` for HTTP/2; an IPv6 address in brackets. The host must be in the certificate.
    pub tcp: String,
    /// `host:port` for QUIC, when the partner announces it.
    pub quic: Option<String>,
}

/// Sends requests to partners, over connections that are kept and shared. A handle: clones share everything.
///
/// A request on a connection that breaks is sent once more over a new one. That is always safe: the partner may
/// have handled it and the answer got lost, and everything in the protocol that changes something is idempotent
/// (`gateway/PROTOCOL.md` §3).
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    tls: Tls,
    options: LinkOptions,
    partners: Mutex<HashMap<Oin, Arc<Partner>>>,
    quic: Mutex<Option<quinn::Endpoint>>,
    slots: Semaphore,
    stopping: AtomicBool,
}

impl Link {
    /// A link without connections; they are made when needed.
    pub fn new(tls: Tls, options: LinkOptions) -> Self {
        Self(Arc::new(Inner {
            slots: Semaphore::new(options.requests),
            tls,
            options,
            partners: Mutex::default(),
            quic: Mutex::default(),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Sends a request to the partner and waits for the whole answer, within `request_time`.
    ///
    /// Any answer is `Ok`, whatever its status. May be called as often at the same time as one likes; above the
    /// limits of the options calls wait their turn.
    pub async fn send(&self, endpoint: &Endpoint, request: Request) -> Result<Response, LinkError> {
        let Inner { options, slots, .. } = &*self.0;
        if request.body.len() > options.request_body {
            return Err(LinkError::TooLarge { side: Side::Own, limit: options.request_body });
        }
        let partner = self.0.partner(endpoint.oin)?;
        let deadline = Instant::now() + options.request_time;
        let delivery = async {
            let _slot = slots.acquire().await.map_err(|_| LinkError::Shutdown)?;
            let _turn = partner.turn().await?;
            self.deliver(&partner, endpoint, &request, deadline).await
        };
        timeout_at(deadline, delivery).await.unwrap_or_else(|_| Err(self.0.too_late(endpoint)))
    }

    async fn deliver(
        &self,
        partner: &Arc<Partner>,
        endpoint: &Endpoint,
        request: &Request,
        deadline: Instant,
    ) -> Result<Response, LinkError> {
        let mut earlier = None;
        for _ in 1..ATTEMPTS {
            match self.attempt(partner, endpoint, request, deadline).await {
                Ok(response) => return Ok(response),
                Err(Failure { error, lost: true }) => earlier = Some(error),
                Err(Failure { error, lost: false }) => return Err(rather(error, earlier)),
            }
        }
        self.attempt(partner, endpoint, request, deadline)
            .await
            .map_err(|failure| rather(failure.error, earlier))
    }

    /// Sends the request once. Of a failure `lost` tells whether once more, over another connection, makes sense.
    async fn attempt(
        &self,
        partner: &Arc<Partner>,
        endpoint: &Endpoint,
        request: &Request,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let (connection, fresh) = self.connection(partner, endpoint).await.map_err(Failure::of_request)?;
        let exchange = timeout_at(deadline, connection.exchange(request, partner.buffer()));
        let Failure { error, lost } = match exchange.await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(failure)) => failure,
            Err(_) => {
                // Whatever it is, a new connection is the better place to find out.
                partner.suspect(&connection, self.0.options.quic_retry);
                return Err(Failure::of_request(self.0.too_late(endpoint)));
            }
        };
        let carrier = connection.carrier();
        debug!(partner = %endpoint.oin, %carrier, %error, fresh, lost, "request failed");
        if lost {
            partner.discard(&connection);
        }
        if lost && fresh && carrier == Carrier::Quic {
            partner.avoid_quic(self.0.options.quic_retry);
        }
        // A fresh TCP connection that fails is the answer. QUIC must never make delivery worse than without it.
        Err(Failure { error, lost: lost && (!fresh || carrier == Carrier::Quic) })
    }

    /// What carries requests to this partner now, if there is a connection.
    pub fn carrier(&self, oin: Oin) -> Option<Carrier> {
        let partner = self.0.partners().get(&oin)?.clone();
        partner.live().map(|connection| connection.carrier())
    }

    /// Lets go of the partner: its connection closes once the requests on it are answered, and whether QUIC works
    /// is found out anew.
    pub fn forget(&self, oin: Oin) {
        self.0.partners().remove(&oin);
    }

    /// Refuses new requests, waits at most `limit` for those in flight, and closes every connection.
    pub async fn shutdown(&self, limit: Duration) {
        let Inner { options, slots, .. } = &*self.0;
        self.0.stopping.store(true, Ordering::Release);
        let all = u32::try_from(options.requests).unwrap_or(u32::MAX);
        let _ = timeout(limit, slots.acquire_many(all)).await;
        slots.close();
        self.0.partners().clear();
        let endpoint = self.0.quic_slot().take();
        if let Some(endpoint) = endpoint {
            endpoint.close(CLOSE_DONE, b"stopped");
            let _ = timeout(Duration::from_secs(1), endpoint.wait_idle()).await;
        }
    }
}

/// Of the errors of successive attempts, the one that tells most.
fn rather(error: LinkError, earlier: Option<LinkError>) -> LinkError {
    match earlier {
        Some(earlier) => error.or_rather(earlier),
        None => error,
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("tls", &self.0.tls)
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn partners(&self) -> MutexGuard<'_, HashMap<Oin, Arc<Partner>>> {
        self.partners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn partner(&self, oin: Oin) -> Result<Arc<Partner>, LinkError> {
        let mut partners = self.partners();
        if self.stopping.load(Ordering::Acquire) {
            return Err(LinkError::Shutdown);
        }
        if partners.len() >= PARTNERS && !partners.contains_key(&oin) {
            // Nobody has so many; those without a connection lose at most what was found out about QUIC.
            partners.retain(|_, partner| partner.live().is_some());
        }
        let new = || Arc::new(Partner::new(&self.options));
        Ok(partners.entry(oin).or_insert_with(new).clone())
    }

    fn too_late(&self, endpoint: &Endpoint) -> LinkError {
        LinkError::Timeout { address: endpoint.tcp.clone(), after: self.options.request_time }
    }

    fn quic_slot(&self) -> MutexGuard<'_, Option<quinn::Endpoint>> {
        self.quic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket of all QUIC connections, opened at the first.
    fn quic_endpoint(&self) -> std::io::Result<quinn::Endpoint> {
        let mut slot = self.quic_slot();
        if let Some(endpoint) = &*slot {
            return Ok(endpoint.clone());
        }
        let keys = self.tls.current().reset_keys();
        let endpoint = carrier::endpoint((Ipv6Addr::UNSPECIFIED, 0).into(), &keys, None)
            .or_else(|_| carrier::endpoint((Ipv4Addr::UNSPECIFIED, 0).into(), &keys, None))?;
        Ok(slot.insert(endpoint).clone())
    }

    fn quic_transport(&self) -> quinn::TransportConfig {
        // Partners open no streams towards us.
        transport(0, self.options.response_body, self.options.quic_ping, self.options.keep_alive)
    }
}
