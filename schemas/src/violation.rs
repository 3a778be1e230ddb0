//! What is wrong with a document, in words for people.
//!
//! A violation names the field, what is wrong and what is expected, in Dutch. It never repeats the
//! value: violations end up in logs, on screens and at partners.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::types::JsonType;
use jsonschema::{Uri, ValidationError};
use serde_json::Value;

use crate::format;
use crate::registry;

/// Nobody mends more than this at a time, and a hostile document must not cost more to explain.
pub const MAX_VIOLATIONS: usize = 20;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the field; empty for the document itself.
    pub field: String,
    /// What is wrong, completing "dit veld ...". Dutch; holds no value from the document.
    pub problem: String,
    /// What is expected there. Dutch.
    pub expected: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let field = if self.field.is_empty() { "het document" } else { &self.field };
        write!(f, "{field} {}; verwacht: {}", self.problem, self.expected)
    }
}

/// A step in a JSON pointer.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

/// Reads one step of a pointer. A long number is a key: no list in a document has that many items.
fn segment(raw: &str) -> Segment {
    const LONGEST_INDEX: usize = 5;
    match raw.parse() {
        Ok(index) if raw.len() <= LONGEST_INDEX => Segment::Index(index),
        _ => Segment::Key(raw.replace("~1", "/").replace("~0", "~")),
    }
}

/// The JSON pointer along `path`, as far as it can be shown.
///
/// Names of fields come from the document too, and someone may have put a name or number where a
/// field belongs. What does not look like a field name ends the pointer.
pub(crate) fn pointer(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => {
                text.push('/');
                text.push_str(&index.to_string());
            }
            Segment::Key(key) if is_showable(key) => {
                text.push('/');
                text.push_str(key);
            }
            Segment::Key(_) => break,
        }
    }
    text
}

/// Whether `name` looks like a field name rather than like data.
fn is_showable(name: &str) -> bool {
    const LONGEST: usize = 40;
    const MOST_DIGITS: usize = 2;
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        && name.bytes().filter(u8::is_ascii_digit).count() <= MOST_DIGITS
}

/// The errors of the validator as violations, at most [`MAX_VIOLATIONS`].
pub(crate) fn explain<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for error in errors {
        for violation in describe(&error) {
            // A postcode of the wrong length also fails its pattern; once is enough.
            if !violations
                .iter()
                .any(|v: &Violation| v.field == violation.field && v.expected == violation.expected)
            {
                violations.push(violation);
            }
        }
        if violations.len() >= MAX_VIOLATIONS {
            violations.truncate(MAX_VIOLATIONS);
            break;
        }
    }
    violations
}

fn describe(error: &ValidationError<'_>) -> Vec<Violation> {
    let place = Place::of(error);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().take(MAX_VIOLATIONS).map(|name| place.unexpected(name)).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![place.missing(property.as_str().unwrap_or_default())]
        }
        kind => {
            let (problem, expected) = words(kind, place.schema);
            let expected = place.own_words().map_or(expected, str::to_owned);
            vec![Violation { field: place.field, problem, expected }]
        }
    }
}

/// Where an error is: in the document and in the schema.
struct Place {
    field: String,
    /// The subschema that refused; `Null` if it cannot be found.
    schema: &'static Value,
    /// The `$id` of the schema it is in.
    base: String,
}

impl Place {
    fn of(error: &ValidationError<'_>) -> Place {
        let path: Vec<Segment> = error.instance_path().as_str().split('/').skip(1).map(segment).collect();
        let location = error.absolute_keyword_location().map_or("", Uri::as_str);
        let (base, keyword) = location.split_once('#').unwrap_or((location, ""));
        let keyword = keyword.replace("%24", "$");
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        let schema = registry::document(base).and_then(|document| document.pointer(parent));
        Place { field: pointer(&path), schema: schema.unwrap_or(&Value::Null), base: base.to_owned() }
    }

    /// What the schema itself says is expected.
    fn own_words(&self) -> Option<&'static str> {
        self.schema.get("x-verwacht").and_then(Value::as_str)
    }

    fn missing(self, name: &str) -> Violation {
        let property = self.schema.get("properties").and_then(|all| all.get(name));
        let expected = property.map_or_else(
            || self.own_words().map_or_else(|| "dit veld is verplicht".to_owned(), str::to_owned),
            |property| wanted(&self.base, property),
        );
        Violation { field: format!("{}/{name}", self.field), problem: "ontbreekt".to_owned(), expected }
    }

    fn unexpected(&self, name: &str) -> Violation {
        let known = self.schema.get("properties").and_then(Value::as_object);
        let names: Vec<&str> = known.into_iter().flat_map(|all| all.keys()).map(String::as_str).collect();
        let expected =
            if names.is_empty() { "geen velden".to_owned() } else { format!("alleen {}", names.join(", ")) };
        let (field, problem) = if is_showable(name) {
            (format!("{}/{name}", self.field), "hoort hier niet")
        } else {
            (self.field.clone(), "heeft een veld dat hier niet hoort")
        };
        Violation { field, problem: problem.to_owned(), expected }
    }
}

