//! The QUIC carrier: one bidirectional stream per request.

use std::sync::Arc;

use exchange::oin::Oin;
use quinn::{
    ConnectionError, ReadError, WriteError, crypto::rustls::QuicClientConfig, rustls::AlertDescription,
};

use super::{
    Connection, Inner,
    address::{first_of, server_name, unreachable},
    connection::Failure,
};
use crate::{
    LinkError, Request, Response, Side,
    body::Buffer,
    frame::{self, FrameError},
    quic::CLOSE_DONE,
    tls::verdict::Verdict,
};

/// A QUIC connection.
#[derive(Debug)]
pub(super) struct Wire {
    connection: quinn::Connection,
    verdict: Verdict,
    response_body: usize,
    head: u32,
}

/// Connects and authenticates.
pub(super) async fn connect(inner: &Inner, expected: Oin, address: &str) -> Result<Connection, LinkError> {
    let material = inner.tls.current();
    let verdict = Verdict::default();
    let crypto = QuicClientConfig::try_from(material.quic_client(expected, &verdict))
        .map_err(|error| unreachable(address, &error))?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(inner.quic_transport()));
    let name = server_name(address)?;
    let endpoint = inner.quic_endpoint().map_err(|error| unreachable(address, &error))?;
    let connection = first_of(address, |candidate| {
        let connecting = endpoint.connect_with(config.clone(), candidate, &name.to_str());
        let (address, verdict) = (address.to_owned(), verdict.clone());
        async move {
            let connecting = connecting.map_err(|error| unreachable(&address, &error))?;
            connecting.await.map_err(|error| explain(&verdict, &address, &error))
        }
    });
    let wire = Wire {
        connection: connection.await?,
        verdict: verdict.clone(),
        response_body: inner.options.response_body,
        head: inner.options.head,
    };
    Ok(Connection::quic(material.generation, address, wire))
}

impl Wire {
    pub(super) fn is_closed(&self) -> bool {
        self.connection.close_reason().is_some()
    }

    pub(super) async fn exchange(
        &self,
        address: &str,
        request: &Request,
        buffer: &Buffer,
    ) -> Result<Response, Failure> {
        let (mut send, mut receive) =
            self.connection.open_bi().await.map_err(|error| self.lost(address, &error))?;
        let head = frame::request_head(request);
        match frame::write(&mut send, head, request.body.clone()).await {
            // Stopped: the answer is there before the body was wanted.
            Ok(()) | Err(WriteError::Stopped(_)) => {}
            Err(WriteError::ConnectionLost(error)) => return Err(self.lost(address, &error)),
            Err(error) => return Err(Failure { error: unreachable(address, &error), lost: true }),
        }
        let unread = |error| self.unread(address, error);
        let head = frame::read_head(&mut receive, self.head).await.map_err(unread)?;
        let (mut response, length) = frame::parse_response(&head).map_err(unread)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.response_body {
            let _ = receive.stop(CLOSE_DONE);
            return Err(unread(FrameError::TooLarge));
        }
        let _place = buffer.reserve(length).await;
        response.body = frame::read_body(&mut receive, length).await.map_err(unread)?;
        Ok(response)
    }

    fn unread(&self, address: &str, error: FrameError) -> Failure {
        let error = match error {
            FrameError::Broken(ReadError::ConnectionLost(error)) => return self.lost(address, &error),
            FrameError::Broken(error) => unreachable(address, &error),
            FrameError::Malformed(reason) => {
                LinkError::Protocol { address: address.to_owned(), reason: reason.to_owned() }
            }
            FrameError::TooLarge => LinkError::TooLarge { side: Side::Partner, limit: self.response_body },
        };
        Failure::of_request(error)
    }

    fn lost(&self, address: &str, error: &ConnectionError) -> Failure {
        Failure { error: explain(&self.verdict, address, error), lost: true }
    }
}

/// What the end of a connection means. In QUIC too a client learns afterwards that its certificate was refused.
fn explain(verdict: &Verdict, address: &str, error: &ConnectionError) -> LinkError {
    if let ConnectionError::ConnectionClosed(close) = error {
        // RFC 9001 §4.8: 0x100 and the TLS alert.
        let code = u64::from(close.error_code);
        if let Some(alert) = code.checked_sub(0x100).and_then(|alert| u8::try_from(alert).ok()) {
            verdict.alert(AlertDescription::from(alert));
        }
    }
    verdict.error(address).unwrap_or_else(|| unreachable(address, error))
}
