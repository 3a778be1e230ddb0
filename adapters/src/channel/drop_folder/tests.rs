use tempfile::TempDir;

use super::*;

const QUIET: Duration = Duration::from_secs(2);

fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

fn open(root: &TempDir) -> DropFolder {
    DropFolder::open(root.path(), QUIET).unwrap()
}

fn drop_in(root: &TempDir, name: &str, text: &str) {
    fs::write(root.path().join(name), text).unwrap();
}

/// Looks until what lies there now has settled.
fn settled(folder: &mut DropFolder) -> Vec<Claim> {
    let first = folder.scan(Duration::ZERO, now()).unwrap();
    assert!(first.is_empty(), "nothing is taken at first sight");
    folder.scan(QUIET, now()).unwrap().into()
}

fn names(root: &TempDir, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root.path().join(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !["bezig", "klaar", "fout", ".slot"].contains(&name.as_str()));
    names.sort();
    names
}

#[test]
fn a_file_goes_from_the_folder_through_busy_to_done() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "lijst.csv", "inhoud");
    let claims = settled(&mut folder);
    let [claim] = <[Claim; 1]>::try_from(claims).unwrap();
    assert_eq!((claim.name(), claim.attempt()), ("lijst.csv", 1));
    assert_eq!(claim.path(), root.path().join("bezig/20261121T093000Z-1-1_lijst.csv"));
    assert_eq!(fs::read(claim.path()).unwrap(), b"inhoud");
    assert_eq!(claim.rejects_path(), root.path().join("klaar/20261121T093000Z-1_lijst.afgekeurd.csv"));
    let done = claim.done().unwrap();
    assert_eq!(done, root.path().join("klaar/20261121T093000Z-1_lijst.csv"));
    assert_eq!((names(&root, "."), names(&root, "bezig")), (vec![], vec![]));
}

/// What was dropped is a list of people: nobody else reads it afterwards, nor what is said about it.
#[cfg(unix)]
#[test]
fn results_are_for_the_account_of_the_program_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    for name in ["goed.csv", "kapot.csv"] {
        drop_in(&root, name, "inhoud");
        fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(0o664)).unwrap();
    }
    let mut claims = settled(&mut folder);
    claims.pop().unwrap().failed("het bestand is leeg.").unwrap();
    claims.pop().unwrap().done().unwrap();
    for place in ["klaar", "fout", "bezig"] {
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&root.path().join(place)), 0o700, "{place}");
        let found = names(&root, place);
        assert!(found.iter().all(|name| mode(&root.path().join(place).join(name)) == 0o600), "{found:?}");
    }
    assert_eq!((names(&root, "klaar").len(), names(&root, "fout").len()), (1, 2));
}

#[test]
fn a_file_that_cannot_be_read_gets_a_message() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "lijst.csv", "");
    let claim = settled(&mut folder).remove(0);
    claim.failed("het bestand is leeg.\nExporteer het opnieuw.").unwrap();
    assert_eq!(
        names(&root, "fout"),
        ["20261121T093000Z-1_lijst.csv", "20261121T093000Z-1_lijst.csv.melding.txt"]
    );
    let message = fs::read(root.path().join("fout/20261121T093000Z-1_lijst.csv.melding.txt")).unwrap();
    assert_eq!(message, b"het bestand is leeg.\r\nExporteer het opnieuw.\r\n");
}

#[test]
fn a_file_that_still_grows_is_left_alone() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "lijst.csv", "begin");
    assert!(folder.scan(Duration::ZERO, now()).unwrap().is_empty());
    drop_in(&root, "lijst.csv", "begin en meer");
    assert!(folder.scan(QUIET, now()).unwrap().is_empty());
    assert_eq!(folder.scan(QUIET * 2, now()).unwrap().len(), 1);
}

#[test]
fn a_file_that_changed_while_it_was_taken_goes_back() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "lijst.csv", "begin");
    let claim = settled(&mut folder).remove(0);
    let before = Look { size: 1, modified: None };
    let origin = root.path().join("lijst.csv");
    assert!(still(claim, before, &origin).unwrap().is_none());
    assert_eq!((names(&root, "."), names(&root, "bezig")), (vec!["lijst.csv".to_owned()], vec![]));
}

