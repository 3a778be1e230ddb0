#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::{
    testing::{log_signer, municipality, oin, signer},
    tlog::{CompactRange, Cosignature, CosignerVerifier, Leaf, LogSigner, NodeId, plan_consistency},
};

/// A log that can show any of its sizes. `fork` is how many entries at its end are other than usual.
struct Log {
    leaves: Vec<Hash>,
}

impl Log {
    fn new(size: usize, from: usize, fork: u8) -> Self {
        let leaf = |number: usize| {
            let branch = if number >= from { fork } else { 0 };
            Leaf::new(format!("{branch} {number}").into_bytes()).hash()
        };
        Self { leaves: (0..size).map(leaf).collect() }
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut range = CompactRange::default();
        self.leaves[..size].iter().for_each(|leaf| range.append(*leaf));
        Checkpoint { origin: municipality().log_origin(), size: size as u64, root: range.root() }
    }

    fn root_of(&self, node: NodeId) -> Hash {
        let count = 1_usize << node.level;
        let start = usize::try_from(node.index).unwrap() * count;
        let mut range = CompactRange::default();
        self.leaves[start..start + count].iter().for_each(|leaf| range.append(*leaf));
        range.root()
    }

    fn proof(&self, from: u64, to: u64) -> Option<Vec<Hash>> {
        if to > self.leaves.len() as u64 {
            return None;
        }
        let plan = plan_consistency(from, to).unwrap();
        let hashes: Vec<Hash> = plan.nodes().iter().map(|node| self.root_of(*node)).collect();
        Some(plan.fold(&hashes).unwrap())
    }

    /// What a witness that keeps `kept` makes of `shown`, asking this log.
    fn watched(&self, kept: &Checkpoint, shown: &Checkpoint) -> Verdict {
        match compare(Some(kept), shown) {
            Next::First => panic!("something is kept"),
            Next::Known => Verdict::Older,
            Next::Contradicts => Verdict::Contradicts(Contradiction::Gesplitst),
            Next::Prove { from, to } => match self.proof(from, to) {
                Some(proof) => judge(kept, shown, Answer::Proof(&proof)),
                None => judge(kept, shown, Answer::Beyond),
            },
        }
    }
}

proptest! {
    /// Checkpoints of an honest log, in whatever order they come, never raise an alarm, and the largest is kept.
    #[test]
    fn an_honest_log_is_never_accused(sizes in prop::collection::vec(1_usize..70, 1..20)) {
        let log = Log::new(70, 70, 0);
        let mut kept: Option<Checkpoint> = None;
        for size in &sizes {
            let shown = log.checkpoint(*size);
            let verdict = match &kept {
                None => Verdict::Extends,
                Some(kept) => log.watched(kept, &shown),
            };
            match verdict {
                Verdict::Extends => kept = Some(shown),
                Verdict::Older => {}
                Verdict::Contradicts(how) => prop_assert!(false, "{how:?}"),
            }
        }
        prop_assert_eq!(kept.unwrap().size, *sizes.iter().max().unwrap() as u64);
    }

    /// A log that was put back to `common` entries and then grew differently is caught at whatever size it shows,
    /// once it shows more than the two have in common, and also when it says that it is shorter.
    #[test]
    fn a_rewritten_log_is_caught(common in 1_usize..60, lost in 1_usize..20, grown in 1_usize..40) {
        let before = Log::new(common + lost, usize::MAX, 0);
        let after = Log::new(common + grown, common, 1);
        let kept = before.checkpoint(common + lost);
        let shown = after.checkpoint(common + grown);
        prop_assert!(matches!(after.watched(&kept, &shown), Verdict::Contradicts(_)));
        // Whatever it answers: no hashes make one log of the two.
        for proof in [Vec::new(), before.proof(common as u64, (common + lost) as u64).unwrap()] {
            if kept.size != shown.size {
                let verdict = judge(&kept, &shown, Answer::Proof(&proof));
                prop_assert_eq!(verdict, Verdict::Contradicts(Contradiction::Herschreven));
            }
        }
    }
}

