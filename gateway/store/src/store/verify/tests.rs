//! Whoever changes anything behind the store's back is found out, at the first entry where it shows.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use exchange::{
    entry::{Entry, ErasureCause},
    random::SeededRandom,
    tlog::{Checkpoint, Leaf},
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::*;
use crate::{CosignedCheckpoint, Options, StorageKey};
use given::{agree, arrival, id, log_signer, now, outgoing, partner, signer, us};

mod given;
mod handovers;
mod records;

/// Two full tiles and most of a third.
const SIZE: u64 = 700;
/// Entries are written in operations of so many: one is about no message, half were sent, half received.
const STEP: u64 = 100;

struct Place(TempDir);

impl Place {
    /// A log of [`SIZE`] entries, the first of each step about no message. `changed` is another than it was.
    async fn filled(changed: Option<u64>) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let store = Store::create(place.options()).await.unwrap();
        agree(&store, 1).await;
        for first in (0..SIZE).step_by(usize::try_from(STEP).unwrap()) {
            let oin = us();
            store.append(vec![Entry::Begin { oin, tijd: now() }.leaf()]).await.unwrap();
            let other = |index: u64| u128::from(index + if changed == Some(index) { 1 << 32 } else { 0 });
            let half = first + STEP / 2;
            let rules = store.rules_version().await.unwrap();
            let sent = (first + 1..half).map(|index| outgoing(other(index))).collect();
            store.enqueue(rules, sent, Vec::new()).await.unwrap();
            let received = (half..first + STEP).map(|index| arrival(other(index))).collect();
            store.file(rules, received).await.unwrap();
        }
        store.close().await;
        place
    }

    fn options(&self) -> Options {
        let (key, random) = (StorageKey::from_bytes([5; 32]), Arc::new(SeededRandom::new(1)));
        Options::new(self.0.path().join("knooppunt.db"), us(), key, Arc::new(signer()), random)
    }

    /// Opened to be checked, whatever is wrong with it.
    async fn open(&self) -> Store {
        Store::open(Options { unchecked: true, ..self.options() }).await.unwrap()
    }

    /// Does something to the database that no store would.
    async fn tamper(&self, statement: &'static str) {
        let path = self.0.path().join("knooppunt.db");
        let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
        let mut bare = SqliteConnection::connect_with(&options).await.unwrap();
        let done = sqlx::query(statement).execute(&mut bare).await.unwrap();
        assert!(done.rows_affected() > 0, "nothing was changed by {statement}");
        bare.close().await.unwrap();
    }

    async fn verified(&self) -> Verdict {
        let store = self.open().await;
        let anchors = store.anchors(us()).await.unwrap();
        let verdict = store.verify(Check { anchors, closed: false }, |_, _| {}).await.unwrap();
        store.close().await;
        verdict
    }
}

