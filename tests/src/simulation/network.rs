//! What is between the nodes: bytes under way, and the harm that can come to them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use exchange::{digest::Digest, refusal::Reason};
use serde_json::Value;
use transport::{LinkError, Response};
use uuid::Uuid;

use super::operation::Damage;

/// Something under way. `N` says who asks whom.
#[derive(Debug, Clone)]
pub(crate) enum Item<N> {
    /// A delivery.
    Request(Request<N>),
    /// What came back, or that nothing will.
    Answer(Answer<N>),
}

/// A delivery under way, or a question after one.
#[derive(Debug, Clone)]
pub(crate) struct Request<N> {
    /// Who sends it, by the certificate of the connection.
    pub(crate) from: N,
    /// The batch that waits for the answer; none when nobody does.
    pub(crate) ticket: Option<u64>,
    /// The body.
    pub(crate) body: Bytes,
    /// The message of which it asks what became of it, if it is a question.
    pub(crate) asks: Option<(Uuid, Digest)>,
    /// For which reasons the receiver may refuse it, when it is not to be believed.
    pub(crate) rogue: Option<Vec<Reason>>,
    /// It is no longer what was sent.
    pub(crate) damaged: bool,
}

/// An answer under way.
#[derive(Debug, Clone)]
pub(crate) struct Answer<N> {
    /// Who waits for it.
    pub(crate) to: N,
    /// The batch it is about.
    pub(crate) ticket: u64,
    /// The answer.
    pub(crate) outcome: Result<Response, LinkError>,
    /// It, or what it answers, is no longer what was sent.
    pub(crate) damaged: bool,
}

/// Everything under way, the oldest first, and what was under way before.
pub(crate) struct Network<N> {
    items: Vec<Item<N>>,
    /// Honest ones only.
    requests: Vec<(N, Bytes)>,
    answers: Vec<(N, Bytes)>,
}

impl<N> Default for Network<N> {
    fn default() -> Self {
        Self { items: Vec::new(), requests: Vec::new(), answers: Vec::new() }
    }
}

/// Which of so many.
pub(crate) fn pick(number: u8, of: usize) -> Option<usize> {
    usize::from(number).checked_rem(of)
}

/// What the sender sees of a connection that broke.
pub(crate) fn broken() -> LinkError {
    LinkError::Unreachable { address: "schakel.test:8443".into(), reason: "connection reset".into() }
}

impl<N: Copy + PartialEq> Network<N> {
    /// Puts something on its way.
    pub(crate) fn send(&mut self, item: Item<N>) {
        match &item {
            Item::Request(request) if request.rogue.is_none() && request.asks.is_none() => {
                self.requests.push((request.from, request.body.clone()));
            }
            Item::Answer(Answer { to, outcome: Ok(response), .. }) => {
                self.answers.push((*to, response.body.clone()));
            }
            Item::Request(_) | Item::Answer(_) => {}
        }
        self.items.push(item);
    }

    /// Takes something off its way.
    pub(crate) fn take(&mut self, number: u8) -> Option<Item<N>> {
        Some(self.items.remove(pick(number, self.items.len())?))
    }

    /// Loses something. Who waits for an answer to it will hear that there is none.
    pub(crate) fn lose(&mut self, number: u8) {
        let (to, ticket) = match self.take(number) {
            Some(Item::Request(Request { from, ticket: Some(ticket), .. })) => (from, ticket),
            Some(Item::Answer(Answer { to, ticket, .. })) => (to, ticket),
            _ => return,
        };
        self.items.push(Item::Answer(Answer { to, ticket, outcome: Err(broken()), damaged: true }));
    }

    /// Makes two of a request.
    pub(crate) fn duplicate(&mut self, number: u8) {
        let Some(at) = pick(number, self.items.len()) else { return };
        if matches!(self.items[at], Item::Request(_)) {
            self.items.push(self.items[at].clone());
        }
    }

