//! A certificate authority, nodes, and a handler that does what the path says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use exchange::{clock::ManualClock, oin::Oin};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use tokio::sync::{Semaphore, mpsc};
use transport::{
    Carrier, Endpoint, Handler, Identity, Limits, Link, LinkOptions, Peer, Request, Response, Server,
    ServerOptions, Tls, TlsOptions, Trust,
};

pub(crate) const BOTH: [Carrier; 2] = [Carrier::Tcp, Carrier::Quic];
pub(crate) const SENDER: &str = "00000099000000001000";
pub(crate) const RECEIVER: &str = "00000099000000002000";
/// 2026-11-21T12:00:00Z, Unix seconds.
pub(crate) const NOW: u64 = 1_795_262_400;
pub(crate) const DAY: u64 = 86_400;

/// What a certificate says.
pub(crate) struct Paper {
    pub(crate) serial_numbers: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    pub(crate) usages: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) serial: u64,
}

impl Paper {
    /// A good one, for localhost.
    pub(crate) fn of(oin: &str) -> Self {
        Self {
            serial_numbers: vec![oin.into()],
            name: Some(format!("Organisatie {oin}")),
            hosts: vec!["localhost".into(), "127.0.0.1".into()],
            not_before: NOW - DAY,
            not_after: NOW + 365 * DAY,
            usages: vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            serial: 1,
        }
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(self.hosts.clone()).unwrap();
        assert!(self.hosts.is_empty() || matches!(params.subject_alt_names[0], SanType::DnsName(_)));
        params.distinguished_name = DistinguishedName::new();
        for number in &self.serial_numbers {
            params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), number.as_str());
        }
        if let Some(name) = &self.name {
            params.distinguished_name.push(DnType::OrganizationName, name.as_str());
        }
        params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(self.not_before);
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(self.not_after);
        params.extended_key_usages.clone_from(&self.usages);
        params.serial_number = Some(SerialNumber::from(self.serial));
        params.use_authority_key_identifier_extension = true;
        params
    }
}

/// A certificate authority.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let (params, key) = Self::params(name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// An authority under this one.
    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let (params, key) = Self::params(name);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn params(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        (params, KeyPair::generate().unwrap())
    }

    pub(crate) fn issue(&self, paper: &Paper) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = paper.params().signed_by(&key, &self.issuer).unwrap();
        Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    pub(crate) fn issue_for(&self, oin: &str) -> Identity {
        self.issue(&Paper::of(oin))
    }

    /// The revocation list with these certificates on it.
    pub(crate) fn crl(&self, revoked: &[u64]) -> String {
        let time = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        let revoked_cert = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: time(NOW - DAY),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: time(NOW - DAY),
            next_update: time(NOW + DAY),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(revoked_cert).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    pub(crate) fn trust(&self) -> Trust {
        self.trust_but("")
    }

    /// Trust in this authority, less what these lists revoke.
    pub(crate) fn trust_but(&self, crls: &str) -> Trust {
        Trust::from_pem(self.pem.as_bytes(), crls.as_bytes()).unwrap()
    }

    pub(crate) fn tls(&self, oin: &str) -> Tls {
        tls(self.issue_for(oin), &self.trust())
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    let now = jiff::Timestamp::from_second(i64::try_from(NOW).unwrap()).unwrap();
    Arc::new(ManualClock::at(now))
}

pub(crate) fn tls(identity: Identity, trust: &Trust) -> Tls {
    Tls::new(identity, trust, TlsOptions::default(), clock()).unwrap()
}

pub(crate) fn oin(text: &str) -> Oin {
    text.parse().unwrap()
}

/// Answers as the path says, and keeps what it saw.
#[derive(Clone)]
pub(crate) struct Script(Arc<State>);

struct State {
    /// One per request. Requests on one connection share their peer, so that this counts connections too.
    peers: Mutex<Vec<Arc<Peer>>>,
    begin: mpsc::UnboundedSender<()>,
    end: mpsc::UnboundedSender<()>,
    gate: Semaphore,
}

/// Tells when requests for `/wacht` start and finish, and lets them go on.
pub(crate) struct Waits {
    pub(crate) started: mpsc::UnboundedReceiver<()>,
    pub(crate) finished: mpsc::UnboundedReceiver<()>,
    script: Script,
}

impl Waits {
    pub(crate) fn release(&self, requests: usize) {
        self.script.0.gate.add_permits(requests);
    }
}

impl Script {
    pub(crate) fn new() -> (Self, Waits) {
        let (begin, started) = mpsc::unbounded_channel();
        let (end, finished) = mpsc::unbounded_channel();
        let state = State { peers: Mutex::default(), begin, end, gate: Semaphore::new(0) };
        let script = Self(Arc::new(state));
        (script.clone(), Waits { started, finished, script })
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.peers.lock().unwrap().len()
    }

    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        self.0.peers.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        let mut peers: Vec<_> = self.peers().iter().map(|peer| Arc::as_ptr(peer) as usize).collect();
        peers.sort_unstable();
        peers.dedup();
        peers.len()
    }
}

