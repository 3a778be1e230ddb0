//! Systems of the organisation that are told of what happens.

use std::{collections::BTreeSet, path::PathBuf};

use hyper::Uri;
use serde::{Deserialize, Serialize};
use store::EventKind;

/// The most of them.
pub(super) const MAX_WEBHOOKS: usize = 16;
/// The longest name, in bytes.
const MAX_NAME: usize = 64;
/// How often an event is tried when nothing else is said: for about an hour.
const USUAL_ATTEMPTS: u32 = 20;
/// The most that it may be tried: for about a week.
const MAX_ATTEMPTS: u32 = 2000;

/// A system that is told of what happens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// What it is called here.
    pub naam: String,
    /// Where it is told.
    pub adres: String,
    /// The file with the secret by which it knows that this node tells it.
    pub geheim: PathBuf,
    /// Of what it is told; of everything without this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gebeurtenissen: Option<BTreeSet<String>>,
    /// Whether its address may be on this machine or in a private network.
    #[serde(default)]
    pub intern: bool,
    /// How often an event is tried before it is put aside.
    #[serde(default = "usual_attempts")]
    pub pogingen: u32,
    /// The authorities by which it is known, PEM; without them those of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertrouwensankers: Option<PathBuf>,
    /// The certificate that this node shows it, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificaat: Option<PathBuf>,
    /// The key of that certificate, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleutel: Option<PathBuf>,
}

const fn usual_attempts() -> u32 {
    USUAL_ATTEMPTS
}

impl Webhook {
    /// Of what it is told.
    pub fn kinds(&self) -> Vec<EventKind> {
        let is_wanted =
            |kind: &EventKind| self.gebeurtenissen.as_ref().is_none_or(|names| names.contains(kind.as_str()));
        EventKind::ALL.into_iter().filter(is_wanted).collect()
    }

    /// What the types leave open. In Dutch what is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { naam, adres, gebeurtenissen, intern, pogingen, certificaat, sleutel, .. } = self;
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=MAX_NAME).contains(&naam.len()) || !naam.bytes().all(is_name) {
            return Err(format!(
                "`naam` bij [[api.webhooks]] is 1 tot en met {MAX_NAME} kleine letters, cijfers en streepjes"
            ));
        }
        let address = adres.parse::<Uri>().ok();
        let plain = address.as_ref().and_then(Uri::authority).is_some_and(|one| !one.as_str().contains('@'));
        let scheme = address.as_ref().and_then(Uri::scheme_str);
        if !plain || !(scheme == Some("https") || (*intern && scheme == Some("http"))) {
            return Err(format!(
                "`adres` van de webhook `{naam}` moet met https:// beginnen; http:// kan alleen naar deze machine zelf, met `intern = true`"
            ));
        }
        let known: Vec<&str> = EventKind::ALL.into_iter().map(EventKind::as_str).collect();
        let unknown = gebeurtenissen.iter().flatten().any(|name| !known.contains(&name.as_str()));
        if unknown || gebeurtenissen.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(format!(
                "kies bij `gebeurtenissen` van de webhook `{naam}` uit: {}",
                known.join(", ")
            ));
        }
        if !(1..=MAX_ATTEMPTS).contains(pogingen) {
            return Err(format!(
                "`pogingen` van de webhook `{naam}` is een getal van 1 tot en met {MAX_ATTEMPTS}"
            ));
        }
        if certificaat.is_some() != sleutel.is_some() {
            return Err(format!(
                "geef bij de webhook `{naam}` `certificaat` en `sleutel` samen, of geen van beide"
            ));
        }
        Ok(())
    }
}
