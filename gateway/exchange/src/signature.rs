//! Keys and signatures.
//!
//! Ed25519 today. Other suites (ES256, PS256 with the organisation's certificate) join as a variant of [`Suite`] and
//! [`PublicKey`] and an implementation of [`Signer`]; nothing else names an algorithm.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// A way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Ed25519 (RFC 8032), in JOSE `EdDSA` (RFC 8037) or its later name `Ed25519` (RFC 9864).
    EdDsa,
}

impl Suite {
    /// The `alg` this node writes.
    pub const fn alg(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
        }
    }

    /// The suite an `alg` stands for, if this node accepts it.
    pub fn of_alg(alg: &str) -> Option<Self> {
        matches!(alg, "EdDSA" | "Ed25519").then_some(Self::EdDsa)
    }
}

/// Signs with a key that it keeps to itself: a file today, a hardware module later.
pub trait Signer: Send + Sync {
    /// The key that verifies what this signer signs.
    fn public_key(&self) -> &PublicKey;

    /// The signature over `bytes`.
    fn sign(&self, bytes: &[u8]) -> Vec<u8>;
}

/// An Ed25519 key in memory.
pub struct Ed25519Signer {
    key: SigningKey,
    public: PublicKey,
}

impl Ed25519Signer {
    /// The signer for a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey::new(key.verifying_key());
        Self { key, public }
    }
}

impl Signer for Ed25519Signer {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        ed25519_dalek::Signer::sign(&self.key, bytes).to_vec()
    }
}

/// A key that verifies signatures, with its identifier. Reads and writes as a JWK (RFC 7517, RFC 8037 §2).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    kid: String,
}

/// A signature or key that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature does not belong to these bytes and this key.
    #[error("the signature does not verify")]
    Invalid,
    /// The key is malformed, not in its canonical form, of small order, or its `kid` is not its thumbprint.
    #[error("the key is not a usable Ed25519 key with its RFC 7638 thumbprint as kid")]
    BadKey,
}

impl PublicKey {
    fn new(key: VerifyingKey) -> Self {
        let kid = thumbprint(&key);
        Self { key, kid }
    }

    /// A key from its 32 bytes. Keys of small order are refused: they verify almost anything. So is another spelling
    /// of a key (RFC 8032 §5.1.3): one key has one identifier.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::BadKey)?;
        let is_canonical = key.to_edwards().compress().as_bytes() == bytes;
        if is_canonical && !key.is_weak() { Ok(Self::new(key)) } else { Err(SignatureError::BadKey) }
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// What this key verifies.
    pub const fn suite(&self) -> Suite {
        Suite::EdDsa
    }

    /// The key's identifier: its RFC 7638 thumbprint (SHA-256, base64url).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks `signature` over `bytes`, strictly (RFC 8032 §5.1.7, no small-order points, canonical scalars), one at
    /// a time: batch verification accepts signatures that single verification refuses, and two nodes must never
    /// disagree about one message.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError::Invalid)?;
        // What `verify_strict` does, a sixth quicker: it decompresses `R` only to look at its order. Here `R` is
        // compared byte for byte with a point in its canonical form, so that it has small order if and only if it is
        // one of eight texts; the key's own order was looked at when it was made.
        if SMALL_ORDER.contains(signature.r_bytes()) {
            return Err(SignatureError::Invalid);
        }
        ed25519_dalek::Verifier::verify(&self.key, bytes, &signature).map_err(|_| SignatureError::Invalid)
    }
}

/// The eight points whose order divides eight, in canonical form: one of order 1, one of 2, two of 4 and four of 8.
#[rustfmt::skip]
const SMALL_ORDER: [[u8; 32]; 8] = [
    [0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
    [0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
    [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80],
    [0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05],
    [0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x85],
    [0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a],
    [0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0xfa],
];

fn thumbprint(key: &VerifyingKey) -> String {
    let x = BASE64URL.encode(key.as_bytes());
    BASE64URL.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.kid)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    crv: String,
    kid: String,
    kty: String,
    x: String,
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let x = BASE64URL.encode(self.key.as_bytes());
        Jwk { crv: "Ed25519".into(), kid: self.kid.clone(), kty: "OKP".into(), x }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let jwk = Jwk::deserialize(deserializer)?;
        let bytes = BASE64URL.decode(&jwk.x).ok().and_then(|x| <[u8; 32]>::try_from(x).ok());
        let key = bytes.and_then(|bytes| Self::from_bytes(&bytes).ok());
        key.filter(|key| jwk.crv == "Ed25519" && jwk.kty == "OKP" && jwk.kid == key.kid)
            .ok_or_else(|| D::Error::custom(SignatureError::BadKey))
    }
}

#[cfg(test)]
mod tests;
