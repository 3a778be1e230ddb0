//! The limits on what strangers and partners can take of a node, over both carriers.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use rustls::version::TLS13;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use transport::{Carrier, Limits, LinkError, Request};

use crate::{
    common::{BOTH, Ca, Node, RECEIVER, SENDER, echo, link, still_works, within},
    log::Lines,
    raw,
};

#[tokio::test]
async fn a_handshake_that_dawdles_is_cut_off() {
    let ca = Ca::new("Groep");
    let limits = Limits { handshake_time: Duration::from_millis(50), ..Limits::default() };
    let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
    let mut silent = TcpStream::connect(node.server.tcp_addr()).await.unwrap();
    within(raw::swallow(&mut silent)).await;
    let mut half = TcpStream::connect(node.server.tcp_addr()).await.unwrap();
    half.write_all(&[22, 3, 1, 2, 0, 1, 0]).await.unwrap();
    within(raw::swallow(&mut half)).await;
}

fn slow() -> Limits {
    Limits { body_time: Duration::from_millis(100), ..Limits::default() }
}

#[tokio::test]
async fn a_body_that_never_comes_is_answered_with_408() {
    let ca = Ca::new("Groep");
    let node = Node::with_limits(ca.tls(RECEIVER), slow()).await;
    let (mut sender, _connection) = raw::http2(&node, raw::good(&ca, SENDER)).await;
    let answer = within(sender.send_request(raw::post(&node, "/echo", raw::Stuck))).await.unwrap();
    assert_eq!(answer.status(), 408);

    let config = raw::client(&ca, Some(ca.issue_for(SENDER)), &[&TLS13], &[b"schakel/1"]);
    let connection = raw::quic(&node, config).await.unwrap();
    for said in [
        &b""[..],
        b"\0\0",
        b"\0\0\0\x20{",
        b"\0\0\0\x2b{\"methode\":\"POST\",\"pad\":\"/echo\",\"lengte\":9}half",
    ] {
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        // A stream exists for the other side once something was said on it.
        send.write_all(said).await.unwrap();
        if said.is_empty() {
            continue;
        }
        let answer = within(receive.read_to_end(10_000)).await.unwrap();
        assert!(String::from_utf8_lossy(&answer).contains("\"status\":408"), "{answer:?}");
    }
    assert_eq!(node.script.requests(), 0);
}

#[tokio::test]
async fn one_address_has_so_many_handshakes_and_no_more() {
    let (lines, _guard) = Lines::capture();
    let ca = Ca::new("Groep");
    let limits = Limits { handshakes_per_address: 2, ..Limits::default() };
    let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
    assert_eq!(node.server.tcp_addr().ip(), IpAddr::from([127, 0, 0, 1]));
    // Connections are taken in the order they were made.
    let silent = TcpStream::connect(node.server.tcp_addr()).await.unwrap();
    let also = TcpStream::connect(node.server.tcp_addr()).await.unwrap();
    let mut third = TcpStream::connect(node.server.tcp_addr()).await.unwrap();
    within(raw::swallow(&mut third)).await;
    assert!(lines.text().contains("too many handshakes from one address"), "{}", lines.text());
    drop((silent, also));
    // Their places come free once the node notices.
    within(async {
        while link(ca.tls(SENDER)).send(&node.endpoint(Carrier::Tcp), echo("x")).await.is_err() {}
    })
    .await;
}

