//! The bell: a command that wrote beside the running node rings it, so that what waits goes at once.
//!
//! It says nothing but that there may be something. Who cannot ring it, or rings while no node runs, loses nothing: the node
//! looks by itself, only later.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram as Ringer},
    path::Path,
    sync::Arc,
};

use tokio::{net::UnixDatagram, task::JoinHandle};

use crate::core::Core;

/// A socket in the folder of the node.
const FILE: &str = "schakel.bel";
const OWNER_ONLY: u32 = 0o600;

/// Answers the bell until cancelled. The caller is the only process that runs this node.
pub fn answer(core: Arc<Core>, folder: &Path) -> Option<JoinHandle<()>> {
    match hang(folder) {
        Ok(bell) => Some(tokio::spawn(async move {
            // A ring holds one byte; of more that came meanwhile one look is enough.
            while bell.recv(&mut [0; 1]).await.is_ok() {
                core.work.notify_one();
                core.handovers.notify_one();
                core.endings.notify_one();
            }
        })),
        Err(error) => {
            tracing::warn!(
                %error,
                "there is no bell in the folder of the node: what commands do is noticed a second later. A shorter path helps if it is too long"
            );
            None
        }
    }
}

fn hang(folder: &Path) -> io::Result<UnixDatagram> {
    let path = folder.join(FILE);
    match fs::remove_file(&path) {
        // What a crash left.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let bell = UnixDatagram::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(OWNER_ONLY))?;
    Ok(bell)
}

/// Rings it, if a node runs in this folder. Never waits: a bell that is full has been rung.
pub fn ring(folder: &Path) {
    let rung = Ringer::unbound().and_then(|ringer| {
        ringer.set_nonblocking(true)?;
        ringer.send_to(&[1], folder.join(FILE))
    });
    if let Err(error) = rung {
        tracing::debug!(%error, "nobody answers the bell");
    }
}

#[cfg(test)]
mod tests;
