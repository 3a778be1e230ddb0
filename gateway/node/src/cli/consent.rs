//! `schakel toestemming`.

use std::{io::Read as _, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use exchange::{
    consent::{ConsentKey, Extract, HowGiven, Terms},
    oin::Oin,
};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use store::{Access, ConsentNotice, ConsentRow, ConsentState, Deed, Reason, State};
use uuid::Uuid;

use super::{Ending, Output, caller::Caller, dutch_time};
use crate::{
    consent::{
        ending::{self, CONFIRM_WITHIN},
        register,
    },
    node::Node,
};

/// The largest file with a consent, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// The most consents shown at a time.
const PAGE: usize = 500;

/// Toestemming van inwoners: vastleggen, verlengen, intrekken, en zien wie er iets onder kreeg.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel toestemming verleen toestemming.json\n  schakel toestemming tonen\n  schakel toestemming tonen 7c9e6679-7425-40de-944b-e07fc1f90ae7       wie er iets onder kreeg en wat die ermee deed\n  schakel toestemming verleng 7c9e6679-7425-40de-944b-e07fc1f90ae7 --tot 2027-11-01 --wijze mondeling --bewijs gespreksverslag:GV-17\n  schakel toestemming intrek 7c9e6679-7425-40de-944b-e07fc1f90ae7 --zeker"
)]
pub(super) struct Consent {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Leg vast dat een inwoner toestemming gaf.
    #[command(
        after_help = "Voorbeeld:\n  schakel toestemming verleen toestemming.json\n\nIn de map van het knooppunt staat een voorbeeld: toestemming.voorbeeld.json. Het bestand is JSON met `betrokkene` en `inhoud` volgens schemas/v1/toestemming.schema.json. Het bevat persoonsgegevens: verwijder het als de toestemming is vastgelegd."
    )]
    Verleen {
        /// Het bestand; - leest van de standaardinvoer.
        bestand: PathBuf,
        #[command(flatten)]
        caller: Caller,
    },
    /// Laat de toestemmingen zien, of bij één wie er iets onder kreeg en wat die na intrekking deed.
    #[command(
        after_help = "Voorbeelden:\n  schakel toestemming tonen\n  schakel toestemming tonen 7c9e6679-7425-40de-944b-e07fc1f90ae7 --json\n\nWie de inwoner is staat er niet bij.\nExitcode 1: een organisatie heeft te lang niet laten weten wat zij na de intrekking deed."
    )]
    Tonen {
        /// Het nummer.
        #[arg(value_name = "TOESTEMMING")]
        nummer: Option<Uuid>,
        /// De organisatie die om de toestemming vroeg; zonder deze optie de eigen.
        #[arg(long, value_name = "OIN")]
        houder: Option<Oin>,
    },
    /// Leg vast dat de inwoner opnieuw toestemming gaf, tot een latere dag.
    #[command(
        after_help = "Voorbeeld:\n  schakel toestemming verleng 7c9e6679-7425-40de-944b-e07fc1f90ae7 --tot 2027-11-01 --wijze schriftelijk --bewijs formulier:TF-901\n\nBewijs: formulier, gespreksverslag, geluidsopname of digitale-ondertekening, een dubbele punt en het kenmerk ervan."
    )]
    Verleng {
        /// Het nummer.
        #[arg(value_name = "TOESTEMMING")]
        nummer: Uuid,
        /// De laatste dag waarop de toestemming geldt, JJJJ-MM-DD.
        #[arg(long, value_name = "DAG")]
        tot: Date,
        /// Hoe de inwoner toestemming gaf.
        #[arg(long, value_enum)]
        wijze: Wijze,
        /// Waar het bewijs ligt.
        #[arg(long, value_name = "SOORT:KENMERK")]
        bewijs: String,
        #[command(flatten)]
        caller: Caller,
    },
    /// Leg vast dat de inwoner de toestemming intrekt. Er gaat dan niets meer weg onder deze toestemming, en iedereen
    /// die er iets onder kreeg wist het.
    #[command(
        after_help = "Voorbeelden:\n  schakel toestemming intrek 7c9e6679-7425-40de-944b-e07fc1f90ae7            laat zien wie bericht krijgt\n  schakel toestemming intrek 7c9e6679-7425-40de-944b-e07fc1f90ae7 --zeker    trekt in"
    )]
    Intrek {
        /// Het nummer.
        #[arg(value_name = "TOESTEMMING")]
        nummer: Uuid,
        /// Trek echt in. Zonder deze optie staat er alleen wie bericht zou krijgen.
        #[arg(long)]
        zeker: bool,
        #[command(flatten)]
        caller: Caller,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wijze {
    Schriftelijk,
    Mondeling,
    Digitaal,
}

impl Consent {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Verleen { bestand, caller } => grant(node, &bestand, &caller, output).await,
            What::Tonen { nummer: None, houder } => list(node, houder, output).await,
            What::Tonen { nummer: Some(id), houder } => {
                let key = ConsentKey { holder: houder.unwrap_or(node.core.me), id };
                show(node, key, output).await
            }
            What::Verleng { nummer, tot, wijze, bewijs, caller } => {
                extend(node, nummer, (tot, wijze, &bewijs), &caller, output).await
            }
            What::Intrek { nummer, zeker, caller } => withdraw(node, nummer, (zeker, &caller), output).await,
        }
    }
}

