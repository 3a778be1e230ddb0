//! Asking a colleague elsewhere, and answering, by a command or by the local API.

use exchange::oin::Oin;
use schemas::{Document, ParseError, SchemaName};
use serde_json::{Value, json};
use store::{Access, MessageRow, StoreError};
use uuid::Uuid;

use super::basis;
use crate::{
    core::Core,
    outbound::{self, Submission, Submitted},
};

/// A question or an answer.
#[derive(Debug, Clone)]
pub struct Saying {
    /// To whom.
    pub to: Oin,
    /// To which desk there.
    pub desk: Option<String>,
    /// For which purpose.
    pub purpose: String,
    /// In which case.
    pub case: Uuid,
    /// Which of both.
    pub schema: SchemaName,
    /// What the schema calls `inhoud`.
    pub content: Value,
    /// Names the request it came with: said again under this name, it is not said twice.
    pub source_record: Option<Vec<u8>>,
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// No agreement allows it.
    #[error(
        "geen convenant met deze organisatie laat een consultatie voor dit doel toe; `schakel convenant tonen` laat zien wat er is afgesproken"
    )]
    NotAllowed,
    /// What is said is not valid.
    #[error("{0}")]
    Invalid(ParseError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Saying {
    /// The answer to a question that came in; nothing when that has no case.
    pub fn answer(question: &MessageRow, mut content: Value, source_record: Option<Vec<u8>>) -> Option<Self> {
        content["vraag_id"] = json!(question.id);
        Some(Self {
            to: question.partner,
            desk: None,
            purpose: question.purpose.clone().unwrap_or_default(),
            case: question.case?,
            schema: SchemaName::ConsultationAnswered,
            content,
            source_record,
        })
    }
}

/// Says it, as somebody decided; gives what became of it, and its place in the log.
pub async fn say(core: &Core, saying: Saying, access: &Access) -> Result<(Submitted, Option<u64>), SayError> {
    let Saying { to, desk, purpose, case, schema, content, source_record } = saying;
    let basis = basis(core, to, &purpose, schema).ok_or(SayError::NotAllowed)?;
    let value = json!({ "grondslag": basis, "inhoud": content });
    let document = Document::parse(schema, value.to_string().as_bytes()).map_err(SayError::Invalid)?;
    let submission = Submission { to, purpose, case: Some(case), desk, document, source_record };
    let submitted = outbound::submit_numbered(core, vec![submission], access).await?.pop();
    Ok(submitted.unwrap_or((Submitted::AlreadyOffered, None)))
}
