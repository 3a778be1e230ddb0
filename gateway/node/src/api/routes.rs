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

use super::{
    Api, Role, accesses,
    call::{Answer, Call, Reply},
    consents, gate, messages, partners,
    problem::Problem,
    purposes, reference, reports, searches, submissions,
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

/// Every route. `openapi.json` describes the same.
pub(super) static ROUTES: [Route; 20] = [
    get("/v1/gezondheid", Allowed::Anybody, health),
    get("/v1/openapi.json", Allowed::Anybody, reference::give),
    get("/v1/berichten", EVERYBODY, messages::list),
    post("/v1/berichten", Allowed::Roles(&[Bronsysteem, Medewerker]), submissions::submit),
    get("/v1/berichten/{bericht}", EVERYBODY, messages::one),
    get("/v1/berichten/{bericht}/inhoud", Allowed::Roles(&[Medewerker]), messages::content),
    act("/v1/berichten/{bericht}/opnieuw", Allowed::Roles(&[Beheer]), messages::resend),
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
    get("/v1/raadplegingen", Allowed::Roles(&[Privacy]), accesses::list),
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
        let filter = if route.method == Method::POST { MethodFilter::POST } else { MethodFilter::GET };
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
