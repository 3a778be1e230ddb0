//! One partner's connection, whatever carries it: its requests handled within its limits.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use tracing::error;

use super::{Shared, gate::Seat, vigil::Pulse};
use crate::{
    Handler, Peer, Request, Response,
    body::{Place, Progress},
};

/// What a partner is asked to wait when it has too much in progress here.
const RETRY_SECONDS: u32 = 5;

/// What the requests on one connection share.
pub(super) struct Session<H> {
    pub(super) shared: Arc<Shared<H>>,
    pub(super) peer: Arc<Peer>,
    pub(super) seat: Seat,
    pub(super) pulse: Pulse,
}

impl<H: Handler> Session<H> {
    pub(super) fn new(shared: Arc<Shared<H>>, peer: Peer, seat: Seat) -> Arc<Self> {
        Arc::new(Self { shared, peer: Arc::new(peer), seat, pulse: Pulse::new() })
    }

    /// Waits for room for a request's body, for as long as its transfer may take.
    pub(super) async fn reserve_request(&self, size: usize) -> Result<Option<Place>, Response> {
        let limits = &self.shared.limits;
        if size > limits.request_body {
            return Err(too_large(limits.request_body));
        }
        timeout(limits.body_time, self.seat.buffer.reserve(size)).await.map_err(|_| busy())
    }

    /// Has the request answered. `place` is given back once the handler is done with the body.
    pub(super) async fn answer(self: &Arc<Self>, request: Request, place: Option<Place>) -> Response {
        self.pulse.beat();
        if self.shared.tls.now() > self.peer.not_after {
            self.pulse.expire();
            return expired();
        }
        let waiting = self.seat.requests.clone().acquire_owned();
        let Ok(Ok(permit)) = timeout(self.shared.limits.body_time, waiting).await else { return busy() };
        let session = self.clone();
        let handling = tokio::spawn(async move {
            let response = session.shared.handler.handle(session.peer.clone(), request).await;
            drop((place, permit));
            response
        });
        let response = handling.await.unwrap_or_else(|_| {
            error!(partner = %self.peer.oin, "handling a request panicked");
            failed()
        });
        self.pulse.beat();
        response
    }

    /// The answer, with room for its body; or, when it cannot be sent, another one.
    pub(super) async fn reserve_response(&self, response: Response) -> (Response, Option<Place>) {
        let limits = &self.shared.limits;
        if response.body.len() > limits.response_body {
            error!(
                size = response.body.len(),
                limit = limits.response_body,
                "an answer was too large to send"
            );
            return (failed(), None);
        }
        match timeout(limits.body_time, self.seat.buffer.reserve(response.body.len())).await {
            Ok(place) => (response, place),
            Err(_) => (busy(), None),
        }
    }

    /// The time a request's transfer may take.
    pub(super) fn body_time(&self) -> Duration {
        self.shared.limits.body_time
    }
}

/// What a response being sent holds on to.
pub(super) struct Sending<H> {
    pub(super) session: Arc<Session<H>>,
    pub(super) _place: Option<Place>,
}

impl<H> Progress for Sending<H> {
    fn made(&self) {
        self.session.pulse.beat();
    }
}

pub(super) fn too_large(limit: usize) -> Response {
    let detail = format!("Een zending is hier hooguit {limit} bytes. Verdeel haar over kleinere delen.");
    Response::problem(413, "te-groot", "De zending is te groot", &detail)
}

pub(super) fn malformed(detail: &str) -> Response {
    Response::problem(400, "onleesbaar", "Het verzoek is niet te lezen", detail)
}

pub(super) fn too_slow() -> Response {
    Response::problem(408, "te-traag", "De zending kwam niet op tijd binnen", "Probeer het later opnieuw.")
        .retry_after(RETRY_SECONDS)
}

fn busy() -> Response {
    let detail =
        "Van dit knooppunt zijn te veel verzoeken tegelijk in behandeling. Probeer het later opnieuw.";
    Response::problem(503, "bezet", "Het knooppunt is bezet", detail).retry_after(RETRY_SECONDS)
}

fn expired() -> Response {
    let detail = "Vernieuw het certificaat en maak een nieuwe verbinding.";
    Response::problem(403, "certificaat-verlopen", "Het certificaat is verlopen", detail)
}

fn failed() -> Response {
    Response::problem(
        500,
        "storing",
        "Het knooppunt kon het verzoek niet verwerken",
        "Probeer het later opnieuw; blijft het misgaan, neem dan contact op met de organisatie.",
    )
}
