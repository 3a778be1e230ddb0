//! `schakel signalen`.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use store::{Deed, Reason, Shown, StoreError, Suggestion};

use super::{
    Ending, Output,
    caller::{Caller, Decider},
    dutch_time, messages,
};
use crate::{listing, node::Node, signal_terms::Known};

mod terms;

/// Signalen van verschillende partners over dezelfde inwoner of hetzelfde huishouden. Wat precies overeenkomt is vanzelf
/// samengevoegd tot een meervoudig signaal; over wat erop lijkt besluit u. En binnen welke termijn een signaal een eerste gesprek
/// vraagt. Niets hiervan gaat naar een partner.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel signalen termijnen                      wat nog een eerste gesprek of een uitkomst vraagt, en voor wanneer\n  schakel signalen lijst                          meervoudige signalen, en wat nog een besluit vraagt\n  schakel signalen vergelijken 1041 1187          laat twee signalen naast elkaar zien\n  schakel signalen samenvoegen 1041 1187          ze horen bij elkaar\n  schakel signalen afwijzen 1041 1187             ze horen niet bij elkaar\n  schakel signalen splitsen 1187                  haalt een signaal weer uit een meervoudig signaal\n\nDe nummers zijn die uit `schakel berichten`."
)]
pub(super) struct Signals {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Laat de meervoudige signalen zien, en welke signalen misschien bij elkaar horen. Zonder inhoud.
    #[command(
        after_help = "Voorbeelden:\n  schakel signalen lijst\n  schakel signalen lijst --aantal 200 --json\n  schakel signalen lijst --voor 17\n\nExitcode 1: er zijn signalen waarover u nog moet besluiten."
    )]
    Lijst {
        /// Hoeveel van elk, de nieuwste eerst; zonder deze optie 50, hooguit 500.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        aantal: u16,
        /// Ga verder met de meervoudige signalen vóór dit nummer.
        #[arg(long, value_name = "NUMMER")]
        voor: Option<u64>,
    },
    /// Laat zien welke signalen nog een eerste gesprek of een uitkomst vragen, en voor wanneer. Wat het eerst moet staat bovenaan.
    #[command(
        after_help = "Voorbeelden:\n  schakel signalen termijnen\n  schakel signalen termijnen --termijn te-laat --richting in\n  schakel signalen termijnen --aantal 200 --json\n\nDe termijn staat in het doel en loopt vanaf de ontvangst. Terugkoppeling dat er een eerste gesprek was, of hoe het afliep, haalt haar (`schakel terugkoppeling geven`). Dat het signaal is opgepakt is niet genoeg.\nExitcode 1: van een signaal hieronder is de termijn voorbij."
    )]
    Termijnen {
        /// Alleen deze: loopt, loopt-af (herinnerd) of te-laat (opgeschaald).
        #[arg(long, value_parser = ["loopt", "loopt-af", "te-laat"])]
        termijn: Option<String>,
        /// Alleen signalen die hier binnenkwamen (in) of van hier gingen (uit).
        #[arg(long, value_parser = ["in", "uit"])]
        richting: Option<String>,
        /// Hoeveel; zonder deze optie 50, hooguit 500.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        aantal: u16,
    },
    /// Laat de signalen van één meervoudig signaal zien, met inhoud. Dat u ze ziet, komt in het logboek.
    #[command(after_help = "Voorbeeld:\n  schakel signalen tonen 17 --kenmerk Z-2026-0412")]
    Tonen {
        /// Het nummer van het meervoudige signaal.
        nummer: u64,
        #[command(flatten)]
        caller: Caller,
    },
    /// Laat twee signalen naast elkaar zien, met inhoud en waarom ze op elkaar lijken. Dat u ze ziet, komt in het logboek.
    #[command(after_help = "Voorbeeld:\n  schakel signalen vergelijken 1041 1187 --kenmerk Z-2026-0412")]
    Vergelijken {
        /// Het nummer van het ene signaal.
        een: u64,
        /// Het nummer van het andere.
        ander: u64,
        #[command(flatten)]
        caller: Caller,
    },
    /// Voeg twee signalen samen, met alles wat er al bij hoort. Uw besluit komt in het logboek.
    #[command(after_help = "Voorbeeld:\n  schakel signalen samenvoegen 1041 1187 --kenmerk Z-2026-0412")]
    Samenvoegen {
        /// Het nummer van het ene signaal.
        een: u64,
        /// Het nummer van het andere.
        ander: u64,
        #[command(flatten)]
        decider: Decider,
    },
    /// Houd twee signalen uit elkaar: ze worden niet opnieuw voorgesteld en nooit vanzelf samengevoegd. Uw besluit komt in
    /// het logboek.
    #[command(after_help = "Voorbeeld:\n  schakel signalen afwijzen 1041 1187 --kenmerk Z-2026-0412")]
    Afwijzen {
        /// Het nummer van het ene signaal.
        een: u64,
        /// Het nummer van het andere.
        ander: u64,
        #[command(flatten)]
        decider: Decider,
    },
    /// Haal signalen uit het meervoudige signaal waar ze in zitten. Meer signalen blijven bij elkaar. Ze komen er niet vanzelf
    /// weer in. Uw besluit komt in het logboek.
    #[command(
        after_help = "Voorbeelden:\n  schakel signalen splitsen 1187\n  schakel signalen splitsen 1187 1190 --kenmerk Z-2026-0412"
    )]
    Splitsen {
        /// De nummers van de signalen.
        #[arg(required = true, num_args = 1..=100, value_name = "NUMMER")]
        signalen: Vec<u64>,
        #[command(flatten)]
        decider: Decider,
    },
}

