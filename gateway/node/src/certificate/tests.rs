use exchange::random::SeededRandom;
use transport::{Identity, Tls, TlsOptions, Trust};

use super::*;

fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

fn subject(host: &str) -> Subject<'_> {
    Subject { oin: "00000099000000001000".parse().unwrap(), name: "Gemeente Rivierstad", host }
}

#[test]
fn a_certificate_of_a_trial_authority_names_the_organisation() {
    let random = SeededRandom::new(1);
    let authority = TrialAuthority::create("Proef", now(), &random).unwrap();
    for host in ["127.0.0.1", "schakel.rivierstad.test"] {
        let pair = authority.issue(subject(host), now(), &random).unwrap();
        let identity = Identity::from_pem(pair.public.as_bytes(), pair.private.as_bytes()).unwrap();
        let trust = Trust::from_pem(authority.certificate().as_bytes(), b"").unwrap();
        let clock = std::sync::Arc::new(exchange::clock::ManualClock::at(now()));
        let tls = Tls::new(identity, &trust, TlsOptions { tls12: false }, clock).unwrap();
        assert_eq!(tls.own().oin, subject(host).oin);
        assert_eq!(tls.own().name, "Gemeente Rivierstad");
    }
}

#[test]
fn an_authority_loads_again() {
    let random = SeededRandom::new(1);
    let authority = TrialAuthority::create("Proef", now(), &random).unwrap();
    let again = TrialAuthority::load(authority.certificate(), &authority.private_key()).unwrap();
    assert_eq!(again.certificate(), authority.certificate());
    assert!(again.issue(subject("127.0.0.1"), now(), &random).is_ok());
}

#[test]
fn a_request_is_pem() {
    let pair = request(subject("schakel.rivierstad.test")).unwrap();
    assert!(pair.public.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    assert!(pair.private.contains("PRIVATE KEY"));
}
