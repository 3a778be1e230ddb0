mod bad_input;
mod golden;

use std::io::Cursor;

use super::*;

const MAPPING: &str = include_str!("../../../config/adapters/woningcorporatie-achterstanden.toml");
const EXPORT: &[u8] = include_bytes!("../../fixtures/achterstanden.csv");
/// The header of the export.
const HEADER: &str = "Contractnr;Huurdernr;Voorl.;Tussenv.;Achternaam;Geb.datum;Straat;Huisnr;Toev.;Postcode;Plaats;\
    Telefoon;E-mail;Saldo;Achterstand sinds;Mnd;Laatste herinnering;Pers. contact;Gewezen op schuldhulp;\
    Aanbod doorgeven;Reactie huurder;Vonnis;Opmerking";
/// A row in which nothing is wrong.
const ROW: &str = "C1;H1;E.;van;Jansen;20-01-1974;Lindelaan;19;hs;4906 AN;Rivierstad;0000166131;e@voorbeeld.test;\
    508,84;09-10-2026;1;30-10-2026;J;J;J;;N;";

/// What a test looks at after reading a file to the end.
#[derive(Debug)]
struct Outcome {
    records: Vec<Record>,
    warnings: Vec<String>,
}

impl Outcome {
    fn good(&self) -> Vec<&str> {
        self.records.iter().filter_map(|record| record.outcome.as_ref().ok()).map(Document::json).collect()
    }

    fn errors(&self) -> Vec<String> {
        let failed = self.records.iter().filter_map(|record| record.outcome.as_ref().err());
        failed.flatten().map(ToString::to_string).collect()
    }

    fn row_warnings(&self) -> Vec<String> {
        self.records.iter().flat_map(|record| &record.warnings).map(ToString::to_string).collect()
    }
}

fn mapping(toml: &str) -> Mapping {
    Mapping::parse(toml, "proef.toml").unwrap()
}

fn read_all(mapping: &Mapping, bytes: &[u8]) -> Result<Outcome, InputError> {
    let mut records = read(mapping, Cursor::new(bytes))?;
    let all = records.by_ref().collect::<Result<Vec<_>, _>>()?;
    let warnings = records.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(records.rows(), all.len() as u64);
    Ok(Outcome { records: all, warnings })
}

/// An export with these rows, in UTF-8 for readability, and no line with a total.
fn utf8(rows: &[&str]) -> (Mapping, Vec<u8>) {
    let toml = MAPPING.replace("codering = \"windows-1252\"", "codering = \"utf-8\"");
    let total = toml.find("[bestand.totaal]").unwrap();
    let message = toml.find("[grondslag]").unwrap();
    let toml = format!("{}{}", &toml[..total], &toml[message..]);
    let text = format!("Peildatum 16-11-2026\r\n{HEADER}\r\n{}\r\n", rows.join("\r\n"));
    (mapping(&toml), text.into_bytes())
}

fn outcome(rows: &[&str]) -> Outcome {
    let (mapping, bytes) = utf8(rows);
    read_all(&mapping, &bytes).unwrap()
}

/// The good row with one cell replaced, by the name of its column.
fn row(column: &str, value: &str) -> String {
    let at = HEADER.split(';').position(|name| name == column).unwrap();
    let mut cells: Vec<_> = ROW.split(';').collect();
    cells[at] = value;
    cells.join(";")
}

fn refusal(column: &str, value: &str) -> String {
    let errors = outcome(&[&row(column, value)]).errors();
    assert_eq!(errors.len(), 1, "{column}: {errors:?}");
    errors[0].clone()
}

fn conditions(column: &str, value: &str) -> Vec<bool> {
    let outcome = outcome(&[&row(column, value)]);
    let document = outcome.records[0].outcome.as_ref().unwrap();
    // In the order of their names: offer, help, personal contact, reminder.
    document.basis().conditions.values().copied().collect()
}
