use super::*;

const QUIET: Duration = Duration::from_secs(2);

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn file(name: &str, size: u64) -> (OsString, Look) {
    (name.into(), Look { size, modified: Some(SystemTime::UNIX_EPOCH) })
}

fn names(complete: &[(OsString, Look)]) -> Vec<&str> {
    complete.iter().map(|(name, _)| name.to_str().unwrap()).collect()
}

#[test]
fn a_file_is_complete_when_it_did_not_change_for_a_while() {
    let mut settling = Settling::new(QUIET);
    assert_eq!(names(&settling.observe(at(0), &[file("a", 10)])), [""; 0]);
    assert!(settling.is_waiting());
    assert_eq!(names(&settling.observe(at(1999), &[file("a", 10)])), [""; 0]);
    assert_eq!(names(&settling.observe(at(2000), &[file("a", 10)])), ["a"]);
}

#[test]
fn every_change_starts_the_wait_anew() {
    let mut settling = Settling::new(QUIET);
    settling.observe(at(0), &[file("a", 10)]);
    settling.observe(at(1500), &[file("a", 20)]);
    assert_eq!(names(&settling.observe(at(3000), &[file("a", 20)])), [""; 0]);
    let touched = (OsString::from("a"), Look { size: 20, modified: Some(SystemTime::UNIX_EPOCH + at(1)) });
    assert_eq!(names(&settling.observe(at(3600), std::slice::from_ref(&touched))), [""; 0]);
    assert_eq!(names(&settling.observe(at(5600), &[touched])), ["a"]);
}

#[test]
fn a_renamed_file_is_complete_at_once() {
    let mut settling = Settling::new(QUIET);
    settling.renamed_in("a".into());
    assert_eq!(names(&settling.observe(at(0), &[file("a", 10), file("b", 10)])), ["a"]);
}

#[test]
fn a_rename_counts_once() {
    let mut settling = Settling::new(QUIET);
    settling.renamed_in("a".into());
    settling.observe(at(0), &[]);
    assert_eq!(names(&settling.observe(at(1), &[file("a", 10)])), [""; 0]);
}

#[test]
fn a_file_that_went_and_came_back_waits_anew() {
    let mut settling = Settling::new(QUIET);
    settling.observe(at(0), &[file("a", 10)]);
    settling.observe(at(1000), &[]);
    assert!(!settling.is_waiting());
    assert_eq!(names(&settling.observe(at(2000), &[file("a", 10)])), [""; 0]);
}

#[test]
fn what_turned_out_incomplete_waits_anew() {
    let mut settling = Settling::new(QUIET);
    settling.observe(at(0), &[file("a", 10)]);
    assert_eq!(names(&settling.observe(at(2000), &[file("a", 10)])), ["a"]);
    settling.forget(&"a".into());
    assert_eq!(names(&settling.observe(at(2001), &[file("a", 10)])), [""; 0]);
}

#[test]
fn remembered_renames_have_a_limit() {
    let mut settling = Settling::new(QUIET);
    for number in 0..MAX_RENAMED + 10 {
        settling.renamed_in(number.to_string().into());
    }
    assert_eq!(settling.renamed.len(), MAX_RENAMED);
}
