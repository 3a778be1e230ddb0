use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::*;

/// DER of `dnQualifier`'s and `serialNumber`'s object identifiers.
const QUALIFIER: &[u8] = &[6, 3, 0x55, 4, 46];
const SERIAL: &[u8] = &[6, 3, 0x55, 4, 5];

fn certificate(attributes: &[(DnType, &str)]) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in attributes {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

fn serial() -> DnType {
    DnType::CustomDnType(vec![2, 5, 4, 5])
}

#[test]
fn a_certificate_names_an_organisation() {
    let certificate =
        certificate(&[(serial(), "00000099000000001000"), (DnType::OrganizationName, "Gemeente Rivierstad")]);
    let peer = Peer::from_certificate(&certificate).unwrap();
    assert_eq!(peer.oin.as_str(), "00000099000000001000");
    assert_eq!(peer.name, "Gemeente Rivierstad");
    assert_eq!(peer.fingerprint, Digest::of(&certificate));
}

#[test]
fn two_serial_numbers_are_nobodys() {
    let one = certificate(&[
        (serial(), "00000099000000001000"),
        (DnType::CustomDnType(vec![2, 5, 4, 46]), "00000099000000002000"),
        (DnType::OrganizationName, "Twee"),
    ]);
    assert!(Peer::from_certificate(&one).is_ok());
    // Tools refuse to make one, so the other attribute is renamed afterwards. Signatures are not judged here.
    let mut der = one.to_vec();
    for start in 0..der.len() - QUALIFIER.len() {
        if der[start..].starts_with(QUALIFIER) {
            der[start..start + SERIAL.len()].copy_from_slice(SERIAL);
        }
    }
    assert_eq!(Peer::from_certificate(&CertificateDer::from(der)), Err(PeerError::SerialNumbers(2)));
}

#[test]
fn what_names_no_organisation_says_why() {
    let name = || (DnType::OrganizationName, "Gemeente");
    let long = "x".repeat(NAME_LENGTH + 1);
    for (attributes, error) in [
        (vec![name()], PeerError::SerialNumbers(0)),
        (vec![name(), (serial(), "123")], PeerError::NotAnOin),
        (vec![(serial(), "00000099000000001000")], PeerError::NoName),
        (vec![(serial(), "00000099000000001000"), (DnType::OrganizationName, " ")], PeerError::NoName),
        (vec![(serial(), "00000099000000001000"), (DnType::OrganizationName, "a\nb")], PeerError::NoName),
        (vec![(serial(), "00000099000000001000"), (DnType::OrganizationName, &long)], PeerError::NoName),
    ] {
        assert_eq!(Peer::from_certificate(&certificate(&attributes)), Err(error));
    }
    assert_eq!(Peer::from_certificate(&CertificateDer::from(vec![1, 2, 3])), Err(PeerError::Unreadable));
}
