//! What a message says that is stored already: it was verified when it came, or made here.

use schemas::{Document, SchemaName};

use super::receiving::{document, read_envelope};
use crate::{
    digest::Digest,
    handover::{Step, is_handover},
    jws,
    oin::Oin,
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
