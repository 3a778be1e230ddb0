//! A key for each entry of the log, that can be destroyed by itself.
//!
//! The keys are the leaves of a tree ([`tree`]), of which the key file ([`file`]) holds what is left. The database
//! holds none of them, so neither it nor any copy of it opens what was sealed under a key that was destroyed, whoever
//! else has the storage key. What was not destroyed opens in an older copy of the database as well.

mod file;
mod tree;

use std::{
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::aead::LessSafeKey;
use exchange::{oin::Oin, random::Random};

use self::{
    file::{Content, KeyFile},
    tree::{DEPTH, Path, Tree},
};
use crate::{
    error::StoreError,
    key::{KEY_BYTES, Keys, Secret, aead_key},
};

/// Names a key file, so that a database finds out that it was given another.
pub(crate) const ID_BYTES: usize = 16;

/// The most pieces that may be left of the trees: 43 MB of key file. What is destroyed in a row takes none, so this is
/// half a million places where what is kept stands between what was erased.
const MAX_NODES: usize = 1 << 20;

/// The most trees: one more for each time that an older copy of the database was put back and met a key that was
/// destroyed since.
const MAX_TREES: usize = 1024;

/// What the store needs to know of its key file.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) oin: Oin,
    pub(crate) random: Arc<dyn Random>,
    /// How long to wait for another process that destroys keys.
    pub(crate) patience: Duration,
}

/// The keys of the entries of one log.
pub(crate) struct EntryKeys {
    file: KeyFile,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

/// What the key file held when it was read last.
struct State {
    content: Content,
    sealing: Path,
    opening: Opening,
}

/// The way to the entry that was opened last.
#[derive(Default)]
pub(crate) struct Opening {
    path: Path,
    /// The tree that it is in.
    tree: u16,
}

/// A key, and which tree it is of.
pub(crate) struct EntryKey {
    pub(crate) tree: u16,
    pub(crate) key: LessSafeKey,
}

impl EntryKeys {
    /// Reads the key file that the database says there is.
    pub(crate) fn load(place: Place, keys: &Keys, id: &[u8]) -> Result<Self, StoreError> {
        let (file, random) = KeyFile::new(place, keys)?;
        let content = file.read()?.ok_or_else(|| StoreError::NoKeyFile(file.path().to_owned()))?;
        if content.id != id {
            return Err(StoreError::OtherKeyFile(file.path().to_owned()));
        }
        Ok(Self::of(file, random, content))
    }

    /// Makes the key file of a database that has none yet. One that was made for this node and lost its database is
    /// taken as it is: nothing is ever written over it.
    pub(crate) fn create(place: Place, keys: &Keys) -> Result<Self, StoreError> {
        let (file, random) = KeyFile::new(place, keys)?;
        let guard = file.lock()?;
        let content = if let Some(found) = file.read()? {
            found
        } else {
            let mut id = [0; ID_BYTES];
            random.fill(&mut id);
            let content = Content { sequence: 1, id, trees: vec![new_tree(&*random)] };
            file.write(&guard, &content, &*random)?;
            content
        };
        drop(guard);
        Ok(Self::of(file, random, content))
    }

    fn of(file: KeyFile, random: Arc<dyn Random>, content: Content) -> Self {
        let state = State { content, sealing: Path::default(), opening: Opening::default() };
        Self { file, random, state: Mutex::new(state) }
    }

    /// What the database remembers the key file by.
    pub(crate) fn id(&self) -> [u8; ID_BYTES] {
        self.lock().content.id
    }

