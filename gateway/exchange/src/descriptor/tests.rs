#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::testing::{ARREARS, corporation, log_signer, signer};

fn descriptor() -> Descriptor {
    Descriptor {
        oin: corporation(),
        naam: "Woningcorporatie De Sleutel".into(),
        soort: OrganisationKind::HousingCorporation,
        adressen: Addresses { tcp: "knooppunt.voorbeeld.test:8443".into(), quic: None },
        sleutels: vec![signer(1).public_key().clone()],
        logsleutel: log_signer(1).verifier().to_string(),
        berichttypen: vec![ARREARS.into()],
        loketten: vec![Desk {
            loket: "huur".into(),
            naam: "Huurincasso".into(),
            openingstijden: Some("maandag tot en met vrijdag, 9 tot 17 uur".into()),
            ..Desk::default()
        }],
        protocolversies: vec!["1".into()],
    }
}

#[test]
fn a_descriptor_reads_back_from_its_signed_form() {
    let compact = descriptor().sign(&signer(1)).unwrap();
    assert_eq!(Descriptor::verify(&compact).unwrap(), descriptor());
    assert_eq!(
        Descriptor::verify(&format!("{compact}\n")).unwrap(),
        descriptor(),
        "a file ends with a line feed"
    );
}

#[test]
fn a_descriptor_that_partners_would_refuse_is_not_signed() {
    let refused = |change: fn(&mut Descriptor)| {
        let mut descriptor = descriptor();
        change(&mut descriptor);
        descriptor.sign(&signer(1)).unwrap_err()
    };
    assert!(matches!(refused(|d| d.naam = "Twee\nregels".into()), DescriptorError::Schema(_)));
    assert!(matches!(refused(|d| d.adressen.tcp = "zonder-poort".into()), DescriptorError::Schema(_)));
    assert!(matches!(
        refused(|d| d.sleutels = vec![signer(2).public_key().clone()]),
        DescriptorError::Signature
    ));
    assert!(matches!(
        refused(|d| d.logsleutel = log_signer(2).verifier().to_string()),
        DescriptorError::LogKey
    ));
}

#[test]
fn a_descriptor_signed_by_another_is_refused() {
    let json = serde_json::to_string(&descriptor()).unwrap();
    let by_stranger = jws::sign(jws::DESCRIPTOR, json.as_bytes(), &signer(2));
    assert!(matches!(Descriptor::verify(&by_stranger), Err(DescriptorError::Signature)));
    let another_type = jws::sign(jws::MESSAGE, json.as_bytes(), &signer(1));
    assert!(matches!(Descriptor::verify(&another_type), Err(DescriptorError::Signature)));
    let compact = descriptor().sign(&signer(1)).unwrap();
    let (input, _) = compact.rsplit_once('.').unwrap();
    let signature = by_stranger.rsplit_once('.').unwrap().1;
    assert!(matches!(Descriptor::verify(&format!("{input}.{signature}")), Err(DescriptorError::Signature)));
    assert!(matches!(Descriptor::verify(""), Err(DescriptorError::Signature)));
    let no_json = jws::sign(jws::DESCRIPTOR, b"geen JSON", &signer(1));
    assert!(matches!(Descriptor::verify(&no_json), Err(DescriptorError::Schema(_))));
}