impl Handler for Script {
    async fn handle(&self, peer: Arc<Peer>, request: Request) -> Response {
        self.0.peers.lock().unwrap().push(peer);
        let text = "text/plain";
        match request.path.as_str() {
            "/groot" => {
                let size = request.query.and_then(|size| size.parse().ok()).unwrap();
                Response::new(200, text, vec![b'x'; size])
            }
            "/later" => Response::problem(503, "bezet", "Bezet", "Later.").retry_after(7),
            "/leeg" => Response::empty(204),
            "/paniek" => panic!("asked for"),
            "/wacht" => {
                self.0.begin.send(()).unwrap();
                self.0.gate.acquire().await.unwrap().forget();
                let _ = self.0.end.send(());
                Response::new(200, text, request.body)
            }
            "/regel" => {
                let line = format!("{} {:?}", request.method, request.query);
                Response::new(200, request.content_type.unwrap_or_default(), line)
            }
            _ => Response { content_type: request.content_type, ..Response::new(200, "", request.body) },
        }
    }
}

/// A receiving node.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) tls: Tls,
    pub(crate) script: Script,
    pub(crate) waits: Waits,
}

impl Node {
    pub(crate) async fn start(tls: Tls) -> Self {
        Self::with_limits(tls, Limits::default()).await
    }

    pub(crate) async fn with_limits(tls: Tls, limits: Limits) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        Self::at(tls, ServerOptions { tcp: any, quic: Some(any), limits }).await
    }

    pub(crate) async fn at(tls: Tls, options: ServerOptions) -> Self {
        let (script, waits) = Script::new();
        let server = Server::bind(options, tls.clone(), script.clone()).await.unwrap();
        Self { server, tls, script, waits }
    }

    pub(crate) fn tcp(&self) -> String {
        format!("localhost:{}", self.server.tcp_addr().port())
    }

    pub(crate) fn quic(&self) -> String {
        format!("localhost:{}", self.server.quic_addr().unwrap().port())
    }

    /// Where senders find this node when it announces this carrier. With QUIC nobody is at the TCP address, so
    /// that only QUIC can succeed.
    pub(crate) fn endpoint(&self, carrier: Carrier) -> Endpoint {
        let oin = self.tls.own().oin;
        match carrier {
            Carrier::Tcp => Endpoint { oin, tcp: self.tcp(), quic: None },
            Carrier::Quic => Endpoint { oin, tcp: nobody(), quic: Some(self.quic()) },
        }
    }
}

/// An address where nobody listens: the discard port, which needs privileges.
pub(crate) fn nobody() -> String {
    "localhost:9".into()
}

/// Options for links on a machine that may be busy.
pub(crate) fn patient() -> LinkOptions {
    LinkOptions { quic_time: Duration::from_secs(3), ..LinkOptions::default() }
}

pub(crate) fn link(tls: Tls) -> Link {
    Link::new(tls, patient())
}

/// Two nodes of one group, with everything in order.
pub(crate) async fn pair() -> (Link, Node) {
    let ca = Ca::new("Groep");
    (link(ca.tls(SENDER)), Node::start(ca.tls(RECEIVER)).await)
}

pub(crate) fn echo(body: impl Into<Bytes>) -> Request {
    Request::post("/echo", "text/plain", body)
}

/// The node answers others as if nothing happened.
pub(crate) async fn still_works(ca: &Ca, node: &Node) {
    for carrier in BOTH {
        let answer = link(ca.tls(SENDER)).send(&node.endpoint(carrier), echo("dag")).await.unwrap();
        assert_eq!(answer.body, "dag");
    }
}

/// No test hangs.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("this should not take so long")
}
