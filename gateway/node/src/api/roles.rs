//! What clients may do.

use std::{fmt, str::FromStr};

use schemas::SchemaName;
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

    /// Whether a client with this role may hand over documents of this kind. What answers somebody is said by a person; what
    /// belongs to a consent, or confirms what the node did, by the node itself.
    pub fn may_submit(self, schema: SchemaName) -> bool {
        use SchemaName as S;
        let is_beginning = schema.is_signal() || matches!(schema, S::HandoverOffered | S::ConsultationAsked);
        match self {
            Self::Bronsysteem => is_beginning,
            Self::Medewerker => {
                let by_node = matches!(
                    schema,
                    S::ConsentGranted
                        | S::ConsentExtended
                        | S::ConsentWithdrawn
                        | S::ConsentProcessed
                        | S::HandoverWithdrawalConfirmed
                );
                schema.message_type().is_some() && !by_node
            }
            Self::Privacy | Self::Beheer => false,
        }
    }

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
