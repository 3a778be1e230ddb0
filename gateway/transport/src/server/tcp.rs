//! HTTP/2 over TLS over TCP.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header, request::Parts};
use hyper::{
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::debug;

use super::{
    Shared, Stage,
    droplog::Why,
    gate::Knock,
    session::{Sending, Session, malformed, too_large, too_slow},
    vigil::{self, Ending},
};
use crate::{
    Carrier, Handler, Peer, Request, Response,
    body::{CollectError, Outgoing, Place, collect},
    tls::ALPN_TCP,
};

/// How long accepting pauses when the system is out of file descriptors: trying at once would only burn the CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long, and how much, is read from a connection that was refused, so that its alert arrives: closing with
/// unread data makes TCP throw away what was sent.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 64 << 10;

/// Takes connections until the server drains.
pub(super) async fn accept<H: Handler>(shared: Arc<Shared<H>>, listener: TcpListener) {
    let mut draining = pin!(shared.reached(Stage::Draining));
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut draining => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => match shared.gate.knock(remote.ip()) {
                Ok(knock) => drop(tokio::spawn(run(shared.clone(), stream, remote, knock))),
                Err(full) => shared.droplog.dropped(Carrier::Tcp, Some(remote), Why::Limit, &full),
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                shared.droplog.dropped(Carrier::Tcp, None, Why::Accept, &error);
                tokio::select! {
                    () = &mut draining => return,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}

/// The connection was gone before it was accepted; the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn run<H: Handler>(shared: Arc<Shared<H>>, stream: TcpStream, remote: SocketAddr, knock: Knock) {
    let over = shared.reached(Stage::Over);
    tokio::select! {
        () = over => {}
        () = connection(shared, stream, remote, knock) => {}
    }
}

async fn connection<H: Handler>(shared: Arc<Shared<H>>, stream: TcpStream, remote: SocketAddr, knock: Knock) {
    let dropped = |why, detail: &dyn std::fmt::Display| {
        shared.droplog.dropped(Carrier::Tcp, Some(remote), why, detail);
    };
    let handshake = timeout(shared.limits.handshake_time, handshake(&shared, stream));
    let handshake = tokio::select! {
        () = shared.reached(Stage::Draining) => return,
        handshake = handshake => handshake,
    };
    let tls = match handshake {
        Err(_) => return dropped(Why::HandshakeTime, &"gave up"),
        Ok(Err((error, stream))) => {
            dropped(Why::Handshake, &error);
            return linger(stream).await;
        }
        Ok(Ok(tls)) => tls,
    };
    let session = tls.get_ref().1;
    if session.alpn_protocol() != Some(ALPN_TCP) {
        dropped(Why::Alpn, &"the partner did not offer h2");
        return linger(tls).await;
    }
    let chain = session.peer_certificates().unwrap_or_default();
    let chain: Vec<_> = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
    let Some(Ok(peer)) = chain.first().map(Peer::from_certificate) else {
        return dropped(Why::Handshake, &"no certificate");
    };
    match shared.gate.admit(peer.oin) {
        Ok(seat) => {
            drop(knock);
            serve(&Session::new(shared.clone(), peer, seat), tls, &chain, remote).await;
        }
        Err(full) => {
            dropped(Why::Limit, &full);
            linger(tls).await;
        }
    }
}

type Refused = (io::Error, TcpStream);

async fn handshake<H>(shared: &Shared<H>, stream: TcpStream) -> Result<TlsStream<TcpStream>, Refused> {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    TlsAcceptor::from(shared.tls.current().server.clone()).accept(stream).into_fallible().await
}

/// Closes our direction and reads on for a while, so that what we said last arrives.
async fn linger(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    let _ = timeout(LINGER, async move {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await
    })
    .await;
}

async fn serve<H: Handler>(
    session: &Arc<Session<H>>,
    tls: TlsStream<TcpStream>,
    chain: &[CertificateDer<'_>],
    remote: SocketAddr,
) {
    let shared = &session.shared;
    let service = {
        let session = session.clone();
        service_fn(move |request| {
            let session = session.clone();
            async move { Ok::<_, Infallible>(respond(session, request).await) }
        })
    };
    let mut connection = pin!(shared.http2.serve_connection(TokioIo::new(tls), service));
    let ending = tokio::select! {
        result = &mut connection => return ended(result, remote),
        ending = vigil::ending(shared, chain, &session.pulse) => ending,
    };
    if let Ending::Untrusted(reason) = &ending {
        shared.droplog.dropped(Carrier::Tcp, Some(remote), Why::Untrusted, reason);
    }
    connection.as_mut().graceful_shutdown();
    let until = Instant::now() + shared.limits.drain_time;
    tokio::select! {
        result = &mut connection => ended(result, remote),
        () = sleep_until(until) => debug!(remote = %remote.ip(), "connection did not drain in time"),
    }
}

fn ended(result: hyper::Result<()>, remote: SocketAddr) {
    if let Err(error) = result {
        debug!(remote = %remote.ip(), %error, "connection ended");
    }
}

async fn respond<H: Handler>(
    session: Arc<Session<H>>,
    request: hyper::Request<Incoming>,
) -> hyper::Response<Outgoing<Sending<H>>> {
    session.pulse.beat();
    let (parts, body) = request.into_parts();
    let response = match receive(&session, parts, body).await {
        Ok((request, place)) => session.answer(request, place).await,
        Err(response) => response,
    };
    let (response, place) = session.reserve_response(response).await;
    into_http(response, Sending { session, _place: place })
}

async fn receive<H: Handler>(
    session: &Session<H>,
    parts: Parts,
    body: Incoming,
) -> Result<(Request, Option<Place>), Response> {
    let content_type = match parts.headers.get(header::CONTENT_TYPE) {
        None => None,
        Some(value) => Some(value.to_str().map_err(|_| malformed("Content-Type is geen tekst."))?.to_owned()),
    };
    let limit = session.shared.limits.request_body;
    let (place, body) = if body.is_end_stream() {
        (None, Bytes::new())
    } else {
        // Without a length the largest is expected.
        let size = body.size_hint().exact().map_or(limit, |size| usize::try_from(size).unwrap_or(usize::MAX));
        let place = session.reserve_request(size).await?;
        let collected = timeout(session.body_time(), collect(body, limit)).await.map_err(|_| too_slow())?;
        (place, collected.map_err(|error| uncollected(&error, limit))?)
    };
    let request = Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        content_type,
        body,
    };
    Ok((request, place))
}

fn uncollected(error: &CollectError, limit: usize) -> Response {
    match error {
        CollectError::TooLarge => too_large(limit),
        // Nobody is left to read this.
        CollectError::Broken(_) => malformed("De zending brak af."),
    }
}

fn into_http<T>(response: Response, kept: T) -> hyper::Response<Outgoing<T>> {
    let mut http = hyper::Response::new(Outgoing::new(response.body, kept));
    *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = response.content_type.and_then(|value| HeaderValue::try_from(value).ok());
    if let Some(value) = content_type {
        http.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    if let Some(seconds) = response.retry_after {
        http.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    http
}
