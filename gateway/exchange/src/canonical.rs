//! The one text of a value on which both sides compute the same digest (JCS, RFC 8785).

use serde::Serialize;

use crate::digest::Digest;

/// The value has no canonical form: a number outside IEEE 754 double precision or a map key that is not text.
#[derive(Debug, thiserror::Error)]
#[error("the value has no canonical JSON form: {0}")]
pub struct NotCanonical(#[from] serde_json::Error);

/// The canonical JSON of `value`.
pub fn text(value: &impl Serialize) -> Result<String, NotCanonical> {
    Ok(serde_json_canonicalizer::to_string(value)?)
}

/// The digest over the canonical JSON of `value`.
pub fn digest(value: &impl Serialize) -> Result<Digest, NotCanonical> {
    Ok(Digest::of(text(value)?.as_bytes()))
}
