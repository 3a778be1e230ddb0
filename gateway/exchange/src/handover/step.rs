//! What one message does in a handover.

use jiff::{Timestamp, civil::Date};
use schemas::{Document, SchemaName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{oin::Oin, refusal::Reason, urgency::Urgency};

/// A message of a handover, without anything about the resident: what is needed to know who holds the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The message.
    #[serde(rename = "bericht")]
    pub message: Uuid,
    /// Who says it.
    #[serde(rename = "van")]
    pub from: Oin,
    /// To whom.
    #[serde(rename = "naar")]
    pub to: Oin,
    /// What it does.
    #[serde(flatten)]
    pub act: Act,
}

/// The member that says which act it is, beside what the message itself holds.
pub const TAG: &str = "stap";

/// Every member of a document that an act is made of.
const MEMBERS: [&str; 12] = [
    "aanbod_id",
    "antwoord_voor",
    "datum",
    "eerste_aanbod_id",
    "eerste_contact_voor",
    "intrekking_id",
    "reageren_voor",
    "reden",
    "resultaat",
    "uitkomst",
    "urgentie",
    "vraag_id",
];

/// What a message does in a handover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stap", rename_all = "kebab-case")]
pub enum Act {
    /// The holder offers the case.
    #[serde(rename = "aangeboden")]
    Offered {
        /// Until when it asks for an answer.
        #[serde(rename = "reageren_voor")]
        respond_before: Timestamp,
        /// The offer with which the handing over of this case began; none when that is this one.
        #[serde(rename = "eerste_aanbod_id", default, skip_serializing_if = "Option::is_none")]
        root: Option<Uuid>,
        /// How much haste there is, also for what is said about it later.
        #[serde(rename = "urgentie", default, skip_serializing_if = "Urgency::is_normal")]
        urgency: Urgency,
    },
    /// Who was asked takes it over.
    #[serde(rename = "geaccepteerd")]
    Accepted {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// The last day on which the resident is to be contacted.
        #[serde(rename = "eerste_contact_voor")]
        contact_before: Date,
    },
    /// Who was asked does not.
    #[serde(rename = "afgewezen")]
    Declined {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// Why.
        #[serde(rename = "reden")]
        reason: DeclineReason,
    },
    /// Who was asked has questions first.
    #[serde(rename = "aanvulling-gevraagd")]
    Asked {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// Until when it asks for an answer.
        #[serde(rename = "antwoord_voor")]
        answer_before: Timestamp,
    },
    /// The holder answers those questions.
    #[serde(rename = "aangevuld")]
    Supplemented {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// The message with the questions.
        #[serde(rename = "vraag_id")]
        question: Uuid,
        /// Until when it asks for an answer to the offer.
        #[serde(rename = "reageren_voor")]
        respond_before: Timestamp,
    },
    /// The holder takes the offer back.
    #[serde(rename = "ingetrokken")]
    Withdrawn {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// Why.
        #[serde(rename = "reden")]
        reason: WithdrawalReason,
        /// As in the offer.
        #[serde(rename = "eerste_aanbod_id", default, skip_serializing_if = "Option::is_none")]
        root: Option<Uuid>,
    },
    /// Who was asked says what became of the withdrawal.
    #[serde(rename = "intrekking-bevestigd")]
    WithdrawalConfirmed {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// The message that took it back.
        #[serde(rename = "intrekking_id")]
        withdrawal: Uuid,
        /// Whether it had accepted before.
        #[serde(rename = "uitkomst")]
        outcome: WithdrawalOutcome,
    },
    /// The new holder was in contact with the resident.
    #[serde(rename = "eerste-contact")]
    FirstContact {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// When.
        #[serde(rename = "datum")]
        on: Date,
    },
    /// What the case was handed over for is done.
    #[serde(rename = "afgerond")]
    Completed {
        /// The offer.
        #[serde(rename = "aanbod_id")]
        offer: Uuid,
        /// How it ended.
        #[serde(rename = "resultaat")]
        result: Completion,
    },
}

/// What became of a withdrawal (`uitkomst`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalOutcome {
    /// The offer is closed.
    #[serde(rename = "ingetrokken")]
    Withdrawn,
    /// It was accepted before; that stands.
    #[serde(rename = "was-al-geaccepteerd")]
    WasAccepted,
    /// The offer is closed. It never came, and another holds the case than who made it.
    #[serde(rename = "regie-elders")]
    Elsewhere,
}

/// Why a case is not taken over (`reden`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeclineReason {
    /// Another desk takes this.
    #[serde(rename = "verkeerd-loket")]
    WrongDesk,
    /// It may not do this by law.
    #[serde(rename = "niet-bevoegd")]
    NotCompetent,
    /// No room.
    #[serde(rename = "geen-plek")]
    NoRoom,
    /// The resident does not want it.
    #[serde(rename = "inwoner-wil-niet")]
    ResidentDeclines,
    /// It helps the resident already.
    #[serde(rename = "al-bij-ons-bekend")]
    AlreadyKnown,
    /// Something else.
    #[serde(rename = "anders")]
    Other,
}

