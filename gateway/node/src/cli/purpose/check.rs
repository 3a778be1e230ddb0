//! `schakel doel toets`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use exchange::{
    organisation::OrganisationKind,
    policy::{self, Allowance, Obstacle},
    purpose::{OnExcess, Purpose, Rule},
    refusal::Refusal,
};
use schemas::{BasisKind, Category, Document, Field, ParseError, SchemaName};

use super::{Library, Place, WIDTH, names, rule_of, types};
use crate::{
    cli::{Ending, Output},
    drop_folders,
    wording::{short_type, wrapped},
};

mod tell;

/// The largest file that is read: a message with its envelope, and room for white space.
const MAX_FILE: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Het document.
    bestand: PathBuf,
    /// De naam van het doel; een mapping noemt het zelf.
    #[arg(long, value_name = "NAAM")]
    doel: Option<String>,
    /// De soort van het bericht, zoals signalen.betalingsachterstand; alleen nodig als het doel er meer toelaat.
    #[arg(long)]
    r#type: Option<String>,
    /// De soort organisatie die verstuurt.
    #[arg(long, value_name = "SOORT")]
    van: Option<OrganisationKind>,
    /// De soort organisatie die ontvangt.
    #[arg(long, value_name = "SOORT")]
    naar: Option<OrganisationKind>,
    /// De mapping waarmee het bestand wordt gelezen, als het een export van een bronsysteem is.
    #[arg(long, value_name = "BESTAND")]
    mapping: Option<PathBuf>,
    /// De regel van de export die wordt getoetst; zonder deze optie de eerste die te lezen is.
    #[arg(long, value_name = "NUMMER", requires = "mapping")]
    regel: Option<u64>,
    #[command(flatten)]
    place: Place,
}

/// A document by one rule of a purpose.
struct Checked<'a> {
    purpose: &'a Purpose,
    rule: &'a Rule,
    document: Document,
    /// Who may send it to whom; more than one when it was not said and the purpose allows more.
    pairs: Vec<(OrganisationKind, OrganisationKind)>,
    /// Every field, with what is in its way.
    fields: Vec<(Field, Vec<Obstacle>)>,
    /// Why the message may not go, whatever data it holds.
    refusal: Option<Refusal>,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// As it is.
    Whole,
    /// Without the fields that are in the way: the purpose says to leave them out.
    Without,
    /// Not.
    Not,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "heel",
            Self::Without => "zonder",
            Self::Not => "niet",
        }
    }
}

impl Check {
    pub(super) fn run(self, map: &Path, output: Output) -> anyhow::Result<Ending> {
        let library = self.place.open(map)?;
        let (name, offered) = self.read()?;
        let name = name.context("geef met --doel de naam van het doel; `schakel doel tonen` noemt ze")?;
        let purpose = library.purpose(&name)?;
        let (rule, document) = match offered.document(purpose)? {
            Read::Valid(rule, document) => (rule, document),
            Read::Invalid(rule, error) => return Ok(tell::invalid(purpose, rule, &error, output)),
        };
        let pairs = self.pairs(&library, rule)?;
        let checked = Checked::new(purpose, rule, document, pairs);
        checked.tell(output);
        Ok(if checked.outcome == Outcome::Not { Ending::NotAllGood } else { Ending::Good })
    }

    /// What was offered, and the purpose it names itself.
    fn read(&self) -> anyhow::Result<(Option<String>, Offered)> {
        let named = || format!("{} is niet te lezen", self.bestand.display());
        let file = File::open(&self.bestand).with_context(named)?;
        if let Some(mapping) = &self.mapping {
            let mapping = drop_folders::mapping(mapping)?;
            let document = mapped(&mapping, file, self.regel)?;
            let purpose = self.doel.clone().unwrap_or_else(|| mapping.purpose().to_owned());
            return Ok((Some(purpose), Offered::Document(document)));
        }
        let mut text = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut text).with_context(named)?;
        if text.len() as u64 > MAX_FILE {
            bail!("{} is groter dan 1 MiB; een bericht is hoogstens 64 KiB", self.bestand.display())
        }
        let envelope = serde_json::from_slice::<Envelope<'_>>(&text).ok();
        let (doel, message_type, data) = match envelope {
            Some(envelope) => (Some(envelope.doel), Some(envelope.message_type), envelope.data.get().into()),
            None => (None, None, text),
        };
        let message_type = self.r#type.clone().or(message_type);
        Ok((self.doel.clone().or(doel), Offered::Data { message_type, data }))
    }

    /// Between which kinds it is checked. In a node's folder the sender is that node, where it may send this.
    fn pairs(
        &self,
        library: &Library,
        rule: &Rule,
    ) -> anyhow::Result<Vec<(OrganisationKind, OrganisationKind)>> {
        let own = library.own_kind.filter(|kind| rule.van.contains(kind));
        let chosen =
            |asked: Option<OrganisationKind>, may: &std::collections::BTreeSet<_>, what: &str| match asked {
                Some(kind) if !may.contains(&kind) => {
                    bail!("het doel laat dit bericht niet {what} een {kind} toe; kies uit: {}", names(may))
                }
                Some(kind) => Ok(vec![kind]),
                None => Ok(may.iter().copied().collect()),
            };
        let from = chosen(self.van.or(own), &rule.van, "van")?;
        let to = chosen(self.naar, &rule.naar, "naar")?;
        Ok(from.iter().flat_map(|from| to.iter().map(|to| (*from, *to))).collect())
    }
}

/// What was offered.
enum Offered {
    Document(Document),
    Data { message_type: Option<String>, data: Vec<u8> },
}

