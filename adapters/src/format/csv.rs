//! Comma-separated values as office software writes them (RFC 4180 with any delimiter), as a stream of records.
//!
//! The reader is strict about quotes because a lenient one loses people: after a forgotten closing quote it takes
//! the next rows for the text of one cell. Here a record whose quotes do not add up is only its first physical
//! line, marked with a [`Flaw`], and reading goes on at the next line. Memory stays within one record whatever the
//! input does.

use std::io::{self, Read};

/// Longest record in bytes, quoted line breaks included. A message is at most 64 KiB, so a longer row fits nowhere.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;
/// Longest cell in bytes: no field of any message is near this.
pub const MAX_FIELD_BYTES: usize = 8 * 1024;
/// Most columns in a file; the widest export known has about eighty.
pub const MAX_COLUMNS: usize = 256;
/// How much is asked of the input at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What is wrong with the shape of a record, before its values are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A quote is opened and not closed where it should be.
    UnclosedQuote,
    /// A closing quote is followed by text instead of a delimiter.
    TextAfterQuote,
    /// More than [`MAX_RECORD_BYTES`]; its content is skipped.
    RecordTooLong,
    /// A cell of more than [`MAX_FIELD_BYTES`].
    FieldTooLong,
    /// More than [`MAX_COLUMNS`]; what follows those is skipped.
    TooManyColumns,
    /// A NUL byte: not a text file, or one in another encoding.
    Nul,
}

/// One row as it was in the file: cells without their quotes, still in the file's encoding.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RawRecord {
    line: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    flaw: Option<Flaw>,
}

impl RawRecord {
    /// Physical line the record begins on, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no cells at all.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The cell at `index`, if the row is that long.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.bytes.get(start..end)
    }

    /// All cells in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// What is wrong with the shape of this record.
    pub fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// Whether nothing is wrong with it and every cell is empty or white space.
    pub fn is_blank(&self) -> bool {
        self.flaw.is_none() && self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// Forgets the cells from `count` on.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Replaces each cell by what `change` makes of it.
    pub(crate) fn map_cells(&self, change: impl Fn(&[u8]) -> Vec<u8>) -> RawRecord {
        let mut changed = RawRecord { line: self.line, flaw: self.flaw, ..RawRecord::default() };
        for cell in self.iter() {
            changed.bytes.extend_from_slice(&change(cell));
            changed.ends.push(changed.bytes.len());
        }
        changed
    }

    fn reset(&mut self, line: u64) {
        self.line = line;
        self.flaw = None;
        self.bytes.clear();
        self.ends.clear();
    }

    fn end_field(&mut self) {
        if self.ends.len() == MAX_COLUMNS {
            self.flaw.get_or_insert(Flaw::TooManyColumns);
            self.bytes.truncate(self.ends[MAX_COLUMNS - 1]);
            return;
        }
        if self.bytes.len() - self.ends.last().copied().unwrap_or(0) > MAX_FIELD_BYTES {
            self.flaw.get_or_insert(Flaw::FieldTooLong);
        }
        self.ends.push(self.bytes.len());
    }

    /// Ends the last, unquoted cell: the carriage return before a line feed belongs to the line end.
    fn end_plain_record(&mut self) {
        if self.bytes.len() > self.ends.last().copied().unwrap_or(0) && self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        self.end_field();
    }
}

/// Prints the shape only: cells hold personal data and end up in logs through `{:?}`.
impl std::fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRecord")
            .field("line", &self.line)
            .field("cells", &self.ends.len())
            .field("flaw", &self.flaw)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: the end of it, or half of an escaped quote.
    QuoteSeen,
    /// After `"` and a carriage return: only a line feed can follow.
    ClosedReturn,
}

/// How one byte, or the end of the input, moves the reader on.
enum Step {
    Go(State),
    Done,
    Broken(Flaw),
}

/// Reads records one by one.
pub struct CsvReader<R> {
    input: R,
    delimiter: u8,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    line: u64,
}

impl<R: Read> CsvReader<R> {
    /// A reader of `input` at its first byte, with cells separated by `delimiter` (an ASCII character).
    pub fn new(input: R, delimiter: u8) -> CsvReader<R> {
        let buffer = vec![0; MAX_RECORD_BYTES + CHUNK_BYTES].into_boxed_slice();
        CsvReader { input, delimiter, buffer, start: 0, end: 0, line: 1 }
    }

