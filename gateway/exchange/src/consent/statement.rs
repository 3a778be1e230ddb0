//! The withdrawal of a consent, as its holder states it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConsentKey, extract::MAX_BYTES};
use crate::{agreement::Agreement, canonical, jws, oin::Oin, signature::Signer};

/// A withdrawal that the holder signed. It holds for everybody who got something under the consent, whoever brings it.
/// Only [`Statement::read`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    text: Text,
    compact: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    houder: Oin,
    ingetrokken_op: Timestamp,
    toestemming: Uuid,
}

/// The text is not a withdrawal that the holder signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a withdrawal of a consent, signed by its holder with a key of the agreement")]
pub struct NotAStatement;

impl Statement {
    /// Signs the withdrawal of a consent of this organisation.
    pub fn sign(id: Uuid, holder: Oin, at: Timestamp, signer: &dyn Signer) -> Result<String, NotAStatement> {
        let text = Text { houder: holder, ingetrokken_op: at, toestemming: id };
        let payload = canonical::text(&text).map_err(|_| NotAStatement)?;
        Ok(jws::sign(jws::WITHDRAWAL, payload.as_bytes(), signer))
    }

    /// Reads a withdrawal and checks that the holder signed it, with a key that the agreement gives to it.
    pub fn read(compact: &str, agreement: &Agreement) -> Result<Self, NotAStatement> {
        if compact.len() > MAX_BYTES {
            return Err(NotAStatement);
        }
        let jws = jws::Unverified::parse(jws::WITHDRAWAL, compact).map_err(|_| NotAStatement)?;
        let text: Text = serde_json::from_slice(jws.unverified_payload()).map_err(|_| NotAStatement)?;
        let key = agreement.key(text.houder, jws.kid()).ok_or(NotAStatement)?;
        jws.verify(key).map_err(|_| NotAStatement)?;
        Ok(Self { text, compact: compact.to_owned() })
    }

    /// Which consent is withdrawn.
    pub const fn key(&self) -> ConsentKey {
        ConsentKey { holder: self.text.houder, id: self.text.toestemming }
    }

    /// When the resident withdrew it.
    pub const fn at(&self) -> Timestamp {
        self.text.ingetrokken_op
    }

    /// The statement as it was signed.
    pub fn compact(&self) -> &str {
        &self.compact
    }
}
