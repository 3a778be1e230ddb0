//! `POST /v1/berichten`: handing documents over. What an answer says is durable, and the same when it is asked again.

use exchange::oin::Oin;
use schemas::{Document, ParseError, SchemaName};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Access, Deed};
use uuid::Uuid;

use super::{
    Api, Role, access,
    authentication::Client,
    call::{Call, Reply},
    idempotency::{self, Begun, Request},
    problem::{Fault, Problem},
};
use crate::{
    access::local_system,
    outbound::{self, MAX_SUBMISSIONS, Submission, Submitted},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered<'a> {
    #[serde(borrow)]
    berichten: Vec<Item<'a>>,
}

/// One document, for whom and what for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'a> {
    aan: String,
    doel: String,
    soort: String,
    dossier: Option<String>,
    loket: Option<String>,
    #[serde(borrow)]
    document: &'a RawValue,
}

/// What became of one.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "uitkomst", rename_all = "kebab-case")]
enum Outcome {
    /// Safe in the outbox.
    InWachtrij { bericht: Uuid, nummer: u64, dossier: Uuid, weggelaten: Vec<String> },
    /// The rules do not let it leave.
    Geweigerd { reden: &'static str, uitleg: &'static str, over: Vec<String> },
    /// It is no document.
    Ongeldig { fouten: Vec<Fault> },
}

#[derive(Serialize)]
struct Response<'a> {
    berichten: &'a [Outcome],
}

pub(super) fn submit(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let request = match idempotency::begin(api, &call, b"").await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let read = read(&call, &request)?;
        let access = decision(api, &call)?;
        let (outcomes, messages) = send(api, read, &access).await?;
        request.answer(&Response { berichten: &outcomes }, messages).await
    })
}

/// Who decided to send this: a system that is there to hand over, or else the person who asks.
fn decision(api: &Api, call: &Call) -> Result<Access, Problem> {
    let client = call.client()?;
    if client.has_any(&[Role::Bronsysteem]) {
        return local_system(&client.name, api.node.core.now()).map_err(|_| Problem::failed());
    }
    access::of(api, call, Deed::Besluit)
}

/// Each document, or what is wrong with it.
fn read(call: &Call, request: &Request<'_>) -> Result<Vec<Result<Submission, Vec<Fault>>>, Problem> {
    let Offered { berichten } = call.json()?;
    if !(1..=MAX_SUBMISSIONS).contains(&berichten.len()) {
        return Err(Problem::unreadable(format!(
            "Geef in `berichten` 1 tot en met {MAX_SUBMISSIONS} documenten."
        )));
    }
    check_kinds(call.client()?, &berichten)?;
    let read: Vec<_> =
        berichten.iter().enumerate().map(|(position, item)| one(position, item, request)).collect();
    if read.iter().any(Result::is_ok) {
        return Ok(read);
    }
    let faults = read.into_iter().filter_map(Result::err).flatten().collect();
    Err(Problem::invalid(
        "Geen van de documenten klopt; er is niets verstuurd. Verbeter wat bij `fouten` staat.",
        faults,
    ))
}

/// Fails when something is among it that is not for this client to hand over.
fn check_kinds(client: &Client, items: &[Item<'_>]) -> Result<(), Problem> {
    let may =
        |schema: SchemaName| Role::ALL.iter().any(|role| client.has_any(&[*role]) && role.may_submit(schema));
    let known = |item: &Item<'_>| {
        item.soort.parse::<SchemaName>().ok().filter(|schema| schema.message_type().is_some())
    };
    let refused = items.iter().enumerate().filter(|(_, item)| known(item).is_some_and(|schema| !may(schema)));
    let faults: Vec<Fault> = refused
        .map(|(position, _)| Fault {
            veld: format!("/berichten/{position}/soort"),
            probleem: "is niet aan u".to_owned(),
            verwacht: "een document dat bij uw rol hoort, zoals een signaal".to_owned(),
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::not_to_submit(faults)) }
}

