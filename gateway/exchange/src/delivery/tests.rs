#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::{
    entry::{ReasonCode, Reception},
    random::SeededRandom,
    receipt::ReceiptLeaf,
    testing::{corporation, log_signer, municipality, now, oin},
    tlog::{Checkpoint, CompactRange, Hash, Leaf, LogSigner, NodeId, plan_inclusion},
};

/// The receiver's log with what it takes to prove an entry.
struct Log {
    range: CompactRange,
    nodes: std::collections::HashMap<NodeId, Hash>,
    leaves: Vec<Leaf>,
    signer: LogSigner,
}

impl Log {
    /// With as many earlier entries as `size`.
    fn of(size: u64) -> Self {
        let mut log = Self {
            range: CompactRange::default(),
            nodes: std::collections::HashMap::new(),
            leaves: Vec::new(),
            signer: log_signer(2),
        };
        for _ in 0..size {
            log.append(Entry::Begin { oin: municipality(), tijd: now() }.leaf());
        }
        log
    }

    fn append(&mut self, leaf: Leaf) -> u64 {
        let index = self.range.size();
        self.range.append_visiting(leaf.hash(), |node, hash| {
            self.nodes.insert(node, hash);
        });
        self.leaves.push(leaf);
        index
    }

    fn known(&self, index: u64) -> ReceiptLeaf {
        let plan = plan_inclusion(index, self.range.size()).unwrap();
        let hashes: Vec<Hash> = plan.nodes().iter().map(|node| self.nodes[node]).collect();
        let leaf = self.leaves[usize::try_from(index).unwrap()].clone();
        ReceiptLeaf::Known { index, leaf, proof: plan.fold(&hashes).unwrap() }
    }

    fn checkpoint(&self) -> String {
        let checkpoint = Checkpoint {
            origin: municipality().log_origin(),
            size: self.range.size(),
            root: self.range.root(),
        };
        self.signer.sign(&checkpoint)
    }

    /// The receipt for new entries.
    fn receipt(&mut self, new: impl IntoIterator<Item = Leaf>) -> Receipt {
        let before = self.range.clone();
        let leaves: Vec<Leaf> = new.into_iter().collect();
        for leaf in &leaves {
            self.append(leaf.clone());
        }
        Receipt {
            checkpoint: self.checkpoint(),
            size_before: before.size(),
            range_before: before.roots().to_vec(),
            leaves: leaves.into_iter().map(ReceiptLeaf::New).collect(),
        }
    }
}

fn message(number: u8) -> Digest {
    Digest::of(&[number])
}

fn reception(number: u8, reason: Option<Reason>) -> Reception {
    Reception {
        bericht: message(number),
        id: None,
        reden: reason.map(ReasonCode),
        regels: None,
        tijd: now(),
        toestemming: None,
        uitkomst: if reason.is_none() { Outcome::Toegelaten } else { Outcome::Geweigerd },
        van: corporation(),
    }
}

fn leaf(reception: Reception) -> Leaf {
    Entry::Ontvangst(reception).leaf()
}

fn check(receipt: &Receipt, sent: &[Digest]) -> Result<Vec<Delivered>, ReceiptFault> {
    let checked = check_receipt(receipt, sent, corporation(), &log_signer(2).verifier());
    checked.map(|(_, outcomes)| outcomes)
}

#[test]
fn each_message_ends_as_its_entry_says() {
    let receipt = Log::of(5).receipt([
        leaf(reception(1, None)),
        leaf(reception(2, Some(Reason::Expired))),
        leaf(reception(3, None)),
    ]);
    assert_eq!(
        check(&receipt, &[message(1), message(2), message(3)]),
        Ok(vec![Delivered::Admitted, Delivered::Refused(Reason::Expired), Delivered::Admitted])
    );
    let (verified, _) = check_receipt(
        &receipt,
        &[message(1), message(2), message(3)],
        corporation(),
        &log_signer(2).verifier(),
    )
    .unwrap();
    assert_eq!(verified.checkpoint().size, 8);
}

#[test]
fn a_message_that_was_known_ends_as_it_did_then() {
    let mut log = Log::of(3);
    let earlier = log.append(leaf(reception(1, None)));
    log.append(Entry::Begin { oin: municipality(), tijd: now() }.leaf());
    let mut receipt = log.receipt([leaf(reception(2, None))]);
    receipt.leaves.insert(0, log.known(earlier));
    assert_eq!(check(&receipt, &[message(1), message(2)]), Ok(vec![Delivered::Admitted; 2]));
    // And when nothing is new.
    let mut only_known = log.receipt([]);
    only_known.leaves.push(log.known(earlier));
    assert_eq!(check(&only_known, &[message(1)]), Ok(vec![Delivered::Admitted]));
}

