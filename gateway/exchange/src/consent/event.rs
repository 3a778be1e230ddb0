//! What a message says about a consent. These messages carry no data about a resident; they exist so that a resident's
//! right reaches every copy (AVG art. 7(3), art. 19).

use jiff::Timestamp;
use schemas::{BasisKind, Document, SchemaName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConsentKey, Extract, Statement};
use crate::{
    agreement::Agreement,
    oin::Oin,
    refusal::{Reason, Refusal},
};

/// What an admitted message does to a consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The resident extended it: this is the extract from now on.
    Extended(Extract),
    /// The resident withdrew it.
    Withdrawn(Statement),
    /// A receiver tells the holder that the resident withdrew it there.
    Reported {
        /// Which consent.
        consent: ConsentKey,
        /// When the resident said so.
        at: Timestamp,
    },
    /// A receiver tells the holder what it did after a withdrawal or the end.
    Processed(Processed),
}

/// What a receiver did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// Which consent.
    pub consent: ConsentKey,
    /// When.
    pub at: Timestamp,
    /// What.
    pub done: WhatWasDone,
    /// The basis on which it was kept.
    pub kept: Option<Kept>,
    /// Who got it from this organisation and was told as well.
    pub passed_to: Vec<Oin>,
}

/// What an organisation did with what it had under a consent (`uitkomst`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhatWasDone {
    /// It had nothing, and will not use what may still come.
    Gestopt,
    /// It erased everything.
    Gewist,
    /// It keeps something on another basis.
    Bewaard,
}

impl WhatWasDone {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Gestopt, Self::Gewist, Self::Bewaard];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gestopt => "gestopt",
            Self::Gewist => "gewist",
            Self::Bewaard => "bewaard",
        }
    }
}

/// The other basis on which something is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// AVG art. 6(1), but not (a).
    pub soort: BasisKind,
    /// The articles that make it so.
    pub artikelen: Vec<String>,
}

#[derive(Deserialize)]
struct WithdrawnContent {
    toestemming_id: Uuid,
    houder: Oin,
    ingetrokken_op: Timestamp,
    #[serde(default)]
    verklaring: Option<String>,
    #[serde(default)]
    uittreksel: Option<String>,
}

#[derive(Deserialize)]
struct ExtendedContent {
    toestemming_id: Uuid,
    houder: Oin,
    uittreksel: String,
}

#[derive(Deserialize)]
struct ProcessedContent {
    toestemming_id: Uuid,
    houder: Oin,
    verwerkt_op: Timestamp,
    uitkomst: WhatWasDone,
    #[serde(default)]
    bewaard_op_grond_van: Option<Kept>,
    #[serde(default)]
    doorgestuurd_aan: Vec<Oin>,
}

/// Whether messages of this schema speak of a consent itself.
pub const fn is_about_consent(schema: SchemaName) -> bool {
    matches!(
        schema,
        SchemaName::ConsentExtended | SchemaName::ConsentWithdrawn | SchemaName::ConsentProcessed
    )
}

impl Event {
    /// What a document from one party to another says about a consent, if it is its place to say so.
    pub fn of(
        document: &Document,
        agreement: &Agreement,
        (from, to): (Oin, Oin),
    ) -> Result<Option<Self>, Refusal> {
        let event = match document.schema() {
            SchemaName::ConsentWithdrawn => withdrawn(content(document)?, agreement, (from, to)),
            SchemaName::ConsentExtended => extended(&content(document)?, agreement, to),
            SchemaName::ConsentProcessed => processed(content(document)?, to),
            _ => return Ok(None),
        };
        event.map(Some).ok_or_else(|| Reason::NotTheirsToSay.into())
    }

    /// The consent that a receiver says to have dealt with, to look up whether there is one. Nothing of it is believed.
    pub fn processing(document: &Document) -> Option<ConsentKey> {
        if document.schema() != SchemaName::ConsentProcessed {
            return None;
        }
        let said: ProcessedContent = content(document).ok()?;
        Some(ConsentKey { holder: said.houder, id: said.toestemming_id })
    }

    /// Which consent it is about.
    pub const fn consent(&self) -> ConsentKey {
        match self {
            Self::Extended(extract) => extract.key(),
            Self::Withdrawn(statement) => statement.key(),
            Self::Reported { consent, .. } => *consent,
            Self::Processed(processed) => processed.consent,
        }
    }
}

fn content<T: for<'de> Deserialize<'de>>(document: &Document) -> Result<T, Reason> {
    T::deserialize(&document.value()["inhoud"]).map_err(|_| Reason::SchemaInvalid)
}

/// The holder's word holds, whoever brings it. Somebody else's is a report to the holder, by who had the data.
fn withdrawn(said: WithdrawnContent, agreement: &Agreement, (from, to): (Oin, Oin)) -> Option<Event> {
    let consent = ConsentKey { holder: said.houder, id: said.toestemming_id };
    if let Some(compact) = said.verklaring {
        let statement = Statement::read(&compact, agreement).ok()?;
        return (statement.key() == consent).then_some(Event::Withdrawn(statement));
    }
    let extract = Extract::read(&said.uittreksel?, agreement).ok()?;
    let may_say = extract.key() == consent && to == consent.holder && extract.is_granted_to(from);
    may_say.then_some(Event::Reported { consent, at: said.ingetrokken_op })
}

fn extended(said: &ExtendedContent, agreement: &Agreement, to: Oin) -> Option<Event> {
    let extract = Extract::read(&said.uittreksel, agreement).ok()?;
    let consent = ConsentKey { holder: said.houder, id: said.toestemming_id };
    (extract.key() == consent && extract.is_granted_to(to)).then_some(Event::Extended(extract))
}

fn processed(said: ProcessedContent, to: Oin) -> Option<Event> {
    let said = Processed::from(said);
    (to == said.consent.holder).then_some(Event::Processed(said))
}

impl From<ProcessedContent> for Processed {
    fn from(said: ProcessedContent) -> Self {
        Self {
            consent: ConsentKey { holder: said.houder, id: said.toestemming_id },
            at: said.verwerkt_op,
            done: said.uitkomst,
            kept: said.bewaard_op_grond_van,
            passed_to: said.doorgestuurd_aan,
        }
    }
}

impl Processed {
    /// What the data of a stored message of this type says was done about a consent, if it is one that says so. Nothing of it
    /// is believed.
    pub(crate) fn stated(message_type: &str, data: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Data {
            inhoud: ProcessedContent,
        }
        let schema = SchemaName::of_message_type(message_type)?;
        let read = || serde_json::from_str::<Data>(data).ok();
        (schema == SchemaName::ConsentProcessed).then(read)?.map(|data| data.inhoud.into())
    }
}
