//! The receiving node: the real `schakel serve`, in a process of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use node::{config::Config, system::SystemClock};
use tokio::process::{Child, Command};
use transport::{Identity, Link, LinkOptions, Request, Tls, TlsOptions, Trust};

use super::{clock, world::World};

/// How long a node may take to answer, at most.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts to reach it.
const LOOK: Duration = Duration::from_millis(1);

/// A serving node.
pub(super) struct Receiver {
    child: Child,
    pid: u32,
    /// From starting the process to the answer to a request over mutual TLS.
    pub(super) start: Duration,
}

impl Receiver {
    /// Starts the node and waits until it answers `probe`.
    pub(super) async fn start(program: &Path, world: &World, probe: &Probe) -> anyhow::Result<Self> {
        let log = world.receiver.join("serve.log");
        let start = clock::now();
        let mut child = Command::new(program)
            .args(["--json", "--map"])
            .arg(&world.receiver)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let pid = child.id().context("the node has ended")?;
        while !probe.answers(world).await {
            if let Some(status) = child.try_wait()? {
                bail!("the receiving node ended with {status}; see {}", log.display());
            }
            ensure!(start.elapsed() < PATIENCE, "the receiving node does not answer");
            tokio::time::sleep(LOOK).await;
        }
        Ok(Self { child, pid, start: start.elapsed() })
    }

    /// Its process.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills it as a power cut would (SIGKILL).
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Stops it in order (SIGTERM), and checks that it says it did.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let told = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.pid)).status().await?;
        ensure!(told.success(), "the receiving node cannot be told to stop");
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.context("it does not stop")??;
        ensure!(status.success(), "the receiving node ended with {status}");
        Ok(())
    }
}

/// Asks a node whether it is there, with the certificate of its partner.
pub(super) struct Probe {
    tls: Tls,
}

impl Probe {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { tls: tls(folder)? })
    }

    /// Whether the node answers a request over a new connection.
    pub(super) async fn answers(&self, world: &World) -> bool {
        // A port of UDP where nobody listens yet is silent for a second; one of TCP refuses at once.
        let options = LinkOptions { quic: false, ..LinkOptions::default() };
        let link = Link::new(self.tls.clone(), options);
        let response = link.send(&world.endpoint, Request::get("/v1/knooppunt")).await;
        matches!(response, Ok(response) if response.status == 200)
    }
}

/// The certificate and trust of the node in `folder`.
pub(super) fn tls(folder: &Path) -> anyhow::Result<Tls> {
    let config = Config::load(folder)?;
    let identity =
        Identity::from_pem_files(folder.join(&config.tls.certificaat), folder.join(&config.tls.sleutel))?;
    let trust = Trust::from_files(&[folder.join(&config.tls.vertrouwensankers)], &[])?;
    Ok(Tls::new(identity, &trust, TlsOptions::default(), Arc::new(SystemClock))?)
}

/// The `schakel` beside this program, built first so that it is of the same source.
pub(super) async fn program(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--package", "node", "--bin", "schakel"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    ensure!(build.status().await?.success(), "schakel cannot be built");
    let program = std::env::current_exe()?.with_file_name("schakel");
    ensure!(program.exists(), "{} is not there; name it with --schakel", program.display());
    Ok(program)
}
