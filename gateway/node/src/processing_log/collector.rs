//! The collector: OTLP over HTTP/1.1 to a Logboek of the organisation.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

use super::otlp;
use crate::{
    config,
    https::{Remote, RemoteError},
};

/// The largest answer, in bytes: it says little.
const MAX_ANSWER: usize = 64 * 1024;
/// The largest file with headers, in bytes.
const MAX_HEADERS: u64 = 16 * 1024;
/// The path of traces (OTLP/HTTP), when the address has none.
const TRACES: &str = "/v1/traces";

/// Where records go.
pub struct Collector {
    remote: Remote,
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
        let anchors = settings.vertrouwensankers.as_ref().map(|path| folder.join(path));
        let remote = Remote::new(address, anchors.as_deref())?;
        Ok(Some(Self { remote, headers: settings.kopregels.as_ref().map(|path| folder.join(path)) }))
    }

    /// Brings records; gives how many the collector says it did not take.
    pub(super) async fn send(&self, body: String) -> Result<u64, CollectorError> {
        let request = self.request(body)?;
        match self.remote.ask(request, MAX_ANSWER).await {
            Ok((200, answer)) => Ok(otlp::rejected(&answer)),
            Ok((status, _)) => Err(CollectorError::Status(status)),
            Err(RemoteError::Unreachable | RemoteError::NotAllowed) => Err(CollectorError::Unreachable),
            Err(RemoteError::Tls) => Err(CollectorError::Tls),
            Err(RemoteError::Protocol) => Err(CollectorError::Protocol),
            Err(RemoteError::Late) => Err(CollectorError::Late),
        }
    }

    fn request(&self, body: String) -> Result<Request<Full<Bytes>>, CollectorError> {
        let path = self.remote.path().unwrap_or(TRACES);
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/json");
        // Read each time, so that a new token needs no restart.
        for (name, value) in self.headers.as_deref().map_or_else(|| Ok(Vec::new()), headers)? {
            request = request.header(name, value);
        }
        request.body(Full::new(Bytes::from(body))).map_err(|_| CollectorError::Protocol)
    }
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
