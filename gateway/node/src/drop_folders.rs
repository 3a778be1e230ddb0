//! The watched folders of a running node.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use adapters::{
    Mapping,
    channel::drop_folder::{Claim, DONE, DropFolder, FAILED, Keep, Watch, clear},
};
use anyhow::Context as _;
use exchange::oin::Oin;
use jiff::{SignedDuration, Timestamp};
use store::Access;
use tokio::task::JoinHandle;

use crate::{
    access,
    config::Config,
    core::Core,
    explain::explain,
    intake::{self, Offer},
    node::Node,
};

/// The tasks that watch.
pub struct DropFolders(Vec<JoinHandle<()>>);

impl DropFolders {
    /// Stops watching. A file that is being taken in is taken up again at the next start, and nothing is sent twice.
    pub fn stop(self) {
        for task in self.0 {
            task.abort();
        }
    }
}

/// Reads a mapping file.
pub fn mapping(path: &Path) -> anyhow::Result<Mapping> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("de mapping {} is niet te lezen", path.display()))?;
    Ok(Mapping::parse(&text, &path.display().to_string())?)
}

/// A file is taken when nothing was written to it for this long.
const QUIET: Duration = Duration::from_secs(2);
/// How often to look, whatever the system reports.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long to wait after a folder could not be read.
const AFTER_TROUBLE: Duration = Duration::from_secs(30);

/// Watches the folder of every connection that has one.
pub fn start(node: &Node) -> anyhow::Result<DropFolders> {
    let mut tasks = Vec::new();
    for connection in &node.config.koppelingen {
        let Some(folder) = &connection.map else { continue };
        let path = node.folder.join(folder);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("de map {} is niet te maken", path.display()))?;
        let watcher = Watcher {
            core: node.core.clone(),
            mapping: mapping(&node.folder.join(&connection.mapping))?,
            to: connection.ontvanger,
            keeps: connection.klaar_dagen > 0,
            name: connection.naam.clone(),
            by: access::local_system(&connection.naam, node.core.now())
                .context("een koppeling heeft een naam van hooguit 100 tekens op één regel")?,
        };
        let watch = Watch::start(DropFolder::open(&path, QUIET)?, INTERVAL)?;
        tasks.push(tokio::spawn(watcher.run(watch)));
    }
    Ok(DropFolders(tasks))
}

/// What the connections of a node leave behind, and for how long.
#[derive(Debug, Clone, Default)]
pub struct Results(Vec<(String, PathBuf, Keep)>);

impl Results {
    /// Of the connections that have a folder.
    pub fn of(folder: &Path, config: &Config) -> Self {
        let days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
        let watched = config.koppelingen.iter().filter_map(|connection| {
            let keep = Keep { done: days(connection.klaar_dagen), failed: days(connection.fout_dagen) };
            Some((connection.naam.clone(), folder.join(connection.map.as_ref()?), keep))
        });
        Self(watched.collect())
    }

    /// The folders in which something lies, of which nobody looked whom it is about.
    pub fn not_searched(&self) -> Vec<PathBuf> {
        let folders = self.0.iter().flat_map(|(_, path, _)| [path.join(DONE), path.join(FAILED)]);
        folders.filter(|path| path.read_dir().is_ok_and(|mut files| files.next().is_some())).collect()
    }

    /// Removes what may not be kept any longer; says how many files. A folder that cannot be cleared now is in the program's
    /// log, and does not keep the others.
    pub async fn clear(&self, now: Timestamp) -> u64 {
        let all = self.0.clone();
        let clearing = tokio::task::spawn_blocking(move || {
            let one = |(name, path, keep): &(String, PathBuf, Keep)| {
                clear(path, *keep, now).unwrap_or_else(|error| {
                    tracing::error!(connection = name, %error, "cannot clear the results of a connection; trying again later");
                    0
                })
            };
            all.iter().map(one).sum()
        });
        clearing.await.unwrap_or_default()
    }
}

/// Takes in the files of one connection.
struct Watcher {
    core: Arc<Core>,
    mapping: Mapping,
    to: Oin,
    /// Whether what was taken in stays for a while.
    keeps: bool,
    name: String,
    /// The local system, for the access log.
    by: Access,
}

impl Watcher {
    async fn run(self, mut watch: Watch) {
        loop {
            match watch.next(|| self.core.now()).await {
                Ok(claim) => self.take_in(claim).await,
                Err(error) => {
                    tracing::error!(connection = self.name, %error, "cannot read the drop folder");
                    tokio::time::sleep(AFTER_TROUBLE).await;
                }
            }
        }
    }

    async fn take_in(&self, claim: Claim) {
        let by = Access { when: self.core.now(), ..self.by.clone() };
        let offer = Offer {
            mapping: &self.mapping,
            to: self.to,
            path: claim.path(),
            rejects: Some(claim.rejects_path()),
            by: &by,
        };
        let moved = match intake::take_in(&self.core, &offer, |_| {}).await {
            Ok(report) => {
                tracing::info!(
                    connection = self.name,
                    read = report.read,
                    sent = report.sent,
                    sent_before = report.sent_before,
                    held_back = report.held_back_total(),
                    unreadable = report.unreadable,
                    "took in a file"
                );
                claim.done().map(|done| {
                    if !self.keeps {
                        self.remove(&done);
                    }
                })
            }
            Err(error) => {
                tracing::error!(
                    connection = self.name,
                    "a file could not be taken in; the message beside it says why"
                );
                claim.failed(&explain(&error.into())).map(drop)
            }
        };
        if let Err(error) = moved {
            tracing::error!(connection = self.name, %error, "cannot move a file that was taken in");
        }
    }

    /// Every row of it is durable by now, or stands in the rejects.
    fn remove(&self, done: &Path) {
        if let Err(error) = std::fs::remove_file(done) {
            tracing::error!(connection = self.name, %error, "cannot remove a file that was taken in; trying again later");
        }
    }
}
