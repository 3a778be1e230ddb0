#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

#[test]
fn every_kind_has_one_name_everywhere() {
    for kind in OrganisationKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), serde_json::Value::from(kind.as_str()));
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(UnknownKind.to_string().contains(kind.as_str()));
    }
    assert_eq!("ministerie".parse::<OrganisationKind>(), Err(UnknownKind));
}

/// The kinds are those of the published schema.
#[test]
fn the_kinds_are_those_of_the_schema() {
    let vocabulary: serde_json::Value = serde_json::from_str(schemas::vocabulary()).unwrap();
    let published = &vocabulary["$defs"]["soort_organisatie"]["enum"];
    let ours: Vec<&str> = OrganisationKind::ALL.into_iter().map(OrganisationKind::as_str).collect();
    assert_eq!(*published, serde_json::Value::from(ours));
}

#[test]
fn authorities_may_have_a_bsn() {
    for kind in OrganisationKind::ALL {
        assert!(!kind.is_authority() || kind.may_process_bsn(), "{kind}");
    }
}
