//! The side that takes requests.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{BindError, Carrier, Handler, Limits, Tls, quic as carrier};

mod droplog;
mod gate;
mod quic;
mod session;
mod tcp;
mod vigil;

use droplog::DropLog;
use gate::Gate;

/// For connections that were told to stop at once to be gone, and for the last QUIC packets to leave.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Where to listen and what to allow.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// For HTTP/2. Port 0 takes a free one.
    pub tcp: SocketAddr,
    /// For QUIC, if at all.
    pub quic: Option<SocketAddr>,
    /// What is allowed.
    pub limits: Limits,
}

/// How far a server is towards its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Takes connections and requests.
    Open,
    /// Finishes what it has.
    Draining,
    /// Drops what is left.
    Over,
}

/// What every connection needs. While anything of the server runs, somebody holds this.
struct Shared<H> {
    tls: Tls,
    limits: Limits,
    gate: Gate,
    droplog: DropLog,
    handler: H,
    http2: http2::Builder<TokioExecutor>,
    stage: watch::Receiver<Stage>,
}

impl<H> Shared<H> {
    /// Returns once the server is at `stage` or further.
    fn reached(&self, stage: Stage) -> impl Future<Output = ()> + Send + 'static {
        let mut watched = self.stage.clone();
        // A server that was dropped is over, which `wait_for` tells with an error.
        async move { drop(watched.wait_for(|now| *now >= stage).await) }
    }
}

/// A running server. Dropping it ends everything at once; [`shutdown`](Self::shutdown) ends it properly.
#[derive(Debug)]
pub struct Server {
    tcp: SocketAddr,
    quic: Option<(SocketAddr, quinn::Endpoint)>,
    stage: watch::Sender<Stage>,
}

impl Server {
    /// Listens, and answers every request of an authenticated partner with `handler`.
    pub async fn bind<H: Handler>(options: ServerOptions, tls: Tls, handler: H) -> Result<Self, BindError> {
        let failed = |carrier, address| move |source| BindError { carrier, address, source };
        let tcp_failed = failed(Carrier::Tcp, options.tcp);
        let listener = TcpListener::bind(options.tcp).await.map_err(tcp_failed)?;
        let tcp = listener.local_addr().map_err(tcp_failed)?;
        let config = quic::config(&tls, &options.limits);
        let quic = match options.quic {
            None => None,
            Some(address) => {
                let quic_failed = failed(Carrier::Quic, address);
                let keys = tls.current().reset_keys();
                let endpoint =
                    carrier::endpoint(address, &keys, Some(config.clone())).map_err(quic_failed)?;
                Some((endpoint.local_addr().map_err(quic_failed)?, endpoint))
            }
        };
        let (stage, watched) = watch::channel(Stage::Open);
        let shared = Arc::new(Shared {
            gate: Gate::new(&options.limits),
            http2: http2(&options.limits),
            limits: options.limits,
            droplog: DropLog::default(),
            stage: watched,
            tls,
            handler,
        });
        if let Some((_, endpoint)) = &quic {
            tokio::spawn(quic::accept(shared.clone(), endpoint.clone(), config));
        }
        tokio::spawn(tcp::accept(shared, listener));
        Ok(Self { tcp, quic, stage })
    }

    /// Where HTTP/2 is served.
    pub const fn tcp_addr(&self) -> SocketAddr {
        self.tcp
    }

    /// Where QUIC is served, if it is.
    pub fn quic_addr(&self) -> Option<SocketAddr> {
        self.quic.as_ref().map(|(address, _)| *address)
    }

    /// Takes nothing new, lets requests in flight finish for at most `limit`, and stops. Tells whether all
    /// finished.
    pub async fn shutdown(self, limit: Duration) -> bool {
        self.stage.send_replace(Stage::Draining);
        let finished = timeout(limit, self.stage.closed()).await.is_ok();
        if !finished {
            self.stage.send_replace(Stage::Over);
            let _ = timeout(LAST_MOMENT, self.stage.closed()).await;
        }
        if let Some((_, endpoint)) = self.quic {
            endpoint.close(carrier::CLOSE_DONE, b"stopped");
            let _ = timeout(LAST_MOMENT, endpoint.wait_idle()).await;
        }
        finished
    }
}

/// HTTP/2 as tuned for bodies of a few hundred KiB, with the library's own defences against resets left on.
fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let body = u32::try_from(limits.request_body).unwrap_or(u32::MAX >> 2);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        // A whole body flows without waiting for permission, and two of them together.
        .initial_stream_window_size(body.max(64 << 10))
        .initial_connection_window_size(body.saturating_mul(2).clamp(64 << 10, u32::MAX >> 2))
        .max_frame_size(FRAME)
        .max_concurrent_streams(limits.requests_per_connection)
        .max_header_list_size(limits.head)
        .keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.keep_alive.min(PING_TIME));
    builder
}

/// Sixteen TLS records: fewer frames per body, and a small request still gets its turn soon.
pub(crate) const FRAME: u32 = 256 << 10;
/// A ping that was not answered for so long means that the other side is gone.
pub(crate) const PING_TIME: Duration = Duration::from_secs(20);
