//! HTTP/2 over TLS over TCP.

use std::{
    error::Error as _,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Uri, header, uri::Scheme};
use hyper::{
    body::{Body as _, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Connection, Endpoint,
    address::{first_of, server_name, unreachable},
    connection::Failure,
};
use crate::{
    LinkError, LinkOptions, Request, Response, Side, Tls,
    body::{Buffer, CollectError, Outgoing, collect},
    limits::VERDICT_TIME,
    server::{FRAME, PING_TIME},
    tls::{ALPN_TCP, verdict::Verdict},
};

type Sender = SendRequest<Outgoing<()>>;

/// An HTTP/2 connection.
pub(super) struct Wire {
    sender: Sender,
    verdict: Verdict,
    /// Closed when the connection's own task is done.
    ended: watch::Receiver<()>,
    response_body: usize,
}

/// Connects and authenticates.
pub(super) async fn connect(
    tls: &Tls,
    options: &LinkOptions,
    endpoint: &Endpoint,
) -> Result<Connection, LinkError> {
    let address = endpoint.tcp.as_str();
    let name = server_name(address)?;
    let material = tls.current();
    let verdict = Verdict::default();
    let config = Arc::new(material.tcp_client(endpoint.oin, &verdict));
    let stream = dial(address).await?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        note(&verdict, &error);
        verdict.error(address).unwrap_or_else(|| unreachable(address, &error))
    })?;
    if stream.get_ref().1.alpn_protocol() != Some(ALPN_TCP) {
        return Err(LinkError::Protocol {
            address: address.into(),
            reason: "the other side does not speak HTTP/2".into(),
        });
    }
    let io = TokioIo::new(Noting { stream, verdict: verdict.clone() });
    let (sender, connection) =
        http2(options).handshake(io).await.map_err(|error| unreachable(address, &error))?;
    let (done, ended) = watch::channel(());
    tokio::spawn(async move {
        // Why it ended, if that means anything, is in the verdict.
        let _ = connection.await;
        drop(done);
    });
    let wire = Wire { sender, verdict, ended, response_body: options.response_body };
    Ok(Connection::tcp(material.generation, address, wire))
}

async fn dial(address: &str) -> Result<TcpStream, LinkError> {
    let stream = first_of(address, |candidate| {
        let address = address.to_owned();
        async move { TcpStream::connect(candidate).await.map_err(|error| unreachable(&address, &error)) }
    });
    let stream = stream.await?;
    // Small requests leave at once.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn http2(options: &LinkOptions) -> http2::Builder<TokioExecutor> {
    let body = u32::try_from(options.response_body).unwrap_or(u32::MAX >> 2);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(body.max(64 << 10))
        .initial_connection_window_size(body.saturating_mul(2).clamp(64 << 10, u32::MAX >> 2))
        .max_frame_size(FRAME)
        .max_header_list_size(options.head)
        .keep_alive_interval(options.keep_alive)
        .keep_alive_timeout(options.keep_alive.min(PING_TIME))
        .keep_alive_while_idle(true);
    builder
}

impl Wire {
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) async fn exchange(
        &self,
        address: &str,
        request: &Request,
        buffer: &Buffer,
    ) -> Result<Response, Failure> {
        let request = into_http(address, request)?;
        let sent = self.sender.clone().send_request(request).await;
        let (parts, body) = match sent {
            Ok(response) => response.into_parts(),
            Err(error) => return Err(self.failure(address, &error).await),
        };
        let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let response = Response {
            status: parts.status.as_u16(),
            content_type: text(header::CONTENT_TYPE).map(str::to_owned),
            retry_after: text(header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok()),
            body: self.take_in(address, body, buffer).await?,
        };
        Ok(response)
    }

    async fn take_in(&self, address: &str, body: Incoming, buffer: &Buffer) -> Result<bytes::Bytes, Failure> {
        let limit = self.response_body;
        if body.is_end_stream() {
            return Ok(bytes::Bytes::new());
        }
        let size = body.size_hint().exact().map_or(limit, |size| usize::try_from(size).unwrap_or(limit));
        let _place = buffer.reserve(size).await;
        match collect(body, limit).await {
            Ok(body) => Ok(body),
            Err(CollectError::TooLarge) => {
                Err(Failure::of_request(LinkError::TooLarge { side: Side::Partner, limit }))
            }
            Err(CollectError::Broken(error)) => Err(self.failure(address, &error).await),
        }
    }

    /// What a failed request says about the connection.
    async fn failure(&self, address: &str, error: &hyper::Error) -> Failure {
        let cause = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
        let lost = match cause {
            // Only this request was broken off.
            Some(cause) if cause.is_reset() => self.is_closed(),
            // The other side takes no more requests; those it has may go on.
            Some(cause) if cause.is_go_away() => true,
            _ => {
                // The connection's own task may still be reading why.
                let mut ended = self.ended.clone();
                let _ = timeout(VERDICT_TIME, async { while ended.changed().await.is_ok() {} }).await;
                true
            }
        };
        let error = self.verdict.error(address).unwrap_or_else(|| unreachable(address, &Causes(error)));
        Failure { error, lost }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

fn into_http(address: &str, request: &Request) -> Result<hyper::Request<Outgoing<()>>, Failure> {
    let protocol = |reason: &str| {
        Failure::of_request(LinkError::Protocol { address: address.to_owned(), reason: reason.to_owned() })
    };
    let uri = Uri::builder()
        .scheme(Scheme::HTTPS)
        .authority(address)
        .path_and_query(request.target())
        .build()
        .map_err(|_| protocol("our request's path cannot be sent"))?;
    let mut http = hyper::Request::new(Outgoing::new(request.body.clone(), ()));
    *http.method_mut() = request.method.clone();
    *http.uri_mut() = uri;
    if let Some(content_type) = &request.content_type {
        let value = HeaderValue::try_from(content_type.as_str())
            .map_err(|_| protocol("our request's media type cannot be sent"))?;
        http.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    Ok(http)
}

/// An error with its causes: the HTTP library's own text alone says little.
struct Causes<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = Some(self.0);
        let mut separator = "";
        while let Some(cause) = error {
            write!(f, "{separator}{cause}")?;
            separator = ": ";
            error = cause.source();
        }
        Ok(())
    }
}

/// What the TLS library had against it.
fn note(verdict: &Verdict, error: &io::Error) {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        verdict.tls(error);
    }
}

/// Notes why TLS failed, which the HTTP layer turns into text. In TLS 1.3 a client learns only when it reads the
/// first answer that its certificate was refused.
struct Noting {
    stream: TlsStream<TcpStream>,
    verdict: Verdict,
}

impl Noting {
    fn noted<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        outcome.map_err(|error| {
            note(&self.verdict, &error);
            error
        })
    }
}

impl AsyncRead for Noting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.noted(outcome)
    }
}

impl AsyncWrite for Noting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noted(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.noted(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.noted(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.noted(outcome)
    }
}
