//! The program under test, built when what is there is older than its sources.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::SystemTime,
};

/// The `schakel` binary of the profile that the tests were built in.
pub fn schakel() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = profile_folder();
        let program = folder.join("schakel");
        if is_stale(&program) {
            build(&folder);
        }
        program
    });
    &PROGRAM
}

/// `target/<profile>`: test programs run from `target/<profile>/deps`, the benchmark from there itself.
fn profile_folder() -> PathBuf {
    let me = std::env::current_exe().expect("the path of this test");
    let folder = me.parent().expect("a folder");
    let profile = folder.parent().filter(|_| folder.ends_with("deps"));
    profile.unwrap_or(folder).to_owned()
}

fn is_stale(program: &Path) -> bool {
    let Some(built) = modified(program) else { return true };
    // Cargo lists the sources that the program was built from, as a rule of make.
    let Ok(rule) = fs::read_to_string(program.with_extension("d")) else { return true };
    let sources = rule.split_once(": ").map_or("", |(_, sources)| sources).replace("\\ ", "\0");
    let sources = sources.split_whitespace().map(|path| PathBuf::from(path.replace('\0', " ")));
    let lock = workspace().join("Cargo.lock");
    let mut all = sources.chain([lock]);
    all.any(|source| modified(&source).is_none_or(|changed| changed > built))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn build(folder: &Path) {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace()).args(["build", "--quiet", "-p", "node", "--bin", "schakel"]);
    cargo.args(["--profile", profile, "--target-dir"]).arg(folder.parent().expect("a target folder"));
    let done = cargo.output().expect("cargo");
    assert!(done.status.success(), "schakel does not build:\n{}", String::from_utf8_lossy(&done.stderr));
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}
