//! Batches leave, arrive, and are answered.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use exchange::{
    digest::Digest,
    entry::{Entry, Outcome, Reception},
    receipt::{Receipt, ReceiptLeaf},
    refusal::Reason,
};
use node::{
    delivery::{self, Batch, RECEIPT, Settled},
    inbound::{self, InboundError},
};
use store::{Direction, MessageRow, State};
use transport::{LinkError, Response};
use uuid::Uuid;

use super::{
    documents::{self, Line},
    model::Decision,
    network::{Answer, Item, Request, broken, pick},
    operation::Side,
    world::World,
};

/// A batch of which the answer is still to come.
pub(crate) struct UnderWay {
    pub(crate) batch: Batch,
    /// What it delivers; none when it asks after a message.
    pub(crate) lines: Vec<Line>,
    /// The message it asks after.
    pub(crate) asks: Option<(Uuid, Digest)>,
}

/// The statuses in a simulation that say that the request itself is at fault.
const FINAL: &[u16] = &[400, 413];

/// The lines of a delivery, as its receiver takes them apart.
fn lines(body: &str) -> impl Iterator<Item = &str> {
    body.strip_suffix('\n').unwrap_or(body).split('\n')
}

/// What a receiver decided, by its own account.
fn decision(row: &MessageRow) -> Decision {
    let outcome = if row.state == State::Admitted { Outcome::Toegelaten } else { Outcome::Geweigerd };
    (outcome, row.reason.as_deref().and_then(Reason::of_code))
}

/// What a node gets back for a request.
type Answered = Result<Response, LinkError>;

fn read_all(body: &[u8]) -> anyhow::Result<Vec<Line>> {
    let lines: Option<Vec<Line>> = lines(std::str::from_utf8(body)?).map(documents::read).collect();
    lines.context("every line of a batch is a message of ours")
}

/// The message that a batch asks after, by identifier and digest.
fn asked_after(batch: &Batch) -> anyhow::Result<(Uuid, Digest)> {
    let request = delivery::request(batch);
    let id = request.path.strip_prefix(delivery::OUTCOMES).context("a question")?;
    let digest =
        request.query.as_deref().and_then(|query| query.strip_prefix("bericht=")).context("a digest")?;
    Ok((id.parse()?, digest.parse()?))
}

impl World {
    /// The next batch of a side goes into the network; says whether there was one.
    pub(super) fn prepare(&mut self, by: Side) -> anyhow::Result<bool> {
        let to = self.at(by.other()).oin;
        let one_by_one = self.node(by).one_by_one;
        let ran =
            self.node(by).run(async |core| anyhow::Ok(delivery::prepare(core, to, one_by_one).await?))?;
        let died = ran.died();
        let Some(Some(batch)) = self.outcome(ran).transpose()? else { return Ok(false) };
        let body = batch.delivery().cloned().unwrap_or_default();
        let (lines, asks) = match batch.delivery() {
            Some(body) => (read_all(body)?, None),
            None => (Vec::new(), Some(asked_after(&batch)?)),
        };
        ensure!(!one_by_one || lines.len() < 2, "a batch of {} messages, one by one", lines.len());
        self.check_batch(by, &lines)?;
        self.check_question(by, asks)?;
        let ticket = self.ticket();
        // A request may have left before its sender died.
        self.network.send(Item::Request(Request {
            from: by,
            ticket: Some(ticket),
            body,
            asks,
            rogue: None,
            damaged: false,
        }));
        if !died {
            self.node(by).under_way()?.insert(ticket, UnderWay { batch, lines, asks });
        }
        Ok(true)
    }

    /// What goes is ours, is nowhere else under way, and overtakes nothing of its case.
    fn check_batch(&mut self, by: Side, lines: &[Line]) -> anyhow::Result<()> {
        let ids: BTreeSet<Uuid> = lines.iter().map(|line| line.id).collect();
        ensure!(ids.len() == lines.len(), "a message is twice in a batch");
        for line in lines {
            ensure!(self.model.messages.contains_key(&line.id), "message {} was never promised", line.id);
            ensure!(line.expires > self.at(by).now(), "message {} leaves after it expired", line.id);
            let in_force = self.in_force(by, &line.agreement)?;
            ensure!(in_force, "message {} leaves after its agreement ended", line.id);
        }
        let cases: BTreeSet<Uuid> = lines.iter().map(|line| line.case).collect();
        for other in self.node(by).under_way()?.values() {
            let clash = other.lines.iter().find(|line| ids.contains(&line.id) || cases.contains(&line.case));
            ensure!(clash.is_none(), "something of the same case is under way: {clash:?}");
        }
        Ok(())
    }

