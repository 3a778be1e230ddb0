//! Terms at this node, of offers and of signals: looking at them in rounds, and saying in the log of the program what is told.
//!
//! Both sides follow the same terms by the same messages, so nothing is sent for it. What was told is kept, and so is when to
//! look again: a restart, a night without the node or a clock that is set back repeats nothing and forgets nothing.

use std::time::Duration;

use exchange::term::{Awaited, Notice, Term};
use store::StoreError;

use crate::core::Core;

/// How many are looked at in one round.
pub(crate) const MAX_ROUND: usize = 100;

/// How long is waited after a full round.
pub(crate) const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// Looks at what was found. One that cannot be dealt with now holds up no other. Gives the last, when so many make a full round:
/// the next goes on after it, so that such a one comes up again when all others had their turn.
pub(crate) async fn look_at<T: Copy, S: Future<Output = Result<(), StoreError>>>(
    found: &[T],
    full: usize,
    settle: impl Fn(T) -> S,
) -> Option<T> {
    for seen in found {
        if let Err(error) = settle(*seen).await {
            tracing::error!(%error, "cannot look at a term now; it is tried again");
        }
    }
    found.last().filter(|_| found.len() >= full).copied()
}

/// Says that this was told.
pub(crate) fn log(core: &Core, term: &Term, notice: Notice) {
    let (by, awaited) = (term.by, term.awaited.as_str());
    let is_ours = term.by == core.me;
    match (notice, term.awaited) {
        (Notice::Reminder, Awaited::Outcome) => {
            tracing::warn!(%by, is_ours, "a term of a signal ends soon; `schakel signalen termijnen` shows which");
        }
        (Notice::Escalation, Awaited::Outcome) => {
            tracing::error!(
                %by, is_ours,
                "a term of a signal ended without a first conversation or an outcome; it is for the process managers of both organisations. `schakel signalen termijnen` shows which"
            );
        }
        (Notice::Reminder, _) => {
            tracing::warn!(%by, is_ours, awaited, "a term of a handover ends soon; `schakel overdracht lijst` shows which");
        }
        (Notice::Escalation, Awaited::Answer | Awaited::Supplement) => {
            tracing::error!(
                %by, is_ours, awaited,
                "a term of a handover ended without an answer; it is for the process managers of both organisations. `schakel overdracht lijst` shows which"
            );
        }
        (Notice::Escalation, Awaited::FirstContact) => {
            tracing::error!(
                %by, is_ours, awaited,
                "a resident was not contacted in time after a handover; it is for the process managers of both organisations. `schakel overdracht lijst` shows which"
            );
        }
    }
}

#[cfg(test)]
mod tests;
