//! The message on the wire: a CloudEvent 1.0 in the NL GOV profile, around its data.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{digest::Digest, oin::Oin};

/// The largest message, in bytes of JSON.
pub const MAX_BYTES: usize = 64 * 1024;

/// The CloudEvent with its attributes, typed; the data stays the bytes it came as. The published schema is
/// `schemas/v1/bericht.schema.json`, and a test holds the two together.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<'a> {
    /// Always `1.0`.
    #[serde(borrow)]
    pub specversion: Cow<'a, str>,
    /// UUIDv7, unique for the source.
    pub id: Uuid,
    /// `urn:nld:oin:<oin>:systeem:<name>`.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// `nl.sociaaldomein.<plural>.<what>.v1`.
    #[serde(rename = "type", borrow)]
    pub message_type: Cow<'a, str>,
    /// When the sender made it, UTC.
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
    pub verlooptop: Timestamp,
    /// The agreement it is sent under.
    pub convenant: Digest,
    /// The purpose.
    #[serde(borrow)]
    pub doel: Cow<'a, str>,
    /// The case, known to both sides by this random identifier only.
    pub dossier: Case,
    /// The desk it is for.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub loket: Option<Cow<'a, str>>,
    /// W3C trace context.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
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
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let uuid = text.strip_prefix("urn:uuid:").and_then(|uuid| Uuid::try_parse(uuid).ok());
        // One case has one spelling, or two systems would see two cases.
        let canonical = uuid.filter(|uuid| *text == uuid.urn().to_string());
        canonical.map(Self).ok_or_else(|| D::Error::custom("expected urn:uuid: and a lower-case UUID"))
    }
}

impl Envelope<'_> {
    /// The organisation that `source` names.
    pub fn sender(&self) -> Option<Oin> {
        let (oin, system) = self.source.strip_prefix("urn:nld:oin:")?.split_once(":systeem:")?;
        let named = (1..=64).contains(&system.len())
            && system.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if named { oin.parse().ok() } else { None }
    }

    /// What `bericht.schema.json` asks of the attributes beyond their types.
    pub fn is_well_formed(&self) -> bool {
        let optional =
            |text: &Option<Cow<'_, str>>, longest| text.as_ref().is_none_or(|one| name(one, longest));
        self.specversion == "1.0"
            && self.datacontenttype == "application/json"
            && self.sender().is_some()
            && name(&self.doel, 64)
            && optional(&self.loket, 64)
            && self.traceparent.as_deref().is_none_or(is_traceparent)
    }
}

/// A name of ours: lower-case letters, digits and hyphens.
fn name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// W3C Trace Context, version 00.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [2, 32, 16, 2]
        && parts[0] == "00"
        && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}
