//! Strangers and broken partners: dropped, said why, and nobody else notices.

use std::io;

use bytes::Bytes;
use http_body_util::Full;
use rustls::{AlertDescription, version::TLS13};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
};
use transport::{Carrier, CertificateProblem, Endpoint, LinkError, Request, Side};

use crate::{
    common::{Ca, Node, Paper, RECEIVER, SENDER, echo, link, nobody, oin, still_works, within},
    log::Lines,
    raw,
};

/// Sends these bytes to the TCP port and waits until the node hangs up.
async fn throw(node: &Node, bytes: &[u8]) {
    let mut stream = TcpStream::connect(node.server.tcp_addr()).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    within(raw::swallow(&mut stream)).await;
}

#[tokio::test]
async fn bytes_that_are_no_tls_are_dropped_with_a_line() {
    let (lines, _guard) = Lines::capture();
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    throw(&node, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    throw(&node, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    throw(&node, &[0xff; 5000]).await;
    throw(&node, b"").await;
    // A TLS record whose handshake message is nonsense.
    throw(&node, &[22, 3, 1, 0, 5, 1, 0xff, 0xff, 0xff, 0]).await;
    still_works(&ca, &node).await;
    let text = lines.text();
    assert_eq!(text.lines().count(), 5, "{text}");
    for line in text.lines() {
        assert!(line.contains("WARN") && line.contains("connection dropped"), "{line}");
        assert!(line.contains("remote=\"127.0.0.1\"") && line.contains("handshake failed"), "{line}");
        assert!(line.contains("carrier=tcp") && line.contains("detail="), "{line}");
    }
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_ten_lines() {
    let (lines, _guard) = Lines::capture();
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    for _ in 0..50 {
        throw(&node, b"hallo?").await;
    }
    assert_eq!(lines.text().lines().count(), 10);
    still_works(&ca, &node).await;
}

#[tokio::test]
async fn datagrams_that_are_no_quic_are_ignored() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for length in [1, 20, 1200, 9000] {
        for first in [0x00, 0x40, 0xc0, 0xff] {
            let mut datagram = vec![0x5a; length];
            datagram[0] = first;
            socket.send_to(&datagram, node.server.quic_addr().unwrap()).await.unwrap();
        }
    }
    still_works(&ca, &node).await;
}

fn alert(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

#[tokio::test]
async fn who_shows_no_certificate_hears_so() {
    let (lines, _guard) = Lines::capture();
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let config = raw::client(&ca, None, &[&TLS13], &[b"h2"]);
    let error = within(raw::handshake(&node, config)).await.unwrap_err();
    assert_eq!(alert(&error), Some(AlertDescription::CertificateRequired));
    let config = raw::client(&ca, None, &[&TLS13], &[b"schakel/1"]);
    quic_refused(&node, config, AlertDescription::CertificateRequired).await;
    let text = lines.text();
    assert!(text.contains("carrier=tcp") && text.contains("carrier=quic"), "{text}");
    assert!(text.contains("peer sent no certificates"), "{text}");
}

/// In QUIC a client may think it is connected before it hears that it is not.
async fn quic_refused(node: &Node, config: rustls::ClientConfig, expected: AlertDescription) {
    let error = match within(raw::quic(node, config)).await {
        Ok(connection) => within(connection.closed()).await,
        Err(error) => error,
    };
    let quinn::ConnectionError::ConnectionClosed(close) = error else { panic!("{error}") };
    assert_eq!(u64::from(close.error_code), 0x100 + u64::from(u8::from(expected)));
}

#[tokio::test]
async fn a_certificate_without_oin_names_nobody() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let nameless = || ca.issue(&Paper { serial_numbers: vec![], ..Paper::of(SENDER) });
    let config = raw::client(&ca, Some(nameless()), &[&TLS13], &[b"h2"]);
    let error = within(raw::handshake(&node, config)).await.unwrap_err();
    assert_eq!(alert(&error), Some(AlertDescription::AccessDenied));
    let config = raw::client(&ca, Some(nameless()), &[&TLS13], &[b"schakel/1"]);
    quic_refused(&node, config, AlertDescription::AccessDenied).await;
    // And so does a partner's server.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = format!("localhost:{}", listener.local_addr().unwrap().port());
    let endpoint = Endpoint { oin: oin(RECEIVER), tcp, quic: None };
    let link = link(ca.tls(SENDER));
    let server = raw::serve_once(&listener, raw::server(&ca, nameless(), &[b"h2"]));
    let (outcome, ()) = within(async { tokio::join!(link.send(&endpoint, echo("x")), server) }).await;
    let error = outcome.unwrap_err();
    let LinkError::Tls { side: Side::Partner, problem, .. } = error else { panic!("{error}") };
    assert_eq!(problem, CertificateProblem::Nameless);
}

#[tokio::test]
async fn without_the_right_alpn_nothing_is_said() {
    let (lines, _guard) = Lines::capture();
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let client = |alpn: &[&[u8]]| raw::client(&ca, Some(ca.issue_for(SENDER)), &[&TLS13], alpn);
    let error = within(raw::handshake(&node, client(&[b"http/1.1"]))).await.unwrap_err();
    assert_eq!(alert(&error), Some(AlertDescription::NoApplicationProtocol));
    // A client that offers none is let through by TLS, and then dropped.
    let mut stream = raw::connect(&node, client(&[])).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    within(stream.read_to_end(&mut said)).await.unwrap();
    assert!(said.is_empty());
    assert!(lines.text().contains("no common protocol"), "{}", lines.text());
    quic_refused(&node, client(&[b"h3"]), AlertDescription::NoApplicationProtocol).await;
    still_works(&ca, &node).await;
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_apart_from_none() {
    let ca = Ca::new("Groep");
    for alpn in [&[b"http/1.1".as_slice()][..], &[]] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = format!("localhost:{}", listener.local_addr().unwrap().port());
        let endpoint = Endpoint { oin: oin(RECEIVER), tcp, quic: None };
        let link = link(ca.tls(SENDER));
        let server = raw::serve_once(&listener, raw::server(&ca, ca.issue_for(RECEIVER), alpn));
        let (outcome, ()) = within(async { tokio::join!(link.send(&endpoint, echo("x")), server) }).await;
        assert!(matches!(outcome, Err(LinkError::Protocol { .. })), "{outcome:?}");
    }
    let endpoint = Endpoint { oin: oin(RECEIVER), tcp: nobody(), quic: None };
    let error = link(ca.tls(SENDER)).send(&endpoint, echo("x")).await.unwrap_err();
    assert!(matches!(error, LinkError::Unreachable { .. }) && error.is_transient(), "{error}");
    let endpoint = Endpoint { tcp: "geen poort".into(), ..endpoint };
    let error = link(ca.tls(SENDER)).send(&endpoint, echo("x")).await.unwrap_err();
    assert!(matches!(error, LinkError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_answers_tls_with_plain_text_is_no_partner() {
    let ca = Ca::new("Groep");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = format!("localhost:{}", listener.local_addr().unwrap().port());
    let endpoint = Endpoint { oin: oin(RECEIVER), tcp, quic: None };
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        raw::swallow(&mut stream).await;
    };
    let link = link(ca.tls(SENDER));
    let (outcome, ()) = within(async { tokio::join!(link.send(&endpoint, echo("x")), server) }).await;
    assert!(matches!(outcome, Err(LinkError::Protocol { .. })), "{outcome:?}");
}

#[tokio::test]
async fn streams_that_break_the_framing_are_answered_with_400_or_not_at_all() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let config = raw::client(&ca, Some(ca.issue_for(SENDER)), &[&TLS13], &[b"schakel/1"]);
    let connection = raw::quic(&node, config).await.unwrap();
    let framed = |head: &str, body: &str| {
        let length = u32::try_from(head.len()).unwrap().to_be_bytes();
        [&length[..], head.as_bytes(), body.as_bytes()].concat()
    };
    let good = r#"{"methode":"POST","pad":"/echo","lengte":3}"#;
    for (said, status) in [
        (b"\xff\xff\xff\xffGET / HTTP/1.1\r\n\r\n".to_vec(), 400),
        (b"\0\0".to_vec(), 400),
        (framed("{}", ""), 400),
        (framed("geen json", ""), 400),
        (framed(r#"{"methode":"POST","pad":"echo","lengte":3}"#, "abc"), 400),
        (framed(good, "ab"), 400),
        (framed(good, "abcd"), 400),
        (framed(r#"{"methode":"POST","pad":"/echo","lengte":4194305}"#, ""), 413),
        (framed(r#"{"methode":"POST","pad":"/echo","lengte":18446744073709551615}"#, ""), 413),
        (framed(good, "abc"), 200),
    ] {
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        send.write_all(&said).await.unwrap();
        let _ = send.finish();
        let answer = within(receive.read_to_end(10_000)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains(&format!("\"status\":{status}")), "{said:?}: {answer}");
    }
    // One that is broken off has nobody to answer to.
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    send.write_all(b"\0").await.unwrap();
    send.reset(9_u32.into()).unwrap();
    assert_eq!(node.script.requests(), 1);
    still_works(&ca, &node).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let (mut sender, _connection) = raw::http2(&node, raw::good(&ca, SENDER)).await;
    let mut request = raw::post(&node, "/echo", Full::new(Bytes::new()));
    request.headers_mut().insert("x-groot", "x".repeat(20 << 10).parse().unwrap());
    let outcome = within(sender.send_request(request)).await;
    assert!(outcome.is_err() || outcome.is_ok_and(|answer| answer.status() == 431));
    let long = Request::get("/echo").with_query("x".repeat(20 << 10));
    let answer = link(ca.tls(SENDER)).send(&node.endpoint(Carrier::Quic), long).await.unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(node.script.requests(), 0);
    still_works(&ca, &node).await;
}
