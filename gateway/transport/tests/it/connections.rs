//! One warm connection per partner: made once, replaced when it breaks, QUIC when it works.

use std::{
    collections::HashSet,
    net::UdpSocket,
    sync::{Arc, Mutex},
    time::Duration,
};

use transport::{Carrier, Endpoint, Limits, Link, LinkOptions, Request, ServerOptions};

use crate::{
    common::{BOTH, Ca, Node, RECEIVER, SENDER, echo, link, nobody, oin, pair, patient, within},
    raw::{self, Line, Relay},
};

#[tokio::test]
async fn requests_share_a_connection_and_partners_do_not() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let link = link(ca.tls(SENDER));
        let (one, two) =
            (Node::start(ca.tls(RECEIVER)).await, Node::start(ca.tls("00000099000000003000")).await);
        for _ in 0..5 {
            for node in [&one, &two] {
                assert_eq!(link.send(&node.endpoint(carrier), echo("x")).await.unwrap().status, 200);
            }
        }
        assert_eq!((one.script.connections(), two.script.connections()), (1, 1));
    }
}

#[tokio::test]
async fn requests_that_start_together_make_one_connection() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (link, endpoint) = (link.clone(), endpoint.clone());
            requests.spawn(async move { link.send(&endpoint, echo("x")).await.unwrap() });
        }
        within(requests.join_all()).await;
        assert_eq!(node.script.connections(), 1);
    }
}

#[tokio::test]
async fn requests_that_wait_for_a_connection_share_its_failure() {
    let ca = Ca::new("Groep");
    let link = link(ca.tls(SENDER));
    // Takes connections and never says a word, so that every attempt takes all the time there is.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let endpoint = Endpoint { oin: oin(RECEIVER), tcp, quic: None };
    let impatient = LinkOptions { connect_time: Duration::from_millis(200), ..patient() };
    let link = {
        drop(link);
        Link::new(ca.tls(SENDER), impatient)
    };
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (link, endpoint) = (link.clone(), endpoint.clone());
        requests.spawn(async move { link.send(&endpoint, echo("x")).await.unwrap_err() });
    }
    let errors = within(requests.join_all()).await;
    assert!(errors.iter().all(transport::LinkError::is_transient));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(std::iter::from_fn(|| listener.accept().ok()).count(), 1);
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced_unseen() {
    let (link, node) = pair().await;
    let relay = Relay::to(&node).await;
    let endpoint = Endpoint { tcp: relay.address.clone(), ..node.endpoint(Carrier::Tcp) };
    for round in 1..=3 {
        for _ in 0..3 {
            assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        }
        assert_eq!(relay.accepted(), round);
        relay.cut();
    }
}

#[tokio::test]
async fn a_request_cut_in_flight_is_sent_once_more() {
    let (link, mut node) = pair().await;
    let relay = Relay::to(&node).await;
    let endpoint = Endpoint { tcp: relay.address.clone(), ..node.endpoint(Carrier::Tcp) };
    assert_eq!(link.send(&endpoint, echo("warm")).await.unwrap().status, 200);
    let request = transport::Request::post("/wacht", "text/plain", "x");
    let cutting = async {
        node.waits.started.recv().await.unwrap();
        relay.cut();
        node.waits.started.recv().await.unwrap();
        node.waits.release(2);
    };
    let (answer, ()) = within(async { tokio::join!(link.send(&endpoint, request), cutting) }).await;
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(node.script.requests(), 3);
}

#[tokio::test]
async fn a_partner_that_restarted_is_found_again() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let link = link(ca.tls(SENDER));
        let identity = ca.issue_for(RECEIVER);
        let tls = || crate::common::tls(identity.clone(), &ca.trust());
        let node = Node::start(tls()).await;
        let endpoint = node.endpoint(carrier);
        let options = ServerOptions {
            tcp: node.server.tcp_addr(),
            quic: node.server.quic_addr(),
            limits: Limits::default(),
        };
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        assert!(node.server.shutdown(Duration::from_secs(5)).await);
        let error = within(link.send(&endpoint, echo("x"))).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        link.forget(endpoint.oin);
        let node = Node::at(tls(), options).await;
        assert_eq!(within(link.send(&endpoint, echo("x"))).await.unwrap().status, 200);
        assert_eq!(node.script.requests(), 1);
    }
}

/// A node in a runtime of its own, which can be killed.
struct Killable(tokio::runtime::Runtime);

