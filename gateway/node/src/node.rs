//! A node: its folder opened, its core, its connections.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use exchange::{
    clock::Clock,
    descriptor::{Addresses, Descriptor},
    desk::Desk,
    entry::Entry,
    oin::Oin,
    purpose::Purpose,
    random::Random,
    tlog::LogVerifier,
};
use jiff::Timestamp;
use store::{Options, Store};
use transport::{Limits, Link, LinkOptions, Server, ServerOptions, Tls, TlsOptions};

use crate::{
    api::{self, RunningApi},
    bell,
    config::Config,
    consent,
    core::Core,
    delivery::Driver,
    desks,
    drop_folders::Results,
    handover,
    keys::{self, Keys},
    processing_log::{collector::Collector, export},
    purposes,
    routes::Routes,
    setup, signal_terms,
    upkeep::{self, TlsFiles},
};

/// The protocol version this node speaks.
const PROTOCOL: &str = "1";
/// How long requests under way get to finish when the node stops.
const DRAIN: Duration = Duration::from_secs(10);

/// An opened node: what every command works with. Clones share the same content.
#[derive(Clone)]
pub struct Node {
    /// Its folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// The path of a message.
    pub core: Arc<Core>,
    /// Its certificate and whom it trusts.
    pub tls: Tls,
    /// Connections to partners.
    pub link: Link,
    log_key: String,
}

/// A node that listens and delivers. Dropping it stops delivery; [`Running::stop`] does so in order.
pub struct Running {
    /// What listens.
    pub server: Server,
    driver: tokio::task::JoinHandle<()>,
    rules: tokio::task::JoinHandle<()>,
    endings: tokio::task::JoinHandle<()>,
    handovers: tokio::task::JoinHandle<()>,
    desks: tokio::task::JoinHandle<()>,
    signals: tokio::task::JoinHandle<()>,
    bell: Option<tokio::task::JoinHandle<()>>,
    exporting: Option<tokio::task::JoinHandle<()>>,
    /// What local systems connect to, if there is one.
    pub api: Option<RunningApi>,
    _lock: File,
}