    /// Who asks after a message may not send it any more, and has nothing else of its under way.
    fn check_question(&mut self, by: Side, asks: Option<(Uuid, Digest)>) -> anyhow::Result<()> {
        let Some((id, digest)) = asks else { return Ok(()) };
        ensure!(self.model.messages.contains_key(&id), "message {id} was never promised");
        let row = self.at(by).steady(async |core| core.store.message(id).await)??;
        let row = row.filter(|row| row.digest == digest);
        let agreement = row.and_then(|row| row.agreement).context("a question after a message of ours")?;
        ensure!(!self.in_force(by, &agreement)?, "asks after message {id}, which may still go");
        let twice = self
            .node(by)
            .under_way()?
            .values()
            .any(|one| one.asks == asks || one.lines.iter().any(|line| line.id == id));
        ensure!(!twice, "asks after message {id}, which is under way");
        Ok(())
    }

    /// Something in the network arrives.
    pub(super) fn deliver(&mut self, number: u8) -> anyhow::Result<()> {
        match self.network.take(number) {
            Some(Item::Request(request)) => self.arrive(&request),
            Some(Item::Answer(answer)) => self.answer(answer),
            None => Ok(()),
        }
    }

    fn arrive(&mut self, request: &Request<Side>) -> anyhow::Result<()> {
        let (outcome, good) = match request.asks {
            Some(message) => self.tell_outcome(request, message)?,
            None => self.take_in(request)?,
        };
        if let Some(ticket) = request.ticket {
            let damaged = request.damaged || !good;
            self.network.send(Item::Answer(Answer { to: request.from, ticket, outcome, damaged }));
        }
        Ok(())
    }

    /// The receiver tells what became of a message.
    fn tell_outcome(
        &mut self,
        request: &Request<Side>,
        (id, digest): (Uuid, Digest),
    ) -> anyhow::Result<(Answered, bool)> {
        let (at, peer) = (request.from.other(), self.at(request.from).oin);
        let ran = self.node(at).run(async |core| core.store.receipt_for(peer, id, digest).await)?;
        let answer = match self.outcome(ran).transpose()? {
            Some(Some(receipt)) => Response::new(200, RECEIPT, serde_json::to_vec(&receipt)?),
            Some(None) => Response::empty(204),
            None => return Ok((Err(broken()), false)),
        };
        self.coverage.asked += 1;
        Ok((Ok(answer), true))
    }

    /// The receiver takes in a delivery.
    fn take_in(&mut self, request: &Request<Side>) -> anyhow::Result<(Answered, bool)> {
        let (at, peer) = (request.from.other(), self.at(request.from).oin);
        let ran = self.node(at).run(async |core| inbound::receive(core, peer, &request.body).await)?;
        let outcome = match self.outcome(ran) {
            Some(Ok(receipt)) => {
                self.check_answer(at, request, &receipt)?;
                Ok(Response::new(200, RECEIPT, serde_json::to_vec(&receipt)?))
            }
            Some(Err(InboundError::Unreadable)) => Ok(Response::problem(400, "onleesbaar", "Onleesbaar", "")),
            Some(Err(InboundError::TooLarge)) => Ok(Response::problem(413, "te-groot", "Te groot", "")),
            Some(Err(error)) => bail!("the receiver's store failed: {error}"),
            None => {
                self.find_what_arrived(at, request)?;
                Err(broken())
            }
        };
        ensure!(
            request.damaged || outcome.as_ref().map_or(true, |response| response.status == 200),
            "what was sent is not readable: {outcome:?}"
        );
        let good = outcome.is_ok();
        Ok((outcome, good))
    }

    /// Holds a receipt against what was delivered, as the sender will, and against what was decided before.
    fn check_answer(&mut self, at: Side, request: &Request<Side>, receipt: &Receipt) -> anyhow::Result<()> {
        let (key, peer) = (self.at(at).log_key(), self.at(request.from).oin);
        let text = std::str::from_utf8(&request.body)?;
        let sent: Vec<Digest> = lines(text).map(|line| Digest::of(line.as_bytes())).collect();
        exchange::delivery::check_receipt(receipt, &sent, peer, &key).context("the receipt")?;
        let new = receipt.leaves.iter().filter(|leaf| matches!(leaf, ReceiptLeaf::New(_))).count();
        self.node(at).grow(new)?;
        self.coverage.recognised += u64::try_from(receipt.leaves.len() - new)?;
        for (leaf, line) in receipt.leaves.iter().zip(lines(text)) {
            let Entry::Ontvangst(reception) = Entry::of_leaf(leaf.leaf())? else {
                bail!("a receipt with another entry than of a reception");
            };
            let new = matches!(leaf, ReceiptLeaf::New(_));
            self.note_reception(at, request, (&reception, new), documents::read(line))?;
        }
        Ok(())
    }

