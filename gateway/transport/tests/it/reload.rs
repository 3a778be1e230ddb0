//! Certificates and lists are replaced while connections live.

use transport::{Carrier, CertificateProblem, LinkError, Request, Side, TlsError, Trust};

use crate::common::{BOTH, Ca, NOW, Node, Paper, RECEIVER, SENDER, echo, link, tls, within};

#[tokio::test]
async fn a_sender_shows_its_new_certificate_at_the_next_request() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let own = ca.tls(SENDER);
        let link = link(own.clone());
        let node = Node::start(ca.tls(RECEIVER)).await;
        let endpoint = node.endpoint(carrier);
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        let longer = Paper { not_after: NOW + 1000, ..Paper::of(SENDER) };
        own.reload(ca.issue(&longer), &ca.trust()).unwrap();
        assert_eq!(own.certificate_expiry(), i64::try_from(NOW + 1000).unwrap());
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        let peers = node.script.peers();
        assert_ne!(peers[0].fingerprint, peers[1].fingerprint);
        assert_eq!(peers[1].fingerprint, own.own().fingerprint);
        assert_eq!(link.carrier(endpoint.oin), Some(carrier));
    }
}

#[tokio::test]
async fn a_receiver_shows_its_new_certificate_to_who_connects() {
    for carrier in BOTH {
        let (ca, next) = (Ca::new("Groep"), Ca::new("Volgende groep"));
        let node = Node::start(ca.tls(RECEIVER)).await;
        let endpoint = node.endpoint(carrier);
        let mut trust = ca.trust();
        let old = link(tls(ca.issue_for(SENDER), &trust));
        assert_eq!(old.send(&endpoint, echo("x")).await.unwrap().status, 200);
        node.tls.reload(next.issue_for(RECEIVER), &ca.trust()).unwrap();
        // Who is connected is not disturbed.
        assert_eq!(old.send(&endpoint, echo("x")).await.unwrap().status, 200);
        assert_eq!(node.script.connections(), 1);
        let error = link(tls(ca.issue_for(SENDER), &trust)).send(&endpoint, echo("x")).await;
        assert!(matches!(
            error,
            Err(LinkError::Tls { side: Side::Partner, problem: CertificateProblem::UnknownIssuer, .. })
        ));
        trust.anchors.extend(next.trust().anchors);
        let new = link(tls(ca.issue_for(SENDER), &trust));
        assert_eq!(new.send(&endpoint, echo("x")).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn what_is_in_flight_survives_a_reload_of_both_sides() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let own = ca.tls(SENDER);
        let link = link(own.clone());
        let mut node = Node::start(ca.tls(RECEIVER)).await;
        let endpoint = node.endpoint(carrier);
        let reloading = async {
            node.waits.started.recv().await.unwrap();
            own.reload(ca.issue_for(SENDER), &ca.trust()).unwrap();
            node.tls.reload(ca.issue_for(RECEIVER), &ca.trust()).unwrap();
            // The next request goes over another connection, while this one still waits.
            assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
            node.waits.release(1);
        };
        let waiting = link.send(&endpoint, Request::post("/wacht", "text/plain", "x"));
        let (answer, ()) = Box::pin(within(async { tokio::join!(waiting, reloading) })).await;
        assert_eq!(answer.unwrap().status, 200);
        assert_eq!((node.script.requests(), node.script.connections()), (2, 2));
    }
}

#[tokio::test]
async fn a_partner_that_gets_revoked_is_put_out() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let revoked = || ca.issue(&Paper { serial: 7, ..Paper::of(SENDER) });
        let (bad, good) = (link(tls(revoked(), &ca.trust())), link(ca.tls(SENDER)));
        let node = Node::start(ca.tls(RECEIVER)).await;
        let endpoint = node.endpoint(carrier);
        for link in [&bad, &good] {
            assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        }
        node.tls.reload(ca.issue_for(RECEIVER), &ca.trust_but(&ca.crl(&[7]))).unwrap();
        // Until the node has looked at its connections a request may still slip through.
        let error = within(async {
            loop {
                if let Err(error) = bad.send(&endpoint, echo("x")).await {
                    return error;
                }
            }
        });
        let error = error.await;
        assert!(
            matches!(&error, LinkError::Tls { side: Side::Own, problem: CertificateProblem::Revoked, .. }),
            "{error}"
        );
        assert_eq!(good.send(&endpoint, echo("x")).await.unwrap().status, 200);
        let peers = node.script.peers();
        let (first, last) = (&peers[1], peers.last().unwrap());
        assert!(std::sync::Arc::ptr_eq(first, last), "the others are not disturbed");
    }
}

#[tokio::test]
async fn a_reload_that_cannot_be_used_changes_nothing() {
    let ca = Ca::new("Groep");
    let own = ca.tls(SENDER);
    let before = own.own();
    let error = own.reload(ca.issue_for(SENDER), &Trust::default()).unwrap_err();
    assert!(matches!(error, TlsError::NoAnchors));
    let nameless = Paper { serial_numbers: vec![], ..Paper::of(SENDER) };
    let error = own.reload(ca.issue(&nameless), &ca.trust()).unwrap_err();
    assert!(matches!(error, TlsError::Nameless(_)));
    assert_eq!(own.own(), before);
    let node = Node::start(ca.tls(RECEIVER)).await;
    let answer = link(own).send(&node.endpoint(Carrier::Tcp), echo("x")).await;
    assert_eq!(answer.unwrap().status, 200);
}