impl Signals {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let now = node.core.now();
        match self.what {
            What::Lijst { aantal, voor } => list(node, (voor, aantal.into()), output).await,
            What::Termijnen { termijn, richting, aantal } => {
                terms::list(node, (termijn.as_deref(), richting.as_deref()), aantal.into(), output).await
            }
            What::Tonen { nummer, caller } => show(node, (nummer, &caller), output).await,
            What::Vergelijken { een, ander, caller } => compare(node, (een, ander), &caller, output).await,
            What::Samenvoegen { een, ander, decider } => {
                let access = decider.decision(Reason::Dossier, None, now)?;
                explained(node.core.store.join_signals(access, een, ander).await)?;
                Ok(decided(&[een, ander], "horen nu bij elkaar", "samengevoegd", output))
            }
            What::Afwijzen { een, ander, decider } => {
                let access = decider.decision(Reason::Dossier, None, now)?;
                explained(node.core.store.keep_signals_apart(access, een, ander).await)?;
                Ok(decided(&[een, ander], "blijven uit elkaar", "afgewezen", output))
            }
            What::Splitsen { signalen, decider } => {
                let access = decider.decision(Reason::Dossier, None, now)?;
                let taken: BTreeSet<u64> = signalen.iter().copied().collect();
                explained(node.core.store.split_signals(access, taken).await)?;
                Ok(decided(&signalen, "uit het meervoudige signaal gehaald", "gesplitst", output))
            }
        }
    }
}

fn explained(done: Result<(), StoreError>) -> anyhow::Result<()> {
    match done {
        Err(StoreError::NotFound(_)) => bail!(
            "dit kan niet met deze signalen: één is er niet (meer), of ze horen al bij elkaar of juist niet. `schakel signalen lijst` laat zien hoe het is"
        ),
        Err(StoreError::TooLarge { limit, .. }) => {
            bail!("er kunnen hooguit {limit} signalen bij elkaar; splits eerst wat er niet bij hoort")
        }
        done => Ok(done?),
    }
}

fn decided(signals: &[u64], said: &str, stand: &str, output: Output) -> Ending {
    let numbers: Vec<String> = signals.iter().map(u64::to_string).collect();
    output.say(format!("{}: {said}.", numbers.join(" en ")));
    output.answer(&serde_json::json!({ "berichten": signals, "stand": stand }));
    Ending::Good
}

