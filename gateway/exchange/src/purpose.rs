//! Purposes (`doelen`): what may be shared for what, with whom, on which basis and for how long. Data, not code.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemas::{BasisKind, Category, LifeDomain, SchemaName};
use serde::{Deserialize, Serialize};

use crate::{canonical, digest::Digest, organisation::OrganisationKind, urgency::Urgency, valid};

mod term;
pub use term::{ResponseTerms, Term};

/// A purpose of the register. Its digest, over the canonical JSON, is what an agreement names.
#[derive(Debug, Clone)]
pub struct Purpose {
    digest: Digest,
    text: String,
    content: Content,
}

/// The text of a purpose, read. Its digest is over the text and not over this: written again it may differ, since what
/// was left out is filled in and lists are sorted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The purpose's name on the wire.
    pub doel: String,
    /// Its version.
    pub versie: u32,
    /// Its name for people.
    pub naam: String,
    /// What it is for, in plain Dutch.
    pub omschrijving: String,
    /// The laws it rests on.
    pub bronnen: Vec<String>,
    /// How long a receiver keeps what it got, in days.
    pub bewaartermijn_dagen: u32,
    /// What a receiver does when consent is withdrawn.
    pub bij_intrekking: OnWithdrawal,
    /// How long after its end the holder keeps the record of a consent for this purpose, in days; see
    /// [`CONSENT_PROOF_DAYS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bewijs_toestemming_dagen: Option<u32>,
    /// What may go, per message type.
    pub berichten: Vec<Rule>,
}

/// How long after its end the record of a consent is kept where no purpose says so, in days: five years. The holder must be
/// able to show that there was consent (AVG art. 7(1)), and so long a claim about it can be brought (BW art. 3:310(1)).
pub const CONSENT_PROOF_DAYS: u32 = 1826;

/// What a receiver does with data when the consent under it is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnWithdrawal {
    /// Erase it.
    Wissen,
    /// Keep it when another basis remains, and name that basis.
    AndereGrondslag,
}

/// What a sender's node does when a document holds more than the purpose allows. A receiver always refuses it: it
/// cannot change what was signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnExcess {
    /// Refuse the document.
    #[default]
    Weigeren,
    /// Leave out the fields that are not allowed, say which, and send the rest when that is still valid.
    Weglaten,
}

impl OnExcess {
    // serde gives a reference to what it asks about.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
    fn is_refusal(&self) -> bool {
        *self == Self::Weigeren
    }
}

/// What a purpose allows for one message type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The CloudEvents type.
    #[serde(rename = "type")]
    pub message_type: String,
    /// Kinds of organisation that may send it.
    pub van: BTreeSet<OrganisationKind>,
    /// Kinds of organisation that may receive it.
    pub naar: BTreeSet<OrganisationKind>,
    /// Data categories it may hold, besides `proces`.
    #[serde(default)]
    pub gegevens: BTreeSet<Category>,
    /// Life domains it may speak of.
    #[serde(default)]
    pub leefgebieden: BTreeSet<LifeDomain>,
    /// Whether it may hold a citizen service number, if both organisations may process it by law.
    #[serde(default)]
    pub bsn: bool,
    /// What a sender's node does with data that may not be in it.
    #[serde(default, skip_serializing_if = "OnExcess::is_refusal")]
    pub te_veel: OnExcess,
    /// Within which the receiver responds, if it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactietermijn: Option<ResponseTerms>,
    /// The values that feedback may give (`status`, `resultaat`): what else the schema knows tells this receiver too much.
    /// Without it, every value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terugkoppeling: Option<BTreeSet<String>>,
    /// The legal bases it may rest on.
    pub grondslagen: Vec<AllowedBasis>,
    /// Special categories of data, each by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bijzondere_gegevens: Vec<SpecialData>,
}

impl Rule {
    /// The first instant that is too late to respond to a message of this urgency, when that is due.
    pub fn respond_before(&self, urgency: Urgency, from: Timestamp) -> Option<Timestamp> {
        Some(self.reactietermijn?.of(urgency).end(from))
    }
}

/// A legal basis a message may rest on, with the conditions the law sets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedBasis {
    /// AVG art. 6(1).
    pub soort: BasisKind,
    /// The articles that make it so.
    #[serde(default)]
    pub artikelen: Vec<String>,
    /// What must be met, and stated in the message.
    #[serde(default)]
    pub voorwaarden: Vec<String>,
}

