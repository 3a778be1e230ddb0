//! Proving the whole log, entry by entry, in bounded memory, and naming the first that differs.
//!
//! Each leaf is held against the hash that was stored of it and against what is stored with it ([`against`]), and the tree
//! over all of them against the stored tree. Who can change all of that together cannot change what others signed: the
//! checkpoints that partners cosigned ([`Anchor`]), wherever those are kept. Between the last of these that holds and the
//! first that does not, something was changed.

mod against;
mod agreements;
mod consents;
mod content;
mod leads;
mod message;
mod receipts;

use exchange::{
    oin::Oin,
    tlog::{CompactRange, Hash, LogVerifier},
};

use self::against::{Against, Fault};
use super::Store;
use crate::{
    error::StoreError,
    sqlite::{
        verify::{self, LoggedEntry},
        verify_handover, verify_records, verify_tally,
    },
};

/// The most entries in one reading: a few megabytes.
const MAX_ENTRIES_READ: usize = 4096;
/// The number of levels from one row of stored tiles to the next.
const ROW_LEVELS: u8 = 8;
/// The number of hashes in a full tile.
const TILE_HASHES: usize = 1 << ROW_LEVELS;
/// Rows of tiles: the levels of a tree that 63 bits can count.
const ROWS: usize = 8;

/// What a check of the log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every leaf is under the signed checkpoint, and every message is the one its leaf speaks of.
    Whole {
        /// The number of leaves.
        size: u64,
        /// The signed checkpoint.
        checkpoint: String,
        /// How many checkpoints that were signed before hold.
        anchors: usize,
        /// How many leaves the largest of those covers that a partner cosigned or keeps; 0 when there is none.
        confirmed: u64,
    },
    /// Something was changed after it was logged.
    Broken {
        /// The first entry that differs, or the first that may.
        index: u64,
        /// The last that may be the first that differs, when it is not known which.
        last: Option<u64>,
        /// What is wrong, in Dutch.
        what: String,
    },
}

/// A checkpoint of this log that was signed earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    size: u64,
    /// None when what is kept is not what this node signed: somebody changed it.
    root: Option<Hash>,
    /// Who keeps or cosigned it; this node itself when nobody is named.
    by: Option<Oin>,
}

impl Verdict {
    /// The number of entries before the first that differs.
    const fn first(&self) -> u64 {
        match self {
            Self::Whole { size, .. } => *size,
            Self::Broken { index, .. } => *index,
        }
    }
}

/// What to check.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// What was signed before, in any order.
    pub anchors: Vec<Anchor>,
    /// Leave every message closed: that takes half the time, and does not show whether what was kept is what the log says,
    /// nor whether what stands beside it is.
    pub closed: bool,
}

impl Anchor {
    /// A checkpoint of the log with this key, and who keeps or cosigned it; nothing when that key did not sign it.
    /// Nobody else can have made it.
    pub fn new(key: &LogVerifier, note: &str, by: Option<Oin>) -> Option<Self> {
        let checkpoint = key.open(note).ok()?;
        Some(Self { size: checkpoint.size, root: Some(checkpoint.root), by })
    }

    /// One that was verified before it was kept here, as one of so many leaves.
    fn kept(key: &LogVerifier, (note, size): (&str, u64), by: Option<Oin>) -> Self {
        Self::new(key, note, by).unwrap_or(Self { size, root: None, by })
    }
}

impl Store {
    /// The checkpoints of this log that are kept here: the last that this node signed, and those that partners cosigned.
    pub async fn anchors(&self, me: Oin) -> Result<Vec<Anchor>, StoreError> {
        let key = self.log_key();
        let own = verify::last_checkpoint(&mut *self.0.readers.acquire().await?).await?;
        // Of how many leaves only the note itself says.
        let own = own.map(|note| Anchor::kept(&key, (&note, u64::MAX), None));
        let (named, cosigned) = (key.to_string(), self.cosigned(me, None).await?);
        let seen = cosigned.iter().filter(|one| one.key == named);
        let seen = seen.map(|one| Anchor::kept(&key, (&one.note, one.size), Some(one.witness)));
        Ok(own.into_iter().chain(seen).collect())
    }

