use serde_json::json;

use super::*;

fn document() -> Document {
    let data = json!({
        "grondslag": {
            "soort": "wettelijke-verplichting",
            "artikelen": ["Wgs art. 3 lid 1 onder b"],
            "voorwaarden": { "persoonlijk-contact": true, "gewezen-op-schuldhulp": false, "schriftelijke-herinnering": true, "aanbod-doorgeven-zonder-bezwaar": true },
        },
        "betrokkene": { "bsn": "999990342", "geboortedatum": "1974-01-20" },
        "inhoud": { "soort_schuld": "huur", "bedrag_in_centen": 1_234_567, "achterstand_sinds": "2026-10-09", "peildatum": "2026-11-16", "crisis": false },
    });
    Document::parse(SchemaName::PaymentArrears, data.to_string().as_bytes()).unwrap()
}

/// Everything as lines of text.
fn lines(fields: &[ReadableField], depth: usize, into: &mut Vec<String>) {
    for field in fields {
        match &field.holds {
            Reading::Text(text) => into.push(format!("{}{}: {text}", "  ".repeat(depth), field.label)),
            Reading::Fields(fields) => {
                into.push(format!("{}{}", "  ".repeat(depth), field.label));
                lines(fields, depth + 1, into);
            }
            Reading::List(list) => into.push(format!("{}{}: {list:?}", "  ".repeat(depth), field.label)),
        }
    }
}

#[test]
fn a_document_reads_as_plain_dutch() {
    let fields = readable(&document());
    let mut read = Vec::new();
    lines(&fields, 0, &mut read);
    let expected = [
        "Grondslag",
        "  Soort: wettelijke verplichting",
        r#"  Artikelen: [Text("Wgs art. 3 lid 1 onder b")]"#,
        "  Voorwaarden",
        "    Persoonlijk contact: ja",
        "    Gewezen op schuldhulp: nee",
        "    Schriftelijke herinnering: ja",
        "    Aanbod doorgeven zonder bezwaar: ja",
        "Betrokkene",
        "  BSN: 999990342",
        "  Geboortedatum: 20 januari 1974",
        "Inhoud",
        "  Soort schuld: huur",
        "  Bedrag: € 12.345,67",
        "  Achterstand sinds: 9 oktober 2026",
        "  Peildatum: 16 november 2026",
        "  Crisis: nee",
    ];
    let (mut read, mut expected) = (read, expected.map(str::to_owned).to_vec());
    read.sort();
    expected.sort();
    assert_eq!(read, expected);
}

/// No field stands there without words: those of its own schema first.
#[test]
fn every_field_has_its_meaning() {
    fn all(fields: &[ReadableField], check: &mut impl FnMut(&ReadableField)) {
        for field in fields {
            check(field);
            if let Reading::Fields(inner) = &field.holds {
                all(inner, check);
            }
        }
    }
    let mut seen = 0;
    all(&readable(&document()), &mut |field| {
        seen += 1;
        assert!(field.meaning.as_deref().is_some_and(|meaning| meaning.ends_with('.')), "{field:?}");
    });
    assert_eq!(seen, 17);
    let fields = readable(&document());
    let subject = fields.iter().find(|field| field.label == "Betrokkene").unwrap();
    assert_eq!(subject.meaning.as_deref(), Some("De inwoner over wie het gaat."));
    assert_eq!(meaning("bedrag_in_centen", "Hoogte in eurocenten."), "Hoogte.");
}

#[test]
fn every_kind_of_document_has_a_title_and_says_what_it_is_for() {
    for schema in SchemaName::all() {
        assert!(!title(schema).is_empty() && title(schema) != schema.as_str(), "{schema}");
        assert!(describe(schema).is_some_and(|text| text.len() > 20), "{schema}");
    }
}

#[test]
fn amounts_and_times_are_written_as_people_do() {
    assert_eq!(euros(5), "€ 0,05");
    assert_eq!(euros(50_884), "€ 508,84");
    assert_eq!(euros(100_000_000), "€ 1.000.000,00");
    assert_eq!(euros(-150), "€ -1,50");
    assert_eq!(written_moment("2026-07-01T22:30:00Z".parse().unwrap()), "2 juli 2026, 00:30 uur");
    assert_eq!(written_moment("2026-11-22T08:05:59Z".parse().unwrap()), "22 november 2026, 09:05 uur");
    assert_eq!(label("wat_kan_het_verschil_maken"), "Wat kan het verschil maken");
}
