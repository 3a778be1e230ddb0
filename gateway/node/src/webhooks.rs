//! Webhooks: systems of the organisation that are told of what happens, each by a task of its own, in order, at least once.
//!
//! How far each is stands in the store. What it does not take is tried again with growing waits, and put aside after a number of
//! attempts, for a person to look at; then the next follows.

mod signing;
mod telling;

use std::{sync::Arc, time::Duration};

use exchange::delivery::Backoff;
use store::{Access, DeadLetter, DeadLetters, Decision, Event, StoreError, Telling, Webhook};

use crate::{core::Core, events};
pub use signing::{NoSecret, Secrets};
pub use telling::Hook;
use telling::Told;

/// Events that are read at a time.
const BATCH: usize = 32;
/// How often is looked without being told that there is something.
const INTERVAL: Duration = Duration::from_secs(1);
/// Why a system is told nothing more when too much was put aside for it.
const TOO_MANY: &str = "er zijn te veel gebeurtenissen die dit systeem niet aannam; bied ze opnieuw aan of geef ze op, en ga daarna verder met `schakel webhooks hervat`";

/// Runs until cancelled: tells one system.
pub async fn run(core: Arc<Core>, hook: Hook) {
    let mut news = core.events.subscribe();
    loop {
        news.borrow_and_update();
        match round(&core, &hook).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, hook = hook.name, "cannot tell a system what happened; trying again");
                tokio::time::sleep(INTERVAL).await;
            }
        }
        let _ = tokio::time::timeout(INTERVAL, news.changed()).await;
    }
}

/// How it is with one of the systems.
pub async fn find(core: &Core, name: &str) -> Result<Option<Webhook>, StoreError> {
    Ok(core.store.webhooks().await?.into_iter().find(|one| one.name == name))
}

/// Has events that were put aside told once more, by somebody's decision; gives how many.
pub async fn retry(core: &Core, access: Access, numbers: Vec<u64>) -> Result<u64, StoreError> {
    core.store.record_decision(access, Decision::GebeurtenissenOpnieuw, &[]).await?;
    core.store.retry_dead_letters(numbers, core.now()).await
}

/// Gives up events that were put aside, by somebody's decision; gives how many.
pub async fn give_up(core: &Core, access: Access, numbers: Vec<u64>) -> Result<u64, StoreError> {
    core.store.record_decision(access, Decision::GebeurtenissenOpgeven, &[]).await?;
    core.store.remove_dead_letters(numbers).await
}

/// Goes on with a system that was stopped, by somebody's decision; whether it was.
pub async fn resume(core: &Core, access: Access, name: &str) -> Result<bool, StoreError> {
    core.store.record_decision(access, Decision::WebhookHervatten, &[]).await?;
    core.store.resume_webhook(name).await
}

/// Tells what is to be told now; whether there may be more.
async fn round(core: &Core, hook: &Hook) -> Result<bool, StoreError> {
    let Some(state) = find(core, &hook.name).await? else {
        core.store.begin_webhook(&hook.name).await?;
        return Ok(true);
    };
    if state.stopped.is_some() {
        return Ok(false);
    }
    let wanted = DeadLetters { hook: Some(hook.name.clone()), again: true, after: None, limit: 1 };
    if let Some(letter) = core.store.dead_letters(wanted).await?.into_iter().next() {
        return once_more(core, hook, (&state, letter)).await.map(|()| true);
    }
    if state.next_attempt.is_some_and(|next| next > core.now()) {
        return Ok(false);
    }
    // First how far there is anything: what comes after that is seen in a next round.
    let last = core.store.last_event().await?;
    let events = core.store.events(state.next - 1, &hook.kinds, BATCH).await?;
    let mut from = state.next;
    for event in &events {
        let (outcome, moved) = tell(core, hook, (&state, from), event).await?;
        if !moved || !matches!(outcome, Told::Taken) {
            return Ok(moved && outcome.is_final());
        }
        from = event.number + 1;
    }
    if events.is_empty() && last >= from {
        // None of the rest is for this one.
        let telling = Telling::Told { told: false, next: last + 1 };
        core.store.note_telling(&hook.name, (from, last), telling, core.now()).await?;
    }
    Ok(events.len() >= BATCH)
}

