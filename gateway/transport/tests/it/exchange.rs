//! Requests and answers, over both carriers.

use bytes::Bytes;
use transport::{Carrier, Limits, Link, LinkError, LinkOptions, Request, Response, Side};

use crate::common::{BOTH, Ca, Node, RECEIVER, SENDER, echo, pair, patient, within};

#[tokio::test]
async fn what_goes_in_comes_out() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let answer = link.send(&endpoint, echo("dag")).await.unwrap();
        assert_eq!(answer, Response::new(200, "text/plain", "dag"));
        assert_eq!(link.carrier(endpoint.oin), Some(carrier));
        let peer = node.script.peers().remove(0);
        assert_eq!(peer.oin.as_str(), SENDER);
        assert_eq!(peer.name, format!("Organisatie {SENDER}"));
    }
}

#[tokio::test]
async fn method_query_type_and_wait_travel_too() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let request = Request::get("/regel").with_query("van=1&tot=%C3%A9");
        let answer = link.send(&endpoint, request).await.unwrap();
        assert_eq!(answer.body, "GET Some(\"van=1&tot=%C3%A9\")");
        let answer = link.send(&endpoint, Request::get("/later")).await.unwrap();
        assert_eq!((answer.status, answer.retry_after), (503, Some(7)));
        assert_eq!(answer.content_type.as_deref(), Some("application/problem+json"));
        let answer = link.send(&endpoint, Request::get("/leeg")).await.unwrap();
        assert_eq!(answer, Response::empty(204));
    }
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        let endpoint = node.endpoint(carrier);
        for size in [64 << 10, 600 << 10, 4 << 20] {
            let body: Bytes = (0..size).map(|i: usize| u8::try_from(i % 251).unwrap()).collect();
            let answer = link.send(&endpoint, echo(body.clone())).await.unwrap();
            assert!(answer.body == body, "{carrier} {size}");
        }
        let answer = link.send(&endpoint, Request::get("/groot").with_query("4194304")).await.unwrap();
        assert_eq!(answer.body.len(), 4 << 20);
    }
}

#[tokio::test]
async fn a_body_over_our_own_limit_is_not_sent() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        let error = link.send(&node.endpoint(carrier), echo(vec![0; (4 << 20) + 1])).await.unwrap_err();
        assert_eq!(error, LinkError::TooLarge { side: Side::Own, limit: 4 << 20 });
        assert_eq!(node.script.requests(), 0);
    }
}

#[tokio::test]
async fn a_body_over_the_partners_limit_is_answered_with_413() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let limits = Limits { request_body: 1000, ..Limits::default() };
        let node = Node::with_limits(ca.tls(RECEIVER), limits).await;
        let link = Link::new(ca.tls(SENDER), patient());
        let endpoint = node.endpoint(carrier);
        for size in [1001, 4 << 20] {
            let answer = within(link.send(&endpoint, echo(vec![0; size]))).await.unwrap();
            assert_eq!(answer.status, 413, "{carrier}");
            assert_eq!(answer.content_type.as_deref(), Some("application/problem+json"));
            let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(problem["type"], "urn:schakel:probleem:te-groot");
            assert_eq!(problem["status"], 413);
        }
        assert_eq!(node.script.requests(), 0, "the handler is not bothered");
        assert_eq!(link.send(&endpoint, echo(vec![0; 1000])).await.unwrap().status, 200);
        assert_eq!(node.script.connections(), 1);
    }
}

#[tokio::test]
async fn an_answer_over_our_limit_is_not_taken_in() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let node = Node::start(ca.tls(RECEIVER)).await;
        let link = Link::new(ca.tls(SENDER), LinkOptions { response_body: 1000, ..patient() });
        let endpoint = node.endpoint(carrier);
        let request = Request::get("/groot").with_query("1001");
        let error = link.send(&endpoint, request).await.unwrap_err();
        assert_eq!(error, LinkError::TooLarge { side: Side::Partner, limit: 1000 });
        let answer = link.send(&endpoint, Request::get("/groot").with_query("1000")).await.unwrap();
        assert_eq!(answer.body.len(), 1000);
    }
}

#[tokio::test]
async fn a_handler_that_answers_too_much_or_panics_gives_500() {
    for carrier in BOTH {
        let (link, node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let request = Request::get("/groot").with_query("4194305");
        assert_eq!(link.send(&endpoint, request).await.unwrap().status, 500);
        assert_eq!(link.send(&endpoint, Request::get("/paniek")).await.unwrap().status, 500);
        assert_eq!(link.send(&endpoint, echo("verder")).await.unwrap().body, "verder");
        assert_eq!(node.script.connections(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_requests_share_one_connection() {
    for carrier in BOTH {
        let (link, mut node) = pair().await;
        let endpoint = node.endpoint(carrier);
        let mut requests = tokio::task::JoinSet::new();
        for i in 0..100 {
            let (link, endpoint) = (link.clone(), endpoint.clone());
            requests.spawn(async move {
                let body = format!("nummer {i}").repeat(1000);
                let answer = link.send(&endpoint, Request::post("/wacht", "text/plain", body.clone())).await;
                assert_eq!(answer.unwrap().body, body);
            });
        }
        // All of them are in flight before the first is answered.
        for _ in 0..100 {
            within(node.waits.started.recv()).await.unwrap();
        }
        node.waits.release(100);
        within(requests.join_all()).await;
        assert_eq!(node.script.connections(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_timeout() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let mut node = Node::start(ca.tls(RECEIVER)).await;
        let options = LinkOptions { request_time: std::time::Duration::from_secs(1), ..patient() };
        let link = Link::new(ca.tls(SENDER), options);
        let endpoint = node.endpoint(carrier);
        assert_eq!(link.send(&endpoint, echo("warm")).await.unwrap().status, 200);
        let error = within(link.send(&endpoint, Request::get("/wacht"))).await.unwrap_err();
        assert!(matches!(error, LinkError::Timeout { .. }), "{error}");
        assert!(error.is_transient());
        // Nobody waits for it any more, and still it is handled to its end.
        node.waits.started.recv().await.unwrap();
        node.waits.release(1);
        within(node.waits.finished.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_refused_here() {
    let (link, node) = pair().await;
    let request = Request::get("/met spatie");
    let error = link.send(&node.endpoint(Carrier::Tcp), request).await.unwrap_err();
    assert!(matches!(error, LinkError::Protocol { .. }), "{error}");
    assert_eq!(node.script.requests(), 0);
}