/// That whoever calls decides about a consent.
fn decision(node: &Node, caller: &Caller) -> anyhow::Result<Access> {
    caller.access(Deed::Besluit, Reason::Dossier, None, node.core.now())
}

async fn grant(
    node: &Node,
    path: &std::path::Path,
    caller: &Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let text = read(path)?;
    let (kind, purposes) = (node.config.organisatie.soort, node.purposes()?);
    let record = register::grant(&node.core, decision(node, caller)?, &text, (kind, &purposes)).await?;
    let names: Vec<String> = record.granted_to().iter().map(|oin| node.name_of(*oin)).collect();
    output.say(format!("Toestemming {} is vastgelegd.", record.id()));
    output.say(format!("  mag iets krijgen: {}", names.join(", ")));
    output.say(format!("  voor: {}", record.purposes().join(", ")));
    output.say(format!("  tot: {}", dutch_time(record.valid_until())));
    output.say(
        "Noem dit nummer in documenten die op de toestemming steunen; het knooppunt voegt het bewijs toe.",
    );
    output.answer(&json!({
        "toestemming": record.id(), "verleend_aan": record.granted_to(), "doelen": record.purposes(),
        "geldig_tot": record.valid_until(),
    }));
    Ok(Ending::Good)
}

/// What is in a file that somebody names, or on standard input.
pub(super) fn read(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    let unreadable = || format!("{} is niet te lezen", path.display());
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut text).with_context(unreadable)?;
    } else {
        let file = std::fs::File::open(path).with_context(unreadable)?;
        file.take(MAX_FILE + 1).read_to_end(&mut text).with_context(unreadable)?;
    }
    if text.len() as u64 > MAX_FILE {
        bail!("{} is te groot; hooguit {} KiB", path.display(), MAX_FILE / 1024);
    }
    Ok(text)
}

async fn list(node: &Node, holder: Option<Oin>, output: Output) -> anyhow::Result<Ending> {
    let holder = holder.unwrap_or(node.core.me);
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let page = node.core.store.consents(Some(holder), after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        for consent in &page {
            output.say(line(node, consent));
            shown.push(as_json(node, consent));
        }
    }
    if shown.is_empty() {
        output.say("Er zijn geen toestemmingen. Leg er een vast met `schakel toestemming verleen`.");
    }
    output.answer(&json!({ "toestemmingen": shown }));
    Ok(Ending::Good)
}

/// How it is with it now: what ran out a moment ago is over, also before the node has dealt with it.
fn standing(node: &Node, consent: &ConsentRow) -> ConsentState {
    let over = consent.valid_until.is_some_and(|until| until <= node.core.now());
    if consent.state == ConsentState::InForce && over { ConsentState::Expired } else { consent.state }
}

