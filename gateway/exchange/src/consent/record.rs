//! The record of a consent at its holder: who agreed to what, how, and how freedom was safeguarded (AVG art. 7).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemas::{BasisKind, Category, ConsentedData, Document, SchemaName, StatedSalts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    CaseResident, ConsentKey,
    extract::{Commitments, Identification, SALT_BYTES, Text, commitment, decode, encode},
    names_nobody,
};
use crate::{
    canonical,
    digest::Digest,
    message::MAX_CLOCK_SKEW,
    oin::Oin,
    organisation::OrganisationKind,
    person::Identity,
    purpose::{CONSENT_PROOF_DAYS, Purpose, Rule},
    random::Random,
    signature::Signer,
};

/// The longest that a consent holds before the resident is asked again. The law names no term; what was agreed years ago
/// is no longer a specific and informed wish (AVG art. 4(11)).
pub const MAX_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 731);

/// Where an extended record says when its freedom was stated.
pub const FREEDOM_STATED: &str = "vrijheid_vastgelegd_op";

/// A consent as its holder keeps it.
#[derive(Debug, Clone)]
pub struct ConsentRecord {
    document: Document,
    content: Content,
    salts: Salts,
}

/// The salts of a record. Without them its digest and commitments tell nothing, so they go when it is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Salts {
    geheel: String,
    bsn: String,
    persoon: String,
}

impl Salts {
    /// New salts.
    pub fn new(random: &dyn Random) -> Self {
        let salt = || {
            let mut bytes = [0; SALT_BYTES];
            random.fill(&mut bytes);
            encode(&bytes)
        };
        Self { geheel: salt(), bsn: salt(), persoon: salt() }
    }
}

/// What stands in the record (`toestemming.schema.json`).
#[derive(Debug, Clone, Deserialize)]
struct Content {
    id: Uuid,
    verleend_aan: Vec<Oin>,
    doelen: Vec<String>,
    gegevens: ConsentedData,
    verleend_op: Timestamp,
    geldig_tot: Timestamp,
    vrijheid: Freedom,
    #[serde(default)]
    waarom_toestemming: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Freedom {
    hulp_hangt_ervan_af: bool,
    gewezen_op_intrekken: bool,
}

/// How an extension was given (AVG art. 7(1)).
#[derive(Debug, Clone, Serialize)]
pub struct HowGiven {
    /// `schriftelijk`, `mondeling` or `digitaal`.
    pub wijze: String,
    /// What kind of evidence there is.
    pub bewijs_soort: String,
    /// Its reference in the holder's files.
    pub bewijs_kenmerk: String,
}

/// Why this is no consent to rely on. For the person who records it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not valid by its schema.
    #[error("de toestemming is niet goed ingevuld: {0}")]
    Schema(String),
    /// What was stored cannot be read back.
    #[error("de opgeslagen toestemming is niet leesbaar")]
    Stored,
    /// Help depends on it.
    #[error(
        "deze toestemming is niet vrij: er staat dat hulp of uitkering ervan afhangt (AVG art. 7 lid 4). Gebruik een andere grondslag, of maak de hulp er los van en leg dat vast"
    )]
    NotFree,
    /// The resident was not told that it can be withdrawn.
    #[error(
        "de inwoner is niet verteld dat intrekken altijd kan (AVG art. 7 lid 3). Vertel dat eerst, en leg de toestemming dan vast"
    )]
    NotTold,
    /// The times do not fit.
    #[error(
        "de tijden kloppen niet. `verleend_op` mag niet in de toekomst liggen. `geldig_tot` moet na `verleend_op` liggen en mag niet voorbij zijn. Een toestemming geldt hooguit twee jaar; vraag de inwoner daarna opnieuw"
    )]
    Times,
    /// It holds that long already.
    #[error(
        "de toestemming geldt al tot die dag of langer. Wil de inwoner haar eerder laten eindigen, trek haar dan in, en leg een nieuwe vast"
    )]
    NotLonger,
    /// A purpose is not in the register.
    #[error("doel `{0}` staat niet in het doelenregister. Controleer de naam, of voeg het doel toe")]
    PurposeUnknown(String),
    /// A purpose cannot rest on consent.
    #[error(
        "doel `{0}` kent toestemming niet als grondslag. Gebruik de grondslag die het doel noemt, of een ander doel"
    )]
    NotByConsent(String),
    /// An authority has a statutory basis and did not say why it asks for consent.
    #[error(
        "voor doel `{purpose}` is er een wettelijke grondslag ({articles}). Die gaat voor: tegenover een overheid is een inwoner zelden vrij om te weigeren. Gebruik haar, of leg in `waarom_toestemming` vast waarom toch om toestemming is gevraagd"
    )]
    StatutoryFirst {
        /// The purpose.
        purpose: String,
        /// What the law says.
        articles: String,
    },
    /// It says nothing about who agreed in a way that can be recognised.
    #[error("er staat niet bij wie de toestemming gaf. Noem het BSN, of naam, geboortedatum en adres")]
    Nobody,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    toestemming: Value,
    zout: Salts,
}

