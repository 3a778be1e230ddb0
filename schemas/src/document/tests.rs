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
fn a_stated_consent_is_read() {
    let stated = r#"{"soort":"toestemming","toestemming":{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7"},"artikelen":[]"#;
    let basis = r#"{"soort":"wettelijke-verplichting","artikelen":["Wgs art. 3 lid 1 onder b"]"#;
    let consent = |stated: &str| {
        let document = signal(&SIGNAL.replacen(basis, stated, 1)).unwrap();
        document.basis().consent.clone().unwrap()
    };
    let number = consent(stated);
    assert_eq!(number.id, "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse::<Uuid>().unwrap());
    assert_eq!((number.extract, number.salts), (None, StatedSalts::default()));
    let extract = format!("{}.{}.{}", "a".repeat(30), "b".repeat(30), "c".repeat(30));
    let salt = "s".repeat(43);
    let whole = consent(
        &stated
            .replace(r#"7"},"#, &format!(r#"7","uittreksel":"{extract}","zout":{{"persoon":"{salt}"}}}},"#)),
    );
    assert_eq!(whole.extract, Some(extract));
    assert_eq!(whole.salts, StatedSalts { bsn: None, person: Some(salt) });
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
