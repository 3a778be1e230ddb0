//! Who asks: a client certificate or a bearer token, and nothing else.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, header};
use exchange::digest::Digest;
use transport::Holder;

use super::{Api, Role, problem::Problem, rates, tokens::Refused};
use crate::config;

/// A system of the organisation that may ask something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    /// What it is called in the access log.
    pub(super) name: String,
    /// Who handed something over, and who asks how often: names of certificates and of tokens are two worlds.
    pub(super) key: String,
    /// What it may do.
    pub(super) roles: BTreeSet<Role>,
    /// The person for whom it asks, when the token says so.
    pub(super) person: Option<String>,
    /// Until when a token lets it in, in seconds since 1970.
    pub(super) until: Option<i64>,
}

impl Client {
    /// Whether it may do what one of these roles may.
    pub(super) fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// The clients that show a certificate.
#[derive(Debug, Default)]
pub(super) struct Clients(Vec<Known>);

#[derive(Debug)]
struct Known {
    by: By,
    client: Arc<Client>,
}

#[derive(Debug)]
enum By {
    Fingerprint(Digest),
    Subject(String),
}

impl Clients {
    /// Those of the configuration, which was checked.
    pub(super) fn new(settings: &[config::Client]) -> Self {
        let known = |one: &config::Client| {
            let by = match (one.fingerprint(), &one.onderwerp) {
                (Some(fingerprint), _) => By::Fingerprint(fingerprint),
                (None, Some(subject)) => By::Subject(subject.clone()),
                (None, None) => return None,
            };
            let client = Client {
                name: one.naam.clone(),
                key: format!("certificaat:{}", one.naam),
                roles: one.rollen.clone(),
                person: None,
                until: None,
            };
            Some(Known { by, client: Arc::new(client) })
        };
        Self(settings.iter().filter_map(known).collect())
    }

    /// Whose certificate this is. By subject only when it is trusted.
    fn holding(&self, holder: &Holder, is_trusted: impl Fn() -> bool) -> Option<Arc<Client>> {
        let found = self.0.iter().find(|known| match &known.by {
            By::Fingerprint(fingerprint) => *fingerprint == holder.fingerprint,
            By::Subject(subject) => holder.subject.as_ref() == Some(subject) && is_trusted(),
        });
        found.map(|known| known.client.clone())
    }
}

/// Where requests come from.
#[derive(Debug)]
pub(super) struct Connection {
    /// From which address.
    pub(super) address: IpAddr,
    certificate: Option<(Holder, Arc<Client>)>,
}

impl Connection {
    /// A connection on which this chain was shown, if any.
    pub(super) fn new(api: &Api, address: IpAddr, chain: &[transport::CertificateDer<'_>]) -> Self {
        let certificate = chain.first().and_then(Holder::read).and_then(|holder| {
            let client = api.clients.holding(&holder, || api.tls.is_trusted(chain))?;
            Some((holder, client))
        });
        Self { address, certificate }
    }

    /// The holder of the certificate, while that is valid.
    fn holder(&self, now: i64) -> Option<Arc<Client>> {
        let (holder, client) = self.certificate.as_ref()?;
        (holder.not_before..=holder.not_after).contains(&now).then(|| client.clone())
    }
}

/// Who asks. Whoever sends a token is who that says, also when it shows a certificate.
pub(super) async fn client(
    api: &Api,
    connection: &Connection,
    headers: &HeaderMap,
) -> Result<Arc<Client>, Problem> {
    let now = api.node.core.now();
    let mut given = headers.get_all(header::AUTHORIZATION).into_iter();
    let known = match (given.next(), given.next()) {
        (None, _) => connection.holder(now.as_second()).ok_or(Refused::Invalid),
        (Some(value), None) => by_token(api, value.to_str().unwrap_or_default()).await,
        (Some(_), Some(_)) => Err(Refused::Invalid),
    };
    match known {
        Ok(client) => Ok(client),
        Err(refused) => {
            let address = format!("adres:{}", connection.address);
            api.rates.take(&address, now, rates::STRANGER).map_err(Problem::too_many)?;
            Err(match refused {
                Refused::Invalid => Problem::unknown_client(),
                Refused::NoKeys => Problem::unavailable(NO_KEYS_RETRY),
            })
        }
    }
}

/// How long to wait for keys of the issuer that could not be fetched, in seconds.
const NO_KEYS_RETRY: u64 = 60;

async fn by_token(api: &Api, value: &str) -> Result<Arc<Client>, Refused> {
    let tokens = api.tokens.as_ref().ok_or(Refused::Invalid)?;
    let (scheme, token) = value.split_once(' ').ok_or(Refused::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refused::Invalid);
    }
    tokens.client(token.trim()).await.map(Arc::new)
}