impl ConsentRecord {
    /// Reads a record as somebody filled it in: `betrokkene` and `inhoud`, in which `id` may be left to us.
    pub fn fill_in(text: &[u8], id: Uuid, salts: Salts) -> Result<Self, RecordError> {
        let mut value: Value =
            crate::valid::json(text).map_err(|error| RecordError::Schema(error.clone()))?;
        // The record itself is kept because the law asks to be able to show consent.
        if value.get("grondslag").is_none() && value.is_object() {
            value["grondslag"] =
                json!({ "soort": BasisKind::LegalObligation, "artikelen": ["AVG art. 7 lid 1"] });
        }
        if value["inhoud"].is_object() && value["inhoud"].get("id").is_none() {
            value["inhoud"]["id"] = json!(id);
        }
        // Of a record that is new, freedom is stated now.
        if value["inhoud"].get(FREEDOM_STATED).is_some() {
            return Err(RecordError::Schema(format!(
                "`{FREEDOM_STATED}` hoort bij een verlenging, en het knooppunt vult het in; laat het weg"
            )));
        }
        Self::of_value(&value, salts)
    }

    fn of_value(value: &Value, salts: Salts) -> Result<Self, RecordError> {
        let document = Document::parse(SchemaName::ConsentGranted, value.to_string().as_bytes())
            .map_err(|error| RecordError::Schema(error.to_string()))?;
        let content = Content::deserialize(&document.value()["inhoud"])
            .map_err(|_| RecordError::Schema("een tijdstip of nummer is niet te lezen".into()))?;
        if Identity::of(&document).is_none() {
            return Err(RecordError::Nobody);
        }
        Ok(Self { document, content, salts })
    }

