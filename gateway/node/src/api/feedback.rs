//! `/v1/berichten/{bericht}/terugkoppelingen`: what came of a signal, for who sent it, and giving that to who did.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::Deed;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun},
    messages,
    problem::Problem,
    submissions,
};
use crate::feedback::{self, FeedbackError, Giving};

/// What the schema calls `inhoud`, without the message it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    inhoud: Map<String, Value>,
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Inzien)?;
        let row = messages::find(api, &call).await?;
        let shown = feedback::on(&api.node.core, &row, access).await?;
        let contents = shown.iter().map(messages::content_of).collect::<Result<Vec<_>, _>>()?;
        Answer::ok(&json!({ "terugkoppelingen": contents }))
    })
}

pub(super) fn give(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let row = messages::find(api, &call).await?;
        let about = format!("terugkoppeling\0{}\0", row.index);
        let request = match idempotency::begin(api, &call, about.as_bytes()).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let mut access = access::of(api, &call, Deed::Besluit)?;
        access.why.case = access.why.case.or(row.case);
        let Said { inhoud } = call.json()?;
        if inhoud.contains_key("bericht_id") {
            return Err(Problem::unreadable(
                "Het adres zegt al over welk bericht dit gaat; laat `inhoud.bericht_id` weg.",
            ));
        }
        let source_record = Some(request.row(&about, &call.body));
        let giving = Giving { about: row.index, content: inhoud.into(), source_record };
        let given = feedback::give(&api.node.core, giving, &access).await.map_err(problem)?;
        let answer = json!({
            "bericht": given.message, "nummer": given.index, "dossier": given.case, "aan": given.to,
            "weggelaten": given.left_out,
        });
        request.answer(&answer, vec![given.index]).await
    })
}

fn problem(error: FeedbackError) -> Problem {
    match error {
        FeedbackError::NotASignal => Problem::conflict(
            "geen-signaal",
            "Op dit bericht kan geen terugkoppeling: het is geen signaal of aanbod dat hier binnenkwam en is toegelaten.",
        ),
        FeedbackError::Invalid(error) => Problem::invalid(
            "Deze terugkoppeling klopt niet; er is niets verstuurd. Verbeter wat bij `fouten` staat.",
            submissions::of_document("", &error),
        ),
        FeedbackError::HeldBack(refusal) => Problem::conflict(refusal.reason.code(), refusal.to_string()),
        FeedbackError::Store(error) => error.into(),
    }
}
