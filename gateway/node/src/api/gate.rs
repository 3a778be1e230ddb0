//! What every request goes through: who asks, how often, whether it may, its body, and an answer whatever happens.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header},
};
use tokio::time::timeout;

use super::{
    Api, authentication,
    authentication::{Client, Connection},
    body,
    call::Call,
    limits,
    problem::Problem,
    rates,
    routes::{Allowed, Route},
};

/// The version of this API.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// Carries out one request of one route.
pub(super) async fn answer(
    api: Arc<Api>,
    route: &'static Route,
    path: Vec<String>,
    request: Request<Body>,
) -> Response<Body> {
    match pass(api, route, path, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn pass(
    api: Arc<Api>,
    route: &'static Route,
    path: Vec<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let (parts, incoming) = request.into_parts();
    let connection = parts.extensions.get::<Arc<Connection>>().ok_or_else(Problem::failed)?;
    let client = enter(&api, connection, &parts.headers, route).await?;
    let turn = timeout(limits::TURN_TIME, api.requests.clone().acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(Problem::unavailable(1)) };
    let (bytes, memory) = if parts.method == Method::POST && route.takes_body {
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
    match handling.await {
        Ok(answer) => Ok(answer?.into_response()),
        Err(_) => {
            tracing::error!(path = route.path, "a request of the API panicked");
            Err(Problem::failed())
        }
    }
}

/// Who asks, if it may ask this now.
async fn enter(
    api: &Api,
    connection: &Connection,
    headers: &HeaderMap,
    route: &Route,
) -> Result<Option<Arc<Client>>, Problem> {
    let Allowed::Roles(roles) = route.allowed else { return Ok(None) };
    let client = authentication::client(api, connection, headers).await?;
    api.rates.take(&client.key, api.node.core.now(), rates::CLIENT).map_err(Problem::too_many)?;
    if client.has_any(roles) {
        return Ok(Some(client));
    }
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    Err(Problem::forbidden(&names.join(", ")))
}

/// What stands at the head of every answer. There is no CORS header: no page of another site may read any of it.
pub(super) async fn with_headers(mut response: Response<Body>) -> Response<Body> {
    const HEADERS: [(HeaderName, HeaderValue); 7] = [
        (HeaderName::from_static("api-version"), VERSION),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}
