//! `/v1/gebeurtenissen`: what happens here, as a stream (`text/event-stream`), for pages and systems that live along.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::{Body, Bytes};
use exchange::oin::Oin;
use http_body_util::{
    BodyExt as _,
    channel::{Channel, Sender},
};
use store::{Event, EventKind};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{
    Api, Role,
    authentication::Client,
    call::{Answer, Call, Reply},
    limits,
    problem::Problem,
};
use crate::events::{Follower, cloud_event, kind_name};

/// What a client that loses the stream sends along, to go on where it was.
const LAST: &str = "Last-Event-ID";
/// How long to wait when there are too many streams, in seconds.
const TOO_MANY_RETRY: u64 = 15;

pub(super) fn follow(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let client = call.client()?;
        let after = last_seen(api, &call).await?;
        let place = api.streams.take(&client.key);
        let place = place.ok_or_else(|| Problem::too_many(TOO_MANY_RETRY))?;
        let core = api.node.core.clone();
        let life = life(client, core.now().as_second());
        let me = core.me;
        let follower = Follower::new(core, kinds(client), after).await?;
        let (sender, body) = Channel::<Bytes, Infallible>::new(limits::STREAM_PARTS);
        let mut stopped = api.stop.subscribe();
        let (reader, reader_gone) = oneshot::channel::<Infallible>();
        tokio::spawn(hold(place, reader_gone, async move {
            tokio::select! {
                () = pass(follower, me, sender, limits::SLOW_TIME) => {}
                () = sleep(life) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }));
        let body = body.map_frame(move |frame| {
            let _ = &reader;
            frame
        });
        Ok(Answer::stream(Body::new(body)))
    })
}

/// Holds the place of a stream until it ends or its reader is gone, whichever is first: what was sent may still wait for a reader
/// that is too slow, and that keeps nobody else out.
async fn hold(place: Place, reader_gone: oneshot::Receiver<Infallible>, stream: impl Future<Output = ()>) {
    tokio::select! {
        () = stream => {}
        _ = reader_gone => {}
    }
    drop(place);
}

/// What this client may list, it may learn of.
fn kinds(client: &Client) -> Vec<EventKind> {
    let sees_cases = client.has_any(&[Role::Medewerker, Role::Privacy]);
    let is_message =
        |kind: EventKind| matches!(kind, EventKind::Admitted | EventKind::Refused | EventKind::Undeliverable);
    EventKind::ALL.into_iter().filter(|kind| sees_cases || is_message(*kind)).collect()
}

/// No longer than its token holds.
fn life(client: &Client, now: i64) -> Duration {
    let left = client.until.map_or(u64::MAX, |until| u64::try_from(until - now).unwrap_or_default());
    limits::STREAM_AGE.min(Duration::from_secs(left))
}

async fn last_seen(api: &Api, call: &Call) -> Result<Option<u64>, Problem> {
    let Some(text) = call.header(LAST)? else { return Ok(None) };
    let last = api.node.core.store.last_event().await?;
    let seen = text.parse().ok().filter(|seen| *seen <= last);
    seen.map(Some).ok_or_else(|| {
        Problem::unreadable(format!(
            "{LAST} is geen nummer van een gebeurtenis hier. Laat haar weg om te beginnen met wat er vanaf nu gebeurt."
        ))
    })
}

/// Passes on what happens, until the client is gone or too slow. It goes on later where it was.
async fn pass(mut follower: Follower, me: Oin, mut sender: Sender<Bytes, Infallible>, slow: Duration) {
    let mut text = format!("retry: {}\n\n", limits::STREAM_RETRY.as_millis());
    loop {
        if !matches!(timeout(slow, sender.send_data(text.into())).await, Ok(Ok(()))) {
            return tracing::debug!("a stream of events ended: nobody reads it");
        }
        text = match timeout(limits::HEARTBEAT, follower.next()).await {
            Err(_) => ":\n\n".to_owned(),
            Ok(Ok(events)) => events.iter().map(|event| written(me, event)).collect(),
            Ok(Err(error)) => return tracing::error!(%error, "a stream of events ended"),
        };
    }
}

fn written(me: Oin, event: &Event) -> String {
    let mut text = String::new();
    let (id, kind) = (event.number, kind_name(event.kind));
    let _ = write!(text, "id: {id}\nevent: {kind}\ndata: {}\n\n", cloud_event(me, event));
    text
}

/// How many streams there are, and whose.
#[derive(Debug, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// A stream that is there, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Mutex<HashMap<String, usize>>>,
    client: String,
}

impl Streams {
    /// One stream more of a client, if there may be one.
    pub(super) fn take(&self, client: &str) -> Option<Place> {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = streams.values().sum();
        let own = streams.get(client).copied().unwrap_or_default();
        if all >= limits::STREAMS || own >= limits::STREAMS_PER_CLIENT {
            return None;
        }
        streams.insert(client.to_owned(), own + 1);
        Some(Place { streams: self.0.clone(), client: client.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests;
