//! Sources offer records to their node.

use anyhow::{Context as _, ensure};
use exchange::{digest::Digest, refusal::Reason};
use node::outbound::{self, Submission, Submitted};
use store::{Direction, State};
use uuid::Uuid;

use super::{
    documents::{self, Content},
    model::Record,
    operation::{Flaw, Offer, Side},
    parties,
    world::World,
};

/// What a node should say to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Queued,
    AlreadyOffered,
    HeldBack(Reason),
}

impl World {
    /// A source offers records, new ones and old ones.
    pub(super) fn offer(&mut self, by: Side, offers: &[Offer]) -> anyhow::Result<()> {
        let mut offered = Vec::new();
        for offer in offers {
            offered.extend(match *offer {
                Offer::Fresh { case, flaw } => self.fresh(by, case, flaw)?,
                Offer::Again(number) => self.offered_before(by, number),
            });
        }
        if offered.is_empty() { Ok(()) } else { self.submit(by, &offered) }
    }

    /// Offers these records; everything that is promised about them is noted, and everything promised is checked.
    pub(super) fn submit(&mut self, by: Side, offered: &[usize]) -> anyhow::Result<()> {
        let expected = self.expected(by, offered)?;
        let submissions: Vec<Submission> =
            offered.iter().map(|record| self.model.records[*record].submission.clone()).collect();
        let before = self.at(by).log_size;
        let ran = self.node(by).run(async |core| outbound::submit(core, submissions).await)?;
        let Some(outcomes) = self.outcome(ran).transpose()? else {
            return self.find_out(by, offered, &expected, before);
        };
        ensure!(outcomes.len() == offered.len(), "{} outcomes for {}", outcomes.len(), offered.len());
        for ((record, expected), outcome) in offered.iter().zip(&expected).zip(outcomes) {
            self.note(*record, *expected, &outcome)?;
        }
        let logged = expected.iter().filter(|one| **one != Expected::AlreadyOffered).count();
        self.node(by).grow(logged)
    }

    fn note(&mut self, record: usize, expected: Expected, outcome: &Submitted) -> anyhow::Result<()> {
        let found = match outcome {
            Submitted::Queued(_) | Submitted::QueuedWithout { .. } => Expected::Queued,
            Submitted::AlreadyOffered => Expected::AlreadyOffered,
            Submitted::HeldBack(refusal) => Expected::HeldBack(refusal.reason),
        };
        ensure!(found == expected, "record {record}: {found:?} instead of {expected:?}");
        self.model.records[record].unanswered = false;
        match outcome {
            Submitted::Queued(id) | Submitted::QueuedWithout { id, .. } => self.queued(record, *id),
            Submitted::AlreadyOffered => self.coverage.offered_again += 1,
            Submitted::HeldBack(_) => self.coverage.held_back += 1,
        }
        Ok(())
    }

    fn queued(&mut self, record: usize, id: Uuid) {
        self.coverage.queued += 1;
        let known = &self.model.records[record];
        if known.message.is_some() {
            self.coverage.repaired += 1;
            // What was given up may still be in the network, behind what comes now.
            self.model.disordered.extend(known.submission.case);
        }
        self.model.queued(record, id);
    }

    /// The source got no answer. Either everything is safe, or nothing is.
    fn find_out(
        &mut self,
        by: Side,
        offered: &[usize],
        expected: &[Expected],
        before: Option<u64>,
    ) -> anyhow::Result<()> {
        let found = self.outbox(by)?;
        let mut made = 0;
        for (record, id) in found {
            if !self.model.messages.contains_key(&id) {
                ensure!(offered.contains(&record), "record {record} was not offered just now");
                self.queued(record, id);
                made += 1;
            }
        }
        let queued = expected.iter().filter(|one| **one == Expected::Queued).count();
        let held_back = expected.iter().filter(|one| matches!(one, Expected::HeldBack(_))).count();
        ensure!(made == 0 || made == queued, "{made} of {queued} messages survived a crash");
        if let (Some(before), Some(after)) = (before, self.at(by).log_size) {
            let grown = usize::try_from(after - before)?;
            ensure!(
                [0, held_back].contains(&(grown - made)),
                "the log grew by {grown} for {made} messages and {held_back} held back"
            );
        }
        for record in offered {
            self.model.records[*record].unanswered = true;
        }
        Ok(())
    }

