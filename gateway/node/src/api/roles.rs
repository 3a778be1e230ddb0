//! What clients may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Hands documents over, and follows what became of those.
    Bronsysteem,
    /// Works with cases: reads, searches, answers.
    Medewerker,
    /// Consents, reports to residents, who saw what.
    Privacy,
    /// How the node is, its partners, what could not be delivered.
    Beheer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Bronsysteem, Self::Medewerker, Self::Privacy, Self::Beheer];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bronsysteem => "bronsysteem",
            Self::Medewerker => "medewerker",
            Self::Privacy => "privacy",
            Self::Beheer => "beheer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text does not name a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected bronsysteem, medewerker, privacy or beheer")]
pub struct NotARole;

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NotARole)
    }
}
