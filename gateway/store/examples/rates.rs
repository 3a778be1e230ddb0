//! Measures the store on this machine: rows per second of queueing, delivering and filing, and memory.
//!
//! `cargo run --release -p store --example rates -- [messages] [group] [writers]`

#![allow(clippy::disallowed_methods, reason = "a measurement reads the machine's clock and randomness")]
#![allow(clippy::print_stdout, reason = "a measurement is there to be read")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use exchange::{
    digest::Digest,
    oin::Oin,
    random::Random,
    tlog::{Leaf, LogSigner},
};
use jiff::{SignedDuration, Timestamp};
use store::{
    Admitted, Arrival, BatchLimit, Options, Outgoing, PartnerCheckpoint, Priority, SentOutcome, StorageKey,
    Store, Verdict,
};
use uuid::Uuid;

struct Machine;

impl Random for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        let _ = getrandom::fill(bytes);
    }
}

/// How often the rate is printed.
const STEP: usize = 50_000;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let messages: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let group: usize = arguments.next().map_or(Ok(128), |text| text.parse())?;
    let writers: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    println!("before: rss {:.1} MB", rss()?);

    let store = open(&folder.path().join("in.db")).await?;
    println!("open: rss {:.1} MB", rss()?);
    run("file", &store, messages, group, writers, file).await?;
    store.close().await;

    let store = open(&folder.path().join("uit.db")).await?;
    run("enqueue", &store, messages, group, writers, enqueue).await?;
    deliver(&store, messages.min(200_000), group).await?;
    println!("end: rss {:.1} MB", rss()?);
    store.close().await;

    let start = Instant::now();
    let store = open_again(&folder.path().join("uit.db")).await?;
    println!("reopened in {:?}", start.elapsed());
    latency(&store).await?;
    store.close().await;
    Ok(())
}

async fn run<F, Fut>(
    name: &str,
    store: &Store,
    messages: usize,
    group: usize,
    writers: usize,
    operation: F,
) -> anyhow::Result<()>
where
    F: Fn(Store, usize) -> Fut + Copy + Send + 'static,
    Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut done = 0;
    while done < messages {
        let (start, cpu_before) = (Instant::now(), cpu()?);
        let step = STEP.min(messages);
        let tasks: Vec<_> = (0..writers)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    for _ in 0..step / group / writers {
                        operation(store.clone(), group).await?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        let rows = step / group / writers * writers * group;
        done += step;
        report(name, done, rows, start.elapsed(), cpu_before)?;
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

async fn enqueue(store: Store, group: usize) -> anyhow::Result<()> {
    let messages = (0..group).map(|_| outgoing(&store)).collect::<anyhow::Result<Vec<_>>>()?;
    store.enqueue(store.rules_version().await?, messages, Vec::new()).await?;
    Ok(())
}

async fn file(store: Store, group: usize) -> anyhow::Result<()> {
    let arrivals = (0..group).map(|_| arrival(&store)).collect::<anyhow::Result<Vec<_>>>()?;
    store.file(partner()?, store.rules_version().await?, arrivals, Timestamp::now()).await?;
    Ok(())
}

async fn deliver(store: &Store, messages: usize, group: usize) -> anyhow::Result<()> {
    let (start, cpu_before) = (Instant::now(), cpu()?);
    let mut done = 0;
    while done < messages {
        let limit = BatchLimit { count: group, bytes: 4 << 20 };
        let Some(lease) = store.lease_due(partner()?, Timestamp::now(), limit).await? else { break };
        let outcomes = vec![SentOutcome::Admitted; lease.messages().len()];
        let checkpoint = PartnerCheckpoint { size: u64::try_from(done)?, note: "note".into() };
        let receipt = "r".repeat(600 * outcomes.len());
        store.record_receipt(&lease, &outcomes, receipt, checkpoint, Timestamp::now()).await?;
        done += outcomes.len();
    }
    report("deliver", done, done, start.elapsed(), cpu_before)
}

/// One message at a time.
async fn latency(store: &Store) -> anyhow::Result<()> {
    let mut took = Vec::new();
    for _ in 0..200 {
        let arrival = arrival(store)?;
        let start = Instant::now();
        store.file(partner()?, store.rules_version().await?, vec![arrival], Timestamp::now()).await?;
        took.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    took.sort_unstable();
    println!("one at a time: p50 {:?} p99 {:?} max {:?}", took[100], took[198], took[199]);
    Ok(())
}

fn outgoing(store: &Store) -> anyhow::Result<Outgoing> {
    let id = id()?;
    let jws = jws();
    let now = Timestamp::now();
    Ok(Outgoing {
        to: partner()?,
        id,
        case: self::id()?,
        message_type: "nl.sociaaldomein.signalen.betalingsachterstand.v1".into(),
        purpose: "vroegsignalering-huur".into(),
        agreement: Digest::of(b"agreement"),
        digest: Digest::of(jws.as_bytes()),
        jws,
        leaf: leaf(),
        created: now,
        expires: now + SignedDuration::from_hours(700),
        priority: Priority::Normal,
        intake: std::env::var_os("INTAKE").map(|_| store.intake_key(id.as_bytes())),
    })
}

fn arrival(_: &Store) -> anyhow::Result<Arrival> {
    let jws = jws();
    let now = Timestamp::now();
    Ok(Arrival {
        id: Some(id()?),
        digest: Digest::of(jws.as_bytes()),
        verdict: Verdict::Admitted(Admitted {
            case: if std::env::var_os("RANDOM_CASES").is_some() { random_id() } else { id()? },
            message_type: "nl.sociaaldomein.signalen.betalingsachterstand.v1".into(),
            purpose: "vroegsignalering-huur".into(),
            agreement: Digest::of(b"agreement"),
            desk: Some("schuldhulp".into()),
            jws,
            created: now,
            expires: now + SignedDuration::from_hours(700),
        }),
        leaf: leaf(),
        conflict_leaf: leaf(),
    })
}

fn id() -> anyhow::Result<Uuid> {
    let mut random = [0; 10];
    Machine.fill(&mut random);
    let millis = u64::try_from(Timestamp::now().as_millisecond())?;
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

fn random_id() -> Uuid {
    let mut random = [0; 16];
    Machine.fill(&mut random);
    Uuid::from_bytes(random)
}

fn jws() -> String {
    "e".repeat(2048)
}

fn leaf() -> Leaf {
    Leaf::new(vec![b'l'; 400])
}

fn partner() -> anyhow::Result<Oin> {
    Ok("00000099000000002000".parse()?)
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
