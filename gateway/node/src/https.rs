//! Asking another machine of the organisation over HTTP/1.1: its Logboek, who issues its tokens, who is told of events.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use transport::{Identity, Trust};

mod reach;

pub(crate) use reach::Reach;

/// From looking up its name to the end of its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same, of whoever is only told something.
const TOLD_PATIENCE: Duration = Duration::from_secs(10);
/// From looking up its name to a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Where to ask.
pub(crate) struct Remote {
    address: Uri,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    reach: Reach,
}

/// Why there is no answer. Without anything that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RemoteError {
    /// It cannot be reached.
    #[error("cannot connect")]
    Unreachable,
    /// It has an address at which it may not be asked.
    #[error("an address that is not allowed")]
    NotAllowed,
    /// Its certificate is not trusted, or it does not speak TLS.
    #[error("no TLS connection")]
    Tls,
    /// It does not answer as HTTP does, or with too much.
    #[error("not an answer")]
    Protocol,
    /// It took too long.
    #[error("no answer in time")]
    Late,
}

impl Remote {
    /// The machine at this address, known by these authorities or by those of this machine.
    pub(crate) fn new(address: &str, anchors: Option<&Path>) -> anyhow::Result<Self> {
        Self::within(Reach::Anywhere, address, anchors, None)
    }

    /// The machine at this address, asked only at addresses within reach, and by which certificate.
    pub(crate) fn within(
        reach: Reach,
        address: &str,
        anchors: Option<&Path>,
        identity: Option<Identity>,
    ) -> anyhow::Result<Self> {
        let address: Uri = address.parse()?;
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let secure = address.scheme_str() == Some("https");
        let port = address.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure { Some(Arc::new(tls(anchors, identity)?)) } else { None };
        Ok(Self { address, host, port, tls, reach })
    }

    /// The path and query of its address, if there is more than `/`.
    pub(crate) fn path(&self) -> Option<&str> {
        let path = self.address.path_and_query()?.as_str();
        Some(path).filter(|path| !path.is_empty() && *path != "/")
    }

    /// Tells it something. Gives the status; whatever else it says is not read, and it leads nowhere else.
    pub(crate) async fn tell(&self, request: Request<Full<Bytes>>) -> Result<u16, RemoteError> {
        Ok(self.ask_within(TOLD_PATIENCE, request, 0).await?.0)
    }

    /// Asks. Gives the status, and the body when that is 200, if it is no longer than `max` bytes: not at all
    /// when that is 0.
    pub(crate) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        max: usize,
    ) -> Result<(u16, Bytes), RemoteError> {
        self.ask_within(PATIENCE, request, max).await
    }

    async fn ask_within(
        &self,
        patience: Duration,
        mut request: Request<Full<Bytes>>,
        max: usize,
    ) -> Result<(u16, Bytes), RemoteError> {
        let authority = self.address.authority().map_or_else(String::new, ToString::to_string);
        let authority = HeaderValue::try_from(authority).map_err(|_| RemoteError::Protocol)?;
        request.headers_mut().insert(HOST, authority);
        let asked = tokio::time::timeout(patience, self.deliver(request, max));
        asked.await.unwrap_or(Err(RemoteError::Late))
    }

    async fn deliver(&self, request: Request<Full<Bytes>>, max: usize) -> Result<(u16, Bytes), RemoteError> {
        let stream = tokio::time::timeout(CONNECT_TIME, self.connect()).await;
        let stream = stream.unwrap_or(Err(RemoteError::Late))?;
        match &self.tls {
            None => exchange(stream, request, max).await,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|_| RemoteError::Tls)?;
                let connecting = TlsConnector::from(config.clone()).connect(name, stream);
                exchange(connecting.await.map_err(|_| RemoteError::Tls)?, request, max).await
            }
        }
    }

    /// Connects to what its name was looked up to: once, so that what was checked is what is connected to.
    async fn connect(&self) -> Result<TcpStream, RemoteError> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<SocketAddr> =
            found.map_err(|_| RemoteError::Unreachable)?.take(MAX_ADDRESSES).collect();
        if !found.iter().all(|address| self.reach.allows(address.ip(), self.tls.is_some())) {
            return Err(RemoteError::NotAllowed);
        }
        TcpStream::connect(found.as_slice()).await.map_err(|_| RemoteError::Unreachable)
    }
}

fn tls(anchors: Option<&Path>, identity: Option<Identity>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let anchors = match anchors {
        Some(path) => Trust::from_files(&[path.to_owned()], &[])?.anchors,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(anchors);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(roots);
    Ok(match identity {
        Some(Identity { certificate_chain, key }) => builder.with_client_auth_cert(certificate_chain, key)?,
        None => builder.with_no_client_auth(),
    })
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    max: usize,
) -> Result<(u16, Bytes), RemoteError> {
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| RemoteError::Protocol)?;
    let driving = tokio::spawn(connection);
    let answered = async {
        let answer = sender.send_request(request).await.map_err(|_| RemoteError::Protocol)?;
        let status = answer.status().as_u16();
        if status != 200 || max == 0 {
            return Ok((status, Bytes::new()));
        }
        let body = Limited::new(answer.into_body(), max).collect().await;
        Ok((status, body.map_err(|_| RemoteError::Protocol)?.to_bytes()))
    };
    let answered = answered.await;
    driving.abort();
    answered
}
