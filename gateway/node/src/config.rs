//! `schakel.toml`: what an operator sets. Unknown keys are refused, so that a typing error stops the start.

use std::{
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use exchange::{
    desk::{self, Desk},
    oin::Oin,
    organisation::OrganisationKind,
};
use serde::{Deserialize, Serialize};

mod api;
mod mistake;
mod places;
mod processings;
mod webhooks;

pub use api::{Api, Client, Tokens};
pub(crate) use mistake::explain;
pub use places::Places;
pub use processings::Processings;
pub use webhooks::Webhook;

/// The name of the configuration file in a node's folder.
pub const FILE: &str = "schakel.toml";
/// The longest name, in characters (`knooppunt.schema.json`).
const MAX_NAME: usize = 200;
/// The longest way to reach somebody, in characters (`convenant.schema.json`).
const MAX_CONTACT: usize = 254;

/// The longest that results of a connection stay, in days: they are copies of what the source still has.
const MAX_RESULT_DAYS: u16 = 366;

/// Everything an operator sets. Paths are relative to the folder of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this node is.
    pub organisatie: Organisation,
    /// Where it listens and how partners reach it.
    pub netwerk: Network,
    /// Certificates.
    #[serde(default)]
    pub tls: Tls,
    /// Where things are kept.
    #[serde(default)]
    pub opslag: Storage,
    /// The Logboek Dataverwerkingen of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataverwerkingen: Option<Processings>,
    /// The local API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    // Apart: most nodes have none, and what opens a node carries its configuration along.
    pub api: Option<Box<Api>>,
    /// Connections to local systems.
    // Written only when there are any: an empty list would clash with the `[[koppelingen]]` that an operator adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub koppelingen: Vec<Connection>,
    /// Desks where people work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loketten: Vec<Desk>,
}

/// The organisation whose node this is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its OIN, the same as in the certificate.
    pub oin: Oin,
    /// Its name.
    pub naam: String,
    /// Its kind.
    pub soort: OrganisationKind,
    /// Where partners ask about the exchange.
    pub contact: String,
    /// Where to reach the data protection officer.
    pub fg: String,
}

/// Where the node listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Address and port to listen on.
    pub luister: SocketAddr,
    /// Host and port by which partners reach this node; the host stands in the certificate.
    pub adres: String,
    /// Also offer QUIC, on the same port over UDP.
    #[serde(default)]
    pub quic: bool,
}

/// Certificates and trust.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The organisation's certificate chain, PEM.
    pub certificaat: PathBuf,
    /// Its private key, PEM.
    pub sleutel: PathBuf,
    /// The certificate authorities of the group, PEM.
    pub vertrouwensankers: PathBuf,
    /// Revocation lists, PEM.
    pub crls: Vec<PathBuf>,
    /// Also allow TLS 1.2, for partners whose equipment has no 1.3.
    pub tls12: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificaat: "tls/certificaat.pem".into(),
            sleutel: "tls/sleutel.pem".into(),
            vertrouwensankers: "tls/vertrouwensankers.pem".into(),
            crls: Vec::new(),
            tls12: false,
        }
    }
}

/// Where things are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The database.
    pub bestand: PathBuf,
    /// The folder with the keys for messages, log and storage.
    pub sleutels: PathBuf,
    /// The folder with the purpose register.
    pub doelen: PathBuf,
}

impl Default for Storage {
    fn default() -> Self {
        Self { bestand: "schakel.db".into(), sleutels: "sleutels".into(), doelen: "doelen".into() }
    }
}

/// A connection to a local system.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Its name, for `verstuur` and in messages to people.
    pub naam: String,
    /// The mapping file.
    pub mapping: PathBuf,
    /// The organisation that receives what comes in here.
    pub ontvanger: Oin,
    /// The folder that is watched while the node runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<PathBuf>,
    /// How many days what was taken in stays in `klaar/`; 0: it goes at once.
    #[serde(default = "klaar_dagen")]
    pub klaar_dagen: u16,
    /// How many days what a person must look at stays: `fout/`, and the rejects in `klaar/`.
    #[serde(default = "fout_dagen")]
    pub fout_dagen: u16,
}

