//! The top of a file: lines above the table, then the header, found by the names of its columns.

use std::io::Read;

use crate::convert::{self, Converted};
use crate::format::csv::{CsvReader, RawRecord};
use crate::format::encoding::{Encoding, UTF8_BOM};
use crate::mapping::{Mapping, TotalRule};
use crate::rejects::{ANNOTATIONS, guard};
use crate::report::InputError;

/// The shape of one file: what is needed to write another that the same mapping reads.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: u8,
    pub(crate) byte_order_mark: bool,
    /// The lines above the header.
    pub(crate) titles: Vec<RawRecord>,
    /// The header, without annotations.
    pub(crate) header: RawRecord,
    /// Whether the file is itself one of rejects.
    pub(crate) annotated: bool,
}

impl Layout {
    /// Number of columns of the original file.
    pub(crate) fn columns(&self) -> usize {
        self.header.len()
    }
}

/// What was found above the rows.
pub(super) struct Header {
    pub(super) layout: Layout,
    /// Where each column of the mapping is in the file.
    positions: Vec<usize>,
    /// Values of the mapping's titles, in its order.
    pub(super) titles: Vec<Converted<'static>>,
}

impl Header {
    /// The bytes in this row of a column of the mapping.
    pub(super) fn cell<'r>(&self, raw: &'r RawRecord, column: usize) -> Option<&'r [u8]> {
        raw.get(*self.positions.get(column)?)
    }

    /// Whether this row is the line that adds up.
    pub(super) fn is_total(&self, mapping: &Mapping, rule: &TotalRule, raw: &RawRecord) -> bool {
        let cell = self.cell(raw, rule.column).unwrap_or_default();
        mapping.file().encoding.decode(cell).is_ok_and(|text| convert::fold(&text) == rule.text)
    }
}

/// Reads up to and including the header.
pub(super) fn find<R: Read>(mapping: &Mapping, reader: &mut CsvReader<R>) -> Result<Header, InputError> {
    let byte_order_mark = check_first_bytes(mapping.file().encoding, reader)?;
    let mut above = Vec::new();
    let mut nearest: Option<Candidate> = None;
    let mut raw = RawRecord::default();
    while above.len() <= mapping.file().title_lines && reader.read(&mut raw)? {
        if raw.flaw() == Some(crate::format::csv::Flaw::Nul) {
            return Err(InputError::NotText { line: raw.line() });
        }
        let candidate = Candidate::of(mapping, &raw)?;
        if candidate.missing.is_empty() {
            return candidate.accept(mapping, byte_order_mark, above, raw);
        }
        if nearest.as_ref().is_none_or(|nearest| candidate.missing.len() < nearest.missing.len()) {
            nearest = Some(candidate);
        }
        above.push(std::mem::take(&mut raw));
    }
    let Some(nearest) = nearest else { return Err(InputError::Empty) };
    let resembles = nearest.missing.len() < mapping.columns().len();
    let place = if resembles {
        format!("regel {} lijkt op de kopregel", nearest.line)
    } else {
        format!("in de eerste {} regels staat geen kopregel", above.len())
    };
    let delimiter = char::from(mapping.file().delimiter).to_string();
    Err(InputError::NoHeader { place, missing: nearest.missing, delimiter })
}

/// Refuses what is plainly not in the declared encoding; whether a UTF-8 byte order mark was there (and skipped).
fn check_first_bytes<R: Read>(declared: Encoding, reader: &mut CsvReader<R>) -> Result<bool, InputError> {
    let first = reader.peek(4)?;
    let marked = first.starts_with(UTF8_BOM);
    let found = match first {
        [] => return Err(InputError::Empty),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [b'P', b'K', 3, 4] => return Err(InputError::NotText { line: 1 }),
        _ if marked && declared != Encoding::Utf8 => Some("UTF-8"),
        _ => None,
    };
    if let Some(found) = found {
        return Err(InputError::OtherEncoding { found, declared: declared.name() });
    }
    if marked {
        reader.skip(UTF8_BOM.len());
    }
    Ok(marked)
}

