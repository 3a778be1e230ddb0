//! A resident withdraws a consent at an organisation that received something under it, and not at its holder.

use exchange::{consent::ConsentKey, person::Identity};
use jiff::Timestamp;
use schemas::SchemaName;
use serde_json::json;
use store::{Access, ConsentState, Outgoing, Priority, StoreError, Untold};

use super::{
    ending::{about, signed},
    register::RegisterError,
};
use crate::core::Core;

/// Tells the holder of a consent that the resident withdrew it here, as somebody decided. From the moment this returns nothing rests on it
/// here; what came under it is erased when the holder's own withdrawal comes. Says whether the holder is told now: not
/// when it withdrew the consent already. Telling it once more does no harm.
pub async fn report(
    core: &Core,
    access: Access,
    key: ConsentKey,
    at: Timestamp,
) -> Result<bool, RegisterError> {
    let unknown = RegisterError::Unknown(key.id);
    let Some(known) = core.store.consent(key).await?.filter(|_| key.holder != core.me) else {
        return Err(unknown);
    };
    if known.state == ConsentState::Withdrawn {
        return Ok(false);
    }
    let first = core.store.first_received_under(key).await?;
    let (Some(extract), Some(first)) = (known.extract, first) else { return Err(unknown) };
    let under = core.store.came_under(first).await?;
    let Some(to) = under.map(|under| Untold { party: key.holder, ..under }) else { return Err(unknown) };
    let content = json!({
        "toestemming_id": key.id, "houder": key.holder, "ingetrokken_op": at, "uittreksel": extract,
    });
    let document = about(SchemaName::ConsentWithdrawn, &content)?;
    let person = resident_of(core, first).await?;
    core.store.record_consent_decision(access, key.id, person.as_ref()).await?;
    let mut ruling = core.ruling();
    loop {
        let message = signed(core, &ruling.rules, &to, &document).ok_or(RegisterError::Signature)?;
        let message: Outgoing = message.with_priority(Priority::First);
        match core.store.enqueue(ruling.version, vec![message], Vec::new()).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            queued => {
                queued?;
                break;
            }
        }
    }
    // Only now: whoever is cut off before has not said anything yet, and says it again.
    core.store.stop_consent(key, at, core.now()).await?;
    core.work.notify_one();
    Ok(true)
}

/// About whom a message is, for finding the decision by; nobody when it was erased.
async fn resident_of(core: &Core, message: u64) -> Result<Option<Identity>, StoreError> {
    match core.store.payload_for_machine_check(message).await {
        Ok(text) => Ok(Identity::of_message(&text)),
        Err(StoreError::Erased | StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
