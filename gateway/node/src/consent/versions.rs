//! The versions of the record of a consent: how it was given, and how freedom was safeguarded (AVG art. 7). Not who the
//! resident is.

use exchange::consent::{ConsentRecord, FREEDOM_STATED};
use serde_json::{Value, json};
use store::StoredRecord;

/// A version as it is shown. What an extension took over from an earlier version is not shown as if it was stated again.
pub(crate) fn shown(versions: &[StoredRecord]) -> Vec<Value> {
    let contents: Vec<(u64, Value)> = versions.iter().map(|one| (one.index, content(&one.text))).collect();
    contents
        .iter()
        .enumerate()
        .map(|(number, (index, content))| {
            let told = |name: &str| content[name].clone();
            let mut shown = json!({
                "regel": index, "verleend_op": told("verleend_op"), "geldig_tot": told("geldig_tot"),
                "wijze": told("wijze"), "bewijs": told("bewijs"), "vrijheid": null, "waarom_toestemming": null,
                "vrijheid_vastgelegd_op": told("verleend_op"), "zoals_in_regel": null,
            });
            let earlier = content.get(FREEDOM_STATED).or_else(|| {
                // Every version but the first is an extension.
                (number > 0).then(|| &contents[0].1["verleend_op"])
            });
            if let Some(stated) = earlier {
                let of = contents.iter().find(|(_, one)| one["verleend_op"] == *stated);
                shown["vrijheid_vastgelegd_op"] = stated.clone();
                shown["zoals_in_regel"] = json!(of.map(|(index, _)| index));
            }
            if earlier.is_none() || shown["zoals_in_regel"].is_null() {
                shown["vrijheid"] = told("vrijheid");
                shown["waarom_toestemming"] = told("waarom_toestemming");
            }
            shown
        })
        .collect()
}

fn content(text: &str) -> Value {
    let record = ConsentRecord::from_stored(text).ok();
    record.map_or(Value::Null, |record| record.document().value()["inhoud"].clone())
}
