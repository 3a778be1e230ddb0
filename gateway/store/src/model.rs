//! What goes into the store and what comes out of it.

use std::{fmt, str::FromStr};

use exchange::{
    consent::{ConsentKey, ConsentUse, Event},
    digest::Digest,
    handover::Taken,
    message::{AdmittedMessage, Attributes, RefusedMessage, SignedMessage},
    oin::Oin,
    person::LookupKeys,
    tlog::Leaf,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{key::IntakeKey, subject::Tokens};

/// Before what a message goes, among those that wait for the same partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Before anything else: withdrawals of consent.
    First,
    /// In order of arrival.
    #[default]
    Normal,
}

/// Which rules something was decided by: another version whenever partners or agreements change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RulesVersion(pub(crate) u64);

/// A signed message that may leave. Only a [`SignedMessage`] becomes one.
///
/// ```compile_fail,E0451
/// use store::{Outgoing, Priority};
///
/// fn forged(outgoing: Outgoing, jws: String) -> Outgoing {
///     Outgoing { jws, ..outgoing }
/// }
/// ```
///
/// Not even a permitted draft does, before it is signed:
///
/// ```compile_fail,E0277
/// use exchange::message::PermittedDraft;
/// use store::Outgoing;
///
/// fn unsigned(draft: PermittedDraft) -> Outgoing {
///     Outgoing::from(draft)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub(crate) to: Oin,
    pub(crate) id: Uuid,
    pub(crate) case: Uuid,
    pub(crate) message_type: &'static str,
    pub(crate) purpose: String,
    pub(crate) agreement: Digest,
    /// Of `jws`.
    pub(crate) digest: Digest,
    /// The exact bytes to send and to keep as evidence.
    pub(crate) jws: String,
    pub(crate) leaf: Leaf,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) priority: Priority,
    pub(crate) row: Option<IntakeKey>,
    pub(crate) keep_until: Timestamp,
    /// The consent it rests on.
    pub(crate) consent: Option<ConsentUse>,
    /// The consent of which it tells the end.
    pub(crate) tells: Option<ConsentKey>,
    /// What it does in a handover.
    pub(crate) step: Option<Taken>,
    /// Whom it is about, until the store made `tokens` of that.
    pub(crate) subject: LookupKeys,
    pub(crate) tokens: Tokens,
}

impl From<SignedMessage> for Outgoing {
    fn from(message: SignedMessage) -> Self {
        let (digest, leaf) = (message.digest(), message.leaf());
        let days = message.retention_days();
        let consent = message.consent().cloned();
        let step = message.step().cloned();
        let (draft, jws) = message.into_parts();
        let subject = LookupKeys::of(&draft.document);
        Self {
            to: draft.to,
            id: draft.id,
            case: draft.case,
            // Every message that was signed has one.
            message_type: draft.document.schema().message_type().unwrap_or_default(),
            purpose: draft.purpose,
            agreement: draft.agreement,
            digest,
            jws,
            leaf,
            created: draft.time,
            expires: draft.expires,
            priority: Priority::default(),
            row: None,
            keep_until: days_after(draft.time, days),
            consent,
            tells: None,
            step,
            subject,
            tokens: Tokens::default(),
        }
    }
}

impl Outgoing {
    /// Before what it goes.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// It tells its receiver that a consent ended: before anything else, and once. The holder of the consent is told that
    /// the resident withdrew it here.
    #[must_use]
    pub fn that_tells(self, consent: ConsentKey) -> Self {
        Self { tells: Some(consent), priority: Priority::First, ..self }
    }

    /// The row of the source it was made from: a row whose message waits or was admitted is not sent again.
    #[must_use]
    pub fn of_row(self, row: IntakeKey) -> Self {
        Self { row: Some(row), ..self }
    }
}

/// What became of a message that was handed over for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is logged under this index and waits.
    Queued {
        /// Its place in the log.
        index: u64,
    },
    /// The same row of the source was offered before, and its message waits or was admitted. It has this index.
    AlreadyOffered {
        /// The place in the log of the earlier message.
        index: u64,
    },
}

/// A message that came from a partner, with what was decided about it. Only an [`AdmittedMessage`] or a
/// [`RefusedMessage`] becomes one.
///
/// ```compile_fail,E0451
/// use exchange::oin::Oin;
/// use store::Arrival;
///
/// fn forged(arrival: Arrival, from: Oin) -> Arrival {
///     Arrival { from, ..arrival }
/// }
/// ```
///
/// A message of which only the signature was checked does not:
///
/// ```compile_fail,E0308
/// use exchange::message::VerifiedMessage;
/// use jiff::{SignedDuration, Timestamp};
/// use store::Arrival;
///
/// fn undecided(message: VerifiedMessage, received: Timestamp) -> Arrival {
///     Arrival::new(Ok(message), received)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Arrival {
    pub(crate) from: Oin,
    pub(crate) received: Timestamp,
    /// When the message could be verified. Without one there is nothing to recognise it by, and each arrival is logged.
    pub(crate) id: Option<Uuid>,
    /// Of the bytes as they came.
    pub(crate) digest: Digest,
    pub(crate) verdict: Verdict,
    /// Until when it may be kept, if it is.
    pub(crate) keep_until: Option<Timestamp>,
    /// The consent it rests on.
    pub(crate) consent: Option<ConsentUse>,
    /// What it says about a consent.
    pub(crate) event: Option<Event>,
    /// What it does in the handover of its case.
    pub(crate) step: Option<(Taken, Uuid)>,
    pub(crate) leaf: Leaf,
    /// What the log says instead when the identifier is known with another digest: a refusal with the reason
    /// `dubbel-met-andere-inhoud`.
    pub(crate) conflict_leaf: Leaf,
    /// Whom it is about, until the store made `tokens` of that.
    pub(crate) subject: LookupKeys,
    pub(crate) tokens: Tokens,
}

