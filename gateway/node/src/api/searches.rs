//! `POST /v1/zoekopdrachten`: what there is about a person. By POST, so that nobody stands in an address.

use serde::Deserialize;
use serde_json::{Value, json};
use store::Deed;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    problem::Problem,
};
use crate::{listing, sought};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    persoon: Value,
}

pub(super) fn search(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Zoeken)?;
        let Request { persoon } = call.json()?;
        let person = sought::identity(&persoon).map_err(|error| Problem::unreadable(error.to_string()))?;
        let found = api.node.core.store.search(access, &person).await?;
        Answer::ok(&json!({
            "berichten": found.messages.iter().map(|shown| listing::message(&shown.row)).collect::<Vec<_>>(),
            "misschien": found.perhaps.iter().map(listing::message).collect::<Vec<_>>(),
            "toestemmingen": found.consents.iter().map(|key| key.id).collect::<Vec<_>>(),
            "toestemmingen_misschien": found.consents_perhaps.iter().map(|key| key.id).collect::<Vec<_>>(),
            "volledig": found.complete,
            "raadpleging": found.access,
        }))
    })
}