impl Node {
    /// Opens the node in `folder`.
    pub async fn open(folder: &Path, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> anyhow::Result<Self> {
        Self::open_as(folder, false, clock, random).await
    }

    /// Opens the node in `folder` to check its log, also when the end of that log or the rules were changed. It can write
    /// nothing then.
    pub async fn open_to_check(
        folder: &Path,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> anyhow::Result<Self> {
        Self::open_as(folder, true, clock, random).await
    }

    async fn open_as(
        folder: &Path,
        unchecked: bool,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> anyhow::Result<Self> {
        let config = Config::load(folder)?;
        setup::check_signed(folder, &config)?;
        let keys = keys::load(&folder.join(&config.opslag.sleutels), config.organisatie.oin)?;
        let options = Options { unchecked, ..options(folder, &config, &keys, random.clone()) };
        let store = Store::open(options).await.map_err(explained)?;
        Self::assemble(folder, config, keys, (store, unchecked), (clock, random)).await
    }

    async fn assemble(
        folder: &Path,
        config: Config,
        keys: Keys,
        (store, unchecked): (Store, bool),
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> anyhow::Result<Self> {
        let (identity, trust) = tls_files(folder, &config).read()?;
        let options = TlsOptions { tls12: config.tls.tls12 };
        let tls = Tls::new(identity, &trust, options, clock.clone())?;
        let link =
            Link::new(tls.clone(), LinkOptions { quic: config.netwerk.quic, ..LinkOptions::default() });
        let log_key = keys.log.verifier().to_string();
        let (me, signer) = (config.organisatie.oin, Arc::new(keys.messages));
        let core = if unchecked {
            Core::to_check(me, store, signer, clock, random).await?
        } else {
            Core::new(me, store, signer, clock, random).await?
        };
        core.desks.store(Arc::new(desks::read(folder, &config.loketten)?));
        Ok(Self { folder: folder.to_owned(), config, core: Arc::new(core), tls, link, log_key })
    }

    /// What this node says of itself.
    pub fn descriptor(&self) -> Descriptor {
        self.descriptor_with(self.core.desks.load().to_vec())
    }

    /// What it would say with these desks.
    pub(crate) fn descriptor_with(&self, loketten: Vec<Desk>) -> Descriptor {
        let organisation = &self.config.organisatie;
        Descriptor {
            oin: organisation.oin,
            naam: organisation.naam.clone(),
            soort: organisation.soort,
            adressen: Addresses {
                tcp: self.config.netwerk.adres.clone(),
                quic: self.config.netwerk.quic.then(|| self.config.netwerk.adres.clone()),
            },
            sleutels: vec![self.core.signer.public_key().clone()],
            logsleutel: self.log_key.clone(),
            berichttypen: schemas::SchemaName::all()
                .filter_map(schemas::SchemaName::message_type)
                .map(str::to_owned)
                .collect(),
            loketten,
            protocolversies: vec![PROTOCOL.to_owned()],
        }
    }

    /// This node as a party of an agreement.
    pub fn party(&self) -> exchange::agreement::Party {
        let organisation = &self.config.organisatie;
        exchange::agreement::Party {
            oin: organisation.oin,
            naam: organisation.naam.clone(),
            soort: organisation.soort,
            sleutels: vec![self.core.signer.public_key().clone()],
            logsleutel: self.log_key.clone(),
            contact: organisation.contact.clone(),
            fg: organisation.fg.clone(),
        }
    }

    /// The key that verifies this node's log.
    pub fn log_verifier(&self) -> anyhow::Result<LogVerifier> {
        self.log_key.parse().context("de logsleutel is niet leesbaar")
    }

    /// The name of an organisation: this one, a partner or a party of an agreement; its OIN when nobody said it.
    pub fn name_of(&self, oin: Oin) -> String {
        if oin == self.core.me {
            return self.config.organisatie.naam.clone();
        }
        if let Some(partner) = self.core.partners().get(&oin) {
            return partner.naam.clone();
        }
        let rules = self.core.rules();
        let party = rules.agreements().find_map(|agreement| agreement.party(oin));
        party.map_or_else(|| oin.to_string(), |party| party.naam.clone())
    }

    /// The purposes in this node's register.
    pub fn purposes(&self) -> anyhow::Result<Vec<Purpose>> {
        purposes::read(&self.folder.join(&self.config.opslag.doelen))
    }

    /// Starts listening and delivering. One process at a time runs a node.
    pub async fn start(&self) -> anyhow::Result<Running> {
        let lock = self.lock()?;
        let driver = Driver::new(self.core.clone(), self.link.clone());
        let routes = Routes::new(self.core.clone(), driver.clone(), self.descriptor())?;
        let options = ServerOptions {
            tcp: self.config.netwerk.luister,
            quic: self.config.netwerk.quic.then_some(self.config.netwerk.luister),
            limits: Limits::default(),
        };
        let server = Server::bind(options, self.tls.clone(), routes).await.with_context(|| {
            format!(
                "kan niet luisteren op {}. Draait er al iets op die poort? Kies een andere bij `luister` in {}",
                self.config.netwerk.luister,
                crate::config::FILE
            )
        })?;
        let rules = tokio::spawn(upkeep::run(
            self.core.clone(),
            self.link.clone(),
            (self.tls.clone(), tls_files(&self.folder, &self.config)),
            Results::of(&self.folder, &self.config),
        ));
        let endings = tokio::spawn(consent::ending::run(self.core.clone()));
        let handovers = tokio::spawn(handover::owing::run(self.core.clone()));
        let desks = tokio::spawn(desks::watch(self.clone()));
        let signals = tokio::spawn(signal_terms::run(self.core.clone()));
        let bell = bell::answer(self.core.clone(), &self.folder);
        let exporting = self.start_exporting().await?;
        let api = api::start(self).await?;
        Ok(Running {
            server,
            driver: tokio::spawn(driver.run()),
            rules,
            endings,
            handovers,
            desks,
            signals,
            bell,
            exporting,
            api,
            _lock: lock,
        })
    }

    /// Starts bringing records of processings to the collector, if there is one.
    async fn start_exporting(&self) -> anyhow::Result<Option<tokio::task::JoinHandle<()>>> {
        let Some(settings) =
            self.config.dataverwerkingen.as_ref().filter(|settings| settings.adres.is_some())
        else {
            self.core.store.forget_erased_subjects().await?;
            return Ok(None);
        };
        let collector =
            Collector::of(&self.folder, settings).context("[dataverwerkingen] is niet te gebruiken")?;
        Ok(collector.map(|collector| {
            tokio::spawn(export::run(self.core.clone(), collector, settings.register.clone()))
        }))
    }

    fn lock(&self) -> anyhow::Result<File> {
        let path = self.folder.join("schakel.lock");
        let file = File::create(&path).with_context(|| format!("{} is niet te maken", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => {
                bail!(
                    "dit knooppunt draait al: een ander proces houdt {} vast. Stop dat eerst.",
                    path.display()
                )
            }
            Err(std::fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| path.display().to_string())
            }
        }
    }
}

impl Running {
    /// Stops taking requests, lets those under way finish, and stops delivering. What was not receipted stays due.
    pub async fn stop(self) {
        self.driver.abort();
        self.rules.abort();
        self.endings.abort();
        self.handovers.abort();
        self.desks.abort();
        self.signals.abort();
        for task in self.bell.iter().chain(&self.exporting) {
            task.abort();
        }
        if let Some(api) = self.api {
            api.stop(DRAIN).await;
        }
        if !self.server.shutdown(DRAIN).await {
            tracing::warn!("stopped while requests were still under way; their senders try again");
        }
    }
}

/// Makes the database of a new node.
pub async fn create_store(
    folder: &Path,
    config: &Config,
    random: Arc<dyn Random>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let keys = keys::load(&folder.join(&config.opslag.sleutels), config.organisatie.oin)?;
    let store = Store::create(options(folder, config, &keys, random)).await.map_err(explained)?;
    let begin = Entry::Begin { oin: config.organisatie.oin, tijd: now }.leaf();
    store.append(vec![begin]).await.map_err(explained)?;
    store.close().await;
    Ok(())
}

fn options(folder: &Path, config: &Config, keys: &Keys, random: Arc<dyn Random>) -> Options {
    let path = folder.join(&config.opslag.bestand);
    let options = Options::new(path, config.organisatie.oin, keys.storage.clone(), keys.log.clone(), random);
    let exports = config.dataverwerkingen.as_ref().is_some_and(|settings| settings.adres.is_some());
    Options { entry_keys: folder.join(&config.opslag.sleutels).join(keys::ENTRIES), exports, ..options }
}

fn tls_files(folder: &Path, config: &Config) -> TlsFiles {
    let at = |path: &PathBuf| folder.join(path);
    TlsFiles {
        certificate: at(&config.tls.certificaat),
        key: at(&config.tls.sleutel),
        anchors: at(&config.tls.vertrouwensankers),
        crls: config.tls.crls.iter().map(at).collect(),
    }
}

/// A store error with what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn explained(error: store::StoreError) -> anyhow::Error {
    anyhow::anyhow!("{}\n({error})", error.remedy())
}
