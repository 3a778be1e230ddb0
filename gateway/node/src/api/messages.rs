//! `/v1/berichten`: which messages there are, how it is with them, and for who may, what is in one.

use exchange::oin::Oin;
use jiff::Timestamp;
use schemas::SchemaName;
use serde_json::{Value, json};
use store::{Deed, Direction, Listing, MessageRow, Shown, State};
use uuid::Uuid;

use super::{
    Api, Role, access,
    call::{Answer, Call, Reply},
    pagination,
    problem::Problem,
    query::Query,
};
use crate::{
    listing,
    outbound::{self, ResendError},
};

const KEYS: [&str; 8] = ["richting", "stand", "partner", "dossier", "type", "sinds", "limiet", "cursor"];

/// Whoever has one of these sees every message; who only hands documents over, its own.
const SEE_ALL: [Role; 3] = [Role::Medewerker, Role::Privacy, Role::Beheer];

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let (client, query) = (call.client()?, call.query(&KEYS)?);
        let of = pagination::list("berichten", &query);
        let own = !client.has_any(&SEE_ALL);
        let store = &api.node.core.store;
        let listing = Listing {
            by: own.then(|| store.submitter(&client.key)),
            before: pagination::from(&of, &query)?,
            limit: query.limit()?,
            ..filters(&query)?
        };
        let found = store.list(listing).await?;
        Answer::ok(&json!({
            "berichten": found.rows.iter().map(listing::message).collect::<Vec<_>>(),
            "volgende": found.more_before.map(|place| pagination::cursor(&of, &place.to_string())),
        }))
    })
}

/// Which way messages went.
pub(super) fn direction(query: &Query) -> Result<Option<Direction>, Problem> {
    match query.text("richting") {
        None => Ok(None),
        Some("in") => Ok(Some(Direction::Inbound)),
        Some("uit") => Ok(Some(Direction::Outbound)),
        Some(_) => Err(Problem::unreadable("`richting` klopt niet; verwacht: in of uit.")),
    }
}

fn filters(query: &Query) -> Result<Listing, Problem> {
    let states = State::ALL.map(State::as_str).join(", ");
    Ok(Listing {
        direction: direction(query)?,
        state: query.value::<State>("stand", &states)?,
        partner: query.value::<Oin>("partner", "een OIN van 20 tekens")?,
        case: query.value::<Uuid>("dossier", "een dossiernummer (een UUID)")?,
        message_type: query.text("type").map(message_type).transpose()?,
        since: query.value::<Timestamp>("sinds", "een moment als 2026-11-22T09:00:00Z")?,
        ..Listing::default()
    })
}

/// A type by its whole name or its short one.
pub(super) fn message_type(text: &str) -> Result<&'static str, Problem> {
    let whole = format!("nl.sociaaldomein.{text}.v1");
    let known = SchemaName::of_message_type(text).or_else(|| SchemaName::of_message_type(&whole));
    known.and_then(SchemaName::message_type).ok_or_else(|| {
        Problem::unreadable(
            "`type` klopt niet; verwacht: een berichttype zoals signalen.betalingsachterstand.",
        )
    })
}

/// The message in the path, by its identifier or its number. What this client may not know of is not there.
pub(super) async fn find(api: &Api, call: &Call) -> Result<MessageRow, Problem> {
    let (client, text, store) = (call.client()?, call.part(0), &api.node.core.store);
    let none = || Problem::not_found("Dit bericht");
    let found = match (text.parse::<u64>(), text.parse::<Uuid>()) {
        (Ok(number), _) => store.logged(number).await?,
        (_, Ok(id)) => store.message(id).await?,
        _ => None,
    };
    let row = found.ok_or_else(none)?;
    let sees_all = client.has_any(&SEE_ALL);
    if sees_all || store.is_submitted_by(store.submitter(&client.key), row.index).await? {
        return Ok(row);
    }
    Err(none())
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        Answer::ok(&listing::message(&find(api, &call).await?))
    })
}

pub(super) fn content(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Inzien)?;
        let row = find(api, &call).await?;
        let shown = api.node.core.store.view(access, &[row.index]).await?;
        let shown = shown.into_iter().next().ok_or_else(|| Problem::not_found("Dit bericht"))?;
        Answer::ok(&content_of(&shown)?)
    })
}

/// What is in a message, or why that is not shown.
pub(super) fn content_of(shown: &Shown) -> Result<Value, Problem> {
    let mut whole = listing::shown(shown, CONTENT).ok_or_else(|| {
        tracing::error!(index = shown.row.index, "a stored message cannot be read as one");
        Problem::failed()
    })?;
    let (content, withheld) = (whole[CONTENT].take(), whole[WITHHELD].take());
    Ok(json!({ "bericht": listing::message(&shown.row), CONTENT: content, WITHHELD: withheld }))
}

const CONTENT: &str = "inhoud";
const WITHHELD: &str = "niet_getoond";

pub(super) fn resend(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Besluit)?;
        let row = find(api, &call).await?;
        match outbound::resend(&api.node.core, access, row.index).await {
            Ok(()) => {}
            Err(ResendError::Store(error)) => return Err(error.into()),
            Err(ResendError::AgreementOver(_)) => {
                let detail = "Het convenant waaronder dit bericht is gemaakt geldt niet meer. Bied de gegevens opnieuw aan als er een nieuwe versie geldt.";
                return Err(Problem::conflict("convenant-voorbij", detail));
            }
            Err(ResendError::ConsentOver { .. }) => {
                let detail = "De toestemming waarop dit bericht steunde is ingetrokken of verlopen. Geeft de inwoner opnieuw toestemming, bied de gegevens dan opnieuw aan.";
                return Err(Problem::conflict("toestemming-voorbij", detail));
            }
            Err(ResendError::NotUndeliverable(_)) => {
                let detail = "Dit kan alleen met een onbestelbaar bericht dat niet verlopen is en niet al door een nieuw is vervangen; /v1/berichten?stand=onbestelbaar noemt ze.";
                return Err(Problem::conflict("niet-onbestelbaar", detail));
            }
        }
        Answer::ok(&json!({ "nummer": row.index, "stand": State::Waiting.as_str() }))
    })
}
