//! A resident withdraws a consent at an organisation that received something under it, and not at its holder.

use exchange::consent::{ConsentKey, Extract};
use jiff::Timestamp;
use schemas::SchemaName;
use serde_json::json;
use store::{Access, ConsentRow, ConsentState, State, StoreError, Untold};

use super::{
    ending::{about, signed},
    reaching::{Way, usual_or},
    register::RegisterError,
    resident_of,
};
use crate::core::Core;

/// What there was to do when a resident withdrew a consent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Its holder is told.
    Now,
    /// That was said here before.
    Before,
    /// The holder withdrew it already.
    AtHolder,
}

/// Tells the holder of a consent that the resident withdrew it here, as somebody decided. From the moment this returns
/// nothing rests on it here; what came under it is erased when the holder's own withdrawal comes. The node tells the holder
/// until that does.
pub async fn report(
    core: &Core,
    access: Access,
    key: ConsentKey,
    at: Timestamp,
) -> Result<Heard, RegisterError> {
    let unknown = RegisterError::Unknown(key.id);
    let Some(known) = core.store.consent(key).await?.filter(|_| key.holder != core.me) else {
        return Err(unknown);
    };
    if known.state == ConsentState::Withdrawn {
        return Ok(Heard::AtHolder);
    }
    if known.extract.is_none() || core.store.first_received_under(key).await?.is_none() {
        return Err(unknown);
    }
    let is_new = known.reported.is_none();
    if is_new {
        let person = resident_of(core, key).await?;
        core.store.record_consent_decision(access, key.id, person.as_ref()).await?;
        // From here on the node does what is left, whatever happens to this process.
        core.store.stop_consent(key, at, core.now()).await?;
    }
    tell_holder(core, key).await?;
    core.endings.notify_one();
    Ok(if is_new { Heard::Now } else { Heard::Before })
}

/// Whether the message that tells the holder is under way or was taken.
fn is_told(known: &ConsentRow) -> bool {
    matches!(known.reported_by, Some((_, State::Waiting | State::Admitted)))
}

/// Tells the holder that a consent was withdrawn here, when no message does.
pub(super) async fn tell_holder(core: &Core, key: ConsentKey) -> Result<(), StoreError> {
    let mut ruling = core.ruling();
    loop {
        let Some(known) = core.store.consent(key).await? else { return Ok(()) };
        if known.state == ConsentState::Withdrawn || is_told(&known) {
            return Ok(());
        }
        let (Some(at), Some(extract)) = (known.reported, &known.extract) else { return Ok(()) };
        let Some(first) = core.store.first_received_under(key).await? else { return Ok(()) };
        let Some(usual) = core.store.came_under(first).await? else { return Ok(()) };
        let purposes = Extract::peek(extract).map(|terms| terms.purposes).unwrap_or_default();
        let way = Way { core, rules: &ruling.rules, party: key.holder, purposes: &purposes };
        let other = || way.best(|agreement| Extract::read(extract, agreement).is_ok());
        let to = usual_or((core, &ruling.rules), Untold { party: key.holder, ..usual }, other);
        let content = json!({
            "toestemming_id": key.id, "houder": key.holder, "ingetrokken_op": at, "uittreksel": extract,
        });
        let document = about(SchemaName::ConsentWithdrawn, &content)?;
        let Some(message) = signed(core, &ruling.rules, &to, &document) else { return Ok(()) };
        match core.store.tell_of_end(ruling.version, vec![message.that_tells(key)]).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            told => {
                core.work.notify_one();
                return told.map(drop);
            }
        }
    }
}
