//! What is told to people about a file and its rows. Dutch, and never a value: a report may be mailed around.

use std::fmt;
use std::io;

/// One thing that keeps a row from becoming a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Physical line the row begins on, counted from 1.
    pub line: u64,
    /// Header of the column; empty when it is about the row as a whole.
    pub column: String,
    /// What belongs in the cell, such as "een datum".
    pub kind: &'static str,
    /// What is wrong, completing "deze waarde ...".
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// Something to look at in a row that did become a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowWarning {
    /// Physical line the row begins on, counted from 1.
    pub line: u64,
    /// Header of the column.
    pub column: String,
    /// What belongs in the cell.
    pub kind: &'static str,
    /// What is wrong, completing "deze waarde ...".
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// Something to look at in the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWarning {
    /// The line that gave rise to it; of something that is missing, the last line.
    pub line: u64,
    /// What is wrong, as a sentence.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// Why a file as a whole cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The input cannot be read (any further).
    #[error(
        "het bestand is niet (verder) te lezen: {0}. Controleer het bestand en de schijf, en bied het opnieuw aan."
    )]
    Unreadable(#[from] io::Error),
    /// There is nothing in it.
    #[error("het bestand is leeg. Exporteer het opnieuw.")]
    Empty,
    /// The first bytes say another encoding than the mapping does.
    #[error(
        "het bestand is {found}, maar de mapping zegt {declared}. Exporteer het bestand als {declared}, of pas `codering` in de mapping aan."
    )]
    OtherEncoding {
        /// What it is.
        found: &'static str,
        /// What was declared.
        declared: &'static str,
    },
    /// It holds bytes that no text file has.
    #[error(
        "regel {line}: dit is geen tekstbestand. Exporteer de lijst als CSV; een Excel- of PDF-bestand kan niet worden gelezen."
    )]
    NotText {
        /// The line that shows it.
        line: u64,
    },
    /// The header the mapping asks for is not there.
    #[error(
        "{place}: de kopregel mist {}. Controleer of dit de juiste export is, met `{delimiter}` tussen de kolommen; is de export veranderd, pas dan de mapping aan.",
        quoted(missing)
    )]
    NoHeader {
        /// Where the header is, or was expected.
        place: String,
        /// Columns that are missing, as the mapping spells them.
        missing: Vec<String>,
        /// What separates the columns.
        delimiter: String,
    },
    /// A column the mapping uses is there twice.
    #[error("regel {line}: kolom \"{column}\" staat tweemaal in de kopregel. Haal er in de export een weg.")]
    ColumnTwice {
        /// The header line.
        line: u64,
        /// The column.
        column: String,
    },
    /// A value above the table is missing.
    #[error(
        "boven de kopregel staat nergens \"{prefix}\" met {kind} erachter. Exporteer de lijst met de titelregels erbij."
    )]
    NoTitle {
        /// The words it should follow.
        prefix: String,
        /// What it should be.
        kind: &'static str,
    },
    /// A value above the table cannot be read.
    #[error("regel {line}: wat achter \"{prefix}\" staat ({kind}) {problem}. {remedy}")]
    BadTitle {
        /// Its line.
        line: u64,
        /// The words it follows.
        prefix: String,
        /// What it should be.
        kind: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn about_row(
    f: &mut fmt::Formatter<'_>,
    (line, column, kind): (u64, &str, &str),
    (problem, remedy): (&str, &str),
) -> fmt::Result {
    if column.is_empty() {
        write!(f, "regel {line}: deze regel {problem}. {remedy}")
    } else {
        write!(f, "regel {line}, kolom \"{column}\" ({kind}): {problem}. {remedy}")
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        about_row(f, (self.line, &self.column, self.kind), (&self.problem, &self.remedy))
    }
}

impl fmt::Display for RowWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        about_row(f, (self.line, &self.column, self.kind), (&self.problem, &self.remedy))
    }
}

impl fmt::Display for FileWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "regel {}: {}. {}", self.line, self.problem, self.remedy)
    }
}