#[test]
fn entries_about_other_messages_prove_nothing() {
    let other_sender = Reception { van: oin(3), ..reception(1, None) };
    let contradictory = Reception { uitkomst: Outcome::Toegelaten, ..reception(1, Some(Reason::Expired)) };
    let without_reason = Reception { uitkomst: Outcome::Geweigerd, ..reception(1, None) };
    let sending = Entry::Verzending {
        bericht: message(1),
        id: uuid::Uuid::nil(),
        naar: municipality(),
        regels: message(9),
        tijd: now(),
        toestemming: None,
    };
    for (what, leaves) in [
        ("another message", vec![leaf(reception(2, None))]),
        ("another sender", vec![leaf(other_sender)]),
        ("admitted and refused", vec![leaf(contradictory)]),
        ("refused without a reason", vec![leaf(without_reason)]),
        ("another kind of entry", vec![sending.leaf()]),
        ("no entry at all", vec![Leaf::new(b"{}".to_vec())]),
        ("one too few", vec![]),
        ("one too many", vec![leaf(reception(1, None)), leaf(reception(1, None))]),
    ] {
        let receipt = Log::of(5).receipt(leaves);
        assert_eq!(check(&receipt, &[message(1)]), Err(ReceiptFault::OtherMessages), "{what}");
    }
    let swapped = Log::of(5).receipt([leaf(reception(2, None)), leaf(reception(1, None))]);
    assert_eq!(check(&swapped, &[message(1), message(2)]), Err(ReceiptFault::OtherMessages));
}

#[test]
fn a_receipt_that_does_not_verify_proves_nothing() {
    let good = Log::of(5).receipt([leaf(reception(1, None))]);
    assert!(check(&good, &[message(1)]).is_ok());
    let by_another = check_receipt(&good, &[message(1)], corporation(), &log_signer(3).verifier());
    assert!(matches!(by_another, Err(ReceiptFault::Unproven(_))));
    let mut changed = good.clone();
    changed.leaves = vec![ReceiptLeaf::New(leaf(reception(1, Some(Reason::Expired))))];
    assert!(matches!(check(&changed, &[message(1)]), Err(ReceiptFault::Unproven(_))));
    let mut changed = good;
    changed.size_before = 4;
    assert!(matches!(check(&changed, &[message(1)]), Err(ReceiptFault::Unproven(_))));
}

#[test]
fn waits_grow_to_five_minutes_and_start_anew() {
    let random = SeededRandom::new(1);
    let mut backoff = Backoff::default();
    for doubled in 0..40_u32 {
        let whole = (FIRST_WAIT * 2_i32.pow(doubled.min(9))).min(LONGEST_WAIT);
        let wait = backoff.next(now(), None, &random).duration_since(now());
        assert!(wait >= whole / 2 && wait <= whole, "{doubled}: {wait:?}");
        assert_eq!(backoff.failures(), doubled + 1);
    }
    backoff.reset();
    assert_eq!(backoff, Backoff::default());
    assert!(backoff.next(now(), None, &random).duration_since(now()) <= FIRST_WAIT);
}

#[test]
fn a_partner_may_ask_for_more_time_within_five_minutes() {
    let wait = |seconds| {
        let no_sooner = Some(SignedDuration::from_secs(seconds));
        Backoff::default().next(now(), no_sooner, &SeededRandom::new(1)).duration_since(now())
    };
    assert_eq!(wait(60), SignedDuration::from_secs(60));
    assert_eq!(wait(86_400), LONGEST_WAIT);
    assert!(wait(-60) > SignedDuration::ZERO);
}

#[test]
fn the_end_of_time_does_not_stop_the_node() {
    let wait = Backoff::default().next(Timestamp::MAX, None, &SeededRandom::new(1));
    assert_eq!(wait, Timestamp::MAX);
}

proptest! {
    #[test]
    fn partners_do_not_come_back_together(seeds: (u64, u64), failures in 8_u32..64) {
        prop_assume!(seeds.0 != seeds.1);
        let waits = [seeds.0, seeds.1].map(|seed| {
            let random = SeededRandom::new(seed);
            let mut backoff = Backoff { failures };
            (0..16).map(|_| backoff.next(now(), None, &random)).collect::<Vec<_>>()
        });
        prop_assert_ne!(&waits[0], &waits[1]);
    }
}
