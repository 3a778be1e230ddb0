//! Everything that can be wrong with a row or a file has an outcome that says what to do.

use super::*;

/// What is said about a file that cannot be read at all.
fn file_refusal(bytes: &[u8]) -> String {
    read_all(&mapping(MAPPING), bytes).unwrap_err().to_string()
}

#[test]
fn cells_are_refused_with_line_column_kind_and_remedy() {
    let date = "Schrijf de datum als dd-mm-jjjj, bijvoorbeeld 09-10-2026.";
    let cases = [
        ("Geb.datum", "", "(een datum): is leeg. Vul deze cel in."),
        ("Geb.datum", "1/2/1974", &format!("(een datum): staat niet in de vorm dd-mm-jjjj. {date}")),
        (
            "Huisnr",
            "19hs",
            "(een huisnummer): bevat iets anders dan cijfers. Zet hier alleen het nummer (1 tot en met 99999) en de toevoeging in een eigen kolom.",
        ),
        ("Pers. contact", "", "(ja of nee): is leeg. Vul deze cel in."),
        ("Pers. contact", "x", "(ja of nee): is geen ja of nee. Schrijf J of N."),
        ("Laatste herinnering", "onlangs", &format!("(een datum): staat niet in de vorm dd-mm-jjjj. {date}")),
        (
            "Reactie huurder",
            "belt terug",
            "(een code uit de lijst): staat niet in de lijst van bekende waarden. Gebruik een van: \"geen bezwaar\", \"akkoord\", \"bezwaar\", \"afwijzend\".",
        ),
        (
            "Telefoon",
            "onbekend",
            "(een telefoonnummer): is geen telefoonnummer. Schrijf één nummer van 3 tot 15 cijfers, eventueel met + vooraan, of maak de cel leeg.",
        ),
        // What only the schema knows comes back to the column too.
        ("Saldo", "-508,84", "(een bedrag in euro's): "),
        ("Mnd", "0", "(een geheel getal): "),
        ("E-mail", "nergens", "(tekst): "),
        ("Toev.", "eerste verdieping achter", "(tekst): "),
    ];
    for (column, value, expected) in cases {
        let said = refusal(column, value);
        let expected = format!("regel 3, kolom \"{column}\" {expected}");
        assert!(said.starts_with(&expected), "{said}\n{expected}");
        assert!(value.len() < 4 || !said.contains(value), "{said}");
    }
}

#[test]
fn every_problem_in_a_row_is_told_at_once() {
    let row = row("Geb.datum", "").replace("508,84", "veel").replace("4906 AN", "4906");
    let outcome = outcome(&[&row]);
    let errors = outcome.records[0].outcome.as_ref().unwrap_err();
    let columns: Vec<_> = errors.iter().map(|error| error.column.as_str()).collect();
    assert_eq!(columns, ["Geb.datum", "Postcode", "Saldo"]);
}

#[test]
fn every_combination_of_offer_and_answer() {
    // In this order: offer without objection, pointed to help, personal contact, written reminder.
    assert_eq!(conditions("Reactie huurder", ""), [true, true, true, true]);
    assert_eq!(conditions("Reactie huurder", "geen bezwaar"), [true, true, true, true]);
    assert_eq!(conditions("Reactie huurder", "bezwaar"), [false, true, true, true]);
    assert_eq!(conditions("Reactie huurder", "Afwijzend"), [false, true, true, true]);
    assert_eq!(conditions("Aanbod doorgeven", "N"), [false, true, true, true]);
    assert_eq!(conditions("Gewezen op schuldhulp", "N"), [true, false, true, true]);
    assert_eq!(conditions("Pers. contact", "N"), [true, true, false, true]);
    assert_eq!(conditions("Laatste herinnering", ""), [true, true, true, false]);
}

#[test]
fn without_an_offer_the_answer_must_still_be_readable() {
    let row = row("Aanbod doorgeven", "N").replace(";N;;N;", ";N;weet niet;N;");
    assert_eq!(outcome(&[&row]).errors().len(), 1);
}

