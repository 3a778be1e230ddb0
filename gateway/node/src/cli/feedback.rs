//! `schakel terugkoppeling`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use store::{Deed, Reason};

use super::{
    Ending, Output,
    caller::{Caller, Decider},
    messages,
};
use crate::{
    feedback::{self, FeedbackError, Giving},
    listing,
    node::Node,
};

/// Terugkoppeling: wat er van een signaal is geworden. Wie het ontving geeft haar; wie het verstuurde leest haar.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel terugkoppeling geven 1041 --opgepakt-op 2026-11-20\n  schakel terugkoppeling tonen 1041 --kenmerk Z-2026-0412\n\nDe nummers zijn die uit `schakel berichten`."
)]
pub(super) struct Feedback {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Laat de afzender van een signaal weten wat ervan is geworden. Het doel bepaalt wat die mag weten.
    #[command(
        after_help = "Voorbeelden:\n  schakel terugkoppeling geven 1041 --opgepakt-op 2026-11-20\n  schakel terugkoppeling geven 1041 --resultaat 'Vervolghulp en/of verwijzing financieel'\n  schakel terugkoppeling geven 1041 --eerste-gesprek-op 2026-11-24\n\nEen eerste gesprek of hoe het afliep haalt de termijn van het signaal (`schakel signalen termijnen`).\nDe waarden zijn die van DDAS; `schakel doel tonen` noemt welke het doel toelaat.\nExitcode 1: de terugkoppeling mag niet weg, met de reden."
    )]
    Geven {
        /// Het nummer van het signaal.
        nummer: u64,
        /// De stand van het signaal, als het niet is opgepakt.
        #[arg(long)]
        status: Option<String>,
        /// De dag waarop u ermee aan de slag ging.
        #[arg(long, value_name = "JJJJ-MM-DD")]
        opgepakt_op: Option<Date>,
        /// De dag van het eerste gesprek met de inwoner.
        #[arg(long, value_name = "JJJJ-MM-DD")]
        eerste_gesprek_op: Option<Date>,
        /// Hoe het is afgelopen.
        #[arg(long)]
        resultaat: Option<String>,
        #[command(flatten)]
        decider: Decider,
    },
    /// Laat zien wat er van een signaal is geworden, dat u verstuurde of ontving. Dat u het ziet, komt in het logboek.
    #[command(after_help = "Voorbeeld:\n  schakel terugkoppeling tonen 1041 --kenmerk Z-2026-0412")]
    Tonen {
        /// Het nummer van het signaal.
        nummer: u64,
        #[command(flatten)]
        caller: Caller,
    },
}

impl Feedback {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Geven { nummer, status, opgepakt_op, eerste_gesprek_op, resultaat, decider } => {
                let [taken_up, spoken] =
                    [opgepakt_op, eerste_gesprek_op].map(|day| day.map(|day| day.to_string()));
                let said = [
                    ("status", status),
                    ("opgepakt_op", taken_up),
                    ("eerste_gesprek_op", spoken),
                    ("resultaat", resultaat),
                ];
                let said =
                    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
                give(node, (nummer, said.collect()), decider, output).await
            }
            What::Tonen { nummer, caller } => show(node, (nummer, &caller), output).await,
        }
    }
}

async fn give(
    node: &Node,
    (about, said): (u64, Map<String, Value>),
    decider: Decider,
    output: Output,
) -> anyhow::Result<Ending> {
    let case = node.core.store.logged(about).await?.and_then(|row| row.case);
    let access = decider.decision(Reason::Dossier, case, node.core.now())?;
    let giving = Giving { about, content: said.into(), source_record: None };
    match feedback::give(&node.core, giving, &access).await {
        Ok(given) => {
            output.say(format!("De terugkoppeling is op weg naar {}.", node.name_of(given.to)));
            if !given.left_out.is_empty() {
                output
                    .say(format!("Wat het doel niet toelaat is weggelaten: {}.", given.left_out.join(", ")));
            }
            output.answer(&json!({
                "bericht": given.message, "dossier": given.case, "weggelaten": given.left_out,
            }));
            Ok(Ending::Good)
        }
        Err(FeedbackError::HeldBack(refusal)) => {
            output.say(format!("Deze terugkoppeling mag niet weg ({}). {refusal}", refusal.reason.code()));
            output.answer(&json!({ "bericht": null, "reden": refusal.reason.code(), "over": refusal.about }));
            Ok(Ending::NotAllGood)
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(node: &Node, (number, caller): (u64, &Caller), output: Output) -> anyhow::Result<Ending> {
    let row = node.core.store.logged(number).await?.with_context(|| {
        format!("er is geen bericht {number}; `schakel berichten` laat zien welke er zijn")
    })?;
    let access = caller.access(Deed::Inzien, Reason::Dossier, row.case, node.core.now())?;
    let shown = feedback::on(&node.core, &row, access).await?;
    if shown.is_empty() {
        output.say("Op dit bericht is nog geen terugkoppeling.");
    }
    let mut contents = Vec::with_capacity(shown.len());
    for one in &shown {
        let json = listing::shown(one, "gegevens").context("dit bericht is niet leesbaar")?;
        output.say(messages::line(node, &one.row));
        match &one.content {
            Ok(_) => tell(&json["gegevens"]["inhoud"], output),
            Err(withheld) => output.say(format!("         Niet getoond: {}.", withheld.as_str())),
        }
        contents.push(json);
    }
    output.answer(&json!({ "nummer": number, "terugkoppelingen": contents }));
    Ok(Ending::Good)
}

fn tell(content: &Value, output: Output) {
    let fields = [
        ("status", "Stand"),
        ("opgepakt_op", "Opgepakt op"),
        ("eerste_gesprek_op", "Eerste gesprek op"),
        ("resultaat", "Resultaat"),
    ];
    for (name, title) in fields {
        if let Some(value) = content[name].as_str() {
            output.say(format!("         {title}: {value}"));
        }
    }
}
