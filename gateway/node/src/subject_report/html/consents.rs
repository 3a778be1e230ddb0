//! The part of the page about consents.

use std::fmt::{self, Write as _};

use schemas::{written_day, written_moment};

use super::{Text, listed, pair};
use crate::subject_report::{GivenConsent, SubjectReport, Told};

mod record;

pub(super) fn write(report: &SubjectReport, page: &mut String) -> fmt::Result {
    if report.toestemmingen.is_empty() {
        return Ok(());
    }
    page.write_str(
        "<h2 id=\"toestemmingen\">Uw toestemmingen</h2>\n<p>Hier staat waar u toestemming voor gaf. U mag een toestemming altijd \
         intrekken. Dat heeft geen gevolgen voor wat al was gedaan.</p>\n",
    )?;
    report.toestemmingen.iter().try_for_each(|consent| one(consent, page))
}

/// What a consent is called.
pub(super) fn name(consent: &GivenConsent) -> String {
    let given =
        consent.verleend_op.map(|at| written_day(at.to_zoned(exchange::calendar::dutch_time()).date()));
    given.map_or_else(|| "Toestemming".to_owned(), |day| format!("Toestemming van {day}"))
}

fn one(consent: &GivenConsent, page: &mut String) -> fmt::Result {
    let id = consent.id;
    writeln!(page, "<h3 id=\"toestemming-{id}\">{}</h3>\n<dl>", Text(&name(consent)))?;
    pair(page, "Hoe het ermee staat", standing(consent.stand))?;
    pair(page, "Gevraagd door", &consent.houder.naam)?;
    for (name, moment) in [
        ("Gegeven op", consent.verleend_op),
        ("Geldig tot", consent.geldig_tot),
        ("Ingetrokken op", consent.ingetrokken_op),
    ] {
        if let Some(moment) = moment {
            pair(page, name, &written_moment(moment))?;
        }
    }
    let names: Vec<&str> = consent.verleend_aan.iter().map(|one| one.naam.as_str()).collect();
    listed(page, "Wie de gegevens mocht krijgen", &names)?;
    listed(page, "Waarvoor", &consent.in_words.purposes)?;
    listed(page, "Welke soorten gegevens", &consent.in_words.data)?;
    listed(page, "Over welke delen van uw leven", &consent.in_words.domains)?;
    if let Some(kept) = &consent.bewaard_op_grond_van {
        let why = super::super::in_words(kept.soort);
        pair(page, "Wij bewaren nog iets", &format!("{why} ({})", kept.artikelen.join("; ")))?;
    }
    pair(page, "Nummer", &id.to_string())?;
    page.write_str("</dl>\n")?;
    record::write(consent, page)?;
    if consent.organisaties.is_empty() {
        return Ok(());
    }
    page.write_str("<p>Wie bericht kreeg dat de toestemming is geëindigd:</p>\n<ul>\n")?;
    for told in &consent.organisaties {
        writeln!(page, "<li>{}: {}</li>", Text(&told.organisatie.naam), Text(&in_words(told)))?;
    }
    page.write_str("</ul>\n")
}

fn standing(stand: &str) -> &str {
    match stand {
        "geldig" => "deze toestemming geldt",
        "ingetrokken" => "u hebt deze toestemming ingetrokken",
        "verlopen" => "deze toestemming is verlopen en geldt niet meer",
        other => other,
    }
}

fn in_words(told: &Told) -> String {
    let Some(at) = told.bevestigd_op else {
        return "heeft nog niet bevestigd wat ermee is gedaan".to_owned();
    };
    let done = match (told.uitkomst, &told.bewaard_op_grond_van) {
        (Some("gewist"), _) => "heeft de gegevens gewist".to_owned(),
        (Some("gestopt"), _) => "gebruikt de gegevens niet meer".to_owned(),
        (Some(_), Some(kept)) => {
            format!("bewaart de gegevens op een andere grond ({})", kept.artikelen.join("; "))
        }
        (Some(_), None) => "bewaart de gegevens op een andere grond".to_owned(),
        (None, _) => "heeft het bericht verwerkt".to_owned(),
    };
    format!("{done}, op {}", written_moment(at))
}
