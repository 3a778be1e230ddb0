#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{fs, os::unix::fs::PermissionsExt as _};

use exchange::random::SeededRandom;
use tempfile::TempDir;

use super::{Place, *};
use crate::{key::StorageKey, seal::Entropy};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("inhoud.sleutels")
    }

    fn place(&self, seed: u64) -> Place {
        let oin = "00000099000000001000".parse().unwrap();
        let patience = Duration::from_millis(200);
        Place { path: self.path(), oin, random: Arc::new(SeededRandom::new(seed)), patience }
    }

    fn create(&self) -> EntryKeys {
        EntryKeys::create(self.place(1), &storage(3)).unwrap()
    }

    fn load(&self, id: &[u8]) -> Result<EntryKeys, StoreError> {
        EntryKeys::load(self.place(2), &storage(3), id)
    }
}

fn storage(byte: u8) -> Keys {
    Keys::derive(&StorageKey::from_bytes([byte; 32])).unwrap()
}

fn entropy() -> Entropy {
    Entropy::new(Arc::new(SeededRandom::new(5)))
}

fn sealed(keys: &EntryKeys, index: u64) -> Vec<u8> {
    keys.seal_for(index, b"what", b"secret", &mut entropy()).unwrap()
}

fn opened(keys: &EntryKeys, index: u64, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    keys.open_for(index, b"what", sealed)
}

#[test]
fn opens_until_the_key_is_destroyed() {
    let folder = Folder::new();
    let keys = folder.create();
    let things: Vec<Vec<u8>> = (0..10).map(|index| sealed(&keys, index)).collect();
    keys.destroy(&[3, 7]).unwrap();
    // The same now, and for who starts after it.
    for keys in [&keys, &folder.load(&keys.id()).unwrap()] {
        for (index, thing) in (0..).zip(&things) {
            let expected =
                if [3, 7].contains(&index) { Err(StoreError::Erased) } else { Ok(b"secret".to_vec()) };
            assert_eq!(opened(keys, index, thing), expected, "{index}");
        }
        let moved = opened(keys, 1, &things[0]);
        assert!(matches!(moved, Err(StoreError::Corrupt(_))), "what belongs to another entry: {moved:?}");
    }
}

/// What one process destroyed is gone in another as soon as that looks, and not brought back by what it does.
#[test]
fn processes_see_each_other() {
    let folder = Folder::new();
    let one = folder.create();
    let two = folder.load(&one.id()).unwrap();
    let things: Vec<Vec<u8>> = (0..4).map(|index| sealed(&one, index)).collect();
    one.destroy(&[0]).unwrap();
    assert!(opened(&two, 0, &things[0]).is_ok(), "the test sees that it was not read again");
    two.refresh().unwrap();
    assert_eq!(opened(&two, 0, &things[0]), Err(StoreError::Erased));
    one.destroy(&[1]).unwrap();
    two.destroy(&[2]).unwrap();
    one.refresh().unwrap();
    for keys in [&one, &two, &folder.load(&one.id()).unwrap()] {
        for index in 0..3 {
            assert_eq!(
                opened(keys, index, &things[usize::try_from(index).unwrap()]),
                Err(StoreError::Erased)
            );
        }
        assert!(opened(keys, 3, &things[3]).is_ok());
    }
}

#[test]
fn two_that_destroy_at_once_lose_nothing() {
    let folder = Folder::new();
    let keys = folder.create();
    let things: Vec<Vec<u8>> = (0..40).map(|index| sealed(&keys, index)).collect();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let other = EntryKeys::load(folder.place(10 + number), &storage(3), &keys.id()).unwrap();
            scope.spawn(move || {
                for round in 0..5 {
                    other.destroy(&[number * 10 + round]).unwrap();
                }
            });
        }
    });
    keys.refresh().unwrap();
    for (index, thing) in (0..).zip(&things) {
        assert_eq!(opened(&keys, index, thing).is_ok(), index % 10 >= 5, "{index}");
    }
}

/// In an older copy of the database the log comes to an entry once more whose key was destroyed.
#[test]
fn never_seals_under_a_key_that_was_destroyed() {
    let folder = Folder::new();
    let keys = folder.create();
    let before: Vec<Vec<u8>> = (0..4).map(|index| sealed(&keys, index)).collect();
    let bystander = folder.load(&keys.id()).unwrap();
    keys.destroy(&[2]).unwrap();
    let after: Vec<Vec<u8>> = (2..6).map(|index| sealed(&keys, index)).collect();
    let again = folder.load(&keys.id()).unwrap();
    for (index, thing) in (2..).zip(&after) {
        assert_eq!(opened(&again, index, thing).unwrap(), b"secret");
    }
    assert_eq!(opened(&again, 2, &before[2]), Err(StoreError::Erased));
    assert!(opened(&again, 3, &before[3]).is_ok());
    // A process that was there before the new tree opens what is sealed under it.
    for (index, thing) in (2..).zip(&after) {
        assert_eq!(opened(&bystander, index, thing).unwrap(), b"secret");
    }
    // Destroyed is destroyed in every tree.
    again.destroy(&[3]).unwrap();
    assert_eq!(opened(&again, 3, &before[3]), Err(StoreError::Erased));
    assert_eq!(opened(&again, 3, &after[1]), Err(StoreError::Erased));
}

