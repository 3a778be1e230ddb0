//! How long the disk takes to make something durable: what bounds every latency from below.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use super::{clock, command::Times};

/// The file that is overwritten, so that no flush has to make it longer: as long as a write-ahead log in use.
const FILE_BYTES: usize = 16 << 20;
/// What a small transaction writes.
const WRITE_BYTES: usize = 32 << 10;
/// How often, at most.
const TIMES: usize = 300;
/// For how long, at most.
const LONGEST: Duration = Duration::from_secs(3);

/// Overwrites and flushes (fdatasync) a file in `root` again and again.
pub(super) fn flush(root: &Path) -> anyhow::Result<Times> {
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
    Ok(Times::of(took))
}