fn found(verdict: &Verdict) -> (u64, Option<u64>, &str) {
    match verdict {
        Verdict::Broken { index, last, what } => (*index, *last, what),
        Verdict::Whole { .. } => panic!("it is whole"),
    }
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole() {
    let place = Place::filled(None).await;
    let store = Store::open(place.options()).await.unwrap();
    let mut told = Vec::new();
    let check = Check { anchors: Vec::new(), closed: false };
    let verdict = store.verify(check, |done, of| told.push((done, of))).await.unwrap();
    let Verdict::Whole { size, checkpoint, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!((size, store.log_key().open(&checkpoint).unwrap().size), (SIZE, SIZE));
    assert_eq!(told.last(), Some(&(SIZE, SIZE)));
    // What was erased is fine.
    store.erase_case(id(60), ErasureCause::Request, now()).await.unwrap();
    let check = Check { anchors: store.anchors(us()).await.unwrap(), closed: false };
    let verdict = store.verify(check, |_, _| {}).await.unwrap();
    assert!(matches!(verdict, Verdict::Whole { anchors: 1, confirmed: 0, .. }), "{verdict:?}");
}

/// Statement, the first entry that differs, the last it can be, and a word of what is said.
type Case = (&'static str, u64, Option<u64>, &'static str);

const OTHER_LEAF: &str =
    "UPDATE log_leaf SET leaf = CAST(replace(leaf, '2026-', '2027-') AS BLOB) WHERE idx = 310";

const CASES: &[Case] = &[
    (OTHER_LEAF, 310, None, "veranderd"),
    ("UPDATE log_leaf SET leaf = x'00' WHERE idx = 699", 699, None, "veranderd"),
    ("UPDATE log_leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx IN (20, 640)", 20, None, "veranderd"),
    ("DELETE FROM log_leaf WHERE idx = 310", 310, None, "deze regel ontbreekt"),
    ("DELETE FROM log_leaf WHERE idx = 0", 0, None, "deze regel ontbreekt"),
    ("DELETE FROM log_leaf WHERE idx = 699", 699, None, "deze regel ontbreekt"),
    ("DELETE FROM message WHERE idx IN (310, 400)", 310, None, "het bericht bij deze regel ontbreekt"),
    ("UPDATE message SET digest = zeroblob(32) WHERE idx = 310", 310, None, "een ander"),
    ("UPDATE message SET digest = x'00' WHERE idx = 310", 310, None, "een ander"),
    ("UPDATE message SET state = 3 WHERE idx = 360", 360, None, "andere stand"),
    ("UPDATE message SET direction = 1 - direction WHERE idx = 310", 310, None, "een ander"),
    ("UPDATE message SET idx = 300 WHERE idx = 699", 300, None, "er niet hoort"),
    ("UPDATE message SET idx = 9000 WHERE idx = 650", 650, None, "het bericht bij deze regel ontbreekt"),
    ("DELETE FROM payload WHERE idx = 310", 310, None, "ontbreekt, en is niet gewist"),
    (
        "UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE idx = 311) WHERE idx = 310",
        310,
        None,
        "niet te openen",
    ),
    ("UPDATE log_tile SET hashes = zeroblob(8192) WHERE num = 8", 256, None, "veranderd"),
    ("UPDATE log_tile SET hashes = zeroblob(length(hashes)) WHERE num = 16", 512, None, "veranderd"),
    ("DELETE FROM log_tile WHERE num = 0", 0, None, "veranderd"),
    ("UPDATE log_tile SET hashes = zeroblob(64) WHERE num = 1", 0, Some(255), "de opgeslagen hash over"),
    ("UPDATE log_state SET roots = zeroblob(length(roots))", 0, Some(699), "de kop"),
    (
        "INSERT INTO payload SELECT 700, sealed, form FROM payload WHERE idx = 310",
        700,
        None,
        "voorbij het einde",
    ),
    ("INSERT INTO payload SELECT 300, sealed, form FROM payload WHERE idx = 310", 300, None, "er niet hoort"),
    ("INSERT INTO log_leaf (idx, leaf) VALUES (700, x'7b7d')", 700, None, "voorbij het einde"),
];

#[tokio::test]
async fn the_first_entry_that_differs_is_named() {
    let whole = Place::filled(None).await;
    let file = whole.0.path().join("knooppunt.db");
    for (statement, index, last, word) in CASES {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::copy(&file, place.0.path().join("knooppunt.db")).unwrap();
        let keys = file.with_file_name("knooppunt.db-sleutels");
        std::fs::copy(keys, place.0.path().join("knooppunt.db-sleutels")).unwrap();
        place.tamper(statement).await;
        let verdict = place.verified().await;
        let (at, until, what) = found(&verdict);
        assert_eq!((at, until), (*index, *last), "{statement}: {what}");
        assert!(what.contains(word), "{statement}: {what}");
    }
}

/// What a partner keeps of a log at this size.
async fn seen(store: &Store, size: u64) -> CosignedCheckpoint {
    let mut range = CompactRange::default();
    let mut reader = store.0.readers.acquire().await.unwrap();
    for entry in verify::entries(&mut reader, (0, size), MAX_ENTRIES_READ).await.unwrap() {
        range.append(entry.leaf.hash());
    }
    let note = signer().sign(&Checkpoint { origin: us().log_origin(), size, root: range.root() });
    let key = signer().verifier().to_string();
    CosignedCheckpoint { log: us(), witness: partner(), key, size, note, at: now() }
}

/// Who changes an entry and everything over it, and signs it anew, cannot change what others have.
#[tokio::test]
async fn what_partners_saw_shows_where_a_log_was_rewritten() {
    let (honest, rewritten) = (Place::filled(None).await, Place::filled(Some(430)).await);
    assert!(matches!(rewritten.verified().await, Verdict::Whole { .. }), "by itself it is whole");
    let (store, other) = (honest.open().await, rewritten.open().await);
    for size in [100, 350, 500, SIZE] {
        other.put_cosigned(seen(&store, size).await).await.unwrap();
    }
    let verdict = rewritten.verified().await;
    let (at, until, what) = found(&verdict);
    assert_eq!((at, until), (350, Some(499)), "{what}");
    assert!(what.contains(partner().as_str()), "{what}");
    // Only what this log's key signed counts.
    let stranger = log_signer(us(), 8);
    assert_eq!(Anchor::new(&stranger.verifier(), &seen(&store, 500).await.note, None), None);
    // An entry that does not fit its own hash is still named, whatever was signed over it.
    store.put_cosigned(seen(&store, 500).await).await.unwrap();
    store.close().await;
    honest.tamper(OTHER_LEAF).await;
    assert_eq!(found(&honest.verified().await).0, 310);
}

/// What is kept of what was signed is part of what is checked: who spoils it to hide a change is seen by that.
#[tokio::test]
async fn a_kept_checkpoint_that_was_spoiled_is_named() {
    let place = Place::filled(None).await;
    let store = place.open().await;
    for size in [100, 500] {
        store.put_cosigned(seen(&store, size).await).await.unwrap();
    }
    store.close().await;
    // The check before it signs a checkpoint of its own.
    let whole = place.verified().await;
    assert!(matches!(whole, Verdict::Whole { confirmed: 500, anchors: 2, .. }), "{whole:?}");
    place.tamper("UPDATE cosigned SET note = note || 'x' WHERE size = 500").await;
    let verdict = place.verified().await;
    assert_eq!((found(&verdict).0, found(&verdict).1), (100, Some(499)), "{verdict:?}");
    assert!(found(&verdict).2.contains("controlepunt"), "{verdict:?}");
    place.tamper("DELETE FROM cosigned WHERE size = 500").await;
    let whole = place.verified().await;
    assert!(matches!(whole, Verdict::Whole { confirmed: 100, anchors: 2, .. }), "{whole:?}");
    place.tamper("UPDATE log_state SET checkpoint = 'spoiled'").await;
    let verdict = place.verified().await;
    assert_eq!((found(&verdict).0, found(&verdict).1), (100, Some(SIZE - 1)), "{verdict:?}");
}

/// A database that was put back is shorter than what it signed.
#[tokio::test]
async fn what_partners_saw_shows_that_a_log_became_shorter() {
    let place = Place::filled(None).await;
    let store = place.open().await;
    let longer = CosignedCheckpoint {
        size: SIZE + 5,
        note: signer().sign(&Checkpoint {
            origin: us().log_origin(),
            size: SIZE + 5,
            root: Leaf::new(Vec::new()).hash(),
        }),
        ..seen(&store, SIZE).await
    };
    store.put_cosigned(longer).await.unwrap();
    store.close().await;
    let verdict = place.verified().await;
    let (at, _, what) = found(&verdict);
    assert_eq!(at, SIZE);
    assert!(what.contains("ontbreken") && what.contains("oudere kopie"), "{what}");
}

/// A whole page and more: nothing is passed over where one reading ends and the next begins.
#[tokio::test]
async fn pages_join() {
    let place = Place(tempfile::tempdir().unwrap());
    let store = Store::create(place.options()).await.unwrap();
    let size = u64::try_from(MAX_ENTRIES_READ).unwrap() * 2 + 3;
    let leaf = Entry::Begin { oin: us(), tijd: now() }.leaf();
    for first in (0..size).step_by(1024) {
        let many = usize::try_from((size - first).min(1024)).unwrap();
        store.append(vec![leaf.clone(); many]).await.unwrap();
    }
    store.close().await;
    let verdict = place.verified().await;
    assert!(matches!(verdict, Verdict::Whole { size: found, .. } if found == size), "{verdict:?}");
    place.tamper("DELETE FROM log_leaf WHERE idx = 8192").await;
    assert_eq!(found(&place.verified().await).0, 8192);
    place.tamper("DELETE FROM log_leaf WHERE idx = 4096").await;
    assert_eq!(found(&place.verified().await).0, 4096);
}
