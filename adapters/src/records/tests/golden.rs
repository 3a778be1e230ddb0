//! The export as a housing corporation makes it, to the letter.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[test]
fn the_export_is_read_to_the_last_row() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    assert_eq!(outcome.records.len(), 40);
    assert_eq!(outcome.good().len(), 36);
}

#[test]
fn good_rows_become_exactly_these_documents() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    let json_at = |line: u64| {
        let record = outcome.records.iter().find(|record| record.line == line).unwrap();
        record.outcome.as_ref().unwrap().json()
    };
    // All optional cells filled; a remark with a line break; a letter outside ASCII.
    assert_eq!(
        json_at(4),
        r#"{"grondslag":{"soort":"wettelijke-verplichting","artikelen":["Wgs art. 3 lid 1 onder b","Bgs art. 2"],"voorwaarden":{"persoonlijk-contact":true,"gewezen-op-schuldhulp":true,"schriftelijke-herinnering":true,"aanbod-doorgeven-zonder-bezwaar":true}},"betrokkene":{"geboortedatum":"1982-09-11","naam":{"voorletters":"R.","voorvoegsel":"van","achternaam":"Sørensen"},"adres":{"straat":"Nieuwe Gracht","huisnummer":183,"huisnummertoevoeging":"bis","postcode":"4911AR","woonplaats":"Dijkdorp"},"contact":{"telefoon":"0000740819","email":"bewoner0@voorbeeld.test"}},"inhoud":{"soort_schuld":"huur","bedrag_in_centen":59022,"achterstand_sinds":"2026-10-14","aantal_termijnen":1,"peildatum":"2026-11-16","crisis":false}}"#
    );
    // An amount with one decimal, no prefix, no e-mail.
    assert_eq!(
        json_at(10),
        r#"{"grondslag":{"soort":"wettelijke-verplichting","artikelen":["Wgs art. 3 lid 1 onder b","Bgs art. 2"],"voorwaarden":{"persoonlijk-contact":true,"gewezen-op-schuldhulp":true,"schriftelijke-herinnering":true,"aanbod-doorgeven-zonder-bezwaar":true}},"betrokkene":{"geboortedatum":"1996-07-10","naam":{"voorletters":"S.","achternaam":"Çinar"},"adres":{"straat":"Molenwerf","huisnummer":258,"huisnummertoevoeging":"A","postcode":"4912EK","woonplaats":"Rivierstad"},"contact":{"telefoon":"0000444197"}},"inhoud":{"soort_schuld":"huur","bedrag_in_centen":9850,"achterstand_sinds":"2026-09-14","aantal_termijnen":2,"peildatum":"2026-11-16","crisis":false}}"#
    );
}

#[test]
fn bad_rows_say_what_to_do() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    assert_eq!(
        outcome.errors(),
        [
            "regel 16, kolom \"Geb.datum\" (een datum): is een dag die niet bestaat. Controleer dag, maand en jaar in het bronsysteem.",
            "regel 23, kolom \"Saldo\" (een bedrag in euro's): bevat letters. Schrijf het bedrag met een komma en twee cijfers, bijvoorbeeld 1.234,56 of 1234,56.",
            "regel 32, kolom \"Achternaam\" (tekst): is leeg. Vul deze cel in.",
            "regel 42, kolom \"Postcode\" (een postcode): is geen Nederlandse postcode. Schrijf vier cijfers (niet beginnend met 0) en twee letters, bijvoorbeeld 1234 AB.",
        ]
    );
}

#[test]
fn lost_letters_are_pointed_at_and_the_row_goes() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    let said = "kolom \"Achternaam\" (tekst): bevat een `?` op de plaats van een teken dat bij de export verloren ging. Exporteer het bestand als UTF-8 en zet codering = \"utf-8\" in de mapping.";
    assert_eq!(outcome.row_warnings(), [format!("regel 19, {said}"), format!("regel 36, {said}")]);
    let mut warned = outcome.records.iter().filter(|record| !record.warnings.is_empty());
    assert!(warned.all(|record| record.outcome.is_ok()));
}

#[test]
fn preconditions_are_stated_truthfully() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    let mut unmet: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in &outcome.records {
        let Ok(document) = &record.outcome else { continue };
        for (name, met) in &document.basis().conditions {
            if !met {
                unmet.entry(name.clone()).or_default().push(record.line);
            }
        }
    }
    let expected = [
        ("aanbod-doorgeven-zonder-bezwaar", vec![25, 27, 30, 35, 46]),
        ("gewezen-op-schuldhulp", vec![14, 18, 46]),
        ("persoonlijk-contact", vec![9, 18, 46]),
        ("schriftelijke-herinnering", vec![21, 30, 46]),
    ];
    assert_eq!(unmet, expected.map(|(name, lines)| (name.to_owned(), lines)).into());
}

#[test]
fn a_judgment_makes_it_a_crisis() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    let crises = outcome.good().iter().filter(|json| json.contains("\"crisis\":true")).count();
    assert_eq!(crises, 4);
}

#[test]
fn remarks_and_numbers_of_the_source_stay_home() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    for json in outcome.good() {
        for private in ["ziekenhuis", "trap", "betaalt", "HC70", "R33"] {
            assert!(!json.contains(private), "{private}");
        }
    }
}

#[test]
fn an_amount_that_cannot_be_read_cannot_be_added() {
    let outcome = read_all(&mapping(MAPPING), EXPORT).unwrap();
    assert_eq!(
        outcome.warnings,
        [
            "regel 51: het totaal van kolom \"Saldo\" is niet te controleren: van 1 regels is het bedrag niet te lezen. Vergelijk het bestand met het bronsysteem; misschien is het niet compleet of bewerkt."
        ]
    );
}

