//! What travels: a request, its answer, and who answers.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use http::Method;

use crate::Peer;

/// The media type of a problem document (RFC 9457 §3).
const PROBLEM: &str = "application/problem+json";

/// A request to a partner, or from one. The same on both carriers.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The path, starting with `/`, without a query.
    pub path: String,
    /// What follows `?`, without it.
    pub query: Option<String>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The body, whole.
    pub body: Bytes,
}

impl Request {
    /// A `GET` without a body.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), query: None, content_type: None, body: Bytes::new() }
    }

    /// A `POST` of `body`.
    pub fn post(path: impl Into<String>, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            query: None,
            content_type: Some(content_type.into()),
            body: body.into(),
        }
    }

    /// The same request with this query (without `?`).
    #[must_use]
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Path and query as they stand in a request line.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

impl std::fmt::Debug for Request {
    // The query and the body may hold what no log may.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path, self.body.len())
    }
}

/// The answer to a [`Request`].
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// Seconds to wait before trying again (`Retry-After`, RFC 9110 §10.2.3).
    pub retry_after: Option<u32>,
    /// The body, whole.
    pub body: Bytes,
}

impl Response {
    /// An answer with a body of this media type.
    pub fn new(status: u16, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: Some(content_type.into()), retry_after: None, body: body.into() }
    }

    /// An answer without a body.
    pub const fn empty(status: u16) -> Self {
        Self { status, content_type: None, retry_after: None, body: Bytes::new() }
    }

    /// A problem document (RFC 9457): `code` is the last part of its `type`, `title` and `detail` are Dutch
    /// sentences for people, without personal data.
    pub fn problem(status: u16, code: &str, title: &str, detail: &str) -> Self {
        let document = serde_json::json!({
            "type": format!("urn:schakel:probleem:{code}"),
            "title": title,
            "status": status,
            "detail": detail,
        });
        Self::new(status, PROBLEM, document.to_string())
    }

    /// The same answer, asking the sender to wait this many seconds first.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// Answers the requests of partners.
///
/// Every call runs as a task of its own, to its end: a partner that goes away does not cut it short. A panic
/// becomes a 500 and touches no other request.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request of the partner that `peer` proved to be.
    fn handle(&self, peer: Arc<Peer>, request: Request) -> impl Future<Output = Response> + Send;
}
