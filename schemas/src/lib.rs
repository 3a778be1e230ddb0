//! The shared model of the exchange: published JSON Schemas, and documents that exist only if they
//! are valid against one.
//!
//! The schemas under `schemas/v1` are the source of truth. They are embedded in the program, so a
//! node never fetches one, and everything the program knows about a field (what kind of data it is,
//! which part of life it is about) it reads from the annotations there.
//!
//! Start at [`Document::parse`]. Names are English here and Dutch on the wire; `schemas/README.md`
//! has the one table that translates.

pub mod bsn;
pub mod oin;

mod annotation;
mod category;
mod document;
mod format;
mod name;
mod readable;
mod registry;
mod strict;
mod violation;
mod without;

pub use annotation::{DataUse, Field};
pub use category::{Category, LifeDomain};
pub use document::{Basis, BasisKind, ConsentedData, Document, ParseError, StatedConsent, StatedSalts};
pub use name::{SchemaName, UnknownName};
pub use readable::{ReadableField, Reading, describe, readable, title, written_day, written_moment};
pub use registry::{all, source, validate, vocabulary};
pub use violation::{MAX_VIOLATIONS, Violation};

/// The largest document that is read: as large as the largest message (protocol §2).
pub const MAX_BYTES: usize = 64 * 1024;

/// How deep objects and lists may be nested. The deepest schema needs seven; more is an attempt to
/// exhaust the stack.
pub const MAX_DEPTH: usize = 32;
