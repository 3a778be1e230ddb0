//! Until when somebody may take to respond, and when to remind them of it.
//!
//! What a handover or a question says itself (`reageren_voor`, `antwoord_voor`) goes before what the purpose says: both sides
//! read the same instant. A sender may give more time than the purpose, and no less ([`check_time_given`]), but not without end
//! ([`check_within_bounds`]).

use jiff::{SignedDuration, Timestamp};
use schemas::{Document, SchemaName};

use crate::{
    calendar,
    message::MAX_LIFETIME,
    purpose::Rule,
    refusal::{Reason, Refusal},
    urgency::Urgency,
};

/// How much a handover may fall short of the term of its purpose: filling it in takes time too.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// How much more time than its purpose a message may give at most: as long as a message lives. What asks for an answer later
/// than that would be forgotten by everybody, and no reminder would come in time.
pub const MOST_BEYOND_TERM: SignedDuration = MAX_LIFETIME;

/// The end of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deadline {
    /// The first instant at which a response is too late.
    pub respond_before: Timestamp,
    /// When to remind who must respond, if they have not.
    pub remind_at: Timestamp,
}

impl Deadline {
    /// The deadline of a message: what it says itself, or else the term of its purpose from the moment at which the
    /// receiver admitted it, which its log tells both. Nothing when no response is due. The urgency is [`Urgency::of`] the
    /// document, or of the offer that it is about.
    pub fn of(document: &Document, urgency: Urgency, rule: &Rule, admitted: Timestamp) -> Option<Self> {
        let respond_before = asked(document).or_else(|| rule.respond_before(urgency, admitted))?;
        Some(Self::between(admitted, respond_before))
    }

    /// The deadline of what began at `from` and ends at `respond_before`. The reminder comes halfway; when nobody works on
    /// that day it comes at the start of the next working day, if that is still in time.
    pub fn between(from: Timestamp, respond_before: Timestamp) -> Self {
        let half = respond_before.duration_since(from).max(SignedDuration::ZERO) / 2;
        // What ended before it began is reminded of at its end.
        let halfway = respond_before.saturating_sub(half).unwrap_or(respond_before);
        let day = calendar::day(halfway);
        let at_work = calendar::midnight(calendar::working_day_from(day)).filter(|at| *at < respond_before);
        let remind_at = at_work.map_or(halfway, |at| at.max(halfway));
        Self { respond_before, remind_at }
    }
}

/// The instant before which a document asks for an answer, when it does.
pub fn asked(document: &Document) -> Option<Timestamp> {
    let field = match document.schema() {
        SchemaName::HandoverOffered | SchemaName::HandoverSupplemented => "reageren_voor",
        SchemaName::HandoverSupplementRequested | SchemaName::ConsultationAsked => "antwoord_voor",
        _ => return None,
    };
    document.value()["inhoud"][field].as_str()?.parse().ok()
}

/// A handover asks for an answer sooner than its purpose allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "de ander krijgt te weinig tijd: er wordt een antwoord gevraagd voor {}, terwijl het doel tijd geeft tot {}. Vraag het antwoord voor dat moment of later",
    dutch(*.asked),
    dutch(*.earliest)
)]
pub struct TooLittleTime {
    /// What was asked.
    pub asked: Timestamp,
    /// The earliest that may be asked.
    pub earliest: Timestamp,
}

/// Whether an offer, a question back or a supplement leaves at least the time that its purpose gives, counted from when the
/// message was made, but for [`TOLERANCE`]. A consultation only says until when an answer helps.
pub fn check_time_given(
    document: &Document,
    urgency: Urgency,
    rule: &Rule,
    made: Timestamp,
) -> Result<(), TooLittleTime> {
    if document.schema() == SchemaName::ConsultationAsked {
        return Ok(());
    }
    let Some(asked) = asked(document) else { return Ok(()) };
    let earliest = rule.respond_before(urgency, made).unwrap_or(made);
    if earliest.duration_since(asked) <= TOLERANCE { Ok(()) } else { Err(TooLittleTime { asked, earliest }) }
}

/// A message asks for an answer before it was made, or too far away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("er wordt een antwoord gevraagd voor {}; dat kan niet voor {} en niet na {}", dutch(*.asked), dutch(*.made), dutch(*.latest))]
pub struct OutOfBounds {
    /// What was asked.
    pub asked: Timestamp,
    /// When the message was made.
    pub made: Timestamp,
    /// The latest that may be asked.
    pub latest: Timestamp,
}

/// Whether the moment before which an offer, a question back or a supplement asks for an answer lies after the message was
/// made, but for [`TOLERANCE`], and not more than [`MOST_BEYOND_TERM`] after the term of its purpose. Both ends see to it: what
/// lies within is counted as it stands.
pub fn check_within_bounds(
    document: &Document,
    urgency: Urgency,
    rule: &Rule,
    made: Timestamp,
) -> Result<(), OutOfBounds> {
    if document.schema() == SchemaName::ConsultationAsked {
        return Ok(());
    }
    let Some(asked) = asked(document) else { return Ok(()) };
    let is_after = made.duration_since(asked) <= TOLERANCE;
    let most_beyond = |term: Timestamp| term.saturating_add(MOST_BEYOND_TERM).unwrap_or(Timestamp::MAX);
    // A term does not end before it begins, so most need no calendar.
    if is_after && asked <= most_beyond(made) {
        return Ok(());
    }
    let latest = most_beyond(rule.respond_before(urgency, made).unwrap_or(made));
    if is_after && asked <= latest { Ok(()) } else { Err(OutOfBounds { asked, made, latest }) }
}

impl From<TooLittleTime> for Refusal {
    fn from(fault: TooLittleTime) -> Self {
        Self::about(Reason::TermOutOfBounds, [format!("kan vanaf {}", dutch(fault.earliest))])
    }
}

impl From<OutOfBounds> for Refusal {
    fn from(fault: OutOfBounds) -> Self {
        Self::about(Reason::TermOutOfBounds, [format!("kan tot en met {}", dutch(fault.latest))])
    }
}

fn dutch(instant: Timestamp) -> String {
    instant.to_zoned(calendar::dutch_time()).strftime("%d-%m-%Y %H:%M").to_string()
}

#[cfg(test)]
mod tests;
