//! The versions of the record of a consent, for who reads them.

use serde_json::Value;

use super::super::{Output, dutch_time};

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
