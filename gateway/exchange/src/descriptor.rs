//! What a node says of itself (`GET /v1/knooppunt`): who it is, where to find it and which keys it uses.

use schemas::SchemaName;
use serde::{Deserialize, Serialize};

use crate::{
    desk::Desk,
    jws,
    oin::Oin,
    organisation::OrganisationKind,
    signature::{PublicKey, Signer},
    tlog::LogVerifier,
    valid,
};

/// A node descriptor. Travels as a JWS by one of its own keys: it binds what it says together, and the certificate of
/// the connection it came over (or the person who added it) says whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The organisation.
    pub oin: Oin,
    /// Its name.
    pub naam: String,
    /// Its kind.
    pub soort: OrganisationKind,
    /// Where its node listens.
    pub adressen: Addresses,
    /// The keys it signs with.
    pub sleutels: Vec<PublicKey>,
    /// The key of its log (C2SP vkey).
    pub logsleutel: String,
    /// The message types it accepts.
    pub berichttypen: Vec<String>,
    /// Its desks.
    #[serde(default)]
    pub loketten: Vec<Desk>,
    /// The protocol versions it speaks.
    pub protocolversies: Vec<String>,
}

/// Where a node listens, `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// HTTP/2 over TLS.
    pub tcp: String,
    /// QUIC, if it offers that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quic: Option<String>,
}

/// The text is not a descriptor.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// Not signed by one of its own keys.
    #[error(
        "dit is geen beschrijving van een knooppunt, of zij is niet met een eigen sleutel ondertekend. Vraag de partner om haar opnieuw te maken met `schakel partner beschrijving`"
    )]
    Signature,
    /// Not valid against `knooppunt.schema.json`.
    #[error(
        "de beschrijving van het knooppunt voldoet niet aan het schema: {0}. Vraag de partner om haar te herstellen"
    )]
    Schema(String),
    /// The log key is none, or belongs to another organisation.
    #[error(
        "de logsleutel in de beschrijving van het knooppunt is niet leesbaar of hoort bij een andere organisatie. Vraag de partner om haar te herstellen"
    )]
    LogKey,
}

impl Descriptor {
    /// The signed descriptor. What partners would not believe is an error here already.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, DescriptorError> {
        let json = serde_json::to_string(self).map_err(|error| DescriptorError::Schema(error.to_string()))?;
        let compact = jws::sign(jws::DESCRIPTOR, json.as_bytes(), signer);
        Self::verify(&compact)?;
        Ok(compact)
    }

    /// Reads a signed descriptor.
    pub fn verify(compact: &str) -> Result<Self, DescriptorError> {
        let jws = jws::Unverified::parse(jws::DESCRIPTOR, compact.trim())
            .map_err(|_| DescriptorError::Signature)?;
        let value = valid::json(jws.unverified_payload()).map_err(DescriptorError::Schema)?;
        let read: Self = valid::read(SchemaName::NodeDescriptor, &value).map_err(DescriptorError::Schema)?;
        let key =
            read.sleutels.iter().find(|key| key.kid() == jws.kid()).ok_or(DescriptorError::Signature)?;
        jws.verify(key).map_err(|_| DescriptorError::Signature)?;
        let log_key: LogVerifier = read.logsleutel.parse().map_err(|_| DescriptorError::LogKey)?;
        if log_key.origin() == read.oin.log_origin() { Ok(read) } else { Err(DescriptorError::LogKey) }
    }
}

#[cfg(test)]
mod tests;
