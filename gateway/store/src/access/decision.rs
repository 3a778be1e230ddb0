//! What somebody decides.

use exchange::{digest::Digest, oin::Oin};
use serde::{Deserialize, Serialize};

/// What somebody decides, with what it is about when that is neither messages nor consents. Nothing of it is about a
/// person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "soort", content = "over", rename_all = "kebab-case")]
pub enum Decision {
    /// Data is sent.
    Versturen,
    /// A message that could not be delivered is sent again.
    OpnieuwVersturen,
    /// Messages that were not delivered are given up.
    Opgeven,
    /// A message that came in is passed on to another desk.
    Doorgeven,
    /// Messages are erased.
    Wissen,
    /// An agreement is put before other organisations, and accepted.
    ConvenantVoorstellen(Digest),
    /// An agreement is accepted.
    ConvenantAanvaarden(Digest),
    /// An agreement is rejected.
    ConvenantAfwijzen(Digest),
    /// An agreement is ended.
    ConvenantOpzeggen(Digest),
    /// An organisation becomes a partner, or what is known of it is replaced.
    PartnerToevoegen(Oin),
    /// An organisation is no partner any more.
    PartnerVerwijderen(Oin),
    /// Events that a system did not take are told to it once more.
    GebeurtenissenOpnieuw,
    /// Events that a system did not take are given up.
    GebeurtenissenOpgeven,
    /// A system that was stopped is told of events again.
    WebhookHervatten,
    /// The desks of this organisation become these.
    LokettenWijzigen(Digest),
}

impl Decision {
    /// The name that programs see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Versturen => "versturen",
            Self::OpnieuwVersturen => "opnieuw-versturen",
            Self::Opgeven => "opgeven",
            Self::Doorgeven => "doorgeven",
            Self::Wissen => "wissen",
            Self::ConvenantVoorstellen(_) => "convenant-voorstellen",
            Self::ConvenantAanvaarden(_) => "convenant-aanvaarden",
            Self::ConvenantAfwijzen(_) => "convenant-afwijzen",
            Self::ConvenantOpzeggen(_) => "convenant-opzeggen",
            Self::PartnerToevoegen(_) => "partner-toevoegen",
            Self::PartnerVerwijderen(_) => "partner-verwijderen",
            Self::GebeurtenissenOpnieuw => "gebeurtenissen-opnieuw",
            Self::GebeurtenissenOpgeven => "gebeurtenissen-opgeven",
            Self::WebhookHervatten => "webhook-hervatten",
            Self::LokettenWijzigen(_) => "loketten-wijzigen",
        }
    }

    /// The agreement, the organisation or the list of desks that it is about.
    pub fn about(self) -> Option<String> {
        match self {
            Self::Versturen
            | Self::OpnieuwVersturen
            | Self::Opgeven
            | Self::Doorgeven
            | Self::Wissen
            | Self::GebeurtenissenOpnieuw
            | Self::GebeurtenissenOpgeven
            | Self::WebhookHervatten => None,
            Self::ConvenantVoorstellen(digest)
            | Self::ConvenantAanvaarden(digest)
            | Self::ConvenantAfwijzen(digest)
            | Self::ConvenantOpzeggen(digest)
            | Self::LokettenWijzigen(digest) => Some(digest.to_string()),
            Self::PartnerToevoegen(oin) | Self::PartnerVerwijderen(oin) => Some(oin.to_string()),
        }
    }
}