#[test]
fn a_file_renamed_in_is_taken_at_once() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "lijst.csv.part", "inhoud");
    assert!(folder.scan(Duration::ZERO, now()).unwrap().is_empty());
    fs::rename(root.path().join("lijst.csv.part"), root.path().join("lijst.csv")).unwrap();
    folder.renamed_in("lijst.csv".into());
    assert_eq!(folder.scan(Duration::ZERO, now()).unwrap().len(), 1);
}

#[test]
fn files_that_are_not_meant_are_passed_over() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    let passed = [".verborgen.csv", "a.tmp", "b.PART", "c.filepart", "d.afgekeurd.csv", "~$e.csv"];
    for name in passed {
        drop_in(&root, name, "inhoud");
    }
    fs::create_dir(root.path().join("map")).unwrap();
    assert!(settled(&mut folder).is_empty());
    assert_eq!(names(&root, ".").len(), passed.len() + 1);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let root = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let secret = elsewhere.path().join("geheim.csv");
    fs::write(&secret, "geheim").unwrap();
    let mut folder = open(&root);
    std::os::unix::fs::symlink(&secret, root.path().join("lijst.csv")).unwrap();
    assert!(folder.scan(Duration::ZERO, now()).unwrap().is_empty());
    assert_eq!(names(&root, "."), [""; 0]);
    let moved = root.path().join("fout/20261121T093000Z-1_lijst.csv");
    assert!(fs::symlink_metadata(&moved).unwrap().is_symlink());
    let message =
        fs::read_to_string(root.path().join("fout/20261121T093000Z-1_lijst.csv.melding.txt")).unwrap();
    assert_eq!(message, format!("{NO_LINKS}\r\n"));
    assert_eq!(fs::read(secret).unwrap(), b"geheim");
}

#[test]
fn what_was_unfinished_is_taken_up_again() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "een.csv", "1");
    drop_in(&root, "twee.csv", "2");
    let mut claims = settled(&mut folder);
    claims.remove(0).done().unwrap();
    drop((claims, folder));
    fs::write(root.path().join("klaar/.20261121T093000Z-2_twee.afgekeurd.csv.1.tmp"), "half").unwrap();

    let mut folder = open(&root);
    let [claim] = <[Claim; 1]>::try_from(folder.recover().unwrap()).unwrap();
    assert_eq!((claim.name(), claim.attempt()), ("twee.csv", 2));
    assert_eq!(fs::read(claim.path()).unwrap(), b"2");
    assert_eq!(claim.rejects_path(), root.path().join("klaar/20261121T093000Z-2_twee.afgekeurd.csv"));
    claim.done().unwrap();
    assert_eq!(names(&root, "klaar"), ["20261121T093000Z-1_een.csv", "20261121T093000Z-2_twee.csv"]);
}

#[test]
fn a_file_that_stops_the_program_every_time_is_put_aside() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    drop_in(&root, "lijst.csv", "inhoud");
    drop(settled(&mut folder));
    drop(folder);
    for attempt in 2..=MAX_ATTEMPTS {
        let claims = open(&root).recover().unwrap();
        assert_eq!(claims.iter().map(Claim::attempt).collect::<Vec<_>>(), [attempt]);
    }
    assert!(open(&root).recover().unwrap().is_empty());
    assert_eq!(names(&root, "fout").len(), 2);
}

#[test]
fn the_same_name_twice_in_one_second_does_not_overwrite() {
    let root = TempDir::new().unwrap();
    for text in ["eerste", "tweede"] {
        let mut folder = open(&root);
        drop_in(&root, "lijst.csv", text);
        settled(&mut folder).remove(0).done().unwrap();
    }
    assert_eq!(names(&root, "klaar"), ["20261121T093000Z-1_lijst.csv", "20261121T093000Z-2_lijst.csv"]);
}

