//! Who a certificate says its holder is.

use exchange::{digest::Digest, oin::Oin};
use rustls::pki_types::CertificateDer;
use x509_parser::{
    oid_registry::{OID_X509_ORGANIZATION_NAME, OID_X509_SERIALNUMBER},
    prelude::{FromDer, X509Certificate},
};

/// The longest `organizationName` that is taken, in characters. X.520 allows 64; some issuers are generous.
const NAME_LENGTH: usize = 256;

/// A partner, as its certificate names it (`gateway/PROTOCOL.md` §1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// `Subject.serialNumber`.
    pub oin: Oin,
    /// `Subject.organizationName`. For people; nothing is decided by it.
    pub name: String,
    /// The end of the certificate's validity, Unix seconds.
    pub not_after: i64,
    /// SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
}

/// Why a certificate names no organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// It cannot be read at all.
    #[error("the certificate is not readable X.509")]
    Unreadable,
    /// None, or more than one: then the certificate names nobody.
    #[error("the certificate's subject has {0} serialNumbers, not one")]
    SerialNumbers(usize),
    /// The serial number is something else.
    #[error("the certificate's Subject.serialNumber is not an OIN")]
    NotAnOin,
    /// No organisation name, or an unusable one.
    #[error("the certificate's subject has no usable organizationName")]
    NoName,
}

impl Peer {
    /// Reads who `certificate` is about. Verifies nothing: that was done before.
    pub fn from_certificate(certificate: &CertificateDer<'_>) -> Result<Self, PeerError> {
        let (_, x509) = X509Certificate::from_der(certificate).map_err(|_| PeerError::Unreadable)?;
        let subject = x509.subject();
        let numbers: Vec<_> = subject.iter_by_oid(&OID_X509_SERIALNUMBER).collect();
        let [number] = numbers.as_slice() else { return Err(PeerError::SerialNumbers(numbers.len())) };
        let oin = number.as_str().ok().and_then(|text| text.parse().ok()).ok_or(PeerError::NotAnOin)?;
        let name = subject
            .iter_by_oid(&OID_X509_ORGANIZATION_NAME)
            .next()
            .and_then(|name| name.as_str().ok())
            .filter(|name| is_usable(name))
            .ok_or(PeerError::NoName)?;
        Ok(Self {
            oin,
            name: name.to_owned(),
            not_after: x509.validity().not_after.timestamp(),
            fingerprint: Digest::of(certificate),
        })
    }
}

/// A name ends up on pages and terminals, so it holds no control characters.
fn is_usable(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_LENGTH && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
