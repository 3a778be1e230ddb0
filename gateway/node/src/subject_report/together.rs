//! Signals about the resident that this organisation brought together: what it knows of them by that, and no sender does.

use jiff::Timestamp;
use serde::Serialize;
use store::{MultipleSignal, StoreError};

use super::{Organisation, organisation};
use crate::node::Node;

/// Signals of several senders that belong together, as far as they are about the resident.
#[derive(Debug, Serialize)]
pub struct Together {
    /// By which this organisation knows it.
    pub nummer: u64,
    /// Since when.
    pub sinds: Timestamp,
    /// Those about the resident, in their order.
    pub signalen: Vec<Signal>,
    /// How many more there are, about somebody else at the same address.
    pub anderen: usize,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct Signal {
    /// The number of the message.
    pub nummer: u64,
    /// Who sent it.
    pub van: Organisation,
    /// Whether a person decided that it belongs to the others; else nothing differed.
    pub door_medewerker: bool,
}

pub(super) async fn gather(
    node: &Node,
    messages: &[u64],
    now: Timestamp,
) -> Result<Vec<Together>, StoreError> {
    let found = node.core.store.multiple_signals_with(messages, now).await?;
    Ok(found.iter().map(|one| together(node, one, messages)).collect())
}

fn together(node: &Node, one: &MultipleSignal, messages: &[u64]) -> Together {
    let mine = one.signals.iter().filter(|signal| messages.contains(&signal.row.index));
    let signalen: Vec<Signal> = mine
        .map(|signal| Signal {
            nummer: signal.row.index,
            van: organisation(node, signal.row.partner),
            door_medewerker: signal.access.is_some(),
        })
        .collect();
    let anderen = one.signals.len() - signalen.len();
    Together { nummer: one.number, sinds: one.made, signalen, anderen }
}
