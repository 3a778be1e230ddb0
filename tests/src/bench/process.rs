//! What processes use, from `/proc` (proc(5)).

use std::{fs, time::Duration};

use anyhow::Context as _;

/// `USER_HZ`: 100 on every architecture that Linux runs on in practice.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that process `pid` has used, all its threads together, also those that ended.
pub(super) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    // The name, in brackets, may hold anything; what follows it is numbers.
    let numbers = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        |place: usize| numbers.split_whitespace().nth(place).and_then(|text| text.parse::<u32>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok(TICK * (user + system)),
        _ => anyhow::bail!("/proc/{pid}/stat is not as proc(5) says"),
    }
}

/// The processor time that this process has used.
pub(super) fn own_cpu() -> anyhow::Result<Duration> {
    cpu(std::process::id())
}

/// The same since it was `before`.
pub(super) fn own_cpu_since(before: Duration) -> anyhow::Result<Duration> {
    Ok(own_cpu()?.saturating_sub(before))
}

/// The processor time that everything on this machine has used, idle time and waiting for disks not included.
pub(super) fn machine_cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guests are counted in user.
    let [user, nice, system, _, _, irq, softirq, steal, ..] = ticks[..] else {
        anyhow::bail!("/proc/stat is not as proc(5) says")
    };
    let busy = user + nice + system + irq + softirq + steal;
    Ok(TICK * u32::try_from(busy).context("this machine is up too long")?)
}

/// What is resident of a process, in MB (10⁶ bytes): now and at most so far.
pub(super) fn resident(pid: u32) -> anyhow::Result<Resident> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let field = |name: &str| -> anyhow::Result<f64> {
        let line = status.lines().find(|line| line.starts_with(name)).context("no such field in status")?;
        let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
        Ok(kib * 1024.0 / 1e6)
    };
    Ok(Resident { now: field("VmRSS:")?, peak: field("VmHWM:")? })
}

/// Resident memory, in MB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resident {
    pub(super) now: f64,
    pub(super) peak: f64,
}

/// The processors this process may use.
pub(super) fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// Microseconds of `time` for each of `count`.
pub(super) fn micros_each(time: Duration, count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
    let count = count.max(1) as f64;
    time.as_secs_f64() * 1e6 / count
}

/// How many in each second.
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
    let count = count as f64;
    count / time.as_secs_f64().max(f64::MIN_POSITIVE)
}
