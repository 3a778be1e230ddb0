//! `/v1/overdrachten`: who holds which case, what was said about it, and saying something about an offer.

use exchange::refusal::Reason;
use schemas::SchemaName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{Deed, StoreError};
use uuid::Uuid;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun},
    messages, pagination,
    problem::{Fault, Problem},
    query::Query,
    submissions,
};
use crate::{
    handover::{
        self,
        page::{self, Known, Wanted},
        saying::{self, SayError, Saying},
    },
    listing,
};

const KEYS: [&str; 6] = ["regie", "richting", "stand", "teLaat", "limiet", "cursor"];
const STATES: [&str; 5] = ["aangeboden", "geaccepteerd", "afgewezen", "ingetrokken", "vervallen"];

/// What somebody says about an offer: the one that they saw, and what the schema calls `inhoud` without that.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    aanbod: Uuid,
    inhoud: Map<String, Value>,
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&KEYS)?;
        let of = pagination::list("overdrachten", &query);
        let after = pagination::from(&of, &query)?;
        let found = page::page(&api.node.core, &wanted(&query)?, (after, query.limit()?)).await?;
        let rows = found.cases.iter().map(listing::handover);
        Answer::ok(&json!({
            "overdrachten": rows.collect::<Vec<_>>(),
            "volgende": found.more_after.map(|case| pagination::cursor(&of, &case.to_string())),
        }))
    })
}

fn wanted(query: &Query) -> Result<Wanted<'_>, Problem> {
    let either = |key: &str, (yes, no): (&str, &str)| match query.text(key) {
        None => Ok(None),
        Some(text) if text == yes => Ok(Some(true)),
        Some(text) if text == no => Ok(Some(false)),
        Some(_) => Err(Problem::unreadable(format!("`{key}` klopt niet; verwacht: {yes} of {no}."))),
    };
    let state = query.text("stand");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        return Err(Problem::unreadable(format!("`stand` klopt niet; verwacht: {}.", STATES.join(", "))));
    }
    Ok(Wanted {
        is_mine: either("regie", ("wij", "ander"))?,
        is_to_me: either("richting", ("in", "uit"))?,
        state,
        is_overdue: either("teLaat", ("true", "false"))?,
    })
}

/// The case in the path.
fn case_of(call: &Call) -> Result<Uuid, Problem> {
    call.part(0).parse().map_err(|_| none())
}

fn none() -> Problem {
    Problem::not_found("Dit overgedragen dossier")
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let id = case_of(&call)?;
        Answer::ok(&listing::handover(&Known::read(&api.node.core, id).await?.ok_or_else(none)?))
    })
}

pub(super) fn content(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["limiet", "cursor"])?;
        let mut access = access::of(api, &call, Deed::Inzien)?;
        let (id, limit) = (case_of(&call)?, query.limit()?);
        // Each case has a list of its own.
        let of = pagination::list(&format!("overdrachten/{id}"), &query);
        let after: Option<u64> = pagination::from(&of, &query)?;
        let (_, steps) = handover::case(&api.node.core, id).await?.ok_or_else(none)?;
        let mut left =
            steps.iter().map(|step| step.index).filter(|index| after.is_none_or(|after| *index > after));
        let indexes: Vec<u64> = left.by_ref().take(limit).collect();
        let more = left.next().is_some();
        access.why.case = access.why.case.or(Some(id));
        let shown = api.node.core.store.view(access, &indexes).await?;
        let contents = shown.iter().map(messages::content_of).collect::<Result<Vec<_>, _>>()?;
        let last = indexes.last().filter(|_| more);
        Answer::ok(&json!({
            "dossier": id, "berichten": contents,
            "volgende": last.map(|place| pagination::cursor(&of, &place.to_string())),
        }))
    })
}

/// Says something of this kind about the offer in the body.
pub(super) fn say(api: &Api, call: Call, schema: SchemaName) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let case = case_of(&call)?;
        let about = format!("{}\0{case}\0", schema.as_str());
        let request = match idempotency::begin(api, &call, about.as_bytes()).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let mut access = access::of(api, &call, Deed::Besluit)?;
        access.why.case = access.why.case.or(Some(case));
        let Said { aanbod, inhoud } = call.json()?;
        if inhoud.contains_key("aanbod_id") {
            return Err(Problem::unreadable("Noem het aanbod bij `aanbod`; laat `inhoud.aanbod_id` weg."));
        }
        let saying = Saying {
            case,
            offer: Some(aanbod),
            schema,
            content: inhoud.into(),
            source_record: Some(request.row(&about, &call.body)),
        };
        let said =
            saying::say(&api.node.core, saying, &access).await.map_err(|error| problem(case, error))?;
        let answer = json!({
            "bericht": said.message, "nummer": said.index, "dossier": case, "aanbod": said.offer, "aan": said.to,
        });
        request.answer(&answer, said.index.into_iter().collect()).await
    })
}

fn problem(case: Uuid, error: SayError) -> Problem {
    match error {
        SayError::NotHandedOver => none(),
        SayError::NoOffer(_) => Problem::conflict(
            "aanbod-onbekend",
            format!(
                "Over dit aanbod kan uw organisatie dit niet zeggen. /v1/overdrachten/{case} laat zien wat er is aangeboden."
            ),
        ),
        SayError::Invalid(error) => {
            let faults: Vec<Fault> = submissions::of_document("", &error);
            Problem::invalid("Dit klopt niet; er is niets verstuurd. Verbeter wat bij `fouten` staat.", faults)
        }
        SayError::NotAllowed => Problem::conflict(
            "doel-laat-niet-toe",
            "Het doel van dit dossier laat dit bericht niet toe. /v1/doelen laat zien wat er is afgesproken.",
        ),
        SayError::HeldBack(refusal) if is_stale(refusal.reason) => Problem::conflict(
            refusal.reason.code(),
            format!(
                "{} Vraag /v1/overdrachten/{case} opnieuw op en besluit daarna, met een nieuwe Idempotency-Key.",
                refusal.reason.sentence()
            ),
        ),
        SayError::HeldBack(refusal) => Problem::conflict(refusal.reason.code(), refusal.reason.sentence()),
        SayError::NotTaken | SayError::Store(StoreError::RulesChanged) => Problem::conflict(
            "besluit-verouderd",
            format!(
                "Er veranderde intussen iets aan dit dossier of aan de afspraken. Er is niets verstuurd. Vraag /v1/overdrachten/{case} opnieuw op en besluit dan."
            ),
        )
        .retry_after(1),
        SayError::Store(error) => error.into(),
    }
}

/// Whether the case moved on since whoever decides saw it.
const fn is_stale(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::HandoverUnknown
            | Reason::HandoverAnswered
            | Reason::HandoverOutOfTurn
            | Reason::ControlElsewhere
    )
}
