//! A file, row by row: the stream that the rest of a node reads.

mod header;
mod row;
mod total;

use std::io::Read;

use schemas::Document;

use crate::format::csv::{CsvReader, RawRecord};
use crate::mapping::Mapping;
use crate::rejects::guard;
use crate::report::{FileWarning, InputError, RowError, RowWarning};
use total::TotalCheck;

use header::Header;
pub use header::Layout;

/// Most warnings about a file as a whole: enough to know that something is wrong.
const MAX_FILE_WARNINGS: usize = 20;

/// One row of the file and what became of it.
#[derive(Debug)]
pub struct Record {
    /// Physical line the row begins on, counted from 1.
    pub line: u64,
    /// The cells as they were in the file.
    pub raw: RawRecord,
    /// The message data, or everything that is wrong with the row.
    pub outcome: Result<Document, Vec<RowError>>,
    /// What to look at in a row that is good enough.
    pub warnings: Vec<RowWarning>,
}

/// The rows of a file in order. Stops after an error: the file as a whole cannot go on then.
///
/// After the last row [`Self::warnings`] holds what the file as a whole gave rise to.
pub struct Records<'a, R> {
    mapping: &'a Mapping,
    reader: CsvReader<R>,
    header: Header,
    total: TotalCheck,
    json: Vec<u8>,
    rows: u64,
    warnings: Vec<FileWarning>,
    finished: bool,
}

/// Reads `input` by `mapping` up to and including the header line; the rows come from the iterator.
///
/// Streams: memory does not grow with the size of the input.
pub fn read<R: Read>(mapping: &Mapping, input: R) -> Result<Records<'_, R>, InputError> {
    let mut reader = CsvReader::new(input, mapping.file().delimiter);
    let header = header::find(mapping, &mut reader)?;
    Ok(Records {
        mapping,
        reader,
        header,
        total: TotalCheck::default(),
        json: Vec::new(),
        rows: 0,
        warnings: Vec::new(),
        finished: false,
    })
}

impl<R: Read> Records<'_, R> {
    /// The shape of this file, for writing rejects that the same mapping can read.
    pub fn layout(&self) -> &Layout {
        &self.header.layout
    }

    /// Rows so far, good and bad; not blank lines, nor the line with the total.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What there is to look at in the file as a whole; complete once the iterator has ended.
    pub fn warnings(&self) -> &[FileWarning] {
        &self.warnings
    }

    fn next_record(&mut self) -> Result<Option<Record>, InputError> {
        loop {
            let mut raw = RawRecord::default();
            if !self.reader.read(&mut raw)? {
                self.end(raw.line());
                return Ok(None);
            }
            if self.mapping.file().skip_blank && raw.is_blank() {
                continue;
            }
            let raw = self.as_offered(raw);
            if let Some(rule) = &self.mapping.file().total
                && self.header.is_total(self.mapping, rule, &raw)
            {
                let warnings = self.total.compare(self.mapping, rule, &self.header, &raw);
                self.warnings.extend(warnings);
                self.warnings.truncate(MAX_FILE_WARNINGS);
                continue;
            }
            self.rows += 1;
            self.total.count(self.mapping, &self.header, &raw);
            let row = row::Row { mapping: self.mapping, header: &self.header, raw: &raw };
            let (outcome, warnings) = row.read(&mut self.json);
            return Ok(Some(Record { line: raw.line(), raw, outcome, warnings }));
        }
    }

    /// A row of a rejects file as it was in the first file: without what [`crate::Rejects`] added.
    fn as_offered(&self, mut raw: RawRecord) -> RawRecord {
        if !self.header.layout.annotated {
            return raw;
        }
        raw.truncate(self.header.layout.columns());
        raw.map_cells(guard::lift)
    }

    fn end(&mut self, last_line: u64) {
        self.finished = true;
        let expected = self.mapping.file().total.is_some() && !self.header.layout.annotated;
        if expected && self.warnings.len() < MAX_FILE_WARNINGS {
            self.warnings.extend(self.total.at_end(last_line));
        }
    }
}

impl<R: Read> Iterator for Records<'_, R> {
    type Item = Result<Record, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let next = self.next_record().transpose();
        self.finished |= matches!(next, Some(Err(_)));
        next
    }
}

#[cfg(test)]
mod tests;
