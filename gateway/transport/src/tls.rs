//! Certificates, keys and trust, for both sides of both carriers, replaceable while the node runs.

use std::{fmt, sync::Arc, time::Duration};

use ::aws_lc_rs::hmac;
use arc_swap::ArcSwap;
use exchange::{clock::Clock, oin::Oin};
use quinn::crypto::rustls::QuicServerConfig;
use rustls::{
    RootCertStore, SupportedProtocolVersion,
    client::{Resumption, WebPkiServerVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, UnixTime},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use tokio::sync::watch;
use x509_parser::{prelude::FromDer as _, revocation_list::CertificateRevocationList};

use crate::{Identity, Peer, TlsError, Trust};

pub(crate) mod local;
pub(crate) mod verdict;
mod verify;

use verdict::Verdict;
use verify::{ClientVerifier, ServerVerifier};

/// ALPN of HTTP/2 over TLS (RFC 9113 §3.2).
pub(crate) const ALPN_TCP: &[u8] = b"h2";
/// ALPN of the QUIC carrier (`gateway/PROTOCOL.md` §8).
pub(crate) const ALPN_QUIC: &[u8] = b"schakel/1";

/// Choices a group makes about TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Also speak TLS 1.2, over TCP. QUIC is 1.3 always.
    pub tls12: bool,
}

/// What both sides of both carriers authenticate with. A handle: clones share the same content.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    current: ArcSwap<Material>,
    generation: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    options: TlsOptions,
}

/// One consistent set, replaced as a whole.
pub(crate) struct Material {
    /// Counts reloads, so that connections know they are of an older set.
    pub(crate) generation: u64,
    /// For TCP connections from partners.
    pub(crate) server: Arc<rustls::ServerConfig>,
    /// For QUIC connections from partners.
    pub(crate) quic_server: Arc<QuicServerConfig>,
    client: rustls::ClientConfig,
    client_verifier: Arc<dyn ClientCertVerifier>,
    server_verifier: Arc<WebPkiServerVerifier>,
    reset_seed: hmac::Key,
    own: Peer,
    revocation_update_due: Option<i64>,
}

impl Tls {
    /// Checks that identity and trust can be used, and uses them. The clock judges validity.
    pub fn new(
        identity: Identity,
        trust: &Trust,
        options: TlsOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let material = Material::build(identity, trust, options, &clock, 0)?;
        let current = ArcSwap::from_pointee(material);
        Ok(Self(Arc::new(Inner { current, generation: watch::Sender::new(0), clock, options })))
    }

    /// Replaces identity and trust, for every handshake from now on. When they cannot be used, everything stays
    /// as it was.
    ///
    /// Requests in flight are not disturbed. Links make a new connection for their next request; servers close
    /// the connections of partners that the new trust would refuse.
    pub fn reload(&self, identity: Identity, trust: &Trust) -> Result<(), TlsError> {
        let mut outcome = Ok(());
        // The sender's lock also keeps two reloads apart.
        self.0.generation.send_if_modified(|generation| {
            let built = Material::build(identity, trust, self.0.options, &self.0.clock, *generation + 1);
            match built {
                Ok(material) => {
                    *generation += 1;
                    self.0.current.store(Arc::new(material));
                    true
                }
                Err(error) => {
                    outcome = Err(error);
                    false
                }
            }
        });
        outcome
    }

    /// The end of our own certificate's validity, Unix seconds.
    pub fn certificate_expiry(&self) -> i64 {
        self.0.current.load().own.not_after
    }

    /// Who our own certificate says we are.
    pub fn own(&self) -> Peer {
        self.0.current.load().own.clone()
    }

    /// The earliest `nextUpdate` of the revocation lists, Unix seconds. Past it, revocations may be missed.
    pub fn revocation_update_due(&self) -> Option<i64> {
        self.0.current.load().revocation_update_due
    }

    pub(crate) fn current(&self) -> Arc<Material> {
        self.0.current.load_full()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.0.current.load().generation
    }

    pub(crate) fn reloads(&self) -> watch::Receiver<u64> {
        self.0.generation.subscribe()
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.0.clock.now().as_second()
    }

    /// Whether a partner that connected under an older set would be let in now.
    pub(crate) fn still_trusts(&self, chain: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        let Some((own, intermediates)) = chain.split_first() else {
            return Err(rustls::Error::NoCertificatesPresented);
        };
        let now = unix_time(self.now());
        self.current().client_verifier.verify_client_cert(own, intermediates, now).map(|_| ())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("own", &self.own().oin).field("generation", &self.generation()).finish()
    }
}

impl Material {
    fn build(
        identity: Identity,
        trust: &Trust,
        options: TlsOptions,
        clock: &Arc<dyn Clock>,
        generation: u64,
    ) -> Result<Self, TlsError> {
        let leaf = identity.certificate_chain.first();
        let leaf = leaf.ok_or_else(|| TlsError::NoCertificate { what: "certificate_chain".into() })?;
        let own = Peer::from_certificate(leaf)?;
        let reset_seed = hmac::Key::new(hmac::HMAC_SHA256, identity.key.secret_der());
        let provider = Arc::new(provider());
        let (client_verifier, server_verifier) = verifiers(trust, &provider)?;
        let time: Arc<dyn TimeProvider> = Arc::new(ClockTime(clock.clone()));
        let side = Builder { provider, time, identity, client_verifier, server_verifier };
        let tcp: &[_] = if options.tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
        let quic_server = QuicServerConfig::try_from(side.server(&[&TLS13], ALPN_QUIC)?)
            .map_err(|error| TlsError::Refused(error.to_string()))?;
        Ok(Self {
            generation,
            server: Arc::new(side.server(tcp, ALPN_TCP)?),
            quic_server: Arc::new(quic_server),
            client: side.client(tcp)?,
            client_verifier: side.client_verifier,
            server_verifier: side.server_verifier,
            reset_seed,
            own,
            revocation_update_due: revocation_update_due(trust),
        })
    }

