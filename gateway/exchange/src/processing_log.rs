//! Which operations on personal data the entries of the log are about: what the standard Logboek Dataverwerkingen
//! (Logius) wants to be recorded of each. No users: who of the organisation did it is not in it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    consent::ConsentKey,
    entry::{ConsentHappening, Entry, Outcome},
    oin::Oin,
    trace::{OperationId, TraceContext, TraceId},
};

/// An operation on personal data, as far as the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The entry that tells of it.
    pub entry: u64,
    /// What was done (`name`).
    pub name: &'static str,
    /// Whether it succeeded.
    pub status: Status,
    /// When: what is recorded took no time that matters.
    pub time: Timestamp,
    /// What it was done with.
    pub about: About,
}

/// Whether an operation succeeded: the codes of the standard, which are those of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did.
    Ok = 1,
    /// It did not.
    Error = 2,
}

impl Status {
    /// The code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "gelukt",
            Self::Error => "mislukt",
        }
    }
}

/// What an operation was done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The message of this entry.
    Message(u64),
    /// A document that did not leave, offered for this purpose.
    HeldBack {
        /// The purpose, if there is one of that name.
        purpose: Option<String>,
    },
    /// A consent.
    Consent(ConsentKey),
    /// What somebody saw, searched or decided about: the log only has the digest of the record of that.
    Access,
}

/// The operations that the entry with this index tells of: none, one, or one for each message it is about.
pub fn operations(entry: u64, told: &Entry) -> Vec<Operation> {
    let one = |name, status, time, about| Operation { entry, name, status, time, about };
    match told {
        Entry::Verzending { tijd, .. } => vec![one("verzending", Status::Ok, *tijd, About::Message(entry))],
        Entry::Tegengehouden { doel, tijd, .. } => {
            vec![one("tegengehouden", Status::Error, *tijd, About::HeldBack { purpose: doel.clone() })]
        }
        Entry::Ontvangst(reception) => {
            let status = match reception.uitkomst {
                Outcome::Toegelaten => Status::Ok,
                Outcome::Geweigerd => Status::Error,
            };
            vec![one("ontvangst", status, reception.tijd, About::Message(entry))]
        }
        Entry::Toestemming { gebeurtenis, houder, tijd, toestemming, .. } => {
            let key = ConsentKey { holder: *houder, id: *toestemming };
            vec![one(happening(*gebeurtenis), Status::Ok, *tijd, About::Consent(key))]
        }
        Entry::Wissing { gewist, tijd, .. } => {
            let erased = gewist.iter();
            erased.map(|message| one("wissing", Status::Ok, *tijd, About::Message(*message))).collect()
        }
        Entry::Raadpleging { tijd, .. } => vec![one("raadpleging", Status::Ok, *tijd, About::Access)],
        // These are about organisations, and about no resident.
        Entry::Begin { .. } | Entry::Convenant { .. } | Entry::Alarm { .. } => Vec::new(),
    }
}

const fn happening(what: ConsentHappening) -> &'static str {
    match what {
        ConsentHappening::Verleend => "toestemming-verleend",
        ConsentHappening::Verlengd => "toestemming-verlengd",
        ConsentHappening::Ingetrokken => "toestemming-ingetrokken",
        ConsentHappening::Verlopen => "toestemming-verlopen",
        ConsentHappening::Verwerkt => "toestemming-verwerkt",
    }
}

impl Operation {
    /// Its identifier and that of what belongs together, at organisation `me`. `sent` is the identifier of the message that
    /// it is about, when that was sent here.
    ///
    /// The sending of a message has the identifiers that travel with it, so that a receiver that refers to them refers to
    /// this. Everything later about the same message, or the same consent, is in the same trace.
    pub fn context(&self, me: Oin, sent: Option<Uuid>) -> TraceContext {
        let (about, trace) = match &self.about {
            About::Message(index) => {
                let trace = sent.map(|id| TraceContext::of_message(me, id));
                if *index == self.entry
                    && let Some(sending) = trace
                {
                    return sending;
                }
                (*index, trace.map(|sending| sending.trace))
            }
            About::HeldBack { .. } | About::Access => (self.entry, None),
            About::Consent(key) => {
                let name = [key.holder.as_str().as_bytes(), key.id.as_bytes()].concat();
                (self.entry, Some(TraceId::of(me, &name)))
            }
        };
        let trace = trace.unwrap_or_else(|| TraceId::of(me, &about.to_be_bytes()));
        TraceContext { trace, operation: OperationId::of(me, self.entry, about) }
    }
}

#[cfg(test)]
mod tests;
