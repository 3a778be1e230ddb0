//! Measures the store on this machine: rows per second of queueing, delivering and filing, and memory.
//!
//! `cargo run --release -p store --example rates -- [messages] [group] [writers]`
//!
//! The messages are real, as the store takes no others. They are made before what is measured; the memory shown has
//! them in it.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the machine's clock and randomness")]
#![allow(clippy::print_stdout, reason = "a measurement is there to be read")]

use std::{
    cell::Cell,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use ed25519_dalek::SigningKey;
use exchange::{
    agreement::Agreement,
    id,
    message::{AdmittedMessage, Draft, ReceivedMessage, SignedMessage},
    oin::Oin,
    policy::ConsentKnowledge,
    purpose::Purpose,
    random::Random,
    rulebook::Rulebook,
    signature::Ed25519Signer,
    tlog::LogSigner,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::{Arrival, BatchLimit, Options, Outgoing, PartnerCheckpoint, SentOutcome, StorageKey, Store};
use uuid::Uuid;

struct Machine;

impl Random for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        let _ = getrandom::fill(bytes);
    }
}

/// How often the rate is printed, and how many messages are made at once.
const STEP: usize = 10_000;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let messages: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let group: usize = arguments.next().map_or(Ok(128), |text| text.parse())?;
    let writers: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let world = World::make()?;
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    println!("before: rss {:.1} MB", rss()?);

    let store = open(&folder.path().join("in.db")).await?;
    println!("open: rss {:.1} MB", rss()?);
    run("file", &store, (messages, group, writers), || world.arrival(), file).await?;
    store.close().await;

    let store = open(&folder.path().join("uit.db")).await?;
    let make = || world.outgoing(&store);
    run("enqueue", &store, (messages, group, writers), make, enqueue).await?;
    deliver(&store, &world, messages.min(200_000), group).await?;
    println!("end: rss {:.1} MB", rss()?);
    store.close().await;

    let start = Instant::now();
    let store = open_again(&folder.path().join("uit.db")).await?;
    println!("reopened in {:?}", start.elapsed());
    latency(&store, &world).await?;
    store.close().await;
    Ok(())
}

async fn run<T, F, Fut>(
    name: &str,
    store: &Store,
    (messages, group, writers): (usize, usize, usize),
    make: impl Fn() -> anyhow::Result<T>,
    operation: F,
) -> anyhow::Result<()>
where
    T: Send + 'static,
    F: Fn(Store, Vec<T>) -> Fut + Copy + Send + 'static,
    Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut done = 0;
    while done < messages {
        let groups = STEP.min(messages) / group / writers;
        let make_group = || (0..group).map(|_| make()).collect::<anyhow::Result<Vec<T>>>();
        let of_writer = || (0..groups).map(|_| make_group()).collect::<anyhow::Result<Vec<_>>>();
        let of_writers = (0..writers).map(|_| of_writer()).collect::<anyhow::Result<Vec<_>>>()?;
        let (start, cpu_before) = (Instant::now(), cpu()?);
        let writing = |groups: Vec<Vec<T>>| {
            let store = store.clone();
            tokio::spawn(async move {
                for group in groups {
                    operation(store.clone(), group).await?;
                }
                anyhow::Ok(())
            })
        };
        let tasks: Vec<_> = of_writers.into_iter().map(writing).collect();
        for task in tasks {
            task.await??;
        }
        done += STEP.min(messages);
        report(name, done, groups * writers * group, start.elapsed(), cpu_before)?;
    }
    Ok(())
}

fn report(name: &str, total: usize, rows: usize, took: Duration, before: [f64; 2]) -> anyhow::Result<()> {
    let rows = f64::from(u32::try_from(rows)?);
    let each = |seconds: f64| seconds * 1e6 / rows;
    let after = cpu()?;
    println!(
        "{name:8} {total:>9}: {:>7.0}/s {:>6.1} us wall {:>5.1} us cpu {:>5.1} us kernel each, rss {:.1} MB",
        rows / took.as_secs_f64(),
        each(took.as_secs_f64()),
        each(after[0] - before[0]),
        each(after[1] - before[1]),
        rss()?
    );
    Ok(())
}

async fn enqueue(store: Store, messages: Vec<Outgoing>) -> anyhow::Result<()> {
    store.enqueue(store.rules_version().await?, messages, Vec::new()).await?;
    Ok(())
}

async fn file(store: Store, arrivals: Vec<Arrival>) -> anyhow::Result<()> {
    store.file(store.rules_version().await?, arrivals).await?;
    Ok(())
}

async fn deliver(store: &Store, world: &World, messages: usize, group: usize) -> anyhow::Result<()> {
    let (start, cpu_before) = (Instant::now(), cpu()?);
    let mut done = 0;
    while done < messages {
        let limit = BatchLimit { count: group, bytes: 4 << 20 };
        let Some(lease) = store.lease_due(world.draft.to, world.now(), limit).await? else { break };
        let outcomes = vec![SentOutcome::Admitted; lease.messages().len()];
        let checkpoint = PartnerCheckpoint { size: u64::try_from(done)?, note: "note".into() };
        let receipt = "r".repeat(600 * outcomes.len());
        store.record_receipt(&lease, &outcomes, receipt, checkpoint, world.now()).await?;
        done += outcomes.len();
    }
    report("deliver", done, done, start.elapsed(), cpu_before)
}

