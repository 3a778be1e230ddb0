use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// Line, flaw and cells of every record.
type Rows = Vec<(u64, Option<Flaw>, Vec<String>)>;

fn rows_from(input: impl Read) -> Rows {
    let mut reader = CsvReader::new(input, b';');
    let mut rows = Vec::new();
    let mut record = RawRecord::default();
    while reader.read(&mut record).unwrap() {
        let cells = record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        rows.push((record.line(), record.flaw(), cells));
    }
    rows
}

fn rows(text: &str) -> Rows {
    rows_from(Cursor::new(text.as_bytes()))
}

fn good(line: u64, cells: &[&str]) -> (u64, Option<Flaw>, Vec<String>) {
    (line, None, cells.iter().map(ToString::to_string).collect())
}

fn bad(line: u64, flaw: Flaw, cells: &[&str]) -> (u64, Option<Flaw>, Vec<String>) {
    (line, Some(flaw), cells.iter().map(ToString::to_string).collect())
}

/// Gives its bytes in pieces of the sizes asked for, over and over.
struct Pieces<'b> {
    bytes: &'b [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(size);
        buffer[..size].copy_from_slice(now);
        self.bytes = later;
        Ok(size)
    }
}

#[test]
fn cells_are_split_and_unquoted() {
    let expected = [good(1, &["a", "b;c", "say \"hi\"", ""]), good(2, &["", ""])];
    assert_eq!(rows("a;\"b;c\";\"say \"\"hi\"\"\";\r\n;\n"), expected);
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let text = "kop\r\n\"een\nhond\r\nen kat\";x\r\n\r\nlaatste";
    assert_eq!(
        rows(text),
        [good(1, &["kop"]), good(2, &["een\nhond\r\nen kat", "x"]), good(5, &[""]), good(6, &["laatste"])]
    );
}

#[test]
fn the_last_line_may_end_anyhow() {
    for end in ["", "\n", "\r\n", "\r"] {
        assert_eq!(rows(&format!("a;b{end}")), [good(1, &["a", "b"])], "{end:?}");
        assert_eq!(rows(&format!("a;\"b\"{end}")), [good(1, &["a", "b"])], "{end:?}");
    }
    assert_eq!(rows(""), []);
}

#[test]
fn quotes_inside_an_unquoted_cell_are_text() {
    assert_eq!(rows("5\" buis;b\n"), [good(1, &["5\" buis", "b"])]);
}

#[test]
fn after_a_forgotten_quote_only_that_line_is_lost() {
    let text = "1;\"let op\r\n2;goed\r\n3;\"met\nregel\"\r\n4;goed\r\n";
    assert_eq!(
        rows(text),
        [
            bad(1, Flaw::TextAfterQuote, &["1", "\"let op"]),
            good(2, &["2", "goed"]),
            good(3, &["3", "met\nregel"]),
            good(5, &["4", "goed"]),
        ]
    );
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_the_rest() {
    let text = "1;\"let op\n2;goed\n3;goed";
    assert_eq!(
        rows(text),
        [bad(1, Flaw::UnclosedQuote, &["1", "\"let op"]), good(2, &["2", "goed"]), good(3, &["3", "goed"])]
    );
}

#[test]
fn an_open_quote_gives_up_at_the_record_limit() {
    let mut text = String::from("1;\"let op\n");
    for _ in 0..20_000 {
        text.push_str("2;goed\n");
    }
    let rows = rows(&text);
    assert_eq!(rows[0], bad(1, Flaw::UnclosedQuote, &["1", "\"let op"]));
    assert_eq!(rows.len(), 20_001);
    assert_eq!(rows[20_000], good(20_001, &["2", "goed"]));
}

#[test]
fn a_line_beyond_the_limit_is_skipped_whole() {
    for length in [MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1, 5 * MAX_RECORD_BYTES] {
        let text = format!("{}\n2;goed\n", "x".repeat(length));
        assert_eq!(rows(&text), [bad(1, Flaw::RecordTooLong, &[]), good(2, &["2", "goed"])], "{length}");
        let quoted = format!("\"{}\n2;goed\n", "x".repeat(length));
        assert_eq!(rows(&quoted), [bad(1, Flaw::RecordTooLong, &[]), good(2, &["2", "goed"])], "{length}");
    }
    assert_eq!(rows(&"x".repeat(9 * MAX_RECORD_BYTES)), [bad(1, Flaw::RecordTooLong, &[])]);
}

#[test]
fn a_long_cell_and_many_columns_are_named() {
    let long = "x".repeat(MAX_FIELD_BYTES + 1);
    let read = rows(&format!("{long};b\n{}\n", ";".repeat(MAX_COLUMNS)));
    assert_eq!(read[0].1, Some(Flaw::FieldTooLong));
    assert_eq!((read[1].1, read[1].2.len()), (Some(Flaw::TooManyColumns), MAX_COLUMNS));
}

#[test]
fn a_nul_byte_is_named() {
    assert_eq!(rows("a;\0b\nc\n"), [bad(1, Flaw::Nul, &["a", "\0b"]), good(2, &["c"])]);
}

#[test]
fn a_failing_input_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let failed = CsvReader::new(Broken, b';').read(&mut RawRecord::default());
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[test]
fn the_debug_form_shows_no_cell() {
    let mut record = RawRecord::default();
    CsvReader::new(Cursor::new(b"Jansen;x\n"), b';').read(&mut record).unwrap();
    assert!(!format!("{record:?}").contains("Jansen"));
}

/// Text made of what matters to the reader.
fn confusing_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b";".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\"\"".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"ab".to_vec()),
        any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..200).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_size_of_the_pieces_makes_no_difference(
        bytes in confusing_text(),
        sizes in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let pieces = Pieces { bytes: &bytes, sizes, turn: 0 };
        prop_assert_eq!(rows_from(pieces), rows_from(Cursor::new(&bytes)));
    }

    #[test]
    fn every_line_belongs_to_one_record(bytes in confusing_text()) {
        let mut reader = CsvReader::new(Cursor::new(&bytes), b';');
        let mut record = RawRecord::default();
        let mut next = 1;
        while reader.read(&mut record).unwrap() {
            prop_assert_eq!(record.line(), next);
            next = reader.line.max(next + u64::from(reader.line == next));
        }
        prop_assert_eq!(reader.line - 1, bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>());
    }

    #[test]
    fn what_the_csv_crate_writes_reads_back(
        table in prop::collection::vec(prop::collection::vec("[ab;\"\n\r ]{0,6}", 2..5), 1..10),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(b';').flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let read: Vec<_> = rows_from(Cursor::new(bytes)).into_iter().map(|(_, flaw, cells)| (flaw, cells)).collect();
        let expected: Vec<_> = table.into_iter().map(|cells| (None, cells)).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn what_is_written_here_reads_back(
        row in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("NUL is a flaw", |b| *b != 0), 0..12), 1..6),
    ) {
        let mut line = Vec::new();
        for (index, cell) in row.iter().enumerate() {
            write_cell(&mut line, cell, b';', index == 0);
        }
        line.extend_from_slice(b"\r\n");
        let mut record = RawRecord::default();
        CsvReader::new(Cursor::new(line), b';').read(&mut record).unwrap();
        prop_assert_eq!(record.flaw(), None);
        prop_assert_eq!(record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>(), row);
    }
}
