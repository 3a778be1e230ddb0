//! Where records of processings go.

use std::path::PathBuf;

use hyper::Uri;
use serde::{Deserialize, Serialize};

/// The Logboek Dataverwerkingen of the organisation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processings {
    /// The register of processing activities: the address before the name and version of a purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
    /// The collector, which speaks OTLP over HTTP; without one nothing is exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adres: Option<String>,
    /// The certificate authorities by which it is known, PEM; without them those of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertrouwensankers: Option<PathBuf>,
    /// A file with headers for the collector, `Name: value` on each line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kopregels: Option<PathBuf>,
}

impl Processings {
    /// What the types leave open. In Dutch what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if let Some(register) = &self.register {
            let address = parsed(register).filter(|address| address.query().is_none());
            address.ok_or_else(|| {
                "`register` bij [dataverwerkingen] is geen adres; schrijf bijvoorbeeld https://register.rivierstad.test/verwerkingen".to_owned()
            })?;
        }
        let Some(address) = &self.adres else { return Ok(()) };
        let found = parsed(address).ok_or(
            "`adres` bij [dataverwerkingen] is geen adres; schrijf bijvoorbeeld https://logboek.rivierstad.test:4318",
        )?;
        // The standard wants TLS; on the machine itself there is nothing between the two.
        let here = ["127.0.0.1", "[::1]", "localhost"].contains(&found.host().unwrap_or_default());
        if found.scheme_str() == Some("https") || here {
            return Ok(());
        }
        Err("`adres` bij [dataverwerkingen] moet met https:// beginnen; http:// mag alleen naar deze machine zelf (127.0.0.1)".to_owned())
    }
}

fn parsed(address: &str) -> Option<Uri> {
    let found: Uri = address.parse().ok()?;
    let known = matches!(found.scheme_str(), Some("https" | "http")) && found.host().is_some();
    // A password in an address would end up where addresses are shown.
    let plain = !found.authority()?.as_str().contains('@');
    (known && plain).then_some(found)
}
