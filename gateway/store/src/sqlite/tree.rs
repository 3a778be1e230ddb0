//! The Merkle log on disk.
//!
//! Hashes are kept in tiles of 256, as C2SP `tlog-tiles` does: tile `n` of row `k` holds the nodes of level 8k from
//! 256n on. Any node lies in one tile or follows from up to 128 neighbours in one. The last tile of each row is
//! rewritten as it grows; together those are all that is needed to append.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use exchange::tlog::{CompactRange, Hash, NodeId, ProofPlan, node_hash};
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::{damaged, from_sql, to_sql},
    rows::{Part, Statement},
};
use crate::error::StoreError;

/// The number of levels from one row of tiles to the next.
const ROW_LEVELS: u8 = 8;

/// The number of hashes in a full tile.
const TILE_HASHES: u64 = 1 << ROW_LEVELS;

/// The number of rows of tiles: levels 0, 8, … 56 of a tree that 63 bits can count.
const ROWS: u8 = 8;

/// The length of a hash.
const HASH_BYTES: usize = 32;

static TILES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT num, hashes FROM log_tile WHERE num")));

/// Writes tiles; a row is what [`Edge::changed_tiles`] gives.
pub(super) const PUT_TILES: Part =
    Part::Insert("log_tile", &["num", "hashes"], "ON CONFLICT (num) DO UPDATE SET hashes = excluded.hashes");

/// A tile: which row it is in, and the how manieth there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct TileId {
    row: u8,
    index: u64,
}

impl TileId {
    const fn number(self) -> u64 {
        self.index * ROWS as u64 + self.row as u64
    }

    /// The tile that a node follows from, where in it, and from how many hashes.
    fn of(node: NodeId) -> (Self, usize, usize) {
        let above = node.level % ROW_LEVELS;
        let tile = Self { row: node.level / ROW_LEVELS, index: node.index >> (ROW_LEVELS - above) };
        let start = (node.index << above) % TILE_HASHES;
        (tile, usize::try_from(start).unwrap_or_default(), 1 << above)
    }
}

/// The number of a tile by its row and place.
pub(super) const fn tile_number(row: u8, index: u64) -> u64 {
    TileId { row, index }.number()
}

/// The right edge of the log: what appending needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    range: CompactRange,
    /// The hashes of the last, not yet full, tile of each row.
    open: [Vec<u8>; ROWS as usize],
    /// The tiles that became full, and the rows whose last tile grew, since they were last asked for.
    full: BTreeMap<TileId, Vec<u8>>,
    grown: BTreeSet<u8>,
}

/// How far the log is, as its row in `log_state` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) roots: Vec<u8>,
}

impl Head {
    /// How far the log is now.
    pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT size, roots FROM log_state").fetch_one(connection).await?;
        Ok(Self { size: from_sql(row.try_get(0)?)?, roots: row.try_get(1)? })
    }
}

impl Edge {
    pub(super) const fn range(&self) -> &CompactRange {
        &self.range
    }

    pub(super) fn size(&self) -> u64 {
        self.range.size()
    }

    /// Appends a leaf by its hash, and gives its index.
    pub(super) fn append(&mut self, leaf: Hash) -> u64 {
        let index = self.range.size();
        let Self { range, open, full, grown } = self;
        range.append_visiting(leaf, |node, hash| {
            if node.level % ROW_LEVELS != 0 {
                return;
            }
            let row = node.level / ROW_LEVELS;
            let tile = &mut open[usize::from(row)];
            tile.extend_from_slice(hash.as_bytes());
            grown.insert(row);
            if (node.index + 1) % TILE_HASHES == 0 {
                full.insert(TileId { row, index: node.index / TILE_HASHES }, std::mem::take(tile));
            }
        });
        index
    }

    pub(super) fn head(&self) -> Head {
        Head { size: self.range.size(), roots: roots_to_bytes(self.range.roots()) }
    }

    /// Whether this is the edge of the log with that head.
    pub(super) fn is_at(&self, head: &Head) -> bool {
        self.range.size() == head.size && roots_to_bytes(self.range.roots()) == head.roots
    }

    /// Reads the edge of the log with that head, and checks that the two belong together.
    pub(super) async fn load(connection: &mut SqliteConnection, head: &Head) -> Result<Self, StoreError> {
        let range = CompactRange::from_parts(head.size, roots_from_bytes(&head.roots)?)
            .map_err(|error| StoreError::Corrupt(format!("the head of the log: {error}")))?;
        let mut edge = Self { range, ..Self::default() };
        let wanted: Vec<TileId> =
            (0..ROWS).filter_map(|row| open_tile(head.size, row).map(|(tile, _)| tile)).collect();
        let mut tiles = load_tiles(connection, &wanted).await?;
        for row in 0..ROWS {
            let Some((tile, hashes)) = open_tile(head.size, row) else { continue };
            let bytes = tiles.remove(&tile.number()).filter(|bytes| bytes.len() == hashes * HASH_BYTES);
            edge.open[usize::from(row)] =
                bytes.ok_or_else(|| StoreError::Corrupt("the log misses part of its last tile".into()))?;
        }
        edge.check()?;
        Ok(edge)
    }

