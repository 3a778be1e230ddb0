//! The versions of the record of a consent: how it was given, and how freedom was safeguarded (AVG art. 7). Not who the
//! resident is.

use exchange::consent::{ConsentRecord, FREEDOM_STATED};
use serde_json::{Value, json};
use store::StoredRecord;

use super::super::{Output, dutch_time};

/// A version as it is shown. What an extension took over from an earlier version is not shown as if it was stated again.
pub(super) fn shown(versions: &[StoredRecord]) -> Vec<Value> {
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

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("onbekend").to_owned()
}

fn time(value: &Value) -> String {
    value.as_str().and_then(|text| text.parse().ok()).map(dutch_time).unwrap_or_default()
}

pub(super) fn say(told: &Value, output: Output) {
    output.say(format!(
        "  regel {}: {} gegeven op {}, tot {}; bewijs: {} {}",
        told["regel"],
        text(&told["wijze"]),
        time(&told["verleend_op"]),
        time(&told["geldig_tot"]),
        text(&told["bewijs"]["soort"]),
        text(&told["bewijs"]["kenmerk"]),
    ));
    if let Some(index) = told["zoals_in_regel"].as_u64() {
        output.say(format!(
            "    hoe de inwoner vrij kon kiezen is niet opnieuw vastgelegd: zoals in regel {index}"
        ));
    } else {
        say_freedom(told, output);
    }
}

fn say_freedom(told: &Value, output: Output) {
    let yes = |value: &Value| if value.as_bool() == Some(true) { "ja" } else { "nee" };
    let free = &told["vrijheid"];
    let interpreter = match free["tolk"].as_bool() {
        Some(true) => ", met tolk",
        Some(false) => ", zonder tolk",
        None => "",
    };
    output.say(format!(
        "    uitgelegd door {}, {}; taal {}{interpreter}; steun aanwezig: {}; gewezen op intrekken: {}",
        text(&free["uitgelegd_door"]["organisatie"]),
        text(&free["uitgelegd_door"]["functie"]),
        text(&free["taal"]),
        yes(&free["steun_aanwezig"]),
        yes(&free["gewezen_op_intrekken"]),
    ));
    output.say(format!("    gevolg van weigeren: {}", text(&free["gevolg_van_weigeren"])));
    if told["vrijheid_vastgelegd_op"] != told["verleend_op"] {
        output.say(format!("    vastgelegd op {}", time(&told["vrijheid_vastgelegd_op"])));
    }
    if let Some(why) = told["waarom_toestemming"].as_str() {
        output.say(format!("    waarom toestemming: {why}"));
    }
}
