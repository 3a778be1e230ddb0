//! The register on paper: a page to print, and a table for a spreadsheet.

use std::{collections::BTreeSet, fmt::Write as _};

use exchange::{calendar::dutch_time, purpose::OnWithdrawal};

use super::{Activity, Basis, Controller, Flow, Register, Stand, activity::OwnActivity};
use crate::wording;

const STYLE: &str = "body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:bold;padding:.3rem 0}
th,td{border:1px solid #555;padding:.4rem .6rem;text-align:left;vertical-align:top}th{background:#eee;width:14rem}
@media print{body{margin:0;max-width:none}section{break-inside:avoid-page}th{background:none}}";

/// A page of HTML that stands by itself and can be printed.
pub fn html(register: &Register) -> String {
    let mut page = String::new();
    let owner = &register.verwerkingsverantwoordelijke;
    let made = register.gemaakt.to_zoned(dutch_time()).strftime("%d-%m-%Y").to_string();
    // A String takes whatever is written.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Register van verwerkingsactiviteiten: {name}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n<h1>Register van verwerkingsactiviteiten</h1>\n<p>{name}, {made}. Wat via Schakel wordt uitgewisseld, volgens artikel 30 lid 1 van de AVG. Gemaakt uit de doelen en convenanten die op die dag gelden, en die waaronder nog gegevens worden bewaard.</p>\n",
        name = escaped(&owner.naam),
    );
    table(&mut page, "Verwerkingsverantwoordelijke", &controller_rows(owner));
    let general = [
        ("Doorgifte buiten de EU", vec![register.doorgifte_buiten_eu.to_owned()]),
        ("Beveiliging", register.beveiliging.iter().map(ToString::to_string).collect()),
    ];
    table(&mut page, "Voor alle verwerkingen", &general);
    if register.verwerkingen.is_empty() {
        page += "<p>Er is geen convenant in werking waarin deze organisatie iets geeft of krijgt.</p>\n";
    }
    for activity in &register.verwerkingen {
        section(&mut page, activity);
    }
    page += "<section>\n<h2>Wat het knooppunt zelf bijhoudt</h2>\n";
    for own in &register.eigen_verwerkingen {
        table(&mut page, own.naam, &own_rows(own));
    }
    page += "</section>\n";
    if !register.overig.is_empty() {
        let rows: Vec<(&str, Vec<String>)> = register
            .overig
            .iter()
            .map(|one| (one.naam.as_str(), vec![one.verwerking.clone(), until(one.tot)]))
            .collect();
        page += "<section>\n<h2>Wat nu niet loopt</h2>\n<p>Dit staat of stond in een convenant. Er loopt nu niets en er wordt niets van bewaard; verwijzingen ernaar kunnen nog in het Logboek Dataverwerkingen staan.</p>\n";
        table(&mut page, "Verwerkingen die nu niet lopen", &rows);
        page += "</section>\n";
    }
    page += "</main>\n</body>\n</html>\n";
    page
}

fn section(page: &mut String, activity: &Activity) {
    let _ = write!(page, "<section>\n<h2>{}</h2>\n", escaped(&activity.naam));
    table(page, "Het doel", &activity_rows(activity));
    for flow in &activity.berichten {
        table(page, &format!("Bericht: {}", flow.naam), &flow_rows(flow));
    }
    *page += "</section>\n";
}