/// What was offered, read by a rule of the purpose.
enum Read<'a> {
    Valid(&'a Rule, Document),
    Invalid(&'a Rule, ParseError),
}

impl Offered {
    /// The document with the rule for it. Which rule that is was said, or only one fits.
    fn document(self, purpose: &Purpose) -> anyhow::Result<Read<'_>> {
        let (message_type, data) = match self {
            Self::Document(document) => {
                let message_type = document.schema().message_type().unwrap_or_default();
                return Ok(Read::Valid(rule_of(purpose, message_type)?, document));
            }
            Self::Data { message_type, data } => (message_type, data),
        };
        if let Some(name) = message_type {
            return Read::by(rule_of(purpose, &name)?, &data);
        }
        let rules = purpose.content().berichten.as_slice();
        if let [only] = rules {
            return Read::by(only, &data);
        }
        let read: Vec<Read<'_>> = rules.iter().map(|rule| Read::by(rule, &data)).collect::<Result<_, _>>()?;
        let mut valid = read.into_iter().filter(|one| matches!(one, Read::Valid(..)));
        match (valid.next(), valid.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => bail!(
                "het bestand past bij geen van de berichten van dit doel. Geef met --type welke het moet zijn, dan staat er wat er niet klopt; kies uit: {}",
                types(purpose)
            ),
            _ => bail!(
                "het bestand past bij meer dan één bericht. Geef met --type welke; kies uit: {}",
                types(purpose)
            ),
        }
    }
}

impl<'a> Read<'a> {
    fn by(rule: &'a Rule, data: &[u8]) -> anyhow::Result<Self> {
        let schema = SchemaName::of_message_type(&rule.message_type);
        let schema = schema.with_context(|| format!("er is geen schema voor {}", rule.message_type))?;
        Ok(match Document::parse(schema, data) {
            Ok(document) => Self::Valid(rule, document),
            Err(error) => Self::Invalid(rule, error),
        })
    }
}

/// What counts of a whole message.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    doel: String,
    #[serde(rename = "type")]
    message_type: String,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

/// The document on one line of an export; without a number, the first that can be read.
fn mapped(mapping: &adapters::Mapping, file: File, line: Option<u64>) -> anyhow::Result<Document> {
    for record in adapters::read(mapping, BufReader::new(file))? {
        let record = record?;
        match record.outcome {
            Ok(document) if line.is_none_or(|line| line == record.line) => return Ok(document),
            Err(errors) if line == Some(record.line) => {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                bail!("de regel is niet te lezen: {}", errors.join("; "))
            }
            _ => {}
        }
    }
    match line {
        Some(line) => bail!("het bestand heeft geen gegevens op regel {line}; de eerste regel is de kop"),
        None => bail!("het bestand heeft geen regel die met deze mapping te lezen is"),
    }
}

impl<'a> Checked<'a> {
    fn new(
        purpose: &'a Purpose,
        rule: &'a Rule,
        document: Document,
        pairs: Vec<(OrganisationKind, OrganisationKind)>,
    ) -> Self {
        let allowances: Vec<_> = pairs.iter().map(|(from, to)| Allowance::new(rule, *from, *to)).collect();
        // What stands in the way between any of them stands in the way, until it is said between whom.
        let in_the_way = |field: &Field| {
            let all = allowances.iter().flat_map(|allowance| allowance.obstacles(&field.uses));
            all.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        let fields: Vec<(Field, Vec<Obstacle>)> = document
            .fields()
            .into_iter()
            .map(|field| {
                let obstacles = in_the_way(&field);
                (field, obstacles)
            })
            .collect();
        let refusal = pairs.iter().find_map(|(from, _)| policy::basis(rule, *from, &document).err());
        let clean = fields.iter().all(|(_, obstacles)| obstacles.is_empty());
        let trimmed = || allowances.iter().all(|one| one.trim(&document).is_some());
        let outcome = match () {
            () if refusal.is_some() => Outcome::Not,
            () if clean => Outcome::Whole,
            () if rule.te_veel == OnExcess::Weglaten && trimmed() => Outcome::Without,
            () => Outcome::Not,
        };
        Self { purpose, rule, document, pairs, fields, refusal, outcome }
    }

    fn rests_on_consent(&self) -> bool {
        self.document.basis().kind == BasisKind::Consent
    }

    /// The exceptions in the law by which special data in this field may go.
    fn exceptions(&self, field: &Field) -> Vec<&'a str> {
        let named = |category: &Category| {
            let mut all = self.rule.bijzondere_gegevens.iter();
            all.find(|one| one.categorie == *category).map(|one| one.uitzondering.as_str())
        };
        field.uses.categories.iter().filter(|one| one.is_special()).filter_map(named).collect()
    }

    /// The fields that may not go, by what is in their way.
    fn blocked(&self) -> BTreeMap<&[Obstacle], Vec<&Field>> {
        let mut blocked: BTreeMap<_, Vec<&Field>> = BTreeMap::new();
        for (field, obstacles) in self.fields.iter().filter(|(_, obstacles)| !obstacles.is_empty()) {
            blocked.entry(obstacles.as_slice()).or_default().push(field);
        }
        blocked
    }
}

/// Text below a name, indented, in lines of a page.
fn paragraph(text: &str, indent: usize, output: Output) {
    for line in wrapped(text, WIDTH - indent) {
        output.say(format!("{:indent$}{line}", ""));
    }
}

fn heading(purpose: &Purpose, rule: &Rule, output: Output) {
    let content = purpose.content();
    output.say(format!("Doel     {}, versie {}", content.doel, content.versie));
    output.say(format!("Bericht  {}", short_type(&rule.message_type)));
}
