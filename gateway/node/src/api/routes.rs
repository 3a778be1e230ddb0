//! Which path is what, and for whom.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{RawPathParams, rejection::RawPathParamsRejection},
    http::{Method, Request},
    middleware,
    routing::{MethodFilter, on},
};
use schemas::SchemaName;

use super::{
    Api, Role, accesses,
    call::{Answer, Call, Reply},
    consents, consultations, desks, events, feedback, figures, gate, handovers, messages, own_desks,
    partners,
    problem::Problem,
    purposes, reference, reports, searches, signal_terms,
    signals::{self, Verdict},
    submissions, undelivered,
    webhooks::{self, Wish},
};

/// Who may ask.
pub(super) enum Allowed {
    /// Anybody that can connect.
    Anybody,
    /// A client with one of these.
    Roles(&'static [Role]),
}

/// One method of one path.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) allowed: Allowed,
    /// Whether there is something in its body.
    pub(super) takes_body: bool,
    pub(super) handle: for<'a> fn(&'a Api, Call) -> Reply<'a>,
}

use Role::{Beheer, Bronsysteem, Medewerker, Privacy};

const EVERYBODY: Allowed = Allowed::Roles(&[Bronsysteem, Medewerker, Privacy, Beheer]);

const fn get(path: &'static str, allowed: Allowed, handle: for<'a> fn(&'a Api, Call) -> Reply<'a>) -> Route {
    Route { method: Method::GET, path, allowed, takes_body: false, handle }
}

const fn post(path: &'static str, allowed: Allowed, handle: for<'a> fn(&'a Api, Call) -> Reply<'a>) -> Route {
    Route { method: Method::POST, path, allowed, takes_body: true, handle }
}

/// A deed about which there is nothing more to say than where.
const fn act(path: &'static str, allowed: Allowed, handle: for<'a> fn(&'a Api, Call) -> Reply<'a>) -> Route {
    Route { method: Method::POST, path, allowed, takes_body: false, handle }
}

/// Something is to be so from now on.
const fn put(path: &'static str, allowed: Allowed, handle: for<'a> fn(&'a Api, Call) -> Reply<'a>) -> Route {
    Route { method: Method::PUT, path, allowed, takes_body: true, handle }
}

/// Something is to be gone.
const fn delete(
    path: &'static str,
    allowed: Allowed,
    handle: for<'a> fn(&'a Api, Call) -> Reply<'a>,
) -> Route {
    Route { method: Method::DELETE, path, allowed, takes_body: false, handle }
}

/// Something that an employee says about a case.
const fn said(path: &'static str, handle: for<'a> fn(&'a Api, Call) -> Reply<'a>) -> Route {
    post(path, Allowed::Roles(&[Medewerker]), handle)
}

/// Every route. `openapi.json` describes the same.
pub(super) static ROUTES: [Route; 60] = [
    get("/v1/gezondheid", Allowed::Anybody, health),
    get("/v1/openapi.json", Allowed::Anybody, reference::give),
    get("/v1/berichten", EVERYBODY, messages::list),
    post("/v1/berichten", Allowed::Roles(&[Bronsysteem, Medewerker]), submissions::submit),
    get("/v1/berichten/{bericht}", EVERYBODY, messages::one),
    get("/v1/berichten/{bericht}/inhoud", Allowed::Roles(&[Medewerker]), messages::content),
    act("/v1/berichten/{bericht}/opnieuw", Allowed::Roles(&[Beheer]), messages::resend),
    get(
        "/v1/berichten/{bericht}/terugkoppelingen",
        Allowed::Roles(&[Bronsysteem, Medewerker]),
        feedback::list,
    ),
    said("/v1/berichten/{bericht}/terugkoppelingen", feedback::give),
    post("/v1/zoekopdrachten", Allowed::Roles(&[Medewerker, Privacy]), searches::search),
    post("/v1/inzageoverzichten", Allowed::Roles(&[Privacy]), reports::subject),
    get("/v1/toestemmingen", Allowed::Roles(&[Medewerker, Privacy]), consents::list),
    post("/v1/toestemmingen", Allowed::Roles(&[Medewerker, Privacy]), consents::grant),
    get("/v1/toestemmingen/{toestemming}", Allowed::Roles(&[Medewerker, Privacy]), consents::one),
    post(
        "/v1/toestemmingen/{toestemming}/verlenging",
        Allowed::Roles(&[Medewerker, Privacy]),
        consents::extend,
    ),
    post(
        "/v1/toestemmingen/{toestemming}/intrekking",
        Allowed::Roles(&[Medewerker, Privacy]),
        consents::withdraw,
    ),
    get("/v1/overdrachten", Allowed::Roles(&[Medewerker, Privacy]), handovers::list),
    get("/v1/overdrachten/{dossier}", Allowed::Roles(&[Medewerker, Privacy]), handovers::one),
    get("/v1/overdrachten/{dossier}/inhoud", Allowed::Roles(&[Medewerker]), handovers::content),
    said("/v1/overdrachten/{dossier}/acceptatie", |api, call| {
        handovers::say(api, call, SchemaName::HandoverAccepted)
    }),
    said("/v1/overdrachten/{dossier}/afwijzing", |api, call| {
        handovers::say(api, call, SchemaName::HandoverDeclined)
    }),
    said("/v1/overdrachten/{dossier}/vragen", |api, call| {
        handovers::say(api, call, SchemaName::HandoverSupplementRequested)
    }),
    said("/v1/overdrachten/{dossier}/aanvulling", |api, call| {
        handovers::say(api, call, SchemaName::HandoverSupplemented)
    }),
    said("/v1/overdrachten/{dossier}/intrekking", |api, call| {
        handovers::say(api, call, SchemaName::HandoverWithdrawn)
    }),
    said("/v1/overdrachten/{dossier}/eerste-contact", |api, call| {
        handovers::say(api, call, SchemaName::HandoverFirstContact)
    }),
    said("/v1/overdrachten/{dossier}/afronding", |api, call| {
        handovers::say(api, call, SchemaName::HandoverCompleted)
    }),
    get("/v1/signalen", Allowed::Roles(&[Medewerker, Privacy]), signal_terms::list),
    get("/v1/signalen/{bericht}", Allowed::Roles(&[Medewerker, Privacy]), signal_terms::one),
    get("/v1/meervoudige-signalen", Allowed::Roles(&[Medewerker]), signals::list),
    said("/v1/meervoudige-signalen", |api, call| signals::decide(api, call, Verdict::Joined)),
    get("/v1/meervoudige-signalen/{nummer}", Allowed::Roles(&[Medewerker]), signals::one),
    get("/v1/meervoudige-signalen/{nummer}/inhoud", Allowed::Roles(&[Medewerker]), signals::content),
    get("/v1/signaalvoorstellen", Allowed::Roles(&[Medewerker]), signals::suggestions),
    said("/v1/signaalafwijzingen", |api, call| signals::decide(api, call, Verdict::KeptApart)),
    said("/v1/signaalsplitsingen", |api, call| signals::decide(api, call, Verdict::Split)),
    get("/v1/raadplegingen", Allowed::Roles(&[Privacy]), accesses::list),
    get("/v1/gebeurtenissen", Allowed::Roles(&[Medewerker, Privacy, Beheer]), events::follow),
    get("/v1/webhooks", Allowed::Roles(&[Beheer]), webhooks::list),
    act("/v1/webhooks/{naam}/hervatting", Allowed::Roles(&[Beheer]), webhooks::resume),
    get("/v1/opzijgezette-gebeurtenissen", Allowed::Roles(&[Beheer]), webhooks::letters),
    post("/v1/opzijgezette-gebeurtenissen/opnieuw", Allowed::Roles(&[Beheer]), |api, call| {
        webhooks::decide(api, call, Wish::Retry)
    }),
    post("/v1/opzijgezette-gebeurtenissen/opgave", Allowed::Roles(&[Beheer]), |api, call| {
        webhooks::decide(api, call, Wish::GiveUp)
    }),
    get("/v1/consultaties", Allowed::Roles(&[Medewerker]), consultations::list),
    said("/v1/consultaties", consultations::ask),
    get("/v1/consultaties/{nummer}/inhoud", Allowed::Roles(&[Medewerker]), consultations::content),
    said("/v1/consultaties/{nummer}/antwoord", consultations::answer),
    get("/v1/loketten", EVERYBODY, desks::list),
    said("/v1/berichten/{bericht}/doorgifte", desks::pass_on),
    get("/v1/eigen-loketten", EVERYBODY, own_desks::list),
    put("/v1/eigen-loketten/{loket}", Allowed::Roles(&[Beheer]), own_desks::put),
    delete("/v1/eigen-loketten/{loket}", Allowed::Roles(&[Beheer]), own_desks::remove),
    get("/v1/cijfers", Allowed::Roles(&[Medewerker, Privacy, Beheer]), figures::count),
    get("/v1/bezorging", Allowed::Roles(&[Beheer]), undelivered::list),
    post("/v1/bezorging/opnieuw", Allowed::Roles(&[Beheer]), undelivered::retry),
    post("/v1/bezorging/opgave", Allowed::Roles(&[Beheer]), undelivered::give_up),
    get("/v1/partners", EVERYBODY, partners::list),
    get("/v1/partners/{oin}", EVERYBODY, partners::one),
    get("/v1/doelen", EVERYBODY, purposes::list),
    get("/v1/doelen/{doel}", EVERYBODY, purposes::one),
    post("/v1/doelen/{doel}/toets", Allowed::Roles(&[Bronsysteem, Medewerker, Privacy]), purposes::check),
];

/// The router of all of them.
pub(super) fn router(api: &Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in &ROUTES {
        let api = api.clone();
        let handler = async move |params: Result<RawPathParams, _>, request: Request<Body>| match params {
            Ok(params) => {
                let path = params.iter().map(|(_, value)| value.to_owned()).collect();
                gate::answer(api, route, path, request).await
            }
            Err::<_, RawPathParamsRejection>(_) => Problem::no_such_path().into_response(),
        };
        let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        router = router.route(route.path, on(filter, handler));
    }
    router
        .fallback(async || Problem::no_such_path().into_response())
        .method_not_allowed_fallback(async || Problem::no_such_method().into_response())
        .layer(middleware::map_response(gate::with_headers))
}

/// Whether the node is there and can read what it remembers. Nothing else: anybody may ask.
fn health(api: &Api, _call: Call) -> Reply<'_> {
    Box::pin(async move {
        api.node.core.store.log_size().await?;
        Answer::ok(&serde_json::json!({ "status": "goed" }))
    })
}