/// Tells of one event; how that ended, and whether it was noted.
async fn tell(
    core: &Core,
    hook: &Hook,
    (state, from): (&Webhook, u64),
    event: &Event,
) -> Result<(Told, bool), StoreError> {
    let outcome = hook.tell(core.me, event, core.now()).await;
    // Of the one where it stands only; a later one in the same round was not tried before.
    let attempts = if state.next == from { state.attempts } else { 0 };
    let telling = match &outcome {
        Told::Taken => Telling::Told { told: true, next: event.number + 1 },
        Told::NotTaken(failure) if attempts + 1 >= hook.attempts => {
            tracing::error!(hook = hook.name, event = event.number, %failure, "an event was put aside; see `schakel webhooks`");
            Telling::PutAside { failure: failure.to_string() }
        }
        Told::NotTaken(failure) => {
            tracing::warn!(hook = hook.name, event = event.number, %failure, "a system did not take an event; trying again");
            let next_attempt = Backoff::after(attempts).next(core.now(), None, &*core.random);
            Telling::Failed { failure: failure.to_string(), next_attempt }
        }
        Told::Gone(failure) => {
            tracing::error!(hook = hook.name, "a system wants no more events; see `schakel webhooks`");
            Telling::Stopped { failure: failure.to_string() }
        }
    };
    let puts_aside = matches!(telling, Telling::PutAside { .. });
    let place = (from, event.number);
    let mut moved = core.store.note_telling(&hook.name, place, telling, core.now()).await?;
    if puts_aside && !moved {
        let telling = Telling::Stopped { failure: TOO_MANY.to_owned() };
        moved = core.store.note_telling(&hook.name, place, telling, core.now()).await?;
    }
    Ok((outcome, moved))
}

/// Tries once more what was put aside.
async fn once_more(
    core: &Core,
    hook: &Hook,
    (state, letter): (&Webhook, DeadLetter),
) -> Result<(), StoreError> {
    match hook.tell(core.me, &letter.event, core.now()).await {
        Told::Taken => core.store.remove_dead_letters(vec![letter.number]).await.map(drop),
        Told::NotTaken(failure) => {
            core.store.note_dead_letter(letter.number, failure.to_string(), core.now()).await
        }
        Told::Gone(failure) => {
            core.store.note_dead_letter(letter.number, failure.to_string(), core.now()).await?;
            let telling = Telling::Stopped { failure: failure.to_string() };
            let place = (state.next, letter.event.number);
            core.store.note_telling(&hook.name, place, telling, core.now()).await.map(drop)
        }
    }
}

/// How it is with a system, for programs.
pub(crate) fn shown(one: &Webhook, last: u64) -> serde_json::Value {
    serde_json::json!({
        "naam": one.name,
        "stand": if one.stopped.is_some() { "gestopt" } else if one.failure.is_some() { "storing" } else { "goed" },
        "verteld": one.told, "achter": (last + 1).saturating_sub(one.next), "opzij": one.dead_letters,
        "laatste_keer": one.last_success, "laatste_storing": one.last_failure, "storing": one.failure,
        "volgende_poging": one.next_attempt, "gestopt": one.stopped,
    })
}

/// An event that was not taken, for programs.
pub(crate) fn letter(core: &Core, one: &DeadLetter) -> serde_json::Value {
    serde_json::json!({
        "nummer": one.number, "webhook": one.hook, "storing": one.failure, "pogingen": one.attempts,
        "sinds": one.at, "opnieuw": one.again, "gebeurtenis": events::cloud_event(core.me, &one.event),
    })
}
