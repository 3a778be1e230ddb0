//! On which lines of the configuration the settings stand that name other files.

use serde::Deserialize;
use toml::Spanned;

/// The lines, counted from one.
#[derive(Debug, Default)]
pub struct Places {
    /// Of `doelen`; none when the file leaves it at its default.
    pub purposes: Option<usize>,
    /// Of the `mapping` of every connection, in the order of the file.
    pub mappings: Vec<usize>,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    opslag: Storage,
    #[serde(default)]
    koppelingen: Vec<Connection>,
}

#[derive(Default, Deserialize)]
struct Storage {
    doelen: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Connection {
    mapping: Spanned<String>,
}

impl Places {
    /// Finds them in the text of a configuration; nothing in a text that is none.
    pub fn find(text: &str) -> Self {
        let Ok(whole) = toml::from_str::<Whole>(text) else { return Self::default() };
        let line = |value: &Spanned<String>| super::mistake::line(text, value.span().start);
        Self {
            purposes: whole.opslag.doelen.as_ref().map(line),
            mappings: whole.koppelingen.iter().map(|one| line(&one.mapping)).collect(),
        }
    }
}
