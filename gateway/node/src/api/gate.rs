//! What every request goes through: who asks, how often, whether it may, its body, and an answer whatever happens.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request::Parts},
};
use tokio::time::timeout;

use super::{
    Api, authentication,
    authentication::{Client, Connection},
    body,
    call::{Answer, Call},
    limits,
    problem::Problem,
    rates,
    routes::{Allowed, Route},
};

/// The version of this API.
const VERSION: &str = "1.0.0";

/// Carries out one request of one route.
pub(super) async fn answer(
    api: Arc<Api>,
    route: &'static Route,
    path: Vec<String>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    match pass(api, route, path, (parts, &mut body)).await {
        Ok(answer) => answer.into_response(),
        Err(problem) => {
            body::drain(body).await;
            problem.into_response()
        }
    }
}

async fn pass(
    api: Arc<Api>,
    route: &'static Route,
    path: Vec<String>,
    (parts, incoming): (Parts, &mut Body),
) -> Result<Answer, Problem> {
    let connection = parts.extensions.get::<Arc<Connection>>().ok_or_else(Problem::failed)?;
    let client = enter(&api, connection, &parts.headers, route).await?;
    let turn = timeout(limits::TURN_TIME, api.requests.clone().acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(Problem::unavailable(1)) };
    let (bytes, memory) = if route.takes_body {
        body::check_type(&parts.headers)?;
        let (bytes, memory) = body::take(incoming, &api.memory).await?;
        (bytes, Some(memory))
    } else {
        (Bytes::new(), None)
    };
    let query = parts.uri.query().map(str::to_owned);
    let call = Call { client, headers: parts.headers, path, query, body: bytes };
    // In a task of its own: who goes away does not cut it short, and a panic is one answer.
    let handling = tokio::spawn(async move {
        let answer = (route.handle)(&api, call).await;
        drop((turn, memory));
        answer
    });
    handling.await.unwrap_or_else(|_| {
        tracing::error!(path = route.path, "a request of the API panicked");
        Err(Problem::failed())
    })
}

/// Who asks, if it may ask this now.
async fn enter(
    api: &Api,
    connection: &Connection,
    headers: &HeaderMap,
    route: &Route,
) -> Result<Option<Arc<Client>>, Problem> {
    let now = api.node.core.now();
    let Allowed::Roles(roles) = route.allowed else {
        let address = format!("open:{}", connection.address);
        return api.rates.take(&address, now, rates::OPEN).map(|()| None).map_err(Problem::too_many);
    };
    let client = authentication::client(api, connection, headers).await?;
    api.rates.take(&client.key, now, rates::CLIENT).map_err(Problem::too_many)?;
    if client.has_any(roles) {
        return Ok(Some(client));
    }
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    Err(Problem::forbidden(&names.join(", ")))
}

/// What stands at the head of every answer. There is no CORS header: no page of another site may read any of it.
pub(super) async fn with_headers(mut response: Response<Body>) -> Response<Body> {
    const HEADERS: [(&str, &str); 7] = [
        ("api-version", VERSION),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
