//! Who saw what, when and why. Content only leaves the store for somebody with an [`Access`].

mod decision;

pub use decision::Decision;

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    str::FromStr,
};

use exchange::{consent::ConsentKey, digest::Digest, person::Identity};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{data_subject::DataSubject, error::StoreError, model::MessageRow, subject::Token};

/// The longest name of somebody or of a reference, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// Who sees, searches, takes out or decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A person or a system.
    soort: ActorKind,
    /// The account of the machine or of the local system, as that knows it.
    account: String,
    /// How the organisation knows the person, when the account does not say that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    medewerker: Option<String>,
}

/// Whether somebody or something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// Somebody.
    Medewerker,
    /// A system of the organisation.
    Systeem,
}

/// A name that is empty, too long, or holds what cannot be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a name of 1 to {MAX_NAME_CHARS} printable characters")]
pub struct NotAName;

fn name(text: &str) -> Result<String, NotAName> {
    let text = text.trim();
    let fits = (1..=MAX_NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(NotAName) }
}

impl Actor {
    /// Somebody who works on this account; under this name, when more people do.
    pub fn person(account: &str, employee: Option<&str>) -> Result<Self, NotAName> {
        let medewerker = employee.map(name).transpose()?;
        Ok(Self { soort: ActorKind::Medewerker, account: name(account)?, medewerker })
    }

    /// A system of the organisation.
    pub fn system(account: &str) -> Result<Self, NotAName> {
        Ok(Self { soort: ActorKind::Systeem, account: name(account)?, medewerker: None })
    }

    /// Whether it is a person or a system.
    pub const fn kind(&self) -> ActorKind {
        self.soort
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The person, when the account does not say who it is.
    pub fn employee(&self) -> Option<&str> {
        self.medewerker.as_deref()
    }

    /// Whether this is the person or account of that name.
    pub fn is_called(&self, name: &str) -> bool {
        self.account == name || self.medewerker.as_deref() == Some(name)
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// Content is shown.
    Inzien,
    /// Somebody is looked for.
    Zoeken,
    /// Content leaves the node: a file, another system.
    Uitvoer,
    /// Something is decided about content.
    Besluit,
    /// The access log itself is read.
    Raadplegingen,
}

/// Why. A list, so that it can be counted and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The work on a case.
    Dossier,
    /// The resident asked for access (AVG art. 15).
    Inzageverzoek,
    /// The resident asked for correction (AVG art. 16).
    Correctieverzoek,
    /// The resident asked for erasure (AVG art. 17).
    Wisverzoek,
    /// The resident objected (AVG art. 21) or complains.
    Bezwaar,
    /// A check by the data protection officer or an auditor.
    Controle,
    /// A data breach or another incident.
    Incident,
    /// Evidence is needed of what was exchanged.
    Bewijs,
    /// The technical running of the node.
    Beheer,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Dossier,
        Self::Inzageverzoek,
        Self::Correctieverzoek,
        Self::Wisverzoek,
        Self::Bezwaar,
        Self::Controle,
        Self::Incident,
        Self::Bewijs,
        Self::Beheer,
    ];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dossier => "dossier",
            Self::Inzageverzoek => "inzageverzoek",
            Self::Correctieverzoek => "correctieverzoek",
            Self::Wisverzoek => "wisverzoek",
            Self::Bezwaar => "bezwaar",
            Self::Controle => "controle",
            Self::Incident => "incident",
            Self::Bewijs => "bewijs",
            Self::Beheer => "beheer",
        }
    }
}

impl Deed {
    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inzien => "inzien",
            Self::Zoeken => "zoeken",
            Self::Uitvoer => "uitvoer",
            Self::Besluit => "besluit",
            Self::Raadplegingen => "raadplegingen",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text does not name a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a reason")]
pub struct NotAReason;

impl FromStr for Reason {
    type Err = NotAReason;

    fn from_str(text: &str) -> Result<Self, NotAReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(NotAReason)
    }
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// For which of the reasons.
    #[serde(rename = "reden")]
    pub reason: Reason,
    /// By which the organisation knows the request or the case, such as a case number.
    #[serde(rename = "kenmerk", default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The case at hand.
    #[serde(rename = "dossier", default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Uuid>,
}

impl Why {
    /// For this reason, with what the organisation knows it by.
    pub fn new(reason: Reason, reference: Option<&str>, case: Option<Uuid>) -> Result<Self, NotAName> {
        Ok(Self { reason, reference: reference.map(name).transpose()?, case })
    }

