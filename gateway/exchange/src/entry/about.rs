//! What an entry of the log says of what is stored with it, for whoever holds the one against the other.

use serde::Deserialize;

use super::{Entry, Outcome};
use crate::{digest::Digest, tlog::Leaf};

/// What belongs to an entry by what its leaf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About<'l> {
    /// A message that was accepted for sending.
    Sent(Logged<'l>),
    /// One that arrived.
    Received {
        /// Which.
        message: Logged<'l>,
        /// How that ended.
        outcome: Outcome,
        /// Why it was refused.
        reason: Option<&'l str>,
    },
    /// Something else, of which a log has few: the entry itself.
    Entry(Entry),
    /// Nothing that this version knows.
    Nothing,
}

/// What a leaf says of a message, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged<'l> {
    /// Its digest.
    pub message: Digest,
    /// To or from whom.
    pub partner: &'l str,
    /// Its identifier, if it says so.
    pub id: Option<&'l str>,
    /// The digest of the rules that allowed it, if they did.
    pub rules: Option<&'l str>,
    /// The digest of the extract of the consent it rests on.
    pub consent: Option<&'l str>,
    /// When.
    pub at: &'l str,
}

/// What of a leaf says which message it is about.
#[derive(Deserialize)]
struct Speaks<'l> {
    soort: &'l str,
    bericht: Option<&'l str>,
    naar: Option<&'l str>,
    van: Option<&'l str>,
    uitkomst: Option<&'l str>,
    reden: Option<&'l str>,
    id: Option<&'l str>,
    regels: Option<&'l str>,
    toestemming: Option<&'l str>,
    tijd: Option<&'l str>,
}

impl<'l> About<'l> {
    /// What a leaf is about; nothing when it cannot be read. Of an entry about a message not the whole is read: who goes
    /// through a log of millions has its hashes for the rest.
    pub fn leaf(leaf: &'l Leaf) -> Option<Self> {
        let said: Speaks<'_> = serde_json::from_slice(leaf.bytes()).ok()?;
        let message = |partner: Option<&'l str>| {
            Some(Logged {
                message: said.bericht?.parse().ok()?,
                partner: partner?,
                id: said.id,
                rules: said.regels,
                consent: said.toestemming,
                at: said.tijd?,
            })
        };
        match said.soort {
            "verzending" => Some(Self::Sent(message(said.naar)?)),
            "ontvangst" => {
                let outcome = [Outcome::Toegelaten, Outcome::Geweigerd];
                let outcome = outcome.into_iter().find(|one| Some(one.as_str()) == said.uitkomst)?;
                Some(Self::Received { message: message(said.van)?, outcome, reason: said.reden })
            }
            "convenant" | "toestemming" | "wissing" | "raadpleging" | "alarm" => {
                Entry::of_leaf(leaf).ok().map(Self::Entry)
            }
            _ => Some(Self::Nothing),
        }
    }
}
