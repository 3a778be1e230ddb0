//! How values stand in columns.

use exchange::digest::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    error::StoreError,
    model::{Direction, Priority, State},
};

/// A column that SQLite cannot hold, or that holds what we never put there.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} has a value that cannot be"))
}

/// Counts and indexes as SQLite holds them. The log cannot have more leaves than this ([`exchange::tlog::range`]).
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged("a number"))
}

pub(crate) fn time_to_sql(time: Timestamp) -> i64 {
    time.as_microsecond()
}

pub(super) fn time_from_sql(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| damaged("a time"))
}

/// An identifier as it is stored.
pub(super) fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|_| damaged("an identifier"))
}

/// A digest as it is stored.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    bytes.try_into().map(Digest::from_bytes).map_err(|_| damaged("a digest"))
}

/// How states and directions are stored.
pub(super) const fn state_to_sql(state: State) -> i64 {
    match state {
        State::Waiting => 0,
        State::Admitted => 1,
        State::Refused => 2,
        State::Undeliverable => 3,
    }
}

pub(super) fn state_from_sql(number: i64) -> Result<State, StoreError> {
    State::ALL.into_iter().find(|state| state_to_sql(*state) == number).ok_or_else(|| damaged("a state"))
}

pub(super) const fn direction_to_sql(direction: Direction) -> i64 {
    match direction {
        Direction::Outbound => 0,
        Direction::Inbound => 1,
    }
}

pub(super) fn direction_from_sql(number: i64) -> Result<Direction, StoreError> {
    match number {
        0 => Ok(Direction::Outbound),
        1 => Ok(Direction::Inbound),
        _ => Err(damaged("a direction")),
    }
}

pub(super) const fn priority_to_sql(priority: Priority) -> i64 {
    match priority {
        Priority::First => 0,
        Priority::Normal => 1,
    }
}
