#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::consent::ConsentKey;
use store::NoticeMessage;
use uuid::Uuid;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

/// The resident withdrew it long before this organisation, its holder, heard so and did.
fn withdrawn(ended: Timestamp, withdrawn: Option<Timestamp>) -> ConsentRow {
    ConsentRow {
        key: ConsentKey { holder: "00000099000000001000".parse().unwrap(), id: Uuid::from_u128(1) },
        extract: None,
        valid_until: None,
        state: ConsentState::Withdrawn,
        ended: Some(ended),
        statement: None,
        told_by: None,
        reported: None,
        reported_by: None,
        withdrawn,
        kept: None,
        to_do: false,
    }
}

fn notice(queued: Option<Timestamp>, confirmed: Option<Timestamp>) -> ConsentNotice {
    let message =
        queued.map(|queued| NoticeMessage { index: 1, state: State::Waiting, queued, finished: None });
    let party = "00000099000000002000".parse().unwrap();
    ConsentNotice { party, message, via: None, confirmed, done: None, kept: None }
}

#[test]
fn who_does_not_confirm_in_time_is_overdue() {
    let (consent, within) = (withdrawn(at(0), Some(at(10))), at(10) + CONFIRM_WITHIN);
    let told = notice(Some(at(11)), None);
    assert!(!is_late(&consent, &told, within), "it counts from when the holder withdrew it");
    assert!(is_late(&consent, &told, within + SignedDuration::from_secs(1)));
    let again = notice(Some(within), None);
    assert!(is_late(&consent, &again, within + SignedDuration::from_secs(1)), "however often it was told");
    let confirmed = notice(Some(at(10)), Some(at(11)));
    assert!(!is_late(&consent, &confirmed, at(1000)));
    // Who is told by another is told from the withdrawal on.
    let elsewhere = notice(None, None);
    assert!(!is_late(&consent, &elsewhere, within));
    assert!(is_late(&consent, &elsewhere, at(11) + CONFIRM_WITHIN));
    // Of before that moment was kept.
    let old = withdrawn(at(0), None);
    assert!(is_late(&old, &told, at(1) + CONFIRM_WITHIN));
}

/// What was withdrawn here and not at its holder: until the holder says so, it may take no longer than a confirmation.
#[test]
fn a_report_that_does_not_arrive_needs_somebody() {
    let reported = |by: Option<State>, to_do| ConsentRow {
        state: ConsentState::InForce,
        ended: None,
        reported: Some(at(0)),
        reported_by: by.map(|state| (7, state)),
        to_do,
        ..withdrawn(at(0), None)
    };
    let late = at(1) + CONFIRM_WITHIN;
    for (by, to_do, expected) in [
        (None, true, Report::UnderWay),
        (None, false, Report::NotTaken),
        (Some(State::Waiting), false, Report::UnderWay),
        (Some(State::Admitted), false, Report::Taken),
        (Some(State::Refused), false, Report::NotTaken),
        (Some(State::Undeliverable), true, Report::UnderWay),
    ] {
        let consent = reported(by, to_do);
        assert_eq!(super::reported(&consent, at(1)), Some((expected, expected == Report::NotTaken)));
        assert_eq!(super::reported(&consent, late), Some((expected, true)));
        assert_eq!(standing(&consent, at(1)), ConsentState::Withdrawn);
        assert_eq!(withdrawn_on(&consent), Some(at(0)));
    }
    assert_eq!(super::reported(&withdrawn(at(0), None), late), None, "the holder said so");
}
