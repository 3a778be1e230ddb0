//! JSON Web Signatures in compact form (RFC 7515). What is signed is what is sent and what is kept.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::{
    signature::{PublicKey, SignatureError, Signer, Suite},
    text::Text,
};

/// `typ` of a message.
pub const MESSAGE: &str = "schakel-bericht+jws";
/// `typ` of an answer to an agreement.
pub const AGREEMENT_ANSWER: &str = "schakel-convenant+jws";
/// `typ` of the extract of a consent.
pub const CONSENT: &str = "schakel-toestemming+jws";
/// `typ` of the withdrawal of a consent by its holder.
pub const WITHDRAWAL: &str = "schakel-intrekking+jws";
/// `typ` of a node descriptor.
pub const DESCRIPTOR: &str = "schakel-knooppunt+jws";

/// The largest compact JWS this node reads, in bytes: a 64 KiB payload in base64 with room for its header.
pub const MAX_BYTES: usize = 96 * 1024;
/// The longest header, in base64url. Ours take 170 bytes.
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

/// The header parameters that mean something here. Others are not understood, and so ignored (RFC 7515 §4), but
/// no parameter may come twice: two readers could each believe another one.
struct Header<'a> {
    alg: Cow<'a, str>,
    typ: Option<Cow<'a, str>>,
    kid: Cow<'a, str>,
    has_critical: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Header<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Header<'de>, A::Error> {
        let (mut alg, mut typ, mut kid) = (None, None, None);
        let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(4);
        while let Some(Text(name)) = members.next_key()? {
            if seen.contains(&name) {
                return Err(A::Error::custom("a header parameter comes twice"));
            }
            match &*name {
                "alg" => alg = Some(members.next_value::<Text<'_>>()?.0),
                "typ" => typ = Some(members.next_value::<Text<'_>>()?.0),
                "kid" => kid = Some(members.next_value::<Text<'_>>()?.0),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
            seen.push(name);
        }
        Ok(Header {
            alg: alg.ok_or_else(|| A::Error::missing_field("alg"))?,
            typ,
            kid: kid.ok_or_else(|| A::Error::missing_field("kid"))?,
            // Whatever its value: none of the extensions it could name is known here.
            has_critical: seen.iter().any(|name| name == "crit"),
        })
    }
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
    suite: Suite,
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
        let suite = Suite::of_alg(&header.alg).ok_or(JwsError::Algorithm)?;
        if header.has_critical {
            return Err(JwsError::Critical);
        }
        if header.typ.as_deref() != Some(typ) {
            return Err(JwsError::Type);
        }
        let kid = header.kid.into_owned();
        Ok(Self { signing_input, suite, kid, payload: decode(payload)?, signature: decode(signature)? })
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
        // The key decides how a signature is checked, never the header (RFC 8725 §3.1).
        if key.suite() != self.suite {
            return Err(JwsError::Algorithm);
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(&self.payload)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    BASE64URL.decode(part).map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests;
