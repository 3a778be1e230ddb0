//! A document exists only if it is valid, and says what it holds.

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
