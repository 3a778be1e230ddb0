//! What a message that was stored says of itself, for whoever holds it against what was kept beside it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::receiving::read_envelope;
use crate::{consent::Processed, digest::Digest, jws, oin::Oin, person::LookupKeys};

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
    /// The desk it is for.
    pub desk: Option<String>,
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
            desk: read.loket.map(Cow::into_owned),
            created: read.time,
            expires: read.verlooptop,
            extract: data.grondslag.toestemming.and_then(|one| one.uittreksel).map(Cow::into_owned),
            subject: data.betrokkene.as_ref().map(LookupKeys::read).unwrap_or_default(),
            message_type: read.message_type.into_owned(),
        })
    }
}
