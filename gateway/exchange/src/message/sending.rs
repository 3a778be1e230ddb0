//! The sender's half: a draft leaves only when the rules permit it.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;
use schemas::Document;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::times_fit;
use crate::{
    agreement::Agreement,
    consent::{ConsentKey, ConsentUse, Event, Extract, event::is_about_consent},
    deadline,
    desk::{self, Desk, Work},
    digest::Digest,
    entry::{Entry, ReasonCode},
    envelope::{Case, Envelope},
    handover::{Step, Taken, is_handover},
    jws,
    oin::Oin,
    policy::{self, Knowledge, Permission, Question, Trimmed},
    refusal::{Reason, Refusal},
    rulebook::Rulebook,
    signature::Signer,
    tlog::Leaf,
    trace::TraceContext,
};

/// What an adapter, the API or a page wants to send.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The message's identifier, a UUIDv7 made at `time`.
    pub id: Uuid,
    /// Who sends.
    pub from: Oin,
    /// Who is to receive it.
    pub to: Oin,
    /// The agreement it is sent under.
    pub agreement: Digest,
    /// The purpose.
    pub purpose: String,
    /// The case.
    pub case: Uuid,
    /// The receiver's desk.
    pub desk: Option<String>,
    /// When it is made.
    pub time: Timestamp,
    /// After this instant it is not delivered any more.
    pub expires: Timestamp,
    /// The data, valid against its schema.
    pub document: Document,
}

/// A draft that may leave. Only [`Draft::permit`] makes one.
///
/// ```compile_fail,E0451
/// use std::sync::Arc;
/// use exchange::{agreement::Agreement, message::{Draft, PermittedDraft}, policy::Permission};
///
/// fn forged(draft: Draft, permission: Permission, agreement: Arc<Agreement>) -> PermittedDraft {
///     PermittedDraft { draft, permission, agreement, left_out: Vec::new(), step: None }
/// }
/// ```
#[derive(Debug)]
pub struct PermittedDraft {
    draft: Draft,
    permission: Permission,
    agreement: Arc<Agreement>,
    left_out: Vec<String>,
    step: Option<Taken>,
}

/// A message as it will be sent, with the evidence of the decision. Only [`PermittedDraft::sign`] makes one.
///
/// ```compile_fail,E0451
/// use exchange::{digest::Digest, message::{Draft, SignedMessage}, policy::Permission};
///
/// fn forged(draft: Draft, compact: String, digest: Digest, permission: Permission) -> SignedMessage {
///     SignedMessage { draft, compact, digest, permission, left_out: Vec::new(), step: None }
/// }
/// ```
///
/// Nor can one be changed:
///
/// ```compile_fail,E0451
/// use exchange::message::{Draft, SignedMessage};
///
/// fn changed(message: SignedMessage, draft: Draft) -> SignedMessage {
///     SignedMessage { draft, ..message }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct SignedMessage {
    draft: Draft,
    compact: String,
    digest: Digest,
    permission: Permission,
    left_out: Vec<String>,
    step: Option<Taken>,
}

/// A draft that may not leave, with the reason. Only [`Draft::permit`], [`Draft::at_desk_of`] and
/// [`PermittedDraft::sign`] make one, and of
/// what was in it only what the log says remains.
///
/// ```compile_fail,E0451
/// use exchange::{message::HeldBack, refusal::Refusal};
///
/// fn forged(held_back: HeldBack, refusal: Refusal) -> HeldBack {
///     HeldBack { refusal, ..held_back }
/// }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{refusal}")]
pub struct HeldBack {
    purpose: String,
    to: Oin,
    time: Timestamp,
    refusal: Refusal,
}

/// What the rules say of a draft that may leave.
struct Decided {
    permission: Permission,
    trimmed: Option<Trimmed>,
    agreement: Arc<Agreement>,
    step: Option<Taken>,
}

