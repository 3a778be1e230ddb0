use std::os::unix::fs::PermissionsExt as _;

use exchange::{random::SeededRandom, signature::Signer as _};

use super::*;

fn oin() -> Oin {
    "00000099000000001000".parse().unwrap()
}

#[test]
fn keys_read_back_as_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &SeededRandom::new(1)).unwrap();
    let (first, second) = (load(folder.path(), oin()).unwrap(), load(folder.path(), oin()).unwrap());
    assert_eq!(first.messages.public_key(), second.messages.public_key());
    assert_eq!(first.log.verifier().to_string(), second.log.verifier().to_string());
}

#[test]
fn the_three_keys_differ() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &SeededRandom::new(1)).unwrap();
    let text = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_ne!(text(MESSAGES), text(LOG));
    assert_ne!(text(LOG), text(STORAGE));
}

#[test]
fn existing_keys_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &SeededRandom::new(1)).unwrap();
    let before = fs::read(folder.path().join(STORAGE)).unwrap();
    assert!(matches!(create(folder.path(), &SeededRandom::new(2)), Err(KeyError::File { .. })));
    assert_eq!(fs::read(folder.path().join(STORAGE)).unwrap(), before);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &SeededRandom::new(1)).unwrap();
    fs::set_permissions(folder.path().join(LOG), fs::Permissions::from_mode(0o640)).unwrap();
    let message = load(folder.path(), oin()).err().unwrap().to_string();
    assert!(message.contains("chmod 600"), "{message}");
}

#[test]
fn a_damaged_key_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &SeededRandom::new(1)).unwrap();
    let path = folder.path().join(STORAGE);
    let key = fs::read_to_string(&path).unwrap();
    for damaged in
        ["", "zz", &key[..62], &format!("{key}00"), &key.replace(|c: char| c.is_ascii_digit(), "€")]
    {
        fs::write(&path, damaged).unwrap();
        let message = load(folder.path(), oin()).err().unwrap().to_string();
        assert!(!damaged.is_empty() || message.contains("64"), "{message}");
        assert!(damaged.is_empty() || !message.contains(damaged), "{message}");
    }
}
