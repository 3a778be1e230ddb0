//! A document exists only if it is valid, and says what it holds.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const SIGNAL: &str = r#"{"grondslag":{"soort":"wettelijke-verplichting","artikelen":["Wgs art. 3 lid 1 onder b"],"voorwaarden":{"persoonlijk-contact":true,"gewezen-op-schuldhulp":true,"schriftelijke-herinnering":true,"aanbod-doorgeven-zonder-bezwaar":false}},"betrokkene":{"naam":{"voorletters":"E.","voorvoegsel":"van den","achternaam":"Brouwer"},"geboortedatum":"1974-01-20","adres":{"straat":"Lindelaan","huisnummer":19,"huisnummertoevoeging":"hs","postcode":"4906AN","woonplaats":"Rivierstad"},"contact":{"telefoon":"0000166131","email":"x@voorbeeld.test"}},"inhoud":{"soort_schuld":"huur","bedrag_in_centen":50884,"achterstand_sinds":"2026-10-09","aantal_termijnen":1,"peildatum":"2026-11-16","crisis":false}}"#;

fn signal(text: &str) -> Result<Document, ParseError> {
    Document::parse(SchemaName::PaymentArrears, text.as_bytes())
}

#[test]
fn a_valid_signal_is_kept_byte_for_byte() {
    let document = signal(SIGNAL).unwrap();
    assert_eq!(document.json(), SIGNAL);
    assert_eq!(document.schema(), SchemaName::PaymentArrears);
}

#[test]
fn it_states_its_basis_and_what_it_holds() {
    let document = signal(SIGNAL).unwrap();
    let basis = document.basis();
    assert_eq!(basis.kind, BasisKind::LegalObligation);
    assert_eq!(basis.articles, ["Wgs art. 3 lid 1 onder b"]);
    assert_eq!(basis.conditions.len(), 4);
    assert_eq!(basis.conditions.get("aanbod-doorgeven-zonder-bezwaar"), Some(&false));
    assert_eq!(basis.consent, None);
    let categories: Vec<&str> = document.uses().categories.iter().map(|category| category.as_str()).collect();
    assert_eq!(categories, ["proces", "identificatie", "adres", "contact", "financieel"]);
    assert!(!document.uses().bsn);
}

#[test]
fn a_consent_extract_is_read() {
    let extract = r#"{"soort":"toestemming","toestemming":{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","digest":"sha256:00","verleend_aan":["00000099000000002000"],"doelen":["overdracht-werk-en-inkomen"],"gegevens":{"categorieen":["gezondheid"],"leefgebieden":["wonen"]},"geldig_tot":"2027-05-01T00:00:00+02:00"},"artikelen":[]"#
        .replace("sha256:00", &format!("sha256:{}", "00".repeat(32)));
    let text = SIGNAL.replacen(
        r#"{"soort":"wettelijke-verplichting","artikelen":["Wgs art. 3 lid 1 onder b"]"#,
        &extract,
        1,
    );
    let document = signal(&text).unwrap();
    let consent = document.basis().consent.as_ref().unwrap();
    assert_eq!(consent.valid_until, "2027-04-30T22:00:00Z".parse().unwrap());
    assert_eq!(consent.data.categories, [Category::Health]);
    assert_eq!(consent.data.life_domains, [LifeDomain::Housing]);
    assert_eq!(consent.granted_to, ["00000099000000002000"]);
}

#[test]
fn debug_shows_no_content() {
    let shown = format!("{:?}", signal(SIGNAL).unwrap());
    assert_eq!(shown, "Document { schema: PaymentArrears, .. }");
}

#[test]
fn every_basis_kind_has_one_name() {
    for kind in [
        "toestemming",
        "overeenkomst",
        "wettelijke-verplichting",
        "vitaal-belang",
        "publieke-taak",
        "gerechtvaardigd-belang",
    ] {
        let read: BasisKind = serde_json::from_value(kind.into()).unwrap();
        assert_eq!(read.as_str(), kind);
        assert_eq!(read.to_string(), kind);
        assert_eq!(serde_json::to_value(read).unwrap(), kind);
    }
}

#[test]
fn an_error_tells_what_to_mend() {
    let error = signal(&SIGNAL.replace("50884", "0")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "het document voldoet niet aan het schema: /inhoud/bedrag_in_centen is te klein; verwacht: minstens 1"
    );
    assert_eq!(
        signal("{").unwrap_err().to_string(),
        "dit is geen JSON: er gaat iets mis op regel 1, teken 1"
    );
}

#[test]
fn a_timestamp_that_the_schema_lets_through_is_readable() {
    // The edges of RFC 3339; what cannot be held must be a violation, never a panic.
    for moment in
        ["9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-06-30T23:59:60Z"]
    {
        let extract = format!(
            r#"{{"soort":"toestemming","toestemming":{{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","digest":"sha256:{}","verleend_aan":["00000099000000002000"],"doelen":["x"],"gegevens":{{"categorieen":["adres"]}},"geldig_tot":"{moment}"}}"#,
            "00".repeat(32)
        );
        let text = SIGNAL.replacen(r#"{"soort":"wettelijke-verplichting""#, &extract, 1);
        if let Err(error) = signal(&text) {
            assert!(matches!(error, ParseError::Invalid(_)), "{error}");
        }
    }
}