/// A special category of data (AVG art. 9 and 10) with the exception that lifts its prohibition.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialData {
    /// The category.
    pub categorie: Category,
    /// The exception.
    pub uitzondering: String,
}

/// The exceptions that are the consent of the resident, as the schema has them written.
const BY_CONSENT: [&str; 3] =
    ["AVG art. 9 lid 2 onder a", "UAVG art. 22 lid 2 onder a", "UAVG art. 32 onder a"];

impl SpecialData {
    /// Whether the exception is that the resident consents, so that nothing lifts the prohibition once that ended.
    pub fn is_by_consent(&self) -> bool {
        BY_CONSENT.contains(&self.uitzondering.as_str())
    }
}

/// The text is not a purpose.
#[derive(Debug, thiserror::Error)]
pub enum PurposeError {
    /// Not TOML or JSON; names the line.
    #[error("het doel is niet leesbaar: {0}")]
    Syntax(String),
    /// Not valid against `doel.schema.json`.
    #[error("het doel voldoet niet aan het schema: {0}")]
    Schema(String),
    /// Valid by form, but it contradicts itself.
    #[error("het doel klopt niet: {0}")]
    Inconsistent(&'static str),
}

/// The longest text of a purpose, in bytes; ours take a few thousand.
pub const MAX_BYTES: usize = 1024 * 1024;

impl Purpose {
    /// Reads a purpose as it stands in the register, in TOML.
    pub fn from_toml(text: &str) -> Result<Self, PurposeError> {
        check_size(text)?;
        let value: serde_json::Value =
            toml::from_str(text).map_err(|error| PurposeError::Syntax(not_toml(text, &error)))?;
        Self::from_value(&value)
    }

    /// Reads a purpose as it travels, in JSON.
    pub fn from_json(text: &str) -> Result<Self, PurposeError> {
        check_size(text)?;
        let value = valid::json(text.as_bytes()).map_err(PurposeError::Syntax)?;
        Self::from_value(&value)
    }

    fn from_value(value: &serde_json::Value) -> Result<Self, PurposeError> {
        let content: Content = valid::read(SchemaName::Purpose, value).map_err(PurposeError::Schema)?;
        let text = canonical::text(value).map_err(|_| {
            PurposeError::Inconsistent(
                "het is niet in de vaste vorm te schrijven waarover het controlegetal gaat",
            )
        })?;
        let types: BTreeSet<&str> = content.berichten.iter().map(|rule| rule.message_type.as_str()).collect();
        if types.len() != content.berichten.len() {
            // The first would hide the second, and taking the first away would allow what it did not.
            return Err(PurposeError::Inconsistent("een berichttype staat er twee keer in"));
        }
        if !content.berichten.iter().filter_map(|rule| rule.reactietermijn).all(|terms| terms.are_in_order())
        {
            return Err(PurposeError::Inconsistent(
                "een reactietermijn voor meer haast is langer dan die voor minder haast",
            ));
        }
        let feedback = SchemaName::Feedback.message_type();
        let speaks =
            |rule: &Rule| rule.terugkoppeling.is_some() && Some(rule.message_type.as_str()) != feedback;
        if content.berichten.iter().any(speaks) {
            return Err(PurposeError::Inconsistent(
                "waarden voor terugkoppeling staan bij een ander berichttype",
            ));
        }
        Ok(Self { digest: Digest::of(text.as_bytes()), text, content })
    }

    /// The digest over the canonical text.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The canonical JSON.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the purpose says.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// How long after its end the holder keeps the record of a consent for this purpose, in days.
    pub fn consent_proof_days(&self) -> u32 {
        self.content.bewijs_toestemming_dagen.unwrap_or(CONSENT_PROOF_DAYS)
    }

    /// The rule for a message type.
    pub fn rule(&self, message_type: &str) -> Option<&Rule> {
        self.content.berichten.iter().find(|rule| rule.message_type == message_type)
    }
}

/// Where the text stops being TOML, in Dutch.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let read = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = read.matches('\n').count() + 1;
    let column = read.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("dit is geen TOML: er gaat iets mis op regel {line}, teken {column}")
}

fn check_size(text: &str) -> Result<(), PurposeError> {
    if text.len() > MAX_BYTES { Err(PurposeError::Inconsistent("het is groter dan 1 MiB")) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