impl Killable {
    fn start(tls: transport::Tls, options: ServerOptions) -> (Self, Node) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let node =
            std::thread::scope(|scope| scope.spawn(|| runtime.block_on(Node::at(tls, options))).join());
        (Self(runtime), node.unwrap())
    }

    /// Every task stops where it is and says nothing to anybody.
    fn kill(self, node: Node) {
        let runtime = self.0;
        std::thread::scope(|scope| scope.spawn(|| runtime.shutdown_timeout(Duration::from_secs(10))).join())
            .unwrap();
        // Its handles on the sockets, which would have said goodbye.
        drop(node);
    }
}

#[tokio::test]
async fn a_partner_that_was_killed_and_restarted_is_found_again_at_once() {
    for carrier in BOTH {
        let mortal = Mortal::start(carrier);
        assert_eq!(mortal.link.send(&mortal.endpoint, echo("x")).await.unwrap().status, 200);
        let (link, endpoint) = (mortal.link.clone(), mortal.endpoint.clone());
        let node = mortal.killed_and_restarted().await;
        assert_eq!(within(link.send(&endpoint, echo("x"))).await.unwrap().status, 200);
        assert_eq!(link.carrier(endpoint.oin), Some(carrier));
        assert_eq!(node.script.requests(), 1);
    }
}

/// Over TCP the system of the partner tells at once.
#[tokio::test]
async fn who_waits_for_the_answer_of_a_partner_that_was_killed_soon_asks_again() {
    let mut mortal = Mortal::start(Carrier::Quic);
    let relay = Line::to(mortal.node.server.quic_addr().unwrap()).await;
    let endpoint = Endpoint { quic: Some(relay.address.clone()), ..mortal.endpoint.clone() };
    assert_eq!(within(mortal.link.send(&endpoint, echo("x"))).await.unwrap().status, 200);
    let (asking, asked) = (mortal.link.clone(), endpoint.clone());
    let answer = tokio::spawn(async move { asking.send(&asked, Request::get("/wacht")).await });
    within(mortal.node.waits.started.recv()).await.unwrap();
    // Until all is acknowledged and the size of datagrams is found out: there is nothing more to send.
    within(relay.silence(Duration::from_millis(300))).await;
    // What dies in a test says goodbye; a process that is killed does not.
    relay.cut();
    let node = mortal.killed_and_restarted().await;
    relay.mend();
    node.waits.release(1);
    let answer =
        tokio::time::timeout(Duration::from_secs(10), answer).await.expect("not after a long silence");
    assert_eq!(answer.unwrap().unwrap().status, 200);
    assert_eq!(node.script.requests(), 1);
}

/// A node that can be killed, and a link to it.
struct Mortal {
    ca: Ca,
    identity: transport::Identity,
    link: Link,
    runtime: Killable,
    node: Node,
    endpoint: Endpoint,
}

impl Mortal {
    fn start(carrier: Carrier) -> Self {
        let ca = Ca::new("Groep");
        let identity = ca.issue_for(RECEIVER);
        let any = "127.0.0.1:0".parse().unwrap();
        let options = ServerOptions { tcp: any, quic: Some(any), limits: Limits::default() };
        let (runtime, node) = Killable::start(crate::common::tls(identity.clone(), &ca.trust()), options);
        let endpoint = node.endpoint(carrier);
        Self { link: link(ca.tls(SENDER)), ca, identity, runtime, node, endpoint }
    }

    async fn killed_and_restarted(self) -> Node {
        let options = ServerOptions {
            tcp: self.node.server.tcp_addr(),
            quic: self.node.server.quic_addr(),
            limits: Limits::default(),
        };
        self.runtime.kill(self.node);
        within(restart(crate::common::tls(self.identity, &self.ca.trust()), options)).await
    }
}

