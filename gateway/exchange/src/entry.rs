//! What the log records. Entries hold digests, identifiers and outcomes, never personal data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{agreement::AnswerKind, canonical, digest::Digest, oin::Oin, refusal::Reason, tlog::Leaf};

/// One entry of the log. Its leaf is the JCS form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "soort", rename_all = "lowercase", deny_unknown_fields)]
pub enum Entry {
    /// The log began.
    Begin {
        /// Whose log it is.
        oin: Oin,
        /// When.
        tijd: Timestamp,
    },
    /// A message was accepted for sending.
    Verzending {
        /// Digest of the signed message.
        bericht: Digest,
        /// Its identifier.
        id: Uuid,
        /// To whom.
        naar: Oin,
        /// Digest of the rules that allowed it.
        regels: Digest,
        /// When.
        tijd: Timestamp,
    },
    /// A document was held back: the rules do not allow it to leave.
    Tegengehouden {
        /// The purpose it was offered for.
        doel: String,
        /// To whom it was meant to go.
        naar: Oin,
        /// Why.
        reden: ReasonCode,
        /// When.
        tijd: Timestamp,
    },
    /// A message arrived and was admitted or refused.
    Ontvangst(Reception),
    /// A party answered an agreement.
    Convenant {
        /// What it answered.
        antwoord: AnswerKind,
        /// Digest of the signed answer.
        bewijs: Digest,
        /// The agreement.
        convenant: Digest,
        /// Who answered.
        door: Oin,
        /// When this node learned of it.
        tijd: Timestamp,
    },
}

/// A message arrived: what the receipt proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reception {
    /// Digest of the compact JWS, as it arrived.
    pub bericht: Digest,
    /// Its identifier, unless it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reden: Option<ReasonCode>,
    /// Digest of the rules it was admitted by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regels: Option<Digest>,
    /// When.
    pub tijd: Timestamp,
    /// Admitted or refused.
    pub uitkomst: Outcome,
    /// From whom, by the certificate of the connection.
    pub van: Oin,
}

/// How a reception ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Filed in the inbox.
    Toegelaten,
    /// Not filed, for the reason given.
    Geweigerd,
}

/// A [`Reason`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonCode(pub Reason);

impl Serialize for ReasonCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Reason::of_code(&code).map(Self).ok_or_else(|| serde::de::Error::custom("unknown reason"))
    }
}

impl Entry {
    /// The leaf of this entry.
    pub fn leaf(&self) -> Leaf {
        // An entry holds only text and digests, so its canonical form always exists.
        Leaf::new(canonical::text(self).unwrap_or_default().into_bytes())
    }

    /// Reads a leaf back.
    pub fn of_leaf(leaf: &Leaf) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(leaf.bytes())
    }
}

#[cfg(test)]
mod tests;
