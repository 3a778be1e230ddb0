//! The message on the wire: a CloudEvent 1.0 in the NL GOV profile, around its data.

use std::borrow::Cow;

use jiff::Timestamp;
use schemas::SchemaName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::{Uuid, Variant, Version};

use crate::{
    digest::Digest,
    oin::Oin,
    text::{self, Text},
};

/// The largest message, in bytes of JSON.
pub const MAX_BYTES: usize = 64 * 1024;

/// The longest name of a purpose, a desk or a system, in bytes.
const MAX_NAME: usize = 64;

/// The longest `traceparent`, in characters: version 00 has 55, later ones may have more.
const MAX_TRACEPARENT: usize = 256;

/// The CloudEvent with its attributes, typed; the data stays the bytes it came as. The published schema is
/// `schemas/v1/bericht.schema.json`, and a test holds the two together: nothing is read here that the schema refuses.
/// Beyond the schema an attribute that comes twice is refused, and a time that is no instant a clock can show.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<'a> {
    /// Always `1.0`.
    #[serde(borrow)]
    pub specversion: Cow<'a, str>,
    /// UUIDv7, unique for the sender.
    #[serde(deserialize_with = "identifier")]
    pub id: Uuid,
    /// `urn:nld:oin:<oin>:systeem:<name>`.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// `nl.sociaaldomein.<plural>.<what>.v1`.
    #[serde(rename = "type", borrow)]
    pub message_type: Cow<'a, str>,
    /// When the sender made it, UTC.
    #[serde(deserialize_with = "instant")]
    pub time: Timestamp,
    /// Always `application/json`.
    #[serde(borrow)]
    pub datacontenttype: Cow<'a, str>,
    /// `urn:schakel:schema:<name>:1`.
    #[serde(borrow)]
    pub dataschema: Cow<'a, str>,
    /// The organisation it is for.
    pub ontvanger: Oin,
    /// After this instant it is not delivered any more.
    #[serde(deserialize_with = "instant")]
    pub verlooptop: Timestamp,
    /// The agreement it is sent under.
    pub convenant: Digest,
    /// The purpose.
    #[serde(borrow)]
    pub doel: Cow<'a, str>,
    /// The case, known to both sides by this random identifier only.
    pub dossier: Case,
    /// The desk it is for.
    #[serde(borrow, default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub loket: Option<Cow<'a, str>>,
    /// W3C trace context, read by [`TraceContext::parse`](crate::trace::TraceContext::parse): what is malformed says
    /// nothing, and is no reason to refuse the message.
    #[serde(borrow, default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Cow<'a, str>>,
    /// `{grondslag, betrokkene, inhoud}`.
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// A case identifier, written `urn:uuid:<uuid>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case(pub Uuid);

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.urn())
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "`urn:uuid:` and a lower-case UUID", |text| {
            text.strip_prefix("urn:uuid:").and_then(uuid).map(Self)
        })
    }
}

fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    text::read(deserializer, "a lower-case UUID", uuid)
}

/// An identifier has one spelling, or two systems would see two.
fn uuid(text: &str) -> Option<Uuid> {
    let lower_case = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if lower_case { Uuid::try_parse(text).ok() } else { None }
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    text::read(deserializer, "an instant as 2026-11-21T09:30:00Z", |text| {
        if is_rfc_3339(text) { text.parse().ok() } else { None }
    })
}

/// An optional attribute that is there has a value: `null` is none.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Text::deserialize(deserializer).map(|text| Some(text.0))
}

impl Envelope<'_> {
    /// The organisation that `source` names.
    pub fn sender(&self) -> Option<Oin> {
        let (oin, system) = self.source.strip_prefix("urn:nld:oin:")?.split_once(":systeem:")?;
        if is_name(system) { oin.parse().ok() } else { None }
    }

    /// What `bericht.schema.json` asks of the attributes beyond their types.
    pub fn is_well_formed(&self) -> bool {
        self.specversion == "1.0"
            && self.datacontenttype == "application/json"
            && (self.id.get_version(), self.id.get_variant()) == (Some(Version::SortRand), Variant::RFC4122)
            && self.dossier.0.get_variant() == Variant::RFC4122
            && self.sender().is_some()
            && SchemaName::of_message_type(&self.message_type).is_some()
            && is_schema(&self.dataschema)
            && is_name(&self.doel)
            && self.loket.as_deref().is_none_or(is_name)
            && self.traceparent.as_deref().is_none_or(is_readable)
            && self.data.get().starts_with('{')
    }
}

/// A name of ours: lower-case letters, digits and hyphens.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `urn:schakel:schema:<name>:<version>`. Whether it is the schema of the type is for who reads the data.
fn is_schema(text: &str) -> bool {
    let Some((name, version)) =
        text.strip_prefix("urn:schakel:schema:").and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    text.len() <= 100
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && name.bytes().next().is_some_and(|byte| byte != b'-')
        && (1..=2).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_digit())
        && !version.starts_with('0')
}

/// Printable ASCII. Whether it is a `traceparent` is for who reads it.
fn is_readable(text: &str) -> bool {
    (1..=MAX_TRACEPARENT).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The form of RFC 3339, in which a time says at least its seconds and its distance from UTC. Which day and hour exist
/// is checked by who reads it, but for leap seconds: an instant of ours has none.
fn is_rfc_3339(text: &str) -> bool {
    const PATTERN: &[u8] = b"0000-00-00T00:00:00";
    let Some((moment, rest)) = text.as_bytes().split_at_checked(PATTERN.len()) else { return false };
    let fits = moment.iter().zip(PATTERN).all(|(byte, pattern)| match pattern {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        _ => byte == pattern,
    });
    let fraction = rest.strip_prefix(b".");
    let digits = fraction.map_or(0, |digits| digits.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let zone = match fraction {
        Some(_) if digits == 0 => return false,
        Some(fraction) => &fraction[digits..],
        None => rest,
    };
    fits && moment[17] != b'6' && text.len() <= 35 && is_zone(zone)
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        b"Z" | b"z" => true,
        [b'+' | b'-', h, hh, b':', m, mm] => {
            [h, hh, m, mm].iter().all(|byte| byte.is_ascii_digit()) && (*h, *hh) <= (b'2', b'3') && *m <= b'5'
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