    /// Reads a record back.
    pub fn from_stored(text: &str) -> Result<Self, RecordError> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| RecordError::Stored)?;
        Self::of_value(&stored.toestemming, stored.zout).map_err(|_| RecordError::Stored)
    }

    /// What is to be stored, sealed: it says who the resident is.
    pub fn to_stored(&self) -> String {
        let stored = Stored { toestemming: self.document.value().clone(), zout: self.salts.clone() };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Whether this organisation may rely on it: it is free, told, in time, for purposes that know consent, and an
    /// authority says why it does not use the law (AVG recital 43).
    pub fn check(
        &self,
        holder: OrganisationKind,
        purposes: &[Purpose],
        now: Timestamp,
    ) -> Result<(), RecordError> {
        let content = &self.content;
        if content.vrijheid.hulp_hangt_ervan_af {
            return Err(RecordError::NotFree);
        }
        if !content.vrijheid.gewezen_op_intrekken {
            return Err(RecordError::NotTold);
        }
        let early = content.verleend_op.duration_since(now) > MAX_CLOCK_SKEW;
        let lasts = content.geldig_tot.duration_since(content.verleend_op);
        if early || content.geldig_tot <= now || !lasts.is_positive() || lasts > MAX_VALIDITY {
            return Err(RecordError::Times);
        }
        content.doelen.iter().try_for_each(|purpose| self.check_purpose(purpose, holder, purposes))
    }

    fn check_purpose(
        &self,
        name: &str,
        holder: OrganisationKind,
        purposes: &[Purpose],
    ) -> Result<(), RecordError> {
        let known = purposes.iter().filter(|purpose| purpose.content().doel == name);
        let rules: Vec<&Rule> = known.flat_map(|purpose| &purpose.content().berichten).collect();
        if rules.is_empty() {
            return Err(RecordError::PurposeUnknown(name.to_owned()));
        }
        let knows_consent =
            rules.iter().any(|rule| rule.grondslagen.iter().any(|basis| basis.soort == BasisKind::Consent));
        if !knows_consent {
            return Err(RecordError::NotByConsent(name.to_owned()));
        }
        // By the law the same may go as another type of message.
        let by_law = rules.iter().filter(|rule| rule.van.contains(&holder)).flat_map(|rule| {
            rule.grondslagen
                .iter()
                .filter(|basis| matches!(basis.soort, BasisKind::LegalObligation | BasisKind::PublicTask))
        });
        let articles: BTreeSet<&str> =
            by_law.clone().flat_map(|basis| &basis.artikelen).map(String::as_str).collect();
        let has_law = by_law.count() > 0;
        if holder.is_authority() && has_law && self.content.waarom_toestemming.is_none() {
            let articles = articles.into_iter().collect::<Vec<_>>().join(", ");
            return Err(RecordError::StatutoryFirst { purpose: name.to_owned(), articles });
        }
        Ok(())
    }

    /// The record with a new end, as the resident agreed again. How freedom was safeguarded is not stated anew: the record
    /// says when it was.
    pub fn extended(&self, until: Timestamp, how: &HowGiven, at: Timestamp) -> Result<Self, RecordError> {
        if until <= self.valid_until() {
            return Err(RecordError::NotLonger);
        }
        let mut value = self.document.value().clone();
        let content = &mut value["inhoud"];
        if content.get(FREEDOM_STATED).is_none() {
            content[FREEDOM_STATED] = content["verleend_op"].clone();
        }
        content["verleend_op"] = json!(at);
        content["geldig_tot"] = json!(until);
        content["wijze"] = json!(how.wijze);
        content["bewijs"] = json!({ "soort": how.bewijs_soort, "kenmerk": how.bewijs_kenmerk });
        Self::of_value(&value, self.salts.clone())
    }

    /// Its number.
    pub const fn id(&self) -> Uuid {
        self.content.id
    }

    /// The organisations that may have the data.
    pub fn granted_to(&self) -> &[Oin] {
        &self.content.verleend_aan
    }

    /// The purposes it is for.
    pub fn purposes(&self) -> &[String] {
        &self.content.doelen
    }

    /// From this moment it no longer holds.
    pub const fn valid_until(&self) -> Timestamp {
        self.content.geldig_tot
    }

    /// How long it is kept after its end, in days: the longest that a purpose it names asks.
    pub fn proof_days(&self, purposes: &[Purpose]) -> u32 {
        let named = purposes.iter().filter(|purpose| self.content.doelen.contains(&purpose.content().doel));
        named.map(Purpose::consent_proof_days).max().unwrap_or(CONSENT_PROOF_DAYS)
    }

    /// The data it names that no rule of its purposes allows, by name: it can never go, whatever the resident agreed to.
    pub fn never_allowed(&self, purposes: &[Purpose]) -> Vec<&'static str> {
        let named = purposes.iter().filter(|purpose| self.content.doelen.contains(&purpose.content().doel));
        let rules: Vec<&Rule> = named.flat_map(|purpose| &purpose.content().berichten).collect();
        let allowed = |category: Category| {
            rules.iter().any(|rule| match category {
                Category::Process => true,
                Category::CitizenNumber => rule.bsn,
                special if special.is_special() => {
                    rule.bijzondere_gegevens.iter().any(|one| one.categorie == special)
                }
                plain => rule.gegevens.contains(&plain),
            })
        };
        let ConsentedData { categories, life_domains } = &self.content.gegevens;
        let categories = categories.iter().filter(|one| !allowed(**one)).map(|one| one.as_str());
        let domains =
            life_domains.iter().filter(|one| !rules.iter().any(|rule| rule.leefgebieden.contains(one)));
        categories.chain(domains.map(|one| one.as_str())).collect()
    }

    /// When the resident gave it.
    pub const fn given(&self) -> Timestamp {
        self.content.verleend_op
    }

    /// The record, valid against its schema.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The digest of the whole record, salted.
    pub fn digest(&self) -> Digest {
        let text = canonical::text(self.document.value()).unwrap_or_default();
        let salt = decode(&self.salts.geheel).unwrap_or_default();
        Digest::of(&[salt.as_slice(), text.as_bytes()].concat())
    }

    /// Signs the extract that goes with messages.
    pub fn extract(&self, holder: Oin, signer: &dyn Signer) -> Result<String, RecordError> {
        let identity = Identity::of(&self.document).ok_or(RecordError::Nobody)?;
        let committed = |what, salt: &str, key: Option<_>| {
            let salt = decode(salt)?;
            key.map(|key: Vec<u8>| commitment(what, &salt, &key))
        };
        let text = Text {
            betrokkene: Commitments {
                bsn: committed(Identification::Bsn, &self.salts.bsn, identity.bsn_key()),
                persoon: committed(Identification::Person, &self.salts.persoon, identity.person_key()),
            },
            digest: self.digest(),
            doelen: self.content.doelen.clone(),
            gegevens: self.content.gegevens.clone(),
            geldig_tot: self.content.geldig_tot,
            houder: holder,
            toestemming: self.content.id,
            verleend_aan: self.content.verleend_aan.clone(),
            verleend_op: self.content.verleend_op,
        };
        text.sign(signer).map_err(|_| RecordError::Stored)
    }

    /// Whether an extract is one of this record, as it is now. Says nothing of who signed it.
    pub fn is_of(&self, extract: &str) -> bool {
        let Some(text) = Text::unverified(extract) else { return false };
        text.toestemming == self.content.id && text.digest == self.digest()
    }

    /// The salts that may go with a message: of the identifications that open for whom it is about, and that this record holds.
    pub fn salts_for(&self, whom: Option<&Identity>) -> StatedSalts {
        let known = Identity::of(&self.document);
        let has =
            |key: fn(&Identity) -> Option<Vec<u8>>| known.as_ref().is_some_and(|one| key(one).is_some());
        let all = StatedSalts {
            bsn: has(Identity::bsn_key).then(|| self.salts.bsn.clone()),
            person: has(Identity::person_key).then(|| self.salts.persoon.clone()),
        };
        salts_among(&all, whom)
    }

    /// The document, which rests on this consent, with the extract and the salts that go with it.
    pub fn attach_to(
        &self,
        document: &Document,
        of_case: Option<&CaseResident>,
        (holder, signer): (Oin, &dyn Signer),
    ) -> Result<Document, RecordError> {
        let extract = self.extract(holder, signer)?;
        let whom = opened_for(document, self.key(holder), of_case);
        attach(document, self.id(), &extract, &self.salts_for(whom.as_ref()))
    }

    /// Names it.
    pub const fn key(&self, holder: Oin) -> ConsentKey {
        ConsentKey { holder, id: self.content.id }
    }
}

