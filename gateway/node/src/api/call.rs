//! A request as handlers see it, and what they answer.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use exchange::digest::Digest;
use serde::Serialize;

use super::{authentication::Client, body, problem::Problem, query::Query};

/// A request of which is known who asks.
pub(super) struct Call {
    /// Who; nobody where everybody may ask.
    pub(super) client: Option<Arc<Client>>,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// What stands in the path, in its order.
    pub(super) path: Vec<String>,
    /// What stands behind it.
    pub(super) query: Option<String>,
    /// The body.
    pub(super) body: Bytes,
}

/// What a handler gives.
pub(super) type Reply<'a> = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send + 'a>>;

/// What was asked.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    location: Option<HeaderValue>,
    etag: Option<HeaderValue>,
    media_type: &'static str,
    body: Body,
}

const JSON: &str = "application/json";

impl Call {
    /// Who asks, where somebody must.
    pub(super) fn client(&self) -> Result<&Client, Problem> {
        self.client.as_deref().ok_or_else(Problem::unknown_client)
    }

    /// The query, with these keys.
    pub(super) fn query(&self, known: &[&str]) -> Result<Query, Problem> {
        Query::parse(self.query.as_deref(), known)
    }

    /// A part of the path.
    pub(super) fn part(&self, position: usize) -> &str {
        self.path.get(position).map_or("", String::as_str)
    }

    /// The body, read as JSON.
    pub(super) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        body::read(&self.body)
    }

    /// A header, as text.
    pub(super) fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.headers.get_all(name).into_iter();
        let (Some(value), rest) = (values.next(), values.next()) else { return Ok(None) };
        let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| rest.is_none());
        let text = text.ok_or_else(|| {
            Problem::unreadable(format!(
                "De kopregel {name} is niet te lezen; geef haar één keer, als UTF-8."
            ))
        })?;
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: StatusCode::OK, location: None, etag: None, media_type: JSON, body: Body::empty() }
    }
}

impl Answer {
    /// What was asked for, as JSON.
    pub(super) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::with(StatusCode::OK, body)
    }

    /// Something was made, and is found there.
    pub(super) fn created(path: &str, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::ok(body)?.made_at(path))
    }

    /// The same answer, to a request by which something was made that is found there.
    pub(super) fn made_at(self, path: &str) -> Self {
        Self { status: StatusCode::CREATED, location: HeaderValue::try_from(path).ok(), ..self }
    }

    /// The version of what it shows (RFC 9110 §8.8.3).
    pub(super) fn of_version(self, version: Digest) -> Self {
        Self { etag: HeaderValue::try_from(format!("\"{version}\"")).ok(), ..self }
    }

    fn with(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, "an answer of the API cannot be written");
            Problem::failed()
        })?;
        Ok(Self { status, body: body.into(), ..Self::default() })
    }

    /// JSON that was written before.
    pub(super) fn written(body: impl Into<Vec<u8>>) -> Self {
        Self { body: Body::from(body.into()), ..Self::default() }
    }

    /// A table.
    pub(super) fn csv(text: String) -> Self {
        Self { media_type: "text/csv; charset=utf-8", body: text.into(), ..Self::default() }
    }

    /// What goes on as long as there is something to say.
    pub(super) fn stream(body: Body) -> Self {
        Self { media_type: "text/event-stream", body, ..Self::default() }
    }

    /// As it goes over the line.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        for (name, value) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        response
    }
}
