use std::io::Cursor;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{Mapping, read};

const MAPPING: &str = include_str!("../../../config/adapters/woningcorporatie-achterstanden.toml");
const EXPORT: &[u8] = include_bytes!("../../fixtures/achterstanden.csv");

/// Offers the file as the program does: bad rows, and those `refuse` says no to, are rejected.
fn offer(input: &Path, refuse: impl Fn(&Record) -> Option<RowError>) -> (Vec<Record>, Option<PathBuf>) {
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let mut records = read(&mapping, File::open(input).unwrap()).unwrap();
    let mut rejects = Rejects::beside(input, records.layout()).unwrap();
    let mut all = Vec::new();
    for record in &mut records {
        let record = record.unwrap();
        match &record.outcome {
            Err(errors) => rejects.add(&record, errors).unwrap(),
            Ok(_) => refuse(&record).into_iter().for_each(|error| rejects.add(&record, &[error]).unwrap()),
        }
        all.push(record);
    }
    (all, rejects.finish().unwrap())
}

fn refuse_none(_: &Record) -> Option<RowError> {
    None
}

/// A folder with the export in it, with changes to its bytes.
fn folder(changes: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let input = folder.path().join("achterstanden.csv");
    let mut bytes = EXPORT.to_vec();
    for (from, to) in changes {
        bytes = replaced(&bytes, from.as_bytes(), to.as_bytes());
    }
    fs::write(&input, bytes).unwrap();
    (folder, input)
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn bad(records: &[Record]) -> Vec<&Record> {
    records.iter().filter(|record| record.outcome.is_err()).collect()
}

#[test]
fn rejects_lie_beside_the_input_in_its_own_form() {
    let (_folder, input) = folder(&[]);
    let (_, rejects) = offer(&input, refuse_none);
    let rejects = rejects.unwrap();
    assert_eq!(rejects, input.with_file_name("achterstanden.afgekeurd.csv"));
    let written = fs::read(rejects).unwrap();
    let lines: Vec<_> = written.split(|byte| *byte == b'\n').collect();
    let original: Vec<_> = EXPORT.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines[0], original[0]);
    assert_eq!(lines[1], original[1]);
    let header = [original[2].strip_suffix(b"\r").unwrap(), b";Regel;Kolom;Probleem;Oplossing\r"].concat();
    assert_eq!(lines[2], header);
    let row = original[15].strip_suffix(b"\r").unwrap();
    let added =
        b";16;Geb.datum;is een dag die niet bestaat;Controleer dag, maand en jaar in het bronsysteem.\r";
    assert_eq!(lines[3], [row, added].concat());
    assert_eq!(lines.len(), 3 + 4 + 1 + 1, "one of the four rows has a line break in it");
}

#[test]
fn a_rejects_file_can_be_mended_and_offered_again() {
    let (_folder, input) = folder(&[]);
    let (first, rejects) = offer(&input, refuse_none);
    let mended = input.with_file_name("hersteld.csv");
    let bytes = fs::read(rejects.unwrap()).unwrap();
    fs::write(&mended, replaced(&bytes, b"31-02-1980", b"28-02-1980")).unwrap();

    let (second, again) = offer(&mended, refuse_none);
    assert_eq!(second.len(), 4);
    let before = bad(&first);
    let json = second[0].outcome.as_ref().unwrap().json();
    assert!(
        json.contains("\"geboortedatum\":\"1980-02-28\"") && json.contains("\"peildatum\":\"2026-11-16\"")
    );
    for (now, then) in bad(&second).into_iter().zip(&before[1..]) {
        assert!(now.raw.iter().eq(then.raw.iter()));
    }
    // The rest is rejected again, without the columns of the first time.
    let (third, _) = offer(&again.unwrap(), refuse_none);
    assert_eq!(third.len(), 3);
    assert_eq!(third[0].raw.len(), 23);
}

#[test]
fn a_rejects_file_gives_no_warning_about_the_total_it_lacks() {
    let (_folder, input) = folder(&[]);
    let (_, rejects) = offer(&input, refuse_none);
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let mut records = read(&mapping, File::open(rejects.unwrap()).unwrap()).unwrap();
    assert_eq!(records.by_ref().count(), 4);
    assert_eq!(records.warnings(), []);
}