fn one(position: usize, item: &Item<'_>, request: &Request<'_>) -> Result<Submission, Vec<Fault>> {
    let place = format!("/berichten/{position}");
    let wrong = |field: &str, expected: &str| Fault {
        veld: format!("{place}/{field}"),
        probleem: "heeft een andere vorm".to_owned(),
        verwacht: expected.to_owned(),
    };
    let mut faults = Vec::new();
    let to = item.aan.parse::<Oin>().map_err(|_| faults.push(wrong("aan", "een OIN van 20 tekens")));
    let case = item.dossier.as_deref().map(str::parse::<Uuid>).transpose();
    let case = case.map_err(|_| faults.push(wrong("dossier", "een dossiernummer (een UUID)")));
    if item.doel.is_empty() || item.doel.len() > store::MAX_TEXT_BYTES {
        faults.push(wrong("doel", "de naam van een doel"));
    }
    if item.loket.as_ref().is_some_and(|desk| desk.is_empty() || desk.len() > store::MAX_TEXT_BYTES) {
        faults.push(wrong("loket", "de naam van een loket"));
    }
    let schema = item.soort.parse::<SchemaName>().ok().filter(|schema| schema.message_type().is_some());
    let document = match schema {
        None => {
            let expected = "de naam van een schema van een bericht, zoals signaal-betalingsachterstand";
            faults.push(wrong("soort", expected));
            Err(())
        }
        Some(schema) => Document::parse(schema, item.document.get().as_bytes())
            .map_err(|error| faults.extend(of_document(&format!("{place}/document"), &error))),
    };
    let (Ok(to), Ok(case), Ok(document), true) = (to, case, document, faults.is_empty()) else {
        return Err(faults);
    };
    let row = request.row(&position.to_string(), item.document.get().as_bytes());
    Ok(Submission {
        to,
        purpose: item.doel.clone(),
        case,
        desk: item.loket.clone(),
        document,
        source_record: Some(row),
    })
}

/// What is wrong with a document, field by field.
pub(super) fn of_document(prefix: &str, error: &ParseError) -> Vec<Fault> {
    match error {
        ParseError::Invalid(violations) => violations.iter().map(|one| Fault::of(prefix, one)).collect(),
        other => vec![Fault {
            veld: prefix.to_owned(),
            probleem: other.to_string(),
            verwacht: "een document volgens het schema".to_owned(),
        }],
    }
}

/// Sends what is valid. What became of each, and the places in the log of the messages.
async fn send(
    api: &Api,
    read: Vec<Result<Submission, Vec<Fault>>>,
    access: &Access,
) -> Result<(Vec<Outcome>, Vec<u64>), Problem> {
    let core = &api.node.core;
    let with_case = |submission: Submission| Submission {
        case: Some(submission.case.unwrap_or_else(|| core.new_id())),
        ..submission
    };
    let mut valid = Vec::new();
    // The case of each that is valid, what is wrong with each that is not.
    let mut places = Vec::with_capacity(read.len());
    for one in read {
        places.push(one.map(|submission| {
            let submission = with_case(submission);
            let case = submission.case.unwrap_or_default();
            valid.push(submission);
            case
        }));
    }
    let mut submitted = outbound::submit_numbered(core, valid, access).await?.into_iter();
    let (mut outcomes, mut messages) = (Vec::with_capacity(places.len()), Vec::new());
    for place in places {
        let outcome = match place {
            Err(fouten) => Outcome::Ongeldig { fouten },
            Ok(case) => {
                let (submitted, index) = submitted.next().ok_or_else(Problem::failed)?;
                messages.extend(index);
                outcome(api, (submitted, index), case).await?
            }
        };
        outcomes.push(outcome);
    }
    Ok((outcomes, messages))
}

async fn outcome(
    api: &Api,
    (submitted, index): (Submitted, Option<u64>),
    case: Uuid,
) -> Result<Outcome, Problem> {
    let queued = |bericht, weggelaten| {
        let nummer = index.ok_or_else(Problem::failed)?;
        Ok(Outcome::InWachtrij { bericht, nummer, dossier: case, weggelaten })
    };
    match submitted {
        Submitted::Queued(id) => queued(id, Vec::new()),
        Submitted::QueuedWithout { id, left_out } => queued(id, left_out),
        Submitted::HeldBack(refusal) => Ok(Outcome::Geweigerd {
            reden: refusal.reason.code(),
            uitleg: refusal.reason.sentence(),
            over: refusal.about,
        }),
        // This request came before, and its answer did not become durable: what was queued then is its answer.
        Submitted::AlreadyOffered => {
            let index = index.ok_or_else(Problem::failed)?;
            let row = api.node.core.store.logged(index).await?.ok_or_else(Problem::failed)?;
            let (Some(bericht), Some(dossier)) = (row.id, row.case) else { return Err(Problem::failed()) };
            Ok(Outcome::InWachtrij { bericht, nummer: index, dossier, weggelaten: Vec::new() })
        }
    }
}