/// What a field with this schema should hold.
fn wanted(base: &str, schema: &Value) -> String {
    if let Some(words) = schema.get("x-verwacht").and_then(Value::as_str) {
        return words.to_owned();
    }
    if let Some(known) = schema.get("format").and_then(Value::as_str).and_then(format::find) {
        return known.expected.to_owned();
    }
    if let Some(options) = schema.get("enum") {
        return one_of(options);
    }
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        return type_words(kind).to_owned();
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|to| registry::resolve(base, to));
    target.map_or_else(|| "dit veld is verplicht".to_owned(), |(urn, schema)| wanted(urn, schema))
}

fn one_of(options: &Value) -> String {
    let names: Vec<String> = options
        .as_array()
        .into_iter()
        .flatten()
        .map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned))
        .collect();
    format!("één van: {}", names.join(", "))
}

fn type_words(kind: &str) -> &'static str {
    match kind {
        "string" => "een tekst",
        "integer" => "een geheel getal",
        "number" => "een getal",
        "boolean" => "true (ja) of false (nee)",
        "object" => "een groep velden",
        "array" => "een lijst",
        _ => "niets (null)",
    }
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::String => "string",
        JsonType::Integer => "integer",
        JsonType::Number => "number",
        JsonType::Boolean => "boolean",
        JsonType::Object => "object",
        JsonType::Array => "array",
        JsonType::Null => "null",
    }
}

/// The problem, and what is expected, for one kind of error.
fn words(kind: &ValidationErrorKind, schema: &Value) -> (String, String) {
    use ValidationErrorKind as Kind;
    let (problem, expected) = match kind {
        Kind::Type { kind: TypeKind::Single(kind) } => {
            ("heeft het verkeerde soort waarde", type_words(type_name(*kind)).to_owned())
        }
        Kind::Format { format: name } => return format_words(name),
        Kind::Pattern { .. } => ("heeft niet de juiste vorm", description(schema)),
        Kind::Enum { options } => ("is geen van de toegestane waarden", one_of(options)),
        Kind::Constant { expected_value } => ("heeft niet de vaste waarde", expected_value.to_string()),
        Kind::UniqueItems => ("bevat iets dubbel", "elk hoogstens één keer".to_owned()),
        Kind::PropertyNames { .. } => {
            ("heeft een veld met een naam die niet kan", "namen in kleine letters, met streepjes".to_owned())
        }
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            ("is niet volledig", "een van de toegestane vormen".to_owned())
        }
        Kind::FalseSchema => ("hoort hier niet", "dit veld weglaten".to_owned()),
        Kind::Not { .. } => ("is hier niet toegestaan", description(schema)),
        other => return limit_words(other).unwrap_or_else(|| ("klopt niet".to_owned(), description(schema))),
    };
    (problem.to_owned(), expected)
}

/// The same for a limit on a length, a number of items or fields, or an amount.
fn limit_words(kind: &ValidationErrorKind) -> Option<(String, String)> {
    use ValidationErrorKind as Kind;
    let (problem, bound, limit, unit) = match kind {
        Kind::MinLength { limit } => ("is te kort", "minstens", limit.to_string(), " tekens"),
        Kind::MaxLength { limit } => ("is te lang", "hoogstens", limit.to_string(), " tekens"),
        Kind::MinItems { limit } => ("bevat te weinig", "minstens", limit.to_string(), " in de lijst"),
        Kind::MaxItems { limit } => ("bevat te veel", "hoogstens", limit.to_string(), " in de lijst"),
        Kind::MinProperties { limit } => ("bevat te weinig", "minstens", limit.to_string(), " ingevuld"),
        Kind::MaxProperties { limit } => ("bevat te veel", "hoogstens", limit.to_string(), " ingevuld"),
        Kind::Minimum { limit } => ("is te klein", "minstens", limit.to_string(), ""),
        Kind::Maximum { limit } => ("is te groot", "hoogstens", limit.to_string(), ""),
        _ => return None,
    };
    let unit = if limit == "1" && unit == " tekens" { " teken" } else { unit };
    Some((problem.to_owned(), format!("{bound} {limit}{unit}")))
}

fn format_words(name: &str) -> (String, String) {
    format::find(name).map_or_else(
        || ("heeft niet de juiste vorm".to_owned(), "de vorm uit het schema".to_owned()),
        |known| (format!("is geen {}", known.is_not), known.expected.to_owned()),
    )
}

fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or("wat het schema beschrijft").to_owned()
}

#[cfg(test)]
mod tests;
