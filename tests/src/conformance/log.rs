//! The log and its proofs.

use anyhow::Result;
use exchange::tlog::{CompactRange, Hash, Leaf, verify_consistency, verify_inclusion};
use store::{LogState, MAX_BATCH, MAX_ROWS_READ, Store, StoreError};

use super::{
    Database,
    given::{Maker, Offer as _, log_verifier, partner},
};

/// Leaves that were logged, and the root after each.
struct Reference {
    leaves: Vec<Leaf>,
    roots: Vec<Hash>,
}

impl Reference {
    fn root(&self, size: u64) -> Result<Hash> {
        Ok(self.roots[usize::try_from(size)?])
    }
}

/// Logs `count` leaves in operations of varying size.
async fn grow(store: &Store, maker: &Maker, count: u64, most: u64) -> Result<Reference> {
    let mut range = CompactRange::default();
    let mut reference = Reference { leaves: Vec::new(), roots: vec![range.root()] };
    while range.size() < count {
        let many = (1 + maker.below(most)).min(count - range.size());
        let first = range.size();
        let leaves: Vec<Leaf> = (0..many).map(|number| leaf(first + number)).collect();
        assert_eq!(store.append(leaves.clone()).await?, first);
        for leaf in &leaves {
            range.append(leaf.hash());
            reference.roots.push(range.root());
        }
        reference.leaves.extend(leaves);
    }
    assert_eq!(store.log_state().await?, LogState { size: count, root: range.root() });
    Ok(reference)
}

fn leaf(number: u64) -> Leaf {
    Leaf::new(format!("leaf {number}").into_bytes())
}

async fn check_inclusion(store: &Store, reference: &Reference, index: u64, size: u64) -> Result<()> {
    let proof = store.inclusion(index, size).await?;
    let leaf = &reference.leaves[usize::try_from(index)?];
    verify_inclusion(index, size, &leaf.hash(), &proof, &reference.root(size)?)?;
    Ok(())
}

async fn check_consistency(store: &Store, reference: &Reference, from: u64, to: u64) -> Result<()> {
    let proof = store.consistency(from, to).await?;
    verify_consistency(from, to, &proof, &reference.root(from)?, &reference.root(to)?)?;
    Ok(())
}

/// In the log of any size any leaf can be proven.
pub async fn proves_every_leaf(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(60);
    let reference = grow(&store, &maker, 600, 90).await?;
    for _ in 0..300 {
        let size = 1 + maker.below(600);
        check_inclusion(&store, &reference, maker.below(size), size).await?;
    }
    for (index, size) in [(0, 1), (0, 600), (599, 600), (255, 256), (256, 257), (511, 512), (0, 513)] {
        check_inclusion(&store, &reference, index, size).await?;
    }
    assert_eq!(store.leaves(590, 100).await?, reference.leaves[590..]);
    assert_eq!(store.leaves(0, 10_000).await?, reference.leaves[..MAX_ROWS_READ]);
    assert_eq!(store.leaves(600, 1).await?, []);
    Ok(())
}

/// Any log begins with every smaller one.
pub async fn proves_growth(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(61);
    let reference = grow(&store, &maker, 600, 90).await?;
    for _ in 0..300 {
        let to = maker.below(601);
        check_consistency(&store, &reference, maker.below(to + 1), to).await?;
    }
    for (from, to) in [(0, 0), (0, 600), (600, 600), (1, 600), (256, 257), (255, 512), (512, 600)] {
        check_consistency(&store, &reference, from, to).await?;
    }
    Ok(())
}

/// Also where the tree is so high that hashes of hashes of tiles are needed, and after reopening.
pub async fn proves_across_many_tiles(database: &impl Database) -> Result<()> {
    const SIZE: u64 = 66_200;
    let store = database.create().await?;
    let maker = Maker::new(62);
    let reference = grow(&store, &maker, SIZE, u64::try_from(MAX_BATCH)?).await?;
    drop(store);
    let store = database.open().await?;
    for _ in 0..100 {
        let size = SIZE - maker.below(1000);
        check_inclusion(&store, &reference, maker.below(size), size).await?;
        check_consistency(&store, &reference, 1 + maker.below(size), size).await?;
    }
    for (index, size) in [(65_535, 65_536), (65_536, 65_537), (0, 65_537), (0, SIZE), (SIZE - 1, SIZE)] {
        check_inclusion(&store, &reference, index, size).await?;
    }
    store.append(vec![leaf(SIZE)]).await?;
    assert_eq!(store.log_state().await?.size, SIZE + 1);
    Ok(())
}

/// The checkpoint is the same until the log grows.
pub async fn signs_its_head_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let verifier = log_verifier()?;
    assert_eq!(verifier.open(&store.checkpoint().await?)?.size, 0);
    store.take_in(Maker::new(63).admitteds(partner(1)?, 3)?).await?;
    let note = store.checkpoint().await?;
    let head = verifier.open(&note)?;
    assert_eq!(LogState { size: head.size, root: head.root }, store.log_state().await?);
    assert_eq!(head.size, 3);
    drop(store);
    let store = database.open().await?;
    assert_eq!(store.checkpoint().await?, note);
    store.append(vec![leaf(3)]).await?;
    assert_eq!(verifier.open(&store.checkpoint().await?)?.size, 4);
    Ok(())
}

/// Nothing is proven of leaves that are not there.
pub async fn refuses_what_it_does_not_have(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    grow(&store, &Maker::new(64), 10, 10).await?;
    for (index, size) in [(10, 10), (0, 11), (11, 11), (0, 0), (u64::MAX, u64::MAX)] {
        assert!(
            matches!(store.inclusion(index, size).await, Err(StoreError::NotFound(_))),
            "{index} in {size}"
        );
    }
    for (from, to) in [(0, 11), (5, 4), (11, 11), (1, u64::MAX)] {
        assert!(matches!(store.consistency(from, to).await, Err(StoreError::NotFound(_))), "{from} to {to}");
    }
    Ok(())
}
