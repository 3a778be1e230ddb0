//! Whose certificate is refused, by whom, and what is said about it. On both carriers.

use exchange::clock::Clock as _;
use jiff::SignedDuration;
use rcgen::ExtendedKeyUsagePurpose;
use transport::{
    Carrier, CertificateProblem, Endpoint, Identity, LinkError, Side, Tls, TlsError, TlsOptions, Trust,
};

use crate::common::{BOTH, Ca, DAY, NOW, Node, Paper, RECEIVER, SENDER, clock, echo, link, oin, tls, within};

/// Sends once from one node to the other, which must fail on a certificate, without the handler noticing.
async fn refusal(sender: Tls, receiver: Tls, carrier: Carrier) -> LinkError {
    let node = Node::start(receiver).await;
    let link = link(sender);
    let error = within(link.send(&node.endpoint(carrier), echo("x"))).await.unwrap_err();
    assert_eq!(node.script.requests(), 0);
    assert!(!error.is_transient(), "{error}");
    error
}

fn found(error: LinkError) -> (Side, CertificateProblem) {
    match error {
        LinkError::Tls { side, problem, .. } => (side, problem),
        other => panic!("{other}"),
    }
}

async fn receiver_refused(receiver: &Identity, trust: Trust, expected: &CertificateProblem) {
    for carrier in BOTH {
        let ca = Ca::new("Alleen voor de zender");
        // Both trust everything, so that only this certificate can be at fault.
        let mut both = trust.clone();
        both.anchors.extend(ca.trust().anchors);
        let sender = tls(ca.issue_for(SENDER), &both);
        let receiver = tls(receiver.clone(), &ca.trust());
        assert_eq!(found(refusal(sender, receiver, carrier).await), (Side::Partner, expected.clone()));
    }
}

async fn sender_refused(sender: &Identity, trust: Trust, expected: &CertificateProblem) {
    for carrier in BOTH {
        let ca = Ca::new("Alleen voor de ontvanger");
        let sender = tls(sender.clone(), &ca.trust());
        let receiver = tls(ca.issue_for(RECEIVER), &trust);
        assert_eq!(
            found(refusal(sender, receiver, carrier).await),
            (Side::Own, expected.clone()),
            "{carrier}"
        );
    }
}

fn expired(oin: &str) -> Paper {
    Paper { not_after: NOW - 1, ..Paper::of(oin) }
}

fn not_yet_valid(oin: &str) -> Paper {
    Paper { not_before: NOW + DAY, ..Paper::of(oin) }
}

