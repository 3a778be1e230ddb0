//! Bytes to records and back, without knowing what a record means.

pub mod csv;
pub mod encoding;
