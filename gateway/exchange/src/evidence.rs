//! Evidence of one message that stands by itself: who sent what to whom, under which agreement and purpose, and that it
//! is in the log of the receiver. Checked here with nothing but the bundle, so that it can be done on any machine.
//!
//! All trust comes from the agreement: its parties signed it with the keys that it names, and everything else is signed
//! with one of those. That these keys are the organisations' own is not in the bundle: whoever needs to be sure compares
//! the digest of the agreement, or a key, with what an organisation itself says ([`Pins`]).

mod steps;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{digest::Digest, oin::Oin};

/// The `soort` of a bundle.
pub const BUNDLE: &str = "schakel-bewijs/1";

/// The longest bundle that is read, in bytes: an agreement and a purpose of the largest size, and all else.
pub const MAX_BUNDLE_BYTES: usize = 8 * 1024 * 1024;

/// The members that every bundle has.
const REQUIRED: &[&str] = &["soort", "blad", "ontvangstbewijs", "logsleutel"];

/// The most answers of a bundle: each kind once by each party.
const MAX_ANSWERS: usize = 300;

/// The most purposes: more than an agreement has clauses there cannot be.
const MAX_PURPOSES: usize = 100;

/// What proves, apart from any node, that a message was sent and received, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Always [`BUNDLE`].
    pub soort: String,
    /// The signed message, a compact JWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bericht: Option<String>,
    /// Why the message is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zonder_tekst: Option<NoText>,
    /// The extract of the consent that the message rests on, when the message itself is not there to carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uittreksel: Option<String>,
    /// The withdrawal of that consent, signed by its holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intrekking: Option<String>,
    /// The leaf of the receiver's log that speaks of it.
    pub blad: String,
    /// Inclusion of that leaf in the receiver's log (C2SP tlog-proof), and the checkpoint it is included in.
    pub ontvangstbewijs: String,
    /// The key of that log (C2SP vkey).
    pub logsleutel: String,
    /// The agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convenant: Option<Value>,
    /// The signed answers to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub antwoorden: Vec<String>,
    /// The text of the purpose of the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doelen: Vec<Value>,
}

/// Why a bundle has no message in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoText {
    /// It was erased at the node that made the bundle.
    Gewist,
    /// It was refused when it arrived there, and so never kept.
    NietBewaard,
    /// It rests on a consent that the resident withdrew.
    ToestemmingIngetrokken,
    /// It rests on a consent of which the time ran out.
    ToestemmingVerlopen,
}

/// What whoever checks knows from elsewhere, and wants to see in the bundle.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// The agreement.
    pub agreement: Option<Digest>,
    /// A key of an organisation: the thumbprint (RFC 7638) of one that signs messages, or the vkey of its log.
    pub keys: Vec<(Oin, String)>,
}

/// One step of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepName {
    /// It is a bundle.
    Vorm,
    /// The agreement is one, and is the one that the message names.
    Convenant,
    /// Every party signed the agreement.
    Antwoorden,
    /// The agreement was in force.
    Geldigheid,
    /// The sender signed the message.
    Bericht,
    /// The agreement names the purpose, by its text.
    Doel,
    /// The log speaks of this message, and of these rules.
    Logregel,
    /// The entry is in the log.
    Insluiting,
    /// The receiver signed the head of its log.
    Controlepunt,
    /// Others saw that head.
    Getuigen,
    /// The consent that the message rests on.
    Toestemming,
    /// The keys are those that whoever checks knows.
    Sleutels,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// It holds.
    Bewezen,
    /// It does not.
    Onjuist,
    /// There is nothing to check, or it was not asked.
    NietGecontroleerd,
}

/// One step with what it found, in Dutch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which.
    pub stap: StepName,
    /// How it ended.
    pub uitkomst: StepOutcome,
    /// What is proven by whom, or what is wrong.
    pub uitleg: String,
}

/// What a bundle proves, and what it does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every step.
    pub stappen: Vec<Step>,
    /// What nobody may conclude from the bundle, in Dutch.
    pub niet_bewezen: Vec<String>,
    /// What of this bundle could not be checked, though a message has it: its text, its consent, whose that is. In Dutch, as
    /// the end of a sentence. Who says that the bundle holds, says this with it.
    pub niet_gecontroleerd: Vec<String>,
}

impl Report {
    /// Whether no step failed.
    pub fn holds(&self) -> bool {
        self.stappen.iter().all(|step| step.uitkomst != StepOutcome::Onjuist)
    }

    /// How a step ended.
    pub fn outcome(&self, name: StepName) -> Option<StepOutcome> {
        self.stappen.iter().find(|step| step.stap == name).map(|step| step.uitkomst)
    }
}

/// Reads a bundle and checks all of it.
pub fn check(json: &[u8], pins: &Pins) -> Report {
    match read(json) {
        Ok(bundle) => steps::check(&bundle, pins),
        Err(uitleg) => {
            let step = Step { stap: StepName::Vorm, uitkomst: StepOutcome::Onjuist, uitleg };
            Report { stappen: vec![step], niet_bewezen: Vec::new(), niet_gecontroleerd: Vec::new() }
        }
    }
}

/// Reads a bundle; what is wrong is said in Dutch.
pub fn read(json: &[u8]) -> Result<Bundle, String> {
    if json.len() > MAX_BUNDLE_BYTES {
        return Err("Het bestand is te groot voor een bewijs.".into());
    }
    let bundle: Bundle = serde_json::from_slice(json).map_err(|error| unreadable(json, &error))?;
    if bundle.soort != BUNDLE {
        return Err(format!(
            "Dit is geen bewijs van de soort {BUNDLE}. Gebruik een nieuwere versie van schakel."
        ));
    }
    if bundle.bericht.is_some() == bundle.zonder_tekst.is_some() {
        return Err("Het bewijs heeft een bericht, of zegt waarom dat er niet is: een van beide.".into());
    }
    if bundle.bericht.is_some() && bundle.uittreksel.is_some() {
        return Err("Het bewijs heeft een bericht, en daarnaast nog een uittreksel van een toestemming: dat staat al in het bericht.".into());
    }
    if bundle.antwoorden.len() > MAX_ANSWERS || bundle.doelen.len() > MAX_PURPOSES {
        return Err("Het bewijs heeft meer antwoorden of doelen dan een convenant kan hebben.".into());
    }
    Ok(bundle)
}

/// What keeps a text from being a bundle: not JSON, no object, or a member that is missing or not known.
fn unreadable(json: &[u8], error: &serde_json::Error) -> String {
    let what = match serde_json::from_slice::<Value>(json) {
        Err(_) => format!("het is geen JSON (regel {}, kolom {})", error.line(), error.column()),
        Ok(Value::Object(members)) => {
            let missing: Vec<&str> =
                REQUIRED.iter().copied().filter(|name| !members.contains_key(*name)).collect();
            if missing.is_empty() {
                // The members that may be there are few, and what stands in them is not repeated.
                format!(
                    "een onderdeel is anders dan verwacht (regel {}, kolom {})",
                    error.line(),
                    error.column()
                )
            } else {
                format!("`{}` ontbreekt", missing.join("`, `"))
            }
        }
        Ok(_) => "het is geen JSON-object".to_owned(),
    };
    format!("Dit is geen bewijs dat dit programma kan lezen: {what}. Vraag om een nieuw bewijs.")
}

#[cfg(test)]
mod tests;
