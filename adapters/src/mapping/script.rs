//! The text of a mapping file, read key by key, so that every complaint has a line and a remedy.

use std::borrow::Cow;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why a mapping file cannot be used. Dutch; the file holds configuration, so keys and values may be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mapping {name}, regel {line}: {problem}. {remedy}")]
pub struct MappingError {
    /// The name the mapping was given, such as its file name.
    pub name: String,
    /// Line in the mapping file, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// The whole file: turns places into line numbers.
#[derive(Clone, Copy)]
pub(super) struct Script<'t> {
    pub(super) name: &'t str,
    pub(super) text: &'t str,
}

impl Script<'_> {
    pub(super) fn error(
        &self,
        at: usize,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> MappingError {
        let before = self.text.get(..at).unwrap_or(self.text);
        MappingError {
            name: self.name.to_owned(),
            line: 1 + before.matches('\n').count(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Located<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

/// One table of the file. Keys that nobody asked for are refused by [`Section::finish`].
pub(super) struct Section<'t> {
    pub(super) script: Script<'t>,
    /// Dotted name of the table; empty for the file itself.
    pub(super) path: String,
    pub(super) at: usize,
    table: &'t DeTable<'t>,
    asked: Vec<String>,
}

impl<'t> Section<'t> {
    pub(super) fn new(script: Script<'t>, path: String, at: usize, table: &'t DeTable<'t>) -> Section<'t> {
        Section { script, path, at, table, asked: Vec::new() }
    }

    /// The full name of `key` in this table.
    pub(super) fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// All keys in the order of the file, with their places.
    pub(super) fn keys(&self) -> Vec<Located<&'t str>> {
        let mut keys: Vec<_> = self
            .table
            .iter()
            .map(|(key, _)| Located { at: key.span().start, value: key.get_ref().as_ref() })
            .collect();
        keys.sort_by_key(|key| key.at);
        keys
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The raw value under `key`, at the place of the key.
    pub(super) fn value(&mut self, key: &str) -> Option<Located<&'t Spanned<DeValue<'t>>>> {
        self.asked.push(key.to_owned());
        let (name, value) = self.table.get_key_value(key)?;
        Some(Located { at: name.span().start, value })
    }

    pub(super) fn optional_text(&mut self, key: &str) -> Result<Option<Located<&'t str>>, MappingError> {
        let Some(found) = self.value(key) else { return Ok(None) };
        match found.value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => {
                Ok(Some(Located { at: found.at, value: text.as_ref() }))
            }
            _ => Err(self.wrong_type(key, found.at, "tekst tussen aanhalingstekens die niet leeg is")),
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Located<&'t str>, MappingError> {
        self.optional_text(key)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool, MappingError> {
        let Some(found) = self.value(key) else { return Ok(default) };
        match found.value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong_type(key, found.at, "true of false")),
        }
    }

    /// A whole number from 0 up to `highest`.
    pub(super) fn count(&mut self, key: &str, highest: usize, default: usize) -> Result<usize, MappingError> {
        let Some(found) = self.value(key) else { return Ok(default) };
        match plain(found.value.get_ref()).and_then(|value| usize::try_from(value.as_u64()?).ok()) {
            Some(count) if count <= highest => Ok(count),
            _ => Err(self.wrong_type(key, found.at, &format!("een getal van 0 tot en met {highest}"))),
        }
    }

    pub(super) fn optional_section(&mut self, key: &str) -> Result<Option<Section<'t>>, MappingError> {
        let Some(found) = self.value(key) else { return Ok(None) };
        match found.value.get_ref() {
            DeValue::Table(table) => Ok(Some(Section::new(self.script, self.full(key), found.at, table))),
            _ => Err(self.wrong_type(key, found.at, &format!("een tabel: [{}]", self.full(key)))),
        }
    }

    pub(super) fn section(&mut self, key: &str) -> Result<Section<'t>, MappingError> {
        self.optional_section(key)?.ok_or_else(|| self.missing(key))
    }

    /// Refuses keys that nobody asked for: a misspelt option must not be an option that silently does nothing.
    pub(super) fn finish(self) -> Result<(), MappingError> {
        let unknown = self.keys().into_iter().find(|key| !self.asked.iter().any(|asked| asked == key.value));
        let Some(unknown) = unknown else { return Ok(()) };
        let full = self.full(unknown.value);
        Err(self.script.error(unknown.at, format!("onbekende sleutel `{full}`"), known(&self.asked)))
    }

    pub(super) fn missing(&self, key: &str) -> MappingError {
        let place = if self.path.is_empty() { "het bestand".to_owned() } else { format!("[{}]", self.path) };
        self.script.error(
            self.at,
            format!("in {place} ontbreekt `{key}`"),
            "Voeg deze sleutel toe; zie adapters/README.md.",
        )
    }

    pub(super) fn wrong_type(&self, key: &str, at: usize, expected: &str) -> MappingError {
        let full = self.full(key);
        self.script.error(
            at,
            format!("`{full}` heeft een waarde die hier niet kan"),
            format!("Verwacht: {expected}."),
        )
    }
}

/// "Known are ..." for an error about a key or name.
pub(super) fn known<T: AsRef<str>>(names: &[T]) -> String {
    let mut names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("Bekend zijn: {}.", names.join(", "))
}

/// The JSON value of a simple TOML value, or of a list of those.
pub(super) fn plain(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::String(Cow::clone(text).into_owned())),
        DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from)
        }
        DeValue::Array(items) => {
            items.iter().map(|item| plain(item.get_ref())).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}
