//! Anonymous questions between professionals, and the answers to them. Each question has a case of its own, in which its answer comes;
//! once there is a basis to say who it is about, the case is offered as a handover, and so keeps its reference.

use std::collections::HashMap;

use exchange::{agreement::Standing, oin::Oin};
use schemas::{BasisKind, SchemaName};
use serde_json::{Value, json};
use store::{Direction, Listing, MAX_ROWS_READ, MessageRow, State, StoreError};
use uuid::Uuid;

use crate::core::Core;

pub mod saying;

/// The most readings of the log to find consultations, each of a bounded part of it.
const MAX_READINGS: usize = 50;

/// A question, with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consultation {
    /// The question.
    pub question: MessageRow,
    /// The answer, unless it was refused or given up.
    pub answer: Option<MessageRow>,
}

/// What a consultation rests on, with whoever may not say who it is about: an authority on its task, another on its interest, if the
/// purpose takes that without conditions.
pub fn basis(core: &Core, to: Oin, purpose: &str, schema: SchemaName) -> Option<Value> {
    let (rules, now) = (core.rules(), core.now());
    let message_type = schema.message_type()?;
    let agreements = rules.agreements_for(core.me, to, purpose, message_type);
    let agreement = agreements.iter().find(|one| one.standing(now) == Standing::InForce)?;
    let kind = agreement.party(core.me)?.soort;
    let clause = agreement.content().afspraken.iter().find(|clause| clause.doel == purpose)?;
    let rule = rules.purpose(clause.doel_digest)?.rule(message_type)?;
    let may = |soort: BasisKind| {
        soort == if kind.is_authority() { BasisKind::PublicTask } else { BasisKind::LegitimateInterest }
    };
    let basis = rule.grondslagen.iter().find(|basis| may(basis.soort) && basis.voorwaarden.is_empty())?;
    Some(json!({ "soort": basis.soort, "artikelen": basis.artikelen }))
}

/// Questions with their answers.
#[derive(Debug, Clone, Default)]
pub struct Consultations {
    /// The newest first.
    pub found: Vec<Consultation>,
    /// Whether the whole log was looked through, or as far as was asked for.
    pub complete: bool,
}

/// The newest questions with their answers, at most `limit`; those without an answer only, if so asked. Nothing is opened.
pub async fn list(core: &Core, limit: usize, open_only: bool) -> Result<Consultations, StoreError> {
    let wanted = if open_only { usize::MAX } else { limit };
    let asked = newest(core, SchemaName::ConsultationAsked, None, |found| found.len() >= wanted).await?;
    let oldest = asked.found.last().map(|row| row.index);
    // An answer comes after its question.
    let passed = |found: &[MessageRow]| found.last().map(|row| row.index) < oldest;
    let answered = newest(core, SchemaName::ConsultationAnswered, None, passed).await?;
    let mut answers: HashMap<(Uuid, Oin), MessageRow> = HashMap::new();
    for row in answered.found.into_iter().filter(counts) {
        // Of two answers the later one counts.
        if let Some(case) = row.case {
            answers.entry((case, row.partner)).or_insert(row);
        }
    }
    let pairs = asked.found.into_iter().map(|question| {
        let key = question.case.map(|case| (case, question.partner));
        let answer =
            key.and_then(|key| answers.get(&key)).filter(|answer| answer.direction != question.direction);
        Consultation { answer: answer.cloned(), question }
    });
    let found = pairs.filter(|one| !(open_only && one.answer.is_some())).take(limit).collect();
    Ok(Consultations { found, complete: asked.complete && answered.complete })
}

/// The question with this number, and its answer.
pub async fn one(core: &Core, index: u64) -> Result<Option<Consultation>, StoreError> {
    let asked = SchemaName::ConsultationAsked.message_type();
    let row = core.store.logged(index).await?;
    let Some(question) = row.filter(|row| row.message_type.as_deref() == asked) else { return Ok(None) };
    let answered =
        newest(core, SchemaName::ConsultationAnswered, question.case, |found| !found.is_empty()).await?;
    let answers = |row: &MessageRow| {
        counts(row) && row.partner == question.partner && row.direction != question.direction
    };
    let answer = answered.found.into_iter().find(answers).filter(|_| question.case.is_some());
    Ok(Some(Consultation { question, answer }))
}

/// Messages as they were found.
struct Newest {
    found: Vec<MessageRow>,
    complete: bool,
}

/// The newest messages of a type, until there are enough.
async fn newest(
    core: &Core,
    schema: SchemaName,
    case: Option<Uuid>,
    enough: impl Fn(&[MessageRow]) -> bool,
) -> Result<Newest, StoreError> {
    let (mut found, mut before) = (Vec::new(), None);
    for _ in 0..MAX_READINGS {
        let (message_type, limit) = (schema.message_type(), MAX_ROWS_READ);
        let listed =
            core.store.list(Listing { message_type, case, before, limit, ..Listing::default() }).await?;
        found.extend(listed.rows);
        before = listed.more_before;
        if before.is_none() || enough(&found) {
            return Ok(Newest { found, complete: true });
        }
    }
    Ok(Newest { found, complete: false })
}

fn counts(row: &MessageRow) -> bool {
    !matches!(row.state, State::Refused | State::Undeliverable)
}

/// The question with this number, asked of this organisation and admitted.
pub async fn asked_here(core: &Core, index: u64) -> Result<Option<MessageRow>, StoreError> {
    let row = core.store.logged(index).await?;
    let asked = SchemaName::ConsultationAsked.message_type();
    Ok(row.filter(|row| {
        row.direction == Direction::Inbound
            && row.state == State::Admitted
            && row.message_type.as_deref() == asked
    }))
}
