//! Local systems to documents: files in the formats that organisations already have become the messages of
//! [`schemas`].
//!
//! Pure, and without a clock: [`mod@format`] turns bytes into rows, a [`Mapping`] says what the cells mean, [`read`]
//! yields one [`Record`] per row with a [`schemas::Document`] or the reasons why not, [`Rejects`] writes those for a
//! person to mend. [`channel`] is how the bytes arrive. `adapters/README.md` is the reference for mapping files.

pub mod channel;
pub mod convert;
pub mod format;

mod mapping;
mod records;
mod rejects;
mod report;

pub use mapping::{Mapping, MappingError};
pub use records::{Layout, Record, Records, read};
pub use rejects::{Rejects, RejectsError};
pub use report::{FileWarning, InputError, RowError, RowWarning};
