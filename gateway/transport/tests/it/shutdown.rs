//! Stopping: what is in flight finishes, nothing new begins.

use std::{net::SocketAddr, time::Duration};

use transport::{Carrier, Limits, LinkError, Request, Server, ServerOptions};

use crate::common::{BOTH, Ca, Node, RECEIVER, Script, echo, pair, within};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_has() {
    for carrier in BOTH {
        let (link, mut node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let body = vec![b'x'; 600 << 10];
        let waiting = link.send(&endpoint, Request::post("/wacht", "text/plain", body.clone()));
        let stopping = async {
            node.waits.started.recv().await.unwrap();
            let stopping = node.server.shutdown(LONG);
            // `join!` polls in order: the server is draining before the request may go on.
            let release = async { node.waits.release(1) };
            tokio::join!(stopping, release).0
        };
        let (answer, finished) = within(async { tokio::join!(waiting, stopping) }).await;
        assert!(finished);
        assert!(answer.unwrap().body == body);
        let error = within(link.send(&endpoint, echo("x"))).await.unwrap_err();
        assert!(matches!(error, LinkError::Unreachable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_server_does_not_wait_for_ever() {
    for carrier in BOTH {
        let (link, mut node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let stopping = async {
            node.waits.started.recv().await.unwrap();
            node.server.shutdown(Duration::from_millis(50)).await
        };
        let waiting = link.send(&endpoint, Request::post("/wacht", "text/plain", "x"));
        let (answer, finished) = within(async { tokio::join!(waiting, stopping) }).await;
        assert!(!finished);
        assert!(answer.unwrap_err().is_transient());
    }
}

#[tokio::test]
async fn idle_partners_do_not_hold_up_a_server_that_stops() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        assert_eq!(link.send(&node.endpoint(carrier), echo("x")).await.unwrap().status, 200);
        assert!(within(node.server.shutdown(LONG)).await);
    }
}

#[tokio::test]
async fn a_link_that_stops_finishes_what_it_has() {
    for carrier in BOTH {
        let (link, mut node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let waiting = link.send(&endpoint, Request::post("/wacht", "text/plain", "x"));
        let stopping = async {
            node.waits.started.recv().await.unwrap();
            let release = async { node.waits.release(1) };
            tokio::join!(link.shutdown(LONG), release);
        };
        let (answer, ()) = within(async { tokio::join!(waiting, stopping) }).await;
        assert_eq!(answer.unwrap().status, 200);
        assert_eq!(link.send(&endpoint, echo("x")).await, Err(LinkError::Shutdown));
        assert_eq!(link.carrier(endpoint.oin), None);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    for (carrier, tcp, quic) in
        [(Carrier::Tcp, node.server.tcp_addr(), any), (Carrier::Quic, any, node.server.quic_addr().unwrap())]
    {
        let options = ServerOptions { tcp, quic: Some(quic), limits: Limits::default() };
        let error = Server::bind(options, ca.tls(RECEIVER), Script::new().0).await.unwrap_err();
        let taken = if carrier == Carrier::Tcp { tcp } else { quic };
        assert_eq!((error.carrier, error.address), (carrier, taken));
        assert!(error.remedy().contains(&taken.port().to_string()), "{}", error.remedy());
    }
}