const fn klaar_dagen() -> u16 {
    Connection::DONE_DAYS
}

const fn fout_dagen() -> u16 {
    Connection::FAILED_DAYS
}

/// The configuration cannot be used; says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no file.
    #[error(
        "er is geen {} (kijk met --map naar de map van een knooppunt, of maak er een met `schakel init`)",
        path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It is there, and cannot be read.
    #[error("{} is niet te lezen: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not parse or holds an unknown key.
    #[error("{}: {message}\nPas dit aan en start opnieuw. Alle sleutels staan uitgelegd in schakel.voorbeeld.toml, ernaast.", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong.
        message: String,
    },
}

/// The text of a file that an operator writes, if it is there.
pub(crate) fn text(path: &Path) -> Result<Option<String>, ConfigError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Unreadable { path: path.to_owned(), source }),
    };
    let text = String::from_utf8(bytes).map_err(|error| mistake::no_text(&error));
    text.map(Some).map_err(|message| ConfigError::Invalid { path: path.to_owned(), message })
}

impl Config {
    /// Reads the configuration of the node in `folder`.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let Some(text) = text(&path)? else { return Err(ConfigError::Missing { path }) };
        Self::parse(&text).map_err(|message| ConfigError::Invalid { path, message })
    }

    /// Reads a configuration from its text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| mistake::explain(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// What the types leave open, but every partner asks. In Dutch what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let Organisation { naam, contact, fg, .. } = &self.organisatie;
        for (key, value, limit) in
            [("naam", naam, MAX_NAME), ("contact", contact, MAX_CONTACT), ("fg", fg, MAX_CONTACT)]
        {
            let length = value.chars().count();
            if value.trim().is_empty() || length > limit || value.chars().any(char::is_control) {
                return Err(format!(
                    "`{key}` van de organisatie moet tekst zijn van 1 tot en met {limit} tekens"
                ));
            }
        }
        self.netwerk.host()?;
        self.dataverwerkingen.as_ref().map_or(Ok(()), Processings::check)?;
        self.api.as_ref().map_or(Ok(()), |api| api.check())?;
        desk::mistake(&self.loketten).map_or(Ok(()), Err)?;
        for (position, connection) in self.koppelingen.iter().enumerate() {
            let same = |other: &Connection| other.naam == connection.naam;
            if self.koppelingen[..position].iter().any(same) {
                return Err(format!("de koppeling `{}` staat er twee keer in", connection.naam));
            }
            connection.check_days()?;
        }
        Ok(())
    }
}

impl Connection {
    /// The usual number of days for what was taken in: long enough to find out that something went wrong.
    pub const DONE_DAYS: u16 = 7;
    /// And for what a person must look at: long enough to mend it after a holiday.
    pub const FAILED_DAYS: u16 = 30;

    /// A message about what went wrong that nobody can have read yet must not go.
    fn check_days(&self) -> Result<(), String> {
        for (key, days, least) in [("klaar_dagen", self.klaar_dagen, 0), ("fout_dagen", self.fout_dagen, 1)] {
            if !(least..=MAX_RESULT_DAYS).contains(&days) {
                return Err(format!(
                    "`{key}` van de koppeling `{}` moet een getal zijn van {least} tot en met {MAX_RESULT_DAYS}",
                    self.naam
                ));
            }
        }
        Ok(())
    }
}

impl Network {
    /// The host by which partners reach this node: what its certificate is for.
    pub fn host(&self) -> Result<&str, String> {
        let wrong = || {
            format!(
                "`{}` is geen adres; schrijf HOST:POORT, bijvoorbeeld schakel.rivierstad.test:8443",
                self.adres
            )
        };
        let (host, port) = self.adres.rsplit_once(':').ok_or_else(wrong)?;
        if port.parse::<u16>().unwrap_or(0) == 0 {
            return Err(wrong());
        }
        match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => Ok(address),
            None if is_host(host) => Ok(host),
            _ => Err(wrong()),
        }
    }
}

/// A host name (RFC 1123 §2.1) or an IPv4 address.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests;