#[tokio::test]
async fn a_foreign_certificate() {
    let (ca, foreign) = (Ca::new("Groep"), Ca::new("Vreemd"));
    receiver_refused(&foreign.issue_for(RECEIVER), ca.trust(), &CertificateProblem::UnknownIssuer).await;
    sender_refused(&foreign.issue_for(SENDER), ca.trust(), &CertificateProblem::UnknownIssuer).await;
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_another() {
    let (ca, foreign) = (Ca::new("Groep"), Ca::new("Groep"));
    let problem = CertificateProblem::UnknownIssuer;
    receiver_refused(&foreign.issue_for(RECEIVER), ca.trust(), &problem).await;
    sender_refused(&foreign.issue_for(SENDER), ca.trust(), &problem).await;
}

#[tokio::test]
async fn an_expired_certificate() {
    let ca = Ca::new("Groep");
    receiver_refused(&ca.issue(&expired(RECEIVER)), ca.trust(), &CertificateProblem::Expired).await;
    sender_refused(&ca.issue(&expired(SENDER)), ca.trust(), &CertificateProblem::Expired).await;
}

#[tokio::test]
async fn a_certificate_of_the_future() {
    let ca = Ca::new("Groep");
    receiver_refused(&ca.issue(&not_yet_valid(RECEIVER)), ca.trust(), &CertificateProblem::NotYetValid).await;
    // TLS has one alert for both.
    sender_refused(&ca.issue(&not_yet_valid(SENDER)), ca.trust(), &CertificateProblem::Expired).await;
}

#[tokio::test]
async fn a_revoked_certificate() {
    let ca = Ca::new("Groep");
    let crl = ca.crl(&[7]);
    let revoked = |oin| ca.issue(&Paper { serial: 7, ..Paper::of(oin) });
    // The sender of `receiver_refused` has another issuer, whose certificates this side need not judge.
    receiver_refused(&revoked(RECEIVER), ca.trust_but(&crl), &CertificateProblem::Revoked).await;
    sender_refused(&revoked(SENDER), ca.trust_but(&crl), &CertificateProblem::Revoked).await;
}

#[tokio::test]
async fn with_a_list_others_of_the_issuer_remain_good() {
    let ca = Ca::new("Groep");
    let trust = ca.trust_but(&ca.crl(&[7]));
    for carrier in BOTH {
        let node = Node::start(tls(ca.issue_for(RECEIVER), &trust)).await;
        let link = link(tls(ca.issue_for(SENDER), &trust));
        assert_eq!(link.send(&node.endpoint(carrier), echo("x")).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn with_lists_an_issuer_without_one_is_not_taken_on_its_word() {
    let (ca, other) = (Ca::new("Groep"), Ca::new("Andere groep"));
    let mut trust = ca.trust();
    trust.crls = other.trust_but(&other.crl(&[])).crls;
    receiver_refused(&ca.issue_for(RECEIVER), trust.clone(), &CertificateProblem::RevocationUnknown).await;
    // TLS has one alert for both.
    sender_refused(&ca.issue_for(SENDER), trust, &CertificateProblem::UnknownIssuer).await;
}

#[tokio::test]
async fn a_certificate_for_another_host() {
    let ca = Ca::new("Groep");
    let paper = Paper { hosts: vec!["knooppunt.voorbeeld.test".into()], ..Paper::of(RECEIVER) };
    let problem = CertificateProblem::WrongHost { host: "localhost".into() };
    receiver_refused(&ca.issue(&paper), ca.trust(), &problem).await;
}

#[tokio::test]
async fn a_host_may_be_an_address() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    let by_address = |port| format!("127.0.0.1:{port}");
    for quic in [None, node.server.quic_addr().map(|quic| by_address(quic.port()))] {
        let endpoint = Endpoint { oin: oin(RECEIVER), tcp: by_address(node.server.tcp_addr().port()), quic };
        assert_eq!(link(ca.tls(SENDER)).send(&endpoint, echo("x")).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_certificate_for_one_side_only() {
    let ca = Ca::new("Groep");
    let of = |oin, usage| ca.issue(&Paper { usages: vec![usage], ..Paper::of(oin) });
    for carrier in BOTH {
        let receiver = tls(of(RECEIVER, ExtendedKeyUsagePurpose::ClientAuth), &ca.trust());
        let (side, problem) = found(refusal(ca.tls(SENDER), receiver, carrier).await);
        assert!(
            matches!((side, &problem), (Side::Partner, CertificateProblem::Unsuitable { .. })),
            "{problem}"
        );
        let sender = tls(of(SENDER, ExtendedKeyUsagePurpose::ServerAuth), &ca.trust());
        let (side, problem) = found(refusal(sender, ca.tls(RECEIVER), carrier).await);
        assert!(matches!((side, &problem), (Side::Own, CertificateProblem::Unsuitable { .. })), "{problem}");
    }
}

#[tokio::test]
async fn somebody_else_at_the_partners_address() {
    let ca = Ca::new("Groep");
    let node = Node::start(ca.tls(RECEIVER)).await;
    for carrier in BOTH {
        let endpoint = Endpoint { oin: oin("00000099000000003000"), ..node.endpoint(carrier) };
        let error = within(link(ca.tls(SENDER)).send(&endpoint, echo("x"))).await.unwrap_err();
        let LinkError::WrongOin { expected, found, .. } = error else { panic!("{error}") };
        assert_eq!((expected, found), (endpoint.oin, oin(RECEIVER)));
    }
    assert_eq!(node.script.requests(), 0);
}

#[tokio::test]
async fn a_chain_needs_its_intermediates() {
    let root = Ca::new("Stam");
    let between = root.intermediate("Tussen");
    let mut identity = between.issue_for(SENDER);
    sender_refused(&identity, root.trust(), &CertificateProblem::UnknownIssuer).await;
    identity.certificate_chain.extend(between.trust().anchors);
    for carrier in BOTH {
        let node = Node::start(root.tls(RECEIVER)).await;
        let link = link(tls(identity.clone(), &root.trust()));
        assert_eq!(link.send(&node.endpoint(carrier), echo("x")).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn tls_1_2_only_where_it_is_turned_on() {
    use rustls::version::TLS12;
    let ca = Ca::new("Groep");
    for tls12 in [false, true] {
        let receiver = Tls::new(ca.issue_for(RECEIVER), &ca.trust(), TlsOptions { tls12 }, clock()).unwrap();
        let node = Node::start(receiver).await;
        let client = crate::raw::client(&ca, Some(ca.issue_for(SENDER)), &[&TLS12], &[b"h2"]);
        let outcome = crate::raw::handshake(&node, client).await;
        assert_eq!(outcome.is_ok(), tls12);
        let sender = || Tls::new(ca.issue_for(SENDER), &ca.trust(), TlsOptions { tls12 }, clock()).unwrap();
        for carrier in BOTH {
            assert_eq!(link(sender()).send(&node.endpoint(carrier), echo("x")).await.unwrap().status, 200);
        }
        // 1.3 goes on working either way.
        let answer = link(ca.tls(SENDER)).send(&node.endpoint(Carrier::Tcp), echo("x")).await;
        assert_eq!(answer.unwrap().status, 200);
    }
}

#[test]
fn a_node_does_not_start_as_nobody() {
    let ca = Ca::new("Groep");
    let paper = || Paper::of(SENDER);
    for nameless in [
        Paper { serial_numbers: vec![], ..paper() },
        Paper { serial_numbers: vec!["12345".into()], ..paper() },
        Paper { name: None, ..paper() },
        Paper { name: Some("regel\u{7}bel".into()), ..paper() },
    ] {
        let error = Tls::new(ca.issue(&nameless), &ca.trust(), TlsOptions::default(), clock()).unwrap_err();
        assert!(matches!(error, TlsError::Nameless(_)), "{error}");
        assert!(error.remedy().contains("OIN"));
    }
}

#[test]
fn a_node_does_not_start_with_pieces_that_do_not_fit() {
    let ca = Ca::new("Groep");
    let start = |identity, trust| Tls::new(identity, &trust, TlsOptions::default(), clock()).unwrap_err();
    let (one, other) = (ca.issue_for(SENDER), ca.issue_for(SENDER));
    let mixed = Identity { key: other.key, ..one };
    assert!(matches!(start(mixed, ca.trust()), TlsError::KeyMismatch));
    assert!(matches!(start(ca.issue_for(SENDER), Trust::default()), TlsError::NoAnchors));
    let empty = Identity { certificate_chain: vec![], ..ca.issue_for(SENDER) };
    assert!(matches!(start(empty, ca.trust()), TlsError::NoCertificate { .. }));
}

#[test]
fn files_are_read_as_pem_or_der_and_named_when_they_fail() {
    let ca = Ca::new("Groep");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let pem = file("ca.pem", ca.pem.as_bytes());
    let der = file("ca.cer", &ca.trust().anchors[0]);
    let crl = ca.crl(&[1]);
    let crl_pem = file("lijst.pem", crl.as_bytes());
    let crl_der = file("lijst.crl", ca.trust_but(&crl).crls[0].as_ref());
    let trust = Trust::from_files(&[pem.clone(), der], &[crl_pem, crl_der]).unwrap();
    assert_eq!((trust.anchors.len(), trust.crls.len()), (2, 2));
    assert_eq!(trust.anchors[0], trust.anchors[1]);
    assert_eq!(trust.crls[0].as_ref(), trust.crls[1].as_ref());
    let due = Tls::new(ca.issue_for(SENDER), &trust, TlsOptions::default(), clock()).unwrap();
    assert_eq!(due.revocation_update_due(), Some(i64::try_from(NOW + DAY).unwrap()));

    let empty = file("leeg.pem", b"");
    assert!(matches!(
        Trust::from_files(std::slice::from_ref(&empty), &[]),
        Err(TlsError::NoCertificate { .. })
    ));
    assert!(matches!(
        Trust::from_files(&[], std::slice::from_ref(&pem)),
        Err(TlsError::NoRevocationList { .. })
    ));
    assert!(matches!(Identity::from_pem_files(&pem, &empty), Err(TlsError::NoKey { .. })));
    let error = Identity::from_pem_files(folder.path().join("weg.pem"), empty).unwrap_err();
    assert!(matches!(&error, TlsError::Unreadable { .. }) && error.remedy().contains("weg.pem"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_expires_on_a_live_connection_ends_it() {
    for carrier in BOTH {
        let ca = Ca::new("Groep");
        let time = clock();
        let receiver =
            Tls::new(ca.issue_for(RECEIVER), &ca.trust(), TlsOptions::default(), time.clone()).unwrap();
        let node = Node::start(receiver).await;
        let soon = ca.issue(&Paper { not_after: NOW + 60, ..Paper::of(SENDER) });
        let link = link(tls(soon, &ca.trust()));
        let endpoint = node.endpoint(carrier);
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 200);
        time.advance(SignedDuration::from_secs(61));
        assert!(time.now().as_second() > i64::try_from(NOW).unwrap());
        assert_eq!(link.send(&endpoint, echo("x")).await.unwrap().status, 403);
        // The connection goes, and the next cannot be made.
        let error = within(async {
            loop {
                match link.send(&endpoint, echo("x")).await {
                    Ok(answer) => assert_eq!(answer.status, 403),
                    Err(error) => return error,
                }
            }
        });
        assert_eq!(found(error.await), (Side::Own, CertificateProblem::Expired));
        assert_eq!(node.script.requests(), 1);
    }
}
