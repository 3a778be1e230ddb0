//! Consent (AVG art. 6(1)(a), art. 7): the record at the organisation that asked for it, the extract of it that travels,
//! and what is said about it afterwards.
//!
//! - [`record`]: what the *holder* (`houder`) keeps: the organisation that asked the resident
//! - [`extract`]: what travels with a message that relies on it, signed by the holder
//! - [`statement`]: its withdrawal, signed by the holder; whoever passed data on passes it on too
//! - [`event`]: what a message says about a consent: extended, withdrawn, processed

pub mod event;
pub mod extract;
pub mod record;
pub mod statement;

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use schemas::{BasisKind, Document};
use uuid::Uuid;

use crate::{digest::Digest, oin::Oin, person::Identity};

pub use event::{Event, Kept, Processed, WhatWasDone};
pub use extract::{Extract, Terms};
pub use record::{
    ConsentRecord, FREEDOM_STATED, HowGiven, RecordError, Salts, attach, opened_for, salts_among,
};
pub use statement::Statement;

/// Names a consent everywhere: its number means something at its holder only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentKey {
    /// The organisation that asked for it and keeps the record.
    pub holder: Oin,
    /// Its number there.
    pub id: Uuid,
}

impl fmt::Display for ConsentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.id, self.holder)
    }
}

/// Whom a case is about, by the first message of it that names somebody and is still there: what a message of the case that
/// names nobody refers to.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseResident {
    /// Who that message names.
    pub identity: Identity,
    /// The consent that it rests on, if it does. Its extract was held against whom it names.
    pub consent: Option<ConsentKey>,
}

impl CaseResident {
    /// Whom a message names, and on which consent; nothing when it names nobody.
    pub fn named_in(document: &Document, consent: Option<ConsentKey>) -> Option<Self> {
        Identity::of(document).map(|identity| Self { identity, consent })
    }
}

/// Shows nothing of the person.
impl fmt::Debug for CaseResident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaseResident").field("consent", &self.consent).finish_non_exhaustive()
    }
}

/// Whether a document names nobody: its schema has no place for a person.
pub(crate) fn names_nobody(document: &Document) -> bool {
    document.value().get("betrokkene").is_none()
}

/// Whether a document rests on a consent and names nobody: then the consent must be that of the resident of its case.
pub fn rests_on_case(document: &Document) -> bool {
    document.basis().kind == BasisKind::Consent && names_nobody(document)
}

/// That a message relies on a consent, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentUse {
    /// Which.
    pub key: ConsentKey,
    /// By this extract it holds until then.
    pub valid_until: Timestamp,
    /// The extract, as its holder signed it.
    pub extract: Arc<str>,
}

impl ConsentUse {
    /// The digest of the extract: what a log entry names it by.
    pub fn evidence(&self) -> Digest {
        Digest::of(self.extract.as_bytes())
    }
}

#[cfg(test)]
mod tests;
