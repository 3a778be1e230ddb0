//! The rows that did not make it, in a file a person can mend and offer again.
//!
//! `<name>.afgekeurd.csv` has the title lines, the header and the cells of the file it came from, in the same
//! encoding and with the same delimiter, so the same mapping reads it. Four columns are added at the end; the reader
//! knows them and ignores them. It appears whole or not at all, and never in place of another file: someone may be
//! mending that one.

pub(crate) mod guard;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::format::csv::{RawRecord, write_cell};
use crate::format::encoding::UTF8_BOM;
use crate::records::{Layout, Record};
use crate::report::RowError;

/// Columns added behind those of the source.
pub(crate) const ANNOTATIONS: [&str; 4] = ["Regel", "Kolom", "Probleem", "Oplossing"];
/// How the name of a rejects file ends.
pub(crate) const SUFFIX: &str = ".afgekeurd.csv";
/// How many rejects files of the same name may lie side by side before someone has to tidy up.
const MAX_NAMES: usize = 100;

/// Why rejects cannot be written. Messages are Dutch and for the person who offered the file.
#[derive(Debug, thiserror::Error)]
#[error("het bestand met afgekeurde regels ({}) is niet te schrijven: {}", path.display(), advice(source))]
pub struct RejectsError {
    /// The file to be written.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Writes the rejects of one file. Nothing is left behind if it is dropped before [`Rejects::finish`].
#[derive(Debug)]
pub struct Rejects {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
    layout: Layout,
    line: Vec<u8>,
    rows: u64,
}

impl Rejects {
    /// Rejects beside `input`, as `<stem>.afgekeurd.csv`.
    ///
    /// Makes sure at once that the folder can be written, so that this is known before the first row is sent.
    pub fn beside(input: &Path, layout: &Layout) -> Result<Rejects, RejectsError> {
        Rejects::at(path_beside(input), input, layout)
    }

    /// Rejects in the file `target`, readable for who can read `input`.
    pub fn at(target: PathBuf, input: &Path, layout: &Layout) -> Result<Rejects, RejectsError> {
        let temporary = temporary_path(&target);
        match open(&temporary, input) {
            Ok(file) => Ok(Rejects::to_file(target, temporary, file, layout)),
            Err(source) => Err(RejectsError { path: target, source }),
        }
    }

    fn to_file(target: PathBuf, temporary: PathBuf, file: File, layout: &Layout) -> Rejects {
        let file = Some(BufWriter::new(file));
        Rejects { target, temporary, file, layout: layout.clone(), line: Vec::new(), rows: 0 }
    }

    /// Number of rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds the row of `record` with what is wrong with it: its own errors, or why it was refused later on.
    pub fn add(&mut self, record: &Record, errors: &[RowError]) -> Result<(), RejectsError> {
        self.line.clear();
        if self.rows == 0 {
            self.begin();
        }
        let join = |part: fn(&RowError) -> &str| {
            let mut parts: Vec<_> = errors.iter().map(part).filter(|part| !part.is_empty()).collect();
            parts.dedup();
            parts.join(" / ")
        };
        let kolom = join(|error| &error.column);
        let added =
            [record.line.to_string(), kolom, join(|error| &error.problem), join(|error| &error.remedy)];
        self.push_row(&fitted(&record.raw, &self.layout), &added.each_ref().map(String::as_str));
        self.rows += 1;
        self.write().map_err(|source| RejectsError { path: self.target.clone(), source })
    }

    /// Makes the file appear, durably; where it is, or `None` if nothing was rejected.
    pub fn finish(mut self) -> Result<Option<PathBuf>, RejectsError> {
        if self.rows == 0 {
            return Ok(None);
        }
        self.publish().map(Some).map_err(|source| RejectsError { path: self.target.clone(), source })
    }

    /// The title lines and the header.
    fn begin(&mut self) {
        if self.layout.byte_order_mark {
            self.line.extend_from_slice(UTF8_BOM);
        }
        for title in std::mem::take(&mut self.layout.titles) {
            self.push_row(&cells(&title), &[]);
        }
        let header = cells(&self.layout.header);
        self.push_row(&header, &ANNOTATIONS);
    }

    fn push_row(&mut self, cells: &[Vec<u8>], added: &[&str]) {
        let encoding = self.layout.encoding;
        let added = added.iter().map(|text| encoding.encode(text));
        let all = cells.iter().cloned().chain(added);
        for (index, cell) in all.enumerate() {
            write_cell(&mut self.line, &guard::apply(&cell), self.layout.delimiter, index == 0);
        }
        self.line.extend_from_slice(b"\r\n");
    }

