//! The path of a message into the organisation, up to the receipt.

use exchange::{
    message::{ReceivedMessage, RefusedMessage, VerifiedMessage},
    oin::Oin,
    policy,
    receipt::Receipt,
    rulebook::Rulebook,
};
use store::{Arrival, StoreError};

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
        let of_nobody = verified.iter().flatten().filter_map(VerifiedMessage::case_of_consent);
        let residents = Residents::of(core, of_nobody.collect()).await?;
        let Decided { arrivals, about_consent, in_handover } =
            decide(core, &ruling.rules, (known, cases, residents), verified);
        match core.store.file(ruling.version, arrivals).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            filed => {
                let receipt = filed?;
                if about_consent {
                    core.endings.notify_one();
                }
                if in_handover {
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

/// What comes of a delivery.
struct Decided {
    arrivals: Vec<Arrival>,
    /// Whether something in it ends, extends or answers a consent.
    about_consent: bool,
    /// Whether something in it is part of a handover.
    in_handover: bool,
}

/// Decides in the order of the delivery: what a message says of a consent, or does in a handover, counts for those after it.
fn decide(
    core: &Core,
    rules: &Rulebook,
    (mut known, mut cases, mut residents): (Knowledge, Cases, Residents),
    verified: Vec<Result<VerifiedMessage, RefusedMessage>>,
) -> Decided {
    let now = core.now();
    let (mut about_consent, mut in_handover) = (false, false);
    let mut arrivals = Vec::with_capacity(verified.len());
    for message in verified {
        let decided = message.and_then(|message| {
            let consent = known.for_message(&message);
            let case = cases.about(message.handover_case());
            let resident = residents.about(message.case_of_consent());
            message.admit(rules, policy::Knowledge { consent, case, resident }, now)
        });
        if let Ok(admitted) = &decided {
            in_handover |= admitted.step().is_some();
            let consent = admitted.consent().map(|used| used.key);
            residents.learn(admitted.case(), admitted.document(), consent);
            cases.learn(core, admitted.case(), admitted.step());
        }
        if let Some(event) = decided.as_ref().ok().and_then(|admitted| admitted.event()) {
            known.learn(event);
            about_consent = true;
        }
        arrivals.push(Arrival::new(decided, now));
    }
    Decided { arrivals, about_consent, in_handover }
}

#[cfg(test)]
mod tests;
