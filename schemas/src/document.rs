//! The `data` of a message: a document that exists only if it is valid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::annotation::{DataUse, Field};
use crate::category::{Category, LifeDomain};
use crate::name::SchemaName;
use crate::registry;
use crate::strict;
use crate::violation::Violation;
use crate::without;

/// The `data` of a message, valid against its schema. Cheap to clone.
#[derive(Clone)]
pub struct Document {
    inner: Arc<Inner>,
}

struct Inner {
    schema: SchemaName,
    json: String,
    value: Value,
    basis: Basis,
    uses: DataUse,
}

/// Why a text is not a document. The messages are for people and hold nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON (RFC 8259), or not UTF-8.
    #[error("dit is geen JSON: er gaat iets mis op regel {line}, teken {column}")]
    NotJson {
        /// Line of the first byte that cannot be read, from 1.
        line: usize,
        /// Byte on that line, from 1.
        column: usize,
    },
    /// Nested deeper than [`crate::MAX_DEPTH`].
    #[error("het document is te diep genest; hoogstens {} lagen", crate::MAX_DEPTH)]
    TooDeep,
    /// Longer than [`crate::MAX_BYTES`].
    #[error("het document is te groot; hoogstens {} KiB", crate::MAX_BYTES / 1024)]
    TooLarge,
    /// JSON, but not what the schema asks; at most [`crate::MAX_VIOLATIONS`].
    #[error("het document voldoet niet aan het schema: {}", listed(.0))]
    Invalid(Vec<Violation>),
}

fn listed(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Document {
    /// Reads the `data` of a message: what an adapter made, or the raw `data` of a received message.
    ///
    /// Every schema of a message type will do; the others have no legal basis and use
    /// [`crate::validate`].
    pub fn parse(schema: SchemaName, json: &[u8]) -> Result<Document, ParseError> {
        if schema.message_type().is_none() {
            return Err(ParseError::Invalid(vec![not_a_message()]));
        }
        let parsed = strict::parse(json)?;
        registry::validate(schema, &parsed.value).map_err(ParseError::Invalid)?;
        let basis = Basis::read(&parsed.value)?;
        let uses = registry::compiled(schema).annotations.uses(&parsed.value);
        let inner = Inner { schema, json: parsed.json, value: parsed.value, basis, uses };
        Ok(Document { inner: Arc::new(inner) })
    }

    /// The schema it is valid against.
    pub fn schema(&self) -> SchemaName {
        self.inner.schema
    }

    /// The text that is signed and sent: as given, without insignificant whitespace.
    pub fn json(&self) -> &str {
        &self.inner.json
    }

    /// The legal basis it is shared on.
    pub fn basis(&self) -> &Basis {
        &self.inner.basis
    }

    /// What kinds of data it holds.
    pub fn uses(&self) -> &DataUse {
        &self.inner.uses
    }

    /// What it holds, field by field, in the order of its content; together they are what [`Document::uses`] says.
    pub fn fields(&self) -> Vec<Field> {
        registry::compiled(self.inner.schema).annotations.fields(&self.inner.value)
    }

    /// This document without the fields at these JSON pointers, and without what holds nothing any more by that. A
    /// pointer that leads nowhere takes nothing away.
    ///
    /// # Errors
    ///
    /// What the schema asks for is then missing: [`ParseError::Invalid`] says what.
    pub fn without<'a>(&self, pointers: impl IntoIterator<Item = &'a str>) -> Result<Document, ParseError> {
        let gone: BTreeSet<&str> = pointers.into_iter().collect();
        let left = without::without(&self.inner.value, &gone);
        Document::parse(self.inner.schema, left.to_string().as_bytes())
    }

    /// Its content.
    pub fn value(&self) -> &Value {
        &self.inner.value
    }
}

/// Shows nothing of the content, which is about a person.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("schema", &self.inner.schema).finish_non_exhaustive()
    }
}

fn not_a_message() -> Violation {
    Violation {
        field: String::new(),
        problem: "hoort niet bij een bericht".to_owned(),
        expected: "een schema van een berichttype, zoals terugkoppeling".to_owned(),
    }
}

/// The legal basis (*grondslag*) a message states.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Basis {
    /// Which of the six of AVG art. 6(1).
    #[serde(rename = "soort")]
    pub kind: BasisKind,
    /// The articles of law it rests on, as stated.
    #[serde(rename = "artikelen", default)]
    pub articles: Vec<String>,
    /// Preconditions by name, and whether the sender states they are met.
    #[serde(rename = "voorwaarden", default)]
    pub conditions: BTreeMap<String, bool>,
    /// The consent relied on, if any.
    #[serde(rename = "toestemming", default)]
    pub consent: Option<StatedConsent>,
}

impl Basis {
    fn read(document: &Value) -> Result<Basis, ParseError> {
        // The schema has checked all of it; only a date that does not exist on any calendar but
        // looks like one could still fail here.
        Basis::deserialize(&document["grondslag"]).map_err(|_| {
            ParseError::Invalid(vec![Violation {
                field: "/grondslag".to_owned(),
                problem: "is niet te lezen".to_owned(),
                expected: "een grondslag volgens het schema".to_owned(),
            }])
        })
    }
}

/// The legal bases of AVG art. 6(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BasisKind {
    /// `toestemming`, (a).
    #[serde(rename = "toestemming")]
    Consent,
    /// `overeenkomst`, (b).
    #[serde(rename = "overeenkomst")]
    Contract,
    /// `wettelijke-verplichting`, (c).
    #[serde(rename = "wettelijke-verplichting")]
    LegalObligation,
    /// `vitaal-belang`, (d).
    #[serde(rename = "vitaal-belang")]
    VitalInterest,
    /// `publieke-taak`, (e).
    #[serde(rename = "publieke-taak")]
    PublicTask,
    /// `gerechtvaardigd-belang`, (f); not for authorities in their tasks.
    #[serde(rename = "gerechtvaardigd-belang")]
    LegitimateInterest,
}

impl BasisKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            BasisKind::Consent => "toestemming",
            BasisKind::Contract => "overeenkomst",
            BasisKind::LegalObligation => "wettelijke-verplichting",
            BasisKind::VitalInterest => "vitaal-belang",
            BasisKind::PublicTask => "publieke-taak",
            BasisKind::LegitimateInterest => "gerechtvaardigd-belang",
        }
    }
}

impl fmt::Display for BasisKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The consent a message relies on (protocol §6): its number, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StatedConsent {
    /// The consent at the organisation that asked for it.
    pub id: Uuid,
    /// The extract that organisation signed, a compact JWS. Not there yet when a local system offers the document.
    #[serde(rename = "uittreksel", default)]
    pub extract: Option<String>,
    /// What shows that the extract is about the resident of this document.
    #[serde(rename = "zout", default)]
    pub salts: StatedSalts,
}

/// The salts of those identifications of the resident that the document itself holds, base64url.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StatedSalts {
    /// Of the citizen service number.
    #[serde(default)]
    pub bsn: Option<String>,
    /// Of name, date of birth and address.
    #[serde(rename = "persoon", default)]
    pub person: Option<String>,
}

/// The data a consent covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentedData {
    /// Kinds of data.
    #[serde(rename = "categorieen")]
    pub categories: Vec<Category>,
    /// Life domains.
    #[serde(rename = "leefgebieden", default)]
    pub life_domains: Vec<LifeDomain>,
}

#[cfg(test)]
mod tests;
