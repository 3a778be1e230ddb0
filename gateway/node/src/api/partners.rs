//! `/v1/partners`: with whom this node exchanges; for who runs it, how it is with the connections.

use exchange::oin::Oin;
use serde_json::{Value, json};
use store::{Count, PartnerRecord};

use super::{
    Api, Role,
    call::{Answer, Call, Reply},
    problem::Problem,
};
use crate::{listing, partners};

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let store = &api.node.core.store;
        let (records, counts) = (store.partners().await?, store.counts().await?);
        let mut rows = Vec::with_capacity(records.len());
        for record in &records {
            rows.push(row(api, &call, record, &counts).await?);
        }
        Answer::ok(&json!({ "partners": rows }))
    })
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let none = || Problem::not_found("Deze partner");
        let oin: Oin = call.part(0).parse().map_err(|_| none())?;
        let record = api.node.core.store.partner(oin).await?.ok_or_else(none)?;
        let counts = api.node.core.store.counts().await?;
        Answer::ok(&row(api, &call, &record, &counts).await?)
    })
}

async fn row(api: &Api, call: &Call, record: &PartnerRecord, counts: &[Count]) -> Result<Value, Problem> {
    if call.client()?.has_any(&[Role::Beheer]) {
        let state = api.node.core.store.partner_state(record.oin).await?;
        return Ok(listing::partner(record, &state, partners::waiting(counts, record.oin)));
    }
    Ok(json!({ "oin": record.oin, "naam": record.name, "soort": record.kind }))
}
