//! What must hold all the time: everything that a node stored since the last look is held against what it knew then.

use anyhow::{Context as _, ensure};
use exchange::refusal::Reason;
use serde_json::Value;
use store::{ConsentState, Direction, Filter, MessageRow, State, StoreError};
use uuid::Uuid;

use super::{
    documents,
    operation::{CONSENTS, Ground, Org, Way},
    world::{Sent, World},
};

/// Why a message may be refused before consent is looked at.
const EARLIER: [Reason; 4] =
    [Reason::Expired, Reason::WrongTime, Reason::AgreementNotInForce, Reason::DuplicateWithOtherContent];

impl World {
    /// Looks at all that is new at a node, in the order of its log.
    pub(super) fn look(&mut self, org: Org) -> anyhow::Result<()> {
        loop {
            let filter = Filter {
                after: self.looked_at.get(&org).copied(),
                limit: store::MAX_ROWS_READ,
                ..Filter::default()
            };
            let rows = self.at(org).steady(async |core| core.store.messages(filter).await)??;
            let Some(last) = rows.last() else { break };
            self.looked_at.insert(org, last.index);
            for row in &rows {
                self.look_at(org, row).with_context(|| format!("{org:?}: {row:?}"))?;
            }
        }
        self.nothing_waits_in_vain(org)
    }

    fn look_at(&mut self, org: Org, row: &MessageRow) -> anyhow::Result<()> {
        match (row.direction, row.message_type.as_deref()) {
            (Direction::Outbound, Some(documents::SIGNAL)) => self.sends(org, row),
            (Direction::Outbound, Some(documents::PROCESSED)) => self.confirms(org, row),
            (Direction::Inbound, Some(documents::SIGNAL)) => self.admits(org, row),
            (Direction::Inbound, Some(documents::WITHDRAWN)) => self.hears(org, row),
            (Direction::Inbound, None) => self.refuses(org, row),
            _ => Ok(()),
        }
    }

    /// The consent of which the resident has this case.
    fn of_case(&self, row: &MessageRow) -> anyhow::Result<usize> {
        let case = row.case.context("a case")?;
        self.given.iter().position(|given| given.case == case).context("the case of a resident")
    }

    /// Nothing is queued under a consent that the node knows to be withdrawn.
    fn sends(&mut self, org: Org, row: &MessageRow) -> anyhow::Result<()> {
        let way = Way { from: org, to: self.org(row.partner)? };
        let sent = Sent { way, consent: self.of_case(row)?, ground: Self::ground(row) };
        let is_over = self.over.contains(&(org, sent.consent));
        ensure!(!is_over || !sent.is_under_consent(), "queued under a consent that was withdrawn");
        self.sent.insert(row.id.context("an identifier")?, sent);
        Ok(())
    }

    /// Nor is anything admitted, and what is admitted was sent.
    fn admits(&mut self, org: Org, row: &MessageRow) -> anyhow::Result<()> {
        let id = row.id.context("an identifier")?;
        let sent = *self.sent.get(&id).context("admitted and never sent")?;
        ensure!(sent.way.to == org, "admitted by another than it was sent to");
        let is_over = self.over.contains(&(org, sent.consent));
        ensure!(!is_over || !sent.is_under_consent(), "admitted under a consent that was withdrawn");
        self.admitted.insert((org, id));
        Ok(())
    }

    /// A message that comes after the withdrawal is refused for that.
    fn refuses(&mut self, org: Org, row: &MessageRow) -> anyhow::Result<()> {
        let Some(sent) = row.id.and_then(|id| self.sent.get(&id)) else { return Ok(()) };
        if !sent.is_under_consent() {
            return Ok(());
        }
        let reason = row.reason.as_deref().and_then(Reason::of_code).context("a reason")?;
        let is_over = self.over.contains(&(org, sent.consent));
        let is_said = reason == Reason::ConsentWithdrawn;
        ensure!(is_over || !is_said, "refused for a withdrawal that it does not know of");
        ensure!(
            is_said || !is_over || EARLIER.contains(&reason),
            "refused for {reason} after the withdrawal"
        );
        self.coverage.refused += u64::from(is_said);
        Ok(())
    }

    /// A withdrawal that was filed counts from there on.
    fn hears(&mut self, org: Org, row: &MessageRow) -> anyhow::Result<()> {
        let consent = self.told_of(org, row)?;
        self.over.insert((org, consent));
        Ok(())
    }

    /// Who says that it did what the purpose asks has done so.
    fn confirms(&mut self, org: Org, row: &MessageRow) -> anyhow::Result<()> {
        let consent = self.told_of(org, row)?;
        let key = self.key(consent);
        let known = self.at(org).steady(async |core| core.store.consent(key).await)??;
        if known.is_some_and(|known| known.state == ConsentState::InForce) {
            // It was extended since.
            return Ok(());
        }
        let left = self.readable_under(org, consent)?;
        ensure!(left.is_empty(), "confirmed, and {left:?} can be read");
        Ok(())
    }

    /// The consent that a message speaks of.
    fn told_of(&self, org: Org, row: &MessageRow) -> anyhow::Result<usize> {
        let payload =
            self.at(org).steady(async |core| core.store.payload_for_machine_check(row.index).await)??;
        let content = documents::content(&payload).context("a message of ours")?;
        let id: Uuid = content.get("toestemming_id").and_then(Value::as_str).context("a number")?.parse()?;
        self.given.iter().position(|given| given.id == id).context("a consent of this run")
    }

    /// The messages at a node that rest on nothing but this consent and can be read.
    pub(super) fn readable_under(&self, org: Org, consent: usize) -> anyhow::Result<Vec<u64>> {
        let mut left = Vec::new();
        for row in self.all(org)? {
            let sent = row.id.and_then(|id| self.sent.get(&id));
            if sent.is_some_and(|sent| sent.consent == consent && sent.ground == Ground::Consent)
                && self.is_readable(org, &row)?
            {
                left.push(row.index);
            }
        }
        Ok(left)
    }

    /// Whether a node can show what is in a message.
    pub(super) fn is_readable(&self, org: Org, row: &MessageRow) -> anyhow::Result<bool> {
        match self.at(org).steady(async |core| core.store.payload_for_machine_check(row.index).await)? {
            Ok(_) => Ok(true),
            Err(StoreError::Erased | StoreError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Every message a node knows.
    pub(super) fn all(&self, org: Org) -> anyhow::Result<Vec<MessageRow>> {
        let mut rows: Vec<MessageRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| row.index);
            let filter = Filter { after, limit: store::MAX_ROWS_READ, ..Filter::default() };
            let page = self.at(org).steady(async |core| core.store.messages(filter).await)??;
            if page.is_empty() {
                return Ok(rows);
            }
            rows.extend(page);
        }
    }

    /// What waits does not rest on a consent that the node knows to be withdrawn.
    fn nothing_waits_in_vain(&self, org: Org) -> anyhow::Result<()> {
        let over: Vec<usize> = (0..CONSENTS).filter(|consent| self.over.contains(&(org, *consent))).collect();
        if over.is_empty() {
            return Ok(());
        }
        for row in self.messages(org, State::Waiting)? {
            let sent = row.id.and_then(|id| self.sent.get(&id));
            let in_vain = sent.is_some_and(|sent| sent.is_under_consent() && over.contains(&sent.consent));
            ensure!(!in_vain, "{org:?} has {row:?} wait under a consent that was withdrawn");
        }
        Ok(())
    }
}
