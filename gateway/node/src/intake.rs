//! A file from a local system becomes messages: every row is sent, was sent before, or is rejected with its reason.

use std::{
    collections::BTreeMap,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use adapters::{InputError, Mapping, Record, Rejects, RowError};
use exchange::{oin::Oin, refusal::Refusal};
use store::{Access, StoreError};

use crate::{
    core::Core,
    outbound::{self, MAX_SUBMISSIONS, Submission, Submitted},
};

/// What became of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows that hold data.
    pub read: u64,
    /// Rows that are now messages in the outbox.
    pub sent: u64,
    /// Of those, the rows that went without fields that the purpose does not allow.
    pub trimmed: u64,
    /// What those went without, by their line: JSON pointers, never a value. At most [`MAX_SHOWN`].
    pub left_out: Vec<(u64, Vec<String>)>,
    /// Rows that were sent before.
    pub sent_before: u64,
    /// Rows the rules hold back, per reason.
    pub held_back: BTreeMap<&'static str, u64>,
    /// The rows held back with what was missing or too much, at most [`MAX_SHOWN`].
    pub refusals: Vec<(u64, Refusal)>,
    /// Rows that cannot be read as what they should be.
    pub unreadable: u64,
    /// What a person should look at, although the row went.
    pub warnings: Vec<String>,
    /// What is wrong with the rows that cannot be read, at most [`MAX_SHOWN`].
    pub problems: Vec<String>,
    /// The file with the rows that did not go.
    pub rejects: Option<PathBuf>,
}

/// Warnings and problems a report shows; the rejects file has them all.
pub const MAX_SHOWN: usize = 100;

/// A file could not be taken in any further. What was sent before that stays sent, and offering the file again sends
/// only the rest.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The file cannot be opened.
    #[error("{} is niet te openen: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what the mapping describes.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The rejects file cannot be written.
    #[error(transparent)]
    Rejects(#[from] adapters::RejectsError),
    /// The store cannot take it now.
    #[error("{} ({source})", source.remedy())]
    Store {
        /// Why.
        #[from]
        source: StoreError,
    },
}

/// A file from a local system.
#[derive(Debug)]
pub struct Offer<'a> {
    /// How its rows become messages.
    pub mapping: &'a Mapping,
    /// Who receives them.
    pub to: Oin,
    /// The file.
    pub path: &'a Path,
    /// Where the rows that do not go are written; beside the file when absent.
    pub rejects: Option<PathBuf>,
    /// Who offers it. What is sent is on record as their decision, batch by batch.
    pub by: &'a Access,
}

/// Takes in a file. `progress` hears after each batch how many rows were done.
pub async fn take_in(
    core: &Core,
    offer: &Offer<'_>,
    mut progress: impl FnMut(u64),
) -> Result<Report, IntakeError> {
    let path = offer.path;
    let file = File::open(path).map_err(|source| IntakeError::Open { path: path.to_owned(), source })?;
    let mut records = adapters::read(offer.mapping, BufReader::new(file))?;
    let mut rejects = match &offer.rejects {
        Some(target) => Rejects::at(target.clone(), path, records.layout())?,
        None => Rejects::beside(path, records.layout())?,
    };
    let mut report = Report::default();
    loop {
        let batch: Vec<Record> = records.by_ref().take(MAX_SUBMISSIONS).collect::<Result<_, _>>()?;
        if batch.is_empty() {
            break;
        }
        take_in_batch(core, offer, batch, (&mut rejects, &mut report)).await?;
        progress(report.read);
    }
    for warning in records.warnings() {
        report.warn(warning.to_string());
    }
    report.rejects = rejects.finish()?;
    Ok(report)
}

async fn take_in_batch(
    core: &Core,
    offer: &Offer<'_>,
    batch: Vec<Record>,
    (rejects, report): (&mut Rejects, &mut Report),
) -> Result<(), IntakeError> {
    let mut submissions = Vec::new();
    let mut submitted_records = Vec::new();
    for record in batch {
        report.read += 1;
        for warning in &record.warnings {
            report.warn(warning.to_string());
        }
        match &record.outcome {
            Ok(document) => {
                submissions.push(submission(offer.mapping, offer.to, document));
                submitted_records.push(record);
            }
            Err(errors) => {
                report.unreadable += 1;
                report.problem(errors);
                rejects.add(&record, errors)?;
            }
        }
    }
    let outcomes = outbound::submit_decided(core, submissions, offer.by).await?;
    for (record, outcome) in submitted_records.iter().zip(outcomes) {
        match outcome {
            Submitted::Queued(_) => report.sent += 1,
            Submitted::QueuedWithout { left_out, .. } => report.went_without(record.line, left_out),
            Submitted::AlreadyOffered => report.sent_before += 1,
            Submitted::HeldBack(refusal) => {
                *report.held_back.entry(refusal.reason.code()).or_default() += 1;
                rejects.add(record, &[held_back(record.line, &refusal)])?;
                if report.refusals.len() < MAX_SHOWN {
                    report.refusals.push((record.line, refusal));
                }
            }
        }
    }
    Ok(())
}

fn submission(mapping: &Mapping, to: Oin, document: &schemas::Document) -> Submission {
    // The same data for the same receiver from the same source is the same signal.
    let source_record = format!("{}\n{to}\n{}", mapping.name(), document.json()).into_bytes();
    Submission {
        to,
        purpose: mapping.purpose().to_owned(),
        case: None,
        desk: mapping.desk().map(str::to_owned),
        document: document.clone(),
        source_record: Some(source_record),
    }
}

fn held_back(line: u64, refusal: &Refusal) -> RowError {
    RowError {
        line,
        column: String::new(),
        kind: "de regels van het doel",
        problem: format!("mag niet weg: {}", refusal.named()),
        remedy: refusal.reason.sentence().to_owned(),
    }
}

impl Report {
    /// How many rows the rules hold back.
    pub fn held_back_total(&self) -> u64 {
        self.held_back.values().sum()
    }

    /// Whether every row is accounted for.
    pub fn adds_up(&self) -> bool {
        self.read == self.sent + self.sent_before + self.held_back_total() + self.unreadable
    }

    fn went_without(&mut self, line: u64, fields: Vec<String>) {
        self.sent += 1;
        self.trimmed += 1;
        if self.left_out.len() < MAX_SHOWN {
            self.left_out.push((line, fields));
        }
    }

    fn warn(&mut self, warning: String) {
        if self.warnings.len() < MAX_SHOWN {
            self.warnings.push(warning);
        }
    }

    fn problem(&mut self, errors: &[RowError]) {
        let room = MAX_SHOWN.saturating_sub(self.problems.len());
        self.problems.extend(errors.iter().take(room).map(ToString::to_string));
    }
}
