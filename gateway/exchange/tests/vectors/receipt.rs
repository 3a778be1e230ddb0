//! A receipt for a batch of three: a new message, one that was known, and one that was refused.

use std::collections::HashMap;

use exchange::{
    delivery::check_receipt,
    digest::Digest,
    entry::Entry,
    message::{Draft, ReceivedMessage},
    oin::Oin,
    policy::ConsentKnowledge,
    receipt::{Receipt, ReceiptLeaf},
    tlog::{Checkpoint, CompactRange, Hash, Leaf, NodeId, plan_inclusion},
};
use serde::Serialize;

use crate::parties::{draft, log_signer, now, oin, rulebook, signed};

#[derive(Serialize)]
pub(crate) struct ReceiptFile {
    /// Who sent the batch.
    from: Oin,
    log_vkey: String,
    /// The digests of the batch, in order.
    sent: Vec<Digest>,
    receipt: Receipt,
    outcomes: Vec<OutcomeFile>,
    /// The three leaves, decoded.
    leaves: Vec<String>,
}

#[derive(Serialize)]
struct OutcomeFile {
    index: u64,
    /// Why it was refused, if it was.
    reason: Option<&'static str>,
}

/// A log in memory.
#[derive(Default)]
struct Log {
    range: CompactRange,
    nodes: HashMap<NodeId, Hash>,
}

impl Log {
    fn append(&mut self, leaf: &Leaf) {
        self.range.append_visiting(leaf.hash(), |node, hash| {
            self.nodes.insert(node, hash);
        });
    }
}

/// What the municipality logs for a line from the corporation.
fn leaf_for(line: &str) -> Leaf {
    let verified = ReceivedMessage::new(line, oin(1)).verify(oin(2), &rulebook(), now());
    match verified.and_then(|verified| verified.admit(&rulebook(), ConsentKnowledge::NothingElse, now())) {
        Ok(admitted) => admitted.leaf(now()),
        Err(refused) => refused.leaf(now()),
    }
}

/// The receipt, and the proof file of its first message.
pub(crate) fn files() -> (ReceiptFile, String) {
    let known = signed(draft());
    let second = Draft { id: "01a1fd70-f23b-7000-8000-000000000002".parse().unwrap(), desk: None, ..draft() };
    let new = signed(second);
    let refused = "geen bericht";

    let mut log = Log::default();
    log.append(&Entry::Begin { oin: oin(2), tijd: now() }.leaf());
    for _ in 0..3 {
        // What else the log holds does not matter to the receipt.
        log.append(&Entry::Begin { oin: oin(2), tijd: now() }.leaf());
    }
    let known_leaf = leaf_for(known.compact());
    log.append(&known_leaf);
    let before = log.range.clone();
    let new_leaves = [leaf_for(new.compact()), leaf_for(refused)];
    for leaf in &new_leaves {
        log.append(leaf);
    }

    let plan = plan_inclusion(4, log.range.size()).unwrap();
    let hashes: Vec<Hash> = plan.nodes().iter().map(|node| log.nodes[node]).collect();
    let proof = plan.fold(&hashes).unwrap();
    let [new_leaf, refused_leaf] = new_leaves;
    let checkpoint =
        Checkpoint { origin: oin(2).log_origin(), size: log.range.size(), root: log.range.root() };
    let receipt = Receipt {
        checkpoint: log_signer(2).sign(&checkpoint),
        size_before: before.size(),
        range_before: before.roots().to_vec(),
        leaves: vec![
            ReceiptLeaf::New(new_leaf),
            ReceiptLeaf::Known { index: 4, leaf: known_leaf, proof },
            ReceiptLeaf::New(refused_leaf),
        ],
    };
    let sent = vec![new.digest(), known.digest(), Digest::of(refused.as_bytes())];
    let key = log_signer(2).verifier();
    let (verified, _) = check_receipt(&receipt, &sent, oin(1), &key).unwrap();
    let outcome = |(index, leaf): (u64, &Leaf)| match Entry::of_leaf(leaf).unwrap() {
        Entry::Ontvangst(reception) => {
            OutcomeFile { index, reason: reception.reden.map(|code| code.0.code()) }
        }
        other => panic!("{other:?}"),
    };
    let text = |(_, leaf): (u64, &Leaf)| String::from_utf8(leaf.bytes().to_vec()).unwrap();
    let file = ReceiptFile {
        from: oin(1),
        log_vkey: key.to_string(),
        sent,
        outcomes: verified.entries().map(outcome).collect(),
        leaves: verified.entries().map(text).collect(),
        receipt,
    };
    (file, verified.proof_file(0).unwrap().to_string())
}