    /// Its version: it goes up with every change.
    pub(crate) fn version(&self) -> u64 {
        self.lock().content.sequence
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &FilePath {
        self.file.path()
    }

    /// The key to seal under what belongs to the entry with this index. A key that was destroyed is never used again:
    /// in an older copy of the database that grew to that entry once more, there is a new tree from there on.
    pub(crate) fn for_sealing(&self, index: u64) -> Result<EntryKey, StoreError> {
        if let Some(key) = self.lock().for_sealing(index)? {
            return Ok(key);
        }
        if index >> DEPTH != 0 {
            return Err(StoreError::NotFound("key for an entry this far"));
        }
        self.change(|content| {
            if content.trees.last().is_none_or(|tree| tree.key(index, &mut Path::default()).is_none()) {
                if content.trees.len() >= MAX_TREES {
                    let found = content.trees.len() + 1;
                    return Err(StoreError::TooLarge { what: "key trees", found, limit: MAX_TREES });
                }
                content.trees.push(new_tree(&*self.random));
            }
            Ok(())
        })?;
        self.lock().for_sealing(index)?.ok_or(StoreError::NotFound("key for an entry"))
    }

    /// The key of this tree for the entry with this index; nothing when it was destroyed.
    pub(crate) fn for_opening(&self, tree: u16, index: u64) -> Result<Option<LessSafeKey>, StoreError> {
        self.know_tree(tree)?;
        let State { content, opening, .. } = &mut *self.lock();
        content.key(tree, index, opening)
    }

    /// The same for who opens one entry after the other while others open others: its own way from one to the next stays in
    /// `opening`. To be thrown away soon, since what is destroyed meanwhile can still be opened by it.
    pub(crate) fn for_opening_along(
        &self,
        (tree, index): (u16, u64),
        opening: &mut Opening,
    ) -> Result<Option<LessSafeKey>, StoreError> {
        self.know_tree(tree)?;
        self.lock().content.key(tree, index, opening)
    }

    /// Another process may have begun a tree.
    fn know_tree(&self, tree: u16) -> Result<(), StoreError> {
        let known = self.lock().content.trees.len() > usize::from(tree);
        if known { Ok(()) } else { self.refresh() }
    }

    /// Whether the key of this entry was destroyed.
    pub(crate) fn is_destroyed(&self, index: u64) -> bool {
        let state = &*self.lock();
        state.content.trees.iter().all(|tree| tree.key(index, &mut Path::default()).is_none())
    }

    /// Reads the key file again if another process changed it: what that destroyed goes out of memory here too.
    pub(crate) fn refresh(&self) -> Result<(), StoreError> {
        let known = self.lock().content.sequence;
        if self.file.sequence()? == Some(known) {
            return Ok(());
        }
        let content = self.file.read()?.ok_or_else(|| StoreError::NoKeyFile(self.file.path().to_owned()))?;
        self.take(content)
    }

    /// Refuses when there might be no room to destroy so many keys.
    pub(crate) fn room_for(&self, count: usize) -> Result<(), StoreError> {
        let nodes: usize = self.lock().content.trees.iter().map(Tree::len).sum();
        let found = nodes + count * usize::from(DEPTH);
        let what = "pieces of the key tree";
        if found <= MAX_NODES { Ok(()) } else { Err(StoreError::TooLarge { what, found, limit: MAX_NODES }) }
    }

    /// Destroys the keys of these entries, in every tree. Once this returns nobody can derive them any more from what
    /// is on disk, and this process neither. Gives the version of the key file in which that is so. Waits for the disk:
    /// not for a thread that has others to serve.
    pub(crate) fn destroy(&self, indexes: &[u64]) -> Result<u64, StoreError> {
        self.destroy_after(0, indexes)
    }

    /// The same, in a version after that one.
    pub(crate) fn destroy_after(&self, version: u64, indexes: &[u64]) -> Result<u64, StoreError> {
        self.change(|content| {
            content.sequence = content.sequence.max(version);
            for tree in &mut content.trees {
                for index in indexes {
                    tree.cut(*index);
                }
            }
            Ok(())
        })
    }

    /// Changes what the key file holds, starting from what is in it now.
    /// Gives the version that it became.
    fn change(&self, change: impl FnOnce(&mut Content) -> Result<(), StoreError>) -> Result<u64, StoreError> {
        let guard = self.file.lock()?;
        let mut content =
            self.file.read()?.ok_or_else(|| StoreError::NoKeyFile(self.file.path().to_owned()))?;
        change(&mut content)?;
        content.sequence += 1;
        self.file.write(&guard, &content, &*self.random)?;
        drop(guard);
        let version = content.sequence;
        self.take(content)?;
        Ok(version)
    }

    fn take(&self, content: Content) -> Result<(), StoreError> {
        let state = &mut *self.lock();
        if content.id != state.content.id {
            return Err(StoreError::OtherKeyFile(self.file.path().to_owned()));
        }
        // A reading can be overtaken by a later one.
        if content.sequence > state.content.sequence {
            state.content = content;
            state.sealing.clear();
            state.opening.path.clear();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn for_sealing(&mut self, index: u64) -> Result<Option<EntryKey>, StoreError> {
        let Some(last) = self.content.trees.len().checked_sub(1) else { return Ok(None) };
        let Some(secret) = self.content.trees[last].key(index, &mut self.sealing) else { return Ok(None) };
        let tree = u16::try_from(last).unwrap_or(u16::MAX);
        Ok(Some(EntryKey { tree, key: aead_key(&secret)? }))
    }
}

impl Content {
    fn key(&self, tree: u16, index: u64, opening: &mut Opening) -> Result<Option<LessSafeKey>, StoreError> {
        if opening.tree != tree {
            opening.path.clear();
            opening.tree = tree;
        }
        let tree = self.trees.get(usize::from(tree)).ok_or_else(|| {
            StoreError::Corrupt("something is sealed under a key tree that the key file does not have".into())
        })?;
        tree.key(index, &mut opening.path).map(|secret| aead_key(&secret)).transpose()
    }
}

fn new_tree(random: &dyn Random) -> Tree {
    let mut root = Secret([0; KEY_BYTES]);
    random.fill(&mut root.0);
    Tree::new(root)
}

#[cfg(test)]
mod tests;