/// One message at a time.
async fn latency(store: &Store, world: &World) -> anyhow::Result<()> {
    let mut took = Vec::new();
    for _ in 0..200 {
        let arrival = world.arrival()?;
        let start = Instant::now();
        store.file(store.rules_version().await?, vec![arrival]).await?;
        took.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    took.sort_unstable();
    println!("one at a time: p50 {:?} p99 {:?} max {:?}", took[100], took[198], took[199]);
    Ok(())
}

/// The organisations of the test vectors, what they agreed, and what one sends the other.
struct World {
    rules: Rulebook,
    sender: Ed25519Signer,
    draft: Draft,
    /// Every message is made a millisecond after the one before.
    made: Cell<i64>,
}

impl World {
    fn make() -> anyhow::Result<Self> {
        let purposes = vector(include_str!("../../vectors/purposes.json"))?;
        let purposes = purposes.as_array().into_iter().flatten();
        let purposes: Vec<Purpose> =
            purposes.map(|one| Ok(Purpose::from_json(text(&one["jcs"])?)?)).collect::<anyhow::Result<_>>()?;
        let file = vector(include_str!("../../vectors/agreement.json"))?;
        let mut agreement = Agreement::parse(text(&file["jcs"])?)?;
        for answer in file["answers"].as_array().into_iter().flatten() {
            agreement.add_answer(text(&answer["jws"])?)?;
        }
        let message = vector(include_str!("../../vectors/message.json"))?;
        let (from, to, now) = (
            text(&message["from"])?.parse()?,
            text(&message["to"])?.parse()?,
            text(&message["now"])?.parse()?,
        );
        let rules = Rulebook::new([agreement], purposes);
        let known = admitted(text(&message["jws"])?, (from, to), &rules, now)?;
        let draft = Draft {
            id: known.id(),
            from,
            to,
            agreement: known.agreement(),
            purpose: known.purpose().to_owned(),
            case: known.case(),
            desk: known.desk().map(str::to_owned),
            time: now,
            expires: known.expires(),
            document: known.document().clone(),
        };
        // The seed of the corporation in the vectors.
        Ok(Self { rules, sender: Ed25519Signer::from_seed(&[1; 32]), draft, made: Cell::new(0) })
    }

    /// The moment of the message made last.
    fn now(&self) -> Timestamp {
        self.draft.time + SignedDuration::from_millis(self.made.get())
    }

    fn signed(&self) -> anyhow::Result<SignedMessage> {
        self.made.set(self.made.get() + 1);
        let time = self.now();
        let expires = time + SignedDuration::from_hours(700);
        let random = std::env::var_os("RANDOM_CASES").is_some();
        let case = if random { random_id() } else { id::new(time, &Machine) };
        let draft = Draft { id: id::new(time, &Machine), case, time, expires, ..self.draft.clone() };
        Ok(draft.permit(&self.rules, ConsentKnowledge::NothingElse)?.sign(&self.sender)?)
    }

    fn outgoing(&self, store: &Store) -> anyhow::Result<Outgoing> {
        let message = self.signed()?;
        let row = std::env::var_os("INTAKE").map(|_| store.intake_key(message.draft().id.as_bytes()));
        let outgoing = Outgoing::from(message);
        Ok(match row {
            Some(row) => outgoing.of_row(row),
            None => outgoing,
        })
    }

    fn arrival(&self) -> anyhow::Result<Arrival> {
        let (message, now) = (self.signed()?, self.now());
        let between = (self.draft.from, self.draft.to);
        Ok(Arrival::new(Ok(admitted(message.compact(), between, &self.rules, now)?), now))
    }
}

fn admitted(
    compact: &str,
    (from, to): (Oin, Oin),
    rules: &Rulebook,
    now: Timestamp,
) -> anyhow::Result<AdmittedMessage> {
    ReceivedMessage::new(compact, from)
        .verify(to, rules, now)
        .and_then(|verified| verified.admit(rules, ConsentKnowledge::NothingElse, now))
        .map_err(|refused| anyhow!("{}", refused.refusal()))
}

fn vector(text: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(text)?)
}

fn text(value: &Value) -> anyhow::Result<&str> {
    value.as_str().ok_or_else(|| anyhow!("a vector without a text"))
}

/// A case as a partner could choose it: in no order.
fn random_id() -> Uuid {
    let mut random = [0; 16];
    Machine.fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

async fn open(path: &Path) -> anyhow::Result<Store> {
    Ok(Store::create(options(path)?).await?)
}

async fn open_again(path: &Path) -> anyhow::Result<Store> {
    Ok(Store::open(options(path)?).await?)
}

fn options(path: &Path) -> anyhow::Result<Options> {
    let oin: Oin = "00000099000000001000".parse()?;
    let log = LogSigner::new(oin.log_origin(), SigningKey::from_bytes(&[7; 32]))?;
    Ok(Options::new(path.to_owned(), oin, StorageKey::from_bytes([1; 32]), Arc::new(log), Arc::new(Machine)))
}

/// Resident memory of this process, in MB.
fn rss() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(kib / 1024.0)
}

/// What this process has used of the processors, itself and through the kernel.
fn cpu() -> anyhow::Result<[f64; 2]> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok([fields[11].parse::<f64>()? / 100.0, fields[12].parse::<f64>()? / 100.0])
}
