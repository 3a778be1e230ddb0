//! Feedback (`terugkoppeling`): what came of a signal, said by who received it and read by who sent it. No more than the purpose
//! lets that sender know.

use exchange::{message::document_of, oin::Oin, refusal::Refusal};
use schemas::{Document, ParseError, SchemaName};
use serde_json::{Value, json};
use store::{Access, Direction, MessageRow, Shown, State, StoreError};
use uuid::Uuid;

use crate::{
    core::Core,
    handover::answering,
    outbound::{self, Submission, Submitted},
};

/// Feedback that somebody gives.
#[derive(Debug, Clone)]
pub struct Giving {
    /// The place in the log of what it is about.
    pub about: u64,
    /// What the schema calls `inhoud`, without the message it is about.
    pub content: Value,
    /// Names the request it came with: given again under this name, it does not go twice.
    pub source_record: Option<Vec<u8>>,
}

/// It was given: the message is safe in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The message.
    pub message: Uuid,
    /// Its place in the log.
    pub index: u64,
    /// Who hears it.
    pub to: Oin,
    /// The case.
    pub case: Option<Uuid>,
    /// Fields that the purpose does not allow and says to leave out.
    pub left_out: Vec<String>,
}

/// Why it was not given.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// There is no such message, or nothing can come of it that its sender hears.
    #[error(
        "op dit bericht kan geen terugkoppeling: het is geen signaal of aanbod dat hier binnenkwam en is toegelaten. `schakel berichten --richting in` laat zien welke er zijn"
    )]
    NotASignal,
    /// What is said is not valid.
    #[error("{0}")]
    Invalid(ParseError),
    /// The rules do not let it leave.
    #[error("deze terugkoppeling mag niet weg: {0}")]
    HeldBack(Refusal),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const ABOUT: &str = "bericht_id";

/// Gives feedback, in the case and for the purpose of what it is about. When this returns, it is durable; who decided it is
/// kept with it.
pub async fn give(core: &Core, giving: Giving, access: &Access) -> Result<Given, FeedbackError> {
    let row = core.store.logged(giving.about).await?.ok_or(FeedbackError::NotASignal)?;
    let to = row.partner;
    let is_received = row.direction == Direction::Inbound && row.state == State::Admitted;
    let (true, Some(id), true) = (is_received, row.id, is_signal(&row)) else {
        return Err(FeedbackError::NotASignal);
    };
    let mut content = giving.content;
    content[ABOUT] = json!(id);
    let submission = Submission {
        to,
        purpose: row.purpose.clone().unwrap_or_default(),
        case: row.case,
        desk: None,
        document: document(core, &row, &content).await?,
        source_record: giving.source_record,
    };
    let given = |message, index, left_out| Given { message, index, to, case: row.case, left_out };
    match outbound::submit_numbered(core, vec![submission], access).await?.pop() {
        Some((Submitted::Queued(message), Some(index))) => Ok(given(message, index, Vec::new())),
        Some((Submitted::QueuedWithout { id, left_out }, Some(index))) => Ok(given(id, index, left_out)),
        Some((Submitted::HeldBack(refusal), _)) => Err(FeedbackError::HeldBack(refusal)),
        Some((Submitted::AlreadyOffered, Some(index))) => {
            let earlier = core.store.logged(index).await?.and_then(|row| row.id);
            let earlier = earlier.ok_or(StoreError::NotFound("message with this index"))?;
            Ok(given(earlier, index, Vec::new()))
        }
        _ => Err(StoreError::NotFound("outcome of a submission").into()),
    }
}

/// Whether feedback can be given on it: a signal, or the offer of a handover.
fn is_signal(row: &MessageRow) -> bool {
    let schema = row.message_type.as_deref().and_then(SchemaName::of_message_type);
    schema.is_some_and(|schema| schema.is_signal() || schema == SchemaName::HandoverOffered)
}

/// On a basis that the purpose has for feedback, or else on that of the message itself.
async fn document(core: &Core, row: &MessageRow, content: &Value) -> Result<Document, FeedbackError> {
    let own = match core.store.payload_for_machine_check(row.index).await {
        Ok(text) => document_of(&text).map(|document| document.value()["grondslag"].clone()),
        Err(StoreError::Erased) => None,
        Err(error) => return Err(error.into()),
    };
    let bases = answering::without_consent(core, row, SchemaName::Feedback).into_iter().chain(own);
    let found = bases.into_iter().next().ok_or(FeedbackError::NotASignal)?;
    let value = json!({ "grondslag": found, "inhoud": content });
    Document::parse(SchemaName::Feedback, value.to_string().as_bytes()).map_err(FeedbackError::Invalid)
}

/// The feedback on a message, given here or received, in the order of the log; with its content, for somebody. What was erased
/// is among it when it can have been about this message.
pub async fn on(core: &Core, row: &MessageRow, mut access: Access) -> Result<Vec<Shown>, StoreError> {
    let (Some(id), Some(case)) = (row.id, row.case) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for index in core.store.messages_of_case(case).await? {
        if index > row.index && is_about(core, index, (id, row)).await? {
            found.push(index);
        }
    }
    access.why.case = access.why.case.or(Some(case));
    core.store.view(access, &found).await
}

async fn is_about(core: &Core, index: u64, (id, about): (Uuid, &MessageRow)) -> Result<bool, StoreError> {
    let Some(row) = core.store.logged(index).await? else { return Ok(false) };
    let is_feedback = row.message_type.as_deref() == SchemaName::Feedback.message_type();
    let is_answer = is_feedback && row.partner == about.partner && row.direction != about.direction;
    let is_kept = row.direction == Direction::Outbound || row.state == State::Admitted;
    if !(is_answer && is_kept) {
        return Ok(false);
    }
    match core.store.payload_for_machine_check(index).await {
        Err(StoreError::Erased) => Ok(true),
        text => Ok(document_of(&text?)
            .is_some_and(|document| document.value()["inhoud"][ABOUT].as_str() == Some(&id.to_string()))),
    }
}
