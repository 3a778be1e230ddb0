//! The receiver's half: a message enters only when it is who it says it is and the rules permit it.

use std::sync::Arc;

use jiff::Timestamp;
use schemas::{Document, SchemaName};
use uuid::Uuid;

use super::{MAX_CLOCK_SKEW, times_fit};
use crate::{
    agreement::Agreement,
    consent::{ConsentKey, ConsentUse, Event, Extract, event::is_about_consent, rests_on_case},
    deadline,
    digest::Digest,
    entry::{Entry, Outcome, ReasonCode, Reception},
    envelope::{self, Envelope},
    handover::{Step, Taken, is_handover},
    jws,
    oin::Oin,
    policy::{self, ConsentKnowledge, Knowledge, Permission, Question},
    refusal::{Reason, Refusal},
    rulebook::Rulebook,
    tlog::Leaf,
};

/// A line of a delivery, before anybody looked at it.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedMessage<'a> {
    compact: &'a str,
    digest: Digest,
    peer: Oin,
}

/// A message that its sender demonstrably signed, for us, under an agreement we know. Only
/// [`ReceivedMessage::verify`] makes one.
///
/// ```compile_fail,E0451
/// use exchange::message::VerifiedMessage;
///
/// fn forged(verified: VerifiedMessage) -> VerifiedMessage {
///     VerifiedMessage { document: Err(()), ..verified }
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedMessage {
    message: Message,
    document: Result<Document, ()>,
}

/// A message the rules let in. Only [`VerifiedMessage::admit`] makes one.
///
/// ```compile_fail,E0451
/// use exchange::{message::AdmittedMessage, policy::Permission};
///
/// fn forged(admitted: AdmittedMessage, permission: Permission) -> AdmittedMessage {
///     AdmittedMessage { permission, ..admitted }
/// }
/// ```
#[derive(Debug)]
pub struct AdmittedMessage {
    message: Message,
    document: Document,
    permission: Permission,
    event: Option<Event>,
    step: Option<Taken>,
}

/// A message that stays out, with the reason.
#[derive(Debug)]
pub struct RefusedMessage {
    digest: Digest,
    /// The identifier that this refusal binds. None while the signature is in doubt, since an identifier that anybody
    /// could have written binds nobody; and none when it does not fit the time, since such identifiers may be anything.
    id: Option<Uuid>,
    peer: Oin,
    refusal: Refusal,
}

/// The attributes of a verified message.
#[derive(Debug)]
struct Message {
    digest: Digest,
    peer: Oin,
    me: Oin,
    id: Uuid,
    attributes: Attributes,
}

/// What is kept of a message that was admitted, beside its identifier and digest. It says nothing about whether it was:
/// that is what [`AdmittedMessage`] is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The case.
    pub case: Uuid,
    /// The CloudEvents type.
    pub message_type: String,
    /// The purpose.
    pub purpose: String,
    /// The agreement.
    pub agreement: Digest,
    /// The desk it is for.
    pub desk: Option<String>,
    /// The compact JWS as it arrived.
    pub compact: String,
    /// When it was made, by its sender's clock.
    pub created: Timestamp,
    /// When the sender lets it expire.
    pub expires: Timestamp,
}

impl<'a> ReceivedMessage<'a> {
    /// A line that arrived over a connection whose certificate names `peer`.
    pub fn new(compact: &'a str, peer: Oin) -> Self {
        Self { compact, digest: Digest::of(compact.as_bytes()), peer }
    }

    /// Checks that the peer sent it, to `me`, in time, signed with a key of the agreement it names.
    pub fn verify(
        self,
        me: Oin,
        rulebook: &Rulebook,
        now: Timestamp,
    ) -> Result<VerifiedMessage, RefusedMessage> {
        let refuse = |reason: Reason| self.refused(None, reason.into());
        let jws = jws::Unverified::parse(jws::MESSAGE, self.compact)
            .map_err(|_| refuse(Reason::SignatureInvalid))?;
        let read = read_envelope(jws.unverified_payload()).map_err(refuse)?;
        let agreement = self.addressed(&read, me, rulebook).map_err(refuse)?;
        let key = agreement.key(self.peer, jws.kid()).ok_or_else(|| refuse(Reason::SignatureInvalid))?;
        jws.verify(key).map_err(|_| refuse(Reason::SignatureInvalid))?;
        in_time(&read, now).map_err(|reason| {
            // The sender takes this answer as final, and so must we: it may have been admitted when it first came, and
            // it may come again when it is no longer early. An identifier of another time is not kept: such a message
            // is never admitted.
            let fits = times_fit(read.id, read.time, read.verlooptop);
            self.refused(fits.then_some(read.id), reason.into())
        })?;
        Ok(VerifiedMessage { document: document(&read), message: self.message(&read, me) })
    }

