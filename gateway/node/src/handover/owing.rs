//! What this organisation owes another about a handover, and says without a person: what became of a withdrawal, and the
//! withdrawal of an offer that lapsed because the case began elsewhere before.

use std::{sync::Arc, time::Duration};

use exchange::{
    handover::{Act, TAG},
    oin::Oin,
};
use schemas::{Document, SchemaName};
use store::{HandoverCase, MessageRow, StoreError, StoredStep};
use uuid::Uuid;

use super::{answering, case};
use crate::{
    core::Core,
    outbound::{self, Submission, Submitted},
};

/// How many cases are looked at in one round.
const MAX_ROUND: usize = 100;

/// The most that is said about one case in one round: more than one case can owe.
const MAX_SAID: usize = 16;

/// How often is looked without being told that there is something.
const INTERVAL: Duration = Duration::from_secs(30);

/// How long is waited after a full round.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// Runs until cancelled.
pub async fn run(core: Arc<Core>) {
    loop {
        let looked_at = carry_out(&core).await.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot look at handovers now; it is tried again");
            0
        });
        // After a full round there may be more, or what cannot be dealt with now.
        let pause = if looked_at == MAX_ROUND { BETWEEN_ROUNDS } else { INTERVAL };
        let _ = tokio::time::timeout(pause, core.handovers.notified()).await;
    }
}

/// Looks at the cases in which something changed, and says what is owed; returns how many that were.
pub async fn carry_out(core: &Core) -> Result<usize, StoreError> {
    let cases = core.store.handovers_to_do(MAX_ROUND).await?;
    for seen in &cases {
        // One that cannot be dealt with now does not hold up the others.
        if let Err(error) = settle(core, seen.case).await {
            tracing::error!(%error, "cannot say what is owed about a handover now; it is tried again");
        }
    }
    Ok(cases.len())
}

/// Says everything that is owed about a case.
async fn settle(core: &Core, id: Uuid) -> Result<(), StoreError> {
    for _ in 0..MAX_SAID {
        let Some((known, steps)) = case(core, id).await? else { return Ok(()) };
        let said = match known.owed() {
            Some((to, act)) => say(core, (id, &steps), to, &act).await?,
            None => false,
        };
        if !said {
            return core.store.handover_looked_at(HandoverCase { case: id, steps: steps.len() }).await;
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
