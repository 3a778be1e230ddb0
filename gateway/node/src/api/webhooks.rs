//! `/v1/webhooks` and `/v1/opzijgezette-gebeurtenissen`: the systems that are told of what happens, and what they did not take.

use serde::Deserialize;
use serde_json::json;
use store::{DeadLetters, Deed};

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun},
    limits, pagination,
    problem::Problem,
};
use crate::webhooks;

/// What somebody wants done about events that were put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Try them once more.
    Retry,
    /// Give them up.
    GiveUp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    nummers: Vec<u64>,
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let store = &api.node.core.store;
        let (hooks, last) = (store.webhooks().await?, store.last_event().await?);
        let rows = hooks.iter().map(|hook| webhooks::shown(hook, last));
        Answer::ok(&json!({ "webhooks": rows.collect::<Vec<_>>() }))
    })
}

pub(super) fn resume(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let none = || Problem::not_found("Deze webhook");
        let access = access::of(api, &call, Deed::Besluit)?;
        let core = &api.node.core;
        let name = webhooks::find(core, call.part(0)).await?.ok_or_else(none)?.name;
        webhooks::resume(core, access, &name).await?;
        let last = core.store.last_event().await?;
        Answer::ok(&webhooks::shown(&webhooks::find(core, &name).await?.ok_or_else(none)?, last))
    })
}

pub(super) fn letters(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["webhook", "limiet", "cursor"])?;
        let of = pagination::list("opzijgezette-gebeurtenissen", &query);
        let (after, limit) = (pagination::from(&of, &query)?, query.limit()?);
        let hook = query.text("webhook").map(str::to_owned);
        let core = &api.node.core;
        let found = core.store.dead_letters(DeadLetters { hook, again: false, after, limit }).await?;
        let last = found.last().filter(|_| found.len() >= limit);
        Answer::ok(&json!({
            "gebeurtenissen": found.iter().map(|one| webhooks::letter(core, one)).collect::<Vec<_>>(),
            "volgende": last.map(|last| pagination::cursor(&of, &last.number.to_string())),
        }))
    })
}

/// Does something about the events in the body. They say nothing of a person, so there is nothing to see in them.
pub(super) fn decide(api: &Api, call: Call, wish: Wish) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let about: &[u8] = if wish == Wish::Retry { b"opnieuw\0" } else { b"opgeven\0" };
        let request = match idempotency::begin(api, &call, about).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let Chosen { nummers } = call.json()?;
        if !(1..=limits::PAGE).contains(&nummers.len()) {
            return Err(Problem::unreadable(format!(
                "Geef in `nummers` 1 tot en met {} nummers van opzijgezette gebeurtenissen.",
                limits::PAGE
            )));
        }
        let core = &api.node.core;
        let done = match wish {
            Wish::Retry => webhooks::retry(core, access, nummers).await?,
            Wish::GiveUp => webhooks::give_up(core, access, nummers).await?,
        };
        request.answer(&json!({ "aantal": done }), Vec::new()).await
    })
}
