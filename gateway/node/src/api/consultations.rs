//! `/v1/consultaties`: anonymous questions between professionals, and their answers.

use exchange::oin::Oin;
use schemas::SchemaName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{Access, Deed};

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun, Request},
    messages,
    problem::Problem,
    submissions,
};
use crate::{
    consultation::{
        self, Consultation,
        saying::{self, SayError, Saying},
    },
    listing,
    outbound::Submitted,
};

/// The purpose of a question when none is named.
const PURPOSE: &str = "consultatie";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    aan: Oin,
    #[serde(default)]
    loket: Option<String>,
    #[serde(default)]
    doel: Option<String>,
    inhoud: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    inhoud: Map<String, Value>,
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["open", "limiet"])?;
        let open = query.value::<bool>("open", "true of false")?.unwrap_or(false);
        let found = consultation::list(&api.node.core, query.limit()?, open).await?;
        Answer::ok(&listing::consultations(&found))
    })
}

fn none() -> Problem {
    Problem::not_found("Deze vraag")
}

async fn find(api: &Api, call: &Call) -> Result<Consultation, Problem> {
    let index = call.part(0).parse().map_err(|_| none())?;
    consultation::one(&api.node.core, index).await?.ok_or_else(none)
}

pub(super) fn content(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let mut access = access::of(api, &call, Deed::Inzien)?;
        let Consultation { question, answer } = find(api, &call).await?;
        access.why.case = access.why.case.or(question.case);
        let indexes: Vec<u64> =
            [Some(&question), answer.as_ref()].into_iter().flatten().map(|row| row.index).collect();
        let shown = api.node.core.store.view(access, &indexes).await?;
        let contents = shown.iter().map(messages::content_of).collect::<Result<Vec<_>, _>>()?;
        Answer::ok(&json!({ "berichten": contents }))
    })
}

pub(super) fn ask(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let request = match idempotency::begin(api, &call, b"consultatie\0").await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let Asked { aan, loket, doel, inhoud } = call.json()?;
        let saying = Saying {
            to: aan,
            desk: loket,
            purpose: doel.unwrap_or_else(|| PURPOSE.to_owned()),
            case: api.node.core.new_id(),
            schema: SchemaName::ConsultationAsked,
            content: inhoud.into(),
            source_record: Some(request.row("vraag", &call.body)),
        };
        say(api, (request, access), saying).await
    })
}

pub(super) fn answer(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let index: u64 = call.part(0).parse().map_err(|_| none())?;
        let question = consultation::asked_here(&api.node.core, index).await?.ok_or_else(none)?;
        let about = format!("consultatie\0{index}\0");
        let request = match idempotency::begin(api, &call, about.as_bytes()).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let Answered { inhoud } = call.json()?;
        if inhoud.contains_key("vraag_id") {
            return Err(Problem::unreadable(
                "Het adres zegt al welke vraag dit is; laat `inhoud.vraag_id` weg.",
            ));
        }
        let row = request.row(&about, &call.body);
        let saying = Saying::answer(&question, inhoud.into(), Some(row)).ok_or_else(none)?;
        say(api, (request, access), saying).await
    })
}

async fn say(
    api: &Api,
    (request, mut access): (Request<'_>, Access),
    saying: Saying,
) -> Result<Answer, Problem> {
    let (to, case) = (saying.to, saying.case);
    access.why.case = access.why.case.or(Some(case));
    let (submitted, index) = saying::say(&api.node.core, saying, &access).await.map_err(problem)?;
    if let Submitted::HeldBack(refusal) = submitted {
        return Err(Problem::conflict(refusal.reason.code(), refusal.to_string()));
    }
    // What was said before under this name says in which case that was.
    let row = match index {
        Some(index) => api.node.core.store.logged(index).await?,
        None => None,
    };
    let row = row.ok_or_else(Problem::failed)?;
    let answer = json!({ "bericht": row.id, "nummer": row.index, "dossier": row.case, "aan": to });
    request.answer(&answer, vec![row.index]).await
}

fn problem(error: SayError) -> Problem {
    match error {
        SayError::NotAllowed => Problem::conflict(
            "geen-convenant",
            "Geen convenant met deze organisatie laat een consultatie voor dit doel toe. /v1/doelen laat zien wat er is afgesproken.",
        ),
        SayError::Invalid(error) => Problem::invalid(
            "Dit klopt niet; er is niets verstuurd. Noem geen namen, nummers, adressen of volledige datums.",
            submissions::of_document("", &error),
        ),
        SayError::Store(error) => error.into(),
    }
}