    fn addressed<'r>(
        &self,
        read: &Envelope<'_>,
        me: Oin,
        rulebook: &'r Rulebook,
    ) -> Result<&'r Arc<Agreement>, Reason> {
        if read.sender() != Some(self.peer) {
            return Err(Reason::WrongSender);
        }
        if read.ontvanger != me {
            return Err(Reason::NotAddressed);
        }
        rulebook.agreement(read.convenant).ok_or(Reason::AgreementUnknown)
    }

    fn message(&self, read: &Envelope<'_>, me: Oin) -> Message {
        let attributes = Attributes {
            case: read.dossier.0,
            message_type: read.message_type.clone().into_owned(),
            purpose: read.doel.clone().into_owned(),
            agreement: read.convenant,
            desk: read.loket.clone().map(std::borrow::Cow::into_owned),
            compact: self.compact.to_owned(),
            created: read.time,
            expires: read.verlooptop,
        };
        Message { digest: self.digest, peer: self.peer, me, id: read.id, attributes }
    }

    const fn refused(&self, id: Option<Uuid>, refusal: Refusal) -> RefusedMessage {
        RefusedMessage { digest: self.digest, id, peer: self.peer, refusal }
    }
}

pub(super) fn read_envelope(payload: &[u8]) -> Result<Envelope<'_>, Reason> {
    if payload.len() > envelope::MAX_BYTES {
        return Err(Reason::SchemaInvalid);
    }
    let read: Envelope<'_> = serde_json::from_slice(payload).map_err(|_| Reason::SchemaInvalid)?;
    if read.is_well_formed() { Ok(read) } else { Err(Reason::SchemaInvalid) }
}

/// Not from the future, not from another time than its identifier, not expired.
fn in_time(read: &Envelope<'_>, now: Timestamp) -> Result<(), Reason> {
    let early = read.time.duration_since(now) > MAX_CLOCK_SKEW;
    if early || !times_fit(read.id, read.time, read.verlooptop) {
        return Err(Reason::WrongTime);
    }
    if read.verlooptop < now { Err(Reason::Expired) } else { Ok(()) }
}

/// The data, if it is valid against the schema that belongs to the type.
pub(super) fn document(read: &Envelope<'_>) -> Result<Document, ()> {
    let schema = SchemaName::of_message_type(&read.message_type).ok_or(())?;
    if read.dataschema != schema.urn() {
        return Err(());
    }
    Document::parse(schema, read.data.get().as_bytes()).map_err(|_| ())
}

impl VerifiedMessage {
    /// The consent the message says it relies on, to look up what this node knows of it. A message about a consent
    /// relies on none.
    pub fn claimed_consent(&self) -> Option<ConsentKey> {
        let document = self.document.as_ref().ok()?;
        if is_about_consent(document.schema()) { None } else { Extract::claimed_by(document) }
    }

    /// The message's identifier.
    pub const fn id(&self) -> Uuid {
        self.message.id
    }

    /// The case, when the message rests on a consent and names nobody, to look up whom that case is about.
    pub fn case_of_consent(&self) -> Option<Uuid> {
        let document = self.document.as_ref().ok()?;
        rests_on_case(document).then_some(self.message.attributes.case)
    }

    /// The case, when the message is part of a handover, to look up what this node knows of that.
    pub fn handover_case(&self) -> Option<Uuid> {
        let document = self.document.as_ref().ok()?;
        is_handover(document.schema()).then_some(self.message.attributes.case)
    }

    /// The consent the message says to have dealt with, and who says so, to look up whether that is for it to say.
    pub fn confirmed_consent(&self) -> Option<(ConsentKey, Oin)> {
        Some((Event::processing(self.document.as_ref().ok()?)?, self.message.peer))
    }

    /// Asks the rules again, with what this node knows now: of the consent it relies on, or of the one it says to have
    /// dealt with, if that names its sender or its sender was told.
    pub fn admit<'k>(
        self,
        rulebook: &Rulebook,
        known: impl Into<Knowledge<'k>>,
        now: Timestamp,
    ) -> Result<AdmittedMessage, RefusedMessage> {
        let known = known.into();
        let Self { message, document } = self;
        let Ok(document) = document else { return Err(message.refused(Reason::SchemaInvalid.into())) };
        // Known a moment ago; if it is not any more, the decision says so.
        let agreement = rulebook.agreement(message.attributes.agreement);
        let extract = agreement.and_then(|agreement| Extract::of(&document, agreement));
        let question = Question {
            from: message.peer,
            to: message.me,
            agreement: message.attributes.agreement,
            purpose: &message.attributes.purpose,
            message_type: &message.attributes.message_type,
            document: &document,
            extract: extract.as_ref(),
            consent: known.consent,
            resident: known.resident,
            now,
        };
        let parties = (message.peer, message.me);
        let made = message.attributes.created;
        let too_late = !is_about_consent(document.schema())
            && agreement.is_some_and(|one| rulebook.is_too_late(one, message.peer, message.me, made));
        if too_late {
            return Err(message.refused(Reason::AgreementNotInForce.into()));
        }
        let decided = policy::decide(rulebook, &question).and_then(|permission| {
            let event =
                agreement.map(|agreement| Event::of(&document, agreement, parties)).transpose()?.flatten();
            // A holder knows every consent that it asked for, and who may have something under it.
            let is_confirmation = matches!(event, Some(Event::Processed(_)));
            if is_confirmation && known.consent == ConsentKnowledge::NothingElse {
                return Err(Reason::NotTheirsToSay.into());
            }
            let step = Step::read(&document, message.id, parties)?;
            if let Some(step) = &step {
                let rule = policy::rule(rulebook, &question)?;
                deadline::check_within_bounds(&document, known.urgency(step), rule, made)?;
            }
            let step = known.take(message.me, step)?;
            Ok((permission, event, step))
        });
        match decided {
            Ok((permission, event, step)) => {
                Ok(AdmittedMessage { message, document, permission, event, step })
            }
            Err(refusal) => Err(message.refused(refusal)),
        }
    }
}