/// The export with its unreadable amount mended and another change in its bytes: what is said about the file.
fn warnings_after(from: &[u8], to: &[u8]) -> Vec<String> {
    let mended = replaced(EXPORT, b"1.2O4,50", b"1.204,50");
    read_all(&mapping(MAPPING), &replaced(&mended, from, to)).unwrap().warnings
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn the_total_is_compared_without_naming_amounts() {
    let remedy = "Vergelijk het bestand met het bronsysteem; misschien is het niet compleet of bewerkt.";
    let said = |problem: &str| vec![format!("regel 51: {problem}. {remedy}")];
    assert_eq!(warnings_after(b"Totaal", b"TOTAAL"), Vec::<String>::new());
    assert_eq!(
        warnings_after(b"590,22", b"590,23"),
        said("de regels tellen in kolom \"Saldo\" niet op tot het totaal")
    );
    assert_eq!(
        warnings_after(b"40 contracten", b"41 contracten"),
        said("volgens de regel met het totaal zijn er 41 regels, gelezen zijn er 40")
    );
    assert_eq!(
        warnings_after(b"40 contracten", b"veertig"),
        said("in de regel met het totaal staat geen leesbaar aantal")
    );
    assert_eq!(
        warnings_after(b"70.678,87", b"veel"),
        said("in de regel met het totaal is kolom \"Saldo\" niet te lezen")
    );
}

#[test]
fn a_file_without_its_total_may_be_cut_off() {
    let end = EXPORT.windows(6).position(|window| window == b"Totaal").unwrap();
    let warnings = read_all(&mapping(MAPPING), &EXPORT[..end]).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "regel 51: de regel met het totaal ontbreekt; misschien is het bestand niet compleet. Vergelijk het aantal regels met het bronsysteem en exporteer zo nodig opnieuw."
        ]
    );
}

#[test]
fn rows_below_the_total_are_read_and_pointed_at() {
    let text: Vec<u8> = [EXPORT, b"Totaal\r\n", ROW.as_bytes()].concat();
    let outcome = read_all(&mapping(MAPPING), &text).unwrap();
    assert_eq!((outcome.records.len(), outcome.good().len()), (41, 37));
    assert_eq!(
        outcome.warnings.last().unwrap(),
        "regel 53: onder de regel met het totaal staan nog regels; die zijn wel gelezen maar niet gecontroleerd. Controleer of die regels in deze lijst horen."
    );
}

#[test]
fn warnings_about_a_file_have_a_limit() {
    let text = [EXPORT, &b"Totaal\r\n".repeat(1000)].concat();
    assert_eq!(read_all(&mapping(MAPPING), &text).unwrap().warnings.len(), MAX_FILE_WARNINGS);
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let whole = read_all(&mapping(MAPPING), EXPORT).unwrap();
    let mut turned = Vec::new();
    let mut reader = CsvReader::new(EXPORT, b';');
    let mut raw = RawRecord::default();
    while reader.read(&mut raw).unwrap() {
        let cells: Vec<_> = raw.iter().collect();
        for (index, cell) in cells.iter().rev().enumerate() {
            crate::format::csv::write_cell(&mut turned, cell, b';', index == 0);
        }
        turned.extend_from_slice(b"\r\n");
    }
    let backwards = read_all(&mapping(MAPPING), &turned).unwrap();
    assert_eq!(backwards.good(), whole.good());
    assert_eq!(backwards.errors(), whole.errors());
}

#[test]
fn other_encodings_of_the_same_file_give_the_same_documents() {
    let expected = read_all(&mapping(MAPPING), EXPORT).unwrap();
    let text: String = EXPORT.iter().map(|byte| char::from(*byte)).collect();
    let marked = format!("\u{feff}{text}");
    let cases = [
        ("utf-8", text.as_bytes()),
        ("utf-8", marked.as_bytes()),
        ("iso-8859-1", EXPORT),
        ("iso-8859-15", EXPORT),
    ];
    for (encoding, bytes) in cases {
        let declared = format!("codering = \"{encoding}\"");
        let mapping = mapping(&MAPPING.replace("codering = \"windows-1252\"", &declared));
        assert_eq!(read_all(&mapping, bytes).unwrap().good(), expected.good(), "{encoding}");
    }
}

/// An input that gives little at a time.
struct Trickle<'b>(&'b [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn streaming_gives_what_the_whole_gives(size in 1_usize..5000) {
        let mapping = mapping(MAPPING);
        let whole = read_all(&mapping, EXPORT).unwrap();
        let records = read(&mapping, Trickle(EXPORT, size)).unwrap().collect::<Result<_, _>>().unwrap();
        let streamed = Outcome { records, warnings: Vec::new() };
        prop_assert_eq!(streamed.good(), whole.good());
        prop_assert_eq!(streamed.errors(), whole.errors());
    }

    #[test]
    fn damage_is_never_a_panic_and_never_shows_a_value(
        places in prop::collection::vec((0_usize..EXPORT.len(), any::<u8>()), 1..60),
    ) {
        let mut bytes = EXPORT.to_vec();
        for (place, byte) in places {
            bytes[place] = byte;
        }
        let Ok(outcome) = read_all(&mapping(MAPPING), &bytes) else { return Ok(()) };
        let said = [outcome.errors(), outcome.row_warnings(), outcome.warnings].concat().join("\n");
        for private in ["Kloosterman", "Molenwerf", "voorbeeld.test", "HC70"] {
            prop_assert!(!said.contains(private), "{}", said);
        }
    }

    #[test]
    fn arbitrary_bytes_are_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _any = read_all(&mapping(MAPPING), &bytes);
    }
}
