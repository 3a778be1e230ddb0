#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::*;

fn of(names: &[(DnType, &str)]) -> Option<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in names {
        params.distinguished_name.push(kind.clone(), *value);
    }
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    Holder::read(certificate.der()).unwrap().subject
}

/// Whoever may choose a name in a certificate cannot write itself into another subject.
#[test]
fn two_subjects_are_never_written_the_same() {
    let two = of(&[(DnType::OrganizationName, "Rivierstad"), (DnType::CommonName, "zaaksysteem")]);
    assert_eq!(two.as_deref(), Some("O=Rivierstad, CN=zaaksysteem"));
    let one = of(&[(DnType::OrganizationName, "Rivierstad, CN=zaaksysteem")]);
    assert_eq!(one.as_deref(), Some("O=Rivierstad\\, CN\\=zaaksysteem"));
    assert_eq!(of(&[(DnType::CommonName, "a\nb")]), None);
    assert_eq!(of(&[(DnType::CustomDnType(vec![1, 2, 3, 4]), "x")]).as_deref(), Some("1.2.3.4=x"));
    assert_eq!(of(&[(DnType::CommonName, &"x".repeat(2_000))]), None);
    assert_eq!(of(&[]), None);
}
