//! The part of a mapping that says where each field of the message comes from.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::script::{Located, MappingError, Section, known, plain};
use super::shape::Shape;
use crate::convert::{self, CodeTable, CodeTableError, Converted, Converter, JsonKind};

/// Objects within objects. The schemas go four deep; more is a mistake in the mapping file.
const MAX_DEPTH: usize = 16;

/// A place in the message and what fills it.
#[derive(Debug)]
pub(crate) enum Node {
    /// An object with members in the order of the mapping file.
    Object(Vec<Member>),
    /// The same in every message: compact JSON.
    Fixed(String),
    /// Read from each row.
    Field(Field),
}

/// A named place in an object.
#[derive(Debug)]
pub(crate) struct Member {
    /// The name as it is written in JSON, with quotes and colon.
    pub(crate) key: String,
    pub(crate) node: Node,
}

/// A field that is read from the file.
#[derive(Debug)]
pub(crate) struct Field {
    /// JSON pointer (RFC 6901) in the message.
    pub(crate) pointer: String,
    pub(crate) source: Source,
}

/// Where a value is read.
#[derive(Debug)]
pub(crate) enum Source {
    /// One column.
    Cell(Cell),
    /// True if every one of these is.
    AllOf(Vec<Cell>),
    /// A value from the lines above the table: index in [`super::FileRules::titles`].
    Title(usize),
}

/// How one column is read.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Index in [`super::Mapping::columns`].
    pub(crate) column: usize,
    pub(crate) converter: Converter,
    pub(crate) when_empty: WhenEmpty,
    /// A character that in this column can only be what is left of a lost one.
    pub(crate) lost: Option<char>,
}

/// What an empty cell means.
#[derive(Debug)]
pub(crate) enum WhenEmpty {
    /// A mistake in the row.
    Refuse,
    /// The field is left out of the message.
    Omit,
    /// This value.
    Value(Converted<'static>),
}

/// Collects the fields and, along the way, the columns they need.
pub(super) struct Compiler<'m> {
    pub(super) columns: &'m mut Vec<String>,
    /// Names and kinds of the values above the table.
    pub(super) titles: &'m BTreeMap<String, (usize, JsonKind)>,
}

