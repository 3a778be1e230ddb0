//! The key file: what is left of the key trees, sealed under a key that follows from the storage key.
//!
//! It is replaced as a whole (written beside its place, flushed, renamed, and the folder flushed), so after a crash it
//! is what it was or what it became. Who changes it holds a lock on a file beside it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::aead::LessSafeKey;
use exchange::{oin::Oin, random::Random};
use zeroize::Zeroizing;

use super::{
    ID_BYTES, MAX_NODES, MAX_TREES, Place,
    tree::{Node, Tree},
};
use crate::{
    error::StoreError,
    key::{KEY_BYTES, Keys, Secret},
    seal::{self, NONCE_BYTES},
};

/// What the file begins with.
const MAGIC: &[u8; 16] = b"schakel-sleutel1";

/// The magic and the number of the version of the content, which goes up with every change.
const HEADER_BYTES: usize = MAGIC.len() + 8;

/// A piece of a tree: first leaf, level, secret.
const NODE_BYTES: usize = 8 + 1 + KEY_BYTES;

/// Nothing longer is read. Twice what may be in it, since destroying keys must not fail halfway for lack of room.
const MAX_FILE_BYTES: u64 = (2 * MAX_NODES * NODE_BYTES + 4 * MAX_TREES + 1024) as u64;

/// Only the node may read it.
const FILE_MODE: u32 = 0o600;

/// Between two attempts to get the lock that another process has.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How many times a file that cannot be read is tried again: it may just have been replaced.
const READ_ATTEMPTS: u32 = 3;

/// What the file holds.
pub(super) struct Content {
    pub(super) sequence: u64,
    pub(super) id: [u8; ID_BYTES],
    /// The last is the one to seal under.
    pub(super) trees: Vec<Tree>,
}

/// Where it is, whose it is, and the key it is sealed with.
pub(super) struct KeyFile {
    path: PathBuf,
    oin: Oin,
    key: LessSafeKey,
    patience: Duration,
}

/// The right to change the file, until it is dropped.
pub(super) struct Guard(#[expect(dead_code, reason = "holds the lock while it is open")] File);

impl KeyFile {
    pub(super) fn new(place: Place, keys: &Keys) -> Result<(Self, Arc<dyn Random>), StoreError> {
        let Place { path, oin, random, patience } = place;
        Ok((Self { path, oin, key: keys.file()?, patience }, random))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    fn failed(&self, error: &std::io::Error) -> StoreError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Io(format!("{}: {error}", self.path.display())),
        }
    }

    /// Waits for the right to change it. The operating system takes it back when the process dies.
    pub(super) fn lock(&self) -> Result<Guard, StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(self.beside(".slot")).map_err(|error| self.failed(&error))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Guard(file)),
                Err(TryLockError::WouldBlock) if waited < self.patience => {
                    std::thread::sleep(LOCK_PAUSE);
                    waited += LOCK_PAUSE;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked("another process changes the key file".into()));
                }
                Err(TryLockError::Error(error)) => return Err(self.failed(&error)),
            }
        }
    }

    /// The version of its content, without the rest; nothing when there is no such file.
    pub(super) fn sequence(&self) -> Result<Option<u64>, StoreError> {
        let mut header = [0; HEADER_BYTES];
        match File::open(&self.path).and_then(|mut file| file.read_exact(&mut header)) {
            Ok(()) => Ok(header[MAGIC.len()..].try_into().ok().map(u64::from_be_bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// What it holds; nothing when there is no such file.
    pub(super) fn read(&self) -> Result<Option<Content>, StoreError> {
        for _ in 1..READ_ATTEMPTS {
            if let Ok(content) = self.read_once() {
                return Ok(content);
            }
        }
        self.read_once()
    }

    fn read_once(&self) -> Result<Option<Content>, StoreError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(&error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(|error| self.failed(&error))?;
        let content = self.decode(&bytes).ok_or_else(|| StoreError::OtherKeyFile(self.path.clone()))?;
        Ok(Some(content))
    }

    /// Puts this in its place. Durable once it returns.
    pub(super) fn write(
        &self,
        _guard: &Guard,
        content: &Content,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let bytes = self.encode(content, random)?;
        let draft = self.beside(".nieuw");
        let placed = write_new(&draft, &bytes).and_then(|()| fs::rename(&draft, &self.path));
        placed.map_err(|error| self.failed(&error))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| self.failed(&error))
    }

    fn encode(&self, content: &Content, random: &dyn Random) -> Result<Vec<u8>, StoreError> {
        let header = [MAGIC.as_slice(), &content.sequence.to_be_bytes()].concat();
        let nodes: usize = content.trees.iter().map(Tree::len).sum();
        // As long as it becomes, so that no copy of it is left behind by growing.
        let size = ID_BYTES + 4 + 4 * content.trees.len() + nodes * NODE_BYTES;
        let mut plain = Zeroizing::new(Vec::with_capacity(size));
        plain.extend_from_slice(&content.id);
        plain.extend_from_slice(&length(content.trees.len()));
        for tree in &content.trees {
            plain.extend_from_slice(&length(tree.len()));
            for (first, node) in tree.nodes() {
                plain.extend_from_slice(&first.to_be_bytes());
                plain.push(node.level);
                plain.extend_from_slice(&node.secret.0);
            }
        }
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        Ok([header.as_slice(), &seal::seal(&self.key, &self.bound_to(&header), &plain, nonce)?].concat())
    }

    /// Nothing when it is damaged, of another node, or sealed with another key.
    fn decode(&self, bytes: &[u8]) -> Option<Content> {
        let (header, sealed) = bytes.split_at_checked(HEADER_BYTES)?;
        let sequence = u64::from_be_bytes(header.strip_prefix(MAGIC)?.try_into().ok()?);
        let plain = Zeroizing::new(seal::open(&self.key, &self.bound_to(header), sealed).ok()?);
        let mut rest = plain.as_slice();
        let id = *take(&mut rest)?;
        let count = u32::from_be_bytes(*take(&mut rest)?);
        let trees = (0..count).map(|_| decode_tree(&mut rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(Content { sequence, id, trees })
    }

    /// The content is bound to its node and to the number that stands before it.
    fn bound_to(&self, header: &[u8]) -> Vec<u8> {
        [header, self.oin.as_str().as_bytes()].concat()
    }
}

fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()
}

fn decode_tree(rest: &mut &[u8]) -> Option<Tree> {
    let count = u32::from_be_bytes(*take(rest)?);
    let mut whole = true;
    let nodes = (0..count).map_while(|_| {
        let node = decode_node(rest);
        whole &= node.is_some();
        node
    });
    Tree::of_nodes(nodes).filter(|_| whole)
}

fn decode_node(rest: &mut &[u8]) -> Option<(u64, Node)> {
    let first = u64::from_be_bytes(*take(rest)?);
    let [level] = *take(rest)?;
    Some((first, Node { level, secret: Secret(*take(rest)?) }))
}

fn take<'b, const LENGTH: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; LENGTH]> {
    let (part, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(part)
}

/// Writes a file that only its owner may read, over what a crash left there. Durable, but for its name.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
