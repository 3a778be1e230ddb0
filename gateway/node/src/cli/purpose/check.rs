//! `schakel doel toets`.

use std::{
    fs::File,
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use exchange::{
    organisation::OrganisationKind,
    purpose::{Purpose, Rule},
};
use schemas::Document;

use super::{Place, WIDTH};
use crate::{
    cli::{Ending, Output},
    drop_folders,
    purposes::check::{Checked, Offered, Outcome, Read, Sides},
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
        let sides = Sides { own: library.own_kind, from: self.van, to: self.naar };
        let checked = Checked::new(purpose, rule, document, sides.pairs(rule)?);
        tell::tell(&checked, output);
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