    /// Damages something; returns the body as it was, if it was a request.
    pub(crate) fn corrupt(&mut self, number: u8, damage: Damage) -> Option<Bytes> {
        let at = pick(number, self.items.len())?;
        match &mut self.items[at] {
            Item::Request(Request { asks: Some(_), .. }) => None,
            Item::Request(request) => {
                let earlier = earlier(&self.requests, request.from, damage);
                let was = request.body.clone();
                request.body = harm_request(&was, damage, earlier);
                request.damaged |= request.body != was;
                if matches!(damage, Damage::Replay(_)) {
                    // It may be an honest delivery now.
                    request.rogue = None;
                }
                Some(was)
            }
            Item::Answer(Answer { to, outcome: Ok(response), damaged, .. }) => {
                let earlier = earlier(&self.answers, *to, damage);
                let harmed = harm_answer(response, damage, earlier);
                *damaged |= harmed != *response;
                *response = harmed;
                None
            }
            Item::Answer(_) => None,
        }
    }

    /// An honest delivery that a side sent before.
    pub(crate) fn sent_before(&self, by: N, number: u8) -> Option<Bytes> {
        earlier(&self.requests, by, Damage::Replay(number))
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

fn earlier<N: Copy + PartialEq>(sent: &[(N, Bytes)], by: N, damage: Damage) -> Option<Bytes> {
    let Damage::Replay(number) = damage else { return None };
    let own: Vec<&Bytes> = sent.iter().filter(|(from, _)| *from == by).map(|(_, body)| body).collect();
    Some(own[pick(number, own.len())?].clone())
}

fn harm_request(body: &Bytes, damage: Damage, earlier: Option<Bytes>) -> Bytes {
    let mut bytes = body.to_vec();
    match damage {
        Damage::Flip(at) => flip(&mut bytes, at),
        Damage::Cut(at) => bytes.truncate(usize::from(at).checked_rem(bytes.len()).unwrap_or_default()),
        Damage::Swap => {
            let mut lines: Vec<&[u8]> = body.split_inclusive(|byte| *byte == b'\n').collect();
            if lines.len() > 1 {
                lines.swap(0, 1);
            }
            bytes = lines.concat();
        }
        Damage::Blank => bytes.push(b'\n'),
        Damage::Replay(_) => bytes = earlier.unwrap_or_else(|| body.clone()).to_vec(),
        // These are about answers.
        Damage::Lie | Damage::Status(_) => {}
    }
    bytes.into()
}

fn harm_answer(response: &Response, damage: Damage, earlier: Option<Bytes>) -> Response {
    let mut harmed = response.clone();
    let mut bytes = response.body.to_vec();
    match damage {
        Damage::Flip(at) => flip(&mut bytes, at),
        Damage::Cut(at) => bytes.truncate(usize::from(at).checked_rem(bytes.len()).unwrap_or_default()),
        Damage::Swap => bytes = edited(&response.body, swap).unwrap_or(bytes),
        Damage::Blank => bytes.clear(),
        Damage::Replay(_) => bytes = earlier.map_or(bytes, |body| body.to_vec()),
        Damage::Lie => bytes = edited(&response.body, lie).unwrap_or(bytes),
        Damage::Status(status) => {
            return Response::problem(status, "storing", "Storing", "Er ging iets mis.");
        }
    }
    harmed.body = bytes.into();
    harmed
}

fn flip(bytes: &mut [u8], at: u16) {
    if let Some(place) = usize::from(at).checked_rem(bytes.len()) {
        bytes[place] ^= 1 << (at % 8);
    }
}

fn edited(receipt: &[u8], edit: fn(&mut [Value]) -> Option<()>) -> Option<Vec<u8>> {
    let mut receipt: Value = serde_json::from_slice(receipt).ok()?;
    edit(receipt["bladeren"].as_array_mut()?)?;
    serde_json::to_vec(&receipt).ok()
}

fn swap(leaves: &mut [Value]) -> Option<()> {
    (leaves.len() > 1).then(|| leaves.swap(0, 1))
}

/// What was admitted is said to be refused, and the reverse.
fn lie(leaves: &mut [Value]) -> Option<()> {
    let first = leaves.first_mut()?;
    let place = if first.is_object() { first.get_mut("blad")? } else { first };
    let mut entry: Value = serde_json::from_slice(&STANDARD.decode(place.as_str()?).ok()?).ok()?;
    if entry["uitkomst"] == "toegelaten" {
        entry["uitkomst"] = "geweigerd".into();
        entry["reden"] = Reason::Expired.code().into();
    } else {
        entry["uitkomst"] = "toegelaten".into();
        entry.as_object_mut()?.remove("reden");
    }
    *place = STANDARD.encode(serde_json::to_vec(&entry).ok()?).into();
    Some(())
}
