//! What the log records. Entries hold digests, identifiers and outcomes, never personal data.

use std::fmt::{Display, Write as _};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod about;

pub use about::{About, Logged};

use crate::{
    agreement::AnswerKind, consent::WhatWasDone, digest::Digest, oin::Oin, refusal::Reason, text, tlog::Leaf,
    witness::Contradiction,
};

/// One entry of the log. Its leaf is the JCS form (RFC 8785) of its JSON.
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
        /// Digest of the extract of the consent it rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        toestemming: Option<Digest>,
    },
    /// A document was held back: the rules do not allow it to leave.
    Tegengehouden {
        /// The purpose it was offered for, unless there is none of that name: then it is only what somebody typed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doel: Option<String>,
        /// To whom it was meant to go.
        naar: Oin,
        /// Why.
        reden: ReasonCode,
        /// When.
        tijd: Timestamp,
    },
    /// A message arrived and was admitted or refused.
    Ontvangst(Reception),
    /// Something happened to a consent. Its number is random: it says nothing about who gave it.
    Toestemming {
        /// Digest of what says so: the extract or the withdrawal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bewijs: Option<Digest>,
        /// What happened.
        gebeurtenis: ConsentHappening,
        /// The organisation that asked for it.
        houder: Oin,
        /// When this node learned of it.
        tijd: Timestamp,
        /// Its number at the holder.
        toestemming: Uuid,
        /// What was done with the data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uitkomst: Option<WhatWasDone>,
    },
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
    /// A log contradicts what it signed before.
    Alarm {
        /// How.
        aard: Contradiction,
        /// Digest of the evidence, in its canonical form.
        bewijs: Digest,
        /// Whose log.
        logboek: Oin,
        /// When this node noticed.
        tijd: Timestamp,
    },
    /// What belonged to other entries was erased: nobody can read it any more.
    Wissing {
        /// The indexes of those entries, at most [`MAX_ERASED_PER_ENTRY`].
        gewist: Vec<u64>,
        /// Why.
        reden: ErasureCause,
        /// When.
        tijd: Timestamp,
    },
    /// A person or a local system saw, looked for, took out or decided something.
    Raadpleging {
        /// Digest of the record of it, which begins with a salt: who and what cannot be guessed from it.
        bewijs: Digest,
        /// When.
        tijd: Timestamp,
    },
}

/// How many indexes one entry about an erasure lists: at most 14 bytes each in a log of up to 2^40 entries, which fits
/// in a leaf.
pub const MAX_ERASED_PER_ENTRY: usize = 256;

/// Why something was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErasureCause {
    /// Its purpose allows it to be kept no longer.
    #[serde(rename = "bewaartermijn")]
    Retention,
    /// The consent it rested on was withdrawn.
    #[serde(rename = "intrekking")]
    Withdrawal,
    /// The person it is about asked for it, or whoever may decide so (AVG art. 17).
    #[serde(rename = "verzoek")]
    Request,
}

impl ErasureCause {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "bewaartermijn",
            Self::Withdrawal => "intrekking",
            Self::Request => "verzoek",
        }
    }
}

/// A message arrived: what the receipt proves. A later version of the protocol may say more here; a reader of this
/// version passes over what it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reception {
    /// Digest of the compact JWS, as it arrived.
    pub bericht: Digest,
    /// Its identifier, if the sender demonstrably wrote it.
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
    /// Digest of the extract of the consent it rests on, when it was admitted on one. So the extract proves something of
    /// the message also after its text was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toestemming: Option<Digest>,
    /// Admitted or refused.
    pub uitkomst: Outcome,
    /// From whom, by the certificate of the connection.
    pub van: Oin,
}

/// What happened to a consent, as the log of one node says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentHappening {
    /// It was recorded here.
    Verleend,
    /// It was extended.
    Verlengd,
    /// The resident withdrew it.
    Ingetrokken,
    /// Its time ran out.
    Verlopen,
    /// This node did what the purpose asks after its end.
    Verwerkt,
}

impl ConsentHappening {
    /// Everything that can happen.
    pub const ALL: [Self; 5] =
        [Self::Verleend, Self::Verlengd, Self::Ingetrokken, Self::Verlopen, Self::Verwerkt];

    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verleend => "verleend",
            Self::Verlengd => "verlengd",
            Self::Ingetrokken => "ingetrokken",
            Self::Verlopen => "verlopen",
            Self::Verwerkt => "verwerkt",
        }
    }
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

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Toegelaten => "toegelaten",
            Self::Geweigerd => "geweigerd",
        }
    }
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
        text::read(deserializer, "the code of a reason", |code| Reason::of_code(code).map(Self))
    }
}

