//! How much haste a message asks for (`urgentie`).

use std::fmt;

use schemas::{Document, SchemaName};
use serde::{Deserialize, Serialize};

/// How soon a message must be answered, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Urgency {
    /// No haste.
    #[default]
    #[serde(rename = "normaal")]
    Normal,
    /// Soon.
    #[serde(rename = "hoog")]
    High,
    /// Somebody is about to lose their home, their heating or more.
    #[serde(rename = "crisis")]
    Crisis,
}

impl Urgency {
    /// Each, the least first.
    pub const ALL: [Self; 3] = [Self::Normal, Self::High, Self::Crisis];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normaal",
            Self::High => "hoog",
            Self::Crisis => "crisis",
        }
    }

    // serde gives a reference to what it asks about.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
    pub(crate) fn is_normal(&self) -> bool {
        *self == Self::Normal
    }

    /// What a document asks for, by its schema. A threat of eviction or disconnection is a crisis by its nature
    /// (Wgs art. 4 lid 2). What answers another message says nothing of its own: its case has the urgency of the offer.
    pub fn of(document: &Document) -> Self {
        let content = &document.value()["inhoud"];
        match document.schema() {
            SchemaName::HandoverOffered | SchemaName::CareConcern => {
                Self::deserialize(&content["urgentie"]).unwrap_or_default()
            }
            SchemaName::PaymentArrears if content["crisis"] == true => Self::Crisis,
            SchemaName::EvictionThreat | SchemaName::DisconnectionThreat => Self::Crisis,
            SchemaName::PaymentArrears
            | SchemaName::BenefitEnded
            | SchemaName::Nuisance
            | SchemaName::Feedback
            | SchemaName::HandoverAccepted
            | SchemaName::HandoverDeclined
            | SchemaName::HandoverSupplementRequested
            | SchemaName::HandoverSupplemented
            | SchemaName::HandoverWithdrawn
            | SchemaName::HandoverWithdrawalConfirmed
            | SchemaName::HandoverFirstContact
            | SchemaName::HandoverCompleted
            | SchemaName::ConsultationAsked
            | SchemaName::ConsultationAnswered
            | SchemaName::ConsentGranted
            | SchemaName::ConsentExtended
            | SchemaName::ConsentWithdrawn
            | SchemaName::ConsentProcessed
            | SchemaName::Message
            | SchemaName::LegalBasis
            | SchemaName::Subject
            | SchemaName::Agreement
            | SchemaName::Purpose
            | SchemaName::NodeDescriptor => Self::Normal,
        }
    }
}

impl fmt::Display for Urgency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
