#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use store::{NoticeMessage, State};
use uuid::Uuid;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn withdrawn(ended: Timestamp) -> ConsentRow {
    ConsentRow {
        key: ConsentKey { holder: "00000099000000001000".parse().unwrap(), id: Uuid::from_u128(1) },
        extract: None,
        valid_until: None,
        state: ConsentState::Withdrawn,
        ended: Some(ended),
        statement: None,
        told_by: None,
        reported: None,
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
    let (consent, within) = (withdrawn(at(0)), at(10) + CONFIRM_WITHIN);
    let told = notice(Some(at(10)), None);
    assert!(!is_overdue(&consent, &told, within));
    assert!(is_overdue(&consent, &told, within + SignedDuration::from_secs(1)));
    let confirmed = notice(Some(at(10)), Some(at(11)));
    assert!(!is_overdue(&consent, &confirmed, at(1000)));
    // Who is told by another is told from the withdrawal on.
    let elsewhere = notice(None, None);
    assert!(!is_overdue(&consent, &elsewhere, at(0) + CONFIRM_WITHIN));
    assert!(is_overdue(&consent, &elsewhere, at(1) + CONFIRM_WITHIN));
}
