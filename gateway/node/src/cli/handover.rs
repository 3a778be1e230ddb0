//! `schakel overdracht`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use schemas::SchemaName;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ending, Output, caller::Decider};
use crate::node::Node;

mod answer;
mod questions;
mod show;

/// Overdrachten: wie de regie heeft, en antwoorden op een aanbod.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel overdracht lijst\n  schakel overdracht accepteren 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d --functie consulent --contact-voor 2026-12-11\n\nAanbieden gaat met `schakel document --soort overdracht-aangeboden`."
)]
pub(super) struct Handover {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Laat van elk overgedragen dossier zien wie de regie heeft en wat er open staat.
    #[command(
        after_help = "Voorbeelden:\n  schakel overdracht lijst\n  schakel overdracht lijst --json\n\nWie de inwoner is staat er niet bij.\nExitcode 1: op een aanbod is niet op tijd gereageerd."
    )]
    Lijst,
    /// Laat van één dossier zien wat er is aangeboden, gezegd en beantwoord.
    #[command(after_help = "Voorbeeld:\n  schakel overdracht tonen 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d")]
    Tonen {
        /// Het dossier.
        dossier: Uuid,
    },
    /// Neem een dossier over dat u is aangeboden: vanaf dat moment heeft uw organisatie de regie.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht accepteren 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d --functie consulent --contact-voor 2026-12-11"
    )]
    Accepteren {
        /// Het dossier.
        dossier: Uuid,
        /// De functie van de casusregisseur die het overneemt.
        #[arg(long)]
        functie: String,
        /// De naam van de casusregisseur.
        #[arg(long)]
        naam: Option<String>,
        /// Het telefoonnummer van de casusregisseur.
        #[arg(long)]
        telefoon: Option<String>,
        /// De dag waarop de inwoner uiterlijk contact krijgt.
        #[arg(long, value_name = "JJJJ-MM-DD")]
        contact_voor: Date,
        #[command(flatten)]
        decider: Decider,
    },
    /// Neem een dossier niet over, met de reden en waar de ander wel terechtkan.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht afwijzen 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d --reden verkeerd-loket --toelichting 'Dit is werk voor de sociale dienst.' --bij 'Sociale Dienst Rivierenland' --bij-oin 00000099000000003000\n\nRedenen: verkeerd-loket, niet-bevoegd, geen-plek, inwoner-wil-niet, al-bij-ons-bekend, anders."
    )]
    Afwijzen {
        /// Het dossier.
        dossier: Uuid,
        /// Waarom.
        #[arg(long)]
        reden: String,
        /// Uitleg bij de reden.
        #[arg(long)]
        toelichting: String,
        /// De organisatie waar de ander wel terechtkan.
        #[arg(long, value_name = "NAAM")]
        bij: Option<String>,
        /// Het OIN van die organisatie, als die meedoet.
        #[arg(long, value_name = "OIN", requires = "bij")]
        bij_oin: Option<exchange::oin::Oin>,
        /// Het loket bij die organisatie.
        #[arg(long, value_name = "LOKET", requires = "bij")]
        bij_loket: Option<String>,
        #[command(flatten)]
        decider: Decider,
    },
    /// Stel eerst vragen over een aanbod. De ander houdt de regie.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht vragen 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d vragen.txt --antwoord-voor 2026-12-04T17:00:00+01:00\n\nIn het bestand staat op elke regel een vraag. Zet de vragen niet achter het commando: daar blijven ze staan."
    )]
    Vragen {
        /// Het dossier.
        dossier: Uuid,
        /// Het bestand met de vragen, op elke regel één; - leest van de standaardinvoer.
        bestand: PathBuf,
        /// Het moment waarop u uiterlijk antwoord wilt.
        #[arg(long, value_name = "MOMENT")]
        antwoord_voor: Timestamp,
        #[command(flatten)]
        decider: Decider,
    },
    /// Beantwoord de vragen over uw aanbod.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht aanvullen 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d antwoorden.txt --reageren-voor 2026-12-08T17:00:00+01:00\n\nIn het bestand staat op elke regel een antwoord, in de volgorde van de vragen. `schakel overdracht tonen` noemt het bericht met de vragen."
    )]
    Aanvullen {
        /// Het dossier.
        dossier: Uuid,
        /// Het bestand met de antwoorden, op elke regel één; - leest van de standaardinvoer.
        bestand: PathBuf,
        /// Het moment waarop de ander uiterlijk reageert.
        #[arg(long, value_name = "MOMENT")]
        reageren_voor: Timestamp,
        #[command(flatten)]
        decider: Decider,
    },
    /// Neem een aanbod terug. Het geldt pas als de ander zegt dat die het nog niet had geaccepteerd.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht intrekken 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d --reden geen-reactie\n\nRedenen: inwoner-wil-niet, toestemming-ingetrokken, situatie-veranderd, andere-oplossing, geen-reactie, vergissing, anders."
    )]
    Intrekken {
        /// Het dossier.
        dossier: Uuid,
        /// Waarom.
        #[arg(long)]
        reden: String,
        #[command(flatten)]
        decider: Decider,
    },
    /// Laat weten dat u contact had met de inwoner.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht contact 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d --datum 2026-12-04 --soort gesprek --samen --herkend\n\nSoorten: gesprek, huisbezoek, telefoon, beeldbellen, bericht."
    )]
    Contact {
        /// Het dossier.
        dossier: Uuid,
        /// De dag.
        #[arg(long, value_name = "JJJJ-MM-DD")]
        datum: Date,
        /// De manier.
        #[arg(long)]
        soort: String,
        /// De vorige organisatie was erbij.
        #[arg(long)]
        samen: bool,
        /// De inwoner herkent de vraag en de wens zoals ze zijn overgedragen.
        #[arg(long)]
        herkend: bool,
        #[command(flatten)]
        decider: Decider,
    },
    /// Laat weten hoe het is afgelopen.
    #[command(
        after_help = "Voorbeeld:\n  schakel overdracht afronden 0190b5c1-52a3-7cc0-b6f2-3d5c1a2b3c4d --datum 2027-01-15 --resultaat hulp-gestart\n\nResultaten: hulp-gestart, hulp-afgerond, inwoner-ziet-af, verder-overgedragen, geen-contact-gekregen."
    )]
    Afronden {
        /// Het dossier.
        dossier: Uuid,
        /// De dag.
        #[arg(long, value_name = "JJJJ-MM-DD")]
        datum: Date,
        /// Hoe het is afgelopen.
        #[arg(long)]
        resultaat: String,
        #[command(flatten)]
        decider: Decider,
    },
}

