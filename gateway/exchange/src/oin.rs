//! The organisation identification number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// An OIN (Logius, *OIN Stelsel*): 20 characters that name one organisation or part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oin([u8; 20]);

/// The text is not an OIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an OIN: 20 characters, an 8-digit prefix and digits or capitals after it")]
pub struct NotAnOin;

impl Oin {
    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever accepted.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The `source` of the messages this organisation's node sends.
    pub fn source_urn(&self) -> String {
        format!("urn:nld:oin:{self}:systeem:schakel")
    }

    /// The origin line of this organisation's log.
    pub fn log_origin(&self) -> String {
        format!("schakel/{self}")
    }
}

impl FromStr for Oin {
    type Err = NotAnOin;

    fn from_str(text: &str) -> Result<Self, NotAnOin> {
        if !schemas::oin::is_valid(text) {
            return Err(NotAnOin);
        }
        text.as_bytes().try_into().map(Self).map_err(|_| NotAnOin)
    }
}

impl fmt::Display for Oin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Oin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Oin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Oin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "an OIN", |text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests;