#[tokio::test]
async fn a_partner_has_so_many_connections_and_no_more() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let limits = Limits { connections_per_partner: 1, ..Limits::default() };
        let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
        let endpoint = node.endpoint(carrier);
        let (first, second, other) =
            (link(ca.tls(SENDER)), link(ca.tls(SENDER)), link(ca.tls("00000099000000003000")));
        assert_eq!(first.send(&endpoint, echo("x")).await.unwrap().status, 200);
        let error = within(second.send(&endpoint, echo("x"))).await.unwrap_err();
        assert!(matches!(error, LinkError::Unreachable { .. }), "{error}");
        assert_eq!(other.send(&endpoint, echo("x")).await.unwrap().status, 200);
        assert_eq!(first.send(&endpoint, echo("x")).await.unwrap().status, 200);
        drop(first);
        within(async {
            loop {
                second.forget(endpoint.oin);
                if second.send(&endpoint, echo("x")).await.is_ok() {
                    break;
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_partner_that_asks_and_never_reads_is_let_go() {
    let ca = Ca::new("Groep");
    let limits = Limits {
        idle_time: Duration::from_millis(300),
        drain_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
    let (mut sender, connection) = raw::http2(&node, raw::good(&ca, SENDER)).await;
    // More than the client's window takes unread.
    let request = raw::post(&node, "/groot?4194304", Full::new(Bytes::new()));
    let answer = within(sender.send_request(request)).await.unwrap();
    within(connection).await.unwrap().unwrap_err();
    drop(answer);
    still_works(&ca, &node).await;
}

/// Long enough for an honest request on a busy machine, short enough to wait for.
fn patient() -> Limits {
    Limits { body_time: Duration::from_secs(1), ..Limits::default() }
}

/// What one partner may have in progress at the same time is taken; it waits, and others do not notice.
async fn one_partner_waits(limits: Limits, carrier: Carrier) {
    let ca = Ca::new("Groep");
    let mut node = Node::with_limits(ca.tls(RECEIVER), limits).await;
    let endpoint = node.endpoint(carrier);
    let (greedy, other) = (link(ca.tls(SENDER)), link(ca.tls("00000099000000003000")));
    let waiting = greedy.send(&endpoint, Request::post("/wacht", "text/plain", vec![0; 1000]));
    let meanwhile = async {
        node.waits.started.recv().await.unwrap();
        let answer = greedy.send(&endpoint, echo(vec![0; 1000])).await.unwrap();
        assert_eq!((answer.status, answer.retry_after), (503, Some(5)));
        assert_eq!(other.send(&endpoint, echo(vec![0; 1000])).await.unwrap().status, 200);
        node.waits.release(1);
    };
    let (answer, ()) = Box::pin(within(async { tokio::join!(waiting, meanwhile) })).await;
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(greedy.send(&endpoint, echo(vec![0; 1000])).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_partner_has_so_much_memory_and_no_more() {
    for carrier in BOTH {
        one_partner_waits(Limits { buffer_per_partner: 1999, ..patient() }, carrier).await;
    }
}

#[tokio::test]
async fn a_partner_has_so_many_requests_and_no_more() {
    for carrier in BOTH {
        one_partner_waits(Limits { requests_per_partner: 1, ..patient() }, carrier).await;
    }
}

/// Runs in a process of its own, started by the test below it with few file descriptors.
#[tokio::test]
#[ignore = "needs a process with few file descriptors"]
async fn with_few_descriptors() {
    let (lines, _guard) = Lines::capture();
    let ca = Ca::new("Groep");
    let limits = Limits { handshakes_per_address: 1000, ..Limits::default() };
    let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
    let mut strangers = Vec::new();
    while let Ok(stranger) = TcpStream::connect(node.server.tcp_addr()).await {
        strangers.push(stranger);
    }
    // The last descriptor goes to one more stranger, so that there is none left to accept it with.
    strangers.pop();
    strangers.push(TcpStream::connect(node.server.tcp_addr()).await.unwrap());
    within(async {
        while !lines.text().contains("accepting failed") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let attempts = lines.text().matches("accepting failed").count();
    assert!(attempts < 10, "it pauses between attempts");
    drop(strangers);
    within(async {
        while link(ca.tls(SENDER)).send(&node.endpoint(Carrier::Tcp), echo("x")).await.is_err() {}
    })
    .await;
}

#[test]
fn without_file_descriptors_a_server_waits_until_there_are() {
    let this = std::env::current_exe().unwrap();
    let child = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 48 && exec \"$0\" --exact --ignored limits::with_few_descriptors"])
        .arg(this)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}
