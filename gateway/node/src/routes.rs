//! What a partner's node may ask of this one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use exchange::{
    descriptor::{Descriptor, DescriptorError},
    desk::Desk,
    oin::Oin,
};
use store::StoreError;
use transport::{Handler, Peer, Request, Response};

use crate::{
    agreements::{self, AgreementFault},
    core::Core,
    delivery::{self, Driver, JWS_LINES, RECEIPT},
    inbound::{self, InboundError, MAX_BYTES, MAX_MESSAGES},
    witness::{self, Testimony},
};

/// How long a partner should wait when this node cannot store anything now, in seconds.
const STORE_RETRY: u32 = 10;

/// Answers partners.
pub struct Routes {
    core: Arc<Core>,
    driver: Arc<Driver>,
    descriptor: Shown,
}

/// What this node says of itself, signed again once its desks changed.
struct Shown {
    descriptor: Descriptor,
    signed: ArcSwap<(Arc<Vec<Desk>>, Bytes)>,
}

impl Shown {
    fn new(core: &Core, descriptor: Descriptor) -> Result<Self, DescriptorError> {
        let desks = core.desks.load_full();
        let signed = Self::signed(core, &descriptor, &desks)?;
        Ok(Self { descriptor, signed: ArcSwap::from_pointee((desks, signed)) })
    }

    fn signed(core: &Core, descriptor: &Descriptor, desks: &[Desk]) -> Result<Bytes, DescriptorError> {
        let descriptor = Descriptor { loketten: desks.to_vec(), ..descriptor.clone() };
        Ok(descriptor.sign(&*core.signer)?.into())
    }

    fn get(&self, core: &Core) -> Bytes {
        let desks = core.desks.load_full();
        let known = self.signed.load();
        if Arc::ptr_eq(&known.0, &desks) {
            return known.1.clone();
        }
        match Self::signed(core, &self.descriptor, &desks) {
            Ok(signed) => {
                self.signed.store(Arc::new((desks, signed.clone())));
                signed
            }
            Err(error) => {
                tracing::error!(%error, "the desks cannot be shown to partners; the previous ones stay");
                known.1.clone()
            }
        }
    }
}

impl Routes {
    /// Routes into `core`, presenting the node as `descriptor`.
    pub fn new(
        core: Arc<Core>,
        driver: Arc<Driver>,
        descriptor: Descriptor,
    ) -> Result<Self, crate::core::RulesError> {
        let shown = Shown::new(&core, descriptor);
        let descriptor = shown.map_err(|error| crate::core::RulesError::Damaged(error.to_string()))?;
        Ok(Self { core, driver, descriptor })
    }

    async fn deliveries(&self, peer: Oin, request: &Request) -> Response {
        if request.content_type.as_deref() != Some(JWS_LINES) {
            return Response::problem(
                415,
                "mediatype-onbekend",
                "Onbekend mediatype",
                &format!("Stuur berichten als {JWS_LINES}."),
            );
        }
        match inbound::receive(&self.core, peer, &request.body).await {
            Ok(receipt) => json(RECEIPT, &receipt),
            Err(InboundError::Unreadable) => Response::problem(
                400,
                "onleesbaar",
                "Onleesbaar",
                "Stuur per regel één compacte JWS, zonder lege regels.",
            ),
            Err(InboundError::TooLarge) => {
                let detail = format!("Stuur hooguit {MAX_MESSAGES} berichten en {MAX_BYTES} bytes tegelijk.");
                Response::problem(413, "te-groot", "Te groot", &detail)
            }
            Err(InboundError::Store(error)) => unavailable(&error),
        }
    }

    /// What became of a message that the peer sent.
    async fn outcome(&self, peer: Oin, id: &str, query: &str) -> Response {
        let (Ok(id), Some(Ok(message))) = (id.parse(), query.strip_prefix("bericht=").map(str::parse)) else {
            let detail = "Vraag naar een bericht met zijn `id`, en `bericht` als digest.";
            return Response::problem(400, "onleesbaar", "Onleesbaar", detail);
        };
        match self.core.store.receipt_for(peer, id, message).await {
            Ok(Some(receipt)) => json(RECEIPT, &receipt),
            // Not 404: a node that does not know the question says that.
            Ok(None) => Response::empty(204),
            Err(error) => unavailable(&error),
        }
    }

    async fn agreements(&self, peer: Oin, request: &Request) -> Response {
        match agreements::receive(&self.core, peer, &request.body).await {
            Ok(answers) => json("application/json", &answers),
            Err(AgreementFault::Store(error)) => unavailable(&error),
            Err(fault) => Response::problem(
                400,
                "convenant-niet-aangenomen",
                "Convenant niet aangenomen",
                &fault.to_string(),
            ),
        }
    }