    /// The messages in an outbox with the records they were made of.
    fn outbox(&self, by: Side) -> anyhow::Result<Vec<(usize, Uuid)>> {
        let node = self.at(by);
        let sent = node.rows().iter().filter(|row| row.direction == Direction::Outbound);
        let indexes: Vec<u64> = sent.map(|row| row.index).collect();
        let mut found = Vec::new();
        for index in indexes {
            let payload = node.steady(async |core| core.store.payload_for_machine_check(index).await)??;
            let line = documents::read(&payload).context("a message of ours")?;
            found.push((usize::try_from(line.serial)?, line.id));
        }
        Ok(found)
    }

    fn fresh(&mut self, by: Side, case: u8, flaw: Option<Flaw>) -> anyhow::Result<Option<usize>> {
        let serial = self.model.records.len();
        let (about, case) = match by {
            Side::Corporation => (None, self.case(case)?),
            Side::Municipality => match self.signal(case) {
                Some((signal, case)) => (Some(signal), case),
                None => return Ok(None),
            },
        };
        let about = about.or(Some(case));
        let Content { document, purpose, refusal, agreed } =
            documents::content(by, u64::try_from(serial)?, about, flaw)?;
        let submission = Submission {
            to: self.at(by.other()).oin,
            purpose: purpose.to_owned(),
            case: Some(case),
            desk: None,
            document,
            source_record: Some(format!("record {serial}").into_bytes()),
        };
        self.model.records.push(Record { by, submission, refusal, agreed, message: None, unanswered: false });
        Ok(Some(serial))
    }

    fn offered_before(&self, by: Side, number: u8) -> Option<usize> {
        let mut own: Vec<usize> = (0..self.model.records.len()).collect();
        own.retain(|record| self.model.records[*record].by == by);
        Some(own[super::network::pick(number, own.len())?])
    }

    /// Whether an agreement is in force, as far as a side knows.
    pub(super) fn in_force(&self, side: Side, agreement: &Digest) -> anyhow::Result<bool> {
        let over = self.at(side).now() >= parties::end_of_agreement()?;
        Ok(!over && !self.model.knows_end(side, agreement))
    }

    /// What the rules say, by what this node knows of the agreements.
    fn expected(&self, by: Side, offered: &[usize]) -> anyhow::Result<Vec<Expected>> {
        // The newest took the place of all before it, and its end does not bring them back.
        let newest = self.model.agreements.last().context("the agreement that a run begins with")?;
        let in_force = self.in_force(by, newest)?;
        let expect = |(place, record): (usize, &usize)| {
            let known = &self.model.records[*record];
            Ok(match known.refusal {
                _ if !known.agreed => Expected::HeldBack(Reason::PurposeNotAllowed),
                _ if !in_force => Expected::HeldBack(Reason::AgreementNotInForce),
                Some(reason) => Expected::HeldBack(reason),
                None if offered[..place].contains(record) || self.stands(by, known.message)? => {
                    Expected::AlreadyOffered
                }
                None => Expected::Queued,
            })
        };
        offered.iter().enumerate().map(expect).collect()
    }

    /// Whether the message that was made of a record waits or was admitted, as far as its sender knows.
    fn stands(&self, by: Side, message: Option<Uuid>) -> anyhow::Result<bool> {
        let Some(id) = message else { return Ok(false) };
        let row = self.at(by).steady(async |core| core.store.message(id).await)??;
        let row = row.context("a message that was promised")?;
        Ok(matches!(row.state, State::Waiting | State::Admitted))
    }
}
