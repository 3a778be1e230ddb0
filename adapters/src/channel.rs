//! How the bytes of local systems arrive.

pub mod drop_folder;