/// What was decided about an arrival.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It may enter.
    Admitted(Attributes),
    /// It may not, for the reason with this code.
    Refused(&'static str),
}

impl Arrival {
    /// Whether it may end what waits here: the withdrawal of a consent.
    pub(crate) const fn may_end_others(&self) -> bool {
        matches!(self.event, Some(Event::Withdrawn(_) | Event::Reported { .. }))
    }

    /// It arrives at this desk, whichever its sender named.
    #[must_use]
    pub fn at_desk(mut self, desk: Option<String>) -> Self {
        if let Verdict::Admitted(attributes) = &mut self.verdict {
            attributes.desk = desk;
        }
        self
    }

    /// What came at this moment, and was decided about it.
    pub fn new(decided: Result<AdmittedMessage, RefusedMessage>, received: Timestamp) -> Self {
        match decided {
            Ok(message) => Self {
                from: message.from(),
                received,
                id: Some(message.id()),
                digest: message.digest(),
                leaf: message.leaf(received),
                conflict_leaf: message.conflict_leaf(received),
                keep_until: Some(days_after(received, message.retention_days())),
                consent: message.consent().cloned(),
                event: message.event().cloned(),
                step: message.step().map(|step| (step.clone(), message.case())),
                subject: LookupKeys::of(message.document()),
                tokens: Tokens::default(),
                verdict: Verdict::Admitted(message.into_attributes()),
            },
            Err(refused) => Self {
                from: refused.from(),
                received,
                id: refused.id(),
                digest: refused.digest(),
                leaf: refused.leaf(received),
                conflict_leaf: refused.conflict_leaf(received),
                keep_until: None,
                consent: None,
                event: None,
                step: None,
                subject: LookupKeys::default(),
                tokens: Tokens::default(),
                verdict: Verdict::Refused(refused.refusal().reason.code()),
            },
        }
    }
}

/// Someone for whom something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartnerDue {
    /// Who.
    pub oin: Oin,
    /// How many messages wait, those not counted that are under way.
    pub waiting: u64,
}

/// How much one delivery may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// The largest number of messages.
    pub count: usize,
    /// The largest sum of the lengths of the messages and a line end after each, in bytes. One message is always
    /// given, however long.
    pub bytes: usize,
}

/// How the partner decided about a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentOutcome {
    /// It was admitted.
    Admitted,
    /// It was refused.
    Refused {
        /// The stable code of the reason.
        reason: String,
    },
}

/// A partner's checkpoint whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerCheckpoint {
    /// The number of leaves it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// A checkpoint that a witness saw a log grow to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    /// Whose log.
    pub log: Oin,
    /// Who saw it.
    pub witness: Oin,
    /// The key of the log (C2SP vkey).
    pub key: String,
    /// The number of leaves it covers.
    pub size: u64,
    /// The note with the signature of the log and that of the witness.
    pub note: String,
    /// When the witness saw it, by its own clock.
    pub at: Timestamp,
}

/// A log that contradicts what it signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// Whose log.
    pub log: Oin,
    /// The key of that log (C2SP vkey).
    pub key: String,
    /// The size of the checkpoint that was verified before.
    pub kept_size: u64,
    /// How, in one word.
    pub kind: String,
    /// What proves it, JSON.
    pub evidence: String,
    /// When it was noticed.
    pub noticed: Timestamp,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From us to a partner.
    Outbound,
    /// From a partner to us.
    Inbound,
}

/// How it is with a message.
///
/// ```text
/// outbound: Waiting -> Admitted | Refused | Undeliverable;  Undeliverable -> Waiting (resend) | Admitted | Refused
/// inbound:  Admitted | Refused
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It waits to be delivered, or its delivery is under way.
    Waiting,
    /// The receiver filed it.
    Admitted,
    /// The receiver refused it, for good.
    Refused,
    /// It could not be delivered. A person can have it sent again.
    Undeliverable,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Admitted, Self::Refused, Self::Undeliverable];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "wacht",
            Self::Admitted => "toegelaten",
            Self::Refused => "geweigerd",
            Self::Undeliverable => "onbestelbaar",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text does not name a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected wacht, toegelaten, geweigerd or onbestelbaar")]