impl Entry {
    /// The leaf of this entry.
    pub fn leaf(&self) -> Leaf {
        // JCS by hand, ten times as quick as by its general rules: the members stand in their order, and none of
        // their values holds a character that JSON escapes. Tests hold both against a JCS implementation.
        let mut members = Members::new();
        match self {
            Self::Begin { oin, tijd } => {
                members.text("oin", oin).text("soort", "begin").text("tijd", tijd);
            }
            Self::Verzending { bericht, id, naar, regels, tijd, toestemming } => {
                members.text("bericht", bericht).text("id", id).text("naar", naar).text("regels", regels);
                members.text("soort", "verzending").text("tijd", tijd);
                members.optional_text("toestemming", *toestemming);
            }
            Self::Tegengehouden { doel, naar, reden, tijd } => {
                members.optional_text("doel", doel.as_deref().map(escaped)).text("naar", naar);
                members.text("reden", reden.0).text("soort", "tegengehouden").text("tijd", tijd);
            }
            Self::Ontvangst(Reception { bericht, id, reden, regels, tijd, toestemming, uitkomst, van }) => {
                members.text("bericht", bericht).optional_text("id", *id);
                members.optional_text("reden", reden.map(|code| code.0)).optional_text("regels", *regels);
                members.text("soort", "ontvangst").text("tijd", tijd);
                members.optional_text("toestemming", *toestemming);
                members.text("uitkomst", uitkomst.as_str()).text("van", van);
            }
            Self::Toestemming { bewijs, gebeurtenis, houder, tijd, toestemming, uitkomst } => {
                members.optional_text("bewijs", *bewijs).text("gebeurtenis", gebeurtenis.as_str());
                members
                    .text("houder", houder)
                    .text("soort", "toestemming")
                    .text("tijd", tijd)
                    .text("toestemming", toestemming);
                members.optional_text("uitkomst", uitkomst.map(WhatWasDone::as_str));
            }
            Self::Convenant { antwoord, bewijs, convenant, door, tijd } => {
                members.text("antwoord", antwoord.as_str()).text("bewijs", bewijs);
                members.text("convenant", convenant).text("door", door);
                members.text("soort", "convenant").text("tijd", tijd);
            }
            Self::Wissing { gewist, reden, tijd } => {
                members.numbers("gewist", gewist).text("reden", reden.as_str());
                members.text("soort", "wissing").text("tijd", tijd);
            }
            Self::Alarm { aard, bewijs, logboek, tijd } => {
                members.text("aard", aard.as_str()).text("bewijs", bewijs).text("logboek", logboek);
                members.text("soort", "alarm").text("tijd", tijd);
            }
            Self::Raadpleging { bewijs, tijd } => {
                members.text("bewijs", bewijs).text("soort", "raadpleging").text("tijd", tijd);
            }
        }
        members.into_leaf()
    }

    /// Reads a leaf back.
    pub fn of_leaf(leaf: &Leaf) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(leaf.bytes())
    }
}

/// The members of a JSON object, one after the other.
struct Members(String);

impl Members {
    fn new() -> Self {
        // A reception takes 330 bytes.
        Self(String::with_capacity(384))
    }

    fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        let opening = if self.0.is_empty() { '{' } else { ',' };
        // A String takes whatever is written.
        let _ = write!(self.0, "{opening}\"{name}\":\"{value}\"");
        self
    }

    fn numbers(&mut self, name: &str, values: &[u64]) -> &mut Self {
        let opening = if self.0.is_empty() { '{' } else { ',' };
        let _ = write!(self.0, "{opening}\"{name}\":[");
        for (position, value) in values.iter().enumerate() {
            let _ = write!(self.0, "{}{value}", if position == 0 { "" } else { "," });
        }
        self.0.push(']');
        self
    }

    fn optional_text(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    fn into_leaf(mut self) -> Leaf {
        self.0.push('}');
        Leaf::new(self.0.into_bytes())
    }
}

/// Any text as the inside of a JSON string, which JCS escapes as serde_json does (RFC 8785 §3.2.2.2).
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests;
