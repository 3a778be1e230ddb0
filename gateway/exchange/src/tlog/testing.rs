//! What the tests of the log share: a naive tree after the letter of RFC 6962, a grown one, and fixed keys.
#![allow(clippy::expect_used, reason = "a fixture that cannot be made is a failed test")]

use std::collections::HashMap;

use ed25519_dalek::SigningKey;

use super::{
    Checkpoint, CompactRange, Cosigner, Hash, Leaf, LogSigner, NodeId, ProofPlan, empty_root, node_hash,
};

pub(crate) const ORIGIN: &str = "schakel/00000099000000001000";
pub(crate) const PARTNER: &str = "schakel/00000099000000002000";

/// The secret keys of tests 1 and 2 of RFC 8032 §7.1.
const LOG_SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PARTNER_SECRET: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

pub(crate) fn signer() -> LogSigner {
    LogSigner::new(ORIGIN.to_owned(), SigningKey::from_bytes(&unhex(LOG_SECRET))).expect("a name")
}

pub(crate) fn partner_signer() -> LogSigner {
    LogSigner::new(PARTNER.to_owned(), SigningKey::from_bytes(&unhex(PARTNER_SECRET))).expect("a name")
}

pub(crate) fn cosigner() -> Cosigner {
    Cosigner::new(PARTNER.to_owned(), SigningKey::from_bytes(&unhex(PARTNER_SECRET))).expect("a name")
}

fn unhex(text: &str) -> [u8; 32] {
    let byte = |at| u8::from_str_radix(text.get(at..at + 2).expect("64 digits"), 16).expect("hexadecimal");
    std::array::from_fn(|at| byte(2 * at))
}

pub(crate) fn hash(hex: &str) -> Hash {
    Hash::from_bytes(unhex(hex))
}

/// The eight entries by which implementations of Certificate Transparency test themselves.
pub(crate) fn reference_leaves() -> Vec<Leaf> {
    let leaves: [&[u8]; 8] = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
    leaves.map(|leaf| Leaf::new(leaf.to_vec())).to_vec()
}

/// The roots of the first 0 to 8 of those entries.
pub(crate) const REFERENCE_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// A checkpoint, a log signature, and a partner's cosignature of 2026-11-21T09:30:00Z, made by another
/// implementation (Python `cryptography`) over the reference entries.
pub(crate) const REFERENCE_NOTE: &str = "\
schakel/00000099000000001000
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— schakel/00000099000000001000 93+kXmi2GVrptpZ6N/DUdo/9W1pqPmZYMmdP85YOGzWhiiFvVsWFSOvG0tRZRrtd9CvHebjKMW1I8viDgzKNAbK8zwk=
— schakel/00000099000000002000 FZd7+wAAAABrAWSYsdva4jmwsEiab7qRq4v5yOyMzj4Yfp0uXJ7guMQB1iULxM+6GLlEQSssRKUfyzGtsUfNitWeO/FX3+myXxMNCg==
";

/// Distinct entries in any number.
pub(crate) fn leaf(index: u64) -> Leaf {
    Leaf::new(index.to_be_bytes().to_vec())
}

/// A tree with all its nodes, and every range it grew through.
pub(crate) struct Grown {
    nodes: HashMap<NodeId, Hash>,
    ranges: Vec<CompactRange>,
}

impl Grown {
    pub(crate) fn of(leaves: impl IntoIterator<Item = Leaf>) -> Self {
        let mut range = CompactRange::default();
        let (mut nodes, mut ranges) = (HashMap::new(), vec![range.clone()]);
        for leaf in leaves {
            range.append_visiting(leaf.hash(), |node, hash| {
                let earlier = nodes.insert(node, hash);
                assert_eq!(earlier, None, "a node is completed once");
            });
            ranges.push(range.clone());
        }
        Self { nodes, ranges }
    }

    pub(crate) fn range(&self, size: u64) -> &CompactRange {
        usize::try_from(size).ok().and_then(|size| self.ranges.get(size)).expect("it grew that far")
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        self.range(size).root()
    }

    pub(crate) fn node(&self, node: NodeId) -> Option<Hash> {
        self.nodes.get(&node).copied()
    }

    /// The proof that a store with these nodes would give.
    pub(crate) fn proof(&self, plan: &ProofPlan) -> Vec<Hash> {
        let fetch = |node: &NodeId| self.node(*node).expect("the plan needs only complete nodes");
        let hashes: Vec<Hash> = plan.nodes().iter().map(fetch).collect();
        plan.fold(&hashes).expect("the plan's own nodes")
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        Checkpoint { origin: ORIGIN.to_owned(), size, root: self.root(size) }
    }
}

/// The largest power of two smaller than `size`.
fn split(size: usize) -> usize {
    let mut left = 1;
    while left * 2 < size {
        left *= 2;
    }
    left
}

/// MTH of RFC 6962 §2.1.
pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
pub(crate) fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (naive_inclusion(index, left), naive_root(right))
    } else {
        (naive_inclusion(index - left.len(), right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2; PROOF when `whole` is true.
pub(crate) fn naive_consistency(from: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if from == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) = if from <= left.len() {
        (naive_consistency(from, left, whole), naive_root(right))
    } else {
        (naive_consistency(from - left.len(), right, false), naive_root(left))
    };
    proof.push(sibling);
    proof
}
