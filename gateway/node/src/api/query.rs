//! The query of a request: known keys, each once.

use std::{fmt::Write as _, str::FromStr};

use super::{limits, problem::Problem};

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads it; only these keys may be in it.
    pub(super) fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let text = text.unwrap_or_default();
        if text.len() > limits::QUERY {
            return Err(Problem::unreadable("De vraag in het adres is te lang."));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            if !known.contains(&key.as_ref()) {
                // Never which: it could be anything, and this is read by others than who asked.
                let known = if known.is_empty() { "geen".to_owned() } else { known.join(", ") };
                return Err(Problem::unreadable(format!(
                    "In het adres staat een vraag die hier niet kan. Wel kan: {known}."
                )));
            }
            if pairs.iter().any(|(earlier, _)| *earlier == key) {
                return Err(Problem::unreadable(format!("`{key}` staat twee keer in het adres.")));
            }
            pairs.push((key.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// The text of a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value of a key, which must look like `expected`.
    pub(super) fn value<T: FromStr>(&self, key: &str, expected: &str) -> Result<Option<T>, Problem> {
        let read = |text: &str| {
            text.parse()
                .map_err(|_| Problem::unreadable(format!("`{key}` klopt niet; verwacht: {expected}.")))
        };
        self.text(key).map(read).transpose()
    }

    /// How many rows to give.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.value("limiet", &format!("een getal van 1 tot en met {}", limits::PAGE))?;
        match limit.unwrap_or(limits::USUAL_PAGE) {
            limit if (1..=limits::PAGE).contains(&limit) => Ok(limit),
            _ => {
                Err(Problem::unreadable(format!("`limiet` is een getal van 1 tot en met {}.", limits::PAGE)))
            }
        }
    }

    /// All but where to go on, in the order of the keys: what a cursor belongs to.
    pub(super) fn shape(&self) -> String {
        let mut pairs: Vec<_> = self.0.iter().filter(|(key, _)| key != "cursor" && key != "limiet").collect();
        pairs.sort();
        let mut shape = String::new();
        for (key, value) in pairs {
            let _ = write!(shape, "{}:{key}{}:{value}", key.len(), value.len());
        }
        shape
    }
}
