//! A small disk of its own, that can be filled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::wait::until;

/// A disk in memory that only the processes started inside it see, so that it goes away with them.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    at: PathBuf,
}

impl SmallDisk {
    /// A disk of so many KiB at `at`; nothing when this user may not make one.
    pub fn new(at: &Path, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let ready = at.with_extension("klaar");
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k tmpfs '{}' && touch '{}' && exec sleep 600",
            at.display(),
            ready.display()
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script]).stderr(Stdio::null());
        let mut disk = Self { holder: command.spawn().ok()?, at: at.to_owned() };
        until("the disk is there, or cannot be made", || {
            if ready.exists() {
                return Some(true);
            }
            disk.holder.try_wait().unwrap().map(|_| false)
        })
        .then_some(disk)
    }

    /// A command that runs where the disk is seen.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string(), "--wd=/"]).arg("--").arg(program);
        command
    }

    /// Leaves no room.
    pub fn fill(&self) {
        // Until it does not go any further, and the last blocks one by one.
        self.shell("dd if=/dev/zero of=vulling bs=64k 2>/dev/null; dd if=/dev/zero of=vulling2 bs=512 2>/dev/null; true");
    }

    /// Makes room again.
    pub fn make_room(&self) {
        self.shell("rm -f vulling vulling2");
    }

    /// Copies what is in a folder outside onto the disk.
    pub fn copy_in(&self, folder: &Path) {
        self.shell(&format!("cp -a '{}' .", folder.display()));
    }

    fn shell(&self, script: &str) {
        let script = format!("cd '{}' && {script}", self.at.display());
        let done = self.command(Path::new("sh")).args(["-c", &script]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
