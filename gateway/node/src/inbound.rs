//! The path of a message into the organisation, up to the receipt.

use exchange::{
    message::ReceivedMessage, oin::Oin, policy::ConsentKnowledge, receipt::Receipt, rulebook::Rulebook,
};
use jiff::Timestamp;
use store::{Admitted, Arrival, StoreError, Verdict};

use crate::core::Core;

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
        let arrivals = lines.iter().map(|line| arrival(core.me, &ruling.rules, peer, line, now)).collect();
        match core.store.file(peer, ruling.version, arrivals, now).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            filed => return Ok(filed?),
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

fn arrival(me: Oin, rules: &Rulebook, peer: Oin, line: &str, now: Timestamp) -> Arrival {
    let decided = ReceivedMessage::new(line, peer)
        .verify(me, rules, now)
        .and_then(|verified| verified.admit(rules, ConsentKnowledge::NothingElse, now));
    match decided {
        Ok(message) => Arrival {
            id: Some(message.id()),
            digest: message.digest(),
            leaf: message.leaf(now),
            conflict_leaf: message.conflict_leaf(now),
            verdict: Verdict::Admitted(Admitted {
                case: message.case(),
                message_type: message.message_type().to_owned(),
                purpose: message.purpose().to_owned(),
                agreement: message.agreement(),
                desk: message.desk().map(str::to_owned),
                jws: message.compact().to_owned(),
                created: message.created(),
                expires: message.expires(),
            }),
        },
        Err(refused) => Arrival {
            id: refused.id(),
            digest: refused.digest(),
            leaf: refused.leaf(now),
            conflict_leaf: refused.conflict_leaf(now),
            verdict: Verdict::Refused { reason: refused.refusal().reason.code().to_owned() },
        },
    }
}

#[cfg(test)]
mod tests;
