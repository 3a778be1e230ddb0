#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

fn refused(employee: Option<&str>, reference: Option<&str>) -> Option<String> {
    let (medewerker, kenmerk) = (employee.map(str::to_owned), reference.map(str::to_owned));
    let caller = Caller { medewerker, reden: None, kenmerk };
    let access = caller.access(Deed::Inzien, Reason::Controle, None, Timestamp::UNIX_EPOCH);
    access.err().map(|error| error.to_string())
}

/// What is recorded of who looks stays, so no citizen service number may be in it.
#[test]
fn no_citizen_service_number_is_kept_of_who_looks() {
    for text in ["999990342", "AVG 999990342", "999.990.342", "BSN: 9999 90 342.", "zaak-123456782"] {
        let reference = refused(None, Some(text)).unwrap_or_default();
        assert!(reference.contains("geen BSN bij --kenmerk"), "{text}: {reference}");
        let employee = refused(Some(text), None).unwrap_or_default();
        assert!(employee.contains("geen BSN bij --medewerker"), "{text}: {employee}");
    }
    for text in ["999990343", "Z-2026-0412", "Z-1234-56782", "1234567829", "A. de Vries (4.12)"] {
        assert_eq!((refused(None, Some(text)), refused(Some(text), None)), (None, None), "{text}");
    }
}
