//! What the organisation that asked for a consent recorded of it.

use std::fmt::{self, Write as _};

use schemas::{written_day, written_moment};
use serde_json::Value;

use super::super::{Text, fields::part, pair};
use crate::subject_report::GivenConsent;

pub(super) fn write(consent: &GivenConsent, page: &mut String) -> fmt::Result {
    page.write_str("<h4>Hoe de toestemming is vastgelegd</h4>\n")?;
    let recorded = consent.vastlegging.as_ref().and_then(|one| Some((one, one.versies.last()?)));
    let Some((recorded, newest)) = recorded else {
        let why = if consent.asked_here {
            "Wij hebben niet (meer) vastgelegd hoe u deze toestemming gaf. Die vastlegging is gewist."
                .to_owned()
        } else {
            format!("Hoe u deze toestemming gaf staat bij {}. Vraag het daar.", consent.houder.naam)
        };
        return writeln!(page, "<p>{}</p>", Text(&why));
    };
    let days = recorded.bewaartermijn_dagen;
    writeln!(
        page,
        "<p>Wij moeten kunnen laten zien dat u toestemming gaf (AVG artikel 7). Daarom bewaren wij dit, tot {} nadat de \
         toestemming is geëindigd{}.</p>\n<dl>",
        term(days),
        recorded.bewaard_tot.map(until).unwrap_or_default()
    )?;
    let said = &newest.toestemming["inhoud"];
    how(said, page)?;
    freedom(&said["vrijheid"], page)?;
    if let Some(why) = said["waarom_toestemming"].as_str() {
        pair(page, "Waarom er om toestemming is gevraagd", why)?;
    }
    page.write_str("</dl>\n")?;
    part("Wie u bent, zoals het daarbij staat", &newest.resident, page)?;
    if recorded.versies.len() > 1 {
        earlier(recorded.versies.iter().map(|version| &version.toestemming["inhoud"]), page)?;
    }
    Ok(())
}

fn until(at: jiff::Timestamp) -> String {
    format!(": tot {}", written_day(at.to_zoned(exchange::calendar::dutch_time()).date()))
}

/// Years when it is whole years, as purposes have it; days otherwise.
fn term(days: u32) -> String {
    const YEARS: [(u32, &str); 4] =
        [(365, "een jaar"), (731, "twee jaar"), (1826, "vijf jaar"), (3653, "tien jaar")];
    let year = YEARS.iter().find(|(whole, _)| days.abs_diff(*whole) <= 1);
    match (year, days) {
        (Some((_, year)), _) => (*year).to_owned(),
        (None, 1) => "een dag".to_owned(),
        (None, days) => format!("{days} dagen"),
    }
}

fn how(content: &Value, page: &mut String) -> fmt::Result {
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('-', " ");
    pair(page, "Hoe u toestemming gaf", &text(&content["wijze"]))?;
    let proof = &content["bewijs"];
    let reference = proof["kenmerk"].as_str().unwrap_or_default();
    pair(page, "Waar dat staat", &format!("{}, met kenmerk {reference}", text(&proof["soort"])))
}

/// How it was seen to that the resident could choose freely.
fn freedom(freedom: &Value, page: &mut String) -> fmt::Result {
    let text = |key: &str| freedom[key].as_str().unwrap_or_default();
    pair(page, "Wat er gebeurt als u nee zegt", text("gevolg_van_weigeren"))?;
    let by = &freedom["uitgelegd_door"];
    let part = |key: &str| by[key].as_str().unwrap_or_default();
    pair(page, "Wie het u uitlegde", &format!("{}, {}", part("functie"), part("organisatie")))?;
    pair(page, "In welke taal", language(text("taal")))?;
    for (key, name) in [
        ("hulp_hangt_ervan_af", "Hangt uw hulp of uitkering ervan af?"),
        ("tolk", "Was er een tolk bij?"),
        ("steun_aanwezig", "Was er iemand bij om u te steunen?"),
        ("gewezen_op_intrekken", "Is u verteld dat u zich altijd mag bedenken?"),
    ] {
        if let Some(answer) = freedom[key].as_bool() {
            pair(page, name, if answer { "ja" } else { "nee" })?;
        }
    }
    Ok(())
}

/// Languages that are spoken at the desks; of others the code is told.
fn language(code: &str) -> &str {
    match code {
        "nl" => "Nederlands",
        "en" => "Engels",
        "de" => "Duits",
        "fr" => "Frans",
        "es" => "Spaans",
        "pt" => "Portugees",
        "pl" => "Pools",
        "ro" => "Roemeens",
        "bg" => "Bulgaars",
        "uk" => "Oekraïens",
        "ru" => "Russisch",
        "tr" => "Turks",
        "ar" => "Arabisch",
        "fa" => "Perzisch",
        "so" => "Somalisch",
        "ti" => "Tigrinya",
        "zh" => "Chinees",
        other => other,
    }
}

/// How it was given each time.
fn earlier<'a>(versions: impl Iterator<Item = &'a Value>, page: &mut String) -> fmt::Result {
    page.write_str(
        "<table>\n<caption>Elke keer dat u toestemming gaf</caption>\n<thead><tr><th scope=\"col\">Gegeven op</th><th scope=\"col\">Geldig tot</th><th scope=\"col\">Hoe</th><th scope=\"col\">Kenmerk</th></tr></thead>\n<tbody>\n",
    )?;
    for content in versions {
        let moment = |key: &str| content[key].as_str().and_then(|text| text.parse().ok()).map(written_moment);
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            moment("verleend_op").unwrap_or_default(),
            moment("geldig_tot").unwrap_or_default(),
            Text(content["wijze"].as_str().unwrap_or_default()),
            Text(content["bewijs"]["kenmerk"].as_str().unwrap_or_default())
        )?;
    }
    page.write_str("</tbody>\n</table>\n")
}
