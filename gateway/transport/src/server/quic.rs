//! The QUIC carrier: one bidirectional stream per request.

use std::{net::SocketAddr, pin::pin, sync::Arc};

use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream, ServerConfig, VarInt};
use rustls::pki_types::CertificateDer;
use tokio::{task::JoinSet, time::timeout};
use tracing::debug;

use super::{
    Shared, Stage,
    droplog::Why,
    gate::{Knock, Seat},
    session::{Session, malformed, too_large, too_slow},
    vigil::{self, Ending},
};
use crate::{
    Carrier, Handler, Limits, Peer, Request, Response, Tls,
    body::Place,
    frame::{self, FrameError},
    quic::{CLOSE_BUSY, CLOSE_DONE, CLOSE_UNTRUSTED, transport},
};

/// Packets of handshakes that are not being handled yet, all together.
const WAITING_BYTES: u64 = 4 << 20;

/// How connections are taken. The certificates in it are those of now.
pub(super) fn config(tls: &Tls, limits: &Limits) -> ServerConfig {
    let mut config = ServerConfig::with_crypto(tls.current().quic_server.clone());
    config
        .transport_config(Arc::new(transport(
            limits.requests_per_connection,
            limits.request_body,
            // Address translators forget UDP after half a minute of silence, TCP after minutes.
            limits.keep_alive / 2,
            limits.keep_alive,
        )))
        .max_incoming(limits.handshakes)
        .incoming_buffer_size_total(WAITING_BYTES);
    config
}

/// Takes connections until the server drains.
pub(super) async fn accept<H: Handler>(shared: Arc<Shared<H>>, endpoint: Endpoint, base: ServerConfig) {
    let mut draining = pin!(shared.reached(Stage::Draining));
    loop {
        let incoming = tokio::select! {
            biased;
            () = &mut draining => break,
            incoming = endpoint.accept() => incoming,
        };
        let Some(incoming) = incoming else { return };
        let remote = incoming.remote_address();
        if shared.gate.is_crowded() && !incoming.remote_address_validated() && incoming.may_retry() {
            // Costs nothing to keep, and a forged sender never answers.
            let _ = incoming.retry();
            continue;
        }
        match shared.gate.knock(remote.ip()) {
            Ok(knock) => drop(tokio::spawn(run(shared.clone(), incoming, base.clone(), knock))),
            Err(full) => {
                shared.droplog.dropped(Carrier::Quic, Some(remote), Why::Limit, &full);
                incoming.refuse();
            }
        }
    }
    endpoint.set_server_config(None);
}

async fn run<H: Handler>(shared: Arc<Shared<H>>, incoming: Incoming, config: ServerConfig, knock: Knock) {
    let over = shared.reached(Stage::Over);
    tokio::select! {
        () = over => {}
        () = connection(shared, incoming, config, knock) => {}
    }
}

async fn connection<H: Handler>(
    shared: Arc<Shared<H>>,
    incoming: Incoming,
    config: ServerConfig,
    knock: Knock,
) {
    let remote = incoming.remote_address();
    let handshake = timeout(shared.limits.handshake_time, handshake(&shared, incoming, config));
    let handshake = tokio::select! {
        () = shared.reached(Stage::Draining) => return,
        handshake = handshake => handshake,
    };
    let dropped = |why, detail: &dyn std::fmt::Display| {
        shared.droplog.dropped(Carrier::Quic, Some(remote), why, detail);
    };
    let connection = match handshake {
        Err(_) => return dropped(Why::HandshakeTime, &"gave up"),
        Ok(Err(error)) => return dropped(Why::Handshake, &error),
        Ok(Ok(connection)) => connection,
    };
    let chain = connection.peer_identity().and_then(|identity| identity.downcast().ok());
    let chain: Vec<CertificateDer<'static>> = chain.map(|chain| *chain).unwrap_or_default();
    let Some(Ok(peer)) = chain.first().map(Peer::from_certificate) else {
        return dropped(Why::Handshake, &"no certificate");
    };
    match shared.gate.admit(peer.oin) {
        Ok(seat) => {
            drop(knock);
            let code = serve(&shared, &connection, peer, seat, &chain).await;
            connection.close(code, b"");
        }
        Err(full) => {
            dropped(Why::Limit, &full);
            connection.close(CLOSE_BUSY, b"too many connections");
        }
    }
}

