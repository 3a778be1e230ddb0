//! What the receiver of a signal owes its sender: within the term of the purpose, that there was a first conversation with the
//! resident or what came of the signal (Wet gemeentelijke schuldhulpverlening art. 4).
//!
//! The term begins when the receiver admitted the signal, which its log entry says and its receipt proves, and is met at the
//! instant in the identifier of the feedback that says so. Both sides have both.

use jiff::Timestamp;
use schemas::{Document, SchemaName};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    deadline::Deadline,
    digest::Digest,
    entry::{Entry, Outcome},
    oin::Oin,
    purpose::Rule,
    receipt::{Receipt, ReceiptLeaf},
    term::{Awaited, Term},
    tlog::Leaf,
    urgency::Urgency,
};

/// The status of a signal that nobody took up yet. Every other one says how it ended.
const NOT_TAKEN_UP: &str = "Nog niet opgepakt";

/// Ways of contact that are a conversation: a letter that was read is none. DDAS counts one at a desk as `Overige`.
const CONVERSATIONS: [&str; 3] = ["Telefoon", "Huisbezoek", "Overige"];

/// What feedback says, as far as a term goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The signal that it is about.
    pub signal: Uuid,
    /// Whether it meets the term: there was a first conversation, or an outcome. That somebody took it up is neither.
    pub meets: bool,
}

#[derive(Deserialize)]
struct Content {
    bericht_id: Uuid,
    status: Option<String>,
    eerste_gesprek_op: Option<String>,
    resultaat: Option<String>,
    #[serde(default)]
    contactpogingen: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    soort: String,
    bereikt: bool,
}

impl Said {
    /// What a document says as feedback; nothing when it is none.
    pub fn of(document: &Document) -> Option<Self> {
        if document.schema() != SchemaName::Feedback {
            return None;
        }
        let content = Content::deserialize(&document.value()["inhoud"]).ok()?;
        let has_ended = content.status.is_some_and(|status| status != NOT_TAKEN_UP);
        let spoke = |attempt: &Attempt| attempt.bereikt && CONVERSATIONS.contains(&attempt.soort.as_str());
        let spoke = content.eerste_gesprek_op.is_some() || content.contactpogingen.iter().any(spoke);
        Some(Self { signal: content.bericht_id, meets: spoke || has_ended || content.resultaat.is_some() })
    }
}

/// When a signal is to be reacted to, admitted at this instant; nothing when it is no signal, or its purpose sets no term for it.
pub fn deadline(document: &Document, rule: &Rule, admitted: Timestamp) -> Option<Deadline> {
    if !document.schema().is_signal() {
        return None;
    }
    Deadline::of(document, Urgency::of(document), rule, admitted)
}

/// The term of a signal, and when it was met.
pub const fn term(signal: Uuid, receiver: Oin, deadline: Deadline, met: Option<Timestamp>) -> Term {
    Term { set_by: signal, awaited: Awaited::Outcome, by: receiver, deadline, met }
}

/// When this message was admitted, if that is what an entry of its receiver's log says.
pub fn admitted_by(leaf: &Leaf, message: Digest) -> Option<Timestamp> {
    match Entry::of_leaf(leaf).ok()? {
        Entry::Ontvangst(said) if said.bericht == message && said.uitkomst == Outcome::Toegelaten => {
            Some(said.tijd)
        }
        _ => None,
    }
}

/// When this message was admitted, by the receipt that its sender keeps of it. It was verified when it came; nothing is
/// verified again.
pub fn admitted_in(receipt: &str, message: Digest) -> Option<Timestamp> {
    let receipt: Receipt = serde_json::from_str(receipt).ok()?;
    receipt.leaves.iter().map(ReceiptLeaf::leaf).find_map(|leaf| admitted_by(leaf, message))
}

#[cfg(test)]
mod tests;
