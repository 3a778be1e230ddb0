//! Events: what happened here, as the organisation's own systems and pages learn of it. Identifiers and states, never personal
//! data: who wants to know more asks for it under its own role.

use std::{sync::Arc, time::Duration};

use exchange::oin::Oin;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use store::{Direction, Event, EventKind, StoreError};
use tokio::sync::watch;

use crate::{core::Core, upkeep};

/// How often is looked whether something happened: what another process did is seen that late, too.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long events are kept, for who was away.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often is looked whether events can go, in intervals.
const FORGET_EVERY: u32 = 600;
/// Events that are read at a time.
const BATCH: usize = 64;

/// The type of an event (CloudEvents).
pub fn kind_name(kind: EventKind) -> String {
    format!("nl.schakel.{}", kind.as_str())
}

/// An event as a CloudEvent (1.0, structured, JSON).
pub fn cloud_event(me: Oin, event: &Event) -> Value {
    let mut data = Map::new();
    let mut subject = Value::Null;
    if let Some(row) = &event.message {
        subject = row.id.map_or_else(|| row.index.to_string().into(), |id| id.to_string().into());
        data.insert("bericht".into(), json!(row.id));
        data.insert("nummer".into(), row.index.into());
        data.insert("dossier".into(), json!(row.case));
        data.insert("partner".into(), json!(row.partner));
        data.insert("soort".into(), json!(row.message_type));
        data.insert("doel".into(), json!(row.purpose));
        let direction = match row.direction {
            Direction::Inbound => "in",
            Direction::Outbound => "uit",
        };
        data.insert("richting".into(), direction.into());
        let state = match event.kind {
            EventKind::Admitted => "toegelaten",
            EventKind::Refused => "geweigerd",
            EventKind::Undeliverable => "onbestelbaar",
            EventKind::SignalReminded => "herinnerd",
            EventKind::SignalEscalated => "geescaleerd",
            EventKind::Handover | EventKind::Withdrawn => row.state.as_str(),
        };
        data.insert("stand".into(), state.into());
        if event.kind == EventKind::Handover {
            subject = json!(row.case);
        }
    }
    if let Some(consent) = event.consent {
        subject = consent.id.to_string().into();
        data.insert("toestemming".into(), json!(consent.id));
        data.insert("houder".into(), json!(consent.holder));
    }
    if let Some(reason) = &event.reason {
        data.insert("reden".into(), reason.as_str().into());
    }
    json!({
        "specversion": "1.0",
        "id": event.number.to_string(),
        "source": format!("urn:nld:oin:{me}"),
        "type": kind_name(event.kind),
        "time": event.at,
        "subject": subject,
        "datacontenttype": "application/json",
        "data": data,
    })
}

/// Runs until cancelled: says when something happened, and forgets what is long ago and who is told of it has passed.
pub async fn run(core: Arc<Core>, hooks: Vec<String>) {
    let mut rounds: u32 = 0;
    loop {
        match core.store.last_event().await {
            Ok(last) => {
                core.events.send_if_modified(|known| std::mem::replace(known, last) != last);
            }
            Err(error) => tracing::error!(%error, "cannot see what happened; trying again"),
        }
        if rounds.is_multiple_of(FORGET_EVERY)
            && let Err(error) = forget(&core, &hooks).await
        {
            tracing::error!(%error, "cannot forget old events; trying again");
        }
        rounds = rounds.wrapping_add(1);
        let pause = if core.events.is_closed() { upkeep::INTERVAL } else { INTERVAL };
        tokio::time::sleep(pause).await;
    }
}

async fn forget(core: &Core, hooks: &[String]) -> Result<(), StoreError> {
    let before = core.now().saturating_sub(KEPT).unwrap_or(jiff::Timestamp::MIN);
    core.store.forget_events(before, hooks.to_vec()).await.map(drop)
}

/// Follows what happens, from a place on: for streams and for pages that live.
pub struct Follower {
    core: Arc<Core>,
    news: watch::Receiver<u64>,
    kinds: Vec<EventKind>,
    after: u64,
}

impl Follower {
    /// Follows events of these kinds after this number; without one what happens from now on.
    pub async fn new(core: Arc<Core>, kinds: Vec<EventKind>, after: Option<u64>) -> Result<Self, StoreError> {
        let news = core.events.subscribe();
        let after = match after {
            Some(after) => after,
            None => core.store.last_event().await?,
        };
        Ok(Self { core, news, kinds, after })
    }

    /// What comes next: waits until there is something. Nothing is lost when this is cancelled.
    pub async fn next(&mut self) -> Result<Vec<Event>, StoreError> {
        loop {
            self.news.borrow_and_update();
            let events = self.core.store.events(self.after, &self.kinds, BATCH).await?;
            if let Some(last) = events.last() {
                self.after = last.number;
                return Ok(events);
            }
            if self.news.changed().await.is_err() {
                return Err(StoreError::Closed);
            }
        }
    }
}

#[cfg(test)]
mod tests;
