//! JSON Web Signatures in compact form (RFC 7515). What is signed is what is sent and what is kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;

use crate::signature::{PublicKey, SignatureError, Signer, Suite};

/// `typ` of a message.
pub const MESSAGE: &str = "schakel-bericht+jws";
/// `typ` of an answer to an agreement.
pub const AGREEMENT_ANSWER: &str = "schakel-convenant+jws";
/// `typ` of a node descriptor.
pub const DESCRIPTOR: &str = "schakel-knooppunt+jws";

/// The largest compact JWS this node reads, in bytes: a 64 KiB payload in base64 with room for its header.
pub const MAX_BYTES: usize = 96 * 1024;
const MAX_HEADER_BYTES: usize = 1024;

/// Why a text is not a JWS this node can trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three base64url parts with a JSON header, or too long.
    #[error("not a compact JWS")]
    Malformed,
    /// `alg` is not accepted here (`none` never is).
    #[error("the signature algorithm is not accepted")]
    Algorithm,
    /// `typ` says that this is something else.
    #[error("the JWS is of another type")]
    Type,
    /// `crit` names an extension this node does not know.
    #[error("the JWS has a critical header parameter that is not understood")]
    Critical,
    /// The signature is not by this key over these bytes.
    #[error("the signature does not verify")]
    Signature,
}

impl From<SignatureError> for JwsError {
    fn from(_: SignatureError) -> Self {
        Self::Signature
    }
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    typ: Option<std::borrow::Cow<'a, str>>,
    kid: std::borrow::Cow<'a, str>,
    crit: Option<serde_json::Value>,
}

/// Signs `payload` and returns the compact serialisation.
pub fn sign(typ: &str, payload: &[u8], signer: &dyn Signer) -> String {
    let key = signer.public_key();
    let header = format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{}"}}"#, key.suite().alg(), key.kid());
    let mut compact = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 96);
    BASE64URL.encode_string(header, &mut compact);
    compact.push('.');
    BASE64URL.encode_string(payload, &mut compact);
    let signature = signer.sign(compact.as_bytes());
    compact.push('.');
    BASE64URL.encode_string(signature, &mut compact);
    compact
}

/// A JWS that was read but not verified: it says who claims to have signed, and nothing more may be believed.
#[derive(Debug)]
pub struct Unverified<'a> {
    signing_input: &'a str,
    kid: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads a compact JWS of type `typ`.
    pub fn parse(typ: &str, compact: &'a str) -> Result<Self, JwsError> {
        if compact.len() > MAX_BYTES {
            return Err(JwsError::Malformed);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        if header.len() > MAX_HEADER_BYTES {
            return Err(JwsError::Malformed);
        }
        let header = decode(header)?;
        let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| JwsError::Malformed)?;
        Suite::of_alg(&header.alg).ok_or(JwsError::Algorithm)?;
        if header.crit.is_some() {
            return Err(JwsError::Critical);
        }
        if header.typ.as_deref() != Some(typ) {
            return Err(JwsError::Type);
        }
        let kid = header.kid.into_owned();
        Ok(Self { signing_input, kid, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The key this JWS claims to be signed with.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The payload, before anybody vouched for it: only good for finding out which key to verify with.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, once `key` is shown to have signed it.
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], JwsError> {
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(&self.payload)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    BASE64URL.decode(part).map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests;
