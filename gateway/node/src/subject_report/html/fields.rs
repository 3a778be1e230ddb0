//! The fields of a document, for whom it is about: what belongs on one line stands on one line.

use std::fmt::{self, Write as _};

use schemas::{ReadableField, Reading};

use super::Text;

/// What a message says, and on which conditions it was shared. The ground itself stands above it; the extract of a consent
/// and what opens it are for computers.
pub(super) fn content(all: &[ReadableField], page: &mut String) -> fmt::Result {
    let mut all: Vec<&ReadableField> = all.iter().collect();
    // Whom it is about and what it says come first.
    all.sort_by_key(|field| match field.name.as_str() {
        "betrokkene" => 0,
        "inhoud" => 1,
        "grondslag" => 3,
        _ => 2,
    });
    for field in all {
        match (field.name.as_str(), &field.holds) {
            ("grondslag", Reading::Fields(inner)) => {
                let conditions = inner.iter().find(|inner| inner.name == "voorwaarden");
                if let Some(Reading::Fields(conditions)) = conditions.map(|field| &field.holds) {
                    part("Waar de afzender op moest letten", conditions, page)?;
                }
            }
            ("betrokkene", Reading::Fields(inner)) => part("Over wie het gaat", inner, page)?,
            ("inhoud", Reading::Fields(inner)) => part("Wat er in het bericht staat", inner, page)?,
            _ => part(&field.label, std::slice::from_ref(field), page)?,
        }
    }
    Ok(())
}

/// A part of a message, under its own heading.
pub(super) fn part(heading: &str, fields: &[ReadableField], page: &mut String) -> fmt::Result {
    writeln!(page, "<h4>{}</h4>", Text(heading))?;
    list(fields, page)
}

fn list(fields: &[ReadableField], page: &mut String) -> fmt::Result {
    page.write_str("<dl>\n")?;
    fields.iter().try_for_each(|field| one(field, page))?;
    page.write_str("</dl>\n")
}

fn one(field: &ReadableField, page: &mut String) -> fmt::Result {
    let line = on_one_line(field);
    let class = match (&line, &field.holds) {
        (Some(_), _) | (None, Reading::Text(_)) => "",
        (None, Reading::Fields(_) | Reading::List(_)) => " class=\"groep\"",
    };
    write!(page, "<dt{class}>{}", Text(&field.label))?;
    let meaning = field.meaning.as_deref().filter(|meaning| says_more(&field.label, meaning));
    // Everybody knows what these are.
    let known = ["naam", "adres"].contains(&field.name.as_str());
    if let Some(meaning) = meaning.filter(|_| !known) {
        write!(page, " <small>{}</small>", Text(meaning))?;
    }
    write!(page, "</dt><dd{class}>")?;
    match line {
        Some(line) => write!(page, "{}", Text(&line))?,
        None => reading(&field.holds, page)?,
    }
    page.write_str("</dd>\n")
}

fn reading(holds: &Reading, page: &mut String) -> fmt::Result {
    match holds {
        Reading::Text(text) => write!(page, "{}", Text(text)),
        Reading::Fields(inner) => list(inner, page),
        Reading::List(items) => {
            page.write_str("<ul>")?;
            for item in items {
                page.write_str("<li>")?;
                reading(item, page)?;
                page.write_str("</li>")?;
            }
            page.write_str("</ul>")
        }
    }
}

/// Whether what a field means is more than its name again, also of what a name or an address is made of.
fn says_more(label: &str, meaning: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches('.').to_lowercase();
    bare(label) != bare(meaning)
}

/// What goes together on one line, part by part in the order of reading. Nothing else may stand beside it, or that
/// would be lost.
const TOGETHER: [&[(&str, &str)]; 3] = [
    &[("voornamen", " "), ("voorletters", " "), ("voorvoegsel", " "), ("achternaam", "")],
    &[
        ("straat", " "),
        ("huisnummer", " "),
        ("huisnummertoevoeging", ", "),
        ("postcode", " "),
        ("woonplaats", ""),
    ],
    &[("naam", ", "), ("functie", ", "), ("organisatie", "")],
];

/// The text of a field that fits on one line: a value, a name, an address, or something that holds one value only.
fn on_one_line(field: &ReadableField) -> Option<String> {
    let inner = match &field.holds {
        Reading::Text(text) => return Some(text.clone()),
        Reading::List(_) => return None,
        Reading::Fields(inner) => inner,
    };
    if let [ReadableField { holds: Reading::Text(only), .. }] = inner.as_slice() {
        return Some(only.clone());
    }
    TOGETHER.iter().find_map(|parts| together(inner, parts))
}

fn together(inner: &[ReadableField], parts: &[(&str, &str)]) -> Option<String> {
    let known = inner.iter().all(|field| parts.iter().any(|(name, _)| *name == field.name));
    if !known || inner.is_empty() {
        return None;
    }
    let mut line = String::new();
    let mut between = "";
    for (name, after) in parts {
        if let Some(field) = inner.iter().find(|field| field.name == *name) {
            let Reading::Text(text) = &field.holds else { return None };
            line = format!("{line}{between}{text}");
            between = after;
        } else if *after == ", " && !line.is_empty() {
            between = after;
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests;
