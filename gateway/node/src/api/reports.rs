//! `POST /v1/inzageoverzichten`: what a resident gets who asks what is held about them (AVG art. 15).

use serde::Deserialize;
use serde_json::{Value, json};
use store::{Deed, MAX_CANDIDATES};

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    problem::Problem,
};
use crate::{listing, sought, subject_report};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    persoon: Value,
    /// Messages that may be about the person, of which somebody decided that they are.
    #[serde(default)]
    ook: Vec<u64>,
}

pub(super) fn subject(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Uitvoer)?;
        let Request { persoon, ook } = call.json()?;
        if ook.len() > MAX_CANDIDATES {
            return Err(Problem::unreadable(format!("Geef in `ook` hooguit {MAX_CANDIDATES} nummers.")));
        }
        let person = sought::identity(&persoon).map_err(|error| Problem::unreadable(error.to_string()))?;
        let gathered = subject_report::gather(&api.node, access, (&person, persoon), &ook).await;
        let report = gathered.map_err(|error| match error.downcast::<store::StoreError>() {
            Ok(error) => error.into(),
            Err(error) => {
                tracing::warn!("a report for a resident was not made: {error:#}");
                let detail = "In `ook` staat een nummer dat niet bij `misschien` hoort, of het overzicht is niet te maken. Vraag het eerst zonder `ook`.";
                Problem::unreadable(detail)
            }
        })?;
        Answer::ok(&json!({
            "misschien": report.misschien.iter().map(listing::message).collect::<Vec<_>>(),
            "toestemmingen_misschien": report.toestemmingen_misschien.iter().map(|key| key.id).collect::<Vec<_>>(),
            "overzicht": report,
        }))
    })
}
