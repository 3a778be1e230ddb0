//! Figures as programs and spreadsheets read them. What is kept back is `null`, or an empty field.

use serde_json::{Value, json};
use store::Direction;

use super::{Counted, Lead, Line, SMALLEST, csv};
use crate::node::Node;

const HEAD: [&str; 15] = [
    "richting",
    "doel",
    "oin",
    "partner",
    "uitkomst",
    "aantal",
    "te_beantwoorden",
    "beantwoord",
    "antwoord_mediaan_minuten",
    "antwoord_p90_minuten",
    "contact_mediaan_minuten",
    "contact_p90_minuten",
    "totaal_van_doel",
    "met_termijn",
    "binnen_termijn",
];

/// Which way.
pub(crate) const fn direction(one: &Counted) -> &'static str {
    match one.group.direction {
        Direction::Inbound => "in",
        Direction::Outbound => "uit",
    }
}

/// For which purpose, for people.
pub(crate) fn purpose(one: &Counted) -> &str {
    one.group.purpose.as_deref().unwrap_or("zonder leesbaar doel")
}

/// All of them, for programs.
pub(crate) fn for_programs(node: &Node, counted: &[Counted]) -> Value {
    json!({
        "kleinste": SMALLEST,
        "cijfers": counted.iter().map(|one| group(node, one)).collect::<Vec<_>>(),
    })
}

/// All of them, as CSV.
pub(crate) fn for_spreadsheets(node: &Node, counted: &[Counted]) -> String {
    let rows = counted.iter().flat_map(|one| one.lines.iter().map(|line| row(node, one, line)));
    let rows: String = rows.map(|row| csv::line(row.iter().map(String::as_str))).collect();
    csv::line(HEAD) + &rows
}

fn row(node: &Node, one: &Counted, line: &Line) -> [String; 15] {
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let minutes = |lead: Option<Lead>, of: fn(Lead) -> u32| number(lead.map(|lead| of(lead).into()));
    [
        direction(one).to_owned(),
        purpose(one).to_owned(),
        line.partner.to_string(),
        node.name_of(line.partner),
        line.outcome.to_string(),
        number(line.count),
        number(line.asked),
        number(line.answered),
        minutes(line.answer, |lead| lead.median),
        minutes(line.answer, |lead| lead.ninetieth),
        minutes(line.contact, |lead| lead.median),
        minutes(line.contact, |lead| lead.ninetieth),
        number(one.total),
        number(line.termed),
        number(line.in_time),
    ]
}

fn group(node: &Node, one: &Counted) -> Value {
    let lead = |lead: Option<Lead>| {
        lead.map(|lead| json!({ "mediaan_minuten": lead.median, "p90_minuten": lead.ninetieth }))
    };
    let lines = one.lines.iter().map(|line| {
        json!({
            "oin": line.partner, "partner": node.name_of(line.partner), "uitkomst": line.outcome.as_str(),
            "aantal": line.count, "te_beantwoorden": line.asked, "beantwoord": line.answered, "antwoord": lead(line.answer),
            "eerste_contact": lead(line.contact), "met_termijn": line.termed, "binnen_termijn": line.in_time,
        })
    });
    json!({
        "richting": direction(one), "doel": one.group.purpose, "totaal": one.total,
        "regels": lines.collect::<Vec<_>>(),
    })
}
