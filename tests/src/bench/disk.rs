//! How long the disk takes to make something durable: what bounds every latency from below.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use super::clock;

/// The file that is overwritten, so that no flush has to make it longer: as long as a write-ahead log in use.
const FILE_BYTES: usize = 16 << 20;
/// What a small transaction writes.
const WRITE_BYTES: usize = 32 << 10;
/// How often, at most.
const TIMES: usize = 300;
/// For how long, at most.
const LONGEST: Duration = Duration::from_secs(3);

/// How long one flush takes, ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flush {
    /// Half are quicker.
    pub(super) p50_ms: f64,
    /// 99 of a hundred are quicker.
    pub(super) p99_ms: f64,
}

/// Overwrites and flushes (fdatasync) a file in `root` again and again.
pub(super) fn flush(root: &Path) -> anyhow::Result<Flush> {
    let path = root.join("flush");
    let mut file = File::create(&path)?;
    file.write_all(&vec![0; FILE_BYTES])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let written = vec![1; WRITE_BYTES];
    let (start, mut took) = (clock::now(), Vec::new());
    while took.len() < TIMES && start.elapsed() < LONGEST {
        file.write_all(&written)?;
        let before = clock::now();
        file.sync_data()?;
        took.push(before.elapsed());
    }
    std::fs::remove_file(path)?;
    let times = super::load::percentiles(took);
    Ok(Flush { p50_ms: times.p50_ms, p99_ms: times.p99_ms })
}