/// A line that may be the header.
struct Candidate {
    line: u64,
    positions: Vec<usize>,
    missing: Vec<String>,
    annotated: bool,
}

impl Candidate {
    fn of(mapping: &Mapping, raw: &RawRecord) -> Result<Candidate, InputError> {
        let encoding = mapping.file().encoding;
        let mut names: Vec<String> = raw
            .iter()
            .map(|cell| encoding.decode(cell).map_or_else(|_| String::new(), |text| convert::fold(&text)))
            .collect();
        let annotated = names.len() > ANNOTATIONS.len()
            && names
                .iter()
                .rev()
                .zip(ANNOTATIONS.iter().rev())
                .all(|(name, added)| *name == convert::fold(added));
        if annotated {
            names.truncate(names.len() - ANNOTATIONS.len());
            names = names.iter().map(|name| guard::lifted(name).to_owned()).collect();
        }
        let mut candidate =
            Candidate { line: raw.line(), positions: Vec::new(), missing: Vec::new(), annotated };
        let mut twice = None;
        for column in mapping.columns() {
            let wanted = convert::fold(column);
            let mut found =
                names.iter().enumerate().filter(|(_, name)| **name == wanted).map(|(index, _)| index);
            match found.next() {
                Some(position) => candidate.positions.push(position),
                None => candidate.missing.push(column.clone()),
            }
            if found.next().is_some() {
                twice = Some(column);
            }
        }
        match twice {
            // A title line may well repeat a word; only the header itself must be unambiguous.
            Some(column) if candidate.missing.is_empty() => {
                Err(InputError::ColumnTwice { line: raw.line(), column: column.clone() })
            }
            _ => Ok(candidate),
        }
    }

    fn accept(
        self,
        mapping: &Mapping,
        byte_order_mark: bool,
        above: Vec<RawRecord>,
        mut header: RawRecord,
    ) -> Result<Header, InputError> {
        if self.annotated {
            header.truncate(header.len() - ANNOTATIONS.len());
            header = header.map_cells(guard::lift);
        }
        let titles = read_titles(mapping, &above)?;
        let layout = Layout {
            encoding: mapping.file().encoding,
            delimiter: mapping.file().delimiter,
            byte_order_mark,
            titles: if self.annotated {
                above.iter().map(|raw| raw.map_cells(guard::lift)).collect()
            } else {
                above
            },
            header,
            annotated: self.annotated,
        };
        Ok(Header { layout, positions: self.positions, titles })
    }
}

/// The values above the table: each follows its fixed words in the same cell, or is in the next cell.
fn read_titles(mapping: &Mapping, above: &[RawRecord]) -> Result<Vec<Converted<'static>>, InputError> {
    let cells: Vec<(u64, String)> = above
        .iter()
        .flat_map(|raw| raw.iter().map(|cell| (raw.line(), cell)))
        .map(|(line, cell)| (line, mapping.file().encoding.decode(cell).map(|text| text.trim().to_owned())))
        .map(|(line, text)| (line, text.unwrap_or_default()))
        .collect();
    mapping
        .file()
        .titles
        .iter()
        .map(|rule| {
            let kind = rule.converter.kind();
            let prefix = || rule.prefix.clone();
            let found = cells.iter().enumerate().find_map(|(at, (line, text))| {
                let rest = text.strip_prefix(&rule.prefix)?.trim();
                let next = cells.get(at + 1).filter(|(other, _)| other == line).map_or("", |(_, text)| text);
                Some((*line, if rest.is_empty() { next } else { rest }))
            });
            let (line, text) = match found {
                Some((line, text)) if !text.is_empty() => (line, text),
                _ => return Err(InputError::NoTitle { prefix: prefix(), kind }),
            };
            rule.converter.convert(text).map(Converted::into_owned).map_err(|unreadable| {
                InputError::BadTitle {
                    line,
                    prefix: prefix(),
                    kind,
                    problem: unreadable.problem.into_owned(),
                    remedy: unreadable.remedy.into_owned(),
                }
            })
        })
        .collect()
}
