//! `GET /v1/raadplegingen`: who saw what, when and why. Reading it is one as well.

use jiff::{ToSpan as _, civil::Date};
use serde_json::json;
use store::{AccessFilter, Deed};
use uuid::Uuid;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    pagination,
    problem::Problem,
    query::Query,
};
use crate::{access::start_of, listing};

const KEYS: [&str; 7] = ["bericht", "dossier", "door", "vanaf", "tot", "limiet", "cursor"];

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&KEYS)?;
        let of = pagination::list("raadplegingen", &query);
        let filter = AccessFilter {
            before: pagination::from(&of, &query)?,
            limit: query.limit()?,
            ..filters(&query)?
        };
        let access = access::of(api, &call, Deed::Raadplegingen)?;
        // It looks through the whole log: once for a list.
        let is_first = filter.before.is_none();
        let found = api.node.core.store.accesses(access, filter).await?;
        let missing = if is_first { Some(api.node.core.store.missing_accesses().await?) } else { None };
        Answer::ok(&json!({
            "raadplegingen": found.records.iter().map(listing::access).collect::<Vec<_>>(),
            "ontbreekt": missing,
            "volgende": found.more_before.map(|place| pagination::cursor(&of, &place.to_string())),
        }))
    })
}

fn filters(query: &Query) -> Result<AccessFilter, Problem> {
    let day = |key| query.value::<Date>(key, "een dag als 2026-11-22");
    let far = |_| Problem::unreadable("Deze dag ligt te ver weg.");
    let from = day("vanaf")?.map(start_of).transpose().map_err(far)?;
    let until = day("tot")?.map(|day| start_of(day.checked_add(1.day())?)).transpose().map_err(far)?;
    Ok(AccessFilter {
        message: query.value::<u64>("bericht", "het nummer van een bericht")?,
        case: query.value::<Uuid>("dossier", "een dossiernummer (een UUID)")?,
        by: query.text("door").map(str::to_owned),
        from,
        until,
        ..AccessFilter::default()
    })
}
