//! What a message that was stored says of itself. It was verified when it came, or made here: nothing is verified again.

use std::borrow::Cow;

use jiff::Timestamp;
use schemas::{Document, SchemaName};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::receiving::{document, read_envelope};
use crate::{
    consent::Processed,
    digest::Digest,
    handover::{Step, is_handover},
    jws,
    oin::Oin,
    person::LookupKeys,
};

/// The agreement that a stored message names, for asking again whether it is still in force. `None` when the text is no
/// message; nothing else in it is believed.
pub fn agreement_of(compact: &str) -> Option<Digest> {
    let jws = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
    Some(read_envelope(jws.unverified_payload()).ok()?.convenant)
}

/// The data of a stored message. `None` when the text is no message, or its data is not valid.
pub fn document_of(compact: &str) -> Option<Document> {
    let jws = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
    document(&read_envelope(jws.unverified_payload()).ok()?).ok()
}

/// The schema of a stored message, if it is one.
pub fn message_type_of(compact: &str) -> Option<SchemaName> {
    let jws = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
    SchemaName::of_message_type(&read_envelope(jws.unverified_payload()).ok()?.message_type)
}

/// What a stored message does in a handover, between its sender and its receiver. `None` when it is no part of one, and when the
/// text is no message.
pub fn step_of(compact: &str, parties: (Oin, Oin)) -> Option<Step> {
    let jws = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
    let read = read_envelope(jws.unverified_payload()).ok()?;
    SchemaName::of_message_type(&read.message_type).filter(|schema| is_handover(*schema))?;
    Step::of(&document(&read).ok()?, read.id, parties)
}

/// What stands in a signed message. Nobody verifies it here: that was done before it was stored.
pub struct StoredMessage {
    /// Its identifier.
    pub id: Uuid,
    /// Who sent it.
    pub from: Option<Oin>,
    /// For whom it is.
    pub to: Oin,
    /// Its case.
    pub case: Uuid,
    /// Its type.
    pub message_type: String,
    /// The purpose.
    pub purpose: String,
    /// The agreement.
    pub agreement: Digest,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it may be delivered.
    pub expires: Timestamp,
    /// The extract of the consent it rests on.
    pub extract: Option<String>,
    /// By what its resident is looked up.
    pub subject: LookupKeys,
    /// What it says was done about a consent.
    pub processed: Option<Processed>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    grondslag: Basis<'a>,
    #[serde(default)]
    betrokkene: Option<Value>,
}

#[derive(Deserialize)]
struct Basis<'a> {
    #[serde(borrow, default)]
    toestemming: Option<Stated<'a>>,
}

#[derive(Deserialize)]
struct Stated<'a> {
    #[serde(borrow, default)]
    uittreksel: Option<Cow<'a, str>>,
}

impl StoredMessage {
    /// Reads a message; `None` when the text is none.
    pub fn read(compact: &str) -> Option<Self> {
        let jws = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
        let read = read_envelope(jws.unverified_payload()).ok()?;
        let data: Data<'_> = serde_json::from_str(read.data.get()).ok()?;
        Some(Self {
            id: read.id,
            from: read.sender(),
            to: read.ontvanger,
            case: read.dossier.0,
            processed: Processed::stated(&read.message_type, read.data.get()),
            purpose: read.doel.into_owned(),
            agreement: read.convenant,
            created: read.time,
            expires: read.verlooptop,
            extract: data.grondslag.toestemming.and_then(|one| one.uittreksel).map(Cow::into_owned),
            subject: data.betrokkene.as_ref().map(LookupKeys::read).unwrap_or_default(),
            message_type: read.message_type.into_owned(),
        })
    }
}
