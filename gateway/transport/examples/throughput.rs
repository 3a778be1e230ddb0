//! Measures both carriers side by side on this machine: two nodes in one process, real sockets, mutual TLS.
//!
//! `cargo run --release -p transport --example throughput -- [SECONDS]`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not part of the program")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use exchange::{
    clock::{Clock, ManualClock},
    oin::Oin,
};
use rcgen::{CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use transport::{
    Endpoint, Handler, Identity, Limits, Link, LinkOptions, Peer, Request, Response, Server, ServerOptions,
    Tls, TlsOptions, Trust,
};

/// Rounds per case, carriers in turn, so that what else the machine does hits both.
const ROUNDS: u32 = 3;

struct Case {
    name: &'static str,
    body: usize,
    answer: usize,
    in_flight: usize,
}

const CASES: [Case; 3] = [
    Case { name: "batch of 300 KiB", body: 300 << 10, answer: 40 << 10, in_flight: 8 },
    Case { name: "batch of 512 KiB", body: 512 << 10, answer: 64 << 10, in_flight: 8 },
    Case { name: "message of 2 KiB", body: 2 << 10, answer: 512, in_flight: 64 },
];

struct Receiver;

impl Handler for Receiver {
    async fn handle(&self, _: Arc<Peer>, request: Request) -> Response {
        let size = request.query.and_then(|size| size.parse().ok()).unwrap_or(0);
        Response::new(200, "application/octet-stream", Bytes::from(vec![7; size]))
    }
}

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let (sender, receiver) = nodes();
    let any = "127.0.0.1:0".parse().unwrap();
    let options = ServerOptions { tcp: any, quic: Some(any), limits: Limits::default() };
    let server = Server::bind(options, receiver.clone(), Receiver).await.unwrap();
    let at = |port| format!("127.0.0.1:{port}");
    let tcp = Endpoint { oin: receiver.own().oin, tcp: at(server.tcp_addr().port()), quic: None };
    let quic = Endpoint { quic: server.quic_addr().map(|address| at(address.port())), ..tcp.clone() };
    println!("{:<18} {:>10} {:>10} {:>10} {:>10} {:>7}", "", "tcp/s", "quic/s", "tcp µs", "quic µs", "ratio");
    for case in CASES {
        let (mut over_tcp, mut over_quic) = (Measured::default(), Measured::default());
        for _ in 0..ROUNDS {
            let time = Duration::from_secs_f64(seconds);
            over_tcp.add(&measure(&sender, &tcp, &case, time).await);
            over_quic.add(&measure(&sender, &quic, &case, time).await);
        }
        let (tcp, quic) = (over_tcp.per_second(), over_quic.per_second());
        let (tcp_cpu, quic_cpu) = (over_tcp.cpu_per_request(), over_quic.cpu_per_request());
        println!(
            "{:<18} {tcp:>10.0} {quic:>10.0} {tcp_cpu:>10.1} {quic_cpu:>10.1} {:>7.2}",
            case.name,
            quic / tcp
        );
    }
}

#[derive(Default)]
struct Measured {
    requests: f64,
    seconds: f64,
    cpu: f64,
}

impl Measured {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.seconds += other.seconds;
        self.cpu += other.cpu;
    }

    fn per_second(&self) -> f64 {
        self.requests / self.seconds
    }

    /// Microseconds, both nodes together.
    fn cpu_per_request(&self) -> f64 {
        self.cpu * 1e6 / self.requests
    }
}

async fn measure(sender: &Tls, endpoint: &Endpoint, case: &Case, time: Duration) -> Measured {
    let link = Link::new(sender.clone(), LinkOptions::default());
    let body = Bytes::from(vec![1; case.body]);
    let request = Request::post("/", "application/octet-stream", body).with_query(case.answer.to_string());
    assert_eq!(link.send(endpoint, request.clone()).await.unwrap().body.len(), case.answer);
    assert_eq!(link.carrier(endpoint.oin) == Some(transport::Carrier::Quic), endpoint.quic.is_some());
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut workers = JoinSet::new();
    for _ in 0..case.in_flight {
        let (link, endpoint, request) = (link.clone(), endpoint.clone(), request.clone());
        workers.spawn(async move {
            let mut sent = 0_u32;
            while let Ok(answer) = timeout_at(start + time, link.send(&endpoint, request.clone())).await {
                assert_eq!(answer.unwrap().status, 200);
                sent += 1;
            }
            f64::from(sent)
        });
    }
    let requests = workers.join_all().await.into_iter().sum();
    Measured { requests, seconds: start.elapsed().as_secs_f64(), cpu: cpu_seconds() - cpu }
}

/// User and system time of this process (Linux, `proc(5)`), in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |field| after_name.split_whitespace().nth(field).and_then(|ticks| ticks.parse().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

fn nodes() -> (Tls, Tls) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let node = |oin: &str| {
        let oin: Oin = oin.parse().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), oin.as_str());
        params.distinguished_name.push(DnType::OrganizationName, "Meting");
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        let identity =
            Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
        let trust = Trust::from_pem(ca.pem().as_bytes(), b"").unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
        Tls::new(identity, &trust, TlsOptions::default(), clock).unwrap()
    };
    (node("00000099000000001000"), node("00000099000000002000"))
}