pub struct NotAState;

impl FromStr for State {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(NotAState)
    }
}

/// In which order rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// From the start of the log on.
    #[default]
    OldestFirst,
    /// From the end of the log back.
    NewestFirst,
}

/// Which messages to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those that went this way.
    pub direction: Option<Direction>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those that come after the message with this index, in the order asked for.
    pub after: Option<u64>,
    /// In which order.
    pub order: Order,
    /// At most this many; never more than [`MAX_ROWS_READ`](crate::MAX_ROWS_READ).
    pub limit: usize,
}

/// What is known of a message, its content not included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its place in the log.
    pub index: u64,
    /// Which way it went.
    pub direction: Direction,
    /// Its identifier, unless it came in and could not be verified or had an identifier already in use.
    pub id: Option<Uuid>,
    /// The case it belongs to, unless it was refused on arrival.
    pub case: Option<Uuid>,
    /// The other organisation.
    pub partner: Oin,
    /// The CloudEvents type, unless it was refused on arrival.
    pub message_type: Option<String>,
    /// The name of the purpose, unless it was refused on arrival.
    pub purpose: Option<String>,
    /// The agreement by which it was permitted, unless it was refused on arrival.
    pub agreement: Option<Digest>,
    /// The desk where it arrived, when it came in for one.
    pub desk: Option<String>,
    /// How it is with it.
    pub state: State,
    /// Why it was refused or not delivered.
    pub reason: Option<String>,
    /// When it was made; when it arrived, if it was refused on arrival. In microseconds, like every time here.
    pub created: Timestamp,
    /// When it expires, unless it was refused on arrival.
    pub expires: Option<Timestamp>,
    /// When it reached a final state here.
    pub finished: Option<Timestamp>,
    /// The digest of the signed message.
    pub digest: Digest,
    /// After this it is erased: its purpose allows it no longer. Nothing for what is not kept.
    pub keep_until: Option<Timestamp>,
    /// Where the log says that its content was erased, once it is for good: not before its key was destroyed.
    pub erased: Option<u64>,
    /// The consent it rests on, unless it is kept on another basis since.
    pub consent: Option<ConsentKey>,
}

/// How far the records of processings were exported, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// The first entry of the log of which it is not certain that the collector has everything.
    pub next: u64,
    /// How many records the collector confirmed.
    pub records: u64,
    /// How many of those it says it did not take.
    pub rejected: u64,
    /// When it confirmed last.
    pub last_success: Option<Timestamp>,
    /// When it failed last.
    pub last_failure: Option<Timestamp>,
    /// Why it fails; nothing when it did not fail since.
    pub failure: Option<String>,
    /// How often it failed since.
    pub failures: u32,
}

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// How many messages, and versions of records of consents: those that were there and were not erased before.
    pub messages: u64,
    /// Where the log says so.
    pub evidence: Vec<u64>,
}

/// What one step of applying retention came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// How many messages were erased.
    pub erased: u64,
    /// Where the next step begins; nothing when the end of the log was reached.
    pub next: Option<u64>,
}

/// So many days later.
pub(crate) fn days_after(time: Timestamp, days: u32) -> Timestamp {
    time.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}

/// How many messages there are of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// With whom.
    pub partner: Oin,
    /// Which way.
    pub direction: Direction,
    /// In which state.
    pub state: State,
    /// For which reason.
    pub reason: Option<String>,
    /// How many.
    pub count: u64,
}

/// A partner and what its node says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRecord {
    /// Who it is.
    pub oin: Oin,
    /// Its name.
    pub name: String,
    /// The kind of organisation (`soort`).
    pub kind: String,
    /// Its node descriptor, as it was received.
    pub descriptor: String,
    /// When it was added.
    pub added: Timestamp,
    /// When its node last showed that descriptor, or somebody brought it.
    pub seen: Timestamp,
}

/// How it goes with reaching a partner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerState {
    /// When it last answered.
    pub last_contact: Option<Timestamp>,
    /// When it last did not.
    pub last_failure: Option<Timestamp>,
    /// Why it did not: a code, no personal data. Gone once it answers.
    pub failure: Option<String>,
    /// How many times in a row it did not.
    pub failures: u32,
    /// Nothing is due before this.
    pub next_attempt: Option<Timestamp>,
}

/// An agreement with the answers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAgreement {
    /// The digest of its canonical form.
    pub digest: Digest,
    /// Its text.
    pub content: String,
    /// The purposes it names, by digest, with their text.
    pub purposes: Vec<(Digest, String)>,
    /// The answers (JWS) in the order in which they became known here.
    pub answers: Vec<(Oin, String)>,
    /// When it became known here.
    pub added: Timestamp,
}

/// Answers to an agreement that a party must still be told, as far as they were known at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Who must be told.
    pub to: Oin,
    /// The agreement.
    pub agreement: Digest,
    /// The last of those answers: what comes later is owed besides.
    pub(crate) through: u64,
}

/// The log as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: exchange::tlog::Hash,
}