    /// For one TCP connection to the partner `expected`. What is wrong with its certificate goes to `verdict`.
    pub(crate) fn tcp_client(&self, expected: Oin, verdict: &Verdict) -> rustls::ClientConfig {
        self.client_for(expected, verdict, ALPN_TCP)
    }

    /// For one QUIC connection to the partner `expected`.
    pub(crate) fn quic_client(&self, expected: Oin, verdict: &Verdict) -> rustls::ClientConfig {
        self.client_for(expected, verdict, ALPN_QUIC)
    }

    fn client_for(&self, expected: Oin, verdict: &Verdict, alpn: &[u8]) -> rustls::ClientConfig {
        let mut config = self.client.clone();
        config.alpn_protocols = vec![alpn.to_vec()];
        let verifier = ServerVerifier::new(self.server_verifier.clone(), expected, verdict.clone());
        config.dangerous().set_certificate_verifier(Arc::new(verifier));
        config
    }

    /// What QUIC endpoints of this node are recognised by, see [`ResetKeys`].
    pub(crate) fn reset_keys(&self) -> ResetKeys {
        let derive = |purpose: &[u8]| hmac::sign(&self.reset_seed, purpose);
        let mut identifiers = [0; 8];
        identifiers.copy_from_slice(&derive(b"schakel/1 connection identifiers").as_ref()[..8]);
        let resets = derive(b"schakel/1 stateless resets");
        ResetKeys {
            identifiers: u64::from_be_bytes(identifiers),
            resets: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, resets.as_ref())),
        }
    }
}

/// The keys of QUIC connection identifiers and stateless resets (RFC 9000 §10.3). They follow from the
/// certificate's key, so that a node that was killed recognises after its restart the connections it lost, tells
/// partners so in a way they recognise, and they reconnect at once.
pub(crate) struct ResetKeys {
    pub(crate) identifiers: u64,
    pub(crate) resets: Arc<dyn quinn::crypto::HmacKey>,
}

/// Makes the configurations of both sides.
struct Builder {
    provider: Arc<CryptoProvider>,
    time: Arc<dyn TimeProvider>,
    identity: Identity,
    client_verifier: Arc<dyn ClientCertVerifier>,
    server_verifier: Arc<WebPkiServerVerifier>,
}

impl Builder {
    fn server(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[u8],
    ) -> Result<rustls::ServerConfig, TlsError> {
        let Identity { certificate_chain, key } = self.identity.clone();
        let mut config = rustls::ServerConfig::builder_with_details(self.provider.clone(), self.time.clone())
            .with_protocol_versions(versions)
            .map_err(refused)?
            .with_client_cert_verifier(self.client_verifier.clone())
            .with_single_cert(certificate_chain, key)
            .map_err(refused)?;
        config.alpn_protocols = vec![alpn.to_vec()];
        // A resumed session would skip the revocation list. Connections live long, so nothing is lost.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<rustls::ClientConfig, TlsError> {
        let Identity { certificate_chain, key } = self.identity.clone();
        let mut config = rustls::ClientConfig::builder_with_details(self.provider.clone(), self.time.clone())
            .with_protocol_versions(versions)
            .map_err(refused)?
            .with_webpki_verifier(self.server_verifier.clone())
            .with_client_auth_cert(certificate_chain, key)
            .map_err(refused)?;
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// What is sent now is personal data for decades, so a key exchange that also stands against recording today and
/// breaking later comes first.
fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    CryptoProvider {
        kx_groups: vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1],
        ..aws_lc_rs::default_provider()
    }
}

type Verifiers = (Arc<dyn ClientCertVerifier>, Arc<WebPkiServerVerifier>);

fn verifiers(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Verifiers, TlsError> {
    let mut roots = RootCertStore::empty();
    for anchor in &trust.anchors {
        roots.add(anchor.clone()).map_err(|_| TlsError::NoAnchors)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAnchors);
    }
    let roots = Arc::new(roots);
    let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        .with_crls(trust.crls.iter().cloned())
        .build()
        .map_err(|error| TlsError::Refused(error.to_string()))?;
    let servers = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
        .with_crls(trust.crls.iter().cloned())
        .build()
        .map_err(|error| TlsError::Refused(error.to_string()))?;
    Ok((Arc::new(ClientVerifier::new(clients)), servers))
}

fn refused(error: rustls::Error) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch,
        other => TlsError::Refused(other.to_string()),
    }
}

fn revocation_update_due(trust: &Trust) -> Option<i64> {
    let due = |der: &rustls::pki_types::CertificateRevocationListDer<'_>| {
        let (_, list) = CertificateRevocationList::from_der(der.as_ref()).ok()?;
        Some(list.next_update()?.timestamp())
    };
    trust.crls.iter().filter_map(due).min()
}

/// The injected clock, as TLS wants it.
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now().as_second()))
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

/// Before 1970 nothing is valid, which is what 1970 gives too.
fn unix_time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
