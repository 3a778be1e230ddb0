//! Batches leave, arrive, and are answered.

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use exchange::digest::Digest;
use node::{
    delivery::{self, Batch, RECEIPT, Settled},
    inbound::{self, InboundError},
};
use transport::{LinkError, Response};
use uuid::Uuid;

use super::{Organisation, Three, Way};
use crate::simulation::network::{Answer, Item, Request, broken};

/// A batch of which the answer is still to come.
pub(crate) struct UnderWay<O> {
    way: Way<O>,
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

impl<O: Organisation> Three<O> {
    /// The next batch on a way goes into the network; gives what is in it, if there was one.
    pub(crate) fn prepare(&mut self, way: Way<O>) -> anyhow::Result<Option<Bytes>> {
        let (to, one_by_one) = (self.at(way.to).oin, self.one_by_one.contains(&way));
        let prepared =
            self.step(way.from, async |core| delivery::prepare(core, to, one_by_one).await)?.transpose()?;
        let Some(Some(batch)) = prepared else { return Ok(None) };
        let body = batch.delivery().cloned().unwrap_or_default();
        self.tickets += 1;
        let (ticket, asks) = (self.tickets, asked_after(&batch)?);
        let request = Request {
            from: way,
            ticket: Some(ticket),
            body: body.clone(),
            asks,
            rogue: None,
            damaged: false,
        };
        self.network.send(Item::Request(request));
        // Who died during the step has no batch any more; what left has left.
        self.node(way.from).under_way()?.insert(ticket, UnderWay { way, batch });
        Ok(Some(body))
    }

    /// Something in the network arrives.
    pub(crate) fn deliver(&mut self, number: u8) -> anyhow::Result<()> {
        match self.network.take(number) {
            Some(Item::Request(request)) => self.arrive(&request),
            Some(Item::Answer(answer)) => self.answer(answer),
            None => Ok(()),
        }
    }

    /// Nobody waits for an answer that will not come, once nothing is in the network.
    pub(crate) fn nobody_waits(&mut self) -> anyhow::Result<()> {
        for way in Way::all() {
            let left = self.node(way.from).under_way()?.len();
            ensure!(left == 0, "{:?} waits for {left} answers that will not come", way.from);
        }
        Ok(())
    }

    fn arrive(&mut self, request: &Request<Way<O>>) -> anyhow::Result<()> {
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

    fn take_in(&mut self, request: &Request<Way<O>>) -> anyhow::Result<Result<Response, LinkError>> {
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

    fn answer(&mut self, answer: Answer<Way<O>>) -> anyhow::Result<()> {
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
                self.failed += 1;
                self.one_by_one.insert(way);
            }
            Some(Settled::Waiting { .. }) => self.failed += 1,
        }
        Ok(())
    }
}
