use super::*;

fn problems() -> Vec<CertificateProblem> {
    vec![
        CertificateProblem::UnknownIssuer,
        CertificateProblem::Expired,
        CertificateProblem::NotYetValid,
        CertificateProblem::Revoked,
        CertificateProblem::RevocationUnknown,
        CertificateProblem::WrongHost { host: "knooppunt.voorbeeld.test".into() },
        CertificateProblem::Nameless,
        CertificateProblem::NotPresented,
        CertificateProblem::Unsuitable { reason: "x".into() },
    ]
}

fn errors() -> Vec<LinkError> {
    let address = String::from("knooppunt.voorbeeld.test:8443");
    let oin = |text: &str| text.parse().unwrap();
    let mut errors = vec![
        LinkError::Unreachable { address: address.clone(), reason: "x".into() },
        LinkError::Timeout { address: address.clone(), after: Duration::from_mins(1) },
        LinkError::WrongOin {
            address: address.clone(),
            expected: oin("00000099000000001000"),
            found: oin("00000099000000002000"),
        },
        LinkError::Protocol { address: address.clone(), reason: "x".into() },
        LinkError::TooLarge { side: Side::Own, limit: 4 << 20 },
        LinkError::TooLarge { side: Side::Partner, limit: 1000 },
        LinkError::Shutdown,
    ];
    for side in [Side::Own, Side::Partner] {
        for problem in problems() {
            errors.push(LinkError::Tls { address: address.clone(), side, problem });
        }
    }
    errors
}

#[test]
fn every_error_says_in_dutch_sentences_what_is_wrong_and_what_to_do() {
    for error in errors() {
        for text in [error.explanation().as_str(), error.remedy()] {
            assert!(text.ends_with('.') && text.len() > 20, "{text}");
            assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
        }
    }
}

#[test]
fn only_what_waiting_can_solve_is_transient() {
    let transient: Vec<_> = errors().into_iter().filter(LinkError::is_transient).collect();
    assert!(matches!(
        transient.as_slice(),
        [LinkError::Unreachable { .. }, LinkError::Timeout { .. }, LinkError::Shutdown]
    ));
}

#[test]
fn a_port_in_use_is_named() {
    let error = BindError {
        carrier: Carrier::Quic,
        address: "127.0.0.1:8443".parse().unwrap(),
        source: io::ErrorKind::AddrInUse.into(),
    };
    assert_eq!(
        error.remedy(),
        "Poort 8443 (UDP) is al in gebruik. Stop het andere programma of kies een andere poort."
    );
}