async fn list(node: &Node, (before, limit): (Option<u64>, usize), output: Output) -> anyhow::Result<Ending> {
    let (store, now) = (&node.core.store, node.core.now());
    let multiple = store.multiple_signals(before, now, limit).await?;
    let suggestions = store.suggestions(None, now, limit).await?;
    if multiple.is_empty() {
        output.say("Er zijn geen meervoudige signalen.");
    }
    let mut shown = Vec::with_capacity(multiple.len());
    for one in &multiple {
        let known = Known::of_joined(&node.core, one).await?;
        let first = Known::first(&known).map_or_else(String::new, |first| terms::words(node, first));
        output.say(format!("Meervoudig signaal {} (sinds {}{first}):", one.number, dutch_time(one.made)));
        for signal in &one.signals {
            let term = known.get(&signal.row.index);
            let term = term.map_or_else(String::new, |term| terms::words(node, term));
            output.say(format!("{}{term}", messages::line(node, &signal.row)));
        }
        shown.push(listing::multiple_signal(one, &known));
    }
    if !suggestions.is_empty() {
        output.say(
            "\nMisschien horen deze bij elkaar. Vergelijk ze, en besluit met `samenvoegen` of `afwijzen`:",
        );
    }
    for one in &suggestions {
        tell(node, one, output);
    }
    output.answer(&serde_json::json!({
        "meervoudige_signalen": shown,
        "voorstellen": suggestions.iter().map(listing::suggestion).collect::<Vec<_>>(),
    }));
    Ok(if suggestions.is_empty() { Ending::Good } else { Ending::NotAllGood })
}

fn tell(node: &Node, one: &Suggestion, output: Output) {
    output.say(messages::line(node, &one.one));
    output.say(messages::line(node, &one.other));
    for clue in one.clues.iter() {
        output.say(format!("         {}", clue.sentence()));
    }
}

async fn show(node: &Node, (number, caller): (u64, &Caller), output: Output) -> anyhow::Result<Ending> {
    let now = node.core.now();
    let access = caller.access(Deed::Inzien, Reason::Dossier, None, now)?;
    let found = node.core.store.multiple_signal(number, now).await?;
    let found = found.with_context(|| {
        format!(
            "er is geen meervoudig signaal {number} (meer); `schakel signalen lijst` laat zien welke er zijn"
        )
    })?;
    let indexes: Vec<u64> = found.signals.iter().map(|signal| signal.row.index).collect();
    let shown = node.core.store.view(access, &indexes).await?;
    let contents = contents(node, &shown, output)?;
    output.answer(&serde_json::json!({ "nummer": number, "signalen": contents }));
    Ok(Ending::Good)
}

async fn compare(
    node: &Node,
    (one, other): (u64, u64),
    caller: &Caller,
    output: Output,
) -> anyhow::Result<Ending> {
    let now = node.core.now();
    let access = caller.access(Deed::Inzien, Reason::Dossier, None, now)?;
    let (lower, higher) = (one.min(other), one.max(other));
    let suggested = node.core.store.suggestions(Some((lower + 1, higher)), now, 1).await?;
    let suggested = suggested.into_iter().find(|one| (one.one.index, one.other.index) == (lower, higher));
    let shown = match node.core.store.view(access, &[lower, higher]).await {
        Err(StoreError::NotFound(_)) => {
            bail!("één van deze berichten is er niet; `schakel berichten` laat zien welke er zijn")
        }
        shown => shown?,
    };
    let contents = contents(node, &shown, output)?;
    for clue in suggested.iter().flat_map(|one| one.clues.iter()) {
        output.say(clue.sentence());
    }
    output.answer(&serde_json::json!({
        "signalen": contents,
        "redenen": suggested.as_ref().map(|one| listing::suggestion(one)["redenen"].clone()),
    }));
    Ok(Ending::Good)
}

/// Shows messages with what is in them.
fn contents(node: &Node, shown: &[Shown], output: Output) -> anyhow::Result<Vec<serde_json::Value>> {
    let mut contents = Vec::with_capacity(shown.len());
    for one in shown {
        let json = listing::shown(one, "gegevens").context("dit bericht is niet leesbaar")?;
        output.say(messages::line(node, &one.row));
        match &one.content {
            Ok(_) => output.say(serde_json::to_string_pretty(&json["gegevens"])?),
            Err(withheld) => output.say(format!("Niet getoond: {}.", withheld.as_str())),
        }
        contents.push(json);
    }
    Ok(contents)
}
