//! TLS for systems of the organisation itself: a certificate of its own, and clients that may show one.
//!
//! Who a client is, is decided above: by its certificate as a whole, or by its subject under an authority. Here it is only
//! made sure that it has the key of the certificate that it shows.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use exchange::{clock::Clock, digest::Digest};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::{
        NoServerSessionStorage, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{ClockTime, provider, refused, unix_time};
use crate::{Identity, TlsError, Trust};

/// The longest subject that is taken, in bytes.
const MAX_SUBJECT: usize = 1024;

/// What local systems connect to. A handle: clones share the same content.
#[derive(Clone)]
pub struct LocalTls(Arc<Inner>);

struct Inner {
    current: ArcSwap<Material>,
    clock: Arc<dyn Clock>,
}

struct Material {
    server: Arc<ServerConfig>,
    /// Checks chains, when there are authorities.
    chains: Option<Arc<dyn ClientCertVerifier>>,
    not_after: i64,
}

impl LocalTls {
    /// Serves under this identity. Certificates of clients can be under these authorities, if any.
    pub fn new(identity: Identity, trust: Option<&Trust>, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(Material::build(identity, trust, &clock)?);
        Ok(Self(Arc::new(Inner { current, clock })))
    }

    /// Replaces identity and authorities, for every handshake from now on. When they cannot be used, everything stays.
    pub fn reload(&self, identity: Identity, trust: Option<&Trust>) -> Result<(), TlsError> {
        self.0.current.store(Arc::new(Material::build(identity, trust, &self.0.clock)?));
        Ok(())
    }

    /// For one handshake.
    pub fn server(&self) -> Arc<ServerConfig> {
        self.0.current.load().server.clone()
    }

    /// The end of our own certificate's validity, Unix seconds.
    pub fn certificate_expiry(&self) -> i64 {
        self.0.current.load().not_after
    }

    /// Whether the certificate of a client is valid now under one of the authorities.
    pub fn is_trusted(&self, chain: &[CertificateDer<'_>]) -> bool {
        let current = self.0.current.load();
        let now = unix_time(self.0.clock.now().as_second());
        match (chain.split_first(), &current.chains) {
            (Some((own, intermediates)), Some(chains)) => {
                chains.verify_client_cert(own, intermediates, now).is_ok()
            }
            _ => false,
        }
    }
}

impl fmt::Debug for LocalTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalTls")
    }
}

impl Material {
    fn build(identity: Identity, trust: Option<&Trust>, clock: &Arc<dyn Clock>) -> Result<Self, TlsError> {
        let provider = Arc::new(provider());
        let leaf = identity.certificate_chain.first();
        let leaf = leaf.ok_or_else(|| TlsError::NoCertificate { what: "certificate_chain".into() })?;
        let not_after = Holder::read(leaf).map_or(i64::MIN, |holder| holder.not_after);
        let chains = trust.map(|trust| chains(trust, &provider)).transpose()?;
        let time: Arc<dyn TimeProvider> = Arc::new(ClockTime(clock.clone()));
        let mut server = ServerConfig::builder_with_details(provider.clone(), time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(refused)?
            .with_client_cert_verifier(Arc::new(HasTheKey(provider)))
            .with_single_cert(identity.certificate_chain, identity.key)
            .map_err(refused)?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // A resumed session would bring a client in under what was trusted before.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { server: Arc::new(server), chains, not_after })
    }
}

fn chains(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for anchor in &trust.anchors {
        roots.add(anchor.clone()).map_err(|_| TlsError::NoAnchors)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAnchors);
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(trust.crls.iter().cloned())
        .build()
        .map_err(|error| TlsError::Refused(error.to_string()))
}

/// A client may show a certificate, and then has its key.
#[derive(Debug)]
struct HasTheKey(Arc<CryptoProvider>);

impl ClientCertVerifier for HasTheKey {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Whether it is one that we know, and valid, is asked for each request.
        Holder::read(end_entity).ok_or(rustls::CertificateError::BadEncoding)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The holder of a certificate of a local system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
    /// Its subject, in the order of the certificate, as `CN=zaaksysteem, O=Gemeente Rivierstad`. What has a meaning in that
    /// is escaped with a backslash (RFC 4514 §2.4), so that two subjects are never written the same. None when it is no text.
    pub subject: Option<String>,
    /// From when it is valid, Unix seconds.
    pub not_before: i64,
    /// Until when, Unix seconds.
    pub not_after: i64,
}

impl Holder {
    /// Reads it. Verifies nothing.
    pub fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, x509) = X509Certificate::from_der(certificate).ok()?;
        Some(Self {
            fingerprint: Digest::of(certificate),
            subject: subject(&x509),
            not_before: x509.validity().not_before.timestamp(),
            not_after: x509.validity().not_after.timestamp(),
        })
    }
}

fn subject(x509: &X509Certificate<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for set in x509.subject().iter_rdn() {
        let mut pairs = Vec::new();
        for attribute in set.iter() {
            pairs.push(format!(
                "{}={}",
                name(&attribute.attr_type().to_id_string()),
                escaped(attribute.as_str().ok()?)?
            ));
        }
        parts.push(pairs.join("+"));
    }
    let subject = parts.join(", ");
    (!subject.is_empty() && subject.len() <= MAX_SUBJECT).then_some(subject)
}

/// The short names of RFC 4514 §3, and of the serial number that PKIoverheid uses.
fn name(identifier: &str) -> &str {
    match identifier {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        other => other,
    }
}

fn escaped(value: &str) -> Option<String> {
    if value.chars().any(char::is_control) {
        return None;
    }
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        if matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#') {
            text.push('\\');
        }
        text.push(letter);
    }
    Some(text)
}

#[cfg(test)]
mod tests;
