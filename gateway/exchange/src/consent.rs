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
use uuid::Uuid;

use crate::{digest::Digest, oin::Oin};

pub use event::{Event, Kept, Processed, WhatWasDone};
pub use extract::{Extract, Terms};
pub use record::{ConsentRecord, FREEDOM_STATED, HowGiven, RecordError, Salts, attach};
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
