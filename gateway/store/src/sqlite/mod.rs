//! The SQLite driver: the only place with SQL.
//!
//! - [`connect`]: making, opening and recognising a database
//! - [`committer`]: the one task that writes, in groups; [`transaction`] is what it does for one, with what [`group`]
//!   reads first and writes last
//! - [`outbound`], [`mod@file`], [`change`]: the operations of a group
//! - [`handover`]: what each message does in the handover of its case
//! - [`consent`], [`read_consents`]: consents, their end and who was told
//! - [`tree`]: the Merkle log on disk
//! - [`matching`], [`joining`]: signals of several senders about one resident or household
//! - [`signal_term`]: within which a signal is to be reacted to
//! - [`subject`]: finding residents; [`access`]: who saw what
//! - [`rows`]: statements for many rows at once; [`names`]: small numbers for names; [`mod@column`]: values in columns
//! - [`read`]: what needs no transaction
//! - [`witness`]: checkpoints that were cosigned, and alarms
//! - [`processing`]: how far the records of processings were exported
//! - [`submission`]: what local systems handed over, and listing messages
//! - [`verify`], [`verify_content`], [`verify_records`], [`verify_consents`], [`verify_handover`]: the whole log and what belongs
//!   to it, for who checks it
//! - [`events`]: what the organisation's own systems are told of
//! - [`wal`]: keeping the write-ahead log short, off the path of commits

pub(crate) mod access;
pub(crate) mod change;
pub(crate) mod column;
pub(crate) mod committer;
pub(crate) mod connect;
pub(crate) mod consent;
pub(crate) mod deeds;
pub(crate) mod erase;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod file;
mod group;
pub(crate) mod handover;
pub(crate) mod joining;
pub(crate) mod matching;
mod names;
pub(crate) mod outbound;
pub(crate) mod processing;
pub(crate) mod read;
pub(crate) mod read_consents;
mod rows;
pub(crate) mod signal_term;
pub(crate) mod subject;
pub(crate) mod submission;
mod transaction;
mod tree;
pub(crate) mod undelivered;
pub(crate) mod verify;
pub(crate) mod verify_consents;
pub(crate) mod verify_content;
pub(crate) mod verify_handover;
pub(crate) mod verify_records;
pub(crate) mod verify_tally;
pub(crate) mod wal;
pub(crate) mod witness;

use sqlx::error::DatabaseError;

use crate::error::StoreError;

/// Result codes of SQLite (<https://www.sqlite.org/rescode.html>), without their extension.
mod code {
    pub(super) const BUSY: i64 = 5;
    pub(super) const LOCKED: i64 = 6;
    pub(super) const CORRUPT: i64 = 11;
    pub(super) const FULL: i64 = 13;
    pub(super) const CONSTRAINT: i64 = 19;
    pub(super) const NOT_A_DATABASE: i64 = 26;
    /// The extended codes keep the kind of error in their lowest byte.
    pub(super) const KIND: i64 = 0xff;
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_database(error.as_ref()),
            sqlx::Error::PoolTimedOut => Self::Locked("no connection came free".into()),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Closed,
            sqlx::Error::Io(error) => Self::Io(error.to_string()),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> StoreError {
    let code = error.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or_default();
    let message = || error.message().to_owned();
    match code & code::KIND {
        code::BUSY | code::LOCKED => StoreError::Locked(message()),
        code::FULL => StoreError::Full,
        code::CORRUPT | code::NOT_A_DATABASE => StoreError::Corrupt(message()),
        code::CONSTRAINT => StoreError::Conflict(message()),
        _ => StoreError::Io(format!("{} (SQLite code {code})", error.message())),
    }
}