impl Draft {
    /// Asks the rules whether this draft may leave. Where the purpose says so, what it may not hold is left out first.
    pub fn permit<'k>(
        mut self,
        rulebook: &Rulebook,
        known: impl Into<Knowledge<'k>>,
    ) -> Result<PermittedDraft, HeldBack> {
        match self.decide(rulebook, &known.into()) {
            Ok(Decided { permission, trimmed, agreement, step }) => {
                let left_out = trimmed.map_or_else(Vec::new, |trimmed| {
                    self.document = trimmed.document;
                    trimmed.left_out
                });
                Ok(PermittedDraft { draft: self, permission, agreement, left_out, step })
            }
            Err(refusal) => Err(self.hold_back(refusal)),
        }
    }

    /// Asks whether the receiver, of whom these desks are known, has the desk that this draft is addressed to, and that it
    /// takes this.
    pub fn at_desk_of(self, desks: &[Desk]) -> Result<Self, HeldBack> {
        let message_type = self.document.schema().message_type().unwrap_or_default();
        let work = Work { purpose: &self.purpose, message_type };
        match desk::check(desks, self.desk.as_deref(), work, self.time) {
            Ok(()) => Ok(self),
            Err(refusal) => Err(self.hold_back(refusal)),
        }
    }

    /// The consent that the document says it relies on, to look up what this node knows of it.
    pub fn claimed_consent(&self) -> Option<ConsentKey> {
        Extract::claimed_by(&self.document)
    }

    /// The case, when the message is part of a handover, to look up what this node knows of that.
    pub fn handover_case(&self) -> Option<Uuid> {
        is_handover(self.document.schema()).then_some(self.case)
    }

    fn decide(&self, rulebook: &Rulebook, known: &Knowledge<'_>) -> Result<Decided, Refusal> {
        // To the sender, an agreement that does not exist is one that does not allow it.
        let agreement = rulebook.agreement(self.agreement).ok_or(Reason::PurposeNotAllowed)?;
        if !is_about_consent(self.document.schema())
            && rulebook.is_replaced(agreement, self.from, self.to, self.time)
        {
            return Err(Reason::AgreementNotInForce.into());
        }
        let extract = Extract::of(&self.document, agreement);
        let question = Question {
            from: self.from,
            to: self.to,
            agreement: self.agreement,
            purpose: &self.purpose,
            message_type: self.document.schema().message_type().ok_or(Reason::SchemaInvalid)?,
            document: &self.document,
            extract: extract.as_ref(),
            consent: known.consent,
            resident: known.resident,
            now: self.time,
        };
        let (permission, trimmed) = policy::decide_trimming(rulebook, &question)?;
        // What the receiver would not believe is not said.
        Event::of(&self.document, agreement, (self.from, self.to))?;
        let step = Step::read(&self.document, self.id, (self.from, self.to))?;
        if let Some(step) = &step {
            let (urgency, rule) = (known.urgency(step), policy::rule(rulebook, &question)?);
            deadline::check_time_given(&self.document, urgency, rule, self.time)?;
            deadline::check_within_bounds(&self.document, urgency, rule, self.time)?;
        }
        let step = known.take(self.from, step)?;
        Ok(Decided { permission, trimmed, agreement: agreement.clone(), step })
    }

    fn hold_back(self, refusal: Refusal) -> HeldBack {
        HeldBack { purpose: self.purpose, to: self.to, time: self.time, refusal }
    }
}

impl HeldBack {
    /// Why.
    pub const fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The log entry that says so.
    pub fn leaf(&self) -> Leaf {
        use Reason::{AgreementNotInForce, AgreementUnknown, PurposeNotAllowed, SchemaInvalid};
        // Until the rules have found the purpose it is a text that came from somewhere; it could hold a name. What
        // is logged stays for good.
        let before_purpose = [AgreementUnknown, AgreementNotInForce, PurposeNotAllowed, SchemaInvalid];
        let found = !before_purpose.contains(&self.refusal.reason);
        Entry::Tegengehouden {
            doel: found.then(|| self.purpose.clone()),
            naar: self.to,
            reden: ReasonCode(self.refusal.reason),
            tijd: self.time,
        }
        .leaf()
    }
}

