//! What a node proves itself with, and whom it believes.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject as _};

use crate::TlsError;

/// A chain of a few certificates takes some kilobytes; a bundle of anchors some hundred.
const CERTIFICATE_FILE: u64 = 4 << 20;
/// The lists of large issuers take some megabytes.
const REVOCATION_FILE: u64 = 64 << 20;

/// A node's certificate and its key.
#[derive(Debug)]
pub struct Identity {
    /// Our own certificate first, then the intermediates towards the anchor.
    pub certificate_chain: Vec<CertificateDer<'static>>,
    /// The key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads a certificate chain and a key from PEM files.
    pub fn from_pem_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        Self::read(
            &read(certificate, CERTIFICATE_FILE)?,
            &read(key, CERTIFICATE_FILE)?,
            &certificate.display().to_string(),
            &key.display().to_string(),
        )
    }

    /// Reads a certificate chain and a key from PEM.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::read(certificate, key, "certificate", "key")
    }

    fn read(
        certificate: &[u8],
        key: &[u8],
        certificate_name: &str,
        key_name: &str,
    ) -> Result<Self, TlsError> {
        let certificate_chain = certificates(certificate, certificate_name)?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey { what: key_name.to_owned() })?;
        Ok(Self { certificate_chain, key })
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { certificate_chain: self.certificate_chain.clone(), key: self.key.clone_key() }
    }
}

/// Whose certificates are believed: the trust anchors of the group and what was revoked under them.
///
/// Without any list revocation is not checked. With lists, every issuer in a chain must have one: a forgotten
/// list must not make a revoked certificate good. A list past its `nextUpdate` still counts, since refusing
/// everybody when a download failed would be worse; [`Tls::revocation_update_due`](crate::Tls::revocation_update_due)
/// tells when to worry.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Certificates that chains must end at.
    pub anchors: Vec<CertificateDer<'static>>,
    /// Revocation lists (RFC 5280 §5).
    pub crls: Vec<CertificateRevocationListDer<'static>>,
}

impl Trust {
    /// Reads anchors and revocation lists from files, PEM or DER, any number of each per PEM file.
    pub fn from_files(anchors: &[PathBuf], crls: &[PathBuf]) -> Result<Self, TlsError> {
        let mut trust = Self::default();
        for path in anchors {
            let content = read(path, CERTIFICATE_FILE)?;
            trust.anchors.extend(certificates(&content, &path.display().to_string())?);
        }
        for path in crls {
            let content = read(path, REVOCATION_FILE)?;
            trust.crls.extend(revocation_lists(&content, &path.display().to_string())?);
        }
        Ok(trust)
    }

    /// Reads anchors and revocation lists from PEM. `crls` may be empty.
    pub fn from_pem(anchors: &[u8], crls: &[u8]) -> Result<Self, TlsError> {
        let crls = if crls.is_empty() { Vec::new() } else { revocation_lists(crls, "revocation lists")? };
        Ok(Self { anchors: certificates(anchors, "trust anchors")?, crls })
    }
}

fn certificates(content: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let none = || TlsError::NoCertificate { what: what.to_owned() };
    if is_der(content) {
        return Ok(vec![CertificateDer::from(content.to_vec())]);
    }
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(content).collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

fn revocation_lists(
    content: &[u8],
    what: &str,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let none = || TlsError::NoRevocationList { what: what.to_owned() };
    if is_der(content) {
        return Ok(vec![CertificateRevocationListDer::from(content.to_vec())]);
    }
    let found: Vec<_> = CertificateRevocationListDer::pem_slice_iter(content)
        .collect::<Result<_, _>>()
        .map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

/// DER of a certificate or list is a SEQUENCE longer than 127 bytes; PEM is text.
fn is_der(content: &[u8]) -> bool {
    matches!(content, [0x30, length, ..] if *length >= 0x80)
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > limit {
        return Err(TlsError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(content)
}
