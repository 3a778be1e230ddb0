//! Connections: accepted within limits, over TLS, spoken to in HTTP/1.1 or HTTP/2, and closed in time.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use http_body_util::BodyExt as _;
use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower_service::Service as _;

use super::{Api, authentication::Connection, limits, routes};

/// How long accepting pauses when the system is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// For connections that were told to stop at once to be gone.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// An API that listens. Dropped, it ends at once.
pub struct RunningApi {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    upkeep: Vec<JoinHandle<()>>,
}

impl RunningApi {
    pub(super) fn start(
        api: Arc<Api>,
        listener: TcpListener,
        upkeep: Vec<JoinHandle<()>>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = (api.stop.clone(), api.stop.subscribe());
        let router = routes::router(&api);
        let accepting = tokio::spawn(accept(api, router, listener, stopped));
        Ok(Self { address, stop, accepting, upkeep })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes nothing new and lets what is under way finish, for at most `limit`.
    pub async fn stop(self, limit: Duration) {
        self.stop.send_replace(true);
        if timeout(limit, self.stop.closed()).await.is_err() {
            tracing::warn!("stopped while requests of the API were still under way");
            let _ = timeout(LAST_MOMENT, self.stop.closed()).await;
        }
    }
}

impl Drop for RunningApi {
    fn drop(&mut self) {
        self.accepting.abort();
        self.upkeep.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(api: Arc<Api>, router: Router, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                let Ok(place) = places.clone().try_acquire_owned() else {
                    tracing::warn!("the API has too many connections; one was dropped");
                    continue;
                };
                let serving = serve(api.clone(), router.clone(), (stream, remote), place, stopped.clone());
                drop(tokio::spawn(serving));
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection of the API");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(
    api: Arc<Api>,
    router: Router,
    (stream, remote): (TcpStream, SocketAddr),
    _place: OwnedSemaphorePermit,
    mut stopped: watch::Receiver<bool>,
) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let shaking = timeout(limits::HANDSHAKE_TIME, TlsAcceptor::from(api.tls.server()).accept(stream));
    let tls = tokio::select! {
        _ = stopped.wait_for(|stopped| *stopped) => return,
        shaken = shaking => match shaken {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return tracing::debug!(%error, "no TLS connection of the API"),
            Err(_) => return tracing::debug!("a handshake of the API took too long"),
        },
    };
    let chain: Vec<_> = tls.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
    let connection = Arc::new(Connection::new(&api, remote.ip(), &chain));
    drive(router, connection, tls, stopped).await;
}

/// How many requests a connection made, and how many are under way.
#[derive(Debug, Default)]
struct Pulse {
    made: AtomicU64,
    answered: AtomicU64,
}

impl Pulse {
    /// Returns once nothing was asked for the time that a connection may be silent.
    async fn silence(&self) {
        let mut before = u64::MAX;
        loop {
            sleep(limits::IDLE_TIME).await;
            let (answered, made) = (self.answered.load(Ordering::Acquire), self.made.load(Ordering::Acquire));
            if made == before && made == answered {
                return;
            }
            before = made;
        }
    }
}

/// A request that is under way, until dropped.
struct Beat(Arc<Pulse>);

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::AcqRel);
    }
}

async fn drive(
    router: Router,
    connection: Arc<Connection>,
    tls: TlsStream<TcpStream>,
    mut stopped: watch::Receiver<bool>,
) {
    let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let pulse = Arc::<Pulse>::default();
    let service = {
        let pulse = pulse.clone();
        service_fn(move |mut request: Request<Incoming>| {
            pulse.made.fetch_add(1, Ordering::AcqRel);
            let (beat, mut router) = (Beat(pulse.clone()), router.clone());
            request.extensions_mut().insert(connection.clone());
            async move {
                let answered = router.call(request).await;
                // As long as something of the answer is to be said, a stream for instance.
                answered.map(|answer| {
                    answer.map(|body| {
                        body.map_frame(move |frame| {
                            let _ = &beat;
                            frame
                        })
                    })
                })
            }
        })
    };
    let ending = async {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = pulse.silence() => {}
            () = sleep(limits::AGE) => {}
        }
    };
    let io = TokioIo::new(tls);
    // Both have the same methods, and no trait in common.
    macro_rules! drive {
        ($connection:expr) => {{
            let mut connection = pin!($connection);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = ending => {
                    connection.as_mut().graceful_shutdown();
                    timeout(limits::DRAIN_TIME, connection).await.unwrap_or(Ok(()))
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection of the API ended");
            }
        }};
    }
    if is_http2 {
        drive!(http2().serve_connection(io, service));
    } else {
        drive!(http1().serve_connection(io, service));
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits::HEAD_TIME).max_buf_size(limits::HEAD);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::REQUESTS_PER_CONNECTION)
        .max_header_list_size(u32::try_from(limits::HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(limits::PING)
        .keep_alive_timeout(limits::PING);
    builder
}
