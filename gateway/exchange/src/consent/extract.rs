//! The extract of a consent: what its holder signs so that others can see that the resident agreed, and to what.
//!
//! It says nothing of the resident but commitments: salted digests of who it is. The salt of an identification travels
//! only with a message that holds that identification, so nobody learns from an extract what the message does not say.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use schemas::{ConsentedData, Document};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CaseResident, ConsentKey, ConsentUse, names_nobody};
use crate::{
    agreement::Agreement, canonical, digest::Digest, jws, oin::Oin, person::Identity, signature::Signer,
};

/// The longest extract, in bytes of its compact form (`grondslag.schema.json`).
pub const MAX_BYTES: usize = 8192;

/// Salts are as long as what they hide behind.
pub const SALT_BYTES: usize = 32;

/// Keeps these digests apart from all others.
const COMMITMENT: &[u8] = b"schakel toestemming 1\n";

/// An extract that the holder signed with a key of the agreement it was read by. Only [`Extract::read`] makes one.
///
/// ```compile_fail,E0451
/// use exchange::consent::Extract;
///
/// fn forged(extract: Extract, compact: String) -> Extract {
///     Extract { compact, ..extract }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    text: Text,
    kid: String,
    compact: String,
}

/// What stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    pub(super) betrokkene: Commitments,
    /// Digest of the whole record, salted.
    pub(super) digest: Digest,
    pub(super) doelen: Vec<String>,
    pub(super) gegevens: ConsentedData,
    pub(super) geldig_tot: Timestamp,
    pub(super) houder: Oin,
    pub(super) toestemming: Uuid,
    pub(super) verleend_aan: Vec<Oin>,
    pub(super) verleend_op: Timestamp,
}

/// Who it is about, hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commitments {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bsn: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) persoon: Option<Digest>,
}

/// The digest of one identification of a resident, behind a salt.
pub(crate) fn commitment(what: Identification, salt: &[u8; SALT_BYTES], key: &[u8]) -> Digest {
    let name = match what {
        Identification::Bsn => b"bsn\n".as_slice(),
        Identification::Person => b"persoon\n",
    };
    Digest::of(&[COMMITMENT, name, salt, key].concat())
}

/// The ways in which a document says who it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identification {
    /// By citizen service number.
    Bsn,
    /// By name, date of birth and address.
    Person,
}

/// What an extract says, for showing. Nobody checked who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The organisations that may have the data.
    pub granted_to: Vec<Oin>,
    /// The purposes it is for.
    pub purposes: Vec<String>,
    /// The data it covers.
    pub data: ConsentedData,
    /// When the resident gave it.
    pub given: Timestamp,
    /// From this moment it no longer holds.
    pub valid_until: Timestamp,
}

/// The text is not an extract that its holder signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an extract of a consent, signed by its holder with a key of the agreement")]
pub struct NotAnExtract;

impl Text {
    pub(super) fn sign(&self, signer: &dyn Signer) -> Result<String, NotAnExtract> {
        let payload = canonical::text(self).map_err(|_| NotAnExtract)?;
        Ok(jws::sign(jws::CONSENT, payload.as_bytes(), signer))
    }

    /// What an extract says. Nothing of it is believed.
    pub(super) fn unverified(compact: &str) -> Option<Self> {
        let jws = jws::Unverified::parse(jws::CONSENT, compact).ok()?;
        serde_json::from_slice(jws.unverified_payload()).ok()
    }
}

impl Extract {
    /// Reads an extract and checks that the organisation it names as holder signed it, with a key that the agreement
    /// gives to that organisation.
    pub fn read(compact: &str, agreement: &Agreement) -> Result<Self, NotAnExtract> {
        if compact.len() > MAX_BYTES {
            return Err(NotAnExtract);
        }
        let jws = jws::Unverified::parse(jws::CONSENT, compact).map_err(|_| NotAnExtract)?;
        let text: Text = serde_json::from_slice(jws.unverified_payload()).map_err(|_| NotAnExtract)?;
        let key = agreement.key(text.houder, jws.kid()).ok_or(NotAnExtract)?;
        let kid = key.kid().to_owned();
        jws.verify(key).map_err(|_| NotAnExtract)?;
        Ok(Self { text, kid, compact: compact.to_owned() })
    }

    /// The extract that a document carries, if it is one by a party of this agreement.
    pub fn of(document: &Document, agreement: &Agreement) -> Option<Self> {
        let stated = document.basis().consent.as_ref()?;
        Self::read(stated.extract.as_deref()?, agreement).ok()
    }

    /// Which consent a document says it relies on, for looking up what is known of it. Nothing of it is believed.
    pub fn claimed_by(document: &Document) -> Option<ConsentKey> {
        Self::claimed(document.basis().consent.as_ref()?.extract.as_deref()?)
    }

