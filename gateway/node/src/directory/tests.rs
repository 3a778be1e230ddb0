#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + minutes * 60).unwrap()
}

fn record(seen: i64) -> PartnerRecord {
    PartnerRecord {
        oin: "00000099000000002000".parse().unwrap(),
        name: "Woningcorporatie De Sleutel".into(),
        kind: "woningcorporatie".into(),
        descriptor: String::new(),
        added: at(0),
        seen: at(seen),
    }
}

#[test]
fn a_partner_is_asked_when_it_is_time_or_when_it_returns() {
    let back = BTreeSet::from([record(0).oin]);
    let due = |seen, asked: Option<i64>, returned: bool, now| {
        let returned = if returned { back.clone() } else { BTreeSet::new() };
        is_due((&record(seen), asked.map(at).as_ref()), &returned, at(now))
    };
    assert!(!due(0, None, false, 59) && due(0, None, false, 60));
    assert!(due(0, None, true, 1), "it is back");
    assert!(!due(0, Some(1), true, 1) && due(0, Some(1), true, 2), "not twice in a breath");
    assert!(!due(0, Some(70), false, 129) && due(0, Some(70), false, 130), "it did not answer");
    assert!(due(100, None, false, 50), "the clock was set back");
    assert!(due(0, Some(100), false, 80), "and who was asked in that future is asked again");
}
