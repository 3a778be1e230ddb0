//! A place with nodes in it, as their operators would make and run them.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use node::{
    node::Node as Opened,
    system::{SystemClock, SystemRandom},
};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    command::{Done, Running},
    wait::{Stopwatch, until},
};

/// The most messages that `schakel berichten` shows at a time.
const PAGE: usize = 500;

/// A temporary folder for a journey, gone when dropped.
#[derive(Debug)]
pub struct Place(TempDir);

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// An empty place.
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("schakel-reis-").tempdir().unwrap())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the authority for trying out is.
    pub fn authority(&self) -> PathBuf {
        self.path().join("autoriteit")
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs `schakel` here.
    pub fn cli(&self, arguments: &[&str]) -> Done {
        Running::schakel(self.path(), arguments).wait()
    }

    /// Makes a node with `schakel init`, on a port of its own.
    pub fn node(&self, name: &str, oin: &'static str, kind: &str) -> Node {
        let address = format!("127.0.0.1:{}", free_port());
        let done = self.cli(&[
            "init",
            "--json",
            "--map",
            name,
            "--oin",
            oin,
            "--naam",
            &format!("Organisatie {name}"),
            "--soort",
            kind,
            "--adres",
            &address,
            "--luister",
            &address,
            "--contact",
            "schakel@voorbeeld.test",
            "--fg",
            "fg@voorbeeld.test",
            "--proefautoriteit",
            "autoriteit",
        ]);
        let answer = done.expect(0).json();
        assert_eq!(answer["oin"], oin);
        Node { place: self.path().to_owned(), folder: self.path().join(name), oin, address }
    }

    /// Makes a node and serves it; with another port when somebody was quicker to take its own.
    pub fn serving(&self, name: &str, oin: &'static str, kind: &str) -> (Node, Serving) {
        for _ in 0..3 {
            let node = self.node(name, oin, kind);
            match node.try_serve() {
                Ok(serving) => return (node, serving),
                Err(done) if done.stderr.contains("al in gebruik") => {
                    fs::remove_dir_all(&node.folder).unwrap();
                }
                Err(done) => panic!("{done:?}"),
            }
        }
        panic!("every port is taken");
    }
}

/// A port that nobody listens on. Not one that the system gives to outgoing connections: a node that is killed must
/// find its port free when it comes back.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 2_000).unwrap_or(0) * 5;
    for _ in 0..10_000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (start + step) % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// A node that was made.
#[derive(Debug, Clone)]
pub struct Node {
    place: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// Its OIN.
    pub oin: &'static str,
    /// Where it listens.
    pub address: String,
}

/// A node that serves. Dropped, it is killed.
#[derive(Debug)]
pub struct Serving {
    /// The process.
    pub process: Running,
    /// From starting the process to being ready.
    pub started: Duration,
}

impl Node {
    /// Gives the node a command and waits for its end.
    pub fn cli(&self, arguments: &[&str]) -> Done {
        self.start(arguments).wait()
    }

    /// Gives the node a command.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let folder = self.folder.to_str().unwrap();
        Running::schakel(&self.place, arguments.iter().chain(&["--map", folder]))
    }

    /// The JSON answer to a command that goes well.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.cli(&[arguments, &["--json"]].concat()).expect(0).json()
    }

    /// Serves, or tells why it cannot.
    pub fn try_serve(&self) -> Result<Serving, Done> {
        let watch = Stopwatch::start();
        let process = self.start(&["serve", "--json"]);
        Serving::ready(process, watch)
    }

    /// Serves.
    pub fn serve(&self) -> Serving {
        self.try_serve().unwrap_or_else(|done| panic!("{done:?}"))
    }

    /// The path of a file of the node.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Offers an export with the mapping that comes with every node, and gives the report.
    pub fn send(&self, export: &Path, to: &str) -> Value {
        let done = self.try_send(export, to);
        assert!(matches!(done.code, 0 | 1), "{done:?}");
        done.json()
    }

    /// Offers an export.
    pub fn try_send(&self, export: &Path, to: &str) -> Done {
        self.start_sending(export, to).wait()
    }

    /// Begins to offer an export.
    pub fn start_sending(&self, export: &Path, to: &str) -> Running {
        let mapping = self.path("koppelingen/woningcorporatie-achterstanden.toml");
        self.start(&["verstuur", mapping.to_str().unwrap(), export.to_str().unwrap(), "--aan", to, "--json"])
    }

    /// Every message of one direction (`in` or `uit`).
    pub fn mailbox(&self, direction: &str) -> Mailbox {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let page = PAGE.to_string();
            let mut arguments = vec!["berichten", "--richting", direction, "--aantal", &page];
            let after = rows.last().map(|row| row["nummer"].to_string());
            if let Some(after) = &after {
                arguments.extend(["--na", after]);
            }
            let answer = self.json(&arguments);
            let found = answer["berichten"].as_array().unwrap();
            rows.extend(found.iter().cloned());
            if found.len() < PAGE {
                return Mailbox(rows);
            }
        }
    }

    /// Waits until nothing waits to be sent.
    pub fn settle(&self) {
        until("everything in the outbox is settled", || {
            let waiting = self.json(&["berichten", "--richting", "uit", "--stand", "wacht", "--aantal", "1"]);
            waiting["berichten"].as_array().unwrap().is_empty().then_some(())
        });
    }

    /// Has the next attempt for a partner wait, as another process of this node would after a failure.
    pub fn postpone(&self, partner: &str, failure: &str, wait: SignedDuration) {
        let noted = async {
            let node =
                Opened::open(&self.folder, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
            let now = node.core.now();
            let store = &node.core.store;
            store.note_partner_failure(partner.parse().unwrap(), failure, now, now + wait).await.unwrap();
        };
        tokio::runtime::Runtime::new().unwrap().block_on(noted);
    }

    /// Checks that the log is whole, and gives its size.
    pub fn verified_log(&self) -> u64 {
        let verdict = self.json(&["logboek", "verify"]);
        assert_eq!(verdict["heel"], true, "{verdict}");
        verdict["grootte"].as_u64().unwrap()
    }
}

impl Serving {
    /// Waits until a process that serves is ready.
    pub fn ready(mut process: Running, watch: Stopwatch) -> Result<Self, Done> {
        let line = process.first_line()?;
        let started = watch.elapsed();
        let said: Value = serde_json::from_str(&line).unwrap();
        // An error is a line as well.
        if said["luistert"].is_string() { Ok(Self { process, started }) } else { Err(process.wait()) }
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it in order and gives what it logged.
    pub fn stop(self) -> String {
        self.process.terminate().expect(0).stderr
    }
}

/// The messages of one direction.
#[derive(Debug)]
pub struct Mailbox(pub Vec<Value>);

impl Mailbox {
    /// How many there are in each state.
    pub fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for row in &self.0 {
            *states.entry(row["stand"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        states
    }

    /// The digests, sorted. Twice in it means twice there.
    pub fn digests(&self) -> Vec<&str> {
        let mut digests: Vec<&str> = self.0.iter().map(|row| row["bericht"].as_str().unwrap()).collect();
        digests.sort_unstable();
        digests
    }

    /// The ids, sorted.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.0.iter().filter_map(|row| row["id"].as_str()).collect();
        ids.sort_unstable();
        ids
    }
}