/// Whatever is left beside the file by a crash while it was replaced, it is what it was.
#[test]
fn a_crash_while_it_is_replaced_leaves_what_was() {
    let folder = Folder::new();
    let keys = folder.create();
    let thing = sealed(&keys, 1);
    let old = fs::read(folder.path()).unwrap();
    keys.destroy(&[0]).unwrap();
    let new = fs::read(folder.path()).unwrap();
    fs::write(folder.path(), &old).unwrap();
    for length in [0, 1, HEADER, new.len() / 2, new.len() - 1, new.len()] {
        fs::write(folder.0.path().join("inhoud.sleutels.nieuw"), &new[..length]).unwrap();
        let found = folder.load(&keys.id()).unwrap();
        assert!(opened(&found, 1, &thing).is_ok());
        found.destroy(&[7]).unwrap();
        assert!(!folder.0.path().join("inhoud.sleutels.nieuw").exists());
        assert!(folder.load(&keys.id()).is_ok());
    }
}

const HEADER: usize = 24;

#[test]
fn refuses_what_is_not_its_file() {
    let folder = Folder::new();
    let keys = folder.create();
    let id = keys.id();
    let good = fs::read(folder.path()).unwrap();
    let refused = |folder: &Folder| folder.load(&id).err();
    for length in 0..good.len() {
        fs::write(folder.path(), &good[..length]).unwrap();
        assert_eq!(refused(&folder), Some(StoreError::OtherKeyFile(folder.path())), "{length} bytes");
    }
    for byte in 0..good.len() {
        let mut changed = good.clone();
        changed[byte] ^= 1;
        fs::write(folder.path(), changed).unwrap();
        assert_eq!(refused(&folder), Some(StoreError::OtherKeyFile(folder.path())), "byte {byte}");
    }
    fs::write(folder.path(), &good).unwrap();
    let other = Place { oin: "00000099000000002000".parse().unwrap(), ..folder.place(1) };
    let other_node = EntryKeys::load(other, &storage(3), &id).err();
    assert_eq!(other_node, Some(StoreError::OtherKeyFile(folder.path())));
    let other_key = EntryKeys::load(folder.place(1), &storage(4), &id).err();
    assert_eq!(other_key, Some(StoreError::OtherKeyFile(folder.path())));
    assert_eq!(folder.load(&[0; ID_BYTES]).err(), Some(StoreError::OtherKeyFile(folder.path())));
    assert!(folder.load(&id).is_ok());
    fs::remove_file(folder.path()).unwrap();
    assert_eq!(refused(&folder), Some(StoreError::NoKeyFile(folder.path())));
    assert_eq!(keys.destroy(&[1]), Err(StoreError::NoKeyFile(folder.path())), "it is not made anew");
    assert!(!folder.path().exists());
}

#[test]
fn only_the_owner_reads_it() {
    let folder = Folder::new();
    let keys = folder.create();
    keys.destroy(&[1]).unwrap();
    let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn making_it_again_takes_what_is_there() {
    let folder = Folder::new();
    let keys = folder.create();
    let thing = sealed(&keys, 0);
    let again = EntryKeys::create(folder.place(9), &storage(3)).unwrap();
    assert_eq!(again.id(), keys.id());
    assert!(opened(&again, 0, &thing).is_ok());
    let other = EntryKeys::create(folder.place(9), &storage(4)).err();
    assert_eq!(other, Some(StoreError::OtherKeyFile(folder.path())), "nothing is written over it");
}

#[test]
fn waits_for_another_and_then_gives_up() {
    let folder = Folder::new();
    let keys = folder.create();
    let guard = keys.file.lock().unwrap();
    assert!(matches!(keys.destroy(&[1]), Err(StoreError::Locked(_))));
    drop(guard);
    keys.destroy(&[1]).unwrap();
}

#[test]
fn keeps_to_its_limits() {
    let folder = Folder::new();
    let keys = folder.create();
    keys.room_for(1024).unwrap();
    assert!(matches!(keys.room_for(MAX_NODES / usize::from(DEPTH) + 1), Err(StoreError::TooLarge { .. })));
    assert!(matches!(keys.for_sealing(1 << DEPTH).err(), Some(StoreError::NotFound(_))));
    let scattered: Vec<u64> = (0..1000).map(|number| number * 97).collect();
    keys.destroy(&scattered).unwrap();
    let large = fs::metadata(folder.path()).unwrap().len();
    assert!(large < 1000 * 11 * 41, "{large} bytes");
    keys.destroy(&(0..97_000).collect::<Vec<_>>()).unwrap();
    assert!(fs::metadata(folder.path()).unwrap().len() < 4096, "what is destroyed in a row takes no room");
}