    /// By which the organisation knows the request or the case.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

/// Somebody who is about to see, search, take out or decide something, and why. The store keeps it before it gives
/// anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who.
    pub who: Actor,
    /// What.
    pub what: Deed,
    /// Why.
    pub why: Why,
    /// When.
    pub when: Timestamp,
}

/// What the store keeps of an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// Its place in the log; not part of what is sealed, which stands at that place.
    #[serde(skip)]
    pub index: u64,
    /// Who.
    #[serde(rename = "wie")]
    pub who: Actor,
    /// What.
    #[serde(rename = "wat")]
    pub what: Deed,
    /// Why.
    #[serde(rename = "waarom")]
    pub why: Why,
    /// When.
    #[serde(rename = "wanneer")]
    pub when: Timestamp,
    /// The messages that were shown or decided about, by index.
    #[serde(rename = "berichten")]
    pub messages: Vec<u64>,
    /// The consents whose records were found or decided about, by number.
    #[serde(rename = "toestemmingen", default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Uuid>,
    /// Messages that were shown as perhaps about the person that was looked for, by index.
    #[serde(rename = "berichten_misschien", default, skip_serializing_if = "Vec::is_empty")]
    pub perhaps: Vec<u64>,
    /// Consents that were shown as perhaps of that person, by number.
    #[serde(rename = "toestemmingen_misschien", default, skip_serializing_if = "Vec::is_empty")]
    pub consents_perhaps: Vec<Uuid>,
    /// Whether a person was looked for.
    #[serde(rename = "persoon_gezocht", default)]
    pub searched_person: bool,
    /// What was decided; nothing of a decision about a consent.
    #[serde(rename = "besluit", default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// By what the persons it is about are found, so that the log proves that they still are: a token of 16 digits after the
    /// other.
    #[serde(rename = "vindbaar", default, skip_serializing_if = "String::is_empty")]
    pub findable: String,
    /// Whom it was about when a person was looked for or decided about, sealed as records of processings name them.
    #[serde(rename = "betrokkene", default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<DataSubject>,
}

impl AccessRecord {
    pub(crate) fn new(access: Access, about: &About) -> Self {
        let Access { who, what, why, when } = access;
        let (messages, consents) = (about.messages.clone(), about.consents.clone());
        let About { searched_person, decision, .. } = *about;
        let findable = written(&about.tokens);
        let subject = about.subject.clone();
        Self {
            index: 0,
            who,
            what,
            why,
            when,
            messages,
            consents,
            perhaps: about.perhaps.clone(),
            consents_perhaps: about.consents_perhaps.clone(),
            searched_person,
            decision,
            findable,
            subject,
        }
    }

    /// The messages that were shown or decided about, also those that were shown as perhaps.
    pub fn all_messages(&self) -> impl Iterator<Item = u64> {
        self.messages.iter().chain(&self.perhaps).copied()
    }

    /// By what the persons it is about are found. Of what earlier versions recorded this is not known.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let digits = self.findable.as_bytes().chunks(2 * size_of::<Token>());
        let token = |digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        digits.filter_map(token).map(u64::to_be_bytes).collect()
    }
}

/// Tokens, one after the other.
fn written(tokens: &BTreeSet<Token>) -> String {
    let mut text = String::with_capacity(tokens.len() * 2 * size_of::<Token>());
    for token in tokens {
        // Writing to a text does not fail.
        let _ = write!(text, "{:016x}", u64::from_be_bytes(*token));
    }
    text
}

/// That somebody decided to send messages, and whom those are about: by that it is found again, whatever becomes of them.
pub struct Decided {
    /// Who, and why.
    pub access: Access,
    /// The person that each message is about, in their order.
    pub about: Vec<Option<Identity>>,
    /// The persons that what may not leave is about.
    pub also: Vec<Identity>,
}

/// What an access is about.
#[derive(Default)]
pub(crate) struct About {
    pub(crate) messages: Vec<u64>,
    pub(crate) consents: Vec<Uuid>,
    /// What is shown as perhaps about the person that is looked for.
    pub(crate) perhaps: Vec<u64>,
    pub(crate) consents_perhaps: Vec<Uuid>,
    /// Of the persons, by which the access is found whatever becomes of the messages.
    pub(crate) tokens: BTreeSet<Token>,
    /// Whether a person was looked for, and is the one of the tokens.
    pub(crate) searched_person: bool,
    pub(crate) decision: Option<Decision>,
    /// The person, sealed.
    pub(crate) subject: Option<DataSubject>,
}

