//! Asking another machine of the organisation over HTTP/1.1: its Logboek, who issues its tokens.

use std::{path::Path, sync::Arc, time::Duration};

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
use transport::Trust;

/// From looking up its name to the end of its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where to ask.
pub(crate) struct Remote {
    address: Uri,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

/// Why there is no answer. Without anything that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RemoteError {
    /// It cannot be reached.
    #[error("cannot connect")]
    Unreachable,
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
        let address: Uri = address.parse()?;
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let secure = address.scheme_str() == Some("https");
        let port = address.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure { Some(Arc::new(tls(anchors)?)) } else { None };
        Ok(Self { address, host, port, tls })
    }

    /// The path and query of its address, if there is more than `/`.
    pub(crate) fn path(&self) -> Option<&str> {
        let path = self.address.path_and_query()?.as_str();
        Some(path).filter(|path| !path.is_empty() && *path != "/")
    }

    /// Asks. Gives the status, and the body when that is 200, if it is no longer than `max` bytes.
    pub(crate) async fn ask(
        &self,
        mut request: Request<Full<Bytes>>,
        max: usize,
    ) -> Result<(u16, Bytes), RemoteError> {
        let authority = self.address.authority().map_or_else(String::new, ToString::to_string);
        let authority = HeaderValue::try_from(authority).map_err(|_| RemoteError::Protocol)?;
        request.headers_mut().insert(HOST, authority);
        let asked = tokio::time::timeout(PATIENCE, self.deliver(request, max));
        asked.await.unwrap_or(Err(RemoteError::Late))
    }

    async fn deliver(&self, request: Request<Full<Bytes>>, max: usize) -> Result<(u16, Bytes), RemoteError> {
        let target = (self.host.as_str(), self.port);
        let stream = TcpStream::connect(target).await.map_err(|_| RemoteError::Unreachable)?;
        match &self.tls {
            None => exchange(stream, request, max).await,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|_| RemoteError::Tls)?;
                let connecting = TlsConnector::from(config.clone()).connect(name, stream);
                exchange(connecting.await.map_err(|_| RemoteError::Tls)?, request, max).await
            }
        }
    }
}

fn tls(anchors: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let anchors = match anchors {
        Some(path) => Trust::from_files(&[path.to_owned()], &[])?.anchors,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(anchors);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
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
        if status != 200 {
            return Ok((status, Bytes::new()));
        }
        let body = Limited::new(answer.into_body(), max).collect().await;
        Ok((status, body.map_err(|_| RemoteError::Protocol)?.to_bytes()))
    };
    let answered = answered.await;
    driving.abort();
    answered
}