fn line(node: &Node, consent: &ConsentRow) -> String {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    let names = terms.iter().flat_map(|terms| &terms.granted_to).map(|oin| node.name_of(*oin));
    let until = consent.valid_until.map_or_else(String::new, |until| format!("tot {}", dutch_time(until)));
    format!(
        "{}  {:<11}  {until}  {}",
        consent.key.id,
        standing(node, consent).as_str(),
        names.collect::<Vec<_>>().join(", ")
    )
}

fn as_json(node: &Node, consent: &ConsentRow) -> serde_json::Value {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    json!({
        "toestemming": consent.key.id,
        "houder": consent.key.holder,
        "stand": standing(node, consent).as_str(),
        "verleend_op": terms.as_ref().map(|terms| terms.given),
        "geldig_tot": consent.valid_until,
        "verleend_aan": terms.as_ref().map(|terms| &terms.granted_to),
        "doelen": terms.as_ref().map(|terms| &terms.purposes),
        "gegevens": terms.as_ref().map(|terms| json!({
            "categorieen": terms.data.categories, "leefgebieden": terms.data.life_domains,
        })),
        "ingetrokken_op": consent.ended.filter(|_| consent.state == ConsentState::Withdrawn),
    })
}

/// How it is with what one organisation was told.
fn told(notice: &ConsentNotice, now: Timestamp) -> &'static str {
    if notice.confirmed.is_some() {
        return "bevestigd";
    }
    let informed = notice.message.as_ref().filter(|message| message.state == State::Admitted);
    match (informed.and_then(|message| message.finished), &notice.message) {
        (Some(at), _) if now.duration_since(at) > CONFIRM_WITHIN => "te laat",
        (Some(_), _) => "geïnformeerd",
        (None, Some(message)) if message.state == State::Waiting => "bericht onderweg",
        (None, Some(_)) => "niet bereikt",
        (None, None) => "geïnformeerd door een ander",
    }
}

async fn show(node: &Node, key: ConsentKey, output: Output) -> anyhow::Result<Ending> {
    let Some(consent) = node.core.store.consent(key).await? else {
        bail!(
            "er is geen toestemming {} van {}; `schakel toestemming tonen` laat zien welke er zijn",
            key.id,
            node.name_of(key.holder)
        )
    };
    let (notices, now) = (node.core.store.consent_notices(key).await?, node.core.now());
    output.say(line(node, &consent));
    if let Some(terms) = consent.extract.as_deref().and_then(Extract::peek) {
        say_terms(&terms, output);
    }
    if consent.state == ConsentState::Withdrawn {
        output.say(format!("  ingetrokken op {}", consent.ended.map(dutch_time).unwrap_or_default()));
    }
    for notice in &notices {
        output.say(notice_line(node, notice, now));
    }
    let late = notices.iter().any(|notice| matches!(told(notice, now), "te laat" | "niet bereikt"));
    if late {
        output.say(
            "Neem contact op met wie niet antwoordt: de inwoner heeft er recht op dat de gegevens weg zijn.",
        );
    }
    let mut answer = as_json(node, &consent);
    answer["organisaties"] = notices.iter().map(|notice| notice_json(notice, now)).collect();
    output.answer(&answer);
    Ok(if late { Ending::NotAllGood } else { Ending::Good })
}

fn say_terms(terms: &Terms, output: Output) {
    let categories: Vec<String> = terms.data.categories.iter().map(ToString::to_string).collect();
    let domains: Vec<String> = terms.data.life_domains.iter().map(ToString::to_string).collect();
    output.say(format!("  voor: {}", terms.purposes.join(", ")));
    output.say(format!("  gegevens: {}", categories.join(", ")));
    if !domains.is_empty() {
        output.say(format!("  leefgebieden: {}", domains.join(", ")));
    }
}