impl Compiler<'_> {
    /// The members of the object `section` describes. `skip` names keys of the file that are not fields.
    pub(super) fn object(
        &mut self,
        mut section: Section<'_>,
        shape: &Shape<'_>,
        skip: &[&str],
        depth: usize,
    ) -> Result<Vec<Member>, MappingError> {
        let keys: Vec<_> = section.keys().into_iter().filter(|key| !skip.contains(&key.value)).collect();
        let mut members = Vec::with_capacity(keys.len());
        for key in &keys {
            let Some(field) = shape.field(key.value) else {
                let problem = format!("het bericht heeft geen veld `{}`", section.full(key.value));
                return Err(section.script.error(key.at, problem, known(&shape.fields())));
            };
            let node = self.member(&mut section, key.value, &field, depth)?;
            members.push(Member { key: format!("{}:", Value::from(key.value)), node });
        }
        let present: Vec<_> = keys.iter().map(|key| key.value).collect();
        if let Some(lacking) = shape.lacks(&present) {
            let names: Vec<_> = lacking.iter().map(|name| format!("`{}`", section.full(name))).collect();
            let problem = format!("het bericht heeft {} nodig", names.join(", "));
            return Err(section.script.error(
                section.at,
                problem,
                "Zeg in de mapping waar dit vandaan komt.",
            ));
        }
        Ok(members)
    }

    fn member(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
        shape: &Shape<'_>,
        depth: usize,
    ) -> Result<Node, MappingError> {
        let Some(found) = section.value(key) else { return Err(section.missing(key)) };
        match found.value.get_ref() {
            DeValue::Table(table) => {
                let inner = Section::new(section.script, section.full(key), found.at, table);
                if !shape.is_object() {
                    return self.field(inner, shape).map(Node::Field);
                }
                let Some(depth) = depth.checked_sub(1) else {
                    return Err(section.wrong_type(key, found.at, "minder diepe tabellen"));
                };
                self.object(inner, shape, &[], depth).map(Node::Object)
            }
            value => fixed(section, key, Located { at: found.at, value }, shape),
        }
    }

    /// A field with its source: `kolom`, `alle` or `titel`.
    fn field(&mut self, mut section: Section<'_>, shape: &Shape<'_>) -> Result<Field, MappingError> {
        let pointer = format!("/{}", section.path.replace('.', "/"));
        let at = section.at;
        let (source, kind) = if section.has("titel") {
            self.title(&mut section)?
        } else if section.has("alle") {
            (Source::AllOf(self.all_of(&mut section)?), JsonKind::Flag)
        } else {
            let cell = self.cell(&mut section)?;
            let kind = cell.converter.json_kind();
            check_codes(&section, &cell.converter, shape)?;
            (Source::Cell(cell), kind)
        };
        if !shape.takes(kind) {
            let problem = format!("`{}` krijgt een waarde van het verkeerde soort", section.path);
            return Err(section.script.error(
                at,
                problem,
                "Kies bij `als` een omzetter die bij dit veld past.",
            ));
        }
        section.finish()?;
        Ok(Field { pointer, source })
    }

    fn title(&self, section: &mut Section<'_>) -> Result<(Source, JsonKind), MappingError> {
        let name = section.text("titel")?;
        let Some((index, kind)) = self.titles.get(name.value) else {
            let problem = format!("er is geen [bestand.titel.{}]", name.value);
            let names: Vec<_> = self.titles.keys().collect();
            return Err(section.script.error(name.at, problem, known(&names)));
        };
        Ok((Source::Title(*index), *kind))
    }

    fn all_of(&mut self, section: &mut Section<'_>) -> Result<Vec<Cell>, MappingError> {
        let expected = "een lijst van tabellen: [{ kolom = \"...\", als = \"ja-nee\" }, ...]";
        let Some(found) = section.value("alle") else { return Err(section.missing("alle")) };
        let wrong = || section.wrong_type("alle", found.at, expected);
        let DeValue::Array(parts) = found.value.get_ref() else { return Err(wrong()) };
        let tables = parts.iter().map(|part| match part.get_ref() {
            DeValue::Table(table) => Some((part.span().start, table)),
            _ => None,
        });
        let tables: Vec<_> = tables.collect::<Option<_>>().ok_or_else(wrong)?;
        if tables.is_empty() {
            return Err(wrong());
        }
        tables.into_iter().map(|(at, table)| self.part(section, at, table)).collect()
    }

    fn part(&mut self, section: &Section<'_>, at: usize, table: &DeTable<'_>) -> Result<Cell, MappingError> {
        let mut part = Section::new(section.script, section.full("alle"), at, table);
        let cell = self.cell(&mut part)?;
        let fits =
            cell.converter.json_kind() == JsonKind::Flag && !matches!(cell.when_empty, WhenEmpty::Omit);
        if !fits {
            let remedy = "Gebruik in `alle` omzetters die ja of nee geven, zonder `optioneel`.";
            return Err(part.script.error(at, "dit onderdeel van `alle` geeft geen ja of nee", remedy));
        }
        part.finish()?;
        Ok(cell)
    }

    /// One column: `kolom`, `als` or `codes`, and what an empty cell means.
    fn cell(&mut self, section: &mut Section<'_>) -> Result<Cell, MappingError> {
        let column = section.text("kolom")?.value;
        let converter = converter(section)?;
        let when_empty = when_empty(section, &converter)?;
        let lost = match section.optional_text("verloren_teken")? {
            None => None,
            Some(text) => match (text.value.chars().next(), &converter) {
                (Some(lost), Converter::Text) if text.value.chars().count() == 1 => Some(lost),
                _ => {
                    return Err(section.wrong_type(
                        "verloren_teken",
                        text.at,
                        "één teken, bij een tekstveld",
                    ));
                }
            },
        };
        Ok(Cell { column: column_index(self.columns, column), converter, when_empty, lost })
    }
}

/// The place of `column` among the columns the mapping uses, adding it when it is new.
pub(super) fn column_index(columns: &mut Vec<String>, column: &str) -> usize {
    let name = convert::fold(column);
    columns.iter().position(|known| convert::fold(known) == name).unwrap_or_else(|| {
        columns.push(column.trim().to_owned());
        columns.len() - 1
    })
}

/// The members at the top of the message, `depth` objects deep at most.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    section: Section<'_>,
    shape: &Shape<'_>,
    skip: &[&str],
) -> Result<Vec<Member>, MappingError> {
    compiler.object(section, shape, skip, MAX_DEPTH)
}

