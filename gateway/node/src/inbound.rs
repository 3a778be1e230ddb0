//! The path of a message into the organisation, up to the receipt.

use exchange::{
    message::ReceivedMessage, oin::Oin, policy::ConsentKnowledge, receipt::Receipt, rulebook::Rulebook,
};
use jiff::Timestamp;
use store::{Arrival, StoreError};

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
        match core.store.file(ruling.version, arrivals).await {
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
    Arrival::new(decided, now)
}

#[cfg(test)]
mod tests;
