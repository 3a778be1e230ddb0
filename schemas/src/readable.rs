//! A document as a person reads it: in the words of its schema.
//!
//! For whoever is shown what is held about them: the names of fields in plain Dutch, what each means, and values as
//! people write them. It follows the schema, so a field that is added to one is shown too.

use serde_json::{Map, Value};

use crate::document::Document;
use crate::name::SchemaName;
use crate::registry::{document, resolve};

/// A field of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadableField {
    /// Its name in the document.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What it means, from its schema.
    pub meaning: Option<String>,
    /// What it holds.
    pub holds: Reading,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A value.
    Text(String),
    /// Fields of its own.
    Fields(Vec<ReadableField>),
    /// A list.
    List(Vec<Reading>),
}

/// The name of a kind of document, for people.
pub fn title(schema: SchemaName) -> &'static str {
    text_of(schema, "title").unwrap_or_else(|| schema.as_str())
}

/// What a kind of document is for.
pub fn describe(schema: SchemaName) -> Option<&'static str> {
    text_of(schema, "description")
}

fn text_of(schema: SchemaName, key: &str) -> Option<&'static str> {
    document(schema.urn())?.get(key)?.as_str()
}

/// A document as a person reads it.
pub fn readable(of: &Document) -> Vec<ReadableField> {
    let urn = of.schema().urn();
    let Some(root) = document(urn) else { return Vec::new() };
    match (Place::at(urn, root), of.value()) {
        (place, Value::Object(fields)) => place.fields(fields),
        _ => Vec::new(),
    }
}

/// What the schemas say about one place in a document. All branches count, as for the kinds of data.
#[derive(Default)]
struct Place<'a> {
    schemas: Vec<(&'a str, &'a Map<String, Value>)>,
}

impl<'a> Place<'a> {
    fn at(base: &'a str, schema: &'a Value) -> Self {
        let mut place = Self::default();
        place.add(base, schema);
        place
    }

    fn add(&mut self, base: &'a str, schema: &'a Value) {
        let Value::Object(schema) = schema else { return };
        self.schemas.push((base, schema));
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some((urn, target)) = resolve(base, reference)
        {
            self.add(urn, target);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.add(base, branch);
            }
        }
        for keyword in ["if", "then", "else"] {
            self.add(base, schema.get(keyword).unwrap_or(&Value::Null));
        }
    }

    fn property(&self, name: &str) -> Self {
        let mut place = Self::default();
        for (base, schema) in &self.schemas {
            let named = schema.get("properties").and_then(|properties| properties.get(name));
            if let Some(property) = named.or_else(|| schema.get("additionalProperties")) {
                place.add(base, property);
            }
        }
        place
    }

    fn items(&self) -> Self {
        let mut place = Self::default();
        for (base, schema) in &self.schemas {
            place.add(base, schema.get("items").unwrap_or(&Value::Null));
        }
        place
    }

    fn word(&self, key: &str) -> Option<&'a str> {
        self.schemas.iter().find_map(|(_, schema)| schema.get(key)?.as_str())
    }

    fn is_choice(&self) -> bool {
        self.schemas.iter().any(|(_, schema)| schema.contains_key("enum") || schema.contains_key("const"))
    }

    fn fields(&self, values: &Map<String, Value>) -> Vec<ReadableField> {
        let field = |(name, value): (&String, &Value)| {
            let place = self.property(name);
            ReadableField {
                name: name.clone(),
                label: label(name),
                meaning: place.word("description").map(|words| meaning(name, words)),
                holds: place.read(name, value),
            }
        };
        values.iter().map(field).collect()
    }

    fn read(&self, name: &str, value: &Value) -> Reading {
        match value {
            Value::Object(fields) => Reading::Fields(self.fields(fields)),
            Value::Array(list) => {
                let items = self.items();
                Reading::List(list.iter().map(|item| items.read(name, item)).collect())
            }
            Value::Bool(true) => Reading::Text("ja".to_owned()),
            Value::Bool(false) => Reading::Text("nee".to_owned()),
            Value::Number(number) => Reading::Text(match (is_cents(name), number.as_i64()) {
                (true, Some(cents)) => euros(cents),
                _ => number.to_string(),
            }),
            Value::String(text) => Reading::Text(self.text(text)),
            Value::Null => Reading::Text(String::new()),
        }
    }

    fn text(&self, text: &str) -> String {
        let written = match self.word("format") {
            Some("date") => text.parse().ok().map(written_day),
            Some("date-time") => text.parse().ok().map(written_moment),
            _ => self.is_choice().then(|| text.replace('-', " ")),
        };
        written.unwrap_or_else(|| text.to_owned())
    }
}

const CENTS: &str = "_in_centen";

fn is_cents(name: &str) -> bool {
    name.ends_with(CENTS)
}

/// `achterstand_sinds` as "Achterstand sinds".
fn label(name: &str) -> String {
    if name == "bsn" {
        return "BSN".to_owned();
    }
    let text = name.strip_suffix(CENTS).unwrap_or(name).replace(['_', '-'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What a field means. Amounts are shown in euros.
fn meaning(name: &str, words: &str) -> String {
    if is_cents(name) { words.replace(" in eurocenten", "") } else { words.to_owned() }
}

/// `50884` as "€ 508,84".
fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("€ {sign}{grouped},{rest:02}")
}

pub(crate) const MONTHS: [&str; 12] = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];

/// A day as people write it: "20 januari 1974".
pub fn written_day(day: jiff::civil::Date) -> String {
    let month = usize::try_from(day.month() - 1).ok().and_then(|month| MONTHS.get(month));
    format!("{} {} {}", day.day(), month.unwrap_or(&""), day.year())
}

/// A moment as people write it, in Dutch time: "20 januari 1974, 09:30 uur".
pub fn written_moment(at: jiff::Timestamp) -> String {
    let here = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap_or(jiff::tz::TimeZone::UTC);
    let local = at.to_zoned(here);
    format!("{}, {:02}:{:02} uur", written_day(local.date()), local.hour(), local.minute())
}

#[cfg(test)]
mod tests;
