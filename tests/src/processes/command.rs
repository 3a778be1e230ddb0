//! Processes: run to their end, or kept running until they are stopped, killed or dropped.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use super::{program::schakel, wait::until};

/// A process that came to its end.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; 128 and the signal when a signal ended it.
    pub code: i32,
    /// What it answered.
    pub stdout: String,
    /// What it told besides.
    pub stderr: String,
}

impl Done {
    /// The answer as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Checks the exit code.
    #[allow(clippy::return_self_not_must_use, reason = "often it is all that one wants to know")]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Checks that it could not be carried out (exit code 3), that the last line on standard error is a Dutch error,
    /// and gives that error.
    pub fn refused(self) -> String {
        assert_eq!(self.code, 3, "{self:?}");
        let error = self.stderr.split_once("Fout: ").map(|(_, error)| error.trim().to_owned());
        let error = error.unwrap_or_else(|| panic!("no error: {self:?}"));
        assert!(!error.contains("os error") && !error.contains("No such file"), "not Dutch: {error}");
        error
    }
}

/// A process that runs. Dropped, it is killed, by its own number.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Starts `schakel` with these arguments in `folder`.
    pub fn schakel<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(schakel());
        command.args(arguments);
        Self::start(folder, command)
    }

    /// Starts a command in `folder`, where its output is kept.
    pub fn start(folder: &Path, mut command: Command) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let outputs = folder.join("uitvoer");
        fs::create_dir_all(&outputs).unwrap();
        let temporary = folder.join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let (out, err) = (outputs.join(format!("{number}.out")), outputs.join(format!("{number}.err")));
        command.current_dir(folder).env("TMPDIR", temporary);
        command.env_remove("SCHAKEL_MAP").env_remove("SCHAKEL_LOG");
        command.stdin(Stdio::null());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, out, err }
    }

    /// What it answered so far.
    pub fn stdout(&self) -> String {
        text(&self.out)
    }

    /// What it told so far.
    pub fn stderr(&self) -> String {
        text(&self.err)
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its first line, or for its end.
    pub fn first_line(&mut self) -> Result<String, Done> {
        until("a process says that it is ready", || {
            if let Some((line, _)) = self.stdout().split_once('\n') {
                return Some(Ok(line.to_owned()));
            }
            let status = self.child.try_wait().unwrap()?;
            // The line may have come just before the end.
            Some(match self.stdout().split_once('\n') {
                Some((line, _)) if status.success() => Ok(line.to_owned()),
                _ => Err(self.done(status)),
            })
        })
    }

    /// Whether it came to its end.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Done {
        let status = until("a process ends", || self.child.try_wait().unwrap());
        self.done(status)
    }

    /// Asks it to stop (SIGTERM) and waits for its end.
    pub fn terminate(self) -> Done {
        let told = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(told.success(), "SIGTERM did not reach the process");
        self.wait()
    }

    /// Ends it without a word (SIGKILL).
    pub fn kill(&mut self) -> Done {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        self.done(status)
    }

    fn done(&self, status: ExitStatus) -> Done {
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        Done { code: code.unwrap_or(-1), stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, and then its number is not used again before `wait`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