fn controller_rows(owner: &Controller) -> [(&'static str, Vec<String>); 4] {
    [
        ("Naam", vec![owner.naam.clone()]),
        ("OIN", vec![owner.oin.to_string()]),
        ("Contact", vec![owner.contact.clone()]),
        ("Functionaris gegevensbescherming", vec![owner.fg.clone()]),
    ]
}

fn day(date: jiff::civil::Date) -> String {
    date.strftime("%d-%m-%Y").to_string()
}

fn until(date: jiff::civil::Date) -> String {
    format!("tot en met {}", day(date))
}

fn own_rows(own: &OwnActivity) -> [(&'static str, Vec<String>); 7] {
    let one = |text: &str| vec![text.to_owned()];
    [
        ("Verwerking", vec![own.verwerking.clone()]),
        ("Doel", one(own.omschrijving)),
        ("Grondslag", one(own.grondslag)),
        ("Betrokkenen", one(own.betrokkenen)),
        ("Gegevens", one(own.gegevens)),
        ("Gaat naar", one(own.ontvangers)),
        ("Bewaartermijn", one(own.bewaartermijn)),
    ]
}

fn standing(stand: Stand) -> &'static str {
    match stand {
        Stand::Actueel => "gaat door",
        Stand::Afgelopen => {
            "het convenant is geëindigd; wat er nog is wordt bewaard tot de bewaartermijn voorbij is"
        }
    }
}

fn activity_rows(activity: &Activity) -> Vec<(&'static str, Vec<String>)> {
    let agreements = activity.convenanten.iter();
    let withdrawal = activity
        .bij_intrekking
        .map(|rule| ("Bij intrekking van toestemming", vec![on_withdrawal(rule).to_owned()]));
    let rows = [
        ("Verwerking", vec![activity.verwerking.clone()]),
        ("Hoe het ermee staat", vec![standing(activity.stand).to_owned()]),
        ("Doel", vec![activity.omschrijving.clone()]),
        ("Naam en versie", vec![format!("{}, versie {}", activity.doel, activity.versie)]),
        ("Rust op", activity.bronnen.clone()),
        ("Bewaartermijn", vec![format!("{} dagen na ontvangst", activity.bewaartermijn_dagen)]),
        (
            "Convenant",
            agreements
                .map(|one| {
                    format!("{}, {} tot en met {}", one.titel, day(one.geldig_van), day(one.geldig_tot))
                })
                .collect(),
        ),
    ];
    let proof = activity.bewijs_toestemming_dagen.map(|days| {
        ("Bewijs van toestemming", vec![format!("{days} dagen nadat de toestemming is geëindigd")])
    });
    rows.into_iter().chain(withdrawal).chain(proof).collect()
}

const fn on_withdrawal(rule: OnWithdrawal) -> &'static str {
    match rule {
        OnWithdrawal::Wissen => "de ontvanger wist de gegevens",
        OnWithdrawal::AndereGrondslag => {
            "de ontvanger wist de gegevens, of noemt de andere grondslag waarop hij ze bewaart"
        }
    }
}

fn flow_rows(flow: &Flow) -> [(&'static str, Vec<String>); 7] {
    let bases = flow.grondslagen.iter();
    [
        ("Grondslag", bases.map(basis).collect()),
        ("Betrokkenen", flow.betrokkenen.iter().map(ToString::to_string).collect()),
        ("Gegevens", or(categories(flow), "alleen over de uitwisseling zelf")),
        ("Bijzondere gegevens", or(special(flow), "geen")),
        (
            "Leefgebieden",
            or(flow.leefgebieden.iter().map(|one| wording::life_domain(*one).to_owned()).collect(), "geen"),
        ),
        ("Gaat naar", or(parties(&flow.ontvangers), "niemand: dit bericht komt alleen binnen")),
        ("Komt van", or(parties(&flow.bronnen), "niemand: dit bericht gaat alleen naar buiten")),
    ]
}

/// The categories of data in words, special ones left out.
pub(crate) fn categories(flow: &Flow) -> Vec<String> {
    let plain = flow.gegevens.iter().map(|one| wording::category(*one).to_owned());
    let bsn = flow.bsn.then(|| "burgerservicenummer (BSN)".to_owned());
    plain.chain(bsn).collect()
}

fn special(flow: &Flow) -> Vec<String> {
    let named = flow.bijzondere_gegevens.iter();
    named
        .map(|one| format!("{}, op grond van {}", wording::category(one.categorie), one.uitzondering))
        .collect()
}

fn parties(parties: &BTreeSet<Controller>) -> Vec<String> {
    parties.iter().map(|one| format!("{} ({})", one.naam, wording::kind(one.soort))).collect()
}

/// A basis in words.
pub(crate) fn basis(basis: &Basis) -> String {
    let text = joined(wording::basis(basis.soort), &basis.artikelen);
    if basis.alleen_ontvangen { format!("{text} (alleen voor wat deze organisatie ontvangt)") } else { text }
}

fn joined(first: &str, rest: &[String]) -> String {
    std::iter::once(first).chain(rest.iter().map(String::as_str)).collect::<Vec<_>>().join("; ")
}

fn or(items: Vec<String>, when_none: &str) -> Vec<String> {
    if items.is_empty() { vec![when_none.to_owned()] } else { items }
}

fn table(page: &mut String, caption: &str, rows: &[(&str, Vec<String>)]) {
    let _ = writeln!(page, "<table>\n<caption>{}</caption>\n<tbody>", escaped(caption));
    for (name, values) in rows {
        let values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
        let _ = writeln!(page, "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", values.join("<br>"));
    }
    *page += "</tbody>\n</table>\n";
}

/// Text in HTML: names come from partners.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            other => safe.push(other),
        }
    }
    safe
}

