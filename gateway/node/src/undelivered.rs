//! What was sent and did not arrive: for whom it waits and why, and what a person can do about it.

use std::collections::{BTreeMap, btree_map::Entry};

use exchange::{consent::event::is_about_consent, oin::Oin, refusal};
use jiff::Timestamp;
use schemas::SchemaName;
use store::{
    Access, Decision, Direction, ERASED_REASON, GivenUp, MessageRow, PartnerState, State, StoreError,
    UNREADABLE_REASON, Undelivered, UndeliveredRows,
};

use crate::{
    core::Core,
    outbound::{self, ResendError},
};

/// The most messages that are sent again or given up by one decision.
pub const MAX_AT_ONCE: usize = 256;

/// The most that is read to find what one decision is about, in readings.
const MAX_READINGS: usize = 50;

/// What waits for an organisation, and how it is with reaching it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// For whom.
    pub to: Oin,
    /// How many messages.
    pub waiting: u64,
    /// When the one was made that stands in front.
    pub oldest: Timestamp,
    /// How it is with reaching it.
    pub state: PartnerState,
}

/// For whom something waits, who waits longest first.
pub async fn waiting(core: &Core) -> Result<Vec<Waiting>, StoreError> {
    let mut waiting = Vec::new();
    for queue in core.store.queues().await? {
        let state = core.store.partner_state(queue.to).await?;
        waiting.push(Waiting { to: queue.to, waiting: queue.waiting, oldest: queue.oldest, state });
    }
    Ok(waiting)
}

/// Messages that did not arrive, each with why, and what to do about it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The oldest first.
    pub rows: Vec<(MessageRow, String)>,
    /// There may be more after this place in the log.
    pub more_after: Option<u64>,
}

/// Finds messages that did not arrive.
pub async fn find(core: &Core, which: Undelivered) -> Result<Found, StoreError> {
    let UndeliveredRows { rows, more_after } = core.store.undelivered(which).await?;
    let mut states: BTreeMap<Oin, PartnerState> = BTreeMap::new();
    let mut found = Found { rows: Vec::with_capacity(rows.len()), more_after };
    for row in rows {
        let state = match states.entry(row.partner) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(core.store.partner_state(row.partner).await?),
        };
        let why = why(core, &row, state);
        found.rows.push((row, why));
    }
    Ok(found)
}

/// Why a message did not arrive and what to do about it, in Dutch.
fn why(core: &Core, row: &MessageRow, state: &PartnerState) -> String {
    if row.state == State::Waiting {
        if !core.partners().contains_key(&row.partner) {
            return "De ontvanger is geen partner (meer). Voeg hem toe met `schakel partner toevoegen`, of geef het bericht op.".into();
        }
        let failure = state.failure.clone();
        return failure.unwrap_or_else(|| "Het staat klaar en gaat weg zodra het knooppunt draait.".into());
    }
    reason(row.reason.as_deref())
}

/// What a reason of a message that was refused, not delivered or given up means, in Dutch.
pub fn reason(code: Option<&str>) -> String {
    let Some(code) = code else { return "De reden is niet bekend.".into() };
    if let Some(given_up) = GivenUp::of_code(code) {
        return match given_up {
            GivenUp::ArrangedOtherwise => "Opgegeven: het is op een andere manier geregeld.",
            GivenUp::NotNeeded => "Opgegeven: het is niet meer nodig.",
            GivenUp::WrongReceiver => "Opgegeven: het was voor een andere organisatie bedoeld.",
            GivenUp::ReceiverStopped => "Opgegeven: de ontvanger doet niet meer mee.",
        }
        .into();
    }
    match code {
        ERASED_REASON => "Het bericht is hier gewist voordat het aankwam.".into(),
        UNREADABLE_REASON => {
            "Het bericht is op dit knooppunt beschadigd. Bied het opnieuw aan vanuit het bronsysteem.".into()
        }
        // What the driver found is a sentence already.
        other => refusal::Reason::of_code(other).map_or_else(
            || format!("{other}. Vraag de beheerder van de ontvanger wat er is."),
            |reason| reason.sentence().to_owned(),
        ),
    }
}

/// What one decision is about.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// These messages, by their place in the log.
    These(Vec<u64>),
    /// Everything that is found, at most [`MAX_AT_ONCE`], and only if that is exactly so many.
    Found {
        /// What is looked for.
        which: Undelivered,
        /// How many whoever decides saw.
        expected: Option<usize>,
    },
}

/// A decision about several messages could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum UndeliveredError {
    /// There is none.
    #[error("er is geen bericht dat hieraan voldoet; `schakel bezorging lijst` laat zien wat er is")]
    Nothing,
    /// Too many at once.
    #[error("dit zijn er meer dan {MAX_AT_ONCE}. Kies minder, met --partner, --doel, --sinds of --aantal")]
    TooMany,
    /// Whoever decides did not say how many, or something else than there is.
    #[error("het gaat om {0} berichten. Klopt dat, geef dan --bevestig {0}; er is nog niets gedaan")]
    NotConfirmed(usize),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of a decision about several messages.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// It was done to these.
    pub done: Vec<u64>,
    /// And not to these, with why, in Dutch.
    pub not: Vec<(u64, String)>,
}

