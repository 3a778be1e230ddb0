//! `schakel partner`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use exchange::{descriptor::Descriptor, oin::Oin, signature::PublicKey};
use store::{Decision, PartnerRecord, PartnerState};
use transport::Endpoint;

use super::{Ending, Output, caller::Decider, dutch_time};
use crate::{
    directory, listing,
    node::Node,
    partners::{self, PartnerError},
};

/// Beheer de partners van dit knooppunt.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel partner beschrijving --naar gemeente.jws                 om aan een partner te geven\n  schakel partner toevoegen woningcorporatie.jws                   met wat u van de partner kreeg\n  schakel partner test 00000099000000002000                        maakt echt verbinding\n  schakel partner lijst"
)]
pub(super) struct Partner {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Schrijf de ondertekende beschrijving van het eigen knooppunt, om aan partners te geven.
    #[command(after_help = "Voorbeeld:\n  schakel partner beschrijving --naar gemeente.jws")]
    Beschrijving {
        /// Het bestand; zonder deze optie naar het scherm.
        #[arg(long, value_name = "BESTAND")]
        naar: Option<PathBuf>,
    },
    /// Voeg een partner toe met de beschrijving van zijn knooppunt, of werk die bij.
    #[command(
        alias = "add",
        after_help = "Voorbeelden:\n  schakel partner toevoegen woningcorporatie.jws\n  schakel partner toevoegen schakel.woningcorporatie.test:8443 --oin 00000099000000002000"
    )]
    Toevoegen {
        /// Een bestand met de beschrijving, of HOST:POORT om die daar op te halen.
        bron: String,
        /// Het OIN dat op dat adres verwacht wordt; verplicht bij HOST:POORT.
        #[arg(long)]
        oin: Option<Oin>,
        /// Ook als de partner al bekend is met andere sleutels.
        #[arg(long)]
        zeker: bool,
        #[command(flatten)]
        decider: Decider,
    },
    /// Verwijder een partner. Wat met hem is uitgewisseld blijft bewaard.
    #[command(
        aliases = ["verwijder", "remove"],
        after_help = "Voorbeeld:\n  schakel partner verwijderen 00000099000000002000\n\nDit kan niet zolang er berichten voor de partner wachten of een convenant met hem geldt; er staat bij wat te doen.\nMet `schakel partner toevoegen` wordt hij weer partner."
    )]
    Verwijderen {
        /// Het OIN van de partner.
        oin: Oin,
        /// Verwijder ook als daardoor iets blijft liggen, zoals een voorstel voor een convenant.
        #[arg(long)]
        zeker: bool,
        #[command(flatten)]
        decider: Decider,
    },
    /// Laat de partners zien, met hoe het contact verloopt en hoeveel berichten er wachten.
    #[command(alias = "list", after_help = "Voorbeeld:\n  schakel partner lijst --json")]
    Lijst,
    /// Maak echt verbinding met een partner en vraag zijn beschrijving op.
    #[command(
        after_help = "Voorbeeld:\n  schakel partner test 00000099000000002000\n\nExitcode 1: de partner is niet bereikbaar; er staat bij waarom en wat te doen."
    )]
    Test {
        /// Het OIN van de partner.
        oin: Oin,
    },
}

impl Partner {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Beschrijving { naar } => describe(node, naar, output),
            What::Toevoegen { bron, oin, zeker, decider } => {
                add(node, &bron, (oin, zeker), decider, output).await
            }
            What::Verwijderen { oin, zeker, decider } => remove(node, (oin, zeker), decider, output).await,
            What::Lijst => list(node, output).await,
            What::Test { oin } => test(node, oin, output).await,
        }
    }
}

fn describe(node: &Node, path: Option<PathBuf>, output: Output) -> anyhow::Result<Ending> {
    let text = node.descriptor().sign(&*node.core.signer)?;
    match path {
        Some(path) => {
            std::fs::write(&path, &text)
                .with_context(|| format!("{} is niet te schrijven", path.display()))?;
            output.say(format!("De beschrijving staat in {}.", path.display()));
        }
        None => output.say(&text),
    }
    output.answer(&serde_json::json!({ "beschrijving": text }));
    Ok(Ending::Good)
}

async fn add(
    node: &Node,
    source: &str,
    (oin, sure): (Option<Oin>, bool),
    decider: Decider,
    output: Output,
) -> anyhow::Result<Ending> {
    let from_file = std::path::Path::new(source).exists();
    let text = if from_file {
        std::fs::read_to_string(source).with_context(|| format!("{source} is niet te lezen"))?
    } else {
        let oin = oin.context(
            "er is geen bestand met die naam. Is het een adres, geef dan met --oin het OIN dat daar verwacht wordt",
        )?;
        let endpoint = Endpoint { oin, tcp: source.to_owned(), quic: None };
        partners::fetch(&node.link, &endpoint).await?.0
    };
    let decision = Decision::PartnerToevoegen(Descriptor::verify(&text).map_err(PartnerError::from)?.oin);
    decider.record(node, decision).await?;
    let descriptor = partners::add(&node.core, &text, sure).await?;
    output.say(format!("{} ({}) is nu partner.", descriptor.naam, descriptor.oin));
    let keys: Vec<&str> = descriptor.sleutels.iter().map(PublicKey::kid).collect();
    if from_file {
        output.say(format!("Sleutel: {}", keys.join(", ")));
        output.say(format!(
            "Een bestand bewijst niet van wie het komt. Vergelijk de sleutel met wat de partner zelf zegt, of laat zijn knooppunt het bewijzen met `schakel partner test {}`, voordat u een convenant met hem aanvaardt.",
            descriptor.oin
        ));
    }
    output.answer(&serde_json::json!({ "oin": descriptor.oin, "naam": descriptor.naam, "sleutels": keys }));
    Ok(Ending::Good)
}

