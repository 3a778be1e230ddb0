//! `schakel doel`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};
use exchange::{organisation::OrganisationKind, purpose::Purpose as Text};

use super::{Ending, Output};
use crate::{
    config::{self, Config},
    purposes,
};

mod check;
mod register;
mod show;

/// How wide a page of text is.
const WIDTH: usize = 80;

/// Bekijk wat een doel toelaat, en toets er een document aan.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel doel tonen vroegsignalering-huur\n  schakel doel toets signaal.json --doel vroegsignalering-huur\n  schakel doel register --naar verwerkingen.html\n\nBuiten de map van een knooppunt: geef met --doelen de map met de doelen."
)]
pub(super) struct Purpose {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Laat zien welke doelen er zijn, of wat één doel toelaat.
    #[command(
        alias = "show",
        after_help = "Voorbeelden:\n  schakel doel tonen\n  schakel doel tonen vroegsignalering-huur\n  schakel doel tonen --doelen config/doelen"
    )]
    Tonen {
        /// De naam van het doel.
        doel: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Toets een document aan een doel: per veld of het mee mag, en zo niet waarom.
    #[command(
        alias = "check",
        after_help = "Voorbeelden:\n  schakel doel toets signaal.json --doel vroegsignalering-huur\n  schakel doel toets data.json --doel overdracht-werk-en-inkomen --type overdrachten.aangeboden --van gemeente --naar uwv\n  schakel doel toets export.csv --mapping woningcorporatie-achterstanden.toml --regel 2\n\nHet bestand is de `data` van een bericht, een heel bericht, of met --mapping een export van een bronsysteem. Er worden geen waarden getoond en er wordt niets verstuurd.\n\nExitcode 0: het bericht mag weg; 1: het mag niet weg."
    )]
    Toets(check::Check),
    /// Schrijf het register van verwerkingsactiviteiten (AVG art. 30) uit de doelen en convenanten die nu gelden.
    #[command(
        after_help = "Voorbeelden:\n  schakel doel register\n  schakel doel register --naar verwerkingen.html\n  schakel doel register --naar verwerkingen.html --naar verwerkingen.csv\n\nIn het register staat wat er via dit knooppunt wordt uitgewisseld; vul het aan met wat uw organisatie verder verwerkt."
    )]
    Register {
        /// Het bestand, .html of .csv; meer dan een keer voor meer bestanden, zonder deze optie op het scherm.
        #[arg(long, value_name = "BESTAND")]
        naar: Vec<PathBuf>,
    },
}

/// Where the purposes are.
#[derive(Debug, Args)]
struct Place {
    /// De map met de doelen; zonder deze optie het doelenregister van het knooppunt.
    #[arg(long, value_name = "MAP")]
    doelen: Option<PathBuf>,
}

/// The purposes to look in, and the kind of the organisation whose node this is.
struct Library {
    purposes: Vec<Text>,
    own_kind: Option<OrganisationKind>,
}

impl Purpose {
    pub(super) async fn run(self, map: &Path, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Tonen { doel, place } => show::show(&place.open(map)?, doel.as_deref(), output),
            What::Toets(check) => check.run(map, output),
            What::Register { naar } => register::write(&super::open(map).await?, &naar, output).await,
        }
    }
}

impl Place {
    fn open(&self, map: &Path) -> anyhow::Result<Library> {
        if let Some(folder) = &self.doelen {
            return Ok(Library { purposes: purposes::read(folder)?, own_kind: None });
        }
        if !map.join(config::FILE).exists() {
            bail!(
                "{} is geen map van een knooppunt. Geef met --map die map, of met --doelen een map met doelen",
                map.display()
            )
        }
        let config = Config::load(map)?;
        let purposes = purposes::read(&map.join(&config.opslag.doelen))?;
        Ok(Library { purposes, own_kind: Some(config.organisatie.soort) })
    }
}

impl Library {
    /// The newest purpose of this name.
    fn purpose(&self, name: &str) -> anyhow::Result<&Text> {
        Ok(purposes::newest(&self.purposes, name)?)
    }
}

fn names<T: std::fmt::Display>(list: impl IntoIterator<Item = T>) -> String {
    list.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