    /// A partner cosigned a checkpoint of this log.
    async fn testimony(&self, peer: Oin, request: &Request) -> Response {
        match witness::receive(&self.core, peer, &request.body).await {
            Ok(Testimony::Kept) => Response::empty(204),
            Ok(Testimony::Unreadable) => {
                let detail = "Stuur een controlepunt van dit logboek met uw medeondertekening erbij.";
                Response::problem(400, "onleesbaar", "Onleesbaar", detail)
            }
            Ok(Testimony::Contradicts) => {
                let detail = "Dit controlepunt past niet bij het logboek zoals het hier nu is. Waarschuw de beheerder van dit knooppunt.";
                Response::problem(409, "logboek-anders", "Het logboek is anders", detail)
            }
            Err(error) => unavailable(&error),
        }
    }

    /// What this node saw of a log: that of the peer, or of an organisation that it shares an agreement with.
    async fn seen_of(&self, peer: Oin, query: Option<&str>) -> Response {
        let asked = query.and_then(|query| query.strip_prefix("van=")).map_or(Ok(peer), str::parse);
        let Ok(log) = asked else {
            let detail = "Geef met van het OIN van een organisatie.";
            return Response::problem(400, "onleesbaar", "Onleesbaar", detail);
        };
        match witness::seen_of(&self.core, peer, log).await {
            Ok(notes) => json("application/json", &notes),
            Err(error) => unavailable(&error),
        }
    }

    async fn log(&self, what: &str, query: &str) -> Response {
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name)?.1.parse::<u64>().ok()
        };
        let store = &self.core.store;
        let proof = match (what, number("van"), number("tot"), number("index"), number("grootte")) {
            ("checkpoint", ..) => {
                return match witness::cosigned_head(&self.core).await {
                    Ok(note) => text("text/plain; charset=utf-8", note),
                    Err(error) => unavailable(&error),
                };
            }
            ("consistentie", Some(from), Some(to), ..) => store.consistency(from, to).await,
            ("bewijs", _, _, Some(index), Some(size)) => store.inclusion(index, size).await,
            ("consistentie" | "bewijs", ..) => {
                let detail =
                    "Geef van en tot (consistentie) of index en grootte (bewijs) als gehele getallen.";
                return Response::problem(400, "onleesbaar", "Onleesbaar", detail);
            }
            _ => return not_found(),
        };
        match proof {
            Ok(hashes) => json("application/json", &hashes),
            Err(StoreError::NotFound(_)) => Response::problem(
                400,
                "buiten-het-logboek",
                "Buiten het logboek",
                "Vraag een bewijs binnen de grootte van het logboek.",
            ),
            Err(error) => unavailable(&error),
        }
    }
}

impl Handler for Routes {
    async fn handle(&self, peer: Arc<Peer>, request: Request) -> Response {
        let oin = peer.oin;
        let path = request.path.as_str();
        let is_partner = self.core.partners().contains_key(&oin);
        if is_partner {
            self.driver.heard_from(oin).await;
        }
        if (request.method.as_str(), path) == ("GET", "/v1/knooppunt") {
            return text("application/jose", self.descriptor.get(&self.core));
        }
        if !is_partner {
            tracing::warn!(%oin, "refused an organisation that is not a partner");
            let detail = "Vraag de beheerder van dit knooppunt om uw organisatie als partner toe te voegen.";
            return Response::problem(403, "partner-onbekend", "Onbekende partner", detail);
        }
        match (request.method.as_str(), path) {
            ("POST", "/v1/berichten") => self.deliveries(oin, &request).await,
            ("POST", "/v1/convenanten") => self.agreements(oin, &request).await,
            ("POST", "/v1/aanwezig") => match self.driver.wake(oin).await {
                Ok(()) => Response::empty(204),
                Err(error) => unavailable(&error),
            },
            ("GET", path) if path.starts_with(delivery::OUTCOMES) => {
                let query = request.query.as_deref().unwrap_or_default();
                self.outcome(oin, &path[delivery::OUTCOMES.len()..], query).await
            }
            ("POST", "/v1/logboek/getuigenis") => self.testimony(oin, &request).await,
            ("GET", "/v1/logboek/getuigenis") => self.seen_of(oin, request.query.as_deref()).await,
            ("GET", path) if path.starts_with("/v1/logboek/") => {
                self.log(&path["/v1/logboek/".len()..], request.query.as_deref().unwrap_or_default()).await
            }
            _ => not_found(),
        }
    }
}

fn json(media_type: &str, body: &impl serde::Serialize) -> Response {
    text(media_type, serde_json::to_vec(body).unwrap_or_default())
}

fn text(media_type: &str, body: impl Into<Bytes>) -> Response {
    Response::new(200, media_type, body)
}

fn not_found() -> Response {
    Response::problem(
        404,
        "adres-onbekend",
        "Onbekend adres",
        "Dit pad bestaat niet in versie 1 van het protocol.",
    )
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, remedy = error.remedy(), "the store cannot take a request");
    Response::problem(
        503,
        "niet-beschikbaar",
        "Even niet beschikbaar",
        "Probeer het straks opnieuw; er is niets verloren.",
    )
    .retry_after(STORE_RETRY)
}