/// Has messages that could not be delivered sent again, behind everything that waits. Those of which can be told that they
/// may not go are left out; the decision about the others is on record before any of them is queued.
pub async fn retry(core: &Core, access: Access, chosen: Chosen) -> Result<Done, UndeliveredError> {
    let (rows, mut outcome) = rows(core, chosen).await?;
    let mut may = Vec::new();
    for row in &rows {
        match outbound::may_go_again(core, row) {
            Ok(()) => may.push(row.index),
            Err(error) => outcome.not.push((row.index, error.to_string())),
        }
    }
    if may.is_empty() {
        return Ok(outcome);
    }
    core.store.record_decision(access, Decision::OpnieuwVersturen, &may).await?;
    for index in may {
        match outbound::go_again(core, index).await {
            Ok(()) => outcome.done.push(index),
            Err(ResendError::Store(error)) => return Err(error.into()),
            Err(error) => outcome.not.push((index, error.to_string())),
        }
    }
    core.work.notify_one();
    Ok(outcome)
}

/// Gives messages up, for good. What tells the end of a consent is not given up: it carries out a right of the resident.
pub async fn give_up(
    core: &Core,
    access: Access,
    chosen: Chosen,
    why: GivenUp,
) -> Result<Done, UndeliveredError> {
    let (rows, mut outcome) = rows(core, chosen).await?;
    let mut may = Vec::new();
    for row in &rows {
        match may_be_given_up(row) {
            Ok(()) => may.push(row.index),
            Err(reason) => outcome.not.push((row.index, reason.to_owned())),
        }
    }
    if may.is_empty() {
        return Ok(outcome);
    }
    core.store.record_decision(access, Decision::Opgeven, &may).await?;
    for index in may {
        match core.store.give_up(index, why, core.now()).await {
            Ok(()) => outcome.done.push(index),
            Err(StoreError::NotFound(_)) => outcome.not.push((index, ARRIVED.to_owned())),
            Err(error) => return Err(error.into()),
        }
    }
    // What it did in a handover is to be looked at.
    core.handovers.notify_one();
    Ok(outcome)
}

const ARRIVED: &str =
    "dit bericht wacht niet en is niet onbestelbaar: het is al aangekomen, geweigerd of opgegeven";

fn may_be_given_up(row: &MessageRow) -> Result<(), &'static str> {
    let given_up = row.reason.as_deref().and_then(GivenUp::of_code).is_some();
    if !matches!(row.state, State::Waiting | State::Undeliverable)
        || row.direction != Direction::Outbound
        || given_up
    {
        return Err(ARRIVED);
    }
    let schema = row.message_type.as_deref().and_then(SchemaName::of_message_type);
    if schema.is_some_and(is_about_consent) {
        return Err(
            "dit bericht voert een recht van de inwoner uit en moet aankomen; neem contact op met de ontvanger",
        );
    }
    Ok(())
}

/// The messages that a decision is about, and what is not there.
async fn rows(core: &Core, chosen: Chosen) -> Result<(Vec<MessageRow>, Done), UndeliveredError> {
    let mut outcome = Done::default();
    let rows = match chosen {
        Chosen::These(mut indexes) => {
            indexes.sort_unstable();
            indexes.dedup();
            if indexes.len() > MAX_AT_ONCE {
                return Err(UndeliveredError::TooMany);
            }
            let mut rows = Vec::with_capacity(indexes.len());
            for index in indexes {
                match core.store.logged(index).await? {
                    Some(row) => rows.push(row),
                    None => outcome.not.push((index, "dit bericht is er niet".to_owned())),
                }
            }
            rows
        }
        Chosen::Found { which, expected } => {
            let rows = all(core, which).await?;
            if rows.is_empty() {
                return Err(UndeliveredError::Nothing);
            }
            if expected != Some(rows.len()) {
                return Err(UndeliveredError::NotConfirmed(rows.len()));
            }
            rows
        }
    };
    Ok((rows, outcome))
}

/// Everything that is found, as many as are asked for: a reading can end before its limit.
async fn all(core: &Core, which: Undelivered) -> Result<Vec<MessageRow>, UndeliveredError> {
    let limit = which.limit.min(MAX_AT_ONCE);
    let mut which = Undelivered { limit, ..which };
    let mut rows = Vec::new();
    for _ in 0..MAX_READINGS {
        let found = core.store.undelivered(which.clone()).await?;
        rows.extend(found.rows);
        which.limit = limit.saturating_sub(rows.len());
        which.after = found.more_after;
        if which.limit == 0 || which.after.is_none() {
            break;
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
