//! Batches leave, arrive, and are answered.

use anyhow::{Context as _, bail, ensure};
use exchange::digest::Digest;
use node::{
    delivery::{self, Batch, RECEIPT, Settled},
    inbound::{self, InboundError},
};
use store::ConsentState;
use transport::{LinkError, Response};
use uuid::Uuid;

use super::{operation::Way, world::World};
use crate::simulation::{
    documents::event,
    network::{Answer, Item, Request, broken},
};

/// A batch of which the answer is still to come.
pub(super) struct UnderWay {
    way: Way,
    batch: Batch,
}

/// The message that a batch asks after, by identifier and digest.
fn asked_after(batch: &Batch) -> anyhow::Result<Option<(Uuid, Digest)>> {
    if batch.delivery().is_some() {
        return Ok(None);
    }
    let request = delivery::request(batch);
    let id = request.path.strip_prefix(delivery::OUTCOMES).context("a question")?;
    let digest = request.query.as_deref().and_then(|query| query.strip_prefix("bericht="));
    Ok(Some((id.parse()?, digest.context("a digest")?.parse()?)))
}

impl World {
    /// The next batch on a way goes into the network; says whether there was one.
    pub(super) fn prepare(&mut self, way: Way) -> anyhow::Result<bool> {
        let (to, one_by_one) = (self.at(way.to).oin, self.one_by_one.contains(&way));
        let prepared =
            self.step(way.from, async |core| delivery::prepare(core, to, one_by_one).await)?.transpose()?;
        let Some(Some(batch)) = prepared else { return Ok(false) };
        let body = batch.delivery().cloned().unwrap_or_default();
        self.check_batch(way, &body)?;
        let ticket = self.ticket();
        let asks = asked_after(&batch)?;
        let request = Request { from: way, ticket: Some(ticket), body, asks, rogue: None, damaged: false };
        self.network.send(Item::Request(request));
        // Who died during the step has no batch any more; what left has left.
        self.node(way.from).under_way()?.insert(ticket, UnderWay { way, batch });
        Ok(true)
    }

    /// Nothing leaves that rests on a consent which its sender knows to have ended.
    fn check_batch(&self, way: Way, body: &[u8]) -> anyhow::Result<()> {
        for line in std::str::from_utf8(body)?.lines() {
            let event = event(line).context("a message of ours")?;
            let id: Uuid = event["id"].as_str().context("an identifier")?.parse()?;
            let Some(sent) = self.sent.get(&id).filter(|sent| sent.is_under_consent()) else { continue };
            let is_over = self.over.contains(&(way.from, sent.consent));
            ensure!(!is_over, "message {id} leaves under a consent that was withdrawn");
            let key = self.key(sent.consent);
            let known = self.at(way.from).steady(async |core| core.store.consent(key).await)??;
            let state = known.map(|known| known.state);
            ensure!(state == Some(ConsentState::InForce), "message {id} leaves under a consent: {state:?}");
        }
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

    fn arrive(&mut self, request: &Request<Way>) -> anyhow::Result<()> {
        let (way, peer) = (request.from, self.at(request.from.from).oin);
        let outcome = match request.asks {
            Some((id, digest)) => {
                let told = self.step(way.to, async |core| core.store.receipt_for(peer, id, digest).await)?;
                match told.transpose()? {
                    Some(Some(receipt)) => Ok(Response::new(200, RECEIPT, serde_json::to_vec(&receipt)?)),
                    Some(None) => Ok(Response::empty(204)),
                    None => Err(broken()),
                }
            }
            None => self.take_in(request)?,
        };
        let damaged = request.damaged || outcome.is_err();
        if let Some(ticket) = request.ticket {
            self.network.send(Item::Answer(Answer { to: way, ticket, outcome, damaged }));
        }
        Ok(())
    }

    fn take_in(&mut self, request: &Request<Way>) -> anyhow::Result<Result<Response, LinkError>> {
        let (at, peer) = (request.from.to, self.at(request.from.from).oin);
        let taken = self.step(at, async |core| inbound::receive(core, peer, &request.body).await)?;
        Ok(match taken {
            Some(Ok(receipt)) => Ok(Response::new(200, RECEIPT, serde_json::to_vec(&receipt)?)),
            Some(Err(InboundError::Unreadable)) if request.damaged => {
                Ok(Response::problem(400, "onleesbaar", "Onleesbaar", ""))
            }
            Some(Err(error)) => bail!("a delivery was not taken in: {error}"),
            None => Err(broken()),
        })
    }

    fn answer(&mut self, answer: Answer<Way>) -> anyhow::Result<()> {
        let Answer { to, ticket, outcome, damaged } = answer;
        // Who died does not wait any more.
        let Some(UnderWay { way, batch }) = self.node(to.from).under_way()?.remove(&ticket) else {
            return Ok(());
        };
        let settled = self.step(way.from, async |core| delivery::settle(core, batch, outcome).await)?;
        match settled.transpose()? {
            None => {}
            Some(Settled::Receipted { .. } | Settled::Withheld) => {
                self.one_by_one.remove(&way);
            }
            Some(settled) if !damaged => bail!("a good receipt was not accepted: {settled:?}"),
            Some(Settled::Undeliverable) => {
                self.coverage.failed += 1;
                self.one_by_one.insert(way);
            }
            Some(Settled::Waiting { .. }) => self.coverage.failed += 1,
        }
        Ok(())
    }
}
