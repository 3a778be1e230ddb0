//! Sending one document, as a person at one of the organisations would.

use anyhow::{Context as _, bail};
use exchange::oin::Oin;
use schemas::{Document, SchemaName};
use serde_json::Value;
use store::{Deed, Reason};
use uuid::Uuid;

use super::{access, settled};
use crate::{
    node::Node,
    outbound::{self, Submission, Submitted},
};

/// Where something goes, and for what.
#[derive(Debug, Clone)]
pub(super) struct Going<'a> {
    /// The receiver.
    pub(super) to: Oin,
    /// The case; a new one when absent.
    pub(super) case: Option<Uuid>,
    /// The purpose.
    pub(super) purpose: &'a str,
    /// Under this name it does not go twice.
    pub(super) source_record: Option<Vec<u8>>,
}

/// Offers it to the rules.
pub(super) async fn submit(
    node: &Node,
    going: Going<'_>,
    (schema, data): (SchemaName, &Value),
) -> anyhow::Result<Submitted> {
    let document = Document::parse(schema, data.to_string().as_bytes())
        .map_err(|error| anyhow::anyhow!("een bericht van de demo is niet geldig: {error}"))?;
    let Going { to, case, purpose, source_record } = going;
    let submission =
        Submission { to, purpose: purpose.to_owned(), case, desk: None, document, source_record };
    let access = access(node, Deed::Besluit, Reason::Dossier)?;
    outbound::submit_decided(&node.core, vec![submission], &access).await?.pop().context("een uitkomst")
}

/// Sends it and waits until it arrived.
pub(super) async fn send(
    node: &Node,
    going: Going<'_>,
    (schema, data): (SchemaName, &Value),
) -> anyhow::Result<Uuid> {
    match submit(node, going, (schema, data)).await? {
        Submitted::Queued(id) => {
            settled(node).await?;
            Ok(id)
        }
        Submitted::HeldBack(refusal) => bail!("een bericht van de demo werd tegengehouden: {refusal}"),
        other => bail!("een bericht van de demo ging niet zoals bedoeld: {other:?}"),
    }
}
