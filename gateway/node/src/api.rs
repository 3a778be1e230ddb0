//! The local API of a node: REST for the organisation's own systems, on a listener of its own.
//!
//! It follows the NL API Design Rules. `openapi.json` beside this crate is the reference and `API.md` the introduction.
//! Handlers hold no rules: they read a request, call the use case that the commands call as well, and write the answer.
//! Whatever shows content goes through a [`store::Access`], made in [`access`].
//!
//! - [`listener`]: connections; [`routes`]: which path is what, for whom; [`gate`]: what every request goes through
//! - [`authentication`], [`tokens`], [`jwks`]: who asks; [`roles`]: what it may
//! - [`problem`], [`query`], [`body`], [`pagination`], [`idempotency`]: the form of requests and answers
//! - one file for each resource

mod access;
mod accesses;
mod authentication;
mod body;
mod call;
mod consents;
mod consultations;
mod desks;
mod events;
mod feedback;
mod figures;
mod gate;
mod handovers;
mod idempotency;
mod jwks;
mod limits;
mod listener;
mod messages;
mod own_desks;
mod pagination;
mod partners;
mod problem;
mod purposes;
mod query;
mod rates;
mod reference;
mod reports;
mod roles;
mod routes;
mod searches;
mod signal_terms;
mod signals;
mod submissions;
mod tokens;
mod undelivered;
mod webhooks;

pub use listener::RunningApi;
pub use reference::{REFERENCE, documented};
pub use roles::Role;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
};
use transport::{Identity, LocalTls, TlsError, Trust};

use crate::{
    config,
    node::Node,
    upkeep,
    webhooks::{self as hooks, Hook},
};
use authentication::Clients;
use events::Streams;
use idempotency::UnderWay;
use rates::Rates;
use tokens::Tokens;

/// What every request needs.
struct Api {
    node: Node,
    tls: LocalTls,
    clients: Clients,
    tokens: Option<Tokens>,
    rates: Rates,
    under_way: UnderWay,
    streams: Streams,
    /// Says that the API stops.
    stop: watch::Sender<bool>,
    /// Requests that are being answered.
    requests: Arc<Semaphore>,
    /// What bodies may hold in memory, in KiB.
    memory: Arc<Semaphore>,
}

/// The files that are read again when they change.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    anchors: Option<PathBuf>,
}

impl Files {
    fn read(&self) -> Result<(Identity, Option<Trust>), TlsError> {
        let identity = Identity::from_pem_files(&self.certificate, &self.key)?;
        let read = |path: &PathBuf| Trust::from_files(std::slice::from_ref(path), &[]);
        Ok((identity, self.anchors.as_ref().map(read).transpose()?))
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.anchors)
    }
}

/// Starts the API, if the configuration has one.
pub async fn start(node: &Node) -> anyhow::Result<Option<RunningApi>> {
    let Some(settings) = node.config.api.clone() else {
        node.core.store.keep_events(false).await?;
        return Ok(None);
    };
    let at = |path: &PathBuf| node.folder.join(path);
    let files = Files {
        certificate: at(&settings.certificaat),
        key: at(&settings.sleutel),
        anchors: settings.vertrouwensankers.as_ref().map(at),
    };
    let (identity, trust) = files.read().context("de API kan haar certificaat niet gebruiken")?;
    let tls = LocalTls::new(identity, trust.as_ref(), node.core.clock.clone())?;
    let tokens = settings.tokens.as_ref().map(|one| Tokens::new(&node.folder, one, node.core.clock.clone()));
    let tokens = tokens.transpose().context("[api.tokens] is niet te gebruiken")?;
    let hooks = settings.webhooks.iter().map(|one| {
        Hook::new(&node.folder, one)
            .with_context(|| format!("de webhook `{}` is niet te gebruiken", one.naam))
    });
    let hooks = hooks.collect::<Result<Vec<_>, _>>()?;
    let address = settings.luistert;
    let listening = TcpListener::bind(address).await;
    let listening = listening.with_context(|| {
        format!(
            "de API kan niet luisteren op {address}. Draait er al iets op die poort? Kies een andere bij `luistert` onder [api] in {}",
            config::FILE
        )
    })?;
    let api = Arc::new(Api {
        clients: Clients::new(&settings.clienten),
        tokens,
        rates: Rates::default(),
        under_way: UnderWay::default(),
        streams: Streams::default(),
        stop: watch::Sender::new(false),
        requests: Arc::new(Semaphore::new(limits::REQUESTS)),
        memory: Arc::new(Semaphore::new(limits::BODIES_KIB)),
        node: node.clone(),
        tls,
    });
    let mut upkeep = vec![tokio::spawn(keep(api.clone(), files)), tokio::spawn(keep_keys(api.clone()))];
    upkeep.extend(tell(&api, hooks).await?);
    RunningApi::start(api, listening, upkeep).map(Some)
}

/// Begins to keep what happens, and to tell of it.
async fn tell(api: &Api, hooks: Vec<Hook>) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let core = &api.node.core;
    core.store.keep_events(true).await?;
    let names: Vec<String> = hooks.iter().map(|hook| hook.name.clone()).collect();
    // Before anything is followed it is known how far there is something.
    core.events.send_replace(core.store.last_event().await?);
    let mut tasks = vec![tokio::spawn(crate::events::run(core.clone(), names))];
    tasks.extend(hooks.into_iter().map(|hook| tokio::spawn(hooks::run(core.clone(), hook))));
    Ok(tasks)
}

/// Runs until cancelled: reads the keys for tokens again when it is time. By itself: an issuer may be slow.
async fn keep_keys(api: Arc<Api>) {
    let Some(tokens) = &api.tokens else { return };
    loop {
        tokens.keep_keys().await;
        tokio::time::sleep(upkeep::INTERVAL).await;
    }
}

/// Runs until cancelled: takes certificates that were changed, and says in time that the certificate lapses.
async fn keep(api: Arc<Api>, files: Files) {
    let mut written = upkeep::written(files.all());
    let mut rounds: u32 = 0;
    loop {
        let now_written = upkeep::written(files.all());
        if now_written != written {
            written = now_written;
            let renewed = files.read().and_then(|(identity, trust)| api.tls.reload(identity, trust.as_ref()));
            match renewed {
                Ok(()) => tracing::info!("certificates of the API renewed"),
                Err(error) => {
                    tracing::error!(%error, "the new certificates of the API cannot be used; the previous ones stay");
                }
            }
        }
        if rounds.is_multiple_of(upkeep::WARN_EVERY) {
            let left = api.tls.certificate_expiry() - api.node.core.now().as_second();
            let days = left / upkeep::SECONDS_PER_DAY;
            if days < upkeep::WARN_DAYS {
                tracing::warn!(days, "the certificate of the API expires; renew it, a restart is not needed");
            }
        }
        rounds = rounds.wrapping_add(1);
        tokio::time::sleep(upkeep::INTERVAL).await;
    }
}