/// Why an offer is taken back (`reden`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WithdrawalReason {
    /// The resident does not want it.
    #[serde(rename = "inwoner-wil-niet")]
    ResidentDeclines,
    /// The consent under it was withdrawn.
    #[serde(rename = "toestemming-ingetrokken")]
    ConsentWithdrawn,
    /// Something changed.
    #[serde(rename = "situatie-veranderd")]
    SituationChanged,
    /// Another solution was found.
    #[serde(rename = "andere-oplossing")]
    OtherSolution,
    /// Nobody answered.
    #[serde(rename = "geen-reactie")]
    NoAnswer,
    /// It was a mistake.
    #[serde(rename = "vergissing")]
    Mistake,
    /// Something else.
    #[serde(rename = "anders")]
    Other,
}

/// How what the case was handed over for ended (`resultaat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Completion {
    /// Help began.
    #[serde(rename = "hulp-gestart")]
    HelpStarted,
    /// Help is done.
    #[serde(rename = "hulp-afgerond")]
    HelpDone,
    /// The resident does not want it any more.
    #[serde(rename = "inwoner-ziet-af")]
    ResidentDeclines,
    /// Handed over to somebody else.
    #[serde(rename = "verder-overgedragen")]
    HandedOn,
    /// The resident could not be reached.
    #[serde(rename = "geen-contact-gekregen")]
    NotReached,
}

/// Whether messages of this schema are part of a handover.
pub const fn is_handover(schema: SchemaName) -> bool {
    step_name(schema).is_some()
}

const fn step_name(schema: SchemaName) -> Option<&'static str> {
    Some(match schema {
        SchemaName::HandoverOffered => "aangeboden",
        SchemaName::HandoverAccepted => "geaccepteerd",
        SchemaName::HandoverDeclined => "afgewezen",
        SchemaName::HandoverSupplementRequested => "aanvulling-gevraagd",
        SchemaName::HandoverSupplemented => "aangevuld",
        SchemaName::HandoverWithdrawn => "ingetrokken",
        SchemaName::HandoverWithdrawalConfirmed => "intrekking-bevestigd",
        SchemaName::HandoverFirstContact => "eerste-contact",
        SchemaName::HandoverCompleted => "afgerond",
        _ => return None,
    })
}

impl Act {
    /// The name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Offered { .. } => "aangeboden",
            Self::Accepted { .. } => "geaccepteerd",
            Self::Declined { .. } => "afgewezen",
            Self::Asked { .. } => "aanvulling-gevraagd",
            Self::Supplemented { .. } => "aangevuld",
            Self::Withdrawn { .. } => "ingetrokken",
            Self::WithdrawalConfirmed { .. } => "intrekking-bevestigd",
            Self::FirstContact { .. } => "eerste-contact",
            Self::Completed { .. } => "afgerond",
        }
    }
}

impl Step {
    /// What a message with this document does in a handover; `None` when it is no part of one.
    pub fn of(document: &Document, message: Uuid, (from, to): (Oin, Oin)) -> Option<Self> {
        let name = step_name(document.schema())?;
        let content = document.value().get("inhoud")?.as_object()?;
        // Not the texts about the resident, which are most of it.
        let read = |member: &&str| Some(((*member).to_owned(), content.get(*member)?.clone()));
        let mut act: serde_json::Map<_, _> = MEMBERS.iter().filter_map(read).collect();
        act.insert(TAG.to_owned(), name.into());
        let act = serde_json::from_value(act.into()).ok()?;
        Some(Self { message, from, to, act })
    }

    /// The same for who decides about the message: one of a handover that cannot be read as a step is not valid.
    pub(crate) fn read(
        document: &Document,
        message: Uuid,
        parties: (Oin, Oin),
    ) -> Result<Option<Self>, Reason> {
        match Self::of(document, message, parties) {
            None if is_handover(document.schema()) => Err(Reason::SchemaInvalid),
            step => Ok(step),
        }
    }

    /// The offer with which the handing over of the case began, by who offers it or takes that back.
    pub fn root(&self) -> Option<Uuid> {
        match self.act {
            Act::Offered { root, .. } | Act::Withdrawn { root, .. } => {
                Some(root.unwrap_or_else(|| self.offer()))
            }
            _ => None,
        }
    }

    /// How much haste there is with an offer; what is said about one has the urgency of that offer.
    pub(crate) const fn urgency(&self) -> Urgency {
        match self.act {
            Act::Offered { urgency, .. } => urgency,
            _ => Urgency::Normal,
        }
    }

    /// The offer it is about: its own message, if it is one.
    pub const fn offer(&self) -> Uuid {
        match &self.act {
            Act::Offered { .. } => self.message,
            Act::Accepted { offer, .. }
            | Act::Declined { offer, .. }
            | Act::Asked { offer, .. }
            | Act::Supplemented { offer, .. }
            | Act::Withdrawn { offer, .. }
            | Act::WithdrawalConfirmed { offer, .. }
            | Act::FirstContact { offer, .. }
            | Act::Completed { offer, .. } => *offer,
        }
    }
}