async fn remove(
    node: &Node,
    (oin, sure): (Oin, bool),
    decider: Decider,
    output: Output,
) -> anyhow::Result<Ending> {
    decider.record(node, Decision::PartnerVerwijderen(oin)).await?;
    let removed = partners::remove(&node.core, oin, sure).await?;
    output.say(format!(
        "{} ({oin}) is geen partner meer. Wat met deze partner is uitgewisseld blijft bewaard.",
        removed.name
    ));
    output.answer(&serde_json::json!({ "oin": oin, "naam": removed.name, "verwijderd": true }));
    Ok(Ending::Good)
}

async fn list(node: &Node, output: Output) -> anyhow::Result<Ending> {
    let partners = node.core.store.partners().await?;
    let counts = node.core.store.counts().await?;
    let width = |of: fn(&PartnerRecord) -> &str| {
        partners.iter().map(|partner| of(partner).chars().count()).max().unwrap_or(0)
    };
    let (names, kinds) = (width(|partner| &partner.name), width(|partner| &partner.kind));
    let mut rows = Vec::new();
    for partner in &partners {
        let state = node.core.store.partner_state(partner.oin).await?;
        let waiting = partners::waiting(&counts, partner.oin);
        output.say(format!(
            "{}  {:<names$}  {:<kinds$}  {}",
            partner.oin,
            partner.name,
            partner.kind,
            contact(&state, waiting)
        ));
        if let Some(failure) = &state.failure {
            // Under the name: the reason is a sentence.
            output.say(format!("{:22}{}", "", trouble(failure, &state)));
        }
        rows.push(listing::partner(partner, &state, waiting));
    }
    if rows.is_empty() {
        output.say("Er zijn nog geen partners. Voeg er een toe met `schakel partner toevoegen`.");
    }
    output.answer(&serde_json::json!({ "partners": rows }));
    Ok(Ending::Good)
}

fn contact(state: &PartnerState, waiting: u64) -> String {
    let last = state.last_contact.map(|at| format!("contact op {}", dutch_time(at)));
    let last = last.unwrap_or_else(|| "nog geen contact".to_owned());
    match waiting {
        0 => last,
        1 => format!("{last}, 1 bericht wacht"),
        many => format!("{last}, {many} berichten wachten"),
    }
}

fn trouble(failure: &str, state: &PartnerState) -> String {
    let failure = failure.trim_end_matches('.');
    let next =
        state.next_attempt.map_or_else(String::new, |at| format!(" Volgende poging: {}.", dutch_time(at)));
    format!("Storing: {failure}.{next}")
}

async fn test(node: &Node, oin: Oin, output: Output) -> anyhow::Result<Ending> {
    let record = node.core.store.partner(oin).await?;
    let record = record.with_context(|| {
        format!("{oin} is geen partner; voeg hem eerst toe met `schakel partner toevoegen`")
    })?;
    let known = Descriptor::verify(&record.descriptor)?;
    let endpoint = partners::endpoint_of(&known);
    match partners::fetch(&node.link, &endpoint).await {
        Ok((text, found)) => {
            node.core.store.note_partner_reached(oin, node.core.now()).await?;
            directory::take_over(&node.core, record.clone(), &text, &found).await?;
            let same = partners::same_keys(&found, &known);
            if same {
                output.say(format!(
                    "{} antwoordt op {}, is wie hij zegt te zijn en gebruikt de sleutels die hier bekend zijn.",
                    found.naam, endpoint.tcp
                ));
            } else {
                output.say(format!(
                    "{} antwoordt op {}, maar met andere sleutels dan hier bekend zijn. Aanvaard geen convenant met hem. Vraag de partner zelf of zijn sleutels zijn vervangen; zo ja, voeg hem dan opnieuw toe met `schakel partner toevoegen {} --oin {oin} --zeker`.",
                    found.naam, endpoint.tcp, endpoint.tcp
                ));
            }
            output.answer(
                &serde_json::json!({ "bereikbaar": true, "naam": found.naam, "sleutels_gelijk": same }),
            );
            Ok(if same { Ending::Good } else { Ending::NotAllGood })
        }
        Err(error) => {
            let (what, remedy) = match &error {
                PartnerError::Link(error) => (error.explanation(), error.remedy()),
                _ => (
                    format!("{}.", error.to_string().trim_end_matches('.')),
                    "Neem contact op met de beheerder van de partner.",
                ),
            };
            output.say(format!("{} ({oin}): {what}\n{remedy}", record.name));
            output.answer(&serde_json::json!({ "bereikbaar": false, "fout": what, "oplossing": remedy }));
            Ok(Ending::NotAllGood)
        }
    }
}