fn notice_line(node: &Node, notice: &ConsentNotice, now: Timestamp) -> String {
    let done = notice.done.map_or_else(String::new, |done| format!(": {}", done.as_str()));
    let when = notice.confirmed.map_or_else(String::new, |at| format!(" op {}", dutch_time(at)));
    let via = notice.via.map_or_else(String::new, |via| format!(", via {}", node.name_of(via)));
    let kept = notice.kept.as_ref().map_or_else(String::new, |kept| {
        format!(" op grond van {} ({})", kept.soort, kept.artikelen.join(", "))
    });
    format!("  {:<28} {}{when}{done}{kept}{via}", node.name_of(notice.party), told(notice, now))
}

fn notice_json(notice: &ConsentNotice, now: Timestamp) -> serde_json::Value {
    let informed = notice.message.as_ref().filter(|message| message.state == State::Admitted);
    json!({
        "oin": notice.party,
        "stand": told(notice, now),
        "geinformeerd_op": informed.and_then(|message| message.finished),
        "via": notice.via,
        "bevestigd_op": notice.confirmed,
        "uitkomst": notice.done,
        "bewaard_op_grond_van": notice.kept,
    })
}

async fn extend(
    node: &Node,
    id: Uuid,
    (until, wijze, evidence): (Date, Wijze, &str),
    caller: &Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let Some((kind, reference)) = evidence.split_once(':').filter(|(_, reference)| !reference.is_empty())
    else {
        bail!("geef het bewijs als SOORT:KENMERK, bijvoorbeeld formulier:TF-901")
    };
    let how = HowGiven {
        wijze: format!("{wijze:?}").to_lowercase(),
        bewijs_soort: kind.to_owned(),
        bewijs_kenmerk: reference.to_owned(),
    };
    let end = until.tomorrow().and_then(|day| day.to_zoned(exchange::agreement::dutch_time()));
    let end = end.context("deze dag bestaat niet in de kalender")?.timestamp();
    let (own_kind, purposes) = (node.config.organisatie.soort, node.purposes()?);
    let record =
        register::extend(&node.core, (decision(node, caller)?, id), (end, &how), (own_kind, &purposes))
            .await?;
    output.say(format!("Toestemming {id} geldt nu tot {}.", dutch_time(record.valid_until())));
    output.answer(&json!({ "toestemming": id, "geldig_tot": record.valid_until() }));
    Ok(Ending::Good)
}

async fn withdraw(
    node: &Node,
    id: Uuid,
    (certain, caller): (bool, &Caller),
    output: Output,
) -> anyhow::Result<Ending> {
    let key = ConsentKey { holder: node.core.me, id };
    if node.core.store.consent(key).await?.is_none() {
        return Err(register::RegisterError::Unknown(id).into());
    }
    let untold = node.core.store.untold(key).await?;
    let names: Vec<String> = untold.iter().map(|one| node.name_of(one.party)).collect();
    let oins: Vec<Oin> = untold.iter().map(|one| one.party).collect();
    if !certain {
        match names.as_slice() {
            [] => output
                .say(format!("Onder toestemming {id} is niets gestuurd; niemand hoeft bericht te krijgen.")),
            names => output.say(format!("Onder toestemming {id} kregen gegevens: {}.", names.join(", "))),
        }
        output.say("Er is nog niets ingetrokken. Trekt de inwoner de toestemming in? Geef de opdracht opnieuw, met --zeker.");
        output.answer(&json!({ "toestemming": id, "uitgevoerd": false, "krijgen_bericht": oins }));
        return Ok(Ending::Good);
    }
    let withdrawn = register::withdraw(&node.core, decision(node, caller)?, id, node.core.now()).await?;
    ending::carry_out(&node.core).await?;
    if !withdrawn {
        output.say(format!("Toestemming {id} was al ingetrokken."));
    } else if names.is_empty() {
        output.say(format!("Toestemming {id} is ingetrokken. Er was niets onder gestuurd."));
    } else {
        output.say(format!(
            "Toestemming {id} is ingetrokken. Bericht krijgen, voor al het andere: {}. Wat hier was is gewist.",
            names.join(", ")
        ));
        output.say(format!("Wat zij ermee deden staat straks in `schakel toestemming tonen {id}`."));
    }
    output.answer(&json!({ "toestemming": id, "uitgevoerd": withdrawn, "krijgen_bericht": oins }));
    Ok(Ending::Good)
}
