use tempfile::TempDir;

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const KEEP: Keep =
    Keep { done: SignedDuration::from_hours(7 * 24), failed: SignedDuration::from_hours(30 * 24) };

fn taken() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

const LIST: &str = "klaar/20261121T093000Z-1_lijst.csv";
const REJECTS: &str = "klaar/20261121T093000Z-1_lijst.afgekeurd.csv";
const FAILED_LIST: &str = "fout/20261121T093000Z-2_kapot.csv";
const MESSAGE: &str = "fout/20261121T093000Z-2_kapot.csv.melding.txt";

fn place(files: &[&str]) -> TempDir {
    let root = TempDir::new().unwrap();
    for folder in ["klaar", "fout", "bezig"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    for file in files {
        fs::write(root.path().join(file), "999990342").unwrap();
    }
    root
}

fn there<'f>(root: &TempDir, files: &[&'f str]) -> Vec<&'f str> {
    files.iter().copied().filter(|file| fs::symlink_metadata(root.path().join(file)).is_ok()).collect()
}

#[test]
fn results_go_when_their_term_has_passed() {
    let all = [LIST, REJECTS, FAILED_LIST, MESSAGE];
    let root = place(&all);
    let clear = |after| clear(root.path(), KEEP, taken() + after).unwrap();
    assert_eq!(clear(DAY * 7 - SignedDuration::from_secs(1)), 0);
    assert_eq!(clear(DAY * 7), 1);
    assert_eq!(there(&root, &all), [REJECTS, FAILED_LIST, MESSAGE], "somebody has to look at these");
    assert_eq!(clear(DAY * 30 - SignedDuration::from_secs(1)), 0);
    assert_eq!(clear(DAY * 30), 3);
    assert!(there(&root, &all).is_empty());
}

#[test]
fn nothing_is_kept_when_the_term_is_nothing() {
    let root = place(&[LIST, REJECTS]);
    let keep = Keep { done: SignedDuration::ZERO, ..KEEP };
    assert_eq!(clear(root.path(), keep, taken()).unwrap(), 1);
    assert_eq!(there(&root, &[LIST, REJECTS]), [REJECTS]);
}

/// Whatever is not a result of ours stays: other names, folders, what is being done, and what is elsewhere.
#[test]
fn what_is_not_ours_stays() {
    let others = [
        "klaar/lijst.csv",
        "klaar/2026_overzicht.csv",
        "klaar/20261121T093000Z_lijst.csv",
        "klaar/20261121T093000Z-_lijst.csv",
        "klaar/20261121T093000Z-1-2_lijst.csv",
        "klaar/20261399T093000Z-1_lijst.csv",
        "fout/.slot",
        "bezig/20261121T093000Z-1-1_lijst.csv",
        "20261121T093000Z-1_lijst.csv",
    ];
    let root = place(&others);
    fs::create_dir(root.path().join("klaar/20261121T093000Z-3_map")).unwrap();
    assert_eq!(clear(root.path(), KEEP, taken() + DAY * 4000).unwrap(), 0);
    assert_eq!(there(&root, &others), others);
    let nowhere = root.path().join("weg");
    assert_eq!(clear(&nowhere, KEEP, taken()).unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn links_are_neither_followed_nor_removed() {
    use std::os::unix::fs::symlink;
    let elsewhere = place(&[LIST]);
    let root = place(&[]);
    symlink(elsewhere.path().join(LIST), root.path().join(LIST)).unwrap();
    assert_eq!(clear(root.path(), KEEP, taken() + DAY * 4000).unwrap(), 0);
    assert_eq!((there(&root, &[LIST]), there(&elsewhere, &[LIST])), (vec![LIST], vec![LIST]));
    // Nor a folder of ours that somebody put a link in the place of.
    fs::remove_dir_all(root.path().join("klaar")).unwrap();
    symlink(elsewhere.path().join("klaar"), root.path().join("klaar")).unwrap();
    assert_eq!(clear(root.path(), KEEP, taken() + DAY * 4000).unwrap(), 0);
    assert_eq!(there(&elsewhere, &[LIST]), [LIST]);
}
