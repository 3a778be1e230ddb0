//! The part of the page about consents.

use std::fmt::{self, Write as _};

use schemas::written_moment;

use super::{Text, pair};
use crate::subject_report::{GivenConsent, SubjectReport, Told};

pub(super) fn write(report: &SubjectReport, page: &mut String) -> fmt::Result {
    if report.toestemmingen.is_empty() {
        return Ok(());
    }
    page.write_str(
        "<h2 id=\"toestemmingen\">Uw toestemmingen</h2>\n<p>Voor deze uitwisseling gaf u toestemming.</p>\n",
    )?;
    report.toestemmingen.iter().try_for_each(|consent| one(consent, page))
}

fn one(consent: &GivenConsent, page: &mut String) -> fmt::Result {
    let id = consent.id;
    writeln!(page, "<h3 id=\"toestemming-{id}\">Toestemming {id}</h3>\n<dl>")?;
    pair(page, "Gevraagd door", &consent.houder.naam)?;
    pair(page, "Hoe het ermee staat", consent.stand)?;
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
    pair(page, "Wie de gegevens mag krijgen", &names.join(", "))?;
    pair(page, "Waarvoor", &consent.doelen.join(", "))?;
    pair(page, "Welke soorten gegevens", &consent.gegevens.join(", "))?;
    page.write_str("</dl>\n")?;
    if consent.organisaties.is_empty() {
        return Ok(());
    }
    page.write_str("<p>Wie bericht kreeg dat de toestemming is geëindigd:</p>\n<ul>\n")?;
    for told in &consent.organisaties {
        writeln!(page, "<li>{}: {}</li>", Text(&told.organisatie.naam), Text(&in_words(told)))?;
    }
    page.write_str("</ul>\n")
}

fn in_words(told: &Told) -> String {
    let Some(at) = told.bevestigd_op else {
        return "heeft nog niet bevestigd wat ermee is gedaan".to_owned();
    };
    let done = match told.uitkomst {
        Some("gewist") => "heeft de gegevens gewist",
        Some("gestopt") => "gebruikt de gegevens niet meer",
        Some(_) => "bewaart de gegevens op een andere grond",
        None => "heeft het bericht verwerkt",
    };
    format!("{done}, op {}", written_moment(at))
}
