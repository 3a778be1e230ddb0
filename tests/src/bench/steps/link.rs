//! The primitive of the line: requests over mutual TLS to a handler that answers at once.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::ensure;
use bytes::Bytes;
use exchange::message::SignedMessage;
use node::delivery::{JWS_LINES, RECEIPT};
use transport::{
    Endpoint, Handler, Limits, Link, LinkOptions, Peer, Request, Response, Server, ServerOptions,
};

use super::{BATCH, LONG, Sample, storing::Stored};
use crate::bench::{
    clock,
    options::Transport,
    process::{micros_each, own_cpu, own_cpu_since},
    receiver::tls,
    world::World,
};

/// Answers everything with the same bytes.
struct Echo(Bytes);

impl Handler for Echo {
    async fn handle(&self, _: Arc<Peer>, _: Request) -> Response {
        Response::new(200, RECEIPT, self.0.clone())
    }
}

/// Processor time of both ends per message, µs.
pub(super) async fn measure(
    world: &World,
    stored: &Stored,
    sample: &Sample,
    transport: Transport,
) -> anyhow::Result<f64> {
    let free = (Ipv4Addr::LOCALHOST, 0).into();
    let quic = transport == Transport::Quic;
    let options = ServerOptions { tcp: free, quic: quic.then_some(free), limits: Limits::default() };
    let handler = Echo(stored.receipt_body()?.into());
    let server = Server::bind(options, tls(&world.receiver)?, handler).await?;
    let endpoint = Endpoint {
        oin: world.to(),
        tcp: server.tcp_addr().to_string(),
        quic: server.quic_addr().map(|address| address.to_string()),
    };
    let link = Link::new(tls(&world.sender)?, LinkOptions { quic, ..LinkOptions::default() });
    let lines = sample.messages.iter().take(BATCH).map(SignedMessage::compact);
    let body = Bytes::from(lines.flat_map(|line| [line, "\n"]).collect::<String>());
    // Connected before the measurement.
    let request = || Request::post("/v1/berichten", JWS_LINES, body.clone());
    link.send(&endpoint, request()).await?;
    ensure!(
        link.carrier(world.to()).is_some_and(|carrier| carrier.to_string() == transport.name()),
        "no connection over {}",
        transport.name()
    );
    let (start, before) = (clock::now(), own_cpu()?);
    let mut messages = 0;
    while start.elapsed() < LONG {
        link.send(&endpoint, request()).await?;
        messages += BATCH;
    }
    let each = micros_each(own_cpu_since(before)?, u64::try_from(messages)?);
    link.shutdown(LONG).await;
    server.shutdown(LONG).await;
    Ok(each)
}