#[test]
fn the_first_checkpoint_is_kept() {
    let log = Log::new(3, 3, 0);
    assert_eq!(compare(None, &log.checkpoint(3)), Next::First);
    assert_eq!(compare(Some(&log.checkpoint(3)), &log.checkpoint(3)), Next::Known);
    assert_eq!(compare(Some(&log.checkpoint(3)), &log.checkpoint(2)), Next::Prove { from: 2, to: 3 });
}

fn alarm(aard: Contradiction, kept: &Checkpoint, shown: &Checkpoint, antwoord: Option<Vec<Hash>>) -> Alarm {
    let log = log_signer(2);
    Alarm {
        soort: ALARM.into(),
        aard,
        logboek: municipality(),
        logsleutel: log.verifier().to_string(),
        gezien: log.sign(kept),
        getoond: log.sign(shown),
        antwoord,
        door: oin(1),
        tijd: "2026-11-22T10:00:00Z".parse().unwrap(),
    }
}

#[test]
fn an_alarm_can_be_checked_by_anyone() {
    let (honest, other) = (Log::new(9, 9, 0), Log::new(9, 4, 1));
    let split = alarm(Contradiction::Gesplitst, &honest.checkpoint(6), &other.checkpoint(6), None);
    assert_eq!(split.check(), Ok(Proven::Contradiction));
    let proof = other.proof(6, 9);
    let rewritten =
        alarm(Contradiction::Herschreven, &honest.checkpoint(6), &other.checkpoint(9), proof.clone());
    assert_eq!(rewritten.check(), Ok(Proven::Unproven));
    let shorter = alarm(Contradiction::Ingekort, &honest.checkpoint(9), &other.checkpoint(5), None);
    assert_eq!(shorter.check(), Ok(Proven::Unproven));

    // An honest log is not accused with its own checkpoints.
    let false_split = alarm(Contradiction::Gesplitst, &honest.checkpoint(6), &honest.checkpoint(6), None);
    assert_eq!(false_split.check(), Err(AlarmError::NoContradiction));
    let proof = honest.proof(6, 9);
    let false_rewrite =
        alarm(Contradiction::Herschreven, &honest.checkpoint(6), &honest.checkpoint(9), proof);
    assert_eq!(false_rewrite.check(), Err(AlarmError::NoContradiction));
    // Nor with checkpoints that it did not sign.
    let stranger = LogSigner::new(municipality().log_origin(), SigningKey::from_bytes(&[9; 32])).unwrap();
    let forged = Alarm { getoond: stranger.sign(&other.checkpoint(6)), ..split.clone() };
    assert_eq!(forged.check(), Err(AlarmError::Note(NoteError::NotSigned)));
    let elsewhere = Alarm { logboek: oin(1), ..split };
    assert_eq!(elsewhere.check(), Err(AlarmError::Key));
}

#[test]
fn an_alarm_reads_as_it_is_written() {
    let (honest, other) = (Log::new(9, 9, 0), Log::new(9, 4, 1));
    let split = alarm(Contradiction::Gesplitst, &honest.checkpoint(6), &other.checkpoint(6), None);
    let json = serde_json::to_value(&split).unwrap();
    assert_eq!(json["aard"], "gesplitst");
    assert_eq!(serde_json::from_value::<Alarm>(json).unwrap(), split);
}

/// The key of messages cosigns, and what others serve beside it is not passed on.
#[test]
fn a_message_key_cosigns() {
    let (log, checkpoint) = (log_signer(2), Log::new(5, 5, 0).checkpoint(5));
    let time: Timestamp = "2026-11-22T10:00:00.7Z".parse().unwrap();
    let name = oin(1).log_origin();
    let mine = Cosignature::by(&signer(1), &name, &checkpoint, time).unwrap();
    let note = mine.add_to(&log.sign(&checkpoint)).unwrap();
    let verifier = CosignerVerifier::of(&name, crate::signature::Signer::public_key(&signer(1))).unwrap();
    let (found, at) = verifier.find(&note).unwrap();
    assert_eq!((found, at.as_second()), (checkpoint.clone(), time.as_second()));
    let other = CosignerVerifier::of(&name, crate::signature::Signer::public_key(&signer(3))).unwrap();
    assert_eq!(other.find(&note), Err(NoteError::NotSigned));
    assert_eq!(log.verifier().bare(&note).unwrap(), (checkpoint.clone(), log.sign(&checkpoint)));
}
