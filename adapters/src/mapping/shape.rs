//! What the schema of a message says about a place in it: enough to check a mapping before the first row.

use std::collections::BTreeMap;

use schemas::SchemaName;
use serde_json::Value;

use crate::convert::JsonKind;

/// References followed for one place; the published schemas need two.
const MAX_REFERENCES: usize = 16;

/// The published schemas by their `$id`.
pub(super) struct Registry(BTreeMap<String, Value>);

impl Registry {
    /// Reads what is embedded in the program.
    pub(super) fn load() -> Registry {
        let sources = schemas::all().map(schemas::source).chain([schemas::vocabulary()]);
        let parsed = sources.filter_map(|source| serde_json::from_str::<Value>(source).ok());
        Registry(
            parsed.filter_map(|schema| Some((schema.get("$id")?.as_str()?.to_owned(), schema))).collect(),
        )
    }

    /// The data of a message of this schema.
    pub(super) fn shape(&self, schema: SchemaName) -> Option<Shape<'_>> {
        let root = self.0.get(schema.urn())?;
        let mut shape = Shape { registry: self, parts: Vec::new() };
        shape.add(schema.urn(), root, MAX_REFERENCES);
        Some(shape)
    }
}

/// All that the schemas say about one place. Each part holds, so together they are a conjunction.
pub(super) struct Shape<'s> {
    registry: &'s Registry,
    /// The schema and the `$id` it stands in, for references relative to it.
    parts: Vec<(&'s str, &'s Value)>,
}

impl<'s> Shape<'s> {
    fn add(&mut self, base: &'s str, schema: &'s Value, budget: usize) {
        self.parts.push((base, schema));
        let Some(budget) = budget.checked_sub(1) else { return };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let (urn, pointer) = reference.split_once('#').unwrap_or((reference, ""));
            let urn = if urn.is_empty() { base } else { urn };
            if let Some(target) = self.registry.0.get(urn).and_then(|document| document.pointer(pointer)) {
                self.add(urn, target, budget);
            }
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.add(base, part, budget);
        }
    }

    fn objects(
        &self,
        keyword: &'static str,
    ) -> impl Iterator<Item = (&'s str, &'s serde_json::Map<String, Value>)> {
        self.parts.iter().filter_map(move |(base, part)| Some((*base, part.get(keyword)?.as_object()?)))
    }

    /// The field `name` of this object, if the schema knows it.
    pub(super) fn field(&self, name: &str) -> Option<Shape<'s>> {
        let mut field = Shape { registry: self.registry, parts: Vec::new() };
        for (base, properties) in self.objects("properties") {
            if let Some(schema) = properties.get(name) {
                field.add(base, schema, MAX_REFERENCES);
            }
        }
        if field.parts.is_empty() {
            for (base, part) in &self.parts {
                if let Some(schema) = part.get("additionalProperties").filter(|schema| schema.is_object()) {
                    field.add(base, schema, MAX_REFERENCES);
                }
            }
        }
        (!field.parts.is_empty()).then_some(field)
    }

    /// Names of the fields of this object.
    pub(super) fn fields(&self) -> Vec<&'s str> {
        self.objects("properties").flat_map(|(_, properties)| properties.keys().map(String::as_str)).collect()
    }

    /// Whether this is an object with fields of its own.
    pub(super) fn is_object(&self) -> bool {
        self.objects("properties").next().is_some()
    }

    /// A field that must be there and is not among `present`; of alternatives, what the
    /// one that was begun lacks.
    pub(super) fn lacks(&self, present: &[&str]) -> Option<Vec<&'s str>> {
        for (_, part) in &self.parts {
            if let Some(name) = required(part).find(|name| !present.contains(name)) {
                return Some(vec![name]);
            }
            let Some(branches) = part.get("anyOf").and_then(Value::as_array) else { continue };
            let lacking =
                |branch| required(branch).filter(|name| !present.contains(name)).collect::<Vec<_>>();
            if branches.iter().any(|branch| lacking(branch).is_empty()) {
                continue;
            }
            let begun = |branch: &&Value| required(branch).filter(|name| present.contains(name)).count();
            if let Some(branch) = branches.iter().rev().max_by_key(begun) {
                return Some(lacking(branch));
            }
        }
        None
    }

    /// Whether a value of this kind can stand here, as far as the schema tells.
    pub(super) fn takes(&self, kind: JsonKind) -> bool {
        let fits = |name: &str| match kind {
            JsonKind::Text => name == "string",
            JsonKind::Integer => name == "integer" || name == "number",
            JsonKind::Flag => name == "boolean",
        };
        let listed = |value: &Value| match kind {
            JsonKind::Text => value.is_string(),
            JsonKind::Integer => value.is_i64(),
            JsonKind::Flag => value.is_boolean(),
        };
        self.parts.iter().all(|(_, part)| {
            part.get("type").and_then(Value::as_str).is_none_or(fits)
                && part.get("enum").and_then(Value::as_array).is_none_or(|all| all.iter().any(listed))
        })
    }

    /// The list of values that `value` should have been one of, if there is one and it is not.
    pub(super) fn excludes(&self, value: &Value) -> Option<Vec<String>> {
        let lists = self.parts.iter().filter_map(|(_, part)| part.get("enum")?.as_array());
        lists.filter(|list| !list.contains(value)).map(|list| list.iter().map(words).collect()).next()
    }

    /// Whether a fixed `value` has the type asked for here.
    pub(super) fn has_type_of(&self, value: &Value) -> bool {
        match value {
            Value::String(_) => self.takes(JsonKind::Text),
            Value::Bool(_) => self.takes(JsonKind::Flag),
            Value::Number(_) => self.takes(JsonKind::Integer),
            Value::Array(_) => {
                self.parts.iter().any(|(_, part)| part.get("type").and_then(Value::as_str) == Some("array"))
            }
            Value::Null | Value::Object(_) => false,
        }
    }
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