#[test]
fn a_folder_belongs_to_one_program() {
    let root = TempDir::new().unwrap();
    let first = open(&root);
    let second = DropFolder::open(root.path(), QUIET).unwrap_err();
    assert!(second.to_string().ends_with("Stop dat eerst, of geef elk een eigen map."), "{second}");
    drop(first);
    open(&root);
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let root = TempDir::new().unwrap();
    let missing = root.path().join("weg");
    let error = DropFolder::open(&missing, QUIET).unwrap_err();
    assert!(error.to_string().ends_with("de map bestaat niet (meer). Maak de map aan."), "{error}");
    assert!(!missing.exists());
}

#[test]
fn a_folder_that_disappears_is_an_error_and_comes_back() {
    let root = TempDir::new().unwrap();
    let mut folder = open(&root);
    let (here, away) = (root.path().join("hier"), root.path().join("weg"));
    folder.root.clone_from(&here);
    assert!(folder.scan(Duration::ZERO, now()).is_err());
    fs::create_dir(&away).unwrap();
    fs::rename(away, here).unwrap();
    assert!(folder.scan(Duration::ZERO, now()).unwrap().is_empty());
}

/// The shell around it, with the real watcher: it waits for what happens, never for a fixed time.
mod watched {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(20);
    /// Only so that a failure is a failure and not a test that hangs.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn watch(root: &TempDir) -> Watch {
        Watch::start(DropFolder::open(root.path(), INTERVAL).unwrap(), INTERVAL).unwrap()
    }

    async fn next(watch: &mut Watch) -> Claim {
        tokio::time::timeout(PATIENCE, watch.next(now)).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn files_are_handed_over_as_they_come() {
        let root = TempDir::new().unwrap();
        let mut watch = watch(&root);
        drop_in(&root, "een.csv", "1");
        let first = next(&mut watch).await;
        assert_eq!(first.name(), "een.csv");
        first.done().unwrap();
        drop_in(&root, "twee.csv.tmp", "2");
        fs::rename(root.path().join("twee.csv.tmp"), root.path().join("twee.csv")).unwrap();
        assert_eq!(next(&mut watch).await.name(), "twee.csv");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_rename_is_noticed_without_waiting_for_the_next_look() {
        let root = TempDir::new().unwrap();
        let hour = Duration::from_hours(1);
        let mut watch = Watch::start(DropFolder::open(root.path(), hour).unwrap(), hour).unwrap();
        drop_in(&root, "lijst.csv.tmp", "1");
        fs::rename(root.path().join("lijst.csv.tmp"), root.path().join("lijst.csv")).unwrap();
        assert_eq!(next(&mut watch).await.name(), "lijst.csv");
    }

    #[tokio::test]
    async fn looking_now_and_then_is_enough() {
        let root = TempDir::new().unwrap();
        let mut watch = watch(&root).unwatched();
        drop_in(&root, "lijst.csv", "1");
        assert_eq!(next(&mut watch).await.name(), "lijst.csv");
    }

    #[tokio::test]
    async fn waiting_can_be_a_task_of_its_own() {
        let root = TempDir::new().unwrap();
        let mut watch = watch(&root);
        drop_in(&root, "lijst.csv", "1");
        let waiting = tokio::spawn(async move { next(&mut watch).await.name().to_owned() });
        assert_eq!(waiting.await.unwrap(), "lijst.csv");
    }

    #[tokio::test]
    async fn the_unfinished_comes_first() {
        let root = TempDir::new().unwrap();
        drop_in(&root, "oud.csv", "1");
        drop(settled(&mut open(&root)));
        drop_in(&root, "nieuw.csv", "2");
        let mut watch = watch(&root);
        assert_eq!(next(&mut watch).await.name(), "oud.csv");
        assert_eq!(next(&mut watch).await.name(), "nieuw.csv");
    }

    #[tokio::test]
    async fn giving_up_waiting_loses_nothing() {
        let root = TempDir::new().unwrap();
        let mut watch = watch(&root);
        drop_in(&root, "lijst.csv", "1");
        let claim = tokio::time::timeout(PATIENCE, async {
            loop {
                // Given up at once, over and over: the file still arrives.
                if let Ok(claim) = tokio::time::timeout(Duration::from_millis(1), watch.next(now)).await {
                    return claim.unwrap();
                }
            }
        });
        assert_eq!(claim.await.unwrap().name(), "lijst.csv");
    }
}
