#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use exchange::tlog::Leaf;

use super::*;

fn leaf(number: u64) -> Hash {
    Leaf::new(number.to_be_bytes().to_vec()).hash()
}

#[test]
fn finds_the_tile_of_a_node() {
    for (level, index, expected) in [
        (0, 0, (0, 0, 0, 1)),
        (0, 255, (0, 0, 255, 1)),
        (0, 256, (0, 1, 0, 1)),
        (3, 31, (0, 0, 248, 8)),
        (3, 32, (0, 1, 0, 8)),
        (7, 1, (0, 0, 128, 128)),
        (8, 0, (1, 0, 0, 1)),
        (8, 257, (1, 1, 1, 1)),
        (15, 3, (1, 1, 128, 128)),
        (62, 1, (7, 0, 64, 64)),
    ] {
        let (tile, start, count) = TileId::of(NodeId { level, index });
        assert_eq!((tile.row, tile.index, start, count), expected, "level {level}, index {index}");
    }
}

#[test]
fn numbers_tiles_without_clashes() {
    let mut seen = BTreeSet::new();
    for row in 0..ROWS {
        for index in 0..100 {
            assert!(seen.insert(TileId { row, index }.number()));
        }
    }
}

#[test]
fn keeps_every_node_that_was_completed() {
    let mut edge = Edge::default();
    let mut nodes = Vec::new();
    let mut range = CompactRange::default();
    let mut tiles = HashMap::new();
    for number in 0..66_000_u64 {
        assert_eq!(edge.append(leaf(number)), number);
        range.append_visiting(leaf(number), |node, hash| nodes.push((node, hash)));
        // Written in groups of varying size.
        if number % 97 == 0 || number % 4096 == 11 {
            tiles.extend(edge.changed_tiles());
        }
    }
    tiles.extend(edge.changed_tiles());
    assert_eq!(edge.range(), &range);
    assert_eq!(edge.changed_tiles(), []);
    edge.check().unwrap();
    let stored = Nodes { tiles };
    for (node, hash) in nodes {
        assert_eq!(stored.get(node).unwrap(), hash, "{node:?}");
    }
}

#[test]
fn notices_that_head_and_tiles_differ() {
    let mut edge = Edge::default();
    for number in 0..300 {
        edge.append(leaf(number));
    }
    edge.check().unwrap();
    edge.open[0][5] ^= 1;
    assert!(matches!(edge.check(), Err(StoreError::Corrupt(_))));
}
