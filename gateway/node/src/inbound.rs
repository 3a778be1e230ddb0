//! The path of a message into the organisation, up to the receipt.

use std::collections::{BTreeMap, HashSet};

use exchange::{
    desk::{self, Work},
    message::{AdmittedMessage, ReceivedMessage, RefusedMessage, VerifiedMessage},
    oin::Oin,
    policy,
    receipt::Receipt,
    rulebook::Rulebook,
};
use store::{Arrival, StoreError};
use uuid::Uuid;

use crate::{
    consent::{Knowledge, residents::Residents},
    core::Core,
    handover::Cases,
};

/// The most messages in one delivery.
pub const MAX_MESSAGES: usize = 256;
/// The largest delivery, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A delivery that gets no receipt.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// Not lines of text, or no line at all.
    #[error("the delivery is not one compact JWS per line")]
    Unreadable,
    /// Too many lines or too many bytes.
    #[error("a delivery holds at most {MAX_MESSAGES} messages and {MAX_BYTES} bytes")]
    TooLarge,
    /// The outcome could not be made durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies, decides and files every message of a delivery. The receipt exists once every outcome is durable.
pub async fn receive(core: &Core, peer: Oin, body: &[u8]) -> Result<Receipt, InboundError> {
    let (lines, now) = (lines(body)?, core.now());
    let mut ruling = core.ruling();
    loop {
        let verified: Vec<_> = lines
            .iter()
            .map(|line| ReceivedMessage::new(line, peer).verify(core.me, &ruling.rules, now))
            .collect();
        let known = Knowledge::of_all(core, verified.iter().flatten()).await?;
        let cases = verified.iter().flatten().filter_map(VerifiedMessage::handover_case);
        let cases = Cases::of(core, cases.collect()).await?;
        let bound = bound_before(core, peer, &verified).await?;
        let of_nobody = verified.iter().flatten().filter_map(VerifiedMessage::case_of_consent);
        let residents = Residents::of(core, of_nobody.collect()).await?;
        let Decided { arrivals, about_consent, owes } =
            decide(core, &ruling.rules, (known, cases, bound, residents), verified);
        match core.store.file(ruling.version, arrivals).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            filed => {
                let receipt = filed?;
                if about_consent {
                    core.endings.notify_one();
                }
                if owes {
                    core.handovers.notify_one();
                }
                return Ok(receipt);
            }
        }
    }
}

fn lines(body: &[u8]) -> Result<Vec<&str>, InboundError> {
    if body.len() > MAX_BYTES {
        return Err(InboundError::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| InboundError::Unreadable)?;
    let lines: Vec<&str> =
        text.strip_suffix('\n').unwrap_or(text).split('\n').take(MAX_MESSAGES + 1).collect();
    match lines.len() {
        _ if lines.iter().any(|line| line.is_empty()) => Err(InboundError::Unreadable),
        count if count > MAX_MESSAGES => Err(InboundError::TooLarge),
        _ => Ok(lines),
    }
}

/// Of messages that follow each other in a case, which were filed before. What comes again is not taken in once more, so what
/// follows it does not count it.
async fn bound_before(
    core: &Core,
    peer: Oin,
    verified: &[Result<VerifiedMessage, RefusedMessage>],
) -> Result<HashSet<Uuid>, StoreError> {
    let mut of_cases: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for message in verified.iter().flatten() {
        if let Some(case) = message.handover_case() {
            of_cases.entry(case).or_default().push(message.id());
        }
    }
    let ids: Vec<Uuid> = of_cases.into_values().filter(|ids| ids.len() > 1).flatten().collect();
    if ids.is_empty() { Ok(HashSet::new()) } else { core.store.bound_by(peer, &ids).await }
}

/// What comes of a delivery.
struct Decided {
    arrivals: Vec<Arrival>,
    /// Whether something in it ends, extends or answers a consent.
    about_consent: bool,
    /// Whether this organisation owes an answer about a handover after it.
    owes: bool,
}

/// Decides in the order of the delivery: what a message says of a consent, or does in a handover, counts for those after it.
fn decide(
    core: &Core,
    rules: &Rulebook,
    (mut known, mut cases, mut bound, mut residents): (Knowledge, Cases, HashSet<Uuid>, Residents),
    verified: Vec<Result<VerifiedMessage, RefusedMessage>>,
) -> Decided {
    let now = core.now();
    let (mut about_consent, mut owes) = (false, false);
    let mut arrivals = Vec::with_capacity(verified.len());
    for message in verified {
        let is_known = message.as_ref().is_ok_and(|message| !bound.insert(message.id()));
        let decided = message.and_then(|message| {
            let consent = known.for_message(&message);
            let case = cases.about(message.handover_case());
            let resident = residents.about(message.case_of_consent());
            message.admit(rules, policy::Knowledge { consent, case, resident }, now)
        });
        if let Ok(admitted) = &decided {
            owes |= admitted.step().is_some_and(|taken| taken.owes);
            let consent = admitted.consent().map(|used| used.key);
            residents.learn(admitted.case(), admitted.document(), consent);
            if !is_known {
                cases.learn(core, admitted.case(), admitted.step());
            }
        }
        if let Some(event) = decided.as_ref().ok().and_then(|admitted| admitted.event()) {
            known.learn(event);
            about_consent = true;
        }
        let desk = decided.as_ref().ok().and_then(|admitted| arrives_at(core, admitted));
        arrivals.push(Arrival::new(decided, now).at_desk(desk));
    }
    Decided { arrivals, about_consent, owes }
}

/// The desk of this organisation where a message arrives.
fn arrives_at(core: &Core, message: &AdmittedMessage) -> Option<String> {
    let work = Work { purpose: message.purpose(), message_type: message.message_type() };
    desk::receive(&core.desks.load(), message.desk(), work, core.now())
}

#[cfg(test)]
mod tests;
