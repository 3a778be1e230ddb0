//! Telling one system of one event.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use exchange::oin::Oin;
use http_body_util::Full;
use hyper::{Request, body::Bytes, header::CONTENT_TYPE};
use jiff::Timestamp;
use store::{Event, EventKind};
use transport::Identity;

use super::signing::{NoSecret, Secrets};
use crate::{
    config, events,
    https::{Reach, Remote, RemoteError},
};

/// The media type of an event (CloudEvents, JSON).
const MEDIA_TYPE: &str = "application/cloudevents+json";

/// A system that is told.
pub struct Hook {
    /// What it is called.
    pub name: String,
    /// Of what it is told.
    pub kinds: Vec<EventKind>,
    /// How often an event is tried before it is put aside.
    pub attempts: u32,
    remote: Remote,
    secret: PathBuf,
}

/// How telling ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It was taken.
    Taken,
    /// It was not.
    NotTaken(Failure),
    /// And nothing more will be.
    Gone(Failure),
}

impl Told {
    /// Whether the next can be told at once.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Taken)
    }
}

/// Why an event was not taken, for people. Without anything that the system said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Secret(#[from] NoSecret),
    #[error("het systeem is niet te bereiken; controleer `adres` en of het draait")]
    Unreachable,
    #[error(
        "de naam in `adres` leidt naar een adres dat niet mag: van deze machine, een intern netwerk of iets dat nooit mag. Is het systeem intern, zet dan `intern = true`; zonder https kan alleen deze machine zelf"
    )]
    NotAllowed,
    #[error(
        "de beveiligde verbinding komt niet tot stand; controleer het certificaat van het systeem en `vertrouwensankers`"
    )]
    Tls,
    #[error("het systeem antwoordt niet zoals HTTP dat wil; controleer `adres`")]
    Protocol,
    #[error("het systeem antwoordt niet op tijd; laat het eerst antwoorden en daarna pas werken")]
    Late,
    #[error(
        "het systeem verwijst naar een ander adres (status {0}), en verwijzingen worden niet gevolgd; zet het juiste adres bij `adres`"
    )]
    Redirected(u16),
    #[error(
        "het systeem zegt dat het niets meer wil horen (status 410); haal de webhook weg uit schakel.toml, of ga verder met `schakel webhooks hervat`"
    )]
    Gone,
    #[error("het systeem neemt het niet aan (status {0}); kijk in het logboek van dat systeem")]
    Status(u16),
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Unreachable => Self::Unreachable,
            RemoteError::NotAllowed => Self::NotAllowed,
            RemoteError::Tls => Self::Tls,
            RemoteError::Protocol => Self::Protocol,
            RemoteError::Late => Self::Late,
        }
    }
}

impl Hook {
    /// As the operator set it. In Dutch what is wrong.
    pub fn new(folder: &Path, settings: &config::Webhook) -> anyhow::Result<Self> {
        let at = |path: &PathBuf| folder.join(path);
        let secret = at(&settings.geheim);
        Secrets::read(&secret)?;
        let identity = match (&settings.certificaat, &settings.sleutel) {
            (Some(certificate), Some(key)) => {
                let identity = Identity::from_pem_files(at(certificate), at(key));
                Some(identity.context("`certificaat` en `sleutel` zijn niet te gebruiken")?)
            }
            _ => None,
        };
        let reach = if settings.intern { Reach::Internal } else { Reach::Public };
        let anchors = settings.vertrouwensankers.as_ref().map(at);
        let remote = Remote::within(reach, &settings.adres, anchors.as_deref(), identity)
            .context("`adres` of `vertrouwensankers` is niet te gebruiken")?;
        let (name, kinds, attempts) = (settings.naam.clone(), settings.kinds(), settings.pogingen);
        Ok(Self { name, kinds, attempts, remote, secret })
    }

    /// Tells it of one event.
    pub(super) async fn tell(&self, me: Oin, event: &Event, now: Timestamp) -> Told {
        match self.deliver(me, event, now).await {
            Ok(200..=299) => Told::Taken,
            Ok(410) => Told::Gone(Failure::Gone),
            Ok(status @ 300..=399) => Told::NotTaken(Failure::Redirected(status)),
            Ok(status) => Told::NotTaken(Failure::Status(status)),
            Err(failure) => Told::NotTaken(failure),
        }
    }

    async fn deliver(&self, me: Oin, event: &Event, now: Timestamp) -> Result<u16, Failure> {
        let (id, second) = (event.number.to_string(), now.as_second());
        let body = events::cloud_event(me, event).to_string();
        // Read each time, so that another secret needs no restart.
        let signature = Secrets::read(&self.secret)?.sign(&id, second, body.as_bytes());
        let request = Request::post(self.remote.path().unwrap_or("/"))
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header("webhook-id", id)
            .header("webhook-timestamp", second)
            .header("webhook-signature", signature)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| Failure::Protocol)?;
        Ok(self.remote.tell(request).await?)
    }
}
