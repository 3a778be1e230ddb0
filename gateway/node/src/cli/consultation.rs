//! `schakel consultatie`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use exchange::{message::document_of, oin::Oin};
use schemas::SchemaName;
use serde_json::{Value, json};
use store::{Deed, Direction, MessageRow, Reason, Shown};

use super::{
    Ending, Output,
    caller::{Caller, Decider},
    consent::read,
    document,
    messages::line as listing_of,
};
use crate::{
    consultation::{
        self,
        saying::{self, SayError, Saying},
    },
    node::Node,
};

/// Stel een anonieme vraag aan een collega bij een andere organisatie, of beantwoord er een. Er is geen plek voor een persoon.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel consultatie vragen vraag.txt --aan 00000099000000004000 --leefgebied wonen --leefgebied financien\n  schakel consultatie lijst --open\n  schakel consultatie tonen 1041\n  schakel consultatie beantwoorden 1041 antwoord.txt --vervolg overleggen\n\nBlijkt dat u samen verder moet en is daar een grondslag voor, bied dan het dossier van de vraag aan: `schakel document overdracht.json --soort overdracht-aangeboden --dossier DOSSIER`. Zo blijft de verwijzing behouden."
)]
pub(super) struct Consultations {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Stel een vraag. Schrijf geen namen, nummers, adressen of volledige datums op.
    #[command(
        after_help = "Voorbeeld:\n  schakel consultatie vragen vraag.txt --aan 00000099000000004000 --leefgebied wonen\n\nExitcode 1: de vraag mag niet weg, met de reden."
    )]
    Vragen {
        /// Het bestand met de vraag, als tekst; - leest van de standaardinvoer.
        bestand: PathBuf,
        /// Het OIN van wie u het vraagt.
        #[arg(long, value_name = "OIN")]
        aan: Oin,
        /// Het loket daar.
        #[arg(long)]
        loket: Option<String>,
        /// Het leefgebied waar het over gaat; mag vaker.
        #[arg(long, value_name = "LEEFGEBIED", required = true)]
        leefgebied: Vec<String>,
        /// De leeftijdsgroep: 0-11, 12-17, 18-26, 27-66 of 67-en-ouder.
        #[arg(long)]
        leeftijdsgroep: Option<String>,
        /// Het huishouden: alleenstaand, paar-zonder-kinderen, paar-met-kinderen, eenoudergezin of anders.
        #[arg(long)]
        huishouden: Option<String>,
        /// Het doel.
        #[arg(long, default_value = "consultatie")]
        doel: String,
        #[command(flatten)]
        decider: Decider,
    },
    /// Beantwoord een vraag die hier binnenkwam.
    #[command(
        after_help = "Voorbeeld:\n  schakel consultatie beantwoorden 1041 antwoord.txt --vervolg overdracht-aanbieden\n\nExitcode 1: het antwoord mag niet weg, met de reden."
    )]
    Beantwoorden {
        /// Het nummer van het bericht met de vraag.
        nummer: u64,
        /// Het bestand met het antwoord, als tekst; - leest van de standaardinvoer.
        bestand: PathBuf,
        /// Wat de vrager het beste kan doen: zelf-verder, overleggen, overdracht-aanbieden, melden-bij-veilig-thuis of anders.
        #[arg(long)]
        vervolg: Option<String>,
        #[command(flatten)]
        decider: Decider,
    },
    /// Laat zien welke vragen er zijn, hier en bij anderen, en of er een antwoord is. Zonder inhoud.
    #[command(after_help = "Voorbeeld:\n  schakel consultatie lijst --open")]
    Lijst {
        /// Alleen vragen zonder antwoord.
        #[arg(long)]
        open: bool,
        /// Hoeveel vragen, de nieuwste eerst; zonder deze optie 50, hooguit 500.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        aantal: u16,
    },
    /// Lees een vraag en haar antwoord. Dat u dit bekijkt, komt in de raadplegingen.
    #[command(after_help = "Voorbeeld:\n  schakel consultatie tonen 1041")]
    Tonen {
        /// Het nummer van het bericht met de vraag.
        nummer: u64,
        #[command(flatten)]
        caller: Caller,
    },
}

