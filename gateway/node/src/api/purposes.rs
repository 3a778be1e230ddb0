//! `/v1/doelen`: what each purpose allows, and checking a document by one without sending it.

use exchange::{organisation::OrganisationKind, purpose::Purpose};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    Api,
    call::{Answer, Call, Reply},
    problem::Problem,
};
use crate::{
    listing,
    purposes::{
        self,
        check::{self, Checked, Offered, Read, Sides},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    r#type: Option<String>,
    van: Option<OrganisationKind>,
    naar: Option<OrganisationKind>,
    #[serde(borrow)]
    document: &'a RawValue,
}

/// The register as it stands on disk now.
async fn register(api: &Api) -> Result<Vec<Purpose>, Problem> {
    let folder = api.node.folder.join(&api.node.config.opslag.doelen);
    let read = tokio::task::spawn_blocking(move || purposes::read(&folder)).await;
    read.map_err(|_| Problem::failed())?.map_err(|error| {
        tracing::error!("the register of purposes cannot be read: {error:#}");
        Problem::failed()
    })
}

fn named<'a>(register: &'a [Purpose], call: &Call) -> Result<&'a Purpose, Problem> {
    purposes::newest(register, call.part(0)).map_err(|_| Problem::not_found("Dit doel"))
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let register = register(api).await?;
        let rows: Vec<_> = register.iter().map(|one| listing::purpose(one, false)).collect();
        Answer::ok(&json!({ "doelen": rows }))
    })
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let register = register(api).await?;
        Answer::ok(&listing::purpose(named(&register, &call)?, true))
    })
}

pub(super) fn check(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let register = register(api).await?;
        let purpose = named(&register, &call)?;
        let Request { r#type, van, naar, document } = call.json()?;
        let wrong = |error: check::CheckError| Problem::unreadable(error.to_string());
        let offered = Offered::Data { message_type: r#type, data: document.get().as_bytes().to_vec() };
        match offered.document(purpose).map_err(wrong)? {
            Read::Invalid(rule, error) => Answer::ok(&check::invalid(purpose, rule, &error)),
            Read::Valid(rule, document) => {
                let sides = Sides { own: Some(api.node.config.organisatie.soort), from: van, to: naar };
                let pairs = sides.pairs(rule).map_err(wrong)?;
                Answer::ok(&Checked::new(purpose, rule, document, pairs).answer())
            }
        }
    })
}
