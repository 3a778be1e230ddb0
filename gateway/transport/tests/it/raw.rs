//! Clients and servers below the crate's own, to do what those never would.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    body::{Body, Frame},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs::default_provider,
    pki_types::ServerName,
    server::{ServerConfig as Config, WebPkiClientVerifier},
    version::TLS13,
};
use tokio::sync::Notify;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};
use transport::Identity;

use crate::common::{Ca, Node, clock};

/// A TLS client that trusts `ca`, with or without a certificate, offering these protocols.
pub(crate) fn client(
    ca: &Ca,
    identity: Option<Identity>,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> ClientConfig {
    let builder = ClientConfig::builder_with_details(Arc::new(default_provider()), time())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots(ca));
    let mut config = match identity {
        Some(identity) => builder.with_client_auth_cert(identity.certificate_chain, identity.key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A good client on the TCP carrier.
pub(crate) fn good(ca: &Ca, oin: &str) -> ClientConfig {
    client(ca, Some(ca.issue_for(oin)), &[&TLS13], &[b"h2"])
}

/// A TLS server that trusts `ca`, whatever its own certificate.
pub(crate) fn server(ca: &Ca, identity: Identity, alpn: &[&[u8]]) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots(ca)), provider.clone()).build().unwrap();
    let mut config = Config::builder_with_details(provider, time())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(identity.certificate_chain, identity.key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

fn roots(ca: &Ca) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(ca.trust().anchors.remove(0)).unwrap();
    roots
}

#[derive(Debug)]
struct Time(u64);

impl rustls::time_provider::TimeProvider for Time {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0)))
    }
}

fn time() -> Arc<dyn rustls::time_provider::TimeProvider> {
    use exchange::clock::Clock as _;
    Arc::new(Time(u64::try_from(clock().now().as_second()).unwrap()))
}

/// Connects and does the handshake, including what the server says after it.
pub(crate) async fn handshake(node: &Node, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let mut stream = connect(node, config).await?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        // The server's settings come first, or why there are none.
        let mut frame = [0; 1];
        stream.read_exact(&mut frame).await?;
    }
    Ok(stream)
}

/// Connects and does this side of the handshake.
pub(crate) async fn connect(node: &Node, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(node.server.tcp_addr()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// An HTTP/2 client, and what tells when its connection ends.
pub(crate) async fn http2<B>(
    node: &Node,
    config: ClientConfig,
) -> (SendRequest<B>, tokio::task::JoinHandle<hyper::Result<()>>)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let io = TokioIo::new(connect(node, config).await.unwrap());
    let (sender, connection) =
        http2::Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).handshake(io).await.unwrap();
    (sender, tokio::spawn(connection))
}

pub(crate) fn post<B>(node: &Node, path: &str, body: B) -> hyper::Request<B> {
    hyper::Request::post(format!("https://{}{path}", node.tcp())).body(body).unwrap()
}

/// A body of which nothing more comes.
pub(crate) struct Stuck;

impl Body for Stuck {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

/// A QUIC connection of the given client.
pub(crate) async fn quic(
    node: &Node,
    config: ClientConfig,
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()));
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = node.server.quic_addr().unwrap();
    endpoint.connect_with(config, address, "localhost").unwrap().await
}

/// Stands between a link and a node, counts connections, and can cut them.
pub(crate) struct Relay {
    pub(crate) address: String,
    state: Arc<Mutex<Relayed>>,
}

#[derive(Default)]
struct Relayed {
    accepted: usize,
    open: JoinSet<()>,
}

impl Relay {
    pub(crate) async fn to(node: &Node) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(Relayed::default()));
        let (target, shared) = (node.server.tcp_addr(), state.clone());
        tokio::spawn(async move {
            while let Ok((inside, _)) = listener.accept().await {
                let mut state = shared.lock().unwrap();
                state.accepted += 1;
                state.open.spawn(relay(inside, target));
            }
        });
        Self { address, state }
    }

    pub(crate) fn accepted(&self) -> usize {
        self.state.lock().unwrap().accepted
    }

    /// Breaks every connection.
    pub(crate) fn cut(&self) {
        self.state.lock().unwrap().open.abort_all();
    }
}

async fn relay(mut inside: TcpStream, target: std::net::SocketAddr) {
    let mut outside = TcpStream::connect(target).await.unwrap();
    let _ = copy_bidirectional(&mut inside, &mut outside).await;
}

/// Carries the datagrams of one client to a node and back, unless it is down.
pub(crate) struct Line {
    pub(crate) address: String,
    outside: Arc<UdpSocket>,
    down: Arc<AtomicBool>,
    carried: Arc<Notify>,
}

impl Line {
    pub(crate) async fn to(node: std::net::SocketAddr) -> Self {
        let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let outside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        outside.connect(node).await.unwrap();
        let address = format!("localhost:{}", inside.local_addr().unwrap().port());
        let down = Arc::new(AtomicBool::new(false));
        let carried = Arc::new(Notify::new());
        tokio::spawn(carry(inside, outside.clone(), down.clone(), carried.clone()));
        Self { address, outside, down, carried }
    }

    /// Waits until neither side had anything to say for so long.
    pub(crate) async fn silence(&self, long: std::time::Duration) {
        while tokio::time::timeout(long, self.carried.notified()).await.is_ok() {}
    }

    /// From here on nothing gets through.
    pub(crate) fn cut(&self) {
        self.down.store(true, Ordering::SeqCst);
    }

    /// What the node said in the meantime stays unheard.
    pub(crate) fn mend(&self) {
        let mut lost = vec![0; 65_536];
        while self.outside.try_recv(&mut lost).is_ok() {}
        self.down.store(false, Ordering::SeqCst);
    }
}

async fn carry(inside: UdpSocket, outside: Arc<UdpSocket>, down: Arc<AtomicBool>, carried: Arc<Notify>) {
    let (mut there, mut back) = (vec![0; 65_536], vec![0; 65_536]);
    let mut client = None;
    loop {
        carried.notify_one();
        tokio::select! {
            Ok((length, from)) = inside.recv_from(&mut there) => {
                client = Some(from);
                if !down.load(Ordering::SeqCst) {
                    let _ = outside.send(&there[..length]).await;
                }
            }
            // While nobody is there, the system says so here.
            received = outside.recv(&mut back) => if let (Ok(length), Some(client)) = (received, client)
                && !down.load(Ordering::SeqCst)
            {
                let _ = inside.send_to(&back[..length], client).await;
            }
        }
    }
}

/// Takes one connection and does the handshake as this server would.
pub(crate) async fn serve_once(listener: &TcpListener, config: ServerConfig) {
    let (stream, _) = listener.accept().await.unwrap();
    if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
        swallow(&mut stream).await;
    }
}

/// Reads until the other side is done, whatever it says.
pub(crate) async fn swallow(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut nothing = Vec::new();
    let _ = stream.read_to_end(&mut nothing).await;
}
