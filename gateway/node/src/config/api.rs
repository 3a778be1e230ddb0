//! The local API: where it listens and who may ask what.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use hyper::Uri;
use serde::{Deserialize, Serialize};

use super::webhooks::{MAX_WEBHOOKS, Webhook};
use crate::api::Role;

/// The most clients with a certificate.
const MAX_CLIENTS: usize = 256;
/// The longest name of a client, in characters: what the access log takes.
const MAX_NAME: usize = store::MAX_NAME_CHARS;

/// The local API for systems of the organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Address and port to listen on.
    pub luistert: SocketAddr,
    /// Its certificate chain, PEM.
    pub certificaat: PathBuf,
    /// Its private key, PEM.
    pub sleutel: PathBuf,
    /// The authorities under which clients are known by the subject of their certificate, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertrouwensankers: Option<PathBuf>,
    /// Bearer tokens (OAuth 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// Clients that show a certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clienten: Vec<Client>,
    /// Systems that are told of what happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
}

/// Who issues bearer tokens, and what must be in them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The issuer (`iss`).
    pub uitgever: String,
    /// For whom the token must be (`aud`).
    pub afnemer: String,
    /// Its keys (JWKS): a file, or an https address.
    pub sleutels: String,
    /// The authorities by which that address is known, PEM; without them those of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertrouwensankers: Option<PathBuf>,
    /// The claim with the roles: its name, or a JSON pointer to it.
    #[serde(default = "usual_claim")]
    pub rolclaim: String,
}

/// A system that shows a certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// What it is called here: in the access log, and as who handed something over.
    pub naam: String,
    /// SHA-256 of its certificate (DER), in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vingerafdruk: Option<String>,
    /// The subject of its certificate, under one of the authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onderwerp: Option<String>,
    /// What it may do.
    pub rollen: BTreeSet<Role>,
}

fn usual_claim() -> String {
    "rollen".to_owned()
}

impl Api {
    /// What the types leave open. In Dutch what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.clienten.is_empty() && self.tokens.is_none() {
            return Err("[api] laat zo niemand toe. Voeg [[api.clienten]] toe voor systemen met een certificaat, of [api.tokens] voor bearer-tokens".to_owned());
        }
        if self.clienten.len() > MAX_CLIENTS {
            return Err(format!("er staan meer dan {MAX_CLIENTS} clienten bij [api]; voeg er samen"));
        }
        for (position, client) in self.clienten.iter().enumerate() {
            client.check(self.vertrouwensankers.is_some())?;
            if self.clienten[..position].iter().any(|other| other.is_known_by_the_same(client)) {
                return Err(format!(
                    "twee clienten bij [api] hebben hetzelfde certificaat; haal er een weg (`{}`)",
                    client.naam
                ));
            }
        }
        if self.webhooks.len() > MAX_WEBHOOKS {
            return Err(format!("er staan meer dan {MAX_WEBHOOKS} webhooks bij [api]; voeg er samen"));
        }
        for (position, hook) in self.webhooks.iter().enumerate() {
            hook.check()?;
            if self.webhooks[..position].iter().any(|other| other.naam == hook.naam) {
                return Err(format!("de webhook `{}` staat er twee keer in", hook.naam));
            }
        }
        self.tokens.as_ref().map_or(Ok(()), Tokens::check)
    }
}

impl Client {
    fn check(&self, has_anchors: bool) -> Result<(), String> {
        let Self { naam, vingerafdruk, onderwerp, rollen } = self;
        let length = naam.trim().chars().count();
        if !(1..=MAX_NAME).contains(&length) || naam.chars().any(char::is_control) {
            return Err(format!(
                "`naam` bij [[api.clienten]] moet tekst zijn van 1 tot en met {MAX_NAME} tekens"
            ));
        }
        if rollen.is_empty() {
            return Err(format!(
                "de client `{naam}` heeft geen rollen; kies uit bronsysteem, medewerker, privacy, beheer"
            ));
        }
        match (vingerafdruk, onderwerp) {
            (Some(_), None) if self.fingerprint().is_none() => Err(format!(
                "`vingerafdruk` van de client `{naam}` is geen SHA-256; dat zijn 64 hexadecimale cijfers, zoals `openssl x509 -noout -fingerprint -sha256 -in certificaat.pem` ze geeft"
            )),
            (None, Some(subject)) if !has_anchors => Err(format!(
                "de client `{naam}` is bekend op `onderwerp` ({subject}); zet bij [api] met `vertrouwensankers` welke autoriteit dat certificaat geeft"
            )),
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err(format!(
                "geef bij de client `{naam}` een van `vingerafdruk` en `onderwerp`, niet allebei"
            )),
        }
    }

    /// The digest that its certificate must have.
    pub fn fingerprint(&self) -> Option<exchange::digest::Digest> {
        let text = self.vingerafdruk.as_deref()?.to_ascii_lowercase().replace(':', "");
        let hexadecimal = text.strip_prefix("sha256").unwrap_or(&text);
        format!("sha256:{hexadecimal}").parse().ok()
    }

    fn is_known_by_the_same(&self, other: &Self) -> bool {
        let same_subject = self.onderwerp.is_some() && self.onderwerp == other.onderwerp;
        same_subject || (self.vingerafdruk.is_some() && self.fingerprint() == other.fingerprint())
    }
}

impl Tokens {
    fn check(&self) -> Result<(), String> {
        for (key, value) in
            [("uitgever", &self.uitgever), ("afnemer", &self.afnemer), ("rolclaim", &self.rolclaim)]
        {
            if value.trim().is_empty() {
                return Err(format!("`{key}` bij [api.tokens] is leeg"));
            }
        }
        if !self.sleutels.contains("://") {
            return Ok(());
        }
        let address = self.sleutels.parse::<Uri>().ok().filter(|address| {
            let plain = address.authority().is_some_and(|authority| !authority.as_str().contains('@'));
            address.scheme_str() == Some("https") && plain
        });
        address.map(drop).ok_or_else(|| {
            "`sleutels` bij [api.tokens] moet een bestand zijn of een adres dat met https:// begint, zoals https://inloggen.rivierstad.test/jwks".to_owned()
        })
    }

    /// The address of its keys, when those do not stand in a file.
    pub fn address(&self) -> Option<&str> {
        Some(self.sleutels.as_str()).filter(|keys| keys.contains("://"))
    }
}
