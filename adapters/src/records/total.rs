//! The line that adds up, as a check on what was read. Says nothing but that something differs: the total of a file
//! with one row is that person's amount.

use super::header::Header;
use crate::convert::{Converted, Converter};
use crate::format::csv::RawRecord;
use crate::mapping::{Mapping, TotalRule};
use crate::report::FileWarning;

/// Counts and adds along with the rows.
#[derive(Debug, Default)]
pub(super) struct TotalCheck {
    rows: u64,
    sum: i64,
    /// Rows whose amount cannot be added.
    unreadable: u64,
    /// Rows up to the line with the total, once it was there.
    at_total: Option<u64>,
}

impl TotalCheck {
    /// What is odd about the line once everything was read.
    pub(super) fn at_end(&self, line: u64) -> Option<FileWarning> {
        let (problem, remedy) = match self.at_total {
            None => (
                "de regel met het totaal ontbreekt; misschien is het bestand niet compleet",
                "Vergelijk het aantal regels met het bronsysteem en exporteer zo nodig opnieuw.",
            ),
            Some(rows) if rows < self.rows => (
                "onder de regel met het totaal staan nog regels; die zijn wel gelezen maar niet gecontroleerd",
                "Controleer of die regels in deze lijst horen.",
            ),
            Some(_) => return None,
        };
        Some(FileWarning { line, problem: problem.to_owned(), remedy: remedy.to_owned() })
    }

    /// Adds a row, whether it is a good one or not: the source counted it too.
    pub(super) fn count(&mut self, mapping: &Mapping, header: &Header, raw: &RawRecord) {
        self.rows += 1;
        let Some(column) = mapping.file().total.as_ref().and_then(|rule| rule.sum) else { return };
        match amount(mapping, header, raw, column).and_then(|cents| self.sum.checked_add(cents)) {
            Some(sum) => self.sum = sum,
            None => self.unreadable += 1,
        }
    }

    /// Compares what was read with what the line says.
    pub(super) fn compare(
        &mut self,
        mapping: &Mapping,
        rule: &TotalRule,
        header: &Header,
        raw: &RawRecord,
    ) -> Vec<FileWarning> {
        self.at_total = Some(self.rows);
        let said = rule.count.map(|column| leading_number(mapping, header, raw, column));
        let problems = [
            said.and_then(|said| self.compare_count(said)),
            rule.sum.and_then(|column| {
                self.compare_sum(amount(mapping, header, raw, column), &mapping.columns()[column])
            }),
        ];
        let remedy = "Vergelijk het bestand met het bronsysteem; misschien is het niet compleet of bewerkt.";
        let warning = |problem| FileWarning { line: raw.line(), problem, remedy: remedy.to_owned() };
        problems.into_iter().flatten().map(warning).collect()
    }

    fn compare_count(&self, said: Option<u64>) -> Option<String> {
        match said {
            Some(said) if said == self.rows => None,
            Some(said) => Some(format!(
                "volgens de regel met het totaal zijn er {said} regels, gelezen zijn er {}",
                self.rows
            )),
            None => Some("in de regel met het totaal staat geen leesbaar aantal".to_owned()),
        }
    }

    fn compare_sum(&self, said: Option<i64>, column: &str) -> Option<String> {
        match said {
            None => Some(format!("in de regel met het totaal is kolom \"{column}\" niet te lezen")),
            Some(_) if self.unreadable > 0 => Some(format!(
                "het totaal van kolom \"{column}\" is niet te controleren: van {} regels is het bedrag niet te lezen",
                self.unreadable
            )),
            Some(said) if said == self.sum => None,
            Some(_) => Some(format!("de regels tellen in kolom \"{column}\" niet op tot het totaal")),
        }
    }
}

fn amount(mapping: &Mapping, header: &Header, raw: &RawRecord, column: usize) -> Option<i64> {
    let text = mapping.file().encoding.decode(header.cell(raw, column)?).ok()?;
    match Converter::Amount.convert(text.trim()) {
        Ok(Converted::Integer(cents)) => Some(cents),
        _ => None,
    }
}

/// The number at the start of the cell: `40 contracten`.
fn leading_number(mapping: &Mapping, header: &Header, raw: &RawRecord, column: usize) -> Option<u64> {
    let text = mapping.file().encoding.decode(header.cell(raw, column)?).ok()?;
    text.split_whitespace().next()?.parse().ok()
}