#[test]
fn rows_refused_later_on_are_rejected_with_their_reason() {
    let (_folder, input) = folder(&[]);
    let refuse = |record: &Record| {
        (record.line == 9).then(|| RowError {
            line: 9,
            column: String::new(),
            kind: "een regel",
            problem: "mag niet weg: een voorwaarde is niet vervuld".to_owned(),
            remedy: "Neem eerst persoonlijk contact op.".to_owned(),
        })
    };
    let (_, rejects) = offer(&input, refuse);
    let text = String::from_utf8_lossy(&fs::read(rejects.unwrap()).unwrap()).into_owned();
    let added = ";9;;mag niet weg: een voorwaarde is niet vervuld;Neem eerst persoonlijk contact op.\r\n";
    assert!(text.contains(added), "{text}");
}

#[test]
fn several_problems_stay_one_row() {
    let (_folder, input) = folder(&[("31-02-1980", ""), ("3.573,36", "veel")]);
    let (_, rejects) = offer(&input, refuse_none);
    let text = String::from_utf8_lossy(&fs::read(rejects.unwrap()).unwrap()).into_owned();
    assert!(
        text.contains(";16;Geb.datum / Saldo;is leeg / bevat letters;Vul deze cel in. / Schrijf het"),
        "{text}"
    );
}

#[test]
fn nothing_rejected_leaves_nothing_behind() {
    let good = [
        ("31-02-1980", "28-02-1980"),
        ("1.2O4,50", "1.204,50"),
        ("G.;;;16", "G.;;Jansen;16"),
        ("491 AB", "4911 AB"),
    ];
    let (folder, input) = folder(&good);
    assert_eq!(offer(&input, refuse_none).1, None);
    assert_eq!(names(&folder), ["achterstanden.csv"]);
}

#[test]
fn nothing_is_left_when_it_is_given_up_half_way() {
    let (folder, input) = folder(&[]);
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let mut records = read(&mapping, EXPORT).unwrap();
    let mut rejects = Rejects::beside(&input, records.layout()).unwrap();
    let record = records.next().unwrap().unwrap();
    rejects.add(&record, &[]).unwrap();
    assert_eq!((rejects.rows(), names(&folder).len()), (1, 2));
    drop(rejects);
    assert_eq!(names(&folder), ["achterstanden.csv"]);
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let (folder, input) = folder(&[]);
    let left = folder.path().join(".achterstanden.afgekeurd.csv.999999.tmp");
    let other = folder.path().join(".iets-anders.afgekeurd.csv.999999.tmp");
    fs::write(&left, "Jansen").unwrap();
    fs::write(&other, "").unwrap();
    offer(&input, refuse_none);
    assert!(!left.exists() && other.exists());
}

#[test]
fn two_at_once_on_one_file_are_kept_apart() {
    let (_folder, input) = folder(&[]);
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let records = read(&mapping, EXPORT).unwrap();
    let _first = Rejects::beside(&input, records.layout()).unwrap();
    let second = Rejects::beside(&input, records.layout()).unwrap_err();
    assert!(second.to_string().ends_with("het wordt op dit moment al verwerkt. Wacht tot dat klaar is."));
}

#[test]
fn the_same_file_offered_twice_gives_one_rejects_file() {
    let (folder, input) = folder(&[]);
    let first = offer(&input, refuse_none).1;
    assert_eq!(offer(&input, refuse_none).1, first);
    assert_eq!(names(&folder), ["achterstanden.afgekeurd.csv", "achterstanden.csv"]);
}

#[test]
fn corrections_in_progress_are_never_overwritten() {
    let (folder, input) = folder(&[]);
    let first = offer(&input, refuse_none).1.unwrap();
    fs::write(&first, "half verbeterd").unwrap();
    let second = offer(&input, refuse_none).1.unwrap();
    assert_eq!(second.file_name().unwrap(), "achterstanden-2.afgekeurd.csv");
    assert_eq!(fs::read(&first).unwrap(), b"half verbeterd");
    assert_eq!(names(&folder).len(), 3);
}

#[test]
fn formulas_are_disarmed_and_come_back_unharmed() {
    let formulas = [
        ("Kloosterman", "=cmd|' /C calc'!A0"),
        ("Zwart", "@SUM(A1)"),
        ("Dekker", "'=1+1"),
        ("Wagenaar", "-2+3"),
    ];
    let (_folder, input) = folder(&formulas);
    // All rows are refused, so all are in the file.
    let all = |record: &Record| {
        Some(RowError {
            line: record.line,
            column: "=kolom".to_owned(),
            kind: "een regel",
            problem: "geweigerd".to_owned(),
            remedy: "-".to_owned(),
        })
    };
    let (first, rejects) = offer(&input, all);
    let rejects = rejects.unwrap();
    let mut reader = crate::format::csv::CsvReader::new(File::open(&rejects).unwrap(), b';');
    let mut raw = RawRecord::default();
    while reader.read(&mut raw).unwrap() {
        let armed = raw.iter().any(|cell| cell.first().is_some_and(|first| b"=+-@\t\r".contains(first)));
        assert!(!armed, "line {}", raw.line());
    }
    let (second, _) = offer(&rejects, refuse_none);
    assert_eq!(second.len(), first.len());
    assert!(first.iter().zip(&second).all(|(then, now)| then.raw.iter().eq(now.raw.iter())));
}