    /// Which consent an extract says to be of. Nothing of it is believed.
    pub fn claimed(compact: &str) -> Option<ConsentKey> {
        let text = Text::unverified(compact)?;
        Some(ConsentKey { holder: text.houder, id: text.toestemming })
    }

    /// Which consent an extract says to be of and until when it says that holds, for holding it against what was kept of
    /// it. Nothing of it is believed.
    pub fn claims(compact: &str) -> Option<(ConsentKey, Timestamp)> {
        let text = Text::unverified(compact)?;
        Some((ConsentKey { holder: text.houder, id: text.toestemming }, text.geldig_tot))
    }

    /// What an extract says, for showing.
    pub fn peek(compact: &str) -> Option<Terms> {
        let text = Text::unverified(compact)?;
        Some(Terms {
            granted_to: text.verleend_aan,
            purposes: text.doelen,
            data: text.gegevens,
            given: text.verleend_op,
            valid_until: text.geldig_tot,
        })
    }

    /// Which consent it is of.
    pub const fn key(&self) -> ConsentKey {
        ConsentKey { holder: self.text.houder, id: self.text.toestemming }
    }

    /// Whether the key that signed it is one of the holder's in this agreement.
    pub fn is_signed_under(&self, agreement: &Agreement) -> bool {
        agreement.key(self.text.houder, &self.kid).is_some()
    }

    /// Whether this organisation may have the data.
    pub fn is_granted_to(&self, oin: Oin) -> bool {
        self.text.verleend_aan.contains(&oin)
    }

    /// The organisations that may have the data.
    pub fn granted_to(&self) -> &[Oin] {
        &self.text.verleend_aan
    }

    /// Whether it is given for this purpose.
    pub fn is_for(&self, purpose: &str) -> bool {
        self.text.doelen.iter().any(|one| one == purpose)
    }

    /// The data it covers.
    pub const fn data(&self) -> &ConsentedData {
        &self.text.gegevens
    }

    /// When the resident gave it.
    pub const fn given(&self) -> Timestamp {
        self.text.verleend_op
    }

    /// From this moment it no longer holds.
    pub const fn valid_until(&self) -> Timestamp {
        self.text.geldig_tot
    }

    /// The digest of the whole record at the holder, salted.
    pub const fn record(&self) -> Digest {
        self.text.digest
    }

    /// The extract as its holder signed it.
    pub fn compact(&self) -> &str {
        &self.compact
    }

    /// That a message relies on it.
    pub fn relied_on(&self) -> ConsentUse {
        ConsentUse { key: self.key(), valid_until: self.valid_until(), extract: self.compact.as_str().into() }
    }

    /// Whether the resident of the document is the one who consented. A document that names nobody is about the resident of
    /// its case: the message that named that resident rests on this same consent, or the salts open it for whom that message
    /// named. When nothing is known of who that is, the consent is nobody's.
    pub fn is_about(&self, document: &Document, of_case: Option<&CaseResident>) -> bool {
        match (Identity::of(document), of_case) {
            (Some(named), _) => self.opens_for(&named, document),
            (None, Some(resident)) if names_nobody(document) => {
                resident.consent == Some(self.key()) || self.opens_for(&resident.identity, document)
            }
            (None, _) => false,
        }
    }

    /// Whether the salts in the document show that this resident consented. Every identification that the consent knows must
    /// fit, and at least one must; salts of others do not belong in it.
    fn opens_for(&self, identity: &Identity, document: &Document) -> bool {
        let salts = document.basis().consent.as_ref().map(|consent| &consent.salts);
        let salt = |one: Option<&String>| one.map(|text| decode(text));
        let all = [
            (
                Identification::Bsn,
                identity.bsn_key(),
                salt(salts.and_then(|salts| salts.bsn.as_ref())),
                self.text.betrokkene.bsn,
            ),
            (
                Identification::Person,
                identity.person_key(),
                salt(salts.and_then(|salts| salts.person.as_ref())),
                self.text.betrokkene.persoon,
            ),
        ];
        let mut fits = 0;
        for (what, key, salt, committed) in all {
            match (key, salt, committed) {
                (Some(key), Some(Some(salt)), Some(committed))
                    if commitment(what, &salt, &key) == committed =>
                {
                    fits += 1;
                }
                (None, None, _) | (Some(_), None, None) => {}
                _ => return false,
            }
        }
        fits > 0
    }
}

/// A salt as it is written.
pub(super) fn encode(salt: &[u8; SALT_BYTES]) -> String {
    BASE64URL.encode(salt)
}

/// A salt as it was written; nothing when it is none.
pub(super) fn decode(text: &str) -> Option<[u8; SALT_BYTES]> {
    BASE64URL.decode(text).ok()?.try_into().ok()
}