impl PermittedDraft {
    /// The fields that the purpose does not allow and that were left out: JSON pointers into the `data` that was
    /// offered, never a value. Empty when it leaves as it was offered.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Signs the message. The bytes that are signed are the bytes that travel and the bytes that are kept.
    ///
    /// What every receiver would refuse is not signed: times that do not fit, a key that the agreement does not give
    /// to the sender, a message that is too large.
    pub fn sign(self, signer: &dyn Signer) -> Result<SignedMessage, HeldBack> {
        let Self { draft, permission, agreement, left_out, step } = self;
        match compact(&draft, &agreement, signer) {
            Ok(compact) => {
                let digest = Digest::of(compact.as_bytes());
                Ok(SignedMessage { draft, compact, digest, permission, left_out, step })
            }
            Err(refusal) => Err(draft.hold_back(refusal)),
        }
    }
}

fn compact(draft: &Draft, agreement: &Agreement, signer: &dyn Signer) -> Result<String, Refusal> {
    let key = signer.public_key();
    if agreement.key(draft.from, key.kid()) != Some(key) {
        return Err(Reason::SignatureInvalid.into());
    }
    if !times_fit(draft.id, draft.time, draft.expires) {
        return Err(Reason::WrongTime.into());
    }
    let payload = serde_json::to_vec(&envelope(draft)?).map_err(|_| Reason::SchemaInvalid)?;
    if payload.len() > crate::envelope::MAX_BYTES {
        return Err(Refusal::about(Reason::SchemaInvalid, ["groter dan 64 KiB"]));
    }
    Ok(jws::sign(jws::MESSAGE, &payload, signer))
}

fn envelope(draft: &Draft) -> Result<Envelope<'_>, Reason> {
    let schema = draft.document.schema();
    let data: &RawValue = serde_json::from_str(draft.document.json()).map_err(|_| Reason::SchemaInvalid)?;
    let envelope = Envelope {
        specversion: Cow::Borrowed("1.0"),
        id: draft.id,
        source: Cow::Owned(draft.from.source_urn()),
        message_type: Cow::Borrowed(schema.message_type().ok_or(Reason::SchemaInvalid)?),
        time: draft.time,
        datacontenttype: Cow::Borrowed("application/json"),
        dataschema: Cow::Borrowed(schema.urn()),
        ontvanger: draft.to,
        verlooptop: draft.expires,
        convenant: draft.agreement,
        doel: Cow::Borrowed(&draft.purpose),
        dossier: Case(draft.case),
        loket: draft.desk.as_deref().map(Cow::Borrowed),
        traceparent: Some(Cow::Owned(TraceContext::of_message(draft.from, draft.id).to_string())),
        data,
    };
    if envelope.is_well_formed() { Ok(envelope) } else { Err(Reason::SchemaInvalid) }
}

impl SignedMessage {
    /// The draft it was made of.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The compact JWS.
    pub fn compact(&self) -> &str {
        &self.compact
    }

    /// The fields that were left out of what was offered: see [`PermittedDraft::left_out`].
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// What it was made of and the compact JWS, for who keeps them. They do not make a message again.
    pub fn into_parts(self) -> (Draft, String) {
        (self.draft, self.compact)
    }

    /// The message digest: SHA-256 of the compact JWS.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How long it may be kept, in days.
    pub const fn retention_days(&self) -> u32 {
        self.permission.retention_days()
    }

    /// The consent it relies on, if it does.
    pub const fn consent(&self) -> Option<&ConsentUse> {
        self.permission.consent()
    }

    /// What it does in a handover, if it is part of one.
    pub const fn step(&self) -> Option<&Taken> {
        self.step.as_ref()
    }

    /// The log entry that says this message was accepted for sending.
    pub fn leaf(&self) -> Leaf {
        Entry::Verzending {
            bericht: self.digest,
            id: self.draft.id,
            naar: self.draft.to,
            regels: self.permission.rules(),
            tijd: self.draft.time,
            toestemming: self.consent().map(ConsentUse::evidence),
        }
        .leaf()
    }
}
