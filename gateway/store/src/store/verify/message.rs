//! Holding the row of a message against its leaf: nothing needs to be opened for that.

use exchange::{
    digest::Digest,
    entry::{About, Logged, Outcome},
};
use jiff::Timestamp;

use crate::{
    model::{Direction, State},
    sqlite::{
        column::time_to_sql,
        verify::{LoggedEntry, LoggedMessage, MessageAsStored},
    },
    store::CONFLICT_REASON,
};

/// What is wrong with the message that is stored with an entry, if anything.
pub(super) fn of_message(about: &About<'_>, entry: &LoggedEntry) -> Option<&'static str> {
    let (way, logged) = match about {
        About::Sent(logged) => (Direction::Outbound, logged),
        About::Received { message, .. } => (Direction::Inbound, message),
        About::Entry(_) | About::Nothing => {
            let stray = "bij deze regel staat een bericht dat er niet hoort";
            return (entry.message != LoggedMessage::None || entry.kept).then_some(stray);
        }
    };
    let message = match &entry.message {
        LoggedMessage::None => return Some("het bericht bij deze regel ontbreekt"),
        LoggedMessage::Is(message) if (message.direction, message.digest) == (way, logged.message) => message,
        _ => return Some("het bericht bij deze regel is een ander dan in het logboek staat"),
    };
    if message.partner != logged.partner {
        return Some("het bericht bij deze regel staat bij een andere organisatie dan in het logboek");
    }
    of_state(about, message).or_else(|| of_content(message, entry.kept)).or_else(|| of_row(logged, message))
}

fn of_state(about: &About<'_>, message: &MessageAsStored) -> Option<&'static str> {
    let is_final = matches!(message.state, State::Admitted | State::Refused);
    match about {
        About::Received { outcome, reason, .. } => {
            let expected = match outcome {
                Outcome::Toegelaten => State::Admitted,
                Outcome::Geweigerd => State::Refused,
            };
            let same = message.state == expected && message.reason.as_deref() == *reason;
            (!same || message.receipt.is_some())
                .then_some("het bericht bij deze regel heeft een andere stand dan in het logboek staat")
        }
        _ if is_final && message.receipt.is_none() => {
            Some("het ontvangstbewijs van het bericht bij deze regel ontbreekt")
        }
        _ if !is_final && message.receipt.is_some() => Some(OTHER_STATE),
        _ => None,
    }
}

/// Said of a message that was sent.
pub(super) const OTHER_STATE: &str =
    "het bericht bij deze regel heeft een andere stand dan zijn ontvangstbewijs zegt";

fn is_refused(message: &MessageAsStored) -> bool {
    (message.direction, message.state) == (Direction::Inbound, State::Refused)
}

fn of_content(message: &MessageAsStored, kept: bool) -> Option<&'static str> {
    match (kept, message.erased) {
        (true, _) if is_refused(message) => {
            Some("het bericht bij deze regel is geweigerd, maar er staat inhoud bij")
        }
        (false, None) if !is_refused(message) => {
            Some("de inhoud van het bericht bij deze regel ontbreekt, en is niet gewist")
        }
        (true, Some(_)) => Some("het bericht bij deze regel heet gewist, maar zijn inhoud staat er nog"),
        _ => None,
    }
}

/// What the row says that the leaf says, too.
fn of_row(logged: &Logged<'_>, message: &MessageAsStored) -> Option<&'static str> {
    let id = message.id.map(|id| id.to_string());
    // Another message has that identifier already.
    let is_second = is_refused(message) && message.reason.as_deref() == Some(CONFLICT_REASON);
    if id.as_deref() != logged.id && !(is_second && id.is_none()) {
        return Some("het bericht bij deze regel heeft een ander kenmerk dan in het logboek staat");
    }
    if message.at.is_none() || message.at != logged.at.parse::<Timestamp>().ok().map(time_to_sql) {
        return Some("het bericht bij deze regel heeft een andere tijd dan in het logboek staat");
    }
    if message.consent.is_some() != logged.consent.is_some() {
        return Some(
            "het bericht bij deze regel rust volgens het logboek op een toestemming en volgens wat is opgeslagen niet, of omgekeerd",
        );
    }
    let of_what_was_kept = message.agreement.is_some() || message.keep_until.is_some() || message.described;
    if is_refused(message) && (of_what_was_kept || message.findable || message.released) {
        return Some("bij het geweigerde bericht van deze regel staat iets opgeslagen dat er niet hoort");
    }
    if message.erased.is_some() && message.findable {
        return Some(
            "het bericht bij deze regel is gewist, maar is nog te vinden bij de persoon waar het over ging",
        );
    }
    None
}

/// The digest of the rules that a leaf says it was allowed by.
pub(super) fn rules(about: &About<'_>) -> Option<Digest> {
    match about {
        About::Sent(logged) | About::Received { message: logged, .. } => logged.rules?.parse().ok(),
        About::Entry(_) | About::Nothing => None,
    }
}
