//! The part of a mapping that says what the file looks like around the rows.

use std::collections::BTreeMap;

use super::fields::column_index;
use super::script::{MappingError, Section, known};
use crate::convert::{self, Converter, JsonKind};
use crate::format::encoding::Encoding;

/// Most lines above the header that a mapping may allow: an export has a title, not a chapter.
const MAX_TITLE_LINES: usize = 50;

/// Delimiters by the name a mapping may use for them.
const DELIMITERS: [(&str, u8); 5] = [(";", b';'), (",", b','), ("tab", b'\t'), ("\t", b'\t'), ("|", b'|')];

/// What the file looks like.
#[derive(Debug)]
pub(crate) struct FileRules {
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: u8,
    /// Lines above the header, at most.
    pub(crate) title_lines: usize,
    /// Values in those lines.
    pub(crate) titles: Vec<TitleRule>,
    pub(crate) skip_blank: bool,
    pub(crate) total: Option<TotalRule>,
}

/// A value that stands above the table, after fixed words.
#[derive(Debug)]
pub(crate) struct TitleRule {
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) converter: Converter,
}

/// The line that adds up: not a row, but a check on the rows. Columns are indexes in the mapping's columns.
#[derive(Debug)]
pub(crate) struct TotalRule {
    pub(crate) column: usize,
    /// Folded text that marks the line.
    pub(crate) text: String,
    pub(crate) count: Option<usize>,
    pub(crate) sum: Option<usize>,
}

impl FileRules {
    pub(super) fn read(
        mut section: Section<'_>,
        columns: &mut Vec<String>,
    ) -> Result<FileRules, MappingError> {
        let format = section.text("formaat")?;
        if format.value != "csv" {
            let problem = format!("onbekend formaat `{}`", format.value);
            return Err(section.script.error(format.at, problem, known(&["csv"])));
        }
        let rules = FileRules {
            encoding: encoding(&mut section)?,
            delimiter: delimiter(&mut section)?,
            title_lines: section.count("titelregels", MAX_TITLE_LINES, 0)?,
            titles: titles(&mut section)?,
            skip_blank: section.flag("lege_regels_overslaan", false)?,
            total: section.optional_section("totaal")?.map(|table| total(table, columns)).transpose()?,
        };
        section.finish()?;
        Ok(rules)
    }

    /// Index and kind of each value above the table, by name.
    pub(super) fn title_kinds(&self) -> BTreeMap<String, (usize, JsonKind)> {
        let kinds = self.titles.iter().enumerate();
        kinds.map(|(index, rule)| (rule.name.clone(), (index, rule.converter.json_kind()))).collect()
    }
}

fn encoding(section: &mut Section<'_>) -> Result<Encoding, MappingError> {
    let name = section.text("codering")?;
    Encoding::by_name(name.value).ok_or_else(|| {
        let problem = format!("onbekende codering `{}`", name.value);
        section.script.error(name.at, problem, known(&Encoding::ALL.map(Encoding::name)))
    })
}

fn delimiter(section: &mut Section<'_>) -> Result<u8, MappingError> {
    let Some(found) = section.value("scheidingsteken") else {
        return Err(section.missing("scheidingsteken"));
    };
    let text = found.value.get_ref().as_str().unwrap_or_default();
    let known = DELIMITERS.iter().find(|(name, _)| *name == text);
    known
        .map(|(_, byte)| *byte)
        .ok_or_else(|| section.wrong_type("scheidingsteken", found.at, "\";\", \",\", \"|\" of \"tab\""))
}

fn titles(section: &mut Section<'_>) -> Result<Vec<TitleRule>, MappingError> {
    let Some(mut titles) = section.optional_section("titel")? else { return Ok(Vec::new()) };
    let mut rules = Vec::new();
    for key in titles.keys() {
        let Some(mut title) = titles.optional_section(key.value)? else { continue };
        let prefix = title.text("begint_met")?.value.trim().to_owned();
        let name = title.text("als")?;
        let converter = convert::NAMES.iter().find(|(known, _)| *known == name.value);
        let Some((_, converter)) = converter else {
            let names: Vec<_> = convert::NAMES.iter().map(|(name, _)| *name).collect();
            let problem = format!("onbekende omzetter `{}`", name.value);
            return Err(title.script.error(name.at, problem, known(&names)));
        };
        title.finish()?;
        rules.push(TitleRule { name: key.value.to_owned(), prefix, converter: converter.clone() });
    }
    Ok(rules)
}

fn total(mut section: Section<'_>, columns: &mut Vec<String>) -> Result<TotalRule, MappingError> {
    let column = section.text("kolom")?.value;
    let text = convert::fold(section.text("tekst")?.value);
    let count = section.optional_text("aantal_in")?;
    let sum = section.optional_text("som_van")?;
    section.finish()?;
    Ok(TotalRule {
        column: column_index(columns, column),
        text,
        count: count.map(|name| column_index(columns, name.value)),
        sum: sum.map(|name| column_index(columns, name.value)),
    })
}
