//! What this organisation owes another about a handover, and says without a person: what became of a withdrawal, and the
//! withdrawal of an offer that lapsed because the case began elsewhere before. The same rounds tell of terms ([`terms`]).

use std::{sync::Arc, time::Duration};

use exchange::{
    handover::{Act, TAG},
    oin::Oin,
};
use schemas::{Document, SchemaName};
use store::{HandoverCase, MessageRow, StoreError, StoredStep};
use uuid::Uuid;

use super::{answering, case, terms};
use crate::{
    core::Core,
    outbound::{self, Submission, Submitted},
    terms::{BETWEEN_ROUNDS, MAX_ROUND, look_at},
};

/// The most that is said about one case in one round: more than one case can owe.
const MAX_SAID: usize = 16;

/// How often is looked without being told that there is something.
const INTERVAL: Duration = Duration::from_secs(30);

/// Runs until cancelled.
pub async fn run(core: Arc<Core>) {
    let mut rounds = Rounds::default();
    loop {
        let has_more = rounds.carry_out(&core).await.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot look at handovers now; it is tried again");
            false
        });
        let _ = tokio::time::timeout(pause(has_more), core.handovers.notified()).await;
    }
}

/// After a full round there may be more, and that soon.
const fn pause(has_more: bool) -> Duration {
    if has_more { BETWEEN_ROUNDS } else { INTERVAL }
}

/// Where the next round goes on: one that cannot be dealt with now comes up again when all others had their turn.
#[derive(Debug, Default)]
pub struct Rounds {
    changed: Option<HandoverCase>,
    due: Option<HandoverCase>,
}

impl Rounds {
    /// Looks at cases in which something changed or of which a term is due, and says and tells what is to be said and told;
    /// returns whether there may be more.
    pub async fn carry_out(&mut self, core: &Core) -> Result<bool, StoreError> {
        let after = self.changed.take().map(|seen| seen.case);
        let changed = core.store.handovers_to_do(after, MAX_ROUND).await?;
        self.changed = look_at(&changed, MAX_ROUND, |seen| settle(core, seen.case)).await;
        let due = core.store.handovers_due(core.now(), self.due.take(), MAX_ROUND).await?;
        self.due = look_at(&due, MAX_ROUND, |seen| settle(core, seen.case)).await;
        Ok(self.changed.is_some() || self.due.is_some())
    }
}

/// Says everything that is owed about a case, and tells of its terms.
async fn settle(core: &Core, id: Uuid) -> Result<(), StoreError> {
    for _ in 0..MAX_SAID {
        // First how often it changed: what comes after that is looked at again.
        let Some(seen) = core.store.handover_case(id).await? else { return Ok(()) };
        let Some((known, steps)) = case(core, id).await? else { return Ok(()) };
        let said = match known.owed() {
            Some((to, act)) => say(core, (id, &steps), to, &act).await?,
            None => false,
        };
        if !said {
            return terms::tell(core, seen, &known).await;
        }
    }
    tracing::warn!("a handover owes more than is said at a time; it is looked at again");
    Ok(())
}

/// Says one thing that is owed, on the basis of what it is about; whether it may be said.
async fn say(
    core: &Core,
    (id, steps): (Uuid, &[StoredStep]),
    to: Oin,
    act: &Act,
) -> Result<bool, StoreError> {
    let about = match act {
        Act::WithdrawalConfirmed { withdrawal, .. } => *withdrawal,
        Act::Withdrawn { offer, .. } => *offer,
        _ => return Ok(false),
    };
    let Some(index) = steps.iter().find(|step| step.step.message == about).map(|step| step.index) else {
        return Ok(false);
    };
    let Some(row) = core.store.logged(index).await? else { return Ok(false) };
    let Some(document) = document(core, (&row, act)).await? else {
        tracing::error!("a withdrawal of a handover cannot be answered: its purpose gives no basis for that");
        return Ok(false);
    };
    let submission = Submission {
        to,
        purpose: row.purpose.clone().unwrap_or_default(),
        case: Some(id),
        desk: None,
        document,
        source_record: None,
    };
    match outbound::submit(core, vec![submission]).await?.pop() {
        Some(Submitted::Queued(_) | Submitted::QueuedWithout { .. }) => Ok(true),
        Some(Submitted::HeldBack(refusal)) => {
            let reason = refusal.reason.code();
            tracing::error!(
                reason,
                "what is owed about a handover may not be said; a person must look at it"
            );
            Ok(false)
        }
        Some(Submitted::AlreadyOffered) | None => Ok(false),
    }
}

/// The document that says it.
async fn document(core: &Core, (row, act): (&MessageRow, &Act)) -> Result<Option<Document>, StoreError> {
    let schema = match act {
        Act::WithdrawalConfirmed { .. } => SchemaName::HandoverWithdrawalConfirmed,
        Act::Withdrawn { .. } => SchemaName::HandoverWithdrawn,
        _ => return Ok(None),
    };
    let Ok(mut content) = serde_json::to_value(act) else { return Ok(None) };
    if let Some(content) = content.as_object_mut() {
        content.remove(TAG);
    }
    answering::document(core, row, (schema, &content)).await
}

#[cfg(test)]
mod tests;
