//! One row to one document, written straight to JSON: no tree in between.

use std::borrow::Cow;
use std::io::Write;

use schemas::{Document, ParseError, Violation};

use super::header::Header;
use crate::convert::{Converted, Unreadable};
use crate::format::csv::{Flaw, MAX_COLUMNS, MAX_FIELD_BYTES, MAX_RECORD_BYTES, RawRecord};
use crate::format::encoding::{Encoding, Misfit};
use crate::mapping::{Cell, Field, Mapping, Member, Node, Source, WhenEmpty};
use crate::report::{RowError, RowWarning};

/// The kind of value of a row as a whole, in an error.
const ROW: &str = "een regel";

/// A row with all that is needed to read it.
pub(super) struct Row<'r> {
    pub(super) mapping: &'r Mapping,
    pub(super) header: &'r Header,
    pub(super) raw: &'r RawRecord,
}

/// What goes wrong and what stands out along the way.
#[derive(Default)]
struct Findings {
    errors: Vec<RowError>,
    warnings: Vec<RowWarning>,
}

/// The text of a cell, or why there is none.
enum Read<'t> {
    Value(Converted<'t>),
    Absent,
    /// Already among the findings.
    Bad,
}

impl<'r> Row<'r> {
    /// The document in this row. `json` is scratch space that is used again for the next.
    pub(super) fn read(&self, json: &mut Vec<u8>) -> (Result<Document, Vec<RowError>>, Vec<RowWarning>) {
        if let Some(error) = self.wrong_shape() {
            return (Err(vec![error]), Vec::new());
        }
        let mut findings = Findings::default();
        json.clear();
        self.write_object(self.mapping.fields(), json, &mut findings);
        if !findings.errors.is_empty() {
            return (Err(findings.errors), Vec::new());
        }
        match Document::parse(self.mapping.schema(), json) {
            Ok(document) => (Ok(document), findings.warnings),
            Err(error) => (Err(self.refused(error)), Vec::new()),
        }
    }

    /// An object with the members that are there; whether there were any.
    fn write_object(&self, members: &'r [Member], json: &mut Vec<u8>, findings: &mut Findings) -> bool {
        let mut any = false;
        json.push(b'{');
        for member in members {
            let before = json.len();
            if any {
                json.push(b',');
            }
            json.extend_from_slice(member.key.as_bytes());
            let written = match &member.node {
                Node::Object(inner) => self.write_object(inner, json, findings),
                Node::Fixed(text) => {
                    json.extend_from_slice(text.as_bytes());
                    true
                }
                Node::Field(field) => self.write_field(field, json, findings),
            };
            if !written {
                json.truncate(before);
            }
            any |= written;
        }
        json.push(b'}');
        any
    }

    fn write_field(&self, field: &'r Field, json: &mut Vec<u8>, findings: &mut Findings) -> bool {
        let value = match &field.source {
            Source::Cell(cell) => self.read_cell(cell, findings),
            Source::Title(index) => Read::Value(self.header.titles[*index].clone()),
            Source::AllOf(cells) => self.all_of(cells, findings),
        };
        match value {
            Read::Value(value) => {
                write_value(&value, json);
                true
            }
            Read::Absent | Read::Bad => false,
        }
    }

