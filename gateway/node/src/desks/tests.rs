#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/schakel.voorbeeld.toml");

/// Desks with everything that a desk can have.
fn full() -> Vec<Desk> {
    config::Config::parse(EXAMPLE).unwrap().loketten
}

fn plain(name: &str) -> Desk {
    Desk { loket: name.into(), naam: "Een loket".into(), ..Desk::default() }
}

#[test]
fn what_is_written_is_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for desks in [full(), vec![plain("balie")], Vec::new()] {
        write(folder.path(), &desks).unwrap();
        assert_eq!(read(folder.path(), &[]).unwrap(), desks);
    }
    let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(text.starts_with("# De loketten van deze organisatie."), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn without_the_file_those_of_the_configuration_count_and_never_both() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(folder.path(), &full()).unwrap(), full());
    write(folder.path(), &[plain("balie")]).unwrap();
    let both = read(folder.path(), &full()).unwrap_err().to_string();
    assert!(both.contains("loketten.toml") && both.contains("schakel.toml"), "{both}");
}

#[test]
fn a_file_that_cannot_be_right_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let fault = |text: &str| {
        std::fs::write(folder.path().join(FILE), text).unwrap();
        read(folder.path(), &[]).unwrap_err().to_string()
    };
    let unknown = fault("[[loketten]]\nloket = \"balie\"\nname = \"Balie\"\n");
    assert!(unknown.contains("regel 3") && unknown.contains("`name`"), "{unknown}");
    let twice = "[[loketten]]\nloket = \"balie\"\nnaam = \"Balie\"\n".repeat(2);
    assert!(fault(&twice).contains("twee keer"));
}

#[test]
fn a_change_is_of_one_desk_and_another_list_is_another_version() {
    let before = full();
    let added = changed(before.clone(), Change::Put(Box::new(plain("nieuw")))).unwrap();
    assert_eq!((added.len(), added.last()), (before.len() + 1, Some(&plain("nieuw"))));
    let replaced = changed(before.clone(), Change::Put(Box::new(plain("balie")))).unwrap();
    let place = before.iter().position(|desk| desk.loket == "balie").unwrap();
    for (at, (old, new)) in before.iter().zip(&replaced).enumerate() {
        assert_eq!(old == new, at != place);
    }
    let removed = changed(added, Change::Remove("nieuw".into())).unwrap();
    assert_eq!(removed, before);
    assert!(matches!(changed(before.clone(), Change::Remove("x".into())), Err(DesksError::Unknown)));
    assert_eq!(version(&removed), version(&before));
    assert_ne!(version(&replaced), version(&before));
}
