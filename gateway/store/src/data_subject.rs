//! Whom a record of a processing is about (`dpl.core.data_subject_id`), hidden from who has no storage key.
//!
//! Sealed with AES-256-GCM-SIV (RFC 8452) under a key of its own and always with the same nonce: the same person gives
//! the same text, so that the organisation can find one in its Logboek, and another person another. That is all it
//! tells: it is padded, so not even how long a name is.

use std::fmt::{self, Write as _};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use exchange::person::Identity;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::error::StoreError;

/// What is sealed is filled up to a multiple of this many bytes: almost every name and address takes one.
const PADDED_TO: usize = 128;
/// Where what is sealed ends and filling begins (ISO/IEC 7816-4).
const END: u8 = 0x80;
/// The longest that is read back, in bytes of hexadecimal.
const MAX_TEXT: usize = 8 * 1024;

/// By what a person is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SubjectKind {
    /// Citizen service number.
    #[serde(rename = "bsn")]
    Bsn,
    /// Name, date of birth and address.
    #[serde(rename = "persoon")]
    Person,
}

impl SubjectKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 2] = [Self::Bsn, Self::Person];

    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bsn => "bsn",
            Self::Person => "persoon",
        }
    }
}

/// A person, sealed: lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DataSubject {
    /// By what the person is named.
    #[serde(rename = "soort")]
    pub kind: SubjectKind,
    /// The sealed name.
    pub id: String,
}

impl fmt::Display for DataSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// By number first: that is how an organisation that may know it looks for a person.
pub(crate) fn name(key: &LessSafeKey, person: &Identity) -> Result<Vec<DataSubject>, StoreError> {
    let keys = [(SubjectKind::Bsn, person.bsn_key()), (SubjectKind::Person, person.person_key())];
    let known = keys.into_iter().filter_map(|(kind, of)| Some((kind, of?)));
    known.map(|(kind, of)| Ok(DataSubject { kind, id: seal(key, kind, of)? })).collect()
}

/// The same nonce each time is what GCM-SIV is for: it shows which texts are equal, and nothing else.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn seal(key: &LessSafeKey, kind: SubjectKind, mut plain: Vec<u8>) -> Result<String, StoreError> {
    plain.push(END);
    plain.resize(plain.len().next_multiple_of(PADDED_TO), 0);
    let sealed = key.seal_in_place_separate_tag(nonce(), Aad::from(kind.as_str()), &mut plain);
    let tag = sealed.map_err(|_| {
        plain.zeroize();
        StoreError::TooLarge { what: "bytes of a person", found: plain.len(), limit: MAX_TEXT }
    })?;
    let mut text = String::with_capacity(2 * (plain.len() + tag.as_ref().len()));
    for byte in plain.iter().chain(tag.as_ref()) {
        // A String takes whatever is written.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

pub(crate) fn open(key: &LessSafeKey, subject: &DataSubject) -> Result<Vec<u8>, StoreError> {
    let other = || StoreError::NotFound("person that was sealed by this organisation");
    let mut sealed = unhex(&subject.id).ok_or_else(other)?;
    let length = {
        let aad = Aad::from(subject.kind.as_str());
        let plain = key.open_in_place(nonce(), aad, &mut sealed).map_err(|_| other())?;
        plain.iter().rposition(|byte| *byte != 0).filter(|end| plain[*end] == END).ok_or_else(other)?
    };
    sealed.truncate(length);
    Ok(sealed)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
