//! `schakel init`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;
use exchange::{clock::Clock as _, oin::Oin, organisation::OrganisationKind};

use super::{Ending, Output, shown};
use crate::{
    config::{Config, Network, Organisation, Storage, Tls},
    setup,
    system::{SystemClock, SystemRandom},
};

/// Maak een knooppunt: sleutels, certificaataanvraag, doelenregister, instellingen en database.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel init --map rivierstad --oin 00000099000000001000 --naam 'Gemeente Rivierstad' --soort gemeente --adres schakel.rivierstad.test:8443 --contact beheer@rivierstad.test --fg fg@rivierstad.test\n  schakel init --map proef --oin 00000099000000001000 --naam Proef --soort gemeente --adres 127.0.0.1:8443 --proefautoriteit autoriteit"
)]
pub(super) struct Init {
    /// Het OIN van de organisatie, zoals in het certificaat.
    #[arg(long)]
    oin: Oin,
    /// De naam van de organisatie.
    #[arg(long)]
    naam: String,
    /// Het soort organisatie: gemeente, woningcorporatie, sociale-dienst, uwv, vastelastenpartner, zorgaanbieder,
    /// welzijn of wijkteam.
    #[arg(long)]
    soort: OrganisationKind,
    /// HOST:POORT waarop partners dit knooppunt bereiken.
    #[arg(long)]
    adres: String,
    /// ADRES:POORT om op te luisteren. Zonder deze optie: alle adressen, op de poort van --adres.
    #[arg(long)]
    luister: Option<SocketAddr>,
    /// Bied ook QUIC aan, op dezelfde poort over UDP.
    #[arg(long)]
    quic: bool,
    /// Waar partners terechtkunnen met vragen over de uitwisseling.
    #[arg(long, default_value = "onbekend")]
    contact: String,
    /// Hoe de functionaris gegevensbescherming te bereiken is.
    #[arg(long, default_value = "onbekend")]
    fg: String,
    /// Map met een certificaatautoriteit om mee te proberen; wordt gemaakt als ze er nog niet is. Niet voor echte
    /// gegevens van inwoners.
    #[arg(long, value_name = "MAP")]
    proefautoriteit: Option<PathBuf>,
}

impl Init {
    pub(super) async fn run(self, folder: &Path, output: Output) -> anyhow::Result<Ending> {
        let (now, random) = (SystemClock.now(), Arc::new(SystemRandom));
        let authority = match &self.proefautoriteit {
            Some(folder) => Some(setup::trial_authority(folder, now, &*random)?),
            None => None,
        };
        let config = self.config()?;
        setup::create(folder, &config, authority.as_ref(), now, random).await?;
        output.say(format!("Het knooppunt van {} staat in {}.", config.organisatie.naam, folder.display()));
        if authority.is_none() {
            output.say(format!(
                "Laat {} ondertekenen door de certificaatautoriteit van uw groep. Zet daarna het certificaat in {} en de certificaten van de autoriteit in {}.",
                setup::request_path(folder).display(),
                folder.join(&config.tls.certificaat).display(),
                folder.join(&config.tls.vertrouwensankers).display(),
            ));
        }
        output.say(format!(
            "Bewaar een reservekopie van {} op een veilige plek: zonder deze sleutels zijn de berichten niet te lezen.",
            folder.join(&config.opslag.sleutels).display()
        ));
        output.say(format!("Start het knooppunt met: schakel serve --map {}", folder.display()));
        output.answer(&serde_json::json!({
            "map": shown(folder),
            "oin": config.organisatie.oin,
            "aanvraag": authority.is_none().then(|| shown(&setup::request_path(folder))),
        }));
        Ok(Ending::Good)
    }

    fn config(&self) -> anyhow::Result<Config> {
        let port = self.adres.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.context("geef --adres als HOST:POORT, bijvoorbeeld schakel.rivierstad.test:8443")?;
        let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        Ok(Config {
            organisatie: Organisation {
                oin: self.oin,
                naam: self.naam.clone(),
                soort: self.soort,
                contact: self.contact.clone(),
                fg: self.fg.clone(),
            },
            netwerk: Network {
                luister: self.luister.unwrap_or(everywhere),
                adres: self.adres.clone(),
                quic: self.quic,
            },
            tls: Tls::default(),
            opslag: Storage::default(),
            dataverwerkingen: None,
            api: None,
            koppelingen: Vec::new(),
            loketten: Vec::new(),
        })
    }
}