#[test]
fn rows_of_the_wrong_width_keep_their_content_and_their_place() {
    let (_folder, input) =
        folder(&[("betaalt per week", "een;twee"), ("\r\nHC70231;R33129;", "\r\nHC70231|R33129|")]);
    let (_, rejects) = offer(&input, refuse_none);
    let rejects = rejects.unwrap();
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let all: Vec<_> = read(&mapping, File::open(&rejects).unwrap()).unwrap().map(Result::unwrap).collect();
    assert!(all.iter().all(|record| record.raw.len() == 23));
    let joined = all.iter().any(|record| record.raw.iter().last() == Some(b"een;twee".as_slice()));
    assert!(joined, "cells beyond the last are kept in the last");
}

#[test]
fn a_byte_order_mark_is_kept() {
    let mapping =
        Mapping::parse(&MAPPING.replace("codering = \"windows-1252\"", "codering = \"utf-8\""), "").unwrap();
    let text: String = EXPORT.iter().map(|byte| char::from(*byte)).collect();
    let (_folder, input) = folder(&[]);
    let mut records = read(&mapping, Cursor::new(format!("\u{feff}{text}"))).unwrap();
    let mut rejects = Rejects::beside(&input, records.layout()).unwrap();
    for record in &mut records {
        rejects.add(&record.unwrap(), &[]).unwrap();
    }
    let written = fs::read(rejects.finish().unwrap().unwrap()).unwrap();
    let start = "\u{feff}Achterstandenlijst;".as_bytes();
    assert_eq!(&written[..start.len()], start);
    assert!(read(&mapping, Cursor::new(written)).unwrap().all(|record| record.is_ok()));
}

#[cfg(unix)]
#[test]
fn who_may_read_the_input_may_read_the_rejects() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, input) = folder(&[]);
    fs::set_permissions(&input, fs::Permissions::from_mode(0o640)).unwrap();
    let rejects = offer(&input, refuse_none).1.unwrap();
    assert_eq!(fs::metadata(rejects).unwrap().permissions().mode() & 0o777, 0o640);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let (folder, input) = folder(&[]);
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let mut records = read(&mapping, EXPORT).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let target = path_beside(&input);
    let mut rejects = Rejects::to_file(target.clone(), temporary_path(&target), full, records.layout());
    rejects.add(&records.next().unwrap().unwrap(), &[]).unwrap();
    let error = rejects.finish().unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
    assert!(
        error.to_string().ends_with("de schijf is vol. Maak ruimte vrij en bied het bestand opnieuw aan.")
    );
    assert_eq!(names(&folder), ["achterstanden.csv"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_known_before_the_first_row() {
    let (folder, _) = folder(&[]);
    let mapping = Mapping::parse(MAPPING, "").unwrap();
    let records = read(&mapping, EXPORT).unwrap();
    let nowhere = folder.path().join("weg").join("lijst.csv");
    let error = Rejects::beside(&nowhere, records.layout()).unwrap_err();
    assert!(error.to_string().ends_with("de map bestaat niet (meer). Maak de map aan."), "{error}");
}

#[test]
fn every_failure_to_write_has_its_advice() {
    use io::ErrorKind;
    for kind in [
        ErrorKind::PermissionDenied,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::QuotaExceeded,
        ErrorKind::Other,
    ] {
        assert!(advice(&kind.into()).ends_with('.'), "{kind}");
    }
}

proptest! {
    #[test]
    fn disarming_is_exactly_reversible(cell in "['=+@\t\r-]{0,4}.{0,5}") {
        let cell = cell.as_bytes();
        let safe = guard::apply(cell);
        prop_assert!(!safe.first().is_some_and(|first| b"=+-@\t\r".contains(first)));
        prop_assert_eq!(guard::lift(&safe), cell);
    }

    #[test]
    fn what_was_never_disarmed_by_us_is_mostly_left_alone(cell in "[a-z'][a-z' ]{0,6}") {
        prop_assert_eq!(guard::lift(cell.as_bytes()), cell.as_bytes());
        prop_assert_eq!(guard::lifted(&cell), cell.as_str());
    }
}
