//! Passing a message on to another desk of this organisation. The case stays the same, and so does the purpose; whether what came in
//! may still be used, and whether that desk takes it, is looked at again.

use exchange::{
    calendar,
    consent::ConsentKey,
    desk::{self, Work},
    policy::ConsentKnowledge,
};
use jiff::Timestamp;
use store::{Access, Decision, Direction, MessageRow, State, StoreError};

use crate::core::Core;

/// A message cannot be passed on to that desk.
#[derive(Debug, thiserror::Error)]
pub enum PassingError {
    /// Nothing came in under this number.
    #[error(
        "bericht {0} is hier niet binnengekomen en toegelaten; `schakel berichten --richting in --stand toegelaten` laat zien wat er is"
    )]
    NotReceived(u64),
    /// It is not kept any more.
    #[error("bericht {0} is gewist, of mag niet langer worden bewaard; er is niets meer om door te geven")]
    NotKept(u64),
    /// What it rested on ended.
    #[error("bericht {index} steunt op toestemming {}, en die is ingetrokken of verlopen: het mag niet meer worden gebruikt", consent.id)]
    ConsentOver {
        /// The message.
        index: u64,
        /// The consent.
        consent: ConsentKey,
    },
    /// There is no such desk, or it does not take this.
    #[error(
        "het loket `{desk}` is er niet, is dicht, of neemt dit niet aan. Wel: {}", if takers.is_empty() { "geen enkel loket" } else { takers }
    )]
    WrongDesk {
        /// The desk.
        desk: String,
        /// The desks that do, for people.
        takers: String,
    },
    /// It is there already.
    #[error("bericht {0} is al bij dat loket")]
    SameDesk(u64),
    /// Somebody passed it on meanwhile.
    #[error("bericht {0} is net door iemand anders doorgegeven of gewist; kijk opnieuw waar het is")]
    Overtaken(u64),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Passes a message that came in on to another desk of this organisation, as somebody decided; that is on record first. Gives the
/// message as it was.
pub async fn to_desk(
    core: &Core,
    mut access: Access,
    index: u64,
    to: &str,
) -> Result<MessageRow, PassingError> {
    let now = core.now();
    let row = core.store.logged(index).await?.ok_or(PassingError::NotReceived(index))?;
    if (row.direction, row.state) != (Direction::Inbound, State::Admitted) {
        return Err(PassingError::NotReceived(index));
    }
    may_still_be_used(core, &row, now).await?;
    takes(core, &row, to, now)?;
    if row.desk.as_deref() == Some(to) {
        return Err(PassingError::SameDesk(index));
    }
    access.why.case = access.why.case.or(row.case);
    core.store.record_decision(access, Decision::Doorgeven, &[index]).await?;
    match core.store.pass_on(index, row.desk.clone(), to.to_owned()).await {
        Err(StoreError::NotFound(_)) => Err(PassingError::Overtaken(index)),
        passed => Ok(passed.map(|()| row)?),
    }
}

/// Whether what came in may still be used, for what it came in for.
async fn may_still_be_used(core: &Core, row: &MessageRow, now: Timestamp) -> Result<(), PassingError> {
    if row.erased.is_some() || row.keep_until.is_some_and(|until| until <= now) {
        return Err(PassingError::NotKept(row.index));
    }
    let Some(key) = row.consent else { return Ok(()) };
    let known = core.store.consent_knowledge(&[key].into()).await?;
    let over = match known.get(&key) {
        Some(ConsentKnowledge::Withdrawn) => true,
        Some(ConsentKnowledge::ValidUntil(until)) => *until <= now,
        Some(ConsentKnowledge::NothingElse) | None => false,
    };
    if over { Err(PassingError::ConsentOver { index: row.index, consent: key }) } else { Ok(()) }
}

/// Whether the desk is there and takes this.
fn takes(core: &Core, row: &MessageRow, to: &str, now: Timestamp) -> Result<(), PassingError> {
    let (desks, day) = (core.desks.load(), calendar::day(now));
    let (purpose, message_type) = (row.purpose.as_deref(), row.message_type.as_deref());
    let work = Work { purpose: purpose.unwrap_or_default(), message_type: message_type.unwrap_or_default() };
    let takers: Vec<&str> = desk::takers(&desks, work, day).map(|desk| desk.loket.as_str()).collect();
    if takers.contains(&to) {
        return Ok(());
    }
    Err(PassingError::WrongDesk { desk: to.to_owned(), takers: takers.join(", ") })
}