/// For whom a document on this consent must have salts: whom it names, or the resident of its case when it names nobody and
/// that resident was not named on this same consent.
pub fn opened_for(document: &Document, key: ConsentKey, of_case: Option<&CaseResident>) -> Option<Identity> {
    let of_case = of_case.filter(|resident| names_nobody(document) && resident.consent != Some(key));
    Identity::of(document).or_else(|| of_case.map(|resident| resident.identity.clone()))
}

/// Those salts that open identifications which this resident is known by.
pub fn salts_among(salts: &StatedSalts, whom: Option<&Identity>) -> StatedSalts {
    let has = |key: fn(&Identity) -> Option<Vec<u8>>| whom.is_some_and(|whom| key(whom).is_some());
    StatedSalts {
        bsn: salts.bsn.clone().filter(|_| has(Identity::bsn_key)),
        person: salts.person.clone().filter(|_| has(Identity::person_key)),
    }
}

/// The document with the extract of the consent it rests on, and salts to open it with.
pub fn attach(
    document: &Document,
    id: Uuid,
    extract: &str,
    salts: &StatedSalts,
) -> Result<Document, RecordError> {
    let mut value = document.value().clone();
    let mut zout = serde_json::Map::new();
    for (name, salt) in [("bsn", &salts.bsn), ("persoon", &salts.person)] {
        if let Some(salt) = salt {
            zout.insert(name.to_owned(), json!(salt));
        }
    }
    value["grondslag"]["toestemming"] = json!({ "id": id, "uittreksel": extract });
    if !zout.is_empty() {
        value["grondslag"]["toestemming"]["zout"] = Value::Object(zout);
    }
    Document::parse(document.schema(), value.to_string().as_bytes())
        .map_err(|error| RecordError::Schema(error.to_string()))
}
