//! The reference: `openapi.json`, as it is checked in. Tests hold it against the routes and against real answers.

use super::{
    Api,
    call::{Answer, Call, Reply},
};

/// The OpenAPI 3.1 document.
pub const REFERENCE: &str = include_str!("../../openapi.json");

pub(super) fn give(_api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        Ok(Answer::written(REFERENCE))
    })
}

/// Every route, with what is in the way of finding it in the reference: method in small letters and path below `/v1`.
pub fn documented() -> impl Iterator<Item = (String, &'static str)> {
    let below = |path: &'static str| path.strip_prefix("/v1").unwrap_or(path);
    super::routes::ROUTES.iter().map(move |route| (route.method.as_str().to_lowercase(), below(route.path)))
}

#[cfg(test)]
mod tests;