/// Listens where the killed node did, once the system has taken its sockets away.
async fn restart(tls: transport::Tls, options: ServerOptions) -> Node {
    let (script, waits) = crate::common::Script::new();
    loop {
        let bound = transport::Server::bind(options.clone(), tls.clone(), script.clone()).await;
        match bound {
            Ok(server) => return Node { server, tls, script, waits },
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// A UDP port that takes everything and answers nothing.
struct Hole {
    address: String,
    socket: UdpSocket,
    /// The connections that were tried, by the identifier each attempt makes up (RFC 9000 §7.2).
    attempts: Mutex<HashSet<Vec<u8>>>,
}

impl Hole {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = format!("127.0.0.1:{}", socket.local_addr().unwrap().port());
        Self { address, socket, attempts: Mutex::default() }
    }

    fn attempts(&self) -> usize {
        let mut attempts = self.attempts.lock().unwrap();
        let mut datagram = [0; 2000];
        while let Ok(length) = self.socket.recv(&mut datagram) {
            assert!(length > 6 && datagram[0] & 0x80 != 0, "a long header");
            attempts.insert(datagram[6..6 + usize::from(datagram[5])].to_vec());
        }
        attempts.len()
    }
}

#[tokio::test]
async fn where_udp_is_blocked_tcp_is_used_within_a_second_and_udp_left_alone() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let relay = Relay::to(&node).await;
    let hole = Hole::new();
    let link = Link::new(ca.tls(SENDER), LinkOptions::default());
    let endpoint =
        Endpoint { oin: oin(RECEIVER), tcp: relay.address.clone(), quic: Some(hole.address.clone()) };
    let start = tokio::time::Instant::now();
    assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
    let first = start.elapsed();
    assert!(first >= Duration::from_secs(1) && first < Duration::from_secs(3), "{first:?}");
    assert_eq!(link.carrier(endpoint.oin), Some(Carrier::Tcp));
    assert_eq!(hole.attempts(), 1);
    // Neither a warm connection nor a new one asks for QUIC again.
    assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
    relay.cut();
    let start = tokio::time::Instant::now();
    assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!((relay.accepted(), hole.attempts()), (2, 1));
    // Who lets go of the partner lets go of that too.
    link.forget(endpoint.oin);
    assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
    assert_eq!(hole.attempts(), 2);
}

#[tokio::test]
async fn quic_needs_both_sides() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let both = Endpoint { oin: oin(RECEIVER), tcp: node.tcp(), quic: Some(node.quic()) };
    for (wanted, endpoint, carrier) in [
        (true, both.clone(), Carrier::Quic),
        (false, both.clone(), Carrier::Tcp),
        (true, Endpoint { quic: None, ..both }, Carrier::Tcp),
    ] {
        let link = Link::new(ca.tls(SENDER), LinkOptions { quic: wanted, ..patient() });
        assert_eq!(link.carrier(endpoint.oin), None);
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        assert_eq!(link.carrier(endpoint.oin), Some(carrier));
    }
}

#[tokio::test]
async fn a_link_on_tcp_moves_to_quic_when_it_may_be_tried_again() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let options =
        LinkOptions { quic_retry: Duration::ZERO, quic_time: Duration::from_millis(50), ..patient() };
    let link = Link::new(ca.tls(SENDER), options);
    let hole = Hole::new();
    let blocked = Endpoint { oin: oin(RECEIVER), tcp: node.tcp(), quic: Some(hole.address.clone()) };
    assert_eq!(link.send(&blocked, echo("x")).await.unwrap().status, 200);
    assert_eq!(link.carrier(blocked.oin), Some(Carrier::Tcp));
    let open = Endpoint { quic: Some(node.quic()), ..blocked };
    within(async {
        while link.carrier(open.oin) != Some(Carrier::Quic) {
            assert_eq!(link.send(&open, echo("x")).await.unwrap().status, 200);
        }
    })
    .await;
    assert_eq!(link.send(&open, echo("x")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_partner_that_moved_is_followed() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let link = link(ca.tls(SENDER));
        let (old, new) = (Node::start(ca.tls(RECEIVER)).await, Node::start(ca.tls(RECEIVER)).await);
        for node in [&old, &new] {
            assert_eq!(link.send(&node.endpoint(carrier), echo("x")).await.unwrap().status, 200);
        }
        assert_eq!((old.script.requests(), new.script.requests()), (1, 1));
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_is_closed_and_made_again() {
    let ca = Ca::new("Groep");
    let limits = Limits { idle_time: Duration::from_millis(300), ..Limits::default() };
    let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
    // Without a single request.
    let (_sender, connection) =
        raw::http2::<http_body_util::Full<bytes::Bytes>>(&node, raw::good(&ca, SENDER)).await;
    within(connection).await.unwrap().unwrap();
    // After some.
    for carrier in BOTH {
        let link = link(ca.tls(SENDER));
        let endpoint = node.endpoint(carrier);
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        within(async {
            while link.carrier(endpoint.oin).is_some() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_dead_address_beside_a_live_one_costs_a_moment() {
    // `localhost` is both families on most machines, and the node listens on one of them.
    let (link, node) = pair().await;
    let endpoint = Endpoint { oin: oin(RECEIVER), tcp: nobody(), quic: Some(node.quic()) };
    let sending = Arc::new(link);
    assert_eq!(within(sending.send(&endpoint, echo("x"))).await.unwrap().status, 200);
}