    /// The roots follow from the open tiles. If they do not, one of the two was not written by us.
    fn check(&self) -> Result<(), StoreError> {
        let mut above = Vec::with_capacity(self.range.roots().len());
        for level in (0..64_u8).rev().filter(|level| self.range.size() >> level & 1 == 1) {
            let (_, start, count) = TileId::of(NodeId { level, index: (self.range.size() >> level) - 1 });
            above.push(fold(&self.open[usize::from(level / ROW_LEVELS)], start, count)?);
        }
        if above == self.range.roots() {
            Ok(())
        } else {
            Err(StoreError::Corrupt("the log and its head do not belong together".into()))
        }
    }

    /// A tile that is at the edge or was completed by what was appended.
    fn tile(&self, tile: TileId) -> Option<&[u8]> {
        let open = open_tile(self.range.size(), tile.row).is_some_and(|(open, _)| open == tile);
        if open { self.open.get(usize::from(tile.row)) } else { self.full.get(&tile) }.map(Vec::as_slice)
    }

    /// The tiles that changed since this was last asked, by number.
    pub(super) fn changed_tiles(&mut self) -> Vec<(u64, Vec<u8>)> {
        let full = std::mem::take(&mut self.full).into_iter().map(|(tile, bytes)| (tile.number(), bytes));
        let mut changed: Vec<(u64, Vec<u8>)> = full.collect();
        for row in std::mem::take(&mut self.grown) {
            if let Some((tile, _)) = open_tile(self.range.size(), row) {
                changed.push((tile.number(), self.open[usize::from(row)].clone()));
            }
        }
        changed
    }
}

/// The last tile of a row, if it is not full, and how many hashes it has.
fn open_tile(size: u64, row: u8) -> Option<(TileId, usize)> {
    let hashes = size >> (row * ROW_LEVELS);
    let open = hashes % TILE_HASHES;
    (open > 0)
        .then(|| (TileId { row, index: hashes / TILE_HASHES }, usize::try_from(open).unwrap_or_default()))
}

/// Hashes of the log, read in one go for the proofs that need them.
#[derive(Default)]
pub(super) struct Nodes {
    tiles: HashMap<u64, Vec<u8>>,
}

impl Nodes {
    /// Reads what `nodes` follow from.
    pub(super) async fn fetch(
        connection: &mut SqliteConnection,
        nodes: impl Iterator<Item = NodeId>,
    ) -> Result<Self, StoreError> {
        Self::fetch_beyond(&Edge::default(), connection, nodes).await
    }

    /// The same in a transaction whose tiles are not written yet.
    pub(super) async fn fetch_beyond(
        edge: &Edge,
        connection: &mut SqliteConnection,
        nodes: impl Iterator<Item = NodeId>,
    ) -> Result<Self, StoreError> {
        let wanted: BTreeSet<TileId> = nodes.map(|node| TileId::of(node).0).collect();
        let (mut stored, mut tiles) = (Vec::new(), HashMap::new());
        for tile in wanted {
            match edge.tile(tile) {
                Some(hashes) => drop(tiles.insert(tile.number(), hashes.to_vec())),
                None => stored.push(tile),
            }
        }
        tiles.extend(load_tiles(connection, &stored).await?);
        Ok(Self { tiles })
    }

    /// The proof of a plan whose nodes were fetched.
    pub(super) fn prove(&self, plan: &ProofPlan) -> Result<Vec<Hash>, StoreError> {
        let hashes: Result<Vec<Hash>, StoreError> = plan.nodes().iter().map(|node| self.get(*node)).collect();
        plan.fold(&hashes?).map_err(|error| StoreError::Corrupt(format!("the log: {error}")))
    }

    fn get(&self, node: NodeId) -> Result<Hash, StoreError> {
        let (tile, start, count) = TileId::of(node);
        fold(self.tiles.get(&tile.number()).map_or(&[], Vec::as_slice), start, count)
    }
}

async fn load_tiles(
    connection: &mut SqliteConnection,
    wanted: &[TileId],
) -> Result<HashMap<u64, Vec<u8>>, StoreError> {
    let rows = TILES
        .list(connection, wanted, |tile, values| {
            values.add(to_sql(tile.number()));
        })
        .await?;
    rows.iter().map(|row| Ok((from_sql(row.try_get(0)?)?, row.try_get(1)?))).collect()
}

/// The root of the perfect subtree over `count` hashes of a tile from `start` on.
fn fold(tile: &[u8], start: usize, count: usize) -> Result<Hash, StoreError> {
    let missing = || StoreError::Corrupt("the log misses a hash".into());
    let bytes = tile.get(start * HASH_BYTES..(start + count) * HASH_BYTES).ok_or_else(missing)?;
    let mut hashes = roots_from_bytes(bytes)?;
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    hashes.pop().ok_or_else(missing)
}

fn roots_to_bytes(roots: &[Hash]) -> Vec<u8> {
    roots.iter().flat_map(|root| *root.as_bytes()).collect()
}

/// Hashes one after the other.
pub(super) fn roots_from_bytes(bytes: &[u8]) -> Result<Vec<Hash>, StoreError> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if rest.is_empty() {
        Ok(hashes.iter().map(|hash| Hash::from_bytes(*hash)).collect())
    } else {
        Err(damaged("a hash"))
    }
}

#[cfg(test)]
mod tests;