impl Consultations {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Vragen { bestand, aan, loket, leefgebied, leeftijdsgroep, huishouden, doel, decider } => {
                let mut content = json!({ "vraag": text(&bestand)?, "leefgebieden": leefgebied });
                put(&mut content, "leeftijdsgroep", leeftijdsgroep);
                put(&mut content, "huishouden", huishouden);
                let asking = Saying {
                    to: aan,
                    desk: loket,
                    purpose: doel,
                    case: node.core.new_id(),
                    schema: SchemaName::ConsultationAsked,
                    content,
                    source_record: None,
                };
                send(node, asking, decider, output).await
            }
            What::Beantwoorden { nummer, bestand, vervolg, decider } => {
                let question = consultation::asked_here(&node.core, nummer).await?.with_context(|| {
                    format!("bericht {nummer} is geen vraag die hier binnenkwam; `schakel consultatie lijst` laat zien welke er zijn")
                })?;
                let mut content = json!({ "antwoord": text(&bestand)? });
                put(&mut content, "vervolg", vervolg);
                let answer = Saying::answer(&question, content, None);
                send(node, answer.context("deze vraag heeft geen dossier")?, decider, output).await
            }
            What::Lijst { open, aantal } => list(node, (aantal.into(), open), output).await,
            What::Tonen { nummer, caller } => show(node, nummer, &caller, output).await,
        }
    }
}

fn text(file: &std::path::Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read(file)?).ok().context("dit is geen leesbare tekst (UTF-8)")?;
    Ok(text.trim().to_owned())
}

fn put(content: &mut Value, member: &str, value: Option<String>) {
    if let Some(value) = value {
        content[member] = json!(value);
    }
}

async fn send(node: &Node, saying: Saying, decider: Decider, output: Output) -> anyhow::Result<Ending> {
    let (to, purpose, case) = (saying.to, saying.purpose.clone(), saying.case);
    let access = decider.decision(Reason::Dossier, Some(case), node.core.now())?;
    let said = saying::say(&node.core, saying, &access).await;
    let (submitted, _) = match said {
        Err(SayError::NotAllowed) => bail!(
            "geen convenant met {} laat een consultatie voor het doel {purpose} toe; `schakel convenant tonen` laat zien wat er is afgesproken",
            node.name_of(to)
        ),
        said => said?,
    };
    document::tell(node, Some(submitted), (to, case), output)
}

async fn list(node: &Node, (limit, open): (usize, bool), output: Output) -> anyhow::Result<Ending> {
    let found = consultation::list(&node.core, limit, open).await?;
    if found.found.is_empty() {
        output.say("Er zijn geen vragen.");
    }
    if !found.complete {
        output.say("Er kunnen er meer zijn: niet het hele logboek is doorzocht.");
    }
    for one in &found.found {
        output.say(listing_of(node, &one.question));
        let answer = match (&one.answer, one.question.direction) {
            (Some(answer), _) => format!("beantwoord met bericht {}", answer.index),
            (None, Direction::Inbound) => "nog te beantwoorden".to_owned(),
            (None, Direction::Outbound) => "nog geen antwoord".to_owned(),
        };
        output.say(format!("{:9}{answer}", ""));
    }
    output.answer(&crate::listing::consultations(&found));
    Ok(Ending::Good)
}

async fn show(node: &Node, index: u64, caller: &Caller, output: Output) -> anyhow::Result<Ending> {
    let one = consultation::one(&node.core, index).await?.with_context(|| {
        format!("bericht {index} is geen vraag; `schakel consultatie lijst` laat zien welke er zijn")
    })?;
    let access = caller.access(Deed::Inzien, Reason::Dossier, one.question.case, node.core.now())?;
    let indexes: Vec<u64> =
        [Some(&one.question), one.answer.as_ref()].into_iter().flatten().map(place).collect();
    let shown = node.core.store.view(access, &indexes).await?;
    for message in &shown {
        output.say(listing_of(node, &message.row));
        output.say(
            content(message).map_or_else(|| "Niet meer te lezen.".to_owned(), |content| words(&content)),
        );
    }
    let messages = shown.iter().map(|message| {
        let mut row = crate::listing::message(&message.row);
        row["inhoud"] = json!(content(message));
        row
    });
    output.answer(&json!({ "berichten": messages.collect::<Vec<_>>() }));
    Ok(Ending::Good)
}

const fn place(row: &MessageRow) -> u64 {
    row.index
}

fn content(message: &Shown) -> Option<Value> {
    let document = message.content.as_ref().ok().and_then(|text| document_of(text))?;
    Some(document.value()["inhoud"].clone())
}

fn words(content: &Value) -> String {
    let text = content["vraag"].as_str().or_else(|| content["antwoord"].as_str()).unwrap_or_default();
    let follow_up = content["vervolg"].as_str().map_or_else(String::new, |what| format!("\nVervolg: {what}"));
    format!("{text}{follow_up}")
}
