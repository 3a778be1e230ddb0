//! Handovers at this node: what it knows of a case before it decides about one more message, and what it says by itself.
//!
//! - this file: what the path of a message asks
//! - [`answering`]: the document that answers an offer
//! - [`page`]: which cases there are
//! - [`saying`]: what a person says about an offer
//! - [`owing`]: what this organisation owes another, such as what became of a withdrawal; said without a person
//! - [`terms`]: reminding before a term ends, escalating when it ended

use std::collections::{BTreeSet, HashMap};

use exchange::handover::{Case, Taken, is_handover};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use store::{StoreError, StoredStep};
use uuid::Uuid;

use crate::core::Core;

pub mod answering;
pub mod owing;
pub mod page;
pub mod saying;
pub mod terms;

/// What is known of some cases.
#[derive(Debug, Default)]
pub(crate) struct Cases(HashMap<Uuid, Case>);

impl Cases {
    /// What the store knows of these now. The store holds what comes of it against what it knows then.
    pub(crate) async fn of(core: &Core, cases: BTreeSet<Uuid>) -> Result<Self, StoreError> {
        if cases.is_empty() {
            return Ok(Self::default());
        }
        let steps = core.store.handover_steps(&cases).await?;
        Ok(Self(steps.into_iter().map(|(case, steps)| (case, replayed(core, &steps))).collect()))
    }

    /// What is known of one.
    pub(crate) fn about(&self, case: Option<Uuid>) -> Option<&Case> {
        self.0.get(&case?)
    }

    /// A message that comes before others of the same batch belongs to it.
    pub(crate) fn learn(&mut self, core: &Core, case: Uuid, taken: Option<&Taken>) {
        if let Some(taken) = taken {
            // It was allowed a moment ago, with this same case.
            let _ = self.0.entry(case).or_insert_with(|| Case::new(core.me)).take(&taken.step);
        }
    }
}

fn replayed(core: &Core, steps: &[StoredStep]) -> Case {
    Case::replay(core.me, steps.iter().map(|step| (&step.step, step.standing())))
}

/// A case as this organisation knows it, with the messages that made it so; nothing when nothing of it was handed over.
pub async fn case(core: &Core, id: Uuid) -> Result<Option<(Case, Vec<StoredStep>)>, StoreError> {
    let steps = core.store.handover_steps(&BTreeSet::from([id])).await?.remove(&id);
    Ok(steps.map(|steps| (replayed(core, &steps), steps)))
}

/// Adds to an offer, or to what takes one back, with which offer the handing over of the case began.
pub(crate) async fn fill_in(
    core: &Core,
    document: Document,
    id: Option<Uuid>,
) -> Result<Document, StoreError> {
    let (Some(id), true) = (id, is_handover(document.schema())) else { return Ok(document) };
    let Some((known, _)) = case(core, id).await? else { return Ok(document) };
    let root = match document.schema() {
        SchemaName::HandoverOffered => known.root(),
        SchemaName::HandoverWithdrawn => offer_of(&document).and_then(|offer| known.offer(offer)?.root()),
        _ => None,
    };
    let Some(root) = root else { return Ok(document) };
    let mut value = document.value().clone();
    if value["inhoud"].get(ROOT).is_some() {
        return Ok(document);
    }
    value["inhoud"][ROOT] = json!(root);
    Ok(written(document.schema(), &value).unwrap_or(document))
}

const ROOT: &str = "eerste_aanbod_id";

fn offer_of(document: &Document) -> Option<Uuid> {
    document.value()["inhoud"]["aanbod_id"].as_str()?.parse().ok()
}

fn written(schema: SchemaName, value: &Value) -> Option<Document> {
    Document::parse(schema, value.to_string().as_bytes()).ok()
}
