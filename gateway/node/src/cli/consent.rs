//! `schakel toestemming`.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use exchange::oin::Oin;
use jiff::civil::Date;
use store::{Access, ConsentRow, Deed, Reason};
use uuid::Uuid;

use super::{Ending, Output, caller::Caller};
use crate::{consent::view, node::Node};

mod lines;
mod record;
mod show;
mod versions;
mod withdraw;

use record::Wijze;
pub(super) use record::read;

/// Toestemming van inwoners: vastleggen, verlengen, intrekken, en zien wie er iets onder kreeg.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel toestemming verleen toestemming.json\n  schakel toestemming tonen\n  schakel toestemming tonen 7c9e6679-7425-40de-944b-e07fc1f90ae7 --kenmerk Z-2026-0412       wie er iets onder kreeg en wat die ermee deed\n  schakel toestemming verleng 7c9e6679-7425-40de-944b-e07fc1f90ae7 --tot 2027-11-01 --wijze mondeling --bewijs gespreksverslag:GV-17\n  schakel toestemming intrek 7c9e6679-7425-40de-944b-e07fc1f90ae7 --kenmerk Z-2026-0412 --zeker"
)]
pub(super) struct Consent {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Leg vast dat een inwoner toestemming gaf.
    #[command(
        after_help = "Voorbeeld:\n  schakel toestemming verleen toestemming.json\n\nIn het logboek komt het kenmerk van het bewijs te staan, of wat u bij --kenmerk geeft. In de map van het knooppunt staat een voorbeeld: toestemming.voorbeeld.json. Het bestand is JSON met `betrokkene` en `inhoud` volgens schemas/v1/toestemming.schema.json. Het bevat persoonsgegevens: verwijder het als de toestemming is vastgelegd."
    )]
    Verleen {
        /// Het bestand; - leest van de standaardinvoer.
        bestand: PathBuf,
        #[command(flatten)]
        caller: Caller,
    },
    /// Laat de toestemmingen zien, of van één hoe zij is gegeven, wie er iets onder kreeg en wat die na intrekking deed.
    #[command(
        after_help = "Voorbeelden:\n  schakel toestemming tonen\n  schakel toestemming tonen 7c9e6679-7425-40de-944b-e07fc1f90ae7 --kenmerk Z-2026-0412 --json\n\nWie de inwoner is staat er niet bij; dat u er één bekijkt komt in het logboek, met het zaaknummer dat u bij --kenmerk geeft.\nExitcode 1: een organisatie liet na de intrekking te lang niet weten wat zij deed of is niet te bereiken, of wie om de toestemming vroeg reageert niet op een intrekking die hier is gemeld. Met --json staat bij `aandacht` wie en waarom."
    )]
    Tonen {
        /// Het nummer.
        #[arg(value_name = "TOESTEMMING")]
        nummer: Option<Uuid>,
        /// De organisatie die om de toestemming vroeg, als er meer zijn met dit nummer; zonder nummer: alleen haar
        /// toestemmingen.
        #[arg(long, value_name = "OIN")]
        houder: Option<Oin>,
        #[command(flatten)]
        caller: Caller,
    },
    /// Leg vast dat de inwoner opnieuw toestemming gaf, tot een latere dag. Hoe de inwoner vrij kon kiezen geldt zoals het
    /// eerder is vastgelegd; is dat veranderd, leg dan een nieuwe toestemming vast.
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
    /// die er iets onder kreeg wist het. Vroeg een andere organisatie om de toestemming, dan krijgt die bericht en doet
    /// zij dat.
    #[command(
        after_help = "Voorbeelden:\n  schakel toestemming intrek 7c9e6679-7425-40de-944b-e07fc1f90ae7 --kenmerk Z-2026-0412            laat zien wie bericht krijgt\n  schakel toestemming intrek 7c9e6679-7425-40de-944b-e07fc1f90ae7 --kenmerk Z-2026-0412 --zeker    trekt in"
    )]
    Intrek {
        /// Het nummer.
        #[arg(value_name = "TOESTEMMING")]
        nummer: Uuid,
        /// Trek echt in. Zonder deze optie staat er alleen wie bericht zou krijgen.
        #[arg(long)]
        zeker: bool,
        /// De organisatie die om de toestemming vroeg, als er meer zijn met dit nummer.
        #[arg(long, value_name = "OIN")]
        houder: Option<Oin>,
        #[command(flatten)]
        caller: Caller,
    },
}

impl Consent {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Verleen { bestand, caller } => record::grant(node, &bestand, &caller, output).await,
            What::Tonen { nummer: None, houder, caller } => {
                show::list(node, houder, &seen(node, &caller)?, output).await
            }
            What::Tonen { nummer: Some(id), houder, caller } => {
                caller.reference()?;
                let consent = find(node, id, houder).await?;
                show::show(node, (consent, seen(node, &caller)?), output).await
            }
            What::Verleng { nummer, tot, wijze, bewijs, caller } => {
                record::extend(node, nummer, (tot, wijze, &bewijs), &caller, output).await
            }
            What::Intrek { nummer, zeker, houder, caller } => {
                caller.reference()?;
                let consent = find(node, nummer, houder).await?;
                withdraw::withdraw(node, &consent, (zeker, &caller), output).await
            }
        }
    }
}

/// That whoever calls decides about a consent, for the case that it says, or else the evidence of the consent.
fn decision(node: &Node, caller: &Caller, evidence: Option<&str>) -> anyhow::Result<Access> {
    caller.or_for(evidence)?.access(Deed::Besluit, Reason::Dossier, None, node.core.now())
}

/// That whoever calls sees what is known of consents.
fn seen(node: &Node, caller: &Caller) -> anyhow::Result<Access> {
    caller.access(Deed::Inzien, Reason::Dossier, None, node.core.now())
}

/// The consent of this number: our own, or else the only one.
async fn find(node: &Node, id: Uuid, holder: Option<Oin>) -> anyhow::Result<ConsentRow> {
    let found = view::numbered(&node.core, id, holder).await?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            bail!("er is hier geen toestemming {id}; `schakel toestemming tonen` laat zien welke er zijn")
        }
        several => {
            let names: Vec<_> = several.iter().map(|one| one.key.holder.to_string()).collect();
            bail!("er zijn meer toestemmingen {id}. Kies met --houder van wie: {}", names.join(" of "))
        }
    }
}
