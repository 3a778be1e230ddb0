//! The document that answers an offer or says something about one: on the basis that the offer itself has.

use exchange::message::document_of;
use schemas::{BasisKind, Document, SchemaName};
use serde_json::{Value, json};
use store::{MessageRow, StoreError};

use crate::core::Core;

/// A document about an offer or another message of a handover, with this content; nothing when the content is not valid, or
/// there is no basis to say it on. Of the message only the basis is taken.
pub async fn document(
    core: &Core,
    about: &MessageRow,
    (schema, content): (SchemaName, &Value),
) -> Result<Option<Document>, StoreError> {
    let documents = bases(core, about, schema).await?.into_iter().filter_map(|basis| {
        let value = json!({ "grondslag": basis, "inhoud": content });
        Document::parse(schema, value.to_string().as_bytes()).ok()
    });
    Ok({ documents }.next())
}

/// The basis of that message. When it rests on a consent, which may have ended, first what the purpose allows without one and
/// without asking anything: who holds a case must be told whatever became of its data.
async fn bases(core: &Core, about: &MessageRow, schema: SchemaName) -> Result<Vec<Value>, StoreError> {
    let own = match core.store.payload_for_machine_check(about.index).await {
        Ok(text) => document_of(&text).map(|document| document.value()["grondslag"].clone()),
        Err(StoreError::Erased) => None,
        Err(error) => return Err(error),
    };
    let rests_on_consent = own.as_ref().is_none_or(|basis| basis["soort"] == json!(BasisKind::Consent));
    let mut bases = if rests_on_consent { without_consent(core, about, schema) } else { Vec::new() };
    bases.extend(own);
    Ok(bases)
}

/// What the purpose of that message allows one of this kind to rest on, other than a consent and without conditions.
pub(crate) fn without_consent(core: &Core, about: &MessageRow, schema: SchemaName) -> Vec<Value> {
    let rules = core.rules();
    let clause = about.agreement.and_then(|digest| rules.agreement(digest)).and_then(|agreement| {
        agreement.content().afspraken.iter().find(|clause| Some(&clause.doel) == about.purpose.as_ref())
    });
    let purpose = clause.and_then(|clause| rules.purpose(clause.doel_digest));
    let rule = purpose.and_then(|purpose| purpose.rule(schema.message_type().unwrap_or_default()));
    let bases = rule.iter().flat_map(|rule| &rule.grondslagen);
    let bases = bases.filter(|basis| basis.soort != BasisKind::Consent && basis.voorwaarden.is_empty());
    bases.map(|basis| json!({ "soort": basis.soort, "artikelen": basis.artikelen })).collect()
}
