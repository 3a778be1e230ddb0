//! `/v1/loketten`: who takes what, here and at partners, and when they are open. And passing on what came in to another desk here.

use exchange::oin::Oin;
use serde::Deserialize;
use serde_json::json;
use store::Deed;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun},
    messages,
    problem::Problem,
};
use crate::{
    directory::{self, Sought},
    listing,
    partners::PartnerError,
    passing_on::{self, PassingError},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passed {
    loket: String,
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["doel", "type", "organisatie"])?;
        let sought = Sought {
            purpose: query.text("doel").map(str::to_owned),
            message_type: query.text("type").map(messages::message_type).transpose()?.map(str::to_owned),
            organisation: query.value::<Oin>("organisatie", "een OIN van 20 tekens")?,
        };
        let listed = directory::list(&api.node.core, &api.node.descriptor(), &sought).await;
        Answer::ok(&listing::desks(&listed.map_err(problem)?))
    })
}

fn problem(error: PartnerError) -> Problem {
    match error {
        PartnerError::Store(error) => error.into(),
        other => {
            tracing::error!(error = %other, "the desks of partners cannot be read");
            Problem::failed()
        }
    }
}

pub(super) fn pass_on(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let row = messages::find(api, &call).await?;
        let about = format!("doorgifte\0{}\0", row.index);
        let request = match idempotency::begin(api, &call, about.as_bytes()).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let Passed { loket } = call.json()?;
        let passed = passing_on::to_desk(&api.node.core, access, row.index, &loket).await;
        let row = passed.map_err(not_passed)?;
        let answer = json!({
            "nummer": row.index, "dossier": row.case, "loket": loket, "kwam_van_loket": row.desk,
        });
        request.answer(&answer, Vec::new()).await
    })
}

fn not_passed(error: PassingError) -> Problem {
    let (code, detail) = match error {
        PassingError::Store(error) => return error.into(),
        PassingError::NotReceived(_) => {
            ("niet-ontvangen", "Dit bericht is hier niet binnengekomen en toegelaten; alleen dat kan naar een ander loket.".to_owned())
        }
        PassingError::NotKept(_) => {
            ("niet-bewaard", "Dit bericht is gewist, of mag niet langer worden bewaard.".to_owned())
        }
        PassingError::ConsentOver { .. } => (
            "toestemming-voorbij",
            "De toestemming waarop dit bericht steunde is ingetrokken of verlopen: het mag niet meer worden gebruikt.".to_owned(),
        ),
        PassingError::WrongDesk { takers, .. } => (
            "loket-neemt-niet-aan",
            format!(
                "Dit loket is er niet, is dicht, of neemt dit niet aan. Wel: {}.",
                if takers.is_empty() { "geen enkel loket" } else { &takers }
            ),
        ),
        PassingError::SameDesk(_) => ("zelfde-loket", "Dit bericht is al bij dat loket.".to_owned()),
        PassingError::Overtaken(_) => (
            "net-doorgegeven",
            "Iemand anders gaf dit bericht net door, of het is gewist. Kijk opnieuw waar het is.".to_owned(),
        ),
    };
    Problem::conflict(code, detail)
}
