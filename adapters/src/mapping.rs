//! A mapping: how the files of one source become messages of one type. Declarative TOML, checked whole when it is
//! loaded, so that a mistake is found when it is written and not at the first row that meets it.
//!
//! `adapters/README.md` explains the file by example.

mod fields;
mod file_rules;
mod script;
mod shape;

use schemas::SchemaName;
use toml::de::DeTable;

pub use script::MappingError;

pub(crate) use fields::{Cell, Field, Member, Node, Source, WhenEmpty};
pub(crate) use file_rules::{FileRules, TotalRule};

use fields::Compiler;
use script::{Script, Section, known};
use shape::Registry;

/// Largest mapping file in bytes; one with a comment on every line is a tenth of this.
const MAX_BYTES: usize = 256 * 1024;
/// Keys at the top of the file that are not part of the message.
const OWN_KEYS: [&str; 4] = ["naam", "omschrijving", "bericht", "bestand"];

/// How the files of one source become messages.
#[derive(Debug)]
pub struct Mapping {
    name: String,
    purpose: String,
    message_type: String,
    schema: SchemaName,
    recipient: Option<String>,
    desk: Option<String>,
    file: FileRules,
    columns: Vec<String>,
    fields: Vec<Member>,
}

impl Mapping {
    /// Reads and checks the mapping in `toml`. `name` is what errors call it, such as its file name.
    pub fn parse(toml: &str, name: &str) -> Result<Mapping, MappingError> {
        let script = Script { name, text: toml };
        if toml.len() > MAX_BYTES {
            return Err(script.error(
                0,
                "het bestand is te groot voor een mapping",
                "Geef het juiste bestand op.",
            ));
        }
        let table = DeTable::parse(toml).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let problem = format!("hier klopt de TOML niet ({})", error.message().replace('\n', ", "));
            script.error(at, problem, "Vergelijk de regel met de voorbeelden in adapters/README.md.")
        })?;
        Mapping::read(Section::new(script, String::new(), 0, table.get_ref()))
    }

    fn read(mut root: Section<'_>) -> Result<Mapping, MappingError> {
        let name = root.text("naam")?.value.to_owned();
        root.optional_text("omschrijving")?;
        let target = Target::read(root.section("bericht")?)?;
        let mut columns = Vec::new();
        let file = FileRules::read(root.section("bestand")?, &mut columns)?;
        let registry = Registry::load();
        let Some(shape) = registry.shape(target.schema) else {
            return Err(root.script.error(
                0,
                "er is geen schema voor dit berichttype",
                "Meld dit bij de beheerder.",
            ));
        };
        let titles = file.title_kinds();
        let mut compiler = Compiler { columns: &mut columns, titles: &titles };
        let fields = fields::compile(&mut compiler, root, &shape, &OWN_KEYS)?;
        let Target { purpose, message_type, schema, recipient, desk } = target;
        Ok(Mapping { name, purpose, message_type, schema, recipient, desk, file, columns, fields })
    }

    /// The purpose (`doel`) the messages are sent for.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The CloudEvents type of the messages.
    pub fn message_type(&self) -> &str {
        &self.message_type
    }

    /// The OIN of the organisation the messages are for; `None` leaves it to whoever offers the file.
    pub fn recipient(&self) -> Option<&str> {
        self.recipient.as_deref()
    }

    /// The desk (`loket`) at the recipient.
    pub fn desk(&self) -> Option<&str> {
        self.desk.as_deref()
    }

    /// The name in the mapping file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The schema of the messages.
    pub fn schema(&self) -> SchemaName {
        self.schema
    }

    pub(crate) fn file(&self) -> &FileRules {
        &self.file
    }

    /// The columns a file must have, as the mapping spells them.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn fields(&self) -> &[Member] {
        &self.fields
    }

    /// The field that fills the place `pointer` in the message, or a place within it.
    pub(crate) fn field_at(&self, pointer: &str) -> Option<&Field> {
        fn search<'n>(members: &'n [Member], pointer: &str) -> Option<&'n Field> {
            members.iter().find_map(|member| match &member.node {
                Node::Object(inner) => search(inner, pointer),
                Node::Field(field) if field.pointer == pointer => Some(field),
                Node::Field(_) | Node::Fixed(_) => None,
            })
        }
        search(&self.fields, pointer)
    }
}

/// What the messages are and who they are for: the section `[bericht]`.
struct Target {
    purpose: String,
    message_type: String,
    schema: SchemaName,
    recipient: Option<String>,
    desk: Option<String>,
}

impl Target {
    fn read(mut section: Section<'_>) -> Result<Target, MappingError> {
        let purpose = section.text("doel")?.value.to_owned();
        let message_type = section.text("type")?;
        let Some(schema) = SchemaName::of_message_type(message_type.value) else {
            let types: Vec<_> = schemas::all().filter_map(SchemaName::message_type).collect();
            let problem = format!("onbekend berichttype `{}`", message_type.value);
            return Err(section.script.error(message_type.at, problem, known(&types)));
        };
        let recipient = section.optional_text("ontvanger")?;
        if let Some(oin) = recipient.filter(|oin| !schemas::oin::is_valid(oin.value)) {
            return Err(section.wrong_type("ontvanger", oin.at, "een OIN van 20 tekens"));
        }
        let desk = section.optional_text("loket")?.map(|desk| desk.value.to_owned());
        section.finish()?;
        Ok(Target {
            purpose,
            message_type: message_type.value.to_owned(),
            schema,
            recipient: recipient.map(|oin| oin.value.to_owned()),
            desk,
        })
    }
}

#[cfg(test)]
mod tests;
