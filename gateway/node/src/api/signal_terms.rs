//! `/v1/signalen`: the signals to which somebody is to react, and within which time.

use std::str::FromStr;

use jiff::Timestamp;
use serde_json::json;
use store::{MessageRow, SignalTerm, SignalTerms, TermState};

use super::{
    Api,
    call::{Answer, Call, Reply},
    messages, pagination,
    problem::Problem,
    query::Query,
};
use crate::{listing, signal_terms::Known};

/// How a term that runs may stand.
const RUNNING: [TermState; 3] = [TermState::Running, TermState::Soon, TermState::Late];

/// Where a list goes on: the end of the term of a signal, and its place in the log.
struct Place(Timestamp, u64);

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (end, index) = text.split_once(' ').ok_or(())?;
        Ok(Self(end.parse().map_err(drop)?, index.parse().map_err(drop)?))
    }
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["termijn", "richting", "limiet", "cursor"])?;
        let of = pagination::list("signalen", &query);
        let after = pagination::from::<Place>(&of, &query)?.map(|place| (place.0, place.1));
        let (core, limit) = (&api.node.core, query.limit()?);
        let (state, direction) = (state(&query)?, messages::direction(&query)?);
        let found =
            core.store.signal_terms(SignalTerms { state, direction, after, limit }, core.now()).await?;
        let shown = found.iter().map(|(row, term)| {
            let known = Known::of(core, row, term);
            listing::signal(row, known.as_ref())
        });
        let last = found.last().filter(|_| found.len() >= limit);
        Answer::ok(&json!({
            "signalen": shown.collect::<Vec<_>>(),
            "volgende": last.and_then(place).map(|place| pagination::cursor(&of, &place)),
        }))
    })
}

fn place((row, term): &(MessageRow, SignalTerm)) -> Option<String> {
    Some(format!("{} {}", term.deadline?.respond_before, row.index))
}

fn state(query: &Query) -> Result<Option<TermState>, Problem> {
    let Some(text) = query.text("termijn") else { return Ok(None) };
    let found = RUNNING.into_iter().find(|state| state.as_str() == text);
    let known = RUNNING.map(TermState::as_str).join(", ");
    found.map(Some).ok_or_else(|| Problem::unreadable(format!("`termijn` klopt niet; verwacht: {known}.")))
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let row = messages::find(api, &call).await?;
        let schema = row.message_type.as_deref().and_then(schemas::SchemaName::of_message_type);
        if !schema.is_some_and(schemas::SchemaName::is_signal) {
            return Err(Problem::not_found("Dit signaal"));
        }
        let known = Known::read(&api.node.core, &row).await?;
        Answer::ok(&listing::signal(&row, known.as_ref()))
    })
}