/// Something that a person says about an offer.
struct Said {
    case: Uuid,
    schema: SchemaName,
    content: Value,
    decider: Decider,
}

impl Handover {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let said = match self.what {
            What::Lijst => return show::list(node, output).await,
            What::Tonen { dossier } => return show::show(node, dossier, output).await,
            What::Accepteren { dossier, functie, naam, telefoon, contact_voor, decider } => {
                let mut director = json!({ "organisatie": node.config.organisatie.naam, "functie": functie });
                put(&mut director, "naam", naam);
                put(&mut director, "telefoon", telefoon);
                let content = json!({ "casusregisseur": director, "eerste_contact_voor": contact_voor });
                Said { case: dossier, schema: SchemaName::HandoverAccepted, content, decider }
            }
            What::Afwijzen { dossier, reden, toelichting, bij, bij_oin, bij_loket, decider } => {
                let mut content = json!({ "reden": reden, "toelichting": toelichting });
                if let Some(name) = bij {
                    let mut elsewhere = json!({ "organisatie": name });
                    put(&mut elsewhere, "oin", bij_oin.map(|oin| oin.to_string()));
                    put(&mut elsewhere, "loket", bij_loket);
                    content["doorverwijzing"] = elsewhere;
                }
                Said { case: dossier, schema: SchemaName::HandoverDeclined, content, decider }
            }
            What::Vragen { dossier, bestand, antwoord_voor, decider } => {
                let content = questions::asking(&bestand, antwoord_voor)?;
                Said { case: dossier, schema: SchemaName::HandoverSupplementRequested, content, decider }
            }
            What::Aanvullen { dossier, bestand, reageren_voor, decider } => {
                let content = questions::answering(node, dossier, (&bestand, reageren_voor)).await?;
                Said { case: dossier, schema: SchemaName::HandoverSupplemented, content, decider }
            }
            What::Intrekken { dossier, reden, decider } => {
                let content = json!({ "reden": reden });
                Said { case: dossier, schema: SchemaName::HandoverWithdrawn, content, decider }
            }
            What::Contact { dossier, datum, soort, samen, herkend, decider } => {
                let content = json!({
                    "datum": datum, "soort": soort, "samen_met_afzender": samen, "vraag_bevestigd": herkend,
                });
                Said { case: dossier, schema: SchemaName::HandoverFirstContact, content, decider }
            }
            What::Afronden { dossier, datum, resultaat, decider } => {
                let content = json!({ "datum": datum, "resultaat": resultaat });
                Said { case: dossier, schema: SchemaName::HandoverCompleted, content, decider }
            }
        };
        answer::say(node, said, output).await
    }
}

fn put(object: &mut Value, name: &str, value: Option<String>) {
    if let Some(value) = value {
        object[name] = value.into();
    }
}