    /// Reads every cell even after a `false`: what is unreadable must be known whatever the rest says.
    fn all_of(&self, cells: &'r [Cell], findings: &mut Findings) -> Read<'r> {
        let mut all = true;
        let mut bad = false;
        for cell in cells {
            match self.read_cell(cell, findings) {
                Read::Value(Converted::Flag(flag)) => all &= flag,
                Read::Value(_) | Read::Absent | Read::Bad => bad = true,
            }
        }
        if bad { Read::Bad } else { Read::Value(Converted::Flag(all)) }
    }

    fn read_cell(&self, cell: &'r Cell, findings: &mut Findings) -> Read<'r> {
        let bytes = self.header.cell(self.raw, cell.column).unwrap_or_default();
        let text = match self.mapping.file().encoding.decode(bytes) {
            Ok(text) => trimmed(text),
            Err(misfit) => {
                let error = self.error(cell, misfit_words(misfit, self.mapping.file().encoding));
                findings.errors.push(error);
                return Read::Bad;
            }
        };
        if text.is_empty() {
            return self.empty(cell, findings);
        }
        if cell.lost.is_some_and(|lost| text.contains([lost, char::REPLACEMENT_CHARACTER])) {
            findings.warnings.push(self.lost_character(cell));
        }
        let converted = match &text {
            Cow::Borrowed(text) => cell.converter.convert(text),
            Cow::Owned(text) => cell.converter.convert(text).map(Converted::into_owned),
        };
        match converted {
            Ok(value) => Read::Value(value),
            Err(unreadable) => {
                findings.errors.push(self.error(cell, unreadable));
                Read::Bad
            }
        }
    }

    fn empty(&self, cell: &Cell, findings: &mut Findings) -> Read<'r> {
        match &cell.when_empty {
            WhenEmpty::Omit => Read::Absent,
            WhenEmpty::Value(value) => Read::Value(value.clone()),
            WhenEmpty::Refuse => {
                let words = Unreadable::new("is leeg", "Vul deze cel in.");
                findings.errors.push(self.error(cell, words));
                Read::Bad
            }
        }
    }

    fn error(&self, cell: &Cell, words: Unreadable) -> RowError {
        RowError {
            line: self.raw.line(),
            column: self.mapping.columns()[cell.column].clone(),
            kind: cell.converter.kind(),
            problem: words.problem.into_owned(),
            remedy: words.remedy.into_owned(),
        }
    }

    fn lost_character(&self, cell: &Cell) -> RowWarning {
        let lost = cell.lost.unwrap_or(char::REPLACEMENT_CHARACTER);
        RowWarning {
            line: self.raw.line(),
            column: self.mapping.columns()[cell.column].clone(),
            kind: cell.converter.kind(),
            problem: format!("bevat een `{lost}` op de plaats van een teken dat bij de export verloren ging"),
            remedy: "Exporteer het bestand als UTF-8 en zet codering = \"utf-8\" in de mapping.".to_owned(),
        }
    }

    /// What is wrong before any value is looked at.
    fn wrong_shape(&self) -> Option<RowError> {
        let words = match self.raw.flaw() {
            Some(flaw) => flaw_words(flaw),
            None => self.wrong_width()?,
        };
        let Unreadable { problem, remedy } = words;
        Some(RowError {
            line: self.raw.line(),
            column: String::new(),
            kind: ROW,
            problem: problem.into_owned(),
            remedy: remedy.into_owned(),
        })
    }

    /// A row with another number of cells than the header: from some cell on, values are in the wrong column.
    /// Empty cells beyond the last column are harmless.
    fn wrong_width(&self) -> Option<Unreadable> {
        let (cells, columns) = (self.raw.len(), self.header.layout.columns());
        let beyond = (columns..cells)
            .any(|index| self.raw.get(index).is_some_and(|cell| !cell.trim_ascii().is_empty()));
        if cells >= columns && !beyond {
            return None;
        }
        let remedy = if cells < columns {
            "Hoort deze regel bij de regel erboven, zet dan die cel tussen aanhalingstekens en haal deze regel weg; vul anders de ontbrekende kolommen aan."
        } else {
            "Zet een cel waarin het scheidingsteken voorkomt tussen aanhalingstekens."
        };
        Some(Unreadable::new(format!("heeft {cells} kolommen in plaats van {columns}"), remedy))
    }

    /// The schema's complaints in terms of columns.
    fn refused(&self, error: ParseError) -> Vec<RowError> {
        let whole = |problem: &'static str, remedy: &'static str| RowError {
            line: self.raw.line(),
            column: String::new(),
            kind: ROW,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        };
        match error {
            ParseError::Invalid(violations) => {
                violations.into_iter().map(|one| self.violation(one)).collect()
            }
            ParseError::TooLarge => {
                vec![whole("is te groot voor een bericht", "Kort de teksten in deze regel in.")]
            }
            _ => vec![whole("kon niet worden omgezet", "Meld dit aan de beheerder van de mapping.")],
        }
    }

    fn violation(&self, violation: Violation) -> RowError {
        let mut pointer = violation.field.as_str();
        let field = loop {
            match (self.mapping.field_at(pointer), pointer.rsplit_once('/')) {
                (Some(field), _) => break Some(field),
                (None, Some((parent, _))) => pointer = parent,
                (None, None) => break None,
            }
        };
        let cell = field.and_then(|field| match &field.source {
            Source::Cell(cell) => Some(cell),
            Source::AllOf(cells) => cells.first(),
            Source::Title(_) => None,
        });
        match cell {
            Some(cell) => {
                let remedy = format!("Verwacht: {}.", violation.expected);
                self.error(cell, Unreadable::new(violation.problem, remedy))
            }
            None => RowError {
                line: self.raw.line(),
                column: String::new(),
                kind: ROW,
                problem: format!("geeft een bericht waarin {} {}", violation.field, violation.problem),
                remedy: format!("Verwacht: {}.", violation.expected),
            },
        }
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn misfit_words(misfit: Misfit, declared: Encoding) -> Unreadable {
    let problem = match misfit {
        Misfit::Meaningless => format!("bevat tekens die niet bestaan in {declared}"),
        Misfit::LooksUtf8 => format!("is geschreven in UTF-8, terwijl de mapping {declared} zegt"),
    };
    let remedy = match misfit {
        Misfit::Meaningless => {
            format!("Exporteer het bestand als {declared}, of pas `codering` in de mapping aan.")
        }
        Misfit::LooksUtf8 => {
            format!("Zet codering = \"utf-8\" in de mapping, of exporteer het bestand als {declared}.")
        }
    };
    Unreadable::new(problem, remedy)
}

fn flaw_words(flaw: Flaw) -> Unreadable {
    let quotes = "Zet een aanhalingsteken aan het begin en aan het eind van die cel, of haal beide weg.";
    let shorten = "Kort de tekst in deze regel in; hoort die bij meer regels, controleer dan de regeleinden.";
    match flaw {
        Flaw::UnclosedQuote => Unreadable::new("heeft een aanhalingsteken dat niet wordt gesloten", quotes),
        Flaw::TextAfterQuote => Unreadable::new("heeft tekst achter een sluitend aanhalingsteken", quotes),
        Flaw::RecordTooLong => Unreadable::new(format!("is langer dan {MAX_RECORD_BYTES} tekens"), shorten),
        Flaw::FieldTooLong => {
            Unreadable::new(format!("heeft een cel van meer dan {MAX_FIELD_BYTES} tekens"), shorten)
        }
        Flaw::TooManyColumns => Unreadable::new(
            format!("heeft meer dan {MAX_COLUMNS} kolommen"),
            "Controleer het scheidingsteken en de aanhalingstekens in deze regel.",
        ),
        Flaw::Nul => Unreadable::new(
            "bevat een NUL-teken, dat in tekst niet voorkomt",
            "Exporteer het bestand opnieuw als CSV in de codering die de mapping noemt.",
        ),
    }
}

/// Writing to memory does not fail, so the results say nothing.
fn write_value(value: &Converted<'_>, json: &mut Vec<u8>) {
    let _infallible = match value {
        Converted::Text(text) => {
            serde_json::to_writer(&mut *json, text.as_ref()).map_err(std::io::Error::from)
        }
        Converted::Integer(number) => write!(json, "{number}"),
        Converted::Flag(flag) => write!(json, "{flag}"),
        Converted::Date(date) => write!(json, "\"{date}\""),
    };
}
