#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::{organisation::OrganisationKind, signature::Signer as _};

use super::*;
use crate::agreements::tests::{Group, oin, signer};

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

#[tokio::test]
async fn what_a_partner_shows_is_taken_over_but_no_other_keys_and_no_other_kind() {
    let group = Group::new(2).await;
    let core = &group.cores[1];
    let known = core.store.partner(oin(0)).await.unwrap().unwrap();
    let plain = Descriptor::verify(&known.descriptor).unwrap();
    let show = async |record: &PartnerRecord, found: Descriptor, by: usize| {
        let text = found.sign(&signer(by)).unwrap();
        take_over(core, record.clone(), &text, &found).await.unwrap()
    };
    assert_eq!(show(&known, plain.clone(), 0).await, Refreshed::Same);
    let keys = Descriptor { sleutels: vec![signer(5).public_key().clone()], ..plain.clone() };
    assert_eq!(show(&known, keys, 5).await, Refreshed::NotTakenOver);
    let kind = Descriptor { soort: OrganisationKind::Uwv, ..plain.clone() };
    assert_eq!(show(&known, kind, 0).await, Refreshed::NotTakenOver);
    assert_eq!(core.store.partner(oin(0)).await.unwrap().unwrap().descriptor, known.descriptor);

    let desk = Desk { loket: "balie".into(), naam: "Balie".into(), ..Desk::default() };
    let with_desk = Descriptor { loketten: vec![desk.clone()], ..plain.clone() };
    assert_eq!(show(&known, with_desk, 0).await, Refreshed::Changed);
    assert_eq!(core.partners()[&oin(0)].loketten, [desk]);
    assert_eq!(show(&known, plain, 0).await, Refreshed::Overtaken, "it was read before");
    assert_eq!(core.partners()[&oin(0)].loketten.len(), 1);
}