    /// Reads the whole log and holds it against everything that was stored or signed with it. `progress` is told how
    /// many entries were read, of how many.
    pub async fn verify(
        &self,
        check: Check,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Verdict, StoreError> {
        self.refresh_keys();
        let head = verify::head(&mut *self.0.readers.acquire().await?).await?;
        let (size, closed) = (head.size, check.closed);
        let mut walk = Walk::new(self, check.anchors);
        let mut against = Against::new(self).await?;
        let mut reader = self.0.readers.acquire().await?;
        let (me, since) =
            (verify_records::owner(&mut reader).await?, verify_handover::since(&mut reader).await?);
        let steps = content::Steps { me, since };
        drop(reader);
        let mut entries = self.entries_between((0, size)).await?;
        while walk.range.size() < size {
            let from = walk.range.size();
            let next = entries.last().map_or(from, |last| last.index + 1);
            let beside = async {
                let differs = walk.page(&entries, size).await?;
                // Of what one page shows, the first counts, whatever it is.
                let until = differs.as_ref().map_or(walk.range.size(), Verdict::first);
                let before = entries.iter().take_while(|entry| entry.index < until).count();
                Ok::<_, StoreError>((differs, until, against.page(&entries[..before]).await?))
            };
            let opened = async { if closed { Ok(None) } else { self.opened((from, next), steps).await } };
            // What is opened is opened on other threads, and the next page is there when this one is done.
            let (beside, opened, following) =
                tokio::join!(beside, opened, self.entries_between((next, size)));
            let (differs, until, fault) = beside?;
            let opened = opened?.filter(|opened| opened.index < until);
            // Of one entry, what needs no opening is said first.
            let fault = fault.into_iter().chain(opened).min_by_key(|fault| fault.index);
            if let Some(found) = walk.first_of(differs, fault).await? {
                return against.or_unproven(found).await;
            }
            entries = following?;
            progress(walk.range.size(), size);
        }
        if let Some(broken) = walk.end(&head.roots).await? {
            return against.or_unproven(broken).await;
        }
        let handovers = verify_handover::contradiction(&mut *self.0.readers.acquire().await?).await?;
        if let Some((index, what)) = handovers {
            return against.or_unproven(broken(index, what)).await;
        }
        if let Some(fault) = self.first_misled(size, against.leads()).await? {
            return against.or_unproven(broken(fault.index, fault.what)).await;
        }
        if let Some(index) = verify_tally::miscounted(&mut *self.0.readers.acquire().await?).await? {
            return against.or_unproven(broken(index, MISCOUNTED)).await;
        }
        let (anchors, confirmed) = (walk.held, walk.confirmed);
        let whole = Verdict::Whole { size, checkpoint: self.checkpoint().await?, anchors, confirmed };
        against.or_unproven(whole).await
    }

    /// A page of the log.
    async fn entries_between(&self, between: (u64, u64)) -> Result<Vec<LoggedEntry>, StoreError> {
        verify::entries(&mut *self.0.readers.acquire().await?, between, MAX_ENTRIES_READ).await
    }
}

const MISCOUNTED: &str = "van de soort berichten waar deze regel bij hoort (partner, richting, stand) zijn er meer of minder dan zijn geteld";

fn broken(index: u64, what: &str) -> Verdict {
    Verdict::Broken { index, last: None, what: what.to_owned() }
}

/// The way through the log.
struct Walk<'a> {
    store: &'a Store,
    range: CompactRange,
    /// The tile of each row that is being filled.
    open: [Vec<Hash>; ROWS],
    /// Nodes that were completed by the last leaf, to be put in their tiles.
    completed: Vec<(u8, Hash)>,
    /// What was signed before and is still to come, the largest first.
    anchors: Vec<Anchor>,
    /// How many of those hold, and the size of the last.
    held: usize,
    held_size: u64,
    /// The size of the last of them that a partner has as well.
    confirmed: u64,
}