#[test]
fn optional_cells_may_be_empty() {
    let row = ROW.replace("E.;van;", ";;").replace("0000166131;e@voorbeeld.test", ";").replace(";hs;", ";;");
    let outcome = outcome(&[&row]);
    assert!(outcome.good()[0].contains(r#""naam":{"achternaam":"Jansen"}"#));
    assert!(!outcome.good()[0].contains("\"contact\""));
}

#[test]
fn rows_of_the_wrong_width_are_refused() {
    let long = format!("{ROW};extra");
    let errors = outcome(&["C1;H1;E.", &long, &format!("{ROW};;;")]).errors();
    assert_eq!(
        errors,
        [
            "regel 3: deze regel heeft 3 kolommen in plaats van 23. Hoort deze regel bij de regel erboven, zet dan die cel tussen aanhalingstekens en haal deze regel weg; vul anders de ontbrekende kolommen aan.",
            "regel 4: deze regel heeft 24 kolommen in plaats van 23. Zet een cel waarin het scheidingsteken voorkomt tussen aanhalingstekens.",
        ]
    );
}

#[test]
fn broken_quotes_cost_one_row() {
    let open = format!("{ROW}\"let op");
    let outcome = outcome(&[ROW, &open, ROW, &format!("{ROW}\"let op\nhond\""), ROW]);
    assert_eq!(outcome.good().len(), 4);
    assert_eq!(
        outcome.errors(),
        [
            "regel 4: deze regel heeft tekst achter een sluitend aanhalingsteken. Zet een aanhalingsteken aan het begin en aan het eind van die cel, of haal beide weg."
        ]
    );
    assert_eq!(outcome.records.iter().map(|record| record.line).collect::<Vec<_>>(), [3, 4, 5, 6, 8]);
}

#[test]
fn a_file_cut_off_inside_quotes_loses_only_the_last_row() {
    let (mapping, mut bytes) = utf8(&[ROW, &format!("{ROW}\"let op")]);
    bytes.truncate(bytes.len() - 4);
    let outcome = read_all(&mapping, &bytes).unwrap();
    assert_eq!(outcome.good().len(), 1);
    assert_eq!(
        outcome.errors(),
        [
            "regel 4: deze regel heeft een aanhalingsteken dat niet wordt gesloten. Zet een aanhalingsteken aan het begin en aan het eind van die cel, of haal beide weg."
        ]
    );
}

#[test]
fn limits_cost_one_row() {
    let long_cell = format!("{ROW}{}", "x".repeat(9000));
    let long_row = format!("{ROW}{}", "x".repeat(100_000));
    let wide = format!("{ROW}{}", ";".repeat(300));
    let nul = row("Achternaam", "Jan\0sen");
    let outcome = outcome(&[&long_cell, &long_row, &wide, &nul, ROW]);
    assert_eq!(outcome.good().len(), 1);
    let shorten = "Kort de tekst in deze regel in; hoort die bij meer regels, controleer dan de regeleinden.";
    assert_eq!(
        outcome.errors(),
        [
            &format!("regel 3: deze regel heeft een cel van meer dan 8192 tekens. {shorten}"),
            &format!("regel 4: deze regel is langer dan 65536 tekens. {shorten}"),
            "regel 5: deze regel heeft meer dan 256 kolommen. Controleer het scheidingsteken en de aanhalingstekens in deze regel.",
            "regel 6: deze regel bevat een NUL-teken, dat in tekst niet voorkomt. Exporteer het bestand opnieuw als CSV in de codering die de mapping noemt.",
        ]
    );
}

#[test]
fn blank_lines_count_for_the_line_numbers_only() {
    let outcome = outcome(&["", ";;;", "  ;\t;", ROW, "", ROW]);
    assert_eq!(outcome.good().len(), 2);
    assert_eq!(outcome.records.iter().map(|record| record.line).collect::<Vec<_>>(), [6, 8]);
}

#[test]
fn blank_lines_can_be_rows_too() {
    let toml = MAPPING.replace("lege_regels_overslaan = true", "lege_regels_overslaan = false");
    let outcome = read_all(&mapping(&toml), EXPORT).unwrap();
    assert_eq!(outcome.records.len(), 41);
}

#[test]
fn bytes_that_do_not_fit_the_encoding_cost_one_row() {
    let (utf8_mapping, mut bytes) = utf8(&[&row("Achternaam", "Müller"), ROW]);
    let outcome = read_all(&mapping(MAPPING), &bytes).unwrap();
    assert_eq!(
        outcome.errors(),
        [
            "regel 3, kolom \"Achternaam\" (tekst): is geschreven in UTF-8, terwijl de mapping windows-1252 zegt. Zet codering = \"utf-8\" in de mapping, of exporteer het bestand als windows-1252."
        ]
    );
    assert_eq!(outcome.good().len(), 1);

    let at = bytes.windows(2).position(|window| window == "ü".as_bytes()).unwrap();
    bytes.splice(at..at + 2, [0xfc]);
    let outcome = read_all(&utf8_mapping, &bytes).unwrap();
    assert_eq!(
        outcome.errors(),
        [
            "regel 3, kolom \"Achternaam\" (tekst): bevat tekens die niet bestaan in utf-8. Exporteer het bestand als utf-8, of pas `codering` in de mapping aan."
        ]
    );
}

#[test]
fn bytes_in_a_column_that_is_not_read_do_not_matter() {
    let (mapping, mut bytes) = utf8(&[&format!("{ROW}opmerking")]);
    let at = bytes.windows(9).position(|window| window == b"opmerking").unwrap();
    bytes[at] = 0xff;
    assert_eq!(read_all(&mapping, &bytes).unwrap().good().len(), 1);
}

#[test]
fn a_replacement_character_is_a_lost_one_too() {
    let outcome = outcome(&[&row("Plaats", "Rivier\u{fffd}stad")]);
    assert_eq!(outcome.row_warnings().len(), 1);
    assert_eq!(outcome.good().len(), 1);
}

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(file_refusal(b""), "het bestand is leeg. Exporteer het opnieuw.");
}

#[test]
fn other_kinds_of_files_are_recognised() {
    let workbook = "regel 1: dit is geen tekstbestand. Exporteer de lijst als CSV; een Excel- of PDF-bestand kan niet worden gelezen.";
    assert_eq!(file_refusal(b"PK\x03\x04\x14\x00\x06\x00"), workbook);
    assert_eq!(file_refusal(b"\xd0\xcf\x11\xe0\0\0\0\0\n"), workbook);
    let utf16: Vec<u8> = "\u{feff}Contractnr;".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let export = "maar de mapping zegt windows-1252. Exporteer het bestand als windows-1252, of pas `codering` in de mapping aan.";
    assert_eq!(file_refusal(&utf16), format!("het bestand is UTF-16, {export}"));
    assert_eq!(file_refusal("\u{feff}Contractnr;".as_bytes()), format!("het bestand is UTF-8, {export}"));
}

#[test]
fn a_header_that_is_not_there_is_named() {
    let text = format!("Lijst\r\n{}\r\n", HEADER.replace("Saldo", "Bedrag").replace(";Vonnis", ""));
    assert_eq!(
        file_refusal(text.as_bytes()),
        "regel 2 lijkt op de kopregel: de kopregel mist \"Saldo\", \"Vonnis\". Controleer of dit de juiste export is, met `;` tussen de kolommen; is de export veranderd, pas dan de mapping aan."
    );
    let said = file_refusal(HEADER.replace(';', ",").as_bytes());
    assert!(said.starts_with("in de eerste 1 regels staat geen kopregel: de kopregel mist \"Co"), "{said}");
    let late = format!("{}{HEADER}\r\n", "titel\r\n".repeat(6));
    assert!(file_refusal(late.as_bytes()).starts_with("in de eerste 6 regels staat geen kopregel"));
}

#[test]
fn a_column_that_is_there_twice_is_refused() {
    let text = format!("{HEADER};saldo\r\n");
    assert_eq!(
        file_refusal(text.as_bytes()),
        "regel 1: kolom \"Saldo\" staat tweemaal in de kopregel. Haal er in de export een weg."
    );
}

#[test]
fn a_value_above_the_table_must_be_there_and_readable() {
    let with = |title: &str| format!("{title}\r\n{HEADER}\r\n{ROW}\r\n");
    let absent = "boven de kopregel staat nergens \"Peildatum\" met een datum erachter. Exporteer de lijst met de titelregels erbij.";
    assert_eq!(file_refusal(with("Lijst").as_bytes()), absent);
    assert_eq!(file_refusal(with("Peildatum").as_bytes()), absent);
    assert_eq!(
        file_refusal(with("Lijst;Peildatum 31-11-2026").as_bytes()),
        "regel 1: wat achter \"Peildatum\" staat (een datum) is een dag die niet bestaat. Controleer dag, maand en jaar in het bronsysteem."
    );
    let (mapping, _) = utf8(&[]);
    assert_eq!(read_all(&mapping, with("Peildatum;16-11-2026").as_bytes()).unwrap().good().len(), 1);
}

#[test]
fn a_disk_that_fails_half_way_ends_the_file() {
    struct Failing<'b>(&'b [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer) {
                Ok(0) => Err(std::io::Error::other("kapot")),
                other => other,
            }
        }
    }
    let mapping = mapping(MAPPING);
    let mut records = read(&mapping, Failing(EXPORT)).unwrap();
    let read: Vec<_> = records.by_ref().collect();
    assert_eq!(read.len(), 41);
    assert_eq!(
        read.last().unwrap().as_ref().unwrap_err().to_string(),
        "het bestand is niet (verder) te lezen: kapot. Controleer het bestand en de schijf, en bied het opnieuw aan."
    );
    assert!(records.next().is_none());
}
