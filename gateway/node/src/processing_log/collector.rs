//! The collector: OTLP over HTTP/1.1 to a Logboek of the organisation.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue},
    http::uri::PathAndQuery,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use transport::Trust;

use super::otlp;
use crate::config;

/// From looking up its name to the end of its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer, in bytes: it says little.
const MAX_ANSWER: usize = 64 * 1024;
/// The largest file with headers, in bytes.
const MAX_HEADERS: u64 = 16 * 1024;
/// The path of traces (OTLP/HTTP), when the address has none.
const TRACES: &str = "/v1/traces";

/// Where records go.
pub struct Collector {
    address: Uri,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    headers: Option<PathBuf>,
}

/// Why the collector did not take records; for whoever looks at `schakel dataverwerkingen`. Without anything it said.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// It cannot be reached.
    #[error("het logboek is niet te bereiken; controleer het adres en of het draait")]
    Unreachable,
    /// Its certificate is not trusted, or it does not speak TLS.
    #[error(
        "de beveiligde verbinding komt niet tot stand; controleer het certificaat en `vertrouwensankers`"
    )]
    Tls,
    /// It did not answer as a collector does.
    #[error("het logboek antwoordt niet zoals OTLP over HTTP dat wil; controleer het adres")]
    Protocol,
    /// It said no.
    #[error("het logboek antwoordt met status {0}; controleer het adres, de kopregels en het logboek zelf")]
    Status(u16),
    /// It took too long.
    #[error("het logboek antwoordt niet op tijd")]
    Late,
    /// The headers cannot be read.
    #[error("het bestand met kopregels is niet te lezen; zet op elke regel `Naam: waarde`")]
    Headers,
}

impl Collector {
    /// The collector that the operator set, if any. In Dutch what is wrong with it.
    pub fn of(folder: &Path, settings: &config::Processings) -> anyhow::Result<Option<Self>> {
        let Some(address) = &settings.adres else { return Ok(None) };
        let address: Uri = address.parse()?;
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let secure = address.scheme_str() == Some("https");
        let port = address.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure { Some(Arc::new(tls(folder, settings)?)) } else { None };
        let headers = settings.kopregels.as_ref().map(|path| folder.join(path));
        Ok(Some(Self { address, host, port, tls, headers }))
    }

    /// Brings records; gives how many the collector says it did not take.
    pub(super) async fn send(&self, body: String) -> Result<u64, CollectorError> {
        tokio::time::timeout(PATIENCE, self.deliver(body)).await.unwrap_or(Err(CollectorError::Late))
    }

    async fn deliver(&self, body: String) -> Result<u64, CollectorError> {
        let request = self.request(body)?;
        let target = (self.host.as_str(), self.port);
        let stream = TcpStream::connect(target).await.map_err(|_| CollectorError::Unreachable)?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|_| CollectorError::Tls)?;
                let connecting = TlsConnector::from(config.clone()).connect(name, stream);
                exchange(connecting.await.map_err(|_| CollectorError::Tls)?, request).await
            }
        }
    }

    fn request(&self, body: String) -> Result<Request<Full<Bytes>>, CollectorError> {
        let path = match self.address.path_and_query().map(PathAndQuery::as_str) {
            None | Some("" | "/") => TRACES,
            Some(path) => path,
        };
        let authority = self.address.authority().map_or_else(String::new, ToString::to_string);
        let mut request =
            Request::post(path).header(HOST, authority).header(CONTENT_TYPE, "application/json");
        // Read each time, so that a new token needs no restart.
        for (name, value) in self.headers.as_deref().map_or_else(|| Ok(Vec::new()), headers)? {
            request = request.header(name, value);
        }
        request.body(Full::new(Bytes::from(body))).map_err(|_| CollectorError::Protocol)
    }
}

fn tls(folder: &Path, settings: &config::Processings) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let anchors = match &settings.vertrouwensankers {
        Some(path) => Trust::from_files(&[folder.join(path)], &[])?.anchors,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(anchors);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Headers that the collector asks for, `Name: value` on each line.
fn headers(path: &Path) -> Result<Vec<(HeaderName, HeaderValue)>, CollectorError> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|_| CollectorError::Headers)?;
    file.take(MAX_HEADERS).read_to_string(&mut text).map_err(|_| CollectorError::Headers)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':')?;
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse().ok()?, value))
        })
        .collect::<Option<_>>()
        .ok_or(CollectorError::Headers)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<u64, CollectorError> {
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| CollectorError::Protocol)?;
    let driving = tokio::spawn(connection);
    let answered = async {
        let answer = sender.send_request(request).await.map_err(|_| CollectorError::Protocol)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(CollectorError::Status(status));
        }
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        Ok(otlp::rejected(&body.map_err(|_| CollectorError::Protocol)?.to_bytes()))
    };
    let answered = answered.await;
    driving.abort();
    answered
}