impl<'a> Walk<'a> {
    fn new(store: &'a Store, mut anchors: Vec<Anchor>) -> Self {
        anchors.sort_by_key(|anchor| std::cmp::Reverse((anchor.size, anchor.by)));
        let (range, open) = (CompactRange::default(), std::array::from_fn(|_| Vec::new()));
        Self { store, range, open, completed: Vec::new(), anchors, held: 0, held_size: 0, confirmed: 0 }
    }

    /// Takes a page of entries; says what the first is that differs.
    async fn page(&mut self, entries: &[LoggedEntry], size: u64) -> Result<Option<Verdict>, StoreError> {
        for entry in entries {
            let index = self.range.size();
            if entry.index != index {
                return Ok(Some(broken(index, "deze regel ontbreekt")));
            }
            self.append(entry.leaf.hash());
            if let Some(broken) = self.full_tiles().await? {
                return Ok(Some(broken));
            }
            if let Some(broken) = self.anchored().await? {
                return Ok(Some(broken));
            }
        }
        let (next, whole) = (self.range.size(), entries.len() == MAX_ENTRIES_READ);
        Ok((!whole && next < size).then(|| broken(next, "deze regel ontbreekt")))
    }

    /// The first that differs: in the tree, or in what is stored with an entry before that. When it is the latter the leaf
    /// itself may have been changed, and then that is what to say.
    async fn first_of(
        &self,
        differs: Option<Verdict>,
        fault: Option<Fault>,
    ) -> Result<Option<Verdict>, StoreError> {
        let Some(fault) = fault else { return Ok(differs) };
        let changed = if differs.is_none() { self.open_tiles().await? } else { None };
        let changed = changed.filter(|changed| changed.first() <= fault.index);
        Ok(Some(changed.unwrap_or_else(|| broken(fault.index, fault.what))))
    }

    fn append(&mut self, leaf: Hash) {
        let completed = &mut self.completed;
        self.range.append_visiting(leaf, |node, hash| {
            if node.level % ROW_LEVELS == 0 {
                completed.push((node.level / ROW_LEVELS, hash));
            }
        });
        for (row, hash) in self.completed.drain(..) {
            self.open[usize::from(row)].push(hash);
        }
    }

    /// Holds the tiles that are full against the stored ones.
    async fn full_tiles(&mut self) -> Result<Option<Verdict>, StoreError> {
        for row in 0..ROWS {
            if self.open[row].len() < TILE_HASHES {
                // A tile of a higher row only becomes full together with those below it.
                return Ok(None);
            }
            if let Some(broken) = self.tile(row).await? {
                return Ok(Some(broken));
            }
            self.open[row].clear();
        }
        Ok(None)
    }

    /// Holds the tiles that are not full yet against the stored ones.
    async fn open_tiles(&self) -> Result<Option<Verdict>, StoreError> {
        for row in 0..ROWS {
            if !self.open[row].is_empty()
                && let Some(broken) = self.tile(row).await?
            {
                return Ok(Some(broken));
            }
        }
        Ok(None)
    }