    fn write(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(&self.line),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn publish(&mut self) -> io::Result<PathBuf> {
        let Some(file) = self.file.take() else { return Err(io::ErrorKind::NotConnected.into()) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        for attempt in 1..=MAX_NAMES {
            let name = numbered(&self.target, attempt);
            match fs::symlink_metadata(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::rename(&self.temporary, &name)?;
                    sync_folder(&name)?;
                    return Ok(name);
                }
                Err(error) => return Err(error),
                // The same file offered again, or taken up again after a crash: it is there already.
                Ok(found) if found.is_file() && same_content(&self.temporary, &name)? => {
                    fs::remove_file(&self.temporary)?;
                    return Ok(name);
                }
                Ok(_) => {}
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Rejects {
    fn drop(&mut self) {
        self.file = None;
        // Gone already after `finish`; and if it cannot be removed there is nobody left to tell.
        let _gone = fs::remove_file(&self.temporary);
    }
}

/// Where the rejects of `input` go.
pub(crate) fn path_beside(input: &Path) -> PathBuf {
    let mut name = input.file_stem().unwrap_or_default().to_owned();
    name.push(SUFFIX);
    input.with_file_name(name)
}

/// `x.afgekeurd.csv`, `x-2.afgekeurd.csv`, ...
fn numbered(target: &Path, attempt: usize) -> PathBuf {
    if attempt == 1 {
        return target.to_owned();
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(SUFFIX).unwrap_or(&name);
    target.with_file_name(format!("{stem}-{attempt}{SUFFIX}"))
}

/// Hidden, and with an end that a drop folder passes over. The process id keeps two runs on one file apart.
fn temporary_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// A new file with the permissions of `input`, whose personal data it will hold; locked as long as it is written.
fn open(temporary: &Path, input: &Path) -> io::Result<File> {
    remove_abandoned(temporary)?;
    let file = match OpenOptions::new().write(true).create_new(true).open(temporary) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        other => other?,
    };
    // Where locks do not exist nothing is removed either, which is the only thing they are for.
    let _unsupported = file.try_lock();
    let permissions = fs::metadata(input).map(|metadata| metadata.permissions());
    if let Ok(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    Ok(file)
}

/// Removes what earlier runs on the same file were writing when they were killed: nobody would ever look there, and
/// it is about people.
fn remove_abandoned(temporary: &Path) -> io::Result<()> {
    let own = temporary.file_name().unwrap_or_default().to_string_lossy();
    let Some((stem, _process)) = own.strip_suffix(".tmp").and_then(|name| name.rsplit_once('.')) else {
        return Ok(());
    };
    for entry in fs::read_dir(folder_of(temporary))? {
        let entry = entry?;
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(".tmp"));
        let ours = process.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        if ours && entry.file_type()?.is_file() && File::open(entry.path())?.try_lock().is_ok() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The cells of a row as wide as the header, so that what is added ends up under its own header.
fn fitted(raw: &RawRecord, layout: &Layout) -> Vec<Vec<u8>> {
    let columns = layout.columns();
    let mut cells = cells(raw);
    if cells.len() > columns && columns > 0 {
        let beyond = cells.split_off(columns - 1);
        let empty = |cell: &Vec<u8>| cell.trim_ascii().is_empty();
        let last = match beyond.split_first() {
            Some((last, rest)) if rest.iter().all(empty) => last.clone(),
            _ => beyond.join(&layout.delimiter),
        };
        cells.push(last);
    }
    cells.resize(columns, Vec::new());
    cells
}

fn cells(raw: &RawRecord) -> Vec<Vec<u8>> {
    raw.iter().map(<[u8]>::to_vec).collect()
}

/// Makes a rename durable, where folders can be synchronised: on Windows and some network folders they cannot.
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder_of(file))?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let mut ones = BufReader::new(File::open(one)?).bytes();
    let mut others = BufReader::new(File::open(other)?).bytes();
    loop {
        match (ones.next().transpose()?, others.next().transpose()?) {
            (None, None) => return Ok(true),
            (one, other) if one == other => {}
            _ => return Ok(false),
        }
    }
}

/// What a person can do about a failure to write.
pub(crate) fn advice(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "de schijf is vol. Maak ruimte vrij en bied het bestand opnieuw aan.".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "daar mag dit programma niet schrijven. Geef het schrijfrecht op de map.".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "de schijf is alleen te lezen. Gebruik een andere map.".to_owned()
        }
        io::ErrorKind::NotFound => "de map bestaat niet (meer). Maak de map aan.".to_owned(),
        io::ErrorKind::ResourceBusy => {
            "het wordt op dit moment al verwerkt. Wacht tot dat klaar is.".to_owned()
        }
        io::ErrorKind::AlreadyExists => {
            "er staan te veel bestanden met deze naam. Ruim oude bestanden met afgekeurde regels op."
                .to_owned()
        }
        _ => format!("{error}. Controleer de schijf en bied het bestand opnieuw aan."),
    }
}

#[cfg(test)]
mod tests;
