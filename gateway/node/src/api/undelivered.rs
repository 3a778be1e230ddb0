//! `/v1/bezorging`: what was sent and did not arrive, why, and doing something about it.

use exchange::oin::Oin;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Deed, GivenUp, Pending};

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun},
    pagination,
    problem::Problem,
};
use crate::{
    listing,
    undelivered::{self, Chosen, Done, MAX_AT_ONCE, UndeliveredError},
};

const KEYS: [&str; 6] = ["stand", "partner", "doel", "sinds", "limiet", "cursor"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    nummers: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivingUp {
    nummers: Vec<u64>,
    omdat: String,
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&KEYS)?;
        let of = pagination::list("bezorging", &query);
        let states = Pending::ALL.map(Pending::as_str).join(", ");
        let which = store::Undelivered {
            pending: query.value("stand", &states)?.unwrap_or(Pending::Undeliverable),
            partner: query.value::<Oin>("partner", "een OIN van 20 tekens")?,
            purpose: query.text("doel").map(str::to_owned),
            since: query.value::<Timestamp>("sinds", "een moment als 2026-11-22T09:00:00Z")?,
            after: pagination::from(&of, &query)?,
            limit: query.limit()?,
        };
        let core = &api.node.core;
        let found = undelivered::find(core, which).await?;
        let waiting = undelivered::waiting(core).await?;
        let rows = found.rows.iter().map(|(row, why)| listing::undelivered(row, why));
        Answer::ok(&json!({
            "wachtrijen": waiting.iter().map(listing::queue).collect::<Vec<_>>(),
            "berichten": rows.collect::<Vec<_>>(),
            "volgende": found.more_after.map(|place| pagination::cursor(&of, &place.to_string())),
        }))
    })
}

pub(super) fn retry(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let request = match idempotency::begin(api, &call, b"bezorging-opnieuw\0").await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let Numbers { nummers } = call.json()?;
        let done = undelivered::retry(&api.node.core, access, chosen(nummers)?).await.map_err(problem)?;
        request.answer(&told(&done), Vec::new()).await
    })
}

pub(super) fn give_up(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let request = match idempotency::begin(api, &call, b"bezorging-opgave\0").await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let GivingUp { nummers, omdat } = call.json()?;
        let why = omdat.parse::<GivenUp>().map_err(|_| {
            let known = GivenUp::ALL.map(GivenUp::as_str).join(", ");
            Problem::unreadable(format!("`omdat` klopt niet; verwacht: {known}."))
        })?;
        let done = undelivered::give_up(&api.node.core, access, chosen(nummers)?, why).await;
        request.answer(&told(&done.map_err(problem)?), Vec::new()).await
    })
}

fn chosen(numbers: Vec<u64>) -> Result<Chosen, Problem> {
    if (1..=MAX_AT_ONCE).contains(&numbers.len()) {
        return Ok(Chosen::These(numbers));
    }
    Err(Problem::unreadable(format!("Geef in `nummers` 1 tot en met {MAX_AT_ONCE} nummers van berichten.")))
}

fn told(done: &Done) -> Value {
    let not = done.not.iter().map(|(index, why)| json!({ "nummer": index, "waarom": why }));
    json!({ "gedaan": done.done, "niet": not.collect::<Vec<_>>() })
}

fn problem(error: UndeliveredError) -> Problem {
    match error {
        UndeliveredError::Store(error) => error.into(),
        UndeliveredError::Nothing | UndeliveredError::TooMany | UndeliveredError::NotConfirmed(_) => {
            Problem::conflict(
                "bezorging-veranderd",
                "Er veranderde intussen iets. Vraag /v1/bezorging opnieuw op.",
            )
        }
    }
}