impl Message {
    fn refused(self, refusal: Refusal) -> RefusedMessage {
        RefusedMessage { digest: self.digest, id: Some(self.id), peer: self.peer, refusal }
    }
}

impl AdmittedMessage {
    /// The message's identifier.
    pub const fn id(&self) -> Uuid {
        self.message.id
    }

    /// Who sent it.
    pub const fn from(&self) -> Oin {
        self.message.peer
    }

    /// The case.
    pub const fn case(&self) -> Uuid {
        self.message.attributes.case
    }

    /// The agreement.
    pub const fn agreement(&self) -> Digest {
        self.message.attributes.agreement
    }

    /// The purpose.
    pub fn purpose(&self) -> &str {
        &self.message.attributes.purpose
    }

    /// The CloudEvents type.
    pub fn message_type(&self) -> &str {
        &self.message.attributes.message_type
    }

    /// The desk it is for.
    pub fn desk(&self) -> Option<&str> {
        self.message.attributes.desk.as_deref()
    }

    /// When it was made, by its sender's clock.
    pub const fn created(&self) -> Timestamp {
        self.message.attributes.created
    }

    /// When the sender lets it expire.
    pub const fn expires(&self) -> Timestamp {
        self.message.attributes.expires
    }

    /// The compact JWS as it arrived.
    pub fn compact(&self) -> &str {
        &self.message.attributes.compact
    }

    /// The consent it relies on, if it does.
    pub const fn consent(&self) -> Option<&ConsentUse> {
        self.permission.consent()
    }

    /// What it says about a consent, if it does.
    pub const fn event(&self) -> Option<&Event> {
        self.event.as_ref()
    }

    /// What it does in a handover, if it is part of one.
    pub const fn step(&self) -> Option<&Taken> {
        self.step.as_ref()
    }

    /// What of it is kept, for who keeps it.
    pub fn into_attributes(self) -> Attributes {
        self.message.attributes
    }

    /// The message digest.
    pub const fn digest(&self) -> Digest {
        self.message.digest
    }

    /// The data.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// How long it may be kept, in days.
    pub const fn retention_days(&self) -> u32 {
        self.permission.retention_days()
    }

    /// The log entry of its admission.
    pub fn leaf(&self, now: Timestamp) -> Leaf {
        reception(
            self.message.digest,
            Some(self.message.id),
            self.message.peer,
            Ok((self.permission.rules(), self.consent().map(ConsentUse::evidence))),
            now,
        )
    }

    /// The log entry for when its identifier turns out to be in use for another message.
    pub fn conflict_leaf(&self, now: Timestamp) -> Leaf {
        conflict(self.message.digest, Some(self.message.id), self.message.peer, now)
    }
}

impl RefusedMessage {
    /// Who sent it, by the certificate of the connection.
    pub const fn from(&self) -> Oin {
        self.peer
    }

    /// The message digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its identifier, when the sender demonstrably wrote it and it fits its time. The refusal then answers for that
    /// identifier: the same message gets the same answer, another one is a duplicate with other content.
    pub const fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// Why it is refused.
    pub const fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The log entry of its refusal.
    pub fn leaf(&self, now: Timestamp) -> Leaf {
        reception(self.digest, self.id, self.peer, Err(self.refusal.reason), now)
    }

    /// The log entry for when its identifier turns out to be in use for another message.
    pub fn conflict_leaf(&self, now: Timestamp) -> Leaf {
        conflict(self.digest, self.id, self.peer, now)
    }
}

fn conflict(digest: Digest, id: Option<Uuid>, peer: Oin, now: Timestamp) -> Leaf {
    reception(digest, id, peer, Err(Reason::DuplicateWithOtherContent), now)
}

fn reception(
    digest: Digest,
    id: Option<Uuid>,
    peer: Oin,
    outcome: Result<(Digest, Option<Digest>), Reason>,
    now: Timestamp,
) -> Leaf {
    let (uitkomst, reden, regels, toestemming) = match outcome {
        Ok((rules, extract)) => (Outcome::Toegelaten, None, Some(rules), extract),
        Err(reason) => (Outcome::Geweigerd, Some(ReasonCode(reason)), None, None),
    };
    Entry::Ontvangst(Reception {
        bericht: digest,
        id,
        reden,
        regels,
        tijd: now,
        toestemming,
        uitkomst,
        van: peer,
    })
    .leaf()
}
