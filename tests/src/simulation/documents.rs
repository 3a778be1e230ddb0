//! The documents that travel, and how they are recognised again. Persons are made up.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use exchange::{digest::Digest, refusal::Reason};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use uuid::Uuid;

use super::operation::{Flaw, Side};
use crate::signal::arrears;

/// The purpose that was agreed on.
pub(super) const PURPOSE: &str = "vroegsignalering-huur";
/// Another purpose of the register.
const OTHER_PURPOSE: &str = "vroegsignalering-energie";

/// Feedback carries its serial number as a day, counted from this one.
const FIRST_DAY: Date = date(2020, 1, 1);

/// What is offered to a node, and what the rules should say to it while an agreement is in force.
pub(super) struct Content {
    pub(super) document: Document,
    pub(super) purpose: &'static str,
    /// The reason to hold it back.
    pub(super) refusal: Option<Reason>,
    /// Whether the agreement lets this party send it for this purpose.
    pub(super) agreed: bool,
}

/// A signal from the corporation, or feedback of the municipality about one.
pub(super) fn content(
    by: Side,
    serial: u64,
    about: Option<Uuid>,
    flaw: Option<Flaw>,
) -> anyhow::Result<Content> {
    let with_direction = flaw == Some(Flaw::Direction);
    let (schema, value) = match (by, with_direction) {
        (Side::Corporation, false) | (Side::Municipality, true) => {
            (SchemaName::of_message_type(SIGNAL).context("a schema for signals")?, signal(serial, flaw))
        }
        (Side::Municipality, false) | (Side::Corporation, true) => {
            (SchemaName::Feedback, feedback(serial, about, flaw)?)
        }
    };
    let document = Document::parse(schema, value.to_string().as_bytes())?;
    let agreed = !matches!(flaw, Some(Flaw::Purpose | Flaw::Direction));
    let purpose = if flaw == Some(Flaw::Purpose) { OTHER_PURPOSE } else { PURPOSE };
    Ok(Content { document, purpose, refusal: flaw.and_then(|flaw| refusal(by, flaw)), agreed })
}

const SIGNAL: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";

fn refusal(by: Side, flaw: Flaw) -> Option<Reason> {
    match (by, flaw) {
        // Feedback has no conditions.
        (Side::Municipality, Flaw::Condition) => None,
        (Side::Corporation, Flaw::Condition) => Some(Reason::ConditionNotMet),
        (_, Flaw::TooMuch) => Some(Reason::DataNotAllowed),
        (_, Flaw::Basis) => Some(Reason::BasisMissing),
        (_, Flaw::Purpose | Flaw::Direction) => Some(Reason::PurposeNotAllowed),
    }
}

fn signal(serial: u64, flaw: Option<Flaw>) -> Value {
    let mut value = arrears();
    value["grondslag"]["voorwaarden"]["aanbod-doorgeven-zonder-bezwaar"] =
        (flaw != Some(Flaw::Condition)).into();
    value["inhoud"]["bedrag_in_centen"] = (serial + 1).into();
    match flaw {
        Some(Flaw::TooMuch) => value["betrokkene"]["bsn"] = "999990342".into(),
        Some(Flaw::Basis) => value["grondslag"]["soort"] = "publieke-taak".into(),
        _ => {}
    }
    value
}

fn feedback(serial: u64, about: Option<Uuid>, flaw: Option<Flaw>) -> anyhow::Result<Value> {
    let mut value = json!({
        "grondslag": {
            "soort": "publieke-taak",
            "artikelen": ["Wgs art. 3 lid 1 onder b", "AVG art. 6 lid 1 onder e"],
        },
        "inhoud": { "bericht_id": about, "opgepakt_op": FIRST_DAY.checked_add(i64::try_from(serial)?.days())? },
    });
    // Every second one says that there was a first conversation, the others that somebody took the signal up.
    if serial.is_multiple_of(2) {
        value["inhoud"]["eerste_gesprek_op"] = "2026-11-23".into();
    }
    match flaw {
        Some(Flaw::TooMuch) => {
            let call =
                json!({ "soort": "Telefoon", "datum": "2026-11-20", "dagdeel": "Middag", "bereikt": false });
            value["inhoud"]["contactpogingen"] = json!([call]);
        }
        Some(Flaw::Basis) => value["grondslag"]["soort"] = "gerechtvaardigd-belang".into(),
        _ => {}
    }
    Ok(value)
}

/// What a signed message says of itself.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) case: Uuid,
    /// The agreement it is sent under.
    pub(super) agreement: Digest,
    /// After this it is not delivered any more.
    pub(super) expires: Timestamp,
    /// The number of the record it was made from.
    pub(super) serial: u64,
    pub(super) data: Value,
}

/// What a compact JWS says, not verified.
pub(crate) fn event(compact: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(compact.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Reads a compact JWS without verifying it; nothing if it is none of ours.
pub(super) fn read(compact: &str) -> Option<Line> {
    let event = event(compact)?;
    let content = &event["data"]["inhoud"];
    let serial = if let Some(amount) = content["bedrag_in_centen"].as_u64() {
        amount.checked_sub(1)?
    } else {
        let day: Date = content["opgepakt_op"].as_str()?.parse().ok()?;
        u64::try_from(day.since(FIRST_DAY).ok()?.get_days()).ok()?
    };
    Some(Line {
        id: event["id"].as_str()?.parse().ok()?,
        case: event["dossier"].as_str()?.strip_prefix("urn:uuid:")?.parse().ok()?,
        serial,
        agreement: event["convenant"].as_str()?.parse().ok()?,
        expires: event["verlooptop"].as_str()?.parse().ok()?,
        data: event["data"].clone(),
    })
}