fn converter(section: &mut Section<'_>) -> Result<Converter, MappingError> {
    if let Some(codes) = section.optional_section("codes")? {
        if section.has("als") {
            let remedy = "Kies een van beide: met `codes` staat vast wat elke waarde betekent.";
            return Err(section.script.error(codes.at, "`als` en `codes` staan samen bij een veld", remedy));
        }
        return code_table(codes).map(Converter::Codes);
    }
    let name = section.text("als")?;
    let found = convert::NAMES.iter().find(|(known, _)| *known == name.value);
    found.map(|(_, converter)| converter.clone()).ok_or_else(|| {
        let names: Vec<_> = convert::NAMES.iter().map(|(name, _)| *name).collect();
        section.script.error(name.at, format!("onbekende omzetter `{}`", name.value), known(&names))
    })
}

fn code_table(mut section: Section<'_>) -> Result<CodeTable, MappingError> {
    let mut codes = Vec::new();
    for key in section.keys() {
        let Some(found) = section.value(key.value) else { continue };
        let meaning = plain(found.value.get_ref()).and_then(|value| meaning(&value));
        let Some(meaning) = meaning else {
            return Err(section.wrong_type(key.value, key.at, "true, false, tekst of een geheel getal"));
        };
        if key.value.trim().is_empty() {
            let remedy = "Zeg met `leeg = ...` wat een lege cel betekent.";
            return Err(section.script.error(key.at, "een lege waarde in `codes`", remedy));
        }
        codes.push((key.value.to_owned(), meaning));
    }
    CodeTable::new(codes).map_err(|error| {
        let problem = match error {
            CodeTableError::Empty => "`codes` is leeg",
            CodeTableError::MixedKinds => "de waarden in `codes` zijn niet van één soort",
            CodeTableError::Twice => "een waarde staat tweemaal in `codes` (hoofdletters tellen niet)",
        };
        section.script.error(section.at, problem, "Schrijf bijvoorbeeld codes = { \"bezwaar\" = false }.")
    })
}

fn meaning(value: &Value) -> Option<Converted<'static>> {
    match value {
        Value::String(text) => Some(Converted::Text(text.clone().into())),
        Value::Bool(flag) => Some(Converted::Flag(*flag)),
        Value::Number(number) => number.as_i64().map(Converted::Integer),
        _ => None,
    }
}

fn when_empty(section: &mut Section<'_>, converter: &Converter) -> Result<WhenEmpty, MappingError> {
    let optional = section.flag("optioneel", false)?;
    let Some(found) = section.value("leeg") else {
        let natural = converter.when_empty().map_or(WhenEmpty::Refuse, WhenEmpty::Value);
        return Ok(if optional { WhenEmpty::Omit } else { natural });
    };
    if optional {
        let remedy = "Kies een van beide: weglaten of een vaste waarde.";
        return Err(section.script.error(found.at, "`leeg` en `optioneel` staan samen bij een veld", remedy));
    }
    match plain(found.value.get_ref()).and_then(|value| meaning(&value)) {
        Some(value) if value.json_kind() == converter.json_kind() => Ok(WhenEmpty::Value(value)),
        _ => {
            Err(section.wrong_type("leeg", found.at, "een waarde van hetzelfde soort als de omzetter geeft"))
        }
    }
}

/// A value that is the same in every message.
fn fixed(
    section: &Section<'_>,
    key: &str,
    found: Located<&DeValue<'_>>,
    shape: &Shape<'_>,
) -> Result<Node, MappingError> {
    let value = plain(found.value).filter(|value| !shape.is_object() && shape.has_type_of(value));
    let Some(value) = value else {
        let expected = "een vaste waarde van het juiste soort, of een tabel met `kolom`, `alle` of `titel`";
        return Err(section.wrong_type(key, found.at, expected));
    };
    if let Some(allowed) = shape.excludes(&value) {
        let problem = format!("`{}` kan deze vaste waarde niet hebben", section.full(key));
        return Err(section.script.error(found.at, problem, known(&allowed)));
    }
    Ok(Node::Fixed(value.to_string()))
}

/// Every meaning in a code table must be one the message allows.
fn check_codes(section: &Section<'_>, converter: &Converter, shape: &Shape<'_>) -> Result<(), MappingError> {
    let Converter::Codes(table) = converter else { return Ok(()) };
    for meaning in table.meanings() {
        let Converted::Text(text) = meaning else { continue };
        if let Some(allowed) = shape.excludes(&Value::from(text.as_ref())) {
            let problem = format!("`{}` kan een van de waarden in `codes` niet hebben", section.path);
            return Err(section.script.error(section.at, problem, known(&allowed)));
        }
    }
    Ok(())
}
