//! What the simulation itself knows, apart from the nodes: what was offered, what was promised and what was harmed.

use std::collections::{BTreeMap, BTreeSet};

use exchange::{digest::Digest, entry::Outcome, refusal::Reason};
use node::outbound::Submission;
use uuid::Uuid;

use super::operation::Side;

/// A record of a source.
pub(super) struct Record {
    /// Whose source.
    pub(super) by: Side,
    /// What it offers.
    pub(super) submission: Submission,
    /// The reason to hold it back while an agreement is in force.
    pub(super) refusal: Option<Reason>,
    /// Whether any agreement speaks of it.
    pub(super) agreed: bool,
    /// The last message that was made of it, once that was safe. Those before it were refused or not delivered.
    pub(super) message: Option<Uuid>,
    /// The source got no answer, and offers it again.
    pub(super) unanswered: bool,
}

/// How a message ended at its receiver.
pub(super) type Decision = (Outcome, Option<Reason>);

/// Everything known.
#[derive(Default)]
pub(super) struct Model {
    /// By serial number.
    pub(super) records: Vec<Record>,
    /// Which record each message that is safe was made of.
    pub(super) messages: BTreeMap<Uuid, usize>,
    /// Honest messages admitted at each side, as its receipts said, in that order.
    pub(super) inbox: BTreeMap<Side, Vec<Uuid>>,
    /// What each receiver decided about the bytes of each message from its partner.
    decisions: BTreeMap<(Side, Digest), Decision>,
    /// Cases of which the order was disturbed by damage, or by a person who sent again.
    pub(super) disordered: BTreeSet<Uuid>,
    /// Identifiers that a rogue node used for something else.
    pub(super) stolen: BTreeSet<Uuid>,
    /// Every version of the agreement, the oldest first.
    pub(super) agreements: Vec<Digest>,
    /// Which of them each side knows to have ended.
    pub(super) ended: BTreeMap<Side, BTreeSet<Digest>>,
}

impl Model {
    /// Notes a decision. The receiver sticks to it, however often the message comes.
    pub(super) fn decide(&mut self, at: Side, message: Digest, decision: Decision) -> anyhow::Result<()> {
        let known = *self.decisions.entry((at, message)).or_insert(decision);
        anyhow::ensure!(known == decision, "{at:?} decided {known:?} about {message}, and now {decision:?}");
        Ok(())
    }

    /// Whether a side knows that an agreement has ended.
    pub(super) fn knows_end(&self, side: Side, agreement: &Digest) -> bool {
        self.ended.get(&side).is_some_and(|ended| ended.contains(agreement))
    }

    /// One side learns what the other knows.
    pub(super) fn tell(&mut self, from: Side, to: Side) {
        let known = self.ended.get(&from).cloned().unwrap_or_default();
        self.ended.entry(to).or_default().extend(known);
    }

    /// Whether the receiver decided about these bytes before, as far as is known outside it.
    pub(super) fn is_decided(&self, at: Side, digest: Digest) -> bool {
        self.decisions.contains_key(&(at, digest))
    }

    /// Notes that the message made of a record is safe.
    pub(super) fn queued(&mut self, record: usize, id: Uuid) {
        self.records[record].message = Some(id);
        self.messages.insert(id, record);
    }

    /// Whether another message was made of the same record since.
    pub(super) fn is_replaced(&self, id: Uuid) -> bool {
        self.messages.get(&id).is_some_and(|record| self.records[*record].message != Some(id))
    }

    /// Notes that an honest message was admitted.
    pub(super) fn admit(&mut self, at: Side, id: Uuid) {
        let inbox = self.inbox.entry(at).or_default();
        if !inbox.contains(&id) {
            inbox.push(id);
        }
    }

    /// The case of a message.
    pub(super) fn case(&self, id: Uuid) -> Option<Uuid> {
        self.records[*self.messages.get(&id)?].submission.case
    }
}