    /// The next bytes, without reading them: at most `count`, fewer at the end of the input.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count && self.fill()? {}
        Ok(&self.buffer[self.start..self.end.min(self.start + count)])
    }

    /// Skips `count` bytes that [`Self::peek`] showed.
    pub fn skip(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Reads the next record into `record`; `false` at the end of the input.
    pub fn read(&mut self, record: &mut RawRecord) -> io::Result<bool> {
        record.reset(self.line);
        if self.peek(1)?.is_empty() {
            return Ok(false);
        }
        match self.scan(record)? {
            Ok(length) => self.consume(length),
            Err(flaw) => self.first_line_only(record, flaw)?,
        }
        if record.flaw.is_none() && record.bytes.contains(&0) {
            record.flaw = Some(Flaw::Nul);
        }
        Ok(true)
    }

    /// Reads cells up to the end of the record; its length in bytes.
    fn scan(&mut self, record: &mut RawRecord) -> io::Result<Result<usize, Flaw>> {
        let mut state = State::FieldStart;
        let mut at = 0;
        while at < MAX_RECORD_BYTES {
            let byte = self.byte(at)?;
            let step = match byte {
                Some(byte) => self.step(state, byte, record),
                None => Self::step_at_end(state, record),
            };
            at += usize::from(byte.is_some());
            match step {
                Step::Go(next) => state = next,
                Step::Done => return Ok(Ok(at)),
                Step::Broken(flaw) => return Ok(Err(flaw)),
            }
        }
        let open = state == State::Quoted;
        Ok(Err(if open { Flaw::UnclosedQuote } else { Flaw::RecordTooLong }))
    }

    fn step(&self, state: State, byte: u8, record: &mut RawRecord) -> Step {
        match (state, byte) {
            (State::Quoted, b'"') => Step::Go(State::QuoteSeen),
            (State::FieldStart, b'"') => Step::Go(State::Quoted),
            (State::Quoted, _) | (State::QuoteSeen, b'"') => {
                record.bytes.push(byte);
                Step::Go(State::Quoted)
            }
            (State::QuoteSeen | State::ClosedReturn, b'\n') => {
                record.end_field();
                Step::Done
            }
            (State::QuoteSeen, b'\r') => Step::Go(State::ClosedReturn),
            (State::ClosedReturn, _) => Step::Broken(Flaw::TextAfterQuote),
            (_, delimiter) if delimiter == self.delimiter => {
                record.end_field();
                Step::Go(State::FieldStart)
            }
            (State::QuoteSeen, _) => Step::Broken(Flaw::TextAfterQuote),
            (State::FieldStart | State::Plain, b'\n') => {
                record.end_plain_record();
                Step::Done
            }
            (State::FieldStart | State::Plain, _) => {
                record.bytes.push(byte);
                Step::Go(State::Plain)
            }
        }
    }

    fn step_at_end(state: State, record: &mut RawRecord) -> Step {
        match state {
            State::Quoted => return Step::Broken(Flaw::UnclosedQuote),
            State::QuoteSeen | State::ClosedReturn => record.end_field(),
            State::FieldStart | State::Plain => record.end_plain_record(),
        }
        Step::Done
    }

    /// After broken quotes: the first physical line, split as if quotes meant nothing, so that a person can see and
    /// repair it. A line beyond the limit is skipped without keeping it.
    fn first_line_only(&mut self, record: &mut RawRecord, flaw: Flaw) -> io::Result<()> {
        record.reset(self.line);
        record.flaw = Some(flaw);
        let Some(length) = self.line_length()? else {
            record.flaw = Some(Flaw::RecordTooLong);
            return self.skip_line();
        };
        for at in 0..length {
            match self.buffer[self.start + at] {
                b'\n' => break,
                byte if byte == self.delimiter => record.end_field(),
                byte => record.bytes.push(byte),
            }
        }
        record.end_plain_record();
        self.consume(length);
        Ok(())
    }

    /// Length of the current physical line with its line feed, unless it is beyond the record limit.
    fn line_length(&mut self) -> io::Result<Option<usize>> {
        for at in 0..MAX_RECORD_BYTES {
            match self.byte(at)? {
                Some(b'\n') => return Ok(Some(at + 1)),
                Some(_) => {}
                None => return Ok(Some(at)),
            }
        }
        Ok(None)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let found = self.buffer[self.start..self.end].iter().position(|byte| *byte == b'\n');
            if let Some(position) = found {
                self.consume(position + 1);
                return Ok(());
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    fn consume(&mut self, length: usize) {
        let consumed = &self.buffer[self.start..self.start + length];
        self.line += consumed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.start += length;
    }

    /// The byte at `offset` from the start of the record, reading on when needed. `None` at the end of the input.
    fn byte(&mut self, offset: usize) -> io::Result<Option<u8>> {
        while self.start + offset >= self.end {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer[self.start + offset]))
    }

    /// Reads more behind what is there; `false` at the end of the input.
    fn fill(&mut self) -> io::Result<bool> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Appends one cell to `line`, quoted where the dialect asks for it.
pub(crate) fn write_cell(line: &mut Vec<u8>, cell: &[u8], delimiter: u8, first: bool) {
    if !first {
        line.push(delimiter);
    }
    let quoted = cell.iter().any(|byte| *byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n'));
    if !quoted {
        line.extend_from_slice(cell);
        return;
    }
    line.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests;