    fn note_reception(
        &mut self,
        at: Side,
        request: &Request<Side>,
        (reception, new): (&Reception, bool),
        line: Option<Line>,
    ) -> anyhow::Result<()> {
        let reason = reception.reden.map(|code| code.0);
        self.model.decide(at, reception.bericht, (reception.uitkomst, reason))?;
        self.coverage.conflicts += u64::from(reason == Some(Reason::DuplicateWithOtherContent));
        let admitted = reception.uitkomst == Outcome::Toegelaten;
        if let Some(reasons) = &request.rogue {
            let meant = reason.is_some_and(|reason| reasons.contains(&reason));
            ensure!(!admitted, "a rogue message was admitted");
            ensure!(meant || request.damaged, "refused for {reason:?}, not for one of {reasons:?}");
        }
        if admitted {
            let line = line.context("something was admitted that is no message of ours")?;
            let ended = new && self.model.knows_end(at, &line.agreement);
            ensure!(!ended, "message {} was admitted after its agreement ended", line.id);
            self.model.admit(at, line.id);
        }
        Ok(())
    }

    /// The receiver died before it could answer. Either all that was delivered is filed, or nothing is.
    fn find_what_arrived(&mut self, at: Side, request: &Request<Side>) -> anyhow::Result<()> {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let undecided: BTreeMap<Digest, &str> = lines(&text)
            .map(|line| (Digest::of(line.as_bytes()), line))
            .filter(|(digest, _)| !self.model.is_decided(at, *digest))
            .collect();
        let rows: Vec<MessageRow> = self.at(at).rows().to_vec();
        let filed = rows.iter().filter(|row| row.direction == Direction::Inbound);
        let filed: Vec<_> = filed.filter_map(|row| Some((row, *undecided.get(&row.digest)?))).collect();
        ensure!(
            filed.is_empty() || filed.len() == undecided.len(),
            "{} of {} messages survived a crash of the receiver",
            filed.len(),
            undecided.len()
        );
        for (row, line) in filed {
            self.model.decide(at, row.digest, decision(row))?;
            if row.state == State::Admitted {
                self.model.admit(at, documents::read(line).context("a message of ours")?.id);
            }
        }
        Ok(())
    }

    fn answer(&mut self, answer: Answer<Side>) -> anyhow::Result<()> {
        let Answer { to, ticket, outcome, damaged } = answer;
        // Who died, gave up or was answered does not wait any more.
        let Some(under_way) = self.node(to).under_way()?.remove(&ticket) else { return Ok(()) };
        self.settle(to, under_way, (outcome, damaged))
    }

    fn settle(
        &mut self,
        to: Side,
        under_way: UnderWay,
        (answer, damaged): (Result<Response, LinkError>, bool),
    ) -> anyhow::Result<()> {
        let UnderWay { batch, lines, asks } = under_way;
        let expected = lines.len() + usize::from(asks.is_some());
        // What no repetition changes; everything else may pass. A question that is not understood decides nothing about the
        // message it asks after.
        let is_final =
            asks.is_none() && answer.as_ref().is_ok_and(|response| FINAL.contains(&response.status));
        let ran = self.node(to).run(async |core| delivery::settle(core, batch, answer).await)?;
        let Some(settled) = self.outcome(ran).transpose()? else { return Ok(()) };
        match settled {
            Settled::Receipted { admitted, refused } => {
                ensure!(admitted + refused == expected, "{admitted} + {refused} of {expected}");
                self.node(to).one_by_one = false;
            }
            Settled::Withheld => {
                ensure!(asks.is_some(), "given up without asking");
                self.node(to).one_by_one = false;
            }
            _ if !damaged => bail!("a good receipt was not accepted: {settled:?}"),
            Settled::Undeliverable => {
                ensure!(is_final, "given up after something that may pass");
                self.coverage.failed += 1;
                self.node(to).one_by_one = true;
            }
            Settled::Waiting { .. } => {
                ensure!(!is_final, "tried again what will never be taken");
                self.coverage.failed += 1;
            }
        }
        Ok(())
    }

    /// A sender stops waiting for one of its batches.
    pub(super) fn give_up(&mut self, by: Side, number: u8) -> anyhow::Result<()> {
        let under_way = self.node(by).under_way()?;
        let tickets: Vec<u64> = under_way.keys().copied().collect();
        let Some(batch) = pick(number, tickets.len()).and_then(|at| under_way.remove(&tickets[at])) else {
            return Ok(());
        };
        self.settle(by, batch, (Err(broken()), true))
    }
}