/// What records of processings want to know of an access; nothing of who it was.
#[derive(Debug, Clone, Default)]
pub struct Accessed {
    /// Something was decided; it was not only looked at.
    pub is_decision: bool,
    /// The messages that were shown or decided about.
    pub messages: Vec<u64>,
    /// Those that were shown as perhaps about the person that was looked for.
    pub perhaps: Vec<u64>,
    /// The consents, by number; also those that were shown as perhaps.
    pub consents: Vec<Uuid>,
    /// The person that was looked for or decided about.
    pub subject: Option<DataSubject>,
}

/// A message as it is shown to somebody.
#[derive(Clone)]
pub struct Shown {
    /// What is known of it.
    pub row: MessageRow,
    /// The signed message (JWS), or why it is not shown.
    pub content: Result<String, Withheld>,
}

/// Why a message is shown without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Withheld {
    /// It was erased.
    Erased,
    /// It was refused when it came, and so never kept.
    NotKept,
    /// It rests on a consent that the resident withdrew.
    ConsentWithdrawn,
    /// It rests on a consent of which the time ran out.
    ConsentExpired,
}

impl Withheld {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Erased, Self::NotKept, Self::ConsentWithdrawn, Self::ConsentExpired];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "gewist",
            Self::NotKept => "niet-bewaard",
            Self::ConsentWithdrawn => exchange::refusal::Reason::ConsentWithdrawn.code(),
            Self::ConsentExpired => exchange::refusal::Reason::ConsentExpired.code(),
        }
    }
}

/// Shows nothing of the content, which is about a person.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("row", &self.row).finish_non_exhaustive()
    }
}

/// What was found of a person.
#[derive(Debug, Clone)]
pub struct Found {
    /// The messages about the person, and those in a case that is about nobody else; the oldest first.
    pub messages: Vec<Shown>,
    /// Messages that may be about the same person: a person decides. Without content.
    pub perhaps: Vec<MessageRow>,
    /// The consents of this person that this organisation asked for.
    pub consents: Vec<ConsentKey>,
    /// Consents that may be of the same person.
    pub consents_perhaps: Vec<ConsentKey>,
    /// Whether everything was looked through. Not while messages from before the lookup existed are still being made
    /// findable, nor when there is more than one search opens, nor when something is damaged.
    pub complete: bool,
    /// Where the access stands in the log.
    pub access: u64,
}

/// Which accesses to read.
#[derive(Debug, Clone, Default)]
pub struct AccessFilter {
    /// Only those that showed this message.
    pub message: Option<u64>,
    /// Only those that showed a message of this case, or were for it.
    pub case: Option<Uuid>,
    /// Only those that looked for this person or showed a message about them.
    pub person: Option<Identity>,
    /// Only those of the person or account with this name.
    pub by: Option<String>,
    /// Only those of this moment or later.
    pub from: Option<Timestamp>,
    /// Only those before this moment.
    pub until: Option<Timestamp>,
    /// Only those before this place in the log: how to read on.
    pub before: Option<u64>,
    /// At most this many; never more than [`MAX_ROWS_READ`](crate::MAX_ROWS_READ).
    pub limit: usize,
}

/// Accesses that were read.
#[derive(Debug, Clone, Default)]
pub struct Accesses {
    /// The last first.
    pub records: Vec<AccessRecord>,
    /// There may be more before this place in the log.
    pub more_before: Option<u64>,
}

/// What is sealed of an access, and what the log says of it.
pub(crate) struct Recorded {
    /// The salt and the record.
    pub(crate) plain: Vec<u8>,
    /// Over that.
    pub(crate) digest: Digest,
}

/// Enough that nobody finds the record by trying.
pub(crate) const SALT_BYTES: usize = 32;

impl Recorded {
    pub(crate) fn new(record: &AccessRecord, salt: [u8; SALT_BYTES]) -> Result<Self, StoreError> {
        let mut plain = salt.to_vec();
        serde_json::to_writer(&mut plain, record).map_err(|error| StoreError::Io(error.to_string()))?;
        let digest = Digest::of(&plain);
        Ok(Self { plain, digest })
    }

    /// The record at `index` of the log, when it is the one that the log is about.
    pub(crate) fn read(plain: &[u8], digest: Digest, index: u64) -> Option<AccessRecord> {
        let record = plain.get(SALT_BYTES..).filter(|_| Digest::of(plain) == digest)?;
        serde_json::from_slice(record).ok().map(|record| AccessRecord { index, ..record })
    }
}

#[cfg(test)]
mod tests;
