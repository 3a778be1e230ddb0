//! `/v1/cijfers`: how much was exchanged and how long an answer took, as JSON or CSV. Small numbers are left out.

use axum::http::header;
use jiff::civil::Date;

use super::{
    Api,
    call::{Answer, Call, Reply},
    problem::Problem,
};
use crate::figures::{self, FiguresError, Period, shown};

const DAY: &str = "een dag als 2026-01-31";

pub(super) fn count(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["van", "tot"])?;
        let (from, through) = (query.value::<Date>("van", DAY)?, query.value::<Date>("tot", DAY)?);
        let period = Period::of_days(from, through);
        let period = period.map_err(|_| Problem::unreadable("`van` of `tot` ligt te ver weg."))?;
        let counted = figures::figures(&api.node.core, period).await.map_err(problem)?;
        if wants_csv(&call)? {
            return Ok(Answer::csv(shown::for_spreadsheets(&api.node, &counted)));
        }
        Answer::ok(&shown::for_programs(&api.node, &counted))
    })
}

/// Whether CSV comes before JSON in what the client takes.
fn wants_csv(call: &Call) -> Result<bool, Problem> {
    let accepted = call.header(header::ACCEPT.as_str())?.unwrap_or_default();
    let mut kinds = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let known = |kind: &&str| matches!(*kind, "text/csv" | "text/*" | "application/json" | "*/*");
    Ok(kinds.find(known).is_some_and(|kind| kind.starts_with("text/")))
}

fn problem(error: FiguresError) -> Problem {
    match error {
        FiguresError::TooMany => Problem::unreadable(
            "In deze periode zijn te veel dossiers om te tellen. Geef met `van` en `tot` een kortere.",
        ),
        FiguresError::Store(error) => error.into(),
    }
}
