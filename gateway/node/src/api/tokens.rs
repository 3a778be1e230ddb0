//! Bearer tokens (RFC 6750): JWTs of one issuer, for this API, signed with one of its public keys.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use exchange::clock::Clock;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::{Role, authentication::Client, jwks::Keys};
use crate::config;

/// The longest token, in bytes.
const MAX_TOKEN: usize = 8 << 10;
/// How much the clocks of the issuer and of this machine may differ, in seconds.
const LEEWAY: f64 = 30.0;
/// The algorithms that are taken: of public keys, and none that is weaker. HMAC is not among them, so that a public key is
/// never taken for a secret.
pub(super) const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256, Algorithm::EdDSA];

/// What tokens are held against.
pub(super) struct Tokens {
    issuer: String,
    audience: String,
    claim: String,
    keys: Keys,
    clock: Arc<dyn Clock>,
}

/// Why a token, or its absence, lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is not one for this API, now.
    Invalid,
    /// No key of the issuer is known.
    NoKeys,
}

impl Tokens {
    /// As the operator set them. In Dutch what is wrong.
    pub(super) fn new(
        folder: &Path,
        settings: &config::Tokens,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            issuer: settings.uitgever.clone(),
            audience: settings.afnemer.clone(),
            claim: settings.rolclaim.clone(),
            keys: Keys::new(folder, settings)?,
            clock,
        })
    }

    /// Reads the keys again when it is time.
    pub(super) async fn keep_keys(&self) {
        self.keys.keep(self.clock.now()).await;
    }

    /// Whom a token is of.
    pub(super) async fn client(&self, token: &str) -> Result<Client, Refused> {
        let claims = self.verified(token).await?;
        self.check(&claims).ok_or(Refused::Invalid)?;
        self.client_of(&claims).ok_or(Refused::Invalid)
    }

    /// What a token says, once its signature is known to be of the issuer.
    async fn verified(&self, token: &str) -> Result<Map<String, Value>, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::Invalid);
        }
        // Whoever names no known algorithm is not read any further: `none` is no algorithm here.
        let header = decode_header(token).map_err(|_| Refused::Invalid)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Refused::Invalid);
        }
        let keys = self.keys.fitting(header.kid.as_deref(), header.alg, self.clock.now()).await?;
        let validation = validation(header.alg);
        let claims = keys.iter().find_map(|key| {
            let read = decode::<Map<String, Value>>(token, key, &validation);
            read.inspect_err(
                |error| tracing::debug!(kind = ?error.kind(), "a token is not signed with this key"),
            )
            .ok()
        });
        claims.map(|read| read.claims).ok_or(Refused::Invalid)
    }

    /// By this issuer, for us, and now.
    fn check(&self, claims: &Map<String, Value>) -> Option<()> {
        #[expect(clippy::cast_precision_loss, reason = "seconds fit for millions of years")]
        let now = self.clock.now().as_second() as f64;
        let number = |name: &str| claims.get(name).map(|value| value.as_f64().filter(|at| at.is_finite()));
        let expires = number("exp")??;
        let begins = number("nbf").map_or(Some(f64::MIN), |at| at)?;
        let audience = match claims.get("aud")? {
            Value::String(one) => *one == self.audience,
            Value::Array(several) => several.iter().any(|one| one.as_str() == Some(self.audience.as_str())),
            _ => false,
        };
        let issuer = claims.get("iss")?.as_str()? == self.issuer;
        (issuer && audience && now < expires + LEEWAY && now >= begins - LEEWAY).then_some(())
    }

    /// The system that the token was given to, and the person for whom, if there is one.
    fn client_of(&self, claims: &Map<String, Value>) -> Option<Client> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub");
        let name = text("azp").or_else(|| text("client_id")).or(subject)?.to_owned();
        let person = subject.filter(|subject| *subject != name && text("client_id") != Some(*subject));
        // What the access log cannot hold may ask nothing.
        store::Actor::person(&name, person).ok()?;
        let roles = self.roles(claims);
        #[expect(clippy::cast_possible_truncation, reason = "as far as a clock goes")]
        let until = claims.get("exp").and_then(Value::as_f64).map(|at| at as i64);
        Some(Client { until, key: format!("token:{name}"), person: person.map(str::to_owned), name, roles })
    }

    /// A list of names, or names in a text with spaces between them. Those of other programs are passed over.
    fn roles(&self, claims: &Map<String, Value>) -> BTreeSet<Role> {
        let found = match self.claim.strip_prefix('/') {
            None => claims.get(&self.claim).cloned(),
            Some(_) => Value::Object(claims.clone()).pointer(&self.claim).cloned(),
        };
        match found {
            Some(Value::String(names)) => names.split(' ').filter_map(|name| name.parse().ok()).collect(),
            Some(Value::Array(names)) => {
                names.iter().filter_map(|name| name.as_str()?.parse().ok()).collect()
            }
            _ => BTreeSet::new(),
        }
    }
}

/// The signature alone: the rest is held against the clock that is given to us.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
mod tests;
