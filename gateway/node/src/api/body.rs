//! Bodies: taken in within a limit and a time, read as strict JSON.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, header},
};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{limits, problem::Problem};

/// Checks that JSON comes.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let media_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let (essence, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    let plain =
        matches!(parameters.trim().to_ascii_lowercase().as_str(), "" | "charset=utf-8" | "charset=\"utf-8\"");
    let encoded = text(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    if essence.trim().eq_ignore_ascii_case("application/json") && plain && !encoded {
        return Ok(());
    }
    Err(Problem::not_json())
}

/// Takes a whole body in, with the memory that it takes. When that fails, `body` is what is left of it.
pub(super) async fn take(
    body: &mut Body,
    memory: &Arc<Semaphore>,
) -> Result<(Bytes, OwnedSemaphorePermit), Problem> {
    let hint = body.size_hint();
    if hint.lower() > limits::BODY as u64 {
        return Err(Problem::too_large(limits::BODY));
    }
    // Without a length the largest is expected.
    let size = hint.exact().map_or(limits::BODY, |size| usize::try_from(size).unwrap_or(limits::BODY));
    let kib = u32::try_from(size >> 10).unwrap_or(u32::MAX) + 1;
    let place = timeout(limits::TURN_TIME, memory.clone().acquire_many_owned(kib)).await;
    let Ok(Ok(place)) = place else { return Err(Problem::unavailable(1)) };
    let collected = timeout(limits::BODY_TIME, collect(body, size)).await.map_err(|_| Problem::too_slow())?;
    Ok((collected?, place))
}

async fn collect(body: &mut Body, size: usize) -> Result<Bytes, Problem> {
    let mut whole = BytesMut::with_capacity(size.min(FIRST));
    while let Some(frame) = body.frame().await {
        // Nobody is left to read this.
        let frame = frame.map_err(|_| Problem::unreadable("Het verzoek brak af."))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limits::BODY {
            return Err(Problem::too_large(limits::BODY));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Memory that a body gets before any of it came, in bytes.
const FIRST: usize = 64 << 10;

/// Reads what nobody needs, for a while: closing a connection with unread data makes TCP throw away the answer.
pub(super) async fn drain(mut body: Body) {
    let draining = async {
        let mut left = 2 * limits::BODY;
        while let Some(Ok(frame)) = body.frame().await {
            left = match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(left) => left,
                None => return,
            };
        }
    };
    let _ = timeout(limits::DRAIN_BODY_TIME, draining).await;
}

/// Reads a body. What is wrong is told by its place, without anything of what was sent.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::unreadable(explain(&error)))
}

fn explain(error: &serde_json::Error) -> String {
    let place = format!("regel {}, teken {}", error.line(), error.column());
    let text = error.to_string();
    // Names of ours; what was sent is never between quotes here.
    let named = |after: &str| text.strip_prefix(after)?.split('`').nth(1).map(str::to_owned);
    if let Some(field) = named("missing field") {
        return format!("Het veld `{field}` ontbreekt ({place}).");
    }
    if let Some(field) = named("duplicate field") {
        return format!("Het veld `{field}` staat er twee keer in ({place}).");
    }
    if let Some((_, known)) = text.split_once(", expected ").filter(|_| text.starts_with("unknown field")) {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return format!("Er staat een veld in dat hier niet kan ({place}). Wel kan: {}.", known.join(", "));
    }
    if error.is_data() {
        return format!("Op {place} staat iets anders dan daar hoort; /v1/openapi.json zegt wat.");
    }
    format!("Dit is geen leesbare JSON; het gaat mis op {place}.")
}

#[cfg(test)]
mod tests;
