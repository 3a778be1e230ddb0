//! Looks into a drop folder at the right moments: when the system says something came in, and every so often anyway,
//! because network folders and full tables of watches say nothing.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Claim, DropFolder, DropFolderError, unusable};

/// Notices kept while nobody listens. What is over is found at the next look.
const MAX_NOTICES: usize = 1024;

/// What the system says about the folder.
enum Notice {
    /// A file was renamed in: it is complete.
    RenamedIn(OsString),
    /// Something appeared.
    Appeared,
}

/// A drop folder, watched.
#[derive(Debug)]
pub struct Watch {
    state: Arc<Mutex<State>>,
    notices: mpsc::Receiver<Notice>,
    /// Absent where the system cannot watch; then only looking helps.
    _watcher: Option<RecommendedWatcher>,
    interval: Duration,
    started: Instant,
    next_look: Instant,
}

#[derive(Debug)]
struct State {
    folder: DropFolder,
    ready: VecDeque<Claim>,
}

impl Watch {
    /// Watches `folder` and looks every `interval` at the latest. What was left unfinished comes first.
    pub fn start(mut folder: DropFolder, interval: Duration) -> Result<Watch, DropFolderError> {
        let ready = folder.recover()?.into();
        let (sender, notices) = mpsc::channel(MAX_NOTICES);
        let watcher = watch(&folder.root, sender).map_err(|error| {
            tracing::warn!(%error, "cannot watch the drop folder; looking at intervals only");
        });
        let now = Instant::now();
        Ok(Watch {
            state: Arc::new(Mutex::new(State { folder, ready })),
            notices,
            _watcher: watcher.ok(),
            interval,
            started: now,
            next_look: now,
        })
    }

    /// As on a system that cannot watch.
    #[cfg(test)]
    pub(super) fn unwatched(self) -> Watch {
        Watch { _watcher: None, ..self }
    }

    /// Waits for the next file. After an error it can be called again: it then waits a while first. Dropping the
    /// future loses nothing. `now` is only for names.
    pub async fn next(&mut self, now: impl Fn() -> Timestamp + Send) -> Result<Claim, DropFolderError> {
        loop {
            if let Some(claim) = lock(&self.state).ready.pop_front() {
                return Ok(claim);
            }
            self.wait().await;
            // Set before looking, so that a failing folder is not looked at without pause.
            self.next_look = Instant::now() + self.interval;
            self.look(now()).await?;
        }
    }

    /// Until something comes in or it is time to look.
    async fn wait(&mut self) {
        match tokio::time::timeout_at(self.next_look, self.notices.recv()).await {
            Ok(Some(notice)) => self.note(notice),
            Ok(None) => tokio::time::sleep_until(self.next_look).await,
            Err(_elapsed) => {}
        }
        while let Ok(notice) = self.notices.try_recv() {
            self.note(notice);
        }
    }

    fn note(&self, notice: Notice) {
        if let Notice::RenamedIn(name) = notice {
            lock(&self.state).folder.renamed_in(name);
        }
    }

    /// One look, on a thread that may block: a network folder can take its time.
    async fn look(&mut self, now: Timestamp) -> Result<(), DropFolderError> {
        let elapsed = self.started.elapsed();
        let state = Arc::clone(&self.state);
        let look = move || {
            let mut state = lock(&state);
            let claims = state.folder.scan(elapsed, now)?;
            state.ready.extend(claims);
            Ok(())
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_else(|stopped| {
            Err(unusable(&lock(&self.state).folder.root, std::io::Error::other(stopped)))
        })
    }
}

/// The state, also after a panic elsewhere: each step leaves it whole.
fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(root: &Path, sender: mpsc::Sender<Notice>) -> notify::Result<RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let notice = match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => event
                .paths
                .last()
                .and_then(|path| path.file_name())
                .map(|name| Notice::RenamedIn(name.to_owned())),
            EventKind::Create(_) => Some(Notice::Appeared),
            _ => None,
        };
        if let Some(notice) = notice {
            // A full queue means a look is due anyway.
            let _unheard = sender.try_send(notice);
        }
    };
    let mut watcher = notify::recommended_watcher(tell)?;
    watcher.watch(root, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