    /// Holds the tile that is being filled in a row against the stored one, as far as it goes.
    async fn tile(&self, row: usize) -> Result<Option<Verdict>, StoreError> {
        let hashes = &self.open[row];
        let level = u32::from(ROW_LEVELS) * u32::try_from(row).unwrap_or_default();
        // How many nodes of this level there are now, and so which tile the last of them are in.
        let nodes = self.range.size() >> level;
        let first = nodes - hashes.len() as u64;
        let tile = (u8::try_from(row).unwrap_or_default(), first / TILE_HASHES as u64);
        let stored =
            verify::tile(&mut *self.store.0.readers.acquire().await?, tile).await?.unwrap_or_default();
        let differs = hashes.iter().enumerate().find(|(place, hash)| stored.get(*place) != Some(*hash));
        Ok(differs.map(|(place, _)| {
            let node = first + place as u64;
            match row {
                0 => broken(node, "deze regel is niet die waarvan de hash is opgeslagen: zij is veranderd"),
                _ => Verdict::Broken {
                    index: node << level,
                    last: Some(((node + 1) << level) - 1),
                    what: "de opgeslagen hash over deze regels is veranderd; de regels zelf passen bij hun eigen hash"
                        .to_owned(),
                },
            }
        }))
    }

    /// Holds the tree against what was signed when it had this size.
    async fn anchored(&mut self) -> Result<Option<Verdict>, StoreError> {
        while let Some(anchor) = self.anchors.pop_if(|anchor| anchor.size <= self.range.size()) {
            let Some(root) = anchor.root else { return Ok(Some(self.not_signed())) };
            if anchor.size == self.range.size() && root != self.range.root() {
                // The stored tree may still tell which entry it is.
                let changed = self.open_tiles().await?;
                return Ok(Some(changed.unwrap_or_else(|| self.contradicts(&anchor))));
            }
            self.held += usize::from(anchor.size == self.range.size());
            self.held_size = anchor.size;
            if anchor.by.is_some() {
                self.confirmed = anchor.size;
            }
        }
        Ok(None)
    }

    /// What is kept of what this node signed is not that: up to where the rest holds nothing was changed.
    fn not_signed(&self) -> Verdict {
        let what = "een bewaard controlepunt van dit logboek is veranderd: de sleutel van het logboek ondertekende dit niet";
        let last = self.range.size().checked_sub(1).filter(|last| *last > self.held_size);
        Verdict::Broken { index: self.held_size, last, what: what.to_owned() }
    }

    fn contradicts(&self, anchor: &Anchor) -> Verdict {
        let by = anchor.by.map_or_else(|| "dit knooppunt eerder".to_owned(), |oin| format!("partner {oin}"));
        Verdict::Broken {
            index: self.held_size,
            last: Some(anchor.size - 1),
            what: format!(
                "een van deze regels is veranderd, met alle hashes erover: {by} heeft bij {} regels een andere inhoud ondertekend",
                anchor.size
            ),
        }
    }

    /// Holds the end of the log against its head, against what was signed of a longer log, and against what is stored
    /// beyond it.
    async fn end(&mut self, roots: &[Hash]) -> Result<Option<Verdict>, StoreError> {
        if let Some(broken) = self.open_tiles().await? {
            return Ok(Some(broken));
        }
        let size = self.range.size();
        if self.range.roots() != roots {
            let what =
                "de kop van het logboek hoort niet bij de regels; de regels passen bij hun eigen hashes";
            return Ok(Some(Verdict::Broken { index: 0, last: size.checked_sub(1), what: what.to_owned() }));
        }
        if let Some(longer) = self.anchors.last() {
            if longer.root.is_none() {
                return Ok(Some(self.not_signed()));
            }
            let by = longer.by.map_or_else(|| "dit knooppunt".to_owned(), |oin| format!("partner {oin}"));
            let what = format!(
                "deze regel en wat erna kwam ontbreken: {by} heeft het logboek gezien met {} regels. Is er een oudere kopie van de database teruggezet?",
                longer.size
            );
            return Ok(Some(Verdict::Broken { index: size, last: None, what }));
        }
        let stray = verify::stray(&mut *self.store.0.readers.acquire().await?).await?;
        Ok(stray
            .map(|index| broken(index, "hier staat een regel of bericht voorbij het einde van het logboek")))
    }
}

#[cfg(test)]
mod tests;