/// The columns of the table.
const COLUMNS: [&str; 18] = [
    "verwerking",
    "stand",
    "verwerkingsverantwoordelijke",
    "contact",
    "functionaris_gegevensbescherming",
    "doel",
    "versie",
    "omschrijving",
    "bericht",
    "grondslagen",
    "betrokkenen",
    "gegevens",
    "bijzondere_gegevens",
    "ontvangers",
    "bronnen",
    "bewaartermijn_dagen",
    "doorgifte_buiten_eu",
    "beveiliging",
];

/// A table with a row for each message type of each purpose: UTF-8, semicolons, as Dutch spreadsheets open it.
pub fn csv(register: &Register) -> String {
    // The mark by which a spreadsheet knows UTF-8.
    let mut table = format!("\u{feff}{}\r\n", COLUMNS.join(";"));
    let owner = &register.verwerkingsverantwoordelijke;
    for activity in &register.verwerkingen {
        for flow in &activity.berichten {
            let bases = flow.grondslagen.iter().map(basis);
            let cells: [String; 18] = [
                activity.verwerking.clone(),
                standing(activity.stand).to_owned(),
                owner.naam.clone(),
                owner.contact.clone(),
                owner.fg.clone(),
                activity.doel.clone(),
                activity.versie.to_string(),
                activity.omschrijving.clone(),
                flow.naam.clone(),
                bases.collect::<Vec<_>>().join(" | "),
                flow.betrokkenen.join(" | "),
                categories(flow).join(" | "),
                special(flow).join(" | "),
                parties(&flow.ontvangers).join(" | "),
                parties(&flow.bronnen).join(" | "),
                activity.bewaartermijn_dagen.to_string(),
                register.doorgifte_buiten_eu.to_owned(),
                register.beveiliging.join(" "),
            ];
            row(&mut table, &cells);
        }
    }
    for own in &register.eigen_verwerkingen {
        row(&mut table, &own_cells(own, register));
    }
    table
}

fn row(table: &mut String, cells: &[String; 18]) {
    *table += &cells.each_ref().map(|cell| quoted(cell)).join(";");
    *table += "\r\n";
}

/// What the node does by itself has no purpose of the register, and no message type.
fn own_cells(own: &OwnActivity, register: &Register) -> [String; 18] {
    let owner = &register.verwerkingsverantwoordelijke;
    let empty = String::new;
    [
        own.verwerking.clone(),
        standing(Stand::Actueel).to_owned(),
        owner.naam.clone(),
        owner.contact.clone(),
        owner.fg.clone(),
        own.naam.to_owned(),
        empty(),
        own.omschrijving.to_owned(),
        empty(),
        own.grondslag.to_owned(),
        own.betrokkenen.to_owned(),
        own.gegevens.to_owned(),
        empty(),
        own.ontvangers.to_owned(),
        empty(),
        own.bewaartermijn.to_owned(),
        register.doorgifte_buiten_eu.to_owned(),
        register.beveiliging.join(" "),
    ]
}

/// A cell in quotes. One that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, *CSV
/// Injection*).
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