async fn handshake<H>(
    shared: &Shared<H>,
    incoming: Incoming,
    mut config: ServerConfig,
) -> Result<Connection, quinn::ConnectionError> {
    config.crypto = shared.tls.current().quic_server.clone();
    incoming.accept_with(Arc::new(config))?.await
}

/// Answers requests until the connection ends, and returns what to close it with.
async fn serve<H: Handler>(
    shared: &Arc<Shared<H>>,
    connection: &Connection,
    peer: Peer,
    seat: Seat,
    chain: &[CertificateDer<'_>],
) -> VarInt {
    let session = Session::new(shared.clone(), peer, seat);
    let mut ending = pin!(vigil::ending(shared, chain, &session.pulse));
    let mut requests = JoinSet::new();
    let ending = loop {
        tokio::select! {
            ending = &mut ending => break ending,
            Some(_) = requests.join_next() => {}
            stream = connection.accept_bi() => match stream {
                Ok((send, receive)) => drop(requests.spawn(stream_task(session.clone(), send, receive))),
                Err(error) => {
                    debug!(remote = %connection.remote_address().ip(), %error, "connection ended");
                    return CLOSE_DONE;
                }
            },
        }
    };
    let drained = timeout(shared.limits.drain_time, async { while requests.join_next().await.is_some() {} });
    if drained.await.is_err() {
        debug!(remote = %connection.remote_address().ip(), "connection did not drain in time");
    }
    match ending {
        Ending::Untrusted(reason) => {
            let remote: SocketAddr = connection.remote_address();
            shared.droplog.dropped(Carrier::Quic, Some(remote), Why::Untrusted, &reason);
            CLOSE_UNTRUSTED
        }
        Ending::Shutdown | Ending::Idle => CLOSE_DONE,
    }
}

async fn stream_task<H: Handler>(session: Arc<Session<H>>, mut send: SendStream, mut receive: RecvStream) {
    session.pulse.beat();
    let received = timeout(session.body_time(), read(&session, &mut receive)).await;
    let response = match received.unwrap_or_else(|_| Err(Some(too_slow()))) {
        Ok((request, place)) => session.answer(request, place).await,
        Err(Some(response)) => response,
        Err(None) => return,
    };
    let (response, place) = session.reserve_response(response).await;
    // What is still coming of a refused body is not wanted.
    let _ = receive.stop(CLOSE_DONE);
    let head = frame::response_head(&response);
    let delivery = timeout(session.body_time(), async {
        frame::write(&mut send, head, response.body).await.ok()?;
        // Until the other side has it all, it takes room; and a connection that is closed earlier loses it.
        send.stopped().await.ok()
    });
    if delivery.await.is_err() {
        let _ = send.reset(CLOSE_DONE);
    }
    session.pulse.beat();
    drop(place);
}

/// Reads a request; an error is what to answer, if there is anybody to answer.
async fn read<H: Handler>(
    session: &Session<H>,
    stream: &mut RecvStream,
) -> Result<(Request, Option<Place>), Option<Response>> {
    let limits = &session.shared.limits;
    let unread = |error| refusal(&error, limits.request_body);
    let head = frame::read_head(stream, limits.head).await.map_err(unread)?;
    let (mut request, length) = frame::parse_request(&head).map_err(unread)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let place = session.reserve_request(length).await.map_err(Some)?;
    request.body = frame::read_body(stream, length).await.map_err(unread)?;
    Ok((request, place))
}

fn refusal(error: &FrameError, limit: usize) -> Option<Response> {
    match error {
        FrameError::Malformed(reason) => Some(malformed(reason)),
        FrameError::TooLarge => Some(too_large(limit)),
        FrameError::Broken(_) => None,
    }
}
